"""
Answer for what can be done with a server: reboot, start, stop, rebuild, read its console.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minicloud.api.compute import checks
from minicloud.api.compute.common import Call, Desk
from minicloud.api.compute.views import server_full
from minicloud.api.errors import BadRequestError, ConflictError
from minicloud.api.http import Answer, Route, json_answer
from minicloud.controller.interface import Action, ActOnServer, Fate
from minicloud.faults import Operation
from minicloud.node.interface import GetConsole, UnknownInstanceError, node_component

_REBOOTS: Mapping[str, Action] = {"SOFT": Action.REBOOT_SOFT, "HARD": Action.REBOOT_HARD}


class Actions:
    """The route of ``/servers/ID/action``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (self._desk.route("POST", "/servers/<server_id>/action", self._act),)

    async def _act(self, call: Call, server_id: str) -> Answer:
        document = call.document()
        if len(document) != 1:
            raise BadRequestError("A request names exactly one action.")
        name, arguments = next(iter(document.items()))
        if name == "os-getConsoleOutput":
            return await self._console(call, server_id, arguments)
        message = _action(call, server_id, name, arguments)

        async def act(_: Fate | None) -> Answer:
            server = await self._desk.ask(message)
            if message.action is not Action.REBUILD:
                return Answer(202)
            shown = server_full(server, call.root, call.version)
            return json_answer({"server": shown}, 202)

        return await self._desk.with_faults(call, Operation.ACTION, server_id, act)

    async def _console(self, call: Call, server_id: str, arguments: object) -> Answer:
        server = await self._desk.server(call, server_id)
        wanted = arguments.get("length") if isinstance(arguments, dict) else None
        if not server.host:
            raise ConflictError(f"Instance {server_id} is not ready")
        try:
            message = GetConsole(server_id)
            output = await self._desk.bus.call(node_component(server.host), message)
        except UnknownInstanceError:
            raise ConflictError(f"Instance {server_id} is not ready") from None
        lines = output.splitlines(keepends=True)
        if isinstance(wanted, int) and wanted >= 0:
            lines = lines[len(lines) - min(wanted, len(lines)) :]
        return json_answer({"output": "".join(lines)})


def _action(call: Call, server_id: str, name: str, arguments: object) -> ActOnServer:
    if name in {"os-start", "os-stop"}:
        action = Action.START if name == "os-start" else Action.STOP
        return ActOnServer(call.project_id, server_id, action)
    if name == "reboot":
        kind = checks.required(name, checks.mapping(name, arguments), "type")
        if kind not in _REBOOTS:
            raise checks.invalid("type", kind, "it is not one of ['HARD', 'SOFT']")
        return ActOnServer(call.project_id, server_id, _REBOOTS[kind])
    if name == "rebuild":
        image: Any = checks.required(name, checks.mapping(name, arguments), "imageRef")
        image_id = checks.text("imageRef", image, most=1024).rpartition("/")[2]
        return ActOnServer(call.project_id, server_id, Action.REBUILD, image_id)
    raise BadRequestError(f"There is no such action: {name[:40]}")
