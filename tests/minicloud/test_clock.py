"""Tests of ``minicloud.clock``."""

from datetime import UTC, datetime, timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.clock import DrivenTime, NotDrivenError, RealTime, later

START = datetime(2026, 1, 1, tzinfo=UTC)


class DrivenTimeTests(SynchronousTestCase):
    """A time that moves when told."""

    def test_stands_still(self) -> None:
        """It reads where it was started, until it is advanced."""
        time = DrivenTime.starting_at(START)
        before = time.now()
        time.advance(timedelta(hours=2))

        self.assertEqual((before, time.now()), (START, START + timedelta(hours=2)))

    def test_timers_fire_at_their_own_time(self) -> None:
        """A long advance dates everything on its way as if time had passed evenly."""
        time, seen = DrivenTime.starting_at(START), []

        def second() -> None:
            seen.append(time.now() - START)

        def first() -> None:
            seen.append(time.now() - START)
            later(time, timedelta(minutes=1), second)

        later(time, timedelta(minutes=1), first)
        time.advance(timedelta(hours=1))

        self.assertEqual(seen, [timedelta(minutes=1), timedelta(minutes=2)])

    def test_sleep(self) -> None:
        """A sleeper wakes when its time has come, not before."""
        time = DrivenTime.starting_at(START)
        sleeping = Deferred.fromCoroutine(time.sleep(timedelta(seconds=10)))
        time.advance(timedelta(seconds=9))
        self.assertNoResult(sleeping)
        time.advance(timedelta(seconds=1))

        self.assertIsNone(self.successResultOf(sleeping))

    def test_no_sleep(self) -> None:
        """A sleep of nothing ends in the same turn, so that undelayed answers need no reactor."""
        time = DrivenTime.starting_at(START)

        self.assertIsNone(
            self.successResultOf(Deferred.fromCoroutine(time.sleep(timedelta(seconds=-1))))
        )


class RealTimeTests(SynchronousTestCase):
    """The machine's time."""

    def test_cannot_be_advanced(self) -> None:
        """Nobody moves real time; who tries hears how to get a time that moves."""
        self.assertRaises(NotDrivenError, RealTime(Clock()).advance, timedelta(seconds=1))
