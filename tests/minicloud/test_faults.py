"""Tests of ``minicloud.faults``."""

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from minicloud import faults
from minicloud.clock import DrivenTime
from minicloud.faults import Fault, Faults, Operation, Subject, TooManyFaultsError

CREATE = Operation.CREATE


class FaultsTests(SynchronousTestCase):
    """Which request goes wrong."""

    def setUp(self) -> None:
        """Command nothing yet."""
        self.faults = Faults(DrivenTime.starting_at(datetime(2026, 1, 1, tzinfo=UTC)))

    def hits(self, *subjects: Subject, operation: Operation = CREATE) -> list[bool]:
        """Return for each request whether it goes wrong."""
        return [self.faults.take(operation, subject) is not None for subject in subjects]

    def test_counted(self) -> None:
        """A fault happens as often as commanded and is gone then."""
        self.faults.add(Fault(remaining=2))

        self.assertEqual(self.hits(*[Subject()] * 3), [True, True, False])
        self.assertEqual(self.faults.commanded(), ())

    def test_for_ever(self) -> None:
        """A fault without count happens until it is taken back."""
        fault = self.faults.add(Fault(remaining=None))

        self.assertEqual(self.hits(*[Subject()] * 3), [True] * 3)
        self.assertTrue(self.faults.remove(fault.fault_id))
        self.assertFalse(self.faults.remove(fault.fault_id))
        self.assertEqual(self.hits(Subject()), [False])

    def test_matching(self) -> None:
        """Only subjects that match in every respect are hit; others do not use the count up."""
        self.faults.add(Fault(name="^web", metadata={"group": "^g1$"}, project="p"))
        subjects = (
            Subject("db", {"group": "g1"}, "p"),
            Subject("web", {"group": "g12"}, "p"),
            Subject("web", {}, "p"),
            Subject("web", {"group": "g1"}, "q"),
            Subject("web-1", {"group": "g1"}, "p"),
        )

        self.assertEqual(self.hits(*subjects), [False, False, False, False, True])

    def test_operation(self) -> None:
        """A fault of one operation leaves the others alone."""
        self.faults.add(Fault(operation=Operation.DELETE))

        self.assertEqual(self.hits(Subject()), [False])
        self.assertTrue(self.faults.armed(Operation.DELETE))
        self.assertFalse(self.faults.armed(CREATE))

    def test_in_order(self) -> None:
        """Faults happen in the order they were commanded in, which scripts a sequence."""
        for status in (500, 503):
            self.faults.add(Fault(status=status))
        seen = [self.faults.take(CREATE, Subject()) for _ in range(2)]

        self.assertEqual([fault and fault.status for fault in seen], [500, 503])

    def test_bounded(self) -> None:
        """There is an end to faults."""
        self.patch(faults, "MAX_FAULTS", 1)
        self.faults.add(Fault())

        self.assertRaises(TooManyFaultsError, self.faults.add, Fault())
