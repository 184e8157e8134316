"""How long properties are searched: briefly in ``make test``, far longer in ``make fuzz``."""

import os

from hypothesis import HealthCheck, settings

FACTOR = "OTTER_FUZZ_FACTOR"
"""Names the environment variable that multiplies the number of examples."""


def bounded(max_examples: int) -> settings:
    """Return settings for a property that shares one world between its examples."""
    return settings(
        max_examples=max_examples * int(os.environ.get(FACTOR, "1")),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
    )
