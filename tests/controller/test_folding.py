"""Several decisions, one write."""

from datetime import datetime

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import GroupPausedError, NoSuchScalingGroupError
from otter.controller.folding import Decision, Proposal, fold
from otter.controller.history import record
from otter.models.activity import Activity, ActivityKind
from otter.models.group import Group
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence, Ledger
from tests.controller.world import GROUP, NOW, TENANT, a_group


def a_line(reason: str) -> Activity:
    """Return a line of history."""
    return record(TENANT, GROUP, NOW, ActivityKind.EXECUTED, actor="user", reason=reason)


def adding(amount: int, *, mark: bool = True, lines: int = 0) -> Decision:
    """Return the decision to add servers."""

    def decide(group: Group, _ledger: Ledger | None, _now: datetime) -> Proposal:
        desired = group.desired + amount
        activities = tuple(a_line(f"{desired}") for _ in range(lines))
        return Proposal(evolve(group, desired=desired), mark=mark, activities=activities)

    return decide


def raising(error: Exception) -> Decision:
    """Return a decision that refuses, or breaks."""

    def decide(_group: Group, _ledger: Ledger | None, _now: datetime) -> Proposal:
        raise error

    return decide


def refusing(error: GroupPausedError, *, writes: bool) -> Decision:
    """Return a decision that is refused and nevertheless leaves something behind."""

    def decide(group: Group, _ledger: Ledger | None, _now: datetime) -> Proposal:
        spoiled = evolve(group, desired=99)
        return Proposal(
            group if writes else spoiled,
            writes=writes,
            mark=writes,
            activities=(a_line("refused"),),
            refusal=error,
        )

    return decide


class FoldTests(SynchronousTestCase):
    """What a batch of decisions makes of a group."""

    @given(st.lists(st.integers(-3, 3), max_size=20))
    def test_in_order(self, amounts: list[int]) -> None:
        """Each decision sees what the one before left, and is answered with its own result."""
        folded = fold(a_group(0), None, [adding(amount) for amount in amounts], NOW)

        sums = [sum(amounts[: n + 1]) for n in range(len(amounts))]
        self.assertEqual([a.desired for a in folded.answers if isinstance(a, Group)], sums)
        self.assertEqual(folded.group.desired, sum(amounts))
        self.assertEqual(folded.writes, bool(amounts))

    def test_refused_and_broken(self) -> None:
        """One caller's refusal or broken decision changes nothing for the callers around it."""
        refusal, defect = GroupPausedError("no"), ZeroDivisionError("bug")
        decisions = [adding(1), raising(refusal), raising(defect), adding(1)]

        folded = fold(a_group(5), None, decisions, NOW)

        self.assertEqual(
            folded.answers,
            (a_group(6), refusal, defect, a_group(7)),
        )
        self.assertEqual(folded.group, a_group(7))

    def test_all_refused(self) -> None:
        """Where everybody is refused there is nothing to write."""
        folded = fold(a_group(), None, [raising(GroupPausedError("no"))], NOW)

        self.assertEqual((folded.writes, folded.mark, folded.group), (False, False, a_group()))

    def test_refusal_that_writes(self) -> None:
        """A refused decision may still mark the group; its caller is refused all the same."""
        refusal = GroupPausedError("no")

        folded = fold(a_group(), None, [refusing(refusal, writes=True)], NOW)

        self.assertEqual((folded.writes, folded.mark, folded.group), (True, True, a_group()))
        self.assertEqual(folded.answers, (refusal,))
        self.assertEqual(len(folded.activities), 1)

    def test_proposal_that_does_not_write(self) -> None:
        """What is not to be written is not seen by the next decision either."""
        folded = fold(
            a_group(5), None, [refusing(GroupPausedError("no"), writes=False), adding(1)], NOW
        )

        self.assertEqual(folded.group.desired, 6)
        self.assertEqual([line.reason for line in folded.activities], ["refused"])

    def test_one_mark_is_enough(self) -> None:
        """The write marks the group if any of the decisions asks for it."""
        for marks in ((True, False), (False, True)):
            folded = fold(a_group(), None, [adding(1, mark=mark) for mark in marks], NOW)

            self.assertTrue(folded.mark)

    def test_after_deletion(self) -> None:
        """A call in line behind the one that deletes the group finds no group any more."""

        def deleting(group: Group, _ledger: Ledger | None, _now: datetime) -> Proposal:
            return Proposal(evolve(group, deleting=True))

        folded = fold(a_group(), None, [deleting, adding(1)], NOW)

        self.assertIsInstance(folded.answers[1], NoSuchScalingGroupError)
        self.assertEqual(folded.group, a_group(deleting=True))

    def test_history_in_order(self) -> None:
        """Lines of the same millisecond read in the order of the decisions."""
        decisions = [adding(1, lines=2) for _ in range(20)]

        folded = fold(a_group(0), None, decisions, NOW)

        by_id = sorted(folded.activities, key=lambda line: line.activity_id)
        self.assertEqual(
            [line.reason for line in by_id], [str(n) for n in range(1, 21) for _ in (0, 1)]
        )

    def test_ledger(self) -> None:
        """A decision on the ledger sees it, and what it writes there is passed on."""
        ledger = Ledger(Convergence(TENANT, GROUP, revision=3))

        def decide(group: Group, seen: Ledger | None, _now: datetime) -> Proposal:
            self.assertIs(seen, ledger)
            return Proposal(group, ledger=LedgerWrite(ledger.convergence))

        folded = fold(a_group(), ledger, [decide], NOW)

        self.assertEqual(folded.ledger, LedgerWrite(ledger.convergence))
