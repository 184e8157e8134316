"""
Run the tests through trial and close with the one line that CI reads.

The suite has two parts: ``unit`` (no service is started) and ``slow`` (the folders named in
``SLOW``). Each is one trial process with two workers and random order. The last line is
``N passed, N failed, N skipped`` over all parts; the exit status is 0 only if nothing failed and
every part ran some test.

Note [What counts as failed]
    Trial's own summary is read, but not trusted alone: a part that ended without a summary, ran
    past its limit, exited with an error that its summary does not explain, or ran no test at all
    counts as one failure more. With ``CI=true`` a test that was skipped because an engine is
    missing has failed: CI is where every engine has to be.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SLOW = ("acceptance", "simulation")
NOT_TESTS = ("contracts",)
WORKERS = 2
LIMITS = {"unit": timedelta(minutes=5), "slow": timedelta(minutes=12)}
ENGINE_MISSING = "engine missing"
FULL = "OTTER_TEST_FULL"
"""Names the environment variable that is set when all parts run, and not just a quick check."""


class Counts(NamedTuple):
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Return the sum of both."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    def closing_line(self) -> str:
        """Return the line that CI reads."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class Summary:
    """
    Read trial's output line by line and remember how the tests ended.

    Only the last summary counts, so a test that prints something alike does no harm. Tests skipped
    for a missing engine are counted apart: trial lists them, one per line, below their reason.
    """

    _result = re.compile(
        r"^(?:PASSED|FAILED)(?: \((?P<counts>[a-zA-Z]+=\d+(?:, [a-zA-Z]+=\d+)*)\))?$"
    )
    _rule = re.compile(r"^[=-]{70,}$")
    _test_id = re.compile(r"^[A-Za-z_][\w.]*\.test\w*$")

    def __init__(self) -> None:
        self.engines_missing = 0
        self._counts: dict[str, int] | None = None
        self._lines_of_skip: int | None = None
        self._engine = False

    def feed(self, line: str) -> None:
        """Take the next line of output, without its end."""
        if found := self._result.match(line):
            pairs = (pair.split("=") for pair in (found["counts"] or "").split(", ") if pair)
            self._counts = {name: int(count) for name, count in pairs}
        if self._rule.match(line):
            self._lines_of_skip = None
        elif line == "[SKIPPED]":
            self._lines_of_skip = 0
        elif self._lines_of_skip is not None:
            self._feed_skip(line)

    def _feed_skip(self, line: str) -> None:
        if self._lines_of_skip == 0:
            self._engine = line.startswith(ENGINE_MISSING)
        elif self._engine and self._test_id.match(line):
            self.engines_missing += 1
        self._lines_of_skip = (self._lines_of_skip or 0) + 1

    def counts(self, *, status: int, engines_required: bool) -> Counts:
        """Return how the tests of a trial process ended that exited with ``status``."""
        if self._counts is None:
            return Counts(failed=1)
        of = self._counts.get
        counts = Counts(
            passed=of("successes", 0),
            failed=of("failures", 0) + of("errors", 0) + of("unexpectedSuccesses", 0),
            skipped=of("skips", 0) + of("expectedFailures", 0),
        )
        if engines_required:
            missing = min(self.engines_missing, counts.skipped)
            counts = counts.plus(Counts(failed=missing, skipped=-missing))
        unexplained = (status != 0 and counts.failed == 0) or sum(counts) == 0
        return counts.plus(Counts(failed=1)) if unexplained else counts


def find_suites(tests: Path) -> dict[str, list[str]]:
    """Return the names that trial is given for each part, from what lies in ``tests``."""
    suites: dict[str, list[str]] = {"unit": [], "slow": []}
    for path in sorted(tests.iterdir()):
        name = f"{tests.name}.{path.stem}"
        if path.is_dir() and path.name not in NOT_TESTS and any(path.rglob("test_*.py")):
            suites["slow" if path.name in SLOW else "unit"].append(name)
        elif path.match("test_*.py"):
            suites["unit"].append(name)
    return suites


def run_trial(
    suites: Sequence[str],
    *,
    limit: timedelta,
    environment: Mapping[str, str],
    write: Callable[[str], object],
) -> tuple[Summary, int]:
    """Run trial on ``suites``, passing on what it prints; return its summary and exit status."""
    scratch = tempfile.mkdtemp(prefix="otter-tests-")
    command = [sys.executable, "-m", "twisted.trial", f"-j{WORKERS}", "--random", "0"]
    command += ["--temp-directory", f"{scratch}/trial", *suites]
    try:
        return run_command(command, limit=limit, environment=environment, write=write)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run_command(
    command: Sequence[str],
    *,
    limit: timedelta,
    environment: Mapping[str, str],
    write: Callable[[str], object],
) -> tuple[Summary, int]:
    """
    Run ``command`` in a process group of its own and read its output as trial's.

    Whatever of the group is left when it ends, or when ``limit`` is over, is killed: a worker that
    died leaves trial waiting for ever, and a forgotten child would hold our pipe open.
    """
    summary = Summary()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    timer = Timer(limit.total_seconds(), _kill_group, [process.pid])
    timer.daemon = True
    timer.start()
    try:
        for line in _lines_until_exit(process):
            write(line)
            summary.feed(line.rstrip("\n"))
        return summary, process.wait()
    finally:
        timer.cancel()
        _kill_group(process.pid)


def _lines_until_exit(process: subprocess.Popen[str]) -> Iterable[str]:
    if process.stdout is None:
        return
    with process.stdout as lines:
        yield from lines


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for; return the exit status."""
    parser = ArgumentParser(prog="tests/run.py", description="Run the tests of Otter.")
    parser.add_argument("part", nargs="?", default="all", choices=["all", "unit", "slow"])
    part = parser.parse_args(arguments).part
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    total = Counts()
    durations = []
    for name, suites in find_suites(ROOT / "tests").items():
        if part not in {"all", name}:
            continue
        started = time.monotonic()
        counts = run_part(name, suites, full=part == "all")
        durations.append(f"{name}: {counts.closing_line()} in {time.monotonic() - started:.0f} s")
        total = total.plus(counts)
    sys.stdout.write("\n" + "\n".join(durations) + "\n" + total.closing_line() + "\n")
    sys.stdout.flush()
    return 0 if total.failed == 0 and total.passed else 1


def run_part(name: str, suites: Sequence[str], *, full: bool) -> Counts:
    """
    Run one part and count; a part that has no suites has failed.

    :param full: let tests of properties try all examples, not just a few; see ``effort``.
    """
    if not suites:
        return Counts(failed=1)
    sys.stdout.write(f"\n--- {name}: {' '.join(suites)}\n")
    sys.stdout.flush()
    summary, status = run_trial(
        suites,
        limit=LIMITS[name],
        environment={**os.environ, **({FULL: "1"} if full else {}), "PYTHONUNBUFFERED": "1"},
        write=_write_through,
    )
    engines_required = os.environ.get("CI") == "true"
    if engines_required and summary.engines_missing:
        _write_through(
            f"with CI=true, {summary.engines_missing} skips for want of an engine fail\n"
        )
    return summary.counts(status=status, engines_required=engines_required)


def _write_through(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
