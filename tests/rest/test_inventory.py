"""Every row of rest-api.md has a case; where not here, it is said where."""

import re
from collections.abc import Mapping
from importlib import import_module
from inspect import isclass
from pathlib import Path
from types import MappingProxyType

from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from tests.rest.inventory import ROWS
from tests.rest.rows import RowCase

_PLACES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "tests.rest.test_site.FaultTests": {"1.6 InternalError": "test_unexpected_error"},
        "tests.rest.test_launching.LaunchCheckTests": {
            "1.6 InvalidLaunchConfiguration": "test_bad_config",
        },
        "tests.contracts.launch.LaunchContract": {
            "4.6 image (if imageRef non-empty)": "test_unknown_image_is_told_in_the_clouds_words",
            "4.6 flavor": "test_unknown_flavor_is_told",
            "4.6 personality (if non-empty)": "test_personality_beyond_the_clouds_limits",
            "4.6 stack": "test_bad_stack_is_told_in_the_clouds_words",
            "7 personality files / bytes each": "test_personality_beyond_the_clouds_limits",
        },
        "tests.supervisor.test_planning.ShrinkTests": {
            "6 #31": "test_the_oldest_server_goes_first"
        },
        "tests.acceptance.test_creates.RefusedCreatesTests": {
            "3.6 Enter ERROR": "test_scenario_21_reasons_come_and_go",
            "3.6 Leave ERROR": "test_scenario_21_reasons_come_and_go",
        },
        "tests.acceptance.test_creates.FailingBuildsTests": {
            "6 #33": "test_scenario_12_stuck_in_build",
        },
        "tests.acceptance.test_balancers.MissingBalancerTests": {
            "3.6 Not an ERROR": "test_scenario_25_gone_then_scale_down",
        },
        "tests.acceptance.test_pausing.PausingTests": {
            "3.9 running convergence": "test_scenario_40_pause_stops_converging",
        },
        "tests.acceptance.test_scaling.ScalingTests": {
            "6 #30": "test_a_new_launch_config_is_for_new_servers",
            "6 #32": "test_servers_are_as_the_launch_config_says",
        },
    }
)

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        row: f"{place}.{method}"
        for place, methods in _PLACES.items()
        for row, method in methods.items()
    }
)
"""Rows that only a cloud, or a fault, can try: the tests that do."""

SCHEDULER: frozenset[str] = frozenset(
    {
        "3.9 scheduled policies",
        "5.2 Scheduled executions",
        "8 cooldowns for schedules",
        *(f"5.4 {row}" for row in ROWS["5.4"]),
    }
)
"""Rows about policies that run by themselves, which is the scheduler's to do."""


def tables() -> list[type[RowCase]]:
    """Return every table of cases."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_rows_*.py"))
    modules = [import_module(f"tests.rest.{name}") for name in names]
    return [
        found
        for module in modules
        for found in vars(module).values()
        if isclass(found) and issubclass(found, RowCase) and found is not RowCase
    ]


def row_of(case: str) -> str:
    """Return the row that a case is named after, or the case itself when there is no such row."""
    section, _, rest = case.partition(" ")
    rows = [row for row in ROWS.get(section, ()) if rest == row or rest.startswith(f"{row}: ")]
    return f"{section} {max(rows, key=len)}" if rows else case


class InventoryTests(SynchronousTestCase):
    """The inventory and the cases agree."""

    def setUp(self) -> None:
        """Collect."""
        self.rows = {f"{section} {row}" for section, rows in ROWS.items() for row in rows}
        self.cases = [case for table in tables() for case in table.rows]

    def test_every_row_has_a_case(self) -> None:
        """In a table here, or in the test named; rows of the scheduler wait for it."""
        tried = {row_of(case) for case in self.cases}

        self.assertEqual(sorted(self.rows - tried - set(ELSEWHERE) - SCHEDULER), [])

    def test_nothing_is_excused_that_is_tried(self) -> None:
        """What has a case needs no excuse, and what is excused is a row."""
        excused = set(ELSEWHERE) | SCHEDULER

        self.assertEqual(sorted(excused & {row_of(case) for case in self.cases}), [])
        self.assertEqual(sorted(excused - self.rows), [])

    def test_tests_named_exist(self) -> None:
        """A test that is renamed takes its row along."""
        for name in ELSEWHERE.values():
            self.assertTrue(callable(namedAny(name)), name)

    def test_cases_can_be_found(self) -> None:
        """Each is named once, and after a section that there is."""
        sections = {case.partition(" ")[0] for case in self.cases}

        self.assertEqual(len(self.cases), len(set(self.cases)))
        self.assertEqual(sorted(sections - set(ROWS)), [])
        self.assertTrue(all(re.match(r"[1-8](\.[0-9]+)? \S", case) for case in self.cases))
        self.assertGreater(len(self.cases), 800)
