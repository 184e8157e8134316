"""
Suspend tenants: a flag on each of their groups, set from outside (rest-api.md 3.17).

The flag belongs to groups, not to the tenant: a group made afterwards does not bear it. Asking
again is harmless, and is what to do after an answer that was not 200.
"""

from collections.abc import AsyncIterator, Sequence
from typing import cast

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from otter.controller.errors import NoSuchScalingGroupError
from otter.controller.interface import Controller, GroupView
from otter.models.ids import GroupId, TenantId
from otter.rest.answers import Answer, json_answer
from otter.rest.calls import Call, Route

ALL = "/tenants/<tenant>/suspension"
ONE = "/tenants/<tenant>/groups/<group>/suspension"
PAGE = 25
"""Groups that are flagged at once."""


@frozen
class Suspension:
    """Flags groups, takes flags away, and tells who has one."""

    controller: Controller

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", ALL, self.show_all),
            Route("PUT", ALL, self.suspend_all),
            Route("DELETE", ALL, self.restore_all),
            Route("GET", ONE, self.show),
            Route("PUT", ONE, self.suspend),
            Route("DELETE", ONE, self.restore),
        )

    async def show_all(self, call: Call, tenant: str) -> Answer:
        """Answer with how many groups the tenant has, and how many are suspended."""
        groups = suspended = 0
        async for page in self._pages(TenantId(tenant)):
            groups += len(page)
            suspended += sum(view.group.suspended for view in page)
        return json_answer(200, {"tenant": tenant, "groups": groups, "suspended": suspended})

    async def suspend_all(self, call: Call, tenant: str) -> Answer:
        """Flag every group of the tenant."""
        return await self._set_all(call, TenantId(tenant), suspended=True)

    async def restore_all(self, call: Call, tenant: str) -> Answer:
        """Take the flag from every group of the tenant."""
        return await self._set_all(call, TenantId(tenant), suspended=False)

    async def show(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with whether the group is suspended."""
        view = await self.controller.get_group(TenantId(tenant), GroupId(group))
        document = {"tenant": tenant, "group": group, "suspended": view.group.suspended}
        return json_answer(200, document)

    async def suspend(self, call: Call, tenant: str, group: str) -> Answer:
        """Flag one group."""
        return await self._set_one(call, TenantId(tenant), GroupId(group), suspended=True)

    async def restore(self, call: Call, tenant: str, group: str) -> Answer:
        """Take the flag from one group."""
        return await self._set_one(call, TenantId(tenant), GroupId(group), suspended=False)

    async def _set_one(
        self, call: Call, tenant_id: TenantId, group_id: GroupId, *, suspended: bool
    ) -> Answer:
        changed = await self.controller.set_suspended(
            tenant_id, group_id, suspended=suspended, actor=call.actor
        )
        document = {
            "tenant": tenant_id,
            "group": group_id,
            "suspended": suspended,
            "changed": changed,
        }
        return json_answer(200, document)

    async def _set_all(self, call: Call, tenant_id: TenantId, *, suspended: bool) -> Answer:
        """Answer with how many groups there are, and how many of them this call changed."""
        groups = changed = 0
        async for page in self._pages(tenant_id):
            groups += len(page)
            wrong = [view for view in page if view.group.suspended != suspended]
            changed += await self._set_each(wrong, suspended=suspended, actor=call.actor)
        document = {
            "tenant": tenant_id,
            "groups": groups,
            "suspended": groups if suspended else 0,
            "changed": changed,
        }
        return json_answer(200, document)

    async def _set_each(self, views: Sequence[GroupView], *, suspended: bool, actor: str) -> int:
        """Return how many were changed, once all have been tried."""
        work = [
            Deferred.fromCoroutine(self._set(view, suspended=suspended, actor=actor))
            for view in views
        ]
        outcomes = await DeferredList(work, consumeErrors=True)
        for done, outcome in outcomes:
            if not done:
                cast("Failure", outcome).raiseException()
        return sum(changed is True for _, changed in outcomes)

    async def _set(self, view: GroupView, *, suspended: bool, actor: str) -> bool:
        group = view.group
        try:
            return await self.controller.set_suspended(
                group.tenant_id, group.group_id, suspended=suspended, actor=actor
            )
        except NoSuchScalingGroupError:
            return False  # deleted since the page was read

    async def _pages(self, tenant_id: TenantId) -> AsyncIterator[Sequence[GroupView]]:
        after = ""
        while True:
            page = await self.controller.list_groups(tenant_id, after=after, limit=PAGE)
            yield page
            if len(page) < PAGE:
                return
            after = page[-1].group.group_id
