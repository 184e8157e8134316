"""Policy arithmetic and cooldowns."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller import deciding
from otter.controller.errors import (
    CannotExecutePolicyError,
)
from otter.models.group import Group
from otter.models.ids import PolicyId
from otter.models.policy import Adjustment, ChangeBy, ChangePercent, SetCapacity
from tests.controller.strategies import adjustments, groups, percents
from tests.controller.world import (
    NOW,
    POLICY,
    a_group,
    a_policy,
)

TABLE = [
    (5, "50", 8),
    (5, "5", 6),
    (5, "-5", 4),
    (5, "-75", 1),
    (3, "50", 5),
    (4, "-60", 1),
    (10, "10", 11),
    (3, "-300", -6),
    (0, "70", 0),
    (500, "0.2", 501),
    (1000, "-1.1", 989),
    (1000, "0.0001", 1001),
]
"""Table 5.1 of rest-api.md, and the cases its recommendation names; before clamping."""


def raw_reference(current: int, adjustment: Adjustment) -> int:
    """Return the target before clamping, reckoned with fractions."""
    if isinstance(adjustment, ChangeBy):
        return current + adjustment.amount
    if isinstance(adjustment, SetCapacity):
        return adjustment.capacity
    change = Fraction(adjustment.percent) * current / 100
    return current + (ceil(change) if change > 0 else -ceil(-change))


class ArithmeticTests(SynchronousTestCase):
    """Where an adjustment leads."""

    def test_table(self) -> None:
        """The examples of the contract come out as printed."""
        for current, percent, expected in TABLE:
            group = a_group(current, -(10**6), 10**6)

            result = deciding.target_capacity(group, ChangePercent(Decimal(percent)))

            self.assertEqual(result, expected, (current, percent))

    @given(groups(), adjustments)
    def test_equals_reference(self, group: Group, adjustment: Adjustment) -> None:
        """The arithmetic is exact whatever the literal, and the bounds always hold."""
        config = group.config
        raw = raw_reference(group.desired, adjustment)

        result = deciding.target_capacity(group, adjustment)

        self.assertEqual(result, sorted([config.min_entities, raw, config.max_entities])[1])

    @given(st.integers(1, 1000), percents)
    def test_percent_without_bounds(self, current: int, percent: Decimal) -> None:
        """Far from the bounds the change itself is right, not only its clamped result."""
        result = deciding.percent_change(current, percent, reach=10**9)

        expected = raw_reference(current, ChangePercent(percent)) - current
        self.assertEqual(result, expected)

    def test_absurd_exponents(self) -> None:
        """A few characters of JSON cannot make us write out a thousand million digits."""
        huge, tiny = Decimal("1E+999999999"), Decimal("1E-999999999")
        group = a_group(5, 1, 10)

        results = [
            deciding.target_capacity(group, ChangePercent(percent))
            for percent in (huge, huge.copy_negate(), tiny, tiny.copy_negate())
        ]

        self.assertEqual(results, [10, 1, 6, 4])

    def test_many_digits(self) -> None:
        """No digit of the literal is lost, however many it has: just above a whole rounds up."""
        just_above = Decimal("20." + "0" * 60 + "1")

        result = deciding.percent_change(5, just_above, reach=100)

        self.assertEqual(result, 2)

    def test_large_percent(self) -> None:
        """A percentage of many times the group is exact as long as it stays within the bounds."""
        result = deciding.target_capacity(a_group(1, 0, 1000), ChangePercent(Decimal(99_500)))

        self.assertEqual(result, 996)

    def test_huge_change(self) -> None:
        """A change of 2**63-1 is a valid policy; it leads to the maximum."""
        result = deciding.target_capacity(a_group(5), ChangeBy(2**63 - 1))

        self.assertEqual(result, 10)


class CooldownTests(SynchronousTestCase):
    """When a policy may run again."""

    def test_boundary(self) -> None:
        """A cooldown blocks strictly less than its length; exactly its length is allowed."""
        cooldown = Decimal("5.5")
        last = NOW - timedelta(seconds=5.5)

        self.assertIsNone(deciding.remaining_cooldown(cooldown, last, NOW))
        self.assertEqual(
            deciding.remaining_cooldown(cooldown, last + timedelta(microseconds=1), NOW),
            timedelta(microseconds=1),
        )

    def test_never_run(self) -> None:
        """What never ran has no cooldown to wait for."""
        self.assertIsNone(deciding.remaining_cooldown(86400, None, NOW))

    def test_zero_with_clock_behind(self) -> None:
        """A process whose clock lags behind the last writer's does not see a cooldown of 0 run."""
        last = NOW + timedelta(seconds=3)

        self.assertIsNone(deciding.remaining_cooldown(0, last, NOW))
        self.assertEqual(deciding.remaining_cooldown(2, last, NOW), timedelta(seconds=2))

    def test_absurd_cooldown(self) -> None:
        """A literal beyond what a duration can hold still means a very long time."""
        span = deciding.cooldown_span(Decimal("1E+999999999"))

        self.assertEqual(span, deciding.LONGEST_COOLDOWN)

    @given(
        st.decimals(0, 86400, allow_nan=False, allow_infinity=False),
        st.integers(0, 86_400_000_000),
    )
    def test_exact(self, cooldown: Decimal, micros: int) -> None:
        """The comparison is exact for every literal, although durations are whole microseconds."""
        last = NOW - timedelta(microseconds=micros)

        blocked = deciding.remaining_cooldown(cooldown, last, NOW) is not None

        self.assertEqual(blocked, Fraction(micros, 1_000_000) < Fraction(cooldown))

    def test_policy_clock_first(self) -> None:
        """With both running, the caller learns of the policy's own, the more specific."""
        group = a_group(cooldown=60, group_touched=NOW, policy_touched={POLICY: NOW})

        error = self.assertRaises(
            CannotExecutePolicyError, deciding.check_cooldowns, group, a_policy(cooldown=30), NOW
        )

        self.assertIn("policy cooldown", str(error))
        self.assertEqual(error.retry_after, timedelta(seconds=30))

    def test_group_clock(self) -> None:
        """The group's cooldown blocks a policy that itself never ran."""
        group = a_group(cooldown=60, group_touched=NOW - timedelta(seconds=20))

        error = self.assertRaises(
            CannotExecutePolicyError, deciding.check_cooldowns, group, a_policy(), NOW
        )

        self.assertIn("group cooldown", str(error))
        self.assertEqual(error.retry_after, timedelta(seconds=40))

    def test_other_policy(self) -> None:
        """Another policy's clock never blocks this one."""
        group = a_group(policy_touched={PolicyId("other"): NOW})

        result = deciding.execute(group, POLICY, a_policy(cooldown=60), NOW)

        self.assertEqual(result.desired, 6)
