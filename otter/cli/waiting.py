"""
Decide whether a group has got where it is to be, and wait until it has.

``judge`` and ``pauses`` are pure. A look that fails because the service is away for a moment is
just another look: the wait goes on until its time is over.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from attrs import frozen

from otter.cli.display.text import one_line
from otter.cli.exits import NotReachedError, UnavailableError
from otter.cli.progress import Progress
from otter.cli.terminal import Clock

FIRST_PAUSE = timedelta(seconds=0.5)
LONGEST_PAUSE = timedelta(seconds=5)
GROWTH = 1.5


class Verdict(Enum):
    """How far it is."""

    WAITING = "waiting"
    REACHED = "reached"
    FAILED = "failed"


@frozen
class Stage:
    """What one look showed, in words for whoever waits."""

    verdict: Verdict
    text: str


def judge(state: Mapping[str, Any], errors_before: frozenset[str] = frozenset()) -> Stage:
    """
    Return where a group is on its way to its desired capacity.

    :param state: as the API shows it.
    :param errors_before: what was wrong before the command; the group is given time to get over
        it, while a new error ends the wait.
    """
    errors = errors_of(state)
    if state["status"] == "ERROR":
        new = errors - errors_before
        text = f"ERROR: {'; '.join(sorted(new or errors)) or 'no reason given'}"
        old_trouble = errors_before and not new
        return Stage(Verdict.WAITING if old_trouble else Verdict.FAILED, text)
    text = capacity(state)
    if state["pendingCapacity"] == 0:
        return Stage(Verdict.REACHED, text)
    if state["paused"]:
        return Stage(Verdict.FAILED, f"the group is paused with {text}")
    return Stage(Verdict.WAITING, text)


def errors_of(state: Mapping[str, Any]) -> frozenset[str]:
    """Return what is wrong with a group."""
    return frozenset(str(error["message"]) for error in state.get("errors", ()))


def capacity(state: Mapping[str, Any]) -> str:
    """Return a group's capacities in words."""
    active, pending = state["activeCapacity"], state["pendingCapacity"]
    moving = f"{pending} pending" if pending >= 0 else f"{-pending} leaving"
    return f"{active} active, {moving}, {state['desiredCapacity']} desired"


def pauses() -> Iterator[timedelta]:
    """Return how long to wait between looks: soon at first, then less and less often."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


@frozen
class Waiter:
    """
    Looks again and again.

    :ivar timeout: when to give up.
    """

    clock: Clock
    progress: Progress
    timeout: timedelta

    def wait(self, look: Callable[[], Stage]) -> None:
        """
        Return when a look shows that it is reached.

        :raises NotReachedError: it cannot be any more, or was not in time.
        """
        try:
            self._wait(look)
        finally:
            self.progress.end()

    def _wait(self, look: Callable[[], Stage]) -> None:
        started = self.clock.now()
        for pause in pauses():
            stage = _careful(look)
            elapsed = self.clock.now() - started
            self.progress.show(stage.text, elapsed)
            if stage.verdict is Verdict.REACHED:
                return
            if stage.verdict is Verdict.FAILED:
                raise NotReachedError(stage.text)
            left = self.timeout.total_seconds() - elapsed
            if left <= 0:
                seconds = f"{self.timeout.total_seconds():g} s"
                raise NotReachedError(f"gave up waiting after {seconds}: {stage.text}")
            self.clock.sleep(min(pause.total_seconds(), left))


def _careful(look: Callable[[], Stage]) -> Stage:
    try:
        return look()
    except UnavailableError as error:
        return Stage(Verdict.WAITING, one_line(str(error)))
