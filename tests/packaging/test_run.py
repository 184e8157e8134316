"""The runner's closing line and exit status say what trial's output means."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.run import Counts, Summary, find_suites, run_command

RULE = "-" * 79
DOUBLE_RULE = "=" * 79

PASSED = f"""\
Running 3 tests.
tests.a.test_a
  ATests
    test_one ...                                                           [OK]

{RULE}
Ran 3 tests in 0.010s

PASSED (successes=3)
"""

FAILED = f"""\
{DOUBLE_RULE}
[FAIL]
twisted.trial.unittest.FailTest: 1 != 2

tests.a.test_a.ATests.test_two
{RULE}
Ran 9 tests in 0.010s

FAILED (skips=1, expectedFailures=1, failures=2, errors=1, unexpectedSuccesses=1, successes=3)
"""

SKIPPED = f"""\
{DOUBLE_RULE}
[SKIPPED]
engine missing: a broker
which is installed with the distribution's packages

tests.bus.test_amqp.BusTests.test_one
tests.bus.test_amqp.BusTests.test_two
{DOUBLE_RULE}
[SKIPPED]
needs Linux

tests.app.test_app.AppTests.test_three
{RULE}
Ran 8 tests in 0.010s

PASSED (skips=3, successes=5)
"""


def counts(output: str, *, status: int = 0, engines_required: bool = False) -> Counts:
    """Return what the runner makes of trial's ``output``."""
    summary = Summary()
    for line in output.splitlines():
        summary.feed(line)
    return summary.counts(status=status, engines_required=engines_required)


class ClosingLineTests(SynchronousTestCase):
    """The line that CI reads."""

    def test_exact_words(self) -> None:
        """CI parses this line, so its words are fixed."""
        line = Counts(passed=12, failed=0, skipped=3).closing_line()

        self.assertEqual("12 passed, 0 failed, 3 skipped", line)

    def test_parts_add_up(self) -> None:
        """One line speaks for all parts."""
        total = Counts(1, 2, 3).plus(Counts(10, 20, 30))

        self.assertEqual(Counts(11, 22, 33), total)


class SummaryTests(SynchronousTestCase):
    """What trial's summary is taken to mean."""

    def test_all_passed(self) -> None:
        """The plain case: successes, nothing else."""
        self.assertEqual(Counts(passed=3), counts(PASSED))

    def test_every_kind_of_failure_counts(self) -> None:
        """Errors and unexpected successes are failures too; an expected failure has not passed."""
        self.assertEqual(Counts(passed=3, failed=4, skipped=2), counts(FAILED, status=1))

    def test_last_summary_wins(self) -> None:
        """A test that prints something like a summary does not change the result."""
        output = "PASSED (successes=1000)\n" + FAILED

        self.assertEqual(Counts(passed=3, failed=4, skipped=2), counts(output, status=1))

    def test_text_inside_a_line_is_no_summary(self) -> None:
        """Only a line of its own is a summary."""
        output = PASSED + "log: FAILED (failures=3)\n"

        self.assertEqual(Counts(passed=3), counts(output))

    def test_no_summary_fails(self) -> None:
        """Trial died before it could tell; silence is no success, whatever the exit status."""
        self.assertEqual(Counts(failed=1), counts("Running 3 tests.\n", status=0))

    def test_unexplained_exit_status_fails(self) -> None:
        """Trial says all passed and exits with an error: something else went wrong."""
        self.assertEqual(Counts(passed=3, failed=1), counts(PASSED, status=-9))

    def test_no_tests_fails(self) -> None:
        """A suite that ran nothing has proved nothing."""
        self.assertEqual(Counts(failed=1), counts(f"{RULE}\n\nPASSED\n"))


class EngineTests(SynchronousTestCase):
    """Where every engine has to be there, its absence is a failure."""

    def test_skips_stay_skips_elsewhere(self) -> None:
        """On a laptop without the engine the suite still passes."""
        self.assertEqual(Counts(passed=5, skipped=3), counts(SKIPPED))

    def test_missing_engines_fail_where_required(self) -> None:
        """Each test below the reason fails; skips for another reason stay skips."""
        found = counts(SKIPPED, engines_required=True)

        self.assertEqual(Counts(passed=5, failed=2, skipped=1), found)


class FindSuitesTests(SynchronousTestCase):
    """Which folders belong to which part."""

    def test_parts(self) -> None:
        """A new folder of tests joins the unit part by itself; contracts and empty ones do not."""
        with tempfile.TemporaryDirectory() as scratch:
            tests = Path(scratch) / "tests"
            for name in ("acceptance", "bus", "contracts"):
                (tests / name).mkdir(parents=True)
                (tests / name / "test_it.py").touch()
            (tests / "__pycache__").mkdir()
            (tests / "test_alone.py").touch()
            (tests / "run.py").touch()
            found = find_suites(tests)

        self.assertEqual(
            {"unit": ["tests.bus", "tests.test_alone"], "slow": ["tests.acceptance"]}, found
        )


class RunCommandTests(SynchronousTestCase):
    """What happens to the process that runs the tests."""

    def run_python(self, program: str, limit: timedelta) -> tuple[list[str], Counts]:
        """Run ``program`` as if it were trial; return what it printed and how it counts."""
        written: list[str] = []
        summary, status = run_command(
            [sys.executable, "-c", program], limit=limit, environment={}, write=written.append
        )
        return written, summary.counts(status=status, engines_required=False)

    def test_output_is_passed_on_and_counted(self) -> None:
        """Whoever watches sees every line, standard error included."""
        program = "import sys; print('PASSED (successes=2)', file=sys.stderr)"
        written, found = self.run_python(program, timedelta(minutes=1))

        self.assertEqual(["PASSED (successes=2)\n"], written)
        self.assertEqual(Counts(passed=2), found)

    def test_a_run_past_its_limit_is_killed_and_fails(self) -> None:
        """A suite that hangs (trial does, when a worker dies) ends, and not as a success."""
        _, found = self.run_python("import signal; signal.pause()", timedelta(0))

        self.assertEqual(Counts(failed=1), found)
