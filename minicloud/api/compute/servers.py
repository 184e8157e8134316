"""
Answer for servers: create, list, show, rename, delete, tags.
"""

import secrets
from collections.abc import Sequence

from minicloud.api.acting import with_faults
from minicloud.api.authentication import is_admin
from minicloud.api.compute import checks
from minicloud.api.compute.common import Call, Desk, subject_of
from minicloud.api.compute.creation import parse_creation
from minicloud.api.compute.queries import next_link, parse_list
from minicloud.api.compute.views import links, server_brief, server_full
from minicloud.api.errors import ForbiddenError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer
from minicloud.controller.interface import (
    CreateServer,
    DeleteServer,
    Fate,
    ListServers,
    RenameServer,
)
from minicloud.faults import Operation, Subject


class Servers:
    """The routes of ``/servers`` themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        route = self._desk.route
        return (
            route("POST", "/servers", self._create),
            route("GET", "/servers", self._list_brief),
            route("GET", "/servers/detail", self._list_full),
            route("GET", "/servers/<server_id>", self._show),
            route("PUT", "/servers/<server_id>", self._rename),
            route("DELETE", "/servers/<server_id>", self._delete),
            route("GET", "/servers/<server_id>/tags", self._tags),
        )

    async def _create(self, call: Call) -> Answer:
        new = parse_creation(call.document(), call.version)
        subject = subject_of(new.name, new.metadata, call.project_id)

        async def create(fate: Fate | None) -> Answer:
            message = CreateServer(call.project_id, call.token.user_id, new, fate)
            server = await self._desk.ask(message)
            document = {
                "id": server.server_id,
                "links": links(call.root, "servers", server.server_id),
                "OS-DCF:diskConfig": "MANUAL",
                "security_groups": [{"name": name} for name in new.security_groups],
                "adminPass": secrets.token_urlsafe(9),
            }
            location = f"{call.root}/compute/v2.1/servers/{server.server_id}"
            return json_answer({"server": document}, 202).with_headers(("Location", location))

        return await with_faults(self._desk.faults, Operation.CREATE, subject, create)

    async def _list_brief(self, call: Call) -> Answer:
        return await self._list(call, full=False)

    async def _list_full(self, call: Call) -> Answer:
        return await self._list(call, full=True)

    async def _list(self, call: Call, *, full: bool) -> Answer:
        wanted = parse_list(call.query, call.version)
        if wanted.all_projects and not is_admin(call.token):
            raise ForbiddenError("Policy doesn't allow listing all tenants to be performed.")
        faults = self._desk.faults
        message = ListServers(
            None if wanted.all_projects else call.project_id,
            wanted.criteria,
            wanted.marker,
            wanted.limit,
            faults.lag_new,
            faults.lag_deleted,
        )

        async def collect(_: Fate | None) -> Answer:
            page = await self._desk.ask(message)
            document: dict[str, object] = {
                "servers": [
                    server_full(server, call.root, call.version, listed=True)
                    if full
                    else server_brief(server, call.root)
                    for server in page.servers
                ]
            }
            if page.more and page.servers:
                url = f"{call.root}/compute/v2.1/servers{'/detail' if full else ''}"
                last = page.servers[-1].server_id
                document["servers_links"] = next_link(url, call.query, last)
            return json_answer(document)

        subject = Subject(project=call.project_id)
        return await with_faults(faults, Operation.LIST, subject, collect)

    async def _show(self, call: Call, server_id: str) -> Answer:
        async def show(_: Fate | None) -> Answer:
            server = await self._desk.server(call, server_id)
            return json_answer({"server": server_full(server, call.root, call.version)})

        return await self._desk.with_faults(call, Operation.SHOW, server_id, show)

    async def _rename(self, call: Call, server_id: str) -> Answer:
        body = checks.mapping("server", checks.required("body", call.document(), "server"))
        name = checks.text("name", checks.required("server", body, "name")).strip()
        server = await self._desk.ask(RenameServer(call.project_id, server_id, name))
        return json_answer({"server": server_full(server, call.root, call.version)})

    async def _delete(self, call: Call, server_id: str) -> Answer:
        async def delete(_: Fate | None) -> Answer:
            await self._desk.ask(DeleteServer(call.project_id, server_id))
            return Answer(204)

        return await self._desk.with_faults(call, Operation.DELETE, server_id, delete)

    async def _tags(self, call: Call, server_id: str) -> Answer:
        if not call.at_least(26):
            raise NotFoundError
        server = await self._desk.server(call, server_id)
        return json_answer({"tags": list(server.new.tags)})
