"""Waiting ends when it is over, and says how."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from itertools import islice

from twisted.trial.unittest import SynchronousTestCase

from otter.cli import waiting
from otter.cli.exits import NotFoundError, NotReachedError, UnavailableError
from otter.cli.progress import Progress
from otter.cli.waiting import Stage, Verdict, Waiter, judge
from tests.cli.scene import Time, a_state


class JudgeTests(SynchronousTestCase):
    """One look at a group."""

    def test_on_the_way(self) -> None:
        """Pending servers are waited for, up and down."""
        self.assertEqual(
            [
                Stage(Verdict.WAITING, "1 active, 2 pending, 3 desired"),
                Stage(Verdict.WAITING, "3 active, 1 leaving, 2 desired"),
            ],
            [judge(a_state(1, 3)), judge(a_state(3, 2))],
        )

    def test_there(self) -> None:
        """Nothing pending is the end, for an empty group too."""
        self.assertEqual(
            [Verdict.REACHED, Verdict.REACHED],
            [judge(a_state(2, 2)).verdict, judge(a_state(0, 0)).verdict],
        )

    def test_error(self) -> None:
        """A group in ERROR does not get there without somebody doing something: say why."""
        stage = judge(a_state(0, 1, errors=("no such image", "and more")))

        self.assertEqual(Stage(Verdict.FAILED, "ERROR: and more; no such image"), stage)

    def test_error_without_reason(self) -> None:
        """Even an ERROR that gives no reason is one."""
        state = {**a_state(0, 1), "status": "ERROR"}

        self.assertEqual(Stage(Verdict.FAILED, "ERROR: no reason given"), judge(state))

    def test_error_from_before(self) -> None:
        """Converging is how a group leaves ERROR, so it gets the time to."""
        before = frozenset({"old"})

        self.assertEqual(
            [Verdict.WAITING, Verdict.FAILED],
            [
                judge(a_state(0, 1, errors=("old",)), before).verdict,
                judge(a_state(0, 1, errors=("old", "new")), before).verdict,
            ],
        )

    def test_paused(self) -> None:
        """Nothing moves in a paused group; one that is complete needs no moving."""
        self.assertEqual(
            [Verdict.FAILED, Verdict.REACHED],
            [judge(a_state(0, 1, paused=True)).verdict, judge(a_state(1, 1, paused=True)).verdict],
        )


class PausesTests(SynchronousTestCase):
    """How often is looked."""

    def test_less_and_less_often(self) -> None:
        """Soon at first, because most things are quick, and never so often as to be a burden."""
        pauses = list(islice(waiting.pauses(), 20))

        self.assertEqual(waiting.FIRST_PAUSE, pauses[0])
        self.assertEqual(sorted(pauses), pauses)
        self.assertEqual(waiting.LONGEST_PAUSE, pauses[-1])


def looks(*stages: Stage | Exception) -> Callable[[], Stage]:
    """Return what sees one stage after the other, the last one for ever."""
    left = list(stages)

    def look() -> Stage:
        stage = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(stage, Exception):
            raise stage
        return stage

    return look


MOVING = Stage(Verdict.WAITING, "moving")
THERE = Stage(Verdict.REACHED, "there")


class WaiterTests(SynchronousTestCase):
    """The loop around the looks."""

    def setUp(self) -> None:
        """Have a clock that goes only when somebody sleeps."""
        self.time = Time()
        self.out = StringIO()
        self.waiter = Waiter(self.time.clock, Progress(self.out, 80), timedelta(seconds=10))

    def test_reached_at_once(self) -> None:
        """What is there already costs no time."""
        self.waiter.wait(looks(THERE))

        self.assertEqual([], self.time.slept)

    def test_reached_later(self) -> None:
        """Every change is told once."""
        self.waiter.wait(looks(MOVING, MOVING, THERE))

        self.assertEqual([0.5, 0.75], self.time.slept)
        self.assertEqual("moving\nthere\n", self.out.getvalue())

    def test_failed(self) -> None:
        """What cannot be reached any more ends the wait at once."""
        with self.assertRaisesRegex(NotReachedError, "broken"):
            self.waiter.wait(looks(MOVING, Stage(Verdict.FAILED, "broken")))

        self.assertEqual([0.5], self.time.slept)

    def test_timeout(self) -> None:
        """The wait ends exactly when it was to, with a last look."""
        with self.assertRaisesRegex(NotReachedError, "after 10 s: moving"):
            self.waiter.wait(looks(MOVING))

        self.assertEqual(10, self.time.seconds)

    def test_no_time(self) -> None:
        """Waiting for no time is one look."""
        waiter = Waiter(self.time.clock, Progress(self.out, 80), timedelta(0))
        with self.assertRaises(NotReachedError):
            waiter.wait(looks(MOVING))

        self.assertEqual([], self.time.slept)

    def test_service_away_for_a_moment(self) -> None:
        """A restart of the API is no reason to tell a script that its group is broken."""
        self.waiter.wait(looks(UnavailableError("503"), THERE))

        self.assertEqual("503\nthere\n", self.out.getvalue())

    def test_gone(self) -> None:
        """A group that somebody else deletes meanwhile is not found, which is not a timeout."""
        with self.assertRaises(NotFoundError):
            self.waiter.wait(looks(MOVING, NotFoundError("gone")))
