"""
Apply calls to groups: many callers of one group, one conditional write.

Note [Flat combining]
    The first call on a group reads it, decides and writes. Calls that arrive while that is under
    way wait in line; then all of them (up to ``MAX_BATCH``) are decided in order on one read and
    stored by one write, and each gets its own answer. A burst of webhooks thus costs a few writes
    instead of one per hit, and calls of one process never conflict with each other. Another
    process, or the supervisor, may still write in between: then the write conflicts, nothing
    happened, and the whole batch is decided anew on what is stored now. No lock is held, and
    nothing is kept of a group that no call waits for.

Note [Callers that hang up]
    A call in line has been received, so it is decided and stored even if its caller is cancelled
    meanwhile; only its answer is dropped.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, TypeVar

from attrs import define, evolve, frozen
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from otter.controller.folding import Answer, Decide, DecideOnLedger, Decision, Folded, fold
from otter.controller.notifying import Notifier
from otter.controller.wording import name_group, no_such_group
from otter.models.errors import ConflictError, NoSuchGroupError, StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import GroupId, TenantId
from otter.models.interface import Store
from otter.models.ledger import Ledger
from otter.timing import utc_now

MAX_BATCH = 100
MAX_WAITING = 10_000
"""Callers in line of one group."""

MAX_WAIT = timedelta(seconds=30)
"""A caller still in line after this is told that the store is not available."""

STORE_TIMEOUT = timedelta(seconds=30)
"""One call of the store; its outcome is unknown after that, and the next write finds out."""

MAX_ATTEMPTS = 20
FIRST_PAUSE = timedelta(milliseconds=5)
LONGEST_PAUSE = timedelta(milliseconds=250)

_T = TypeVar("_T")
_Key = tuple[TenantId, GroupId]


def pause_before(attempt: int, jitter: float) -> timedelta:
    """Return how long to wait before attempt 1, 2, …; ``jitter`` from 0 to 1 halves it at most."""
    longest: timedelta = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << (attempt - 1)))
    return longest * (0.5 + jitter / 2)


@frozen(eq=False)
class _Waiter:
    decide: Decision
    on_ledger: bool
    since: datetime
    answer: Deferred[Group]

    def give(self, answer: Answer) -> None:
        """Hand over the answer; nobody is there any more if the caller was cancelled."""
        if isinstance(answer, Group):
            self.answer.callback(answer)
        else:
            self.answer.errback(answer)


@define(eq=False)
class _Line:
    """Callers of one group that wait for the write under way."""

    waiting: deque[_Waiter]

    def take(self) -> list[_Waiter]:
        """
        Remove and return the next batch.

        A decision on the ledger is a batch of its own: both halves of the group are then read and
        written together, which the others need not pay for.
        """
        batch = [self.waiting.popleft()]
        while (
            self.waiting
            and len(batch) < MAX_BATCH
            and not batch[0].on_ledger
            and not self.waiting[0].on_ledger
        ):
            batch.append(self.waiting.popleft())
        return batch


class GroupWriter:
    """
    Changes groups, each call exactly once or not at all.

    :param store: keeps the groups.
    :param clock: tells the time and paces retries.
    :param notifier: is told of every group that a write has marked.
    :param jitter: gives numbers from 0 to 1, random ones unless given, so that competing processes
        do not keep step.
    """

    log = Logger()

    def __init__(
        self,
        store: Store,
        clock: IReactorTime,
        notifier: Notifier,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._notifier = notifier
        self._jitter = jitter or SystemRandom().random
        self._lines: dict[_Key, _Line] = {}

    async def submit(self, tenant_id: TenantId, group_id: GroupId, decide: Decide) -> Group:
        """
        Return the group as ``decide`` left it, once that is durable.

        :raises RefusedError: what the decision raised or proposed as its refusal.
        :raises NoSuchScalingGroupError: unknown, deleted or deleting group.
        :raises StoreUnavailableError: the outcome is unknown, or too many wait or compete.
        """
        return await self._stand_in_line(
            (tenant_id, group_id), lambda group, _, now: decide(group, now), on_ledger=False
        )

    async def submit_on_ledger(
        self, tenant_id: TenantId, group_id: GroupId, decide: DecideOnLedger
    ) -> Group:
        """Like ``submit``, for a decision that needs, and may write, the group's ledger."""

        def decision(group: Group, ledger: Ledger | None, now: datetime) -> Any:
            assert ledger is not None, "batches on the ledger read it"  # noqa: S101 - own invariant
            return decide(group, ledger, now)

        return await self._stand_in_line((tenant_id, group_id), decision, on_ledger=True)

    def _stand_in_line(self, key: _Key, decide: Decision, *, on_ledger: bool) -> Deferred[Group]:
        waiter = _Waiter(decide, on_ledger, self._now(), Deferred())
        line = self._lines.get(key)
        if line is not None:
            if len(line.waiting) >= MAX_WAITING:
                return defer.fail(StoreUnavailableError(f"too many wait for {name_group(*key)}"))
            line.waiting.append(waiter)
            return waiter.answer
        line = self._lines[key] = _Line(deque([waiter]))
        _ = Deferred.fromCoroutine(self._serve(key, line))
        return waiter.answer

    async def _serve(self, key: _Key, line: _Line) -> None:
        """Answer everybody in line, batch by batch, then forget the line."""
        while line.waiting:
            batch = line.take()
            fresh = [waiter for waiter in batch if self._now() - waiter.since <= MAX_WAIT]
            answers = dict(zip(fresh, await self._settle(key, fresh), strict=True))
            late = StoreUnavailableError(f"waited too long for {name_group(*key)}")
            for waiter in batch:
                waiter.give(answers.get(waiter, late))
        del self._lines[key]

    async def _settle(self, key: _Key, batch: Sequence[_Waiter]) -> Sequence[Answer]:
        """Return an answer for each of the batch, whatever happens."""
        if not batch:
            return ()
        try:
            return await self._persist(key, batch)
        except NoSuchGroupError:
            return [no_such_group(*key)] * len(batch)
        except Exception as error:  # noqa: BLE001 - the line goes on; each caller gets the error
            return [error] * len(batch)

    async def _persist(self, key: _Key, batch: Sequence[_Waiter]) -> Sequence[Answer]:
        """Attempt the batch until nobody else writes in between."""
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                pause = pause_before(attempt, self._jitter())
                await deferLater(self._clock, pause.total_seconds())
            try:
                return await self._attempt(key, batch)
            except ConflictError:
                self.log.debug(
                    "write.conflicted {tenant_id} {group_id} {attempt}",
                    tenant_id=key[0],
                    group_id=key[1],
                    attempt=attempt,
                )
        raise StoreUnavailableError(f"others keep changing {name_group(*key)}")

    async def _attempt(self, key: _Key, batch: Sequence[_Waiter]) -> Sequence[Answer]:
        """Read, decide and write once."""
        group = await self._within_time(self._store.get_group(*key))
        ledger = None
        if batch[0].on_ledger:
            ledger = await self._within_time(self._store.read_ledger(*key))
        folded = fold(group, ledger, [waiter.decide for waiter in batch], self._now())
        if not folded.writes:
            if folded.activities:
                await self._within_time(self._store.add_activities(folded.activities))
            return folded.answers
        return await self._write(key, folded)

    async def _write(self, key: _Key, folded: Folded) -> Sequence[Answer]:
        stored = await self._within_time(
            self._store.update_group(
                folded.group,
                mark=folded.mark,
                ledger=folded.ledger,
                activities=folded.activities,
            )
        )
        if folded.mark:
            self._notifier.tell(*key)
        return [
            evolve(answer, generation=stored.generation) if isinstance(answer, Group) else answer
            for answer in folded.answers
        ]

    async def _within_time(self, work: Coroutine[Any, Any, _T]) -> _T:
        """
        Return what the store returns.

        :raises StoreUnavailableError: it takes too long.
        """
        working = Deferred.fromCoroutine(work)
        try:
            return await working.addTimeout(STORE_TIMEOUT.total_seconds(), self._clock)
        except defer.TimeoutError:
            raise StoreUnavailableError("the store did not answer in time") from None

    def _now(self) -> datetime:
        return utc_now(self._clock)
