"""Many callers of one group, when something goes wrong or somebody hangs up."""

from datetime import datetime

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.controller import combining
from otter.controller.combining import pause_before
from otter.controller.errors import GroupPausedError, NoSuchScalingGroupError
from otter.controller.folding import Proposal
from otter.models.errors import ConflictError, StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import GroupId
from otter.models.memory.store import MemoryStore
from tests.controller.world import (
    GROUP,
    TENANT,
    failing,
    hanging,
)
from tests.controller.writing import TICK, WriterCase, add_one, refuse


class PauseTests(SynchronousTestCase):
    """How long to wait before trying again."""

    @given(st.integers(1, combining.MAX_ATTEMPTS), st.floats(0, 1))
    def test_bounded(self, attempt: int, jitter: float) -> None:
        """Pauses grow, are never nothing, and never pass their bound."""
        pause = pause_before(attempt, jitter)

        self.assertTrue(combining.FIRST_PAUSE / 2 <= pause <= combining.LONGEST_PAUSE)
        self.assertLessEqual(pause, pause_before(attempt + 1, 1))

    def test_jitter(self) -> None:
        """Two processes that collided do not wait equally long."""
        self.assertEqual(pause_before(2, 1), 2 * pause_before(2, 0))


class TroubleTests(WriterCase):
    """What happens when something goes wrong, and to whom."""

    def test_conflict(self) -> None:
        """When another process writes in between, the batch is decided anew on what it wrote."""
        self.store.before_write.append(self.competing(lambda group: evolve(group, desired=40)))
        calls = [self.submit()]
        self.settle(1)

        self.assertEqual([self.successResultOf(call).desired for call in calls], [41])
        self.assertEqual(self.group().desired, 41)

    def test_conflict_of_batch(self) -> None:
        """A conflict of a batch repeats all of it and counts none of it twice."""
        first = self.submit()
        rest = [self.submit() for _ in range(10)]
        self.store.before_write += [self.competing()] * 3
        self.settle(2)

        self.assertEqual(self.successResultOf(first).desired, 1)
        self.assertEqual([self.successResultOf(call).desired for call in rest], [*range(2, 12)])
        self.assertEqual(self.group().desired, 11)

    def test_conflict_turns_into_refusal(self) -> None:
        """What another process wrote may forbid what was decided before it."""

        def unless_paused(group: Group, now: datetime) -> Proposal:
            return refuse(group, now) if group.paused else add_one(group, now)

        self.store.before_write.append(self.competing(lambda group: evolve(group, paused=True)))
        call = self.submit(unless_paused)
        self.settle(1)

        self.failureResultOf(call, GroupPausedError)
        self.assertEqual(self.group().desired, 0)

    def test_endless_conflicts(self) -> None:
        """After so many conflicts in a row the caller is told to come back, not kept for ever."""
        self.store.before_write += [failing(ConflictError())] * combining.MAX_ATTEMPTS
        call = self.submit()
        self.settle(10)

        self.failureResultOf(call, StoreUnavailableError)
        self.assertEqual(self.store.writes, combining.MAX_ATTEMPTS)
        self.assertEqual(self.writer._lines, {})

    def test_competing_processes(self) -> None:
        """Two processes racing on one group lose nothing and count nothing twice."""
        others = self.make_writer()
        calls = []
        for _ in range(60):
            calls.append(self.submit())
            calls.append(Deferred.fromCoroutine(others.submit(TENANT, GROUP, add_one)))
            self.clock.advance(TICK.total_seconds() / 3)
        self.settle(20)

        answers = sorted(self.successResultOf(call).desired for call in calls)
        self.assertEqual(answers, list(range(1, 121)))
        self.assertEqual(self.group().desired, 120)

    def test_read_fails(self) -> None:
        """A store that fails to read fails the batch that needed it, and no later one."""
        self.store.before_read.append(failing(StoreUnavailableError("down")))
        calls = [self.submit(), self.submit(), self.submit()]
        self.settle(1)

        self.failureResultOf(calls[0], StoreUnavailableError)
        self.assertEqual([self.successResultOf(call).desired for call in calls[1:]], [1, 2])

    def test_write_fails(self) -> None:
        """Every caller of a batch learns that its outcome is unknown."""
        calls = [self.submit(), self.submit(), self.submit()]
        self.settle(0.02)
        self.successResultOf(calls[0])
        self.store.before_write.append(failing(StoreUnavailableError("down")))
        self.settle(1)

        for call in calls[1:]:
            self.failureResultOf(call, StoreUnavailableError)
        self.assertEqual(self.group().desired, 1)

    def test_write_that_happened(self) -> None:
        """A write of unknown outcome is not repeated, so it is never applied twice."""
        self.store.after_write.append(failing(StoreUnavailableError("answer lost")))
        calls = [self.submit(), self.submit()]
        self.settle(1)

        self.failureResultOf(calls[0], StoreUnavailableError)
        self.assertEqual(self.successResultOf(calls[1]).desired, 2)

    def test_store_hangs(self) -> None:
        """A store call that never ends is given up, so that the line moves on."""
        self.store.before_write.append(hanging())
        first = self.submit()
        self.settle(0.02)
        self.clock.advance(combining.STORE_TIMEOUT.total_seconds() - 1)
        second = self.submit()
        self.assertNoResult(first)
        self.clock.advance(1)
        self.settle(1)

        self.failureResultOf(first, StoreUnavailableError)
        self.assertEqual(self.successResultOf(second).desired, 1)

    def test_late_caller(self) -> None:
        """Whoever has stood in line too long is told so instead of being decided long after."""
        self.store.before_read.append(hanging())
        first, second = self.submit(), self.submit()
        self.clock.advance(1)
        third = self.submit()
        self.clock.advance(combining.STORE_TIMEOUT.total_seconds() - 0.5)
        self.settle(1)

        self.failureResultOf(first, StoreUnavailableError)
        self.failureResultOf(second, StoreUnavailableError)
        self.assertEqual(self.successResultOf(third).desired, 1)

    def test_everybody_late(self) -> None:
        """A batch of nobody but latecomers asks the store nothing."""
        self.store.before_read.append(hanging())
        calls = [self.submit(), self.submit()]
        self.clock.advance(1)
        self.clock.advance(combining.STORE_TIMEOUT.total_seconds())

        for call in calls:
            self.failureResultOf(call, StoreUnavailableError)
        self.assertEqual((self.store.reads, self.writer._lines), (1, {}))

    def test_line_bounded(self) -> None:
        """Beyond so many waiting callers the next ones are turned away at once."""
        self.patch(combining, "MAX_WAITING", 2)
        calls = [self.submit() for _ in range(3)]

        self.failureResultOf(self.submit(), StoreUnavailableError)
        self.settle(1)
        self.assertEqual([self.successResultOf(call).desired for call in calls], [1, 2, 3])

    def test_broken_decision(self) -> None:
        """A defect in one call fails that call; its neighbours in the batch go through."""
        calls = [
            self.submit(),
            self.submit(),
            self.submit(lambda group, _: Proposal(evolve(group, desired=1 // (group.desired - 2)))),
            self.submit(),
        ]
        self.settle(1)

        self.failureResultOf(calls[2], ZeroDivisionError)
        self.assertEqual(self.successResultOf(calls[3]).desired, 3)

    def test_defect_of_store(self) -> None:
        """Not even an error nobody foresaw stops the line."""
        self.store.before_write.append(failing(KeyError("defect")))
        calls = [self.submit(), self.submit()]
        self.settle(1)

        self.failureResultOf(calls[0], KeyError)
        self.assertEqual(self.successResultOf(calls[1]).desired, 1)

    def test_unknown_group(self) -> None:
        """There is no writing to a group that does not exist."""
        call = Deferred.fromCoroutine(self.writer.submit(TENANT, GroupId("no"), add_one))
        self.settle(1)

        self.failureResultOf(call, NoSuchScalingGroupError)

    def test_deleting_group(self) -> None:
        """A group that is being deleted is gone for every caller."""
        _ = self.submit(lambda group, _: Proposal(evolve(group, deleting=True)))
        call = self.submit()
        self.settle(1)

        self.failureResultOf(call, NoSuchScalingGroupError)

    def test_removed_meanwhile(self) -> None:
        """A group that the supervisor removes between read and write is simply not found."""

        async def remove() -> None:
            group = await MemoryStore.get_group(self.store, TENANT, GROUP)
            deleting = evolve(group, deleting=True)
            await self.store.remove_group(
                await MemoryStore.update_group(self.store, deleting, mark=False)
            )

        self.store.before_write.append(remove)
        call = self.submit()
        self.settle(1)

        self.failureResultOf(call, NoSuchScalingGroupError)


class CancellingTests(WriterCase):
    """Callers that hang up."""

    def test_while_written(self) -> None:
        """A caller that hangs up during its write neither undoes it nor disturbs the others."""
        calls = [self.submit(), self.submit()]
        self.clock.advance(TICK.total_seconds())
        calls[0].cancel()
        self.settle(1)

        self.failureResultOf(calls[0], CancelledError)
        self.assertEqual(self.successResultOf(calls[1]).desired, 2)
        self.assertEqual(self.group().desired, 2)

    def test_in_line(self) -> None:
        """A call that was received counts, even if its caller does not wait for its turn."""
        calls = [self.submit() for _ in range(4)]
        calls[2].cancel()
        self.settle(1)

        self.failureResultOf(calls[2], CancelledError)
        self.assertEqual([self.successResultOf(calls[n]).desired for n in (0, 1, 3)], [1, 2, 4])

    def test_cancelled_and_failed(self) -> None:
        """An error for somebody who is no longer there is no error of ours."""
        self.store.before_write.append(failing(StoreUnavailableError("down")))
        call = self.submit()
        call.cancel()
        self.settle(1)

        self.failureResultOf(call, CancelledError)
        self.assertEqual(self.writer._lines, {})
