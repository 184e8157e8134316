"""Rows 11 to 13 of the route table: policies and their execution."""

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.controller.interface import Controller
from otter.models.ids import GroupId, PolicyId, TenantId
from otter.rest.answers import Answer, created, json_answer
from otter.rest.calls import POLICIES, POLICY, Call, Route
from otter.rest.formatting import Formatter
from otter.rest.links import next_links
from otter.rest.parsing import Parser
from otter.rest.queries import read_page
from otter.timing import utc_now


@frozen
class Policies:
    """Answers for policies."""

    controller: Controller
    parser: Parser
    formatter: Formatter
    clock: IReactorTime

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", POLICIES, self.list),
            Route("POST", POLICIES, self.create),
            Route("GET", POLICY, self.show),
            Route("PUT", POLICY, self.replace),
            Route("DELETE", POLICY, self.delete),
            Route("POST", f"{POLICY}/execute", self.execute),
        )

    async def list(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with a page of policies."""
        page = read_page(call.query)
        policies = await self.controller.list_policies(
            TenantId(tenant), GroupId(group), after=page.marker, limit=page.limit
        )
        href = self.formatter.links.policies(TenantId(tenant), GroupId(group))
        ids = [policy.policy_id for policy in policies]
        document = {
            "policies": [self.formatter.policy(policy) for policy in policies],
            "policies_links": next_links(href, page.limit, ids),
        }
        return json_answer(200, document)

    async def create(self, call: Call, tenant: str, group: str) -> Answer:
        """Add policies, all or none."""
        new = self.parser.policies(call.body, now=utc_now(self.clock))
        policies = await self.controller.create_policies(
            TenantId(tenant), GroupId(group), new, actor=call.actor
        )
        document = {"policies": [self.formatter.policy(policy) for policy in policies]}
        return created(document, self.formatter.links.policies(TenantId(tenant), GroupId(group)))

    async def show(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Answer with one policy."""
        found = await self.controller.get_policy(TenantId(tenant), GroupId(group), PolicyId(policy))
        return json_answer(200, {"policy": self.formatter.policy(found)})

    async def replace(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Replace a policy."""
        new = self.parser.policy(call.body, now=utc_now(self.clock))
        await self.controller.set_policy(
            TenantId(tenant), GroupId(group), PolicyId(policy), new, actor=call.actor
        )
        return Answer(204)

    async def delete(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Delete a policy with its webhooks."""
        await self.controller.delete_policy(
            TenantId(tenant), GroupId(group), PolicyId(policy), actor=call.actor
        )
        return Answer(204)

    async def execute(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Execute a policy; the decision is durable when the answer leaves."""
        await self.controller.execute_policy(
            TenantId(tenant), GroupId(group), PolicyId(policy), actor=call.actor
        )
        return json_answer(202, {})
