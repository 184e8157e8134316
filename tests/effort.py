"""Say how many examples a test tries: few in ``make check``, all that were promised elsewhere."""

import os

from tests.fuzzing import FACTOR
from tests.run import FULL


def factor() -> int:
    """Return how many times longer than promised to try: more than 1 in ``make fuzz``."""
    return int(os.environ.get(FACTOR, "1"))


def examples(*, quick: int, full: int) -> int:
    """Return how many examples to try."""
    return full * factor() if factor() > 1 or os.environ.get(FULL) else quick
