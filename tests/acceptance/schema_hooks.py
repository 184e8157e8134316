"""
What schemathesis has to know of Otter beyond the document; loaded by ``st``, in its own process.

A document cannot say everything: an image has to exist, a minimum must not be above its maximum, a
time has to lie in the future. Data that is valid by the document and yet refused for such a reason
is no failure, provided that the refusal names one of these reasons and no other.

``RecordStatuses`` writes which operation answered how often with which status to the file that the
environment names, for the test to judge.
"""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

STATUSES = "OTTER_TEST_STATUSES"
"""Names the environment variable with the path of the file."""

MEANINGS: dict[str, tuple[str, ...]] = {
    "InvalidLaunchConfiguration": ("",),
    "InvalidMinEntities": ("minEntities", "maxEntities"),
    "PoliciesOverLimitError": ("",),
    "ScalingGroupOverLimitError": ("",),
    "WebhooksOverLimitError": ("",),
    "ValidationError": (
        "args.at",
        "args.cron",
        "must be of type integer",  # what JSON Schema takes for one: 1.0
        "must contain ServiceNet",
        "cannot change",
    ),
}
"""Types of refusals, and what one of their messages contains, that no schema can express."""


def refused_for_its_meaning(response: Response) -> bool:
    """Return whether the refusal names a reason that the document cannot express."""
    error = response.json()["error"]
    return any(text in error["message"] for text in MEANINGS.get(error["type"], ()))


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, _case: Any, response: Response) -> bool:
    """Return whether a failure is one."""
    return not (isinstance(failure, RejectedPositiveData) and refused_for_its_meaning(response))


@schemathesis.check
class RecordStatuses:
    """Counts statuses by operation."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def after_response(self, _: Any, response: Response, case: Any) -> None:
        """Count."""
        self._counts[case.operation.label][response.status_code] += 1

    def after_run(self, _: Any) -> None:
        """Write."""
        Path(os.environ[STATUSES]).write_text(json.dumps(self._counts), encoding="utf-8")
