"""Many callers of one group."""

from datetime import datetime

from attrs import evolve
from twisted.internet.defer import Deferred

from otter.bus.interface import Notice
from otter.controller import combining
from otter.controller.errors import GroupPausedError
from otter.controller.folding import Proposal
from otter.models.group import Group
from otter.models.ids import GroupId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Ledger
from tests.controller.world import (
    GROUP,
    NOW,
    TENANT,
    a_group,
    an_entry,
    hanging,
)
from tests.controller.writing import TICK, WriterCase, add_one, refuse


class CombiningTests(WriterCase):
    """Waiting calls share one read and one write."""

    def test_burst(self) -> None:
        """Calls that come while a write is under way are stored by the next one, all together."""
        calls = [self.submit() for _ in range(51)]
        self.settle(1)

        answers = [self.successResultOf(call).desired for call in calls]
        self.assertEqual(answers, list(range(1, 52)))
        self.assertEqual(self.group().desired, 51)
        self.assertEqual((self.store.reads, self.store.writes), (2, 2))

    def test_answer_is_as_stored(self) -> None:
        """The answer carries the generation of the write that made it durable."""
        call = self.submit()
        self.settle(1)

        self.assertEqual(self.successResultOf(call), self.group())

    def test_batch_bounded(self) -> None:
        """A batch has a greatest size, so that no read, fold or write grows without bound."""
        calls = [self.submit() for _ in range(1 + combining.MAX_BATCH + 1)]
        self.settle(1)

        self.assertEqual(self.successResultOf(calls[-1]).desired, combining.MAX_BATCH + 2)
        self.assertEqual(self.store.writes, 3)

    def test_not_answered_before_written(self) -> None:
        """Nobody is told before it is durable."""
        call = self.submit()
        self.clock.advance(TICK.total_seconds())

        self.assertEqual(self.group().desired, 0)
        self.assertNoResult(call)
        self.settle(1)
        self.assertEqual(self.successResultOf(call).desired, 1)

    def test_one_notice_per_write(self) -> None:
        """The supervisor is hinted at once per marking write, not once per caller."""
        for _ in range(51):
            _ = self.submit()
        self.settle(1)

        self.assertEqual(self.bus.notices, [Notice(TENANT, GROUP)] * 2)
        self.assertEqual(self.marks(), [self.group().generation])

    def test_unmarked(self) -> None:
        """A write that marks nothing tells nobody."""
        _ = self.submit(lambda group, _: Proposal(evolve(group, paused=True)))
        self.settle(1)

        self.assertEqual((self.bus.notices, self.marks()), ([], []))
        self.assertTrue(self.group().paused)

    def test_nothing_to_write(self) -> None:
        """A batch of refusals reads and does not write."""
        calls = [self.submit(refuse) for _ in range(3)]
        self.settle(1)

        for call in calls:
            self.failureResultOf(call, GroupPausedError)
        self.assertEqual((self.store.writes, self.store.appends), (0, 0))

    def test_groups_apart(self) -> None:
        """A group whose write hangs holds up no other group."""
        other = GroupId("other")
        self.ended(self.store.create_group(evolve(a_group(), group_id=other), (), max_groups=9))
        self.store.before_read.append(hanging())
        stuck = self.submit()
        free = Deferred.fromCoroutine(self.writer.submit(TENANT, other, add_one))
        self.settle(1)

        self.assertNoResult(stuck)
        self.assertEqual(self.successResultOf(free).desired, 6)

    def test_nothing_kept(self) -> None:
        """An idle group costs nothing, whatever its calls came to."""
        calls = [self.submit(), self.submit(refuse)]
        self.settle(1)

        self.successResultOf(calls[0])
        self.failureResultOf(calls[1], GroupPausedError)
        self.assertEqual(self.writer._lines, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_submitting_from_an_answer(self) -> None:
        """A caller that goes on to the next call when answered is served like any other."""

        async def twice() -> Group:
            await self.writer.submit(TENANT, GROUP, add_one)
            return await self.writer.submit(TENANT, GROUP, add_one)

        call = Deferred.fromCoroutine(twice())
        self.settle(1)

        self.assertEqual(self.successResultOf(call).desired, 2)

    def test_ledger_in_turn(self) -> None:
        """A decision on the ledger keeps its place in line, in a batch of its own."""
        self.put_entries(an_entry())
        seen = []

        def decide(group: Group, ledger: Ledger, _now: datetime) -> Proposal:
            seen.append((group.desired, set(ledger.entries)))
            entry = evolve(ledger.entries[an_entry().instance_id], reason="looked at")
            return Proposal(group, ledger=LedgerWrite(ledger.convergence, (entry,)))

        _ = [self.submit() for _ in range(3)]
        _ = Deferred.fromCoroutine(self.writer.submit_on_ledger(TENANT, GROUP, decide))
        _ = [self.submit() for _ in range(3)]
        self.settle(1)

        self.assertEqual(seen, [(3, {an_entry().instance_id})])
        self.assertEqual(self.group().desired, 6)
        self.assertEqual([entry.reason for entry in self.ledger().entries.values()], ["looked at"])
        self.assertEqual(self.store.writes, 4)


class TimeTests(WriterCase):
    """What time it is when a decision is taken."""

    def test_time_of_fold(self) -> None:
        """A decision is taken at the time it is folded, the same for the whole batch."""
        seen = []

        def look(group: Group, now: datetime) -> Proposal:
            seen.append(now)
            return Proposal(group)

        for _ in range(3):
            _ = self.submit(look)
        self.settle(1)

        self.assertEqual(seen, [NOW + TICK, NOW + 3 * TICK, NOW + 3 * TICK])
