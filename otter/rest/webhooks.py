"""Rows 14 and 15 of the route table: webhooks. Everything here reveals capability URLs."""

from attrs import frozen

from otter.controller.interface import Controller
from otter.models.ids import GroupId, PolicyId, TenantId, WebhookId
from otter.rest.answers import Answer, created, json_answer
from otter.rest.calls import WEBHOOK, WEBHOOKS, Call, Route
from otter.rest.formatting import Formatter
from otter.rest.links import next_links
from otter.rest.parsing import Parser
from otter.rest.queries import read_page


@frozen
class Webhooks:
    """Answers for webhooks."""

    controller: Controller
    parser: Parser
    formatter: Formatter

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", WEBHOOKS, self.list),
            Route("POST", WEBHOOKS, self.create),
            Route("GET", WEBHOOK, self.show),
            Route("PUT", WEBHOOK, self.replace),
            Route("DELETE", WEBHOOK, self.delete),
        )

    async def list(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Answer with a page of webhooks."""
        page = read_page(call.query)
        ids = TenantId(tenant), GroupId(group), PolicyId(policy)
        webhooks = await self.controller.list_webhooks(*ids, after=page.marker, limit=page.limit)
        names = [webhook.webhook_id for webhook in webhooks]
        document = {
            "webhooks": [self.formatter.webhook(webhook) for webhook in webhooks],
            "webhooks_links": next_links(self.formatter.links.webhooks(*ids), page.limit, names),
        }
        return json_answer(200, document)

    async def create(self, call: Call, tenant: str, group: str, policy: str) -> Answer:
        """Add webhooks, all or none."""
        new = self.parser.webhooks(call.body)
        ids = TenantId(tenant), GroupId(group), PolicyId(policy)
        webhooks = await self.controller.create_webhooks(*ids, new, actor=call.actor)
        document = {"webhooks": [self.formatter.webhook(webhook) for webhook in webhooks]}
        return created(document, self.formatter.links.webhooks(*ids))

    async def show(self, call: Call, tenant: str, group: str, policy: str, webhook: str) -> Answer:
        """Answer with one webhook."""
        found = await self.controller.get_webhook(
            TenantId(tenant), GroupId(group), PolicyId(policy), WebhookId(webhook)
        )
        return json_answer(200, {"webhook": self.formatter.webhook(found)})

    async def replace(
        self, call: Call, tenant: str, group: str, policy: str, webhook: str
    ) -> Answer:
        """Replace a webhook's name and metadata."""
        new = self.parser.webhook(call.body)
        ids = TenantId(tenant), GroupId(group), PolicyId(policy), WebhookId(webhook)
        await self.controller.set_webhook(*ids, new, actor=call.actor)
        return Answer(204)

    async def delete(
        self, call: Call, tenant: str, group: str, policy: str, webhook: str
    ) -> Answer:
        """Delete a webhook."""
        ids = TenantId(tenant), GroupId(group), PolicyId(policy), WebhookId(webhook)
        await self.controller.delete_webhook(*ids, actor=call.actor)
        return Answer(204)
