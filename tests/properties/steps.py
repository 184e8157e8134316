"""
What a generated sequence is made of: calls on one group and moves of the clock.

Steps name policies by number (``which``, counted from the first policy ever added), so a sequence
with some steps taken out is still a sequence. Numbers of policies are texts, as a caller would
write them into JSON.
"""

from attrs import frozen

TICKS_PER_SECOND = 64
"""Clocks move by ticks, which floats, datetimes and fractions all hold exactly."""


@frozen
class AddPolicy:
    """Add a policy with a webhook; ``kind`` is the name of the field that ``amount`` is for."""

    kind: str
    amount: str
    cooldown: str


@frozen
class SetPolicy:
    """Replace a policy."""

    which: int
    kind: str
    amount: str
    cooldown: str


@frozen
class DeletePolicy:
    """Delete a policy."""

    which: int


@frozen
class Execute:
    """Execute a policy with a token."""

    which: int


@frozen
class HitWebhook:
    """Execute a policy by its capability URL."""

    which: int


@frozen
class SetConfig:
    """Replace the config."""

    low: int
    high: int
    cooldown: int


@frozen
class Pause:
    """Pause the group."""


@frozen
class Resume:
    """Resume it."""


@frozen
class Converge:
    """Ask for a converge cycle."""


@frozen
class Suspend:
    """Flag the group suspended, or take the flag away."""

    flag: bool


@frozen
class Wait:
    """Let time pass."""

    ticks: int


Step = (
    AddPolicy
    | SetPolicy
    | DeletePolicy
    | Execute
    | HitWebhook
    | SetConfig
    | Pause
    | Resume
    | Converge
    | Suspend
    | Wait
)


@frozen
class Sequence:
    """A group's config at its creation, and what happens to it."""

    begin: SetConfig
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """Return the sequence so that it can be pasted into a test."""
        lines = "".join(f"        {step!r},\n" for step in self.steps)
        return f"Sequence(\n    {self.begin!r},\n    (\n{lines}    ),\n)"
