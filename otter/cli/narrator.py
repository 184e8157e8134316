"""Print a story's steps as they happen, each with what it took."""

from typing import Any, TextIO

from attrs import define


class WrongStepError(Exception):
    """A step of the story did not end as it should."""


@define
class Narrator:
    """Writes lines with the seconds since the start."""

    reactor: Any
    out: TextIO
    started: float
    step_started: float

    @classmethod
    def begin(cls, reactor: Any, out: TextIO) -> "Narrator":
        """Return a narrator whose clock starts now."""
        now = reactor.seconds()
        return cls(reactor, out, now, now)

    def say(self, text: str) -> None:
        """Write a plain line."""
        self.out.write(text + "\n")
        self.out.flush()

    def step(self, text: str) -> None:
        """Write that something was reached, and how long it took since the last such line."""
        now = self.reactor.seconds()
        self.say(f"  {now - self.started:6.2f}s  {text}  (+{now - self.step_started:.2f}s)")
        self.step_started = now


def check(condition: object, what: str) -> None:
    """
    Insist on something.

    :raises WrongStepError: it is not so.
    """
    if not condition:
        raise WrongStepError(what)
