"""
``python -m tests.fuzz``: search the properties of the API's outer face far longer than tests do.

The properties are the same; only the number of examples differs. What is found by Hypothesis is
kept in ``.hypothesis`` and tried first by the next run of the tests; sequences of calls are printed
with their seed, and schemathesis prints each request that failed.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta

from tests.fuzzing import FACTOR
from tests.run import run_trial

SUITES = (
    "tests.acceptance.test_schemathesis",
    "tests.properties",
    "tests.rest.test_documents",
    "tests.rest.test_fuzz",
    "tests.rest.test_wire_fuzz",
    "tests.rest.test_schedules",
)
LIMIT = timedelta(hours=6)


def main(arguments: Sequence[str]) -> int:
    """Run the properties; return the exit status."""
    parser = ArgumentParser(prog="tests.fuzz", description="Throw things at the API for long.")
    parser.add_argument("factor", nargs="?", type=int, default=100, help="times the examples")
    factor = parser.parse_args(arguments).factor
    environment = {**os.environ, FACTOR: str(factor), "PYTHONUNBUFFERED": "1"}
    summary, status = run_trial(SUITES, limit=LIMIT, environment=environment, write=_write_through)
    counts = summary.counts(status=status, engines_required=False)
    _write_through(counts.closing_line() + "\n")
    return 0 if counts.failed == 0 else 1


def _write_through(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
