"""
Ten thousand generated sequences leave a group where the contract says, with the answers it says.

So many in ``make test``; fewer in ``make check``, more in ``make fuzz``.
"""

from twisted.trial.unittest import SynchronousTestCase

from tests.effort import examples
from tests.properties.calling import SitePerformer
from tests.properties.generating import Flavour
from tests.properties.judging import Make, fault, search
from tests.properties.performing import ControllerPerformer
from tests.properties.reference import Reference
from tests.properties.steps import (
    AddPolicy,
    DeletePolicy,
    Execute,
    HitWebhook,
    Sequence,
    SetConfig,
    SetPolicy,
    Wait,
)


class ControllerTests(SynchronousTestCase):
    """The controller on a store in memory, 2,500 sequences of each flavour."""

    make: Make = staticmethod(ControllerPerformer)

    def hold(self, flavour: Flavour) -> None:
        """Try sequences of a flavour."""
        count = examples(quick=150, full=2500)
        wrong = search(self.make, flavour, count)

        self.assertIsNone(wrong, wrong)

    def test_few_servers(self) -> None:
        """Small groups meet their bounds all the time."""
        self.hold(Flavour())

    def test_many_servers(self) -> None:
        """Up to a thousand servers, where a hundredth of a percent makes a difference."""
        self.hold(Flavour(widest=1000, cooling=0.2))

    def test_many_digits(self) -> None:
        """Numbers far beyond what machine words and binary floats hold."""
        self.hold(Flavour(widest=100, huge=True, cooling=0.3))

    def test_cooldowns(self) -> None:
        """Two clocks everywhere, met to the tick."""
        self.hold(Flavour(policies=2, cooling=1.0, longest=40))


class SiteTests(SynchronousTestCase):
    """The same through the REST API, where numbers arrive as the texts that callers write."""

    def test_same_over_http(self) -> None:
        """Statuses and types of errors, states and configs as shown."""
        for flavour in (Flavour(), Flavour(widest=1000, huge=True, cooling=0.2)):
            wrong = search(SitePerformer, flavour, examples(quick=8, full=60))

            self.assertIsNone(wrong, wrong)


class SearchTests(SynchronousTestCase):
    """The search finds what it is there to find, and makes it short."""

    def test_finds_and_shortens(self) -> None:
        """A controller that lets policies run during a cooldown is found out in few steps."""

        class Hasty(ControllerPerformer):
            """Forgets cooldowns of one second."""

            async def _take(self, step: object) -> None:
                if isinstance(step, AddPolicy) and step.cooldown == "1":
                    step = AddPolicy(step.kind, step.amount, "0")
                await super()._take(step)  # type: ignore[arg-type]  # one of Step

        found = search(Hasty, Flavour(cooling=1.0), 3000, seed=1)

        self.assertIsNotNone(found)
        self.assertIn(
            "ended with None where the contract says CannotExecutePolicyError", str(found)
        )
        self.assertLessEqual(str(found).count("Execute("), 3, found)
        self.assertEqual(str(found).count("AddPolicy("), 1, found)


class ReferenceTests(SynchronousTestCase):
    """The model says what the tables of the contract say, or it would prove nothing."""

    def test_rounding_table(self) -> None:
        """Every row of the table in 5.1, the originals of its [R] included."""
        rows = [(5, "50", 8), (5, "5", 6), (5, "-5", 4), (5, "-75", 1), (3, "50", 5)]
        rows += [(4, "-60", 1), (10, "10", 11), (3, "-300", 0), (500, "0.2", 501)]
        rows += [(1000, "-1.1", 989)]
        for current, percent, result in rows:
            model = Reference.created(SetConfig(0, 1000, 0))
            model.desired = current
            model.what_happens(AddPolicy("changePercent", percent, "0"))

            self.assertIsNone(model.what_happens(Execute(0)), percent)
            self.assertEqual(model.desired, result, (current, percent))

    def test_cooldown_is_over_at_its_end(self) -> None:
        """Exactly equal is allowed, one tick earlier is not (5.2)."""
        begin = SetConfig(0, 10, 0)
        grow = AddPolicy("change", "1", "1")
        for ticks, refusal in ((63, "CannotExecutePolicyError"), (64, None)):
            model = Reference.created(begin)
            for step in (grow, Execute(0), Wait(ticks)):
                model.what_happens(step)

            self.assertEqual(model.what_happens(Execute(0)), refusal)


class ExampleTests(SynchronousTestCase):
    """Sequences worth keeping."""

    def test_replaced_policy_keeps_its_clock(self) -> None:
        """Lowering the cooldown to 0 unblocks at once; raising it again blocks once more."""
        sequence = Sequence(
            SetConfig(0, 10, 0),
            (
                AddPolicy("change", "1", "60"),
                Execute(0),
                Execute(0),
                SetPolicy(0, "changePercent", "0.0001", "0"),
                Execute(0),
                SetPolicy(0, "desiredCapacity", "9", "5.5"),
                Wait(351),
                HitWebhook(0),
                Wait(1),
                HitWebhook(0),
                DeletePolicy(0),
                HitWebhook(0),
                Execute(0),
            ),
        )

        self.assertIsNone(fault(sequence, ControllerPerformer))
