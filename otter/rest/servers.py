"""Rows 9 and 10 of the route table: taking a server out of a group; reading was never offered."""

from attrs import frozen

from otter.controller.interface import Controller
from otter.models.ids import GroupId, ServerId, TenantId
from otter.rest.answers import Answer
from otter.rest.calls import GROUP, Call, Route
from otter.rest.errors import NotOfferedError
from otter.rest.queries import read_page


@frozen
class Servers:
    """Answers for servers of a group."""

    controller: Controller

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (
            Route("GET", f"{GROUP}/servers", self.list),
            Route("GET", f"{GROUP}/servers/<server>", self.show),
            Route("DELETE", f"{GROUP}/servers/<server>", self.remove),
        )

    async def list(self, call: Call, tenant: str, group: str) -> Answer:
        """
        Refuse.

        :raises InvalidQueryArgumentError: a bad ``limit`` is told first.
        :raises NotOfferedError: always otherwise.
        """
        read_page(call.query)
        raise NotOfferedError

    async def show(self, call: Call, tenant: str, group: str, server: str) -> Answer:
        """
        Refuse.

        :raises NotOfferedError: always.
        """
        raise NotOfferedError

    async def remove(self, call: Call, tenant: str, group: str, server: str) -> Answer:
        """Delete or evict a server."""
        replace = call.query.flag("replace", default=True)
        purge = call.query.flag("purge", default=True)
        await self.controller.remove_server(
            TenantId(tenant),
            GroupId(group),
            ServerId(server),
            replace=replace,
            purge=purge,
            actor=call.actor,
        )
        return Answer(202)
