"""
Make sequences from a seed, and make a failing one short.

A seeded generator and not hypothesis, because ten thousand sequences have to fit into seconds; what
hypothesis would do for a failure is done by ``shortened``.
"""

from collections.abc import Callable
from random import Random

from attrs import evolve, frozen

from tests.properties.steps import (
    AddPolicy,
    Converge,
    DeletePolicy,
    Execute,
    HitWebhook,
    Pause,
    Resume,
    Sequence,
    SetConfig,
    SetPolicy,
    Step,
    Suspend,
    Wait,
)

PERCENTS = (
    *("50", "5", "-5", "-75", "-60", "10", "-300", "100", "-100", "200", "33", "-33.3", "12.5"),
    *("0.2", "-1.1", "0.1", "-0.1", "0.0001", "-0.0001", "1e-7", "1E+2", "-1.5e1", "99.9999999"),
    *("33.333333333333333333333333", "66.666666666666666666666667", "-14.2857142857142857"),
    *("100000", "-100000", "1e30", "-1e30", "1e-30"),
)
CAPACITIES = ("0", "1", "2", "3", "5", "8", "13", "1000", "1001", "9223372036854775807")
HUGE = (2**31, 2**63 - 1, 10**40)
COOLDOWNS = ("0", "0", "0", "0.5", "1", "1.0", "1.5", "5.5", "0.015625", "0.0156251", "1e0")
LONG_COOLDOWNS = ("60", "3600", "86400", "0.1", "0.3", "1.0000001", "0.999999999999", "1e-9")
WAITS = (1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 128, 351, 352, 353)
LONG_WAITS = (3839, 3840, 3841, 230400, 5529599, 5529600, 6, 7, 19, 20)
KINDS = ("change", "changePercent", "desiredCapacity")


@frozen
class Flavour:
    """
    Which sequences are likely.

    :ivar widest: the largest ``maxEntities``, 1000 at most.
    :ivar policies: how many there are at most before most executions miss each other.
    :ivar huge: whether amounts of many digits are as likely as others.
    :ivar cooling: how likely it is that a cooldown is one at all.
    :ivar longest: the number of steps.
    """

    widest: int = 12
    policies: int = 5
    huge: bool = False
    cooling: float = 0.6
    longest: int = 30


def generate(random: Random, flavour: Flavour) -> Sequence:
    """Return a sequence."""
    maker = _Maker(random, flavour)
    first = maker.config()
    return Sequence(
        SetConfig(min(first.low, first.high), max(first.low, first.high), first.cooldown),
        (maker.add(), *(maker.step() for _ in range(random.randrange(flavour.longest)))),
    )


class _Maker:
    """Draws steps."""

    def __init__(self, random: Random, flavour: Flavour) -> None:
        self._random = random
        self._flavour = flavour
        self._kinds: list[tuple[int, Callable[[], Step]]] = [
            (34, lambda: Execute(self._which())),
            (10, lambda: HitWebhook(self._which())),
            (16, self._wait),
            (10, self.add),
            (6, self._set),
            (4, lambda: DeletePolicy(self._which())),
            (10, self.config),
            (2, Pause),
            (4, Resume),
            (2, Converge),
            (2, lambda: Suspend(random.random() < 0.4)),
        ]

    def step(self) -> Step:
        """Return any step."""
        weights = [weight for weight, _ in self._kinds]
        [(_, make)] = self._random.choices(self._kinds, weights)
        return make()

    def add(self) -> AddPolicy:
        """Return the addition of a policy."""
        kind, amount = self._adjustment()
        return AddPolicy(kind, amount, self._cooldown())

    def config(self) -> SetConfig:
        """Return a config, now and then one that contradicts itself."""
        random, widest = self._random, self._flavour.widest
        low, high = random.randint(0, widest), random.randint(0, widest)
        if random.random() < 0.95:
            low, high = min(low, high), max(low, high)
        cooling = random.random() < self._flavour.cooling / 2
        return SetConfig(low, high, random.choice((1, 2, 60, 86400)) if cooling else 0)

    def _set(self) -> SetPolicy:
        kind, amount = self._adjustment()
        return SetPolicy(self._which(), kind, amount, self._cooldown())

    def _which(self) -> int:
        return self._random.randrange(self._flavour.policies)

    def _wait(self) -> Wait:
        random = self._random
        if random.random() < 0.2:
            return Wait(random.choice(LONG_WAITS))
        return Wait(random.choice(WAITS) if random.random() < 0.8 else random.randrange(1, 1000))

    def _cooldown(self) -> str:
        random = self._random
        if random.random() >= self._flavour.cooling:
            return "0"
        return random.choice(COOLDOWNS if random.random() < 0.8 else LONG_COOLDOWNS)

    def _adjustment(self) -> tuple[str, str]:
        random = self._random
        kind = random.choice(KINDS)
        if kind == "desiredCapacity":
            return kind, random.choice((*CAPACITIES, str(random.randint(0, self._flavour.widest))))
        if kind == "change":
            return kind, str(random.choice((1, -1)) * self._size())
        return kind, random.choice(PERCENTS) if random.random() < 0.5 else self._percent()

    def _size(self) -> int:
        random = self._random
        if self._flavour.huge and random.random() < 0.5:
            return random.choice(HUGE)
        return random.randint(1, max(2, self._flavour.widest // 3))

    def _percent(self) -> str:
        random = self._random
        digits = random.randint(0, 12 if self._flavour.huge else 2)
        number = random.randint(1, 200 * 10**digits)
        text = f"{number // 10**digits}.{number % 10**digits:0{digits}}" if digits else str(number)
        return random.choice(("", "-")) + text


def shortened(sequence: Sequence, fails: Callable[[Sequence], bool]) -> Sequence:
    """Return a part of ``sequence`` that still fails, and no step of which can be left out."""
    size = max(1, len(sequence.steps) // 2)
    while True:
        smaller = _without_chunk(sequence, size, fails)
        if smaller is not None:
            sequence = smaller
        elif size == 1:
            return sequence
        else:
            size //= 2


def _without_chunk(
    sequence: Sequence, size: int, fails: Callable[[Sequence], bool]
) -> Sequence | None:
    for start in range(0, len(sequence.steps), size):
        steps = sequence.steps[:start] + sequence.steps[start + size :]
        smaller = evolve(sequence, steps=steps)
        if fails(smaller):
            return smaller
    return None
