"""Time at the edges."""

from datetime import UTC, datetime, timedelta

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.models.errors import StoreUnavailableError
from otter.timing import Periodic, sleep, utc_now


class NowTests(SynchronousTestCase):
    """What o'clock it is."""

    def test_the_clock_given_is_the_clock_asked(self) -> None:
        """Always with its zone, so that it compares with every other time of ours."""
        clock = Clock()
        clock.advance(1_900_000_000.5)

        self.assertEqual(utc_now(clock), datetime(2030, 3, 17, 17, 46, 40, 500_000, UTC))


class SleepTests(SynchronousTestCase):
    """Waiting."""

    def setUp(self) -> None:
        """Make a clock."""
        self.clock = Clock()

    def sleep(self, seconds: float) -> "Deferred[None]":
        """Begin to sleep."""
        return Deferred.fromCoroutine(sleep(self.clock, timedelta(seconds=seconds)))

    def test_it_takes_as_long_as_it_says(self) -> None:
        """To the moment."""
        sleeping = self.sleep(2)
        self.clock.advance(1.99)

        self.assertNoResult(sleeping)
        self.clock.advance(0.01)
        self.assertIsNone(self.successResultOf(sleeping))

    def test_a_negative_wait_is_none(self) -> None:
        """What should have happened already happens on the next turn."""
        sleeping = self.sleep(-5)
        self.clock.advance(0)

        self.assertIsNone(self.successResultOf(sleeping))

    def test_cancelling_leaves_nothing_behind(self) -> None:
        """No timer keeps a stopped process alive."""
        sleeping = self.sleep(2)
        sleeping.cancel()

        self.failureResultOf(sleeping, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Work:
    """Work that is told how each of its turns goes, the last way again and again."""

    def __init__(self, clock: Clock, *ways: object) -> None:
        self.clock = clock
        self.ways = list(ways) or [None]
        self.at: list[float] = []
        self.cancelled = 0

    async def __call__(self) -> timedelta | None:
        """Take a turn."""
        self.at.append(self.clock.seconds())
        way = self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]
        if callable(way):
            way()
            return None
        if isinstance(way, Exception):
            raise way
        if isinstance(way, Deferred):
            try:
                await way
            except CancelledError:
                self.cancelled += 1
                raise
            return None
        assert way is None or isinstance(way, timedelta)
        return way


class PeriodicTests(SynchronousTestCase):
    """Work that repeats without ever dying of one failure."""

    def setUp(self) -> None:
        """Make a clock."""
        self.clock = Clock()

    def start(self, *ways: object) -> tuple[Periodic, Work]:
        """Start work that repeats every ten seconds."""
        work = Work(self.clock, *ways)
        periodic = Periodic("test", self.clock, timedelta(seconds=10), work)
        periodic.startService()
        return periodic, work

    def run_for(self, seconds: int) -> None:
        """Let time pass, second by second."""
        for _ in range(seconds):
            self.clock.advance(1)

    def test_the_first_turn_is_at_once(self) -> None:
        """Then one every interval."""
        _, work = self.start()
        self.run_for(25)

        self.assertEqual(work.at, [0, 10, 20])

    def test_the_interval_begins_when_a_turn_ends(self) -> None:
        """Slow turns never overlap or pile up."""
        slow: Deferred[None] = Deferred()
        _, work = self.start(slow, None)
        self.run_for(15)
        slow.callback(None)
        self.run_for(12)

        self.assertEqual(work.at, [0, 25])

    def test_a_turn_may_say_when_the_next_is(self) -> None:
        """Once; also that it is at once."""
        _, work = self.start(timedelta(seconds=3), timedelta(0), None)
        self.run_for(3)
        self.clock.advance(0)
        self.run_for(10)

        self.assertEqual(work.at, [0, 3, 3, 13])

    def test_a_failure_is_contained(self) -> None:
        """It is logged once, and the next turn comes as usual."""
        _, work = self.start(ValueError("a bug"), None)
        self.run_for(10)

        self.assertEqual(work.at, [0, 10])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_store_that_is_away_is_no_failure(self) -> None:
        """It is expected to come back: nobody is alarmed."""
        _, work = self.start(StoreUnavailableError("restarting"), None)
        self.run_for(10)

        self.assertEqual(work.at, [0, 10])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_a_cancelled_wait_is_contained(self) -> None:
        """Something it waited for was cancelled, not the work: it must not stop for ever."""
        waiting: Deferred[None] = Deferred()
        _, work = self.start(waiting, None)
        waiting.cancel()
        self.run_for(10)

        self.assertEqual(work.at, [0, 10])
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_a_nudge_brings_the_next_turn_forward(self) -> None:
        """And the interval counts from there."""
        periodic, work = self.start()
        self.run_for(3)
        periodic.nudge()
        self.clock.advance(0)
        self.run_for(12)

        self.assertEqual(work.at, [0, 3, 13])

    def test_nudges_during_a_turn_are_one_more_turn(self) -> None:
        """As soon as it has ended; what it may have missed is looked at."""
        slow: Deferred[None] = Deferred()
        periodic, work = self.start(slow, None)
        self.run_for(4)
        periodic.nudge()
        periodic.nudge()
        slow.callback(None)
        self.clock.advance(0)
        self.run_for(9)

        self.assertEqual(work.at, [0, 4])

    def test_a_nudge_by_the_turn_itself_counts(self) -> None:
        """Also before it has waited for anything."""

        def nudge() -> None:
            periodic.nudge()

        work = Work(self.clock, nudge, None)
        periodic: Periodic = Periodic("test", self.clock, timedelta(seconds=10), work)
        periodic.startService()
        self.clock.advance(0)
        self.run_for(9)

        self.assertEqual(work.at, [0, 0])

    def test_a_nudge_of_what_is_stopped_is_nothing(self) -> None:
        """Before it was started, and after it was stopped."""
        work = Work(self.clock)
        periodic = Periodic("test", self.clock, timedelta(seconds=10), work)
        periodic.nudge()
        periodic.startService()
        _ = periodic.stopService()
        periodic.nudge()
        self.run_for(20)

        self.assertEqual(work.at, [0])

    def test_stopping_between_turns(self) -> None:
        """It is over at once, and no timer is left."""
        periodic, work = self.start()

        self.assertIsNone(periodic.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.run_for(20)
        self.assertEqual(work.at, [0])

    def test_stopping_during_a_turn_cancels_it_and_waits(self) -> None:
        """What the turn holds is released before the service counts as stopped."""
        slow: Deferred[None] = Deferred()
        periodic, work = self.start(slow)
        stopping = periodic.stopService()

        assert stopping is not None
        self.assertIsNone(self.successResultOf(stopping))
        self.assertEqual((work.cancelled, self.clock.getDelayedCalls()), (1, []))

    def test_stopping_waits_for_a_turn_that_cannot_be_cut_short(self) -> None:
        """A write under way in a thread has its end first."""
        unwilling: Deferred[None] = Deferred(lambda _: None)
        stubborn: Deferred[None] = Deferred()

        async def work() -> None:
            try:
                await unwilling
            except CancelledError:
                await stubborn

        periodic = Periodic("test", self.clock, timedelta(seconds=10), work)
        periodic.startService()
        stopping = periodic.stopService()

        assert stopping is not None
        self.assertNoResult(stopping)
        stubborn.callback(None)
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_was_stopped_can_be_started_again(self) -> None:
        """With a turn at once."""
        periodic, work = self.start()
        self.run_for(5)
        _ = periodic.stopService()
        self.run_for(20)
        periodic.startService()
        self.run_for(10)

        self.assertEqual(work.at, [0, 25, 35])
