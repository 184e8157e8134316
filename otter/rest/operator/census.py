"""
Count everything there is, page by page and with pauses: counting is never a reason to be slow.

Nobody who asks waits for it; they are told the last census.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime

from otter.metrics import Census
from otter.models.ids import GroupId, TenantId
from otter.models.interface import Store
from otter.models.policy import Policy, Webhook
from otter.timing import Periodic, sleep

PAGE = 100
READS_AT_ONCE = 50
BREATH = timedelta(milliseconds=250)
"""The pause after so many reads: a census takes a fraction of the store's time, however long."""

T = TypeVar("T")


class CensusTaker(Periodic):
    """
    Counts groups, policies and webhooks of all tenants, ``every`` so often.

    :ivar last: the last complete census; None before the first.
    """

    last: Census | None = None

    def __init__(self, store: Store, clock: IReactorTime, every: timedelta) -> None:
        super().__init__("census", clock, every, self._count)
        self._store = store
        self._time = clock
        self._reads = 0

    async def _count(self) -> timedelta | None:
        groups = policies = webhooks = 0
        async for tenant_id in self._tenants():
            async for group_id in self._group_ids(tenant_id):
                groups += 1
                async for policy in self._policies(tenant_id, group_id):
                    policies += 1
                    async for _ in self._webhooks(policy):
                        webhooks += 1
        self.last = Census(groups, policies, webhooks, int(self._time.seconds()))
        return None

    def _tenants(self) -> AsyncIterator[TenantId]:
        return self._each(lambda after: self._store.list_tenants(after=after, limit=PAGE), str)

    def _group_ids(self, tenant_id: TenantId) -> AsyncIterator[GroupId]:
        return self._each(
            lambda after: self._store.list_group_ids(tenant_id, after=after, limit=PAGE), str
        )

    def _policies(self, tenant_id: TenantId, group_id: GroupId) -> AsyncIterator[Policy]:
        return self._each(
            lambda after: self._store.list_policies(tenant_id, group_id, after=after, limit=PAGE),
            lambda policy: policy.policy_id,
        )

    def _webhooks(self, policy: Policy) -> AsyncIterator[Webhook]:
        ids = policy.tenant_id, policy.group_id, policy.policy_id
        return self._each(
            lambda after: self._store.list_webhooks(*ids, after=after, limit=PAGE),
            lambda webhook: webhook.webhook_id,
        )

    async def _each(
        self, read: Callable[[str], Awaitable[Sequence[T]]], name: Callable[[T], str]
    ) -> AsyncIterator[T]:
        """Give the items of all pages, pausing now and then."""
        after = ""
        while True:
            self._reads += 1
            if self._reads % READS_AT_ONCE == 0:
                await sleep(self._time, BREATH)
            page = await read(after)
            for item in page:
                yield item
            if len(page) < PAGE:
                return
            after = name(page[-1])
