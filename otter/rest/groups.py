"""Rows 1 to 8 of the route table: groups, their state, config, launch config and switches."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from otter.controller.errors import NoSuchPolicyError
from otter.controller.interface import Controller, GroupView
from otter.models.ids import GroupId, PolicyId, TenantId
from otter.models.policy import Policy, Webhook
from otter.rest.answers import Answer, created, json_answer
from otter.rest.calls import GROUP, GROUPS, Call, Route
from otter.rest.formatting import (
    Document,
    Formatter,
    config_document,
    launch_document,
    state_document,
)
from otter.rest.launching import LaunchGate
from otter.rest.links import next_links
from otter.rest.parsing import Parser
from otter.rest.queries import MAX_PAGE, read_page
from otter.timing import utc_now

MAX_PAGES = 100
"""More pages than any limit on policies or webhooks allows; a manifest reads no further."""

T = TypeVar("T")


async def all_pages(
    read: Callable[[str], Awaitable[Sequence[T]]], name: Callable[[T], str]
) -> list[T]:
    """Return what ``read`` gives page by page, each page starting after the last name."""
    items: list[T] = []
    for _ in range(MAX_PAGES):
        page = await read(name(items[-1]) if items else "")
        items.extend(page)
        if len(page) < MAX_PAGE:
            break
    return items


@frozen
class Groups:
    """Answers for groups."""

    controller: Controller
    parser: Parser
    formatter: Formatter
    gate: LaunchGate
    clock: IReactorTime

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", GROUPS, self.list),
            Route("POST", GROUPS, self.create),
            Route("GET", GROUP, self.show),
            Route("DELETE", GROUP, self.delete),
            Route("GET", f"{GROUP}/state", self.show_state),
            Route("GET", f"{GROUP}/config", self.show_config),
            Route("PUT", f"{GROUP}/config", self.set_config),
            Route("GET", f"{GROUP}/launch", self.show_launch),
            Route("PUT", f"{GROUP}/launch", self.set_launch),
            Route("POST", f"{GROUP}/pause", self.pause),
            Route("POST", f"{GROUP}/resume", self.resume),
            Route("POST", f"{GROUP}/converge", self.converge),
        )

    async def list(self, call: Call, tenant: str) -> Answer:
        """Answer with a page of groups and their states."""
        page = read_page(call.query)
        views = await self.controller.list_groups(
            TenantId(tenant), after=page.marker, limit=page.limit
        )
        href = self.formatter.links.groups(TenantId(tenant))
        ids = [view.group.group_id for view in views]
        document = {
            "groups": [self.formatter.group_entry(view) for view in views],
            "groups_links": next_links(href, page.limit, ids),
        }
        return json_answer(200, document)

    async def create(self, call: Call, tenant: str) -> Answer:
        """Create a group; the state shown is the one before anything is built."""
        new = self.parser.group(call.body, now=utc_now(self.clock))
        await self.gate.check(TenantId(tenant), new.launch)
        group, policies = await self.controller.create_group(
            TenantId(tenant), new.config, new.launch, new.policies, actor=call.actor
        )
        before = GroupView(evolve(group, desired=0))
        documents = [self.formatter.policy(policy) for policy in policies]
        location = self.formatter.links.group(group.tenant_id, group.group_id)
        return created({"group": self.formatter.manifest(before, documents)}, location)

    async def show(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with the manifest."""
        view = await self.controller.get_group(TenantId(tenant), GroupId(group))
        documents = await self._policies(view, webhooks=call.query.webhooks)
        return json_answer(200, {"group": self.formatter.manifest(view, documents)})

    async def _policies(self, view: GroupView, *, webhooks: bool) -> Sequence[Document]:
        tenant_id, group_id = view.group.tenant_id, view.group.group_id

        async def read(after: str) -> Sequence[Policy]:
            return await self.controller.list_policies(
                tenant_id, group_id, after=after, limit=MAX_PAGE
            )

        policies = await all_pages(read, lambda policy: policy.policy_id)
        if not webhooks:
            return [self.formatter.policy(policy) for policy in policies]
        documents = []
        for policy in policies:
            try:
                found = await self._webhooks(tenant_id, group_id, policy.policy_id)
            except NoSuchPolicyError:
                continue  # deleted since the list was read
            documents.append(self.formatter.policy_with_webhooks(policy, found))
        return documents

    async def _webhooks(
        self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId
    ) -> Sequence[Webhook]:
        async def read(after: str) -> Sequence[Webhook]:
            return await self.controller.list_webhooks(
                tenant_id, group_id, policy_id, after=after, limit=MAX_PAGE
            )

        return await all_pages(read, lambda webhook: webhook.webhook_id)

    async def delete(self, call: Call, tenant: str, group: str) -> Answer:
        """Delete the group."""
        force = call.query.flag("force", default=False)
        await self.controller.delete_group(
            TenantId(tenant), GroupId(group), force=force, actor=call.actor
        )
        return Answer(204)

    async def show_state(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with the state."""
        view = await self.controller.get_group(TenantId(tenant), GroupId(group))
        return json_answer(200, {"group": state_document(view)})

    async def show_config(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with the config."""
        view = await self.controller.get_group(TenantId(tenant), GroupId(group))
        return json_answer(200, {"groupConfiguration": config_document(view.group.config)})

    async def set_config(self, call: Call, tenant: str, group: str) -> Answer:
        """Replace the config."""
        config = self.parser.config(call.body)
        await self.controller.set_config(TenantId(tenant), GroupId(group), config, actor=call.actor)
        return Answer(204)

    async def show_launch(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with the launch config as sent."""
        view = await self.controller.get_group(TenantId(tenant), GroupId(group))
        return json_answer(200, {"launchConfiguration": launch_document(view.group.launch)})

    async def set_launch(self, call: Call, tenant: str, group: str) -> Answer:
        """Replace the launch config."""
        launch = self.parser.launch(call.body)
        await self.gate.check(TenantId(tenant), launch)
        await self.controller.set_launch(TenantId(tenant), GroupId(group), launch, actor=call.actor)
        return Answer(204)

    async def pause(self, call: Call, tenant: str, group: str) -> Answer:
        """Stop converging."""
        await self.controller.pause(TenantId(tenant), GroupId(group), actor=call.actor)
        return Answer(204)

    async def resume(self, call: Call, tenant: str, group: str) -> Answer:
        """Converge again."""
        await self.controller.resume(TenantId(tenant), GroupId(group), actor=call.actor)
        return Answer(204)

    async def converge(self, call: Call, tenant: str, group: str) -> Answer:
        """Ask for a cycle."""
        await self.controller.converge(TenantId(tenant), GroupId(group), actor=call.actor)
        return Answer(204)
