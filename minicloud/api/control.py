"""
Command the cloud over HTTP, as JSON, without a token: it listens on loopback only.

Durations are in seconds. Errors are ``{"error": {"status", "message"}}``.

======================================  ==========================================================
``GET /control``                        these calls, the faults, the settings, the time
``GET|POST /control/faults``            list; command one (below), answered with its ``id``
``DELETE /control/faults``              take all back
``DELETE /control/faults/ID``           take one back
``GET|PATCH /control/settings``         ``delay`` (object: ``identity``, ``compute``,
                                        ``load-balancer``), ``lag_new``, ``lag_deleted``,
                                        ``boot_time``, ``delete_time``, ``token_lifetime``,
                                        ``balancer_update_time``, ``balancer_node_limit``
``PUT /control/quotas/PROJECT``         ``{"instances": N}``, -1 for no limit
``GET|POST /control/projects``          list; add ``{"name", "id"?}``
``POST /control/users``                 add ``{"name", "password", "roles": {PROJECT: [ROLE]},
                                        "service_roles": [ROLE]}``; the latter hold everywhere
``DELETE /control/tokens``              make every token worthless
``GET /control/servers``                all servers of all projects, with metadata
``GET /control/servers/ID``             one, with its instance (power, pid)
``PATCH /control/servers/ID``           ``{"status", "message"?}``: make it look so
``DELETE /control/servers/ID``          delete it behind its owner's back
``GET /control/loadbalancers``          all load balancers of all projects
``PATCH /control/loadbalancers/ID``     ``{"status"}``: put it into a status, until put again
``PATCH …/ID/nodes/NODE``               ``{"condition"?, "status"?, "type"?, "weight"?}``
``DELETE …/ID/nodes/NODE``              take a node away behind its owner's back
``GET /control/clock``                  ``{"now", "driven"}``
``POST /control/clock``                 ``{"advance": SECONDS}``; 409 in real time
``POST /control/reset``                 everything as it started, except the time
======================================  ==========================================================

A fault is an object; what is left out is as shown first:

- ``operation``: ``create``, ``delete``, ``list``, ``show``, ``update`` (metadata), ``action``,
  ``authenticate``, ``validate``
- ``effect``: ``refuse`` (nothing is done, an error is answered), ``answer-error`` (done, yet an
  error is answered), ``cut`` (done, and the connection closes without an answer); for creations
  also ``stuck`` (in BUILD for ever), ``error`` (to ERROR, ``after`` a while), ``active-then-error``
  (to ERROR a while after ACTIVE), ``slow`` (boots for ``after``)
- ``count``: 1; how often it happens, null for ever
- ``name``, ``metadata``, ``project``: whom it happens to. Regular expressions for the name and for
  the values of metadata; project ids. For tokens the name is the user's and the project is as the
  request names it.
- ``status`` 500, ``message``, ``retry_after``: what is answered, or what the fault of an ERROR says
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from klein import Klein
from twisted.web.server import Request

from minicloud.api import control_documents as documents
from minicloud.api.errors import ApiError, BadRequestError, ConflictError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer, make_app, read_object
from minicloud.balancer.errors import BalancerError
from minicloud.clock import DrivenTime, NotDrivenError
from minicloud.control import Control
from minicloud.controller.interface import UNLIMITED, UnknownServerError
from minicloud.faults import TooManyFaultsError
from minicloud.users.interface import NameTakenError, UnknownProjectError

T = TypeVar("T")


def _render(error: ApiError) -> Answer:
    return json_answer({"error": {"status": error.status, "message": error.message}}, error.status)


async def _translated(call: Awaitable[T]) -> T:
    """
    Wait for what was commanded.

    :raises ApiError: it cannot be done.
    """
    try:
        return await call
    except (UnknownServerError, UnknownProjectError) as error:
        raise NotFoundError(str(error)) from None
    except NameTakenError as error:
        raise ConflictError(str(error)) from None
    except ValueError as error:
        raise BadRequestError(str(error)) from None


class ControlFace:
    """The routes under ``/control``."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> Sequence[Route]:
        """Return what is answered; see the module's table."""
        return (
            Route("GET", "/", self._overview),
            Route("GET", "/faults", self._list_faults),
            Route("POST", "/faults", self._add_fault),
            Route("DELETE", "/faults", self._clear_faults),
            Route("DELETE", "/faults/<fault_id>", self._remove_fault),
            Route("GET", "/settings", self._show_settings),
            Route("PATCH", "/settings", self._change_settings),
            Route("PUT", "/quotas/<project_id>", self._set_quota),
            Route("GET", "/projects", self._list_projects),
            Route("POST", "/projects", self._add_project),
            Route("POST", "/users", self._add_user),
            Route("DELETE", "/tokens", self._revoke_tokens),
            Route("GET", "/servers", self._list_servers),
            Route("GET", "/servers/<server_id>", self._show_server),
            Route("PATCH", "/servers/<server_id>", self._set_status),
            Route("DELETE", "/servers/<server_id>", self._delete_server),
            Route("GET", "/loadbalancers", self._list_balancers),
            Route("PATCH", "/loadbalancers/<int:lb_id>", self._set_balancer),
            Route("PATCH", "/loadbalancers/<int:lb_id>/nodes/<int:node_id>", self._set_node),
            Route("DELETE", "/loadbalancers/<int:lb_id>/nodes/<int:node_id>", self._remove_node),
            Route("GET", "/clock", self._show_clock),
            Route("POST", "/clock", self._advance),
            Route("POST", "/reset", self._reset),
        )

    async def _overview(self, _: Request) -> Answer:
        return json_answer(
            {
                "help": (__doc__ or "").strip().splitlines(),
                "faults": self._faults(),
                "settings": documents.show_settings(self._control.settings),
                "clock": self._clock(),
            }
        )

    def _faults(self) -> list[dict[str, Any]]:
        return [documents.show_fault(fault) for fault in self._control.faults.commanded()]

    async def _list_faults(self, _: Request) -> Answer:
        return json_answer({"faults": self._faults()})

    async def _add_fault(self, request: Request) -> Answer:
        try:
            fault = self._control.faults.add(documents.parse_fault(read_object(request)))
        except TooManyFaultsError:
            raise ConflictError("there are too many faults already") from None
        return json_answer({"fault": documents.show_fault(fault)}, 201)

    async def _clear_faults(self, _: Request) -> Answer:
        for fault in self._control.faults.commanded():
            self._control.faults.remove(fault.fault_id)
        return Answer(204)

    async def _remove_fault(self, _: Request, fault_id: str) -> Answer:
        if not self._control.faults.remove(fault_id):
            raise NotFoundError("no such fault, or it has happened")
        return Answer(204)

    async def _show_settings(self, _: Request) -> Answer:
        return json_answer({"settings": documents.show_settings(self._control.settings)})

    async def _change_settings(self, request: Request) -> Answer:
        settings = documents.parse_settings(read_object(request), self._control.settings)
        await self._control.apply(settings)
        return json_answer({"settings": documents.show_settings(settings)})

    async def _set_quota(self, request: Request, project_id: str) -> Answer:
        value = read_object(request).get("instances")
        instances = documents.whole_number("instances", value, least=UNLIMITED)
        await self._control.set_quota(project_id, instances)
        return Answer(204)

    async def _list_projects(self, _: Request) -> Answer:
        projects = await self._control.list_projects()
        return json_answer({"projects": [{"id": p.project_id, "name": p.name} for p in projects]})

    async def _add_project(self, request: Request) -> Answer:
        body = read_object(request)
        name = documents.text("name", body.get("name"))
        project_id = documents.text("id", body.get("id", ""))
        project = await _translated(self._control.create_project(name, project_id))
        return json_answer({"project": {"id": project.project_id, "name": project.name}}, 201)

    async def _add_user(self, request: Request) -> Answer:
        body = read_object(request)
        given = body.get("roles", {})
        if not isinstance(given, dict):
            raise BadRequestError("roles is not an object")
        roles = {project_id: _names("roles", names) for project_id, names in given.items()}
        user_id = await _translated(
            self._control.create_user(
                documents.text("name", body.get("name")),
                documents.text("password", body.get("password")),
                roles,
                _names("service_roles", body.get("service_roles", [])),
            )
        )
        return json_answer({"user": {"id": user_id, "name": body["name"]}}, 201)

    async def _revoke_tokens(self, _: Request) -> Answer:
        return json_answer({"revoked": await self._control.revoke_tokens()})

    async def _list_servers(self, _: Request) -> Answer:
        servers = await self._control.list_servers()
        return json_answer({"servers": [documents.show_server(server) for server in servers]})

    async def _show_server(self, _: Request, server_id: str) -> Answer:
        server, info = await _translated(self._control.get_server(server_id))
        return json_answer({"server": documents.show_server(server, info)})

    async def _set_status(self, request: Request, server_id: str) -> Answer:
        body = read_object(request)
        status = documents.text("status", body.get("status"))
        message = documents.text("message", body.get("message", ""))
        server = await _translated(self._control.set_status(server_id, status, message))
        return json_answer({"server": documents.show_server(server)})

    async def _delete_server(self, _: Request, server_id: str) -> Answer:
        await _translated(self._control.delete_server(server_id))
        return Answer(204)

    async def _list_balancers(self, _: Request) -> Answer:
        return json_answer({"load_balancers": self._control.balancers.describe()})

    async def _set_balancer(self, request: Request, lb_id: int) -> Answer:
        status = documents.text("status", read_object(request).get("status"))
        return _on_balancers(lambda: self._control.balancers.set_status(lb_id, status))

    async def _set_node(self, request: Request, lb_id: int, node_id: int) -> Answer:
        body = read_object(request)
        given = {name: body.get(name) for name in ("condition", "status", "type")}
        words = {
            name: None if value is None else documents.text(name, value)
            for name, value in given.items()
        }
        weight = body.get("weight")
        if weight is not None:
            documents.whole_number("weight", weight, least=1)
        return _on_balancers(
            lambda: self._control.balancers.change_node(lb_id, node_id, weight=weight, **words)
        )

    async def _remove_node(self, _: Request, lb_id: int, node_id: int) -> Answer:
        return _on_balancers(lambda: self._control.balancers.remove_node(lb_id, node_id))

    def _clock(self) -> dict[str, Any]:
        time = self._control.time
        return {"now": time.now().isoformat(), "driven": isinstance(time, DrivenTime)}

    async def _show_clock(self, _: Request) -> Answer:
        return json_answer(self._clock())

    async def _advance(self, request: Request) -> Answer:
        amount = documents.duration("advance", read_object(request).get("advance"))
        try:
            self._control.time.advance(amount)
        except NotDrivenError as error:
            raise ConflictError(str(error)) from None
        return json_answer(self._clock())

    async def _reset(self, _: Request) -> Answer:
        await self._control.reset()
        return Answer(204)


def _on_balancers(act: Callable[[], None]) -> Answer:
    try:
        act()
    except BalancerError as error:
        raise NotFoundError(str(error)) from None
    except ValueError as error:
        raise BadRequestError(str(error)) from None
    return Answer(204)


def _names(field: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadRequestError(f"{field} is not a list of names")
    return tuple(documents.text(field, name) for name in value)


def control_app(control: Control) -> Klein:
    """Return what is mounted at ``/control``."""
    return make_app(ControlFace(control).routes(), _render)
