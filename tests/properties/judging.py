"""Hold what takes steps for real against the model, and say how a sequence went wrong."""

from collections.abc import Callable
from random import Random, SystemRandom

from tests.properties.generating import Flavour, generate, shortened
from tests.properties.performing import Performer, Seen
from tests.properties.reference import Reference
from tests.properties.steps import Sequence, SetConfig

Make = Callable[[SetConfig], Performer]


def fault(sequence: Sequence, make: Make) -> str | None:
    """Return in what the first step that went wrong went wrong, or None."""
    performer = make(sequence.begin)
    model = Reference.created(sequence.begin)
    for number, step in enumerate(sequence.steps, 1):
        found, expected = performer.take(step), model.what_happens(step)
        where = f"step {number}, {step!r}"
        if found != expected:
            return f"{where}: ended with {found} where the contract says {expected}"
        config = model.config
        bounds = (config.low, config.high)
        shown = Seen(model.desired, *bounds, config.cooldown, model.paused)
        seen = performer.look()
        if seen != shown:
            return f"{where}: left {seen} where the contract says {shown}"
        if not seen.low <= seen.desired <= seen.high:
            return f"{where}: left {seen}, outside of its bounds"
    return None


def search(make: Make, flavour: Flavour, count: int, seed: int | None = None) -> str | None:
    """Return the shortest faulty sequence made of the first of ``count`` that is faulty."""
    seed = SystemRandom().getrandbits(32) if seed is None else seed
    random = Random(seed)
    for number in range(1, count + 1):
        sequence = generate(random, flavour)
        if fault(sequence, make) is not None:
            short = shortened(sequence, lambda one: fault(one, make) is not None)
            return f"seed {seed}, sequence {number}, shortened:\n{short}\n{fault(short, make)}"
    return None
