"""
Answer for the metadata of servers.
"""

from collections.abc import Mapping, Sequence

from minicloud.api.compute import checks
from minicloud.api.compute.common import Call, Desk
from minicloud.api.errors import BadRequestError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer
from minicloud.controller.interface import ChangeMetadata, Fate, RemoveMetadata
from minicloud.faults import Operation


class Metadata:
    """The routes of ``/servers/ID/metadata``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        route = self._desk.route
        whole, item = "/servers/<server_id>/metadata", "/servers/<server_id>/metadata/<key>"
        return (
            route("GET", whole, self._show_all),
            route("POST", whole, self._merge),
            route("PUT", whole, self._replace),
            route("GET", item, self._show),
            route("PUT", item, self._put),
            route("DELETE", item, self._remove),
        )

    async def _show_all(self, call: Call, server_id: str) -> Answer:
        server = await self._desk.server(call, server_id)
        return json_answer({"metadata": dict(server.metadata)})

    async def _merge(self, call: Call, server_id: str) -> Answer:
        return await self._change(call, server_id, _whole(call), replace=False)

    async def _replace(self, call: Call, server_id: str) -> Answer:
        return await self._change(call, server_id, _whole(call), replace=True)

    async def _change(
        self, call: Call, server_id: str, items: Mapping[str, str], *, replace: bool
    ) -> Answer:
        async def change(_: Fate | None) -> Answer:
            message = ChangeMetadata(call.project_id, server_id, items, replace)
            server = await self._desk.ask(message)
            return json_answer({"metadata": dict(server.metadata)})

        return await self._desk.with_faults(call, Operation.UPDATE, server_id, change)

    async def _show(self, call: Call, server_id: str, key: str) -> Answer:
        server = await self._desk.server(call, server_id)
        if key not in server.metadata:
            raise NotFoundError("Metadata item was not found")
        return json_answer({"meta": {key: server.metadata[key]}})

    async def _put(self, call: Call, server_id: str, key: str) -> Answer:
        items = checks.metadata("meta", checks.required("body", call.document(), "meta"))
        if list(items) != [key]:
            raise BadRequestError("Request body and URI mismatch")
        await self._change(call, server_id, items, replace=False)
        return json_answer({"meta": dict(items)})

    async def _remove(self, call: Call, server_id: str, key: str) -> Answer:
        async def remove(_: Fate | None) -> Answer:
            await self._desk.ask(RemoveMetadata(call.project_id, server_id, key))
            return Answer(204)

        return await self._desk.with_faults(call, Operation.UPDATE, server_id, remove)


def _whole(call: Call) -> Mapping[str, str]:
    return checks.metadata("metadata", checks.required("body", call.document(), "metadata"))
