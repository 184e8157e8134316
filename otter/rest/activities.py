"""Our own additions: a group's history, and the secret that signs what its owner is told."""

from attrs import frozen

from otter.controller.interface import Controller
from otter.models.ids import GroupId, TenantId
from otter.rest.answers import Answer, json_answer
from otter.rest.calls import GROUP, Call, Route
from otter.rest.formatting import activity_document
from otter.rest.links import Links, next_links
from otter.rest.queries import read_page


@frozen
class Activities:
    """Answers for what happened to a group."""

    controller: Controller
    links: Links

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", f"{GROUP}/activities", self.list),
            Route("GET", f"{GROUP}/notify-secret", self.show_secret),
        )

    async def list(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with a page of the history, newest first; the marker is the last one seen."""
        page = read_page(call.query)
        activities = await self.controller.list_activities(
            TenantId(tenant), GroupId(group), before=page.marker, limit=page.limit
        )
        href = self.links.activities(TenantId(tenant), GroupId(group))
        ids = [activity.activity_id for activity in activities]
        document = {
            "activities": [activity_document(activity) for activity in activities],
            "activities_links": next_links(href, page.limit, ids),
        }
        return json_answer(200, document)

    async def show_secret(self, call: Call, tenant: str, group: str) -> Answer:
        """Answer with the signing key; only those with every right get here."""
        secret = await self.controller.notify_secret(TenantId(tenant), GroupId(group))
        return json_answer(200, {"notifySecret": secret})
