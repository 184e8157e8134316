"""
Answer as Rackspace's Cloud Load Balancers v1.0 do, over the balancers of this cloud.

Statuses and messages are contract, because clients tell what happened by matching them:

====  =================================================================================
 202  every accepted change
 400  not understood; several ids of which one is unknown; more than ten ids at once
 404  no such load balancer, or no such node
 410  a look into a deleted load balancer (itself it still shows, as DELETED, for a while)
 413  too many nodes, or too many load balancers
 422  a change while it is not ACTIVE, or deleted; a node that is there already
====  =================================================================================
"""

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, cast

from attrs import frozen
from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from minicloud.balancer import clb_documents as documents
from minicloud.balancer.balancers import Balancers
from minicloud.balancer.clb_answers import Answer, error_answer, json_answer, refusal
from minicloud.balancer.clb_documents import InvalidDocumentError
from minicloud.balancer.clb_feed import feed
from minicloud.balancer.errors import NodeNotFoundError, UnknownNodesError
from minicloud.balancer.model import LoadBalancer, Node
from minicloud.balancer.rules import check_not_deleted, find_node

BODY_BYTES = 256 * 1024
BATCH_LIMIT = 10
PAGE_LIMIT = 100
NUMBER_DIGITS = 18

Authenticate = Callable[[IRequest], Awaitable[str]]
Delay = Callable[[], Awaitable[None]]


class _ForeignProjectError(Exception):
    """The token is good, but for another project than the address names."""

    status = 403


class _BodyTooLargeError(Exception):
    """Nobody needs so many nodes in one call."""

    status = 413


@frozen
class _Call:
    """One authenticated request of a project."""

    balancers: Balancers
    project: str
    request: Request

    def check_project(self, named: str) -> None:
        """
        Let pass a token that belongs to the project in the address.

        :raises _ForeignProjectError: it belongs to another.
        """
        if named != self.project:
            raise _ForeignProjectError("The token does not belong to this account.")

    @property
    def url(self) -> str:
        """What the client asked for, without query."""
        scheme = "https" if self.request.isSecure() else "http"
        host = self.request.getHeader("host") or "localhost"
        return f"{scheme}://{host}{self.request.path.decode('ascii', 'replace')}"

    def body(self) -> Any:
        """
        Return the parsed body.

        :raises InvalidDocumentError: it is not JSON.
        """
        content = self.request.content
        body = content.read(BODY_BYTES + 1) if content is not None else b""
        if len(body) > BODY_BYTES:
            raise _BodyTooLargeError("The request body is too large.")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise InvalidDocumentError(["body: not JSON"]) from None

    def numbers(self, name: str) -> list[int]:
        """
        Return all values of a query argument.

        :raises InvalidDocumentError: one is not a number.
        """
        values: list[bytes] = (self.request.args or {}).get(name.encode(), [])
        if any(not value.isdigit() or len(value) > NUMBER_DIGITS for value in values):
            raise InvalidDocumentError([f"{name}: not a number"])
        return [int(value) for value in values]

    def number(self, name: str, default: int) -> int:
        """
        Return the first value of a query argument.

        :raises InvalidDocumentError: one is not a number.
        """
        return next(iter(self.numbers(name)), default)

    def node_document(self, lb_id: int, node: Node) -> dict[str, object]:
        """Return a node as the client sees it."""
        return documents.node_document(node, self.balancers.connections(lb_id, node.node_id))

    def load_balancer_document(self, lb: LoadBalancer) -> dict[str, object]:
        """Return a load balancer with all its parts, and why it is broken if it is."""
        document = documents.summary_document(lb)
        document["nodes"] = [self.node_document(lb.lb_id, node) for node in lb.nodes]
        if lb.monitor is not None:
            document["healthMonitor"] = documents.monitor_document(lb.monitor)
        if lb.fault:
            document["fault"] = lb.fault
        return document

    def load_balancer_with_parts(self, lb_id: int) -> LoadBalancer:
        """
        Return a load balancer whose parts may be looked at.

        :raises BalancerError: it does not exist, or is deleted.
        """
        lb = self.balancers.get(self.project, lb_id)
        check_not_deleted(lb)
        return lb


def _list(call: _Call) -> Answer:
    limit = min(max(call.number("limit", PAGE_LIMIT), 1), PAGE_LIMIT)
    marker = call.number("marker", 0)
    after = [lb for lb in call.balancers.list_of(call.project) if lb.lb_id > marker]
    page = after[:limit]
    document: dict[str, object] = {"loadBalancers": list(map(documents.summary_document, page))}
    if len(after) > limit:
        href = f"{call.url}?limit={limit}&marker={page[-1].lb_id}"
        document["links"] = [{"rel": "next", "href": href}]
    return json_answer(200, document)


def _create(call: _Call) -> Answer:
    wanted = documents.parse_new_load_balancer(call.body())
    lb = call.balancers.create(call.project, wanted)
    return json_answer(202, {"loadBalancer": call.load_balancer_document(lb)})


def _show(call: _Call, lb_id: int) -> Answer:
    lb = call.balancers.get(call.project, lb_id)
    return json_answer(200, {"loadBalancer": call.load_balancer_document(lb)})


def _configure(call: _Call, lb_id: int) -> Answer:
    name, algorithm = documents.parse_configured(call.body())
    call.balancers.configure(call.project, lb_id, name=name, algorithm=algorithm)
    return Answer(202)


def _delete(call: _Call, lb_id: int) -> Answer:
    call.balancers.delete(call.project, lb_id)
    return Answer(202)


def _list_nodes(call: _Call, lb_id: int) -> Answer:
    lb = call.load_balancer_with_parts(lb_id)
    return json_answer(200, {"nodes": [call.node_document(lb_id, node) for node in lb.nodes]})


def _add_nodes(call: _Call, lb_id: int) -> Answer:
    wanted = documents.parse_new_nodes(call.body())
    added = call.balancers.add_nodes(call.project, lb_id, wanted)
    return json_answer(202, {"nodes": [call.node_document(lb_id, node) for node in added]})


def _remove_nodes(call: _Call, lb_id: int) -> Answer:
    node_ids = call.numbers("id")
    if not node_ids:
        raise InvalidDocumentError(["Must supply one or more id's to process this request."])
    if len(node_ids) > BATCH_LIMIT:
        counted = f"Request to delete {len(node_ids)} nodes exceeds the account limit"
        limit = f"BATCH_DELETE_LIMIT of {BATCH_LIMIT}"
        raise InvalidDocumentError([f"{counted} {limit} please attempt to delete fewer nodes"])
    call.balancers.remove_nodes(call.project, lb_id, node_ids)
    return Answer(202)


def _show_node(call: _Call, lb_id: int, node_id: int) -> Answer:
    node = find_node(call.load_balancer_with_parts(lb_id), node_id)
    return json_answer(200, {"node": call.node_document(lb_id, node)})


def _update_node(call: _Call, lb_id: int, node_id: int) -> Answer:
    change = documents.parse_node_change(call.body())
    call.balancers.update_node(call.project, lb_id, node_id, change)
    return Answer(202)


def _remove_node(call: _Call, lb_id: int, node_id: int) -> Answer:
    try:
        call.balancers.remove_nodes(call.project, lb_id, [node_id])
    except UnknownNodesError:
        raise NodeNotFoundError(lb_id, node_id) from None
    return Answer(202)


def _nodes_feed(call: _Call, lb_id: int) -> Answer:
    lb = call.load_balancer_with_parts(lb_id)
    body = feed(lb, lb.events, url=call.url, page=max(1, call.number("page", 1)))
    return Answer(200, body, "application/atom+xml")


def _node_feed(call: _Call, lb_id: int, node_id: int) -> Answer:
    lb = call.load_balancer_with_parts(lb_id)
    find_node(lb, node_id)
    events = [event for event in lb.events if event.node.node_id == node_id]
    body = feed(lb, events, url=call.url, page=max(1, call.number("page", 1)))
    return Answer(200, body, "application/atom+xml")


def _show_monitor(call: _Call, lb_id: int) -> Answer:
    lb = call.load_balancer_with_parts(lb_id)
    return json_answer(200, {"healthMonitor": documents.monitor_document(lb.monitor)})


def _set_monitor(call: _Call, lb_id: int) -> Answer:
    monitor = documents.parse_monitor(call.body())
    call.balancers.set_monitor(call.project, lb_id, monitor)
    return Answer(202)


def _remove_monitor(call: _Call, lb_id: int) -> Answer:
    call.balancers.set_monitor(call.project, lb_id, None)
    return Answer(202)


_ALL = "/<project>/loadbalancers"
_ONE = f"{_ALL}/<int:lb_id>"
_NODE = f"{_ONE}/nodes/<int:node_id>"
_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", _ALL, _list),
    ("POST", _ALL, _create),
    ("GET", _ONE, _show),
    ("PUT", _ONE, _configure),
    ("DELETE", _ONE, _delete),
    ("GET", f"{_ONE}/nodes", _list_nodes),
    ("POST", f"{_ONE}/nodes", _add_nodes),
    ("DELETE", f"{_ONE}/nodes", _remove_nodes),
    ("GET", f"{_ONE}/nodes.atom", _nodes_feed),
    ("GET", _NODE, _show_node),
    ("PUT", _NODE, _update_node),
    ("DELETE", _NODE, _remove_node),
    ("GET", f"{_NODE}.atom", _node_feed),
    ("GET", f"{_ONE}/healthmonitor", _show_monitor),
    ("PUT", f"{_ONE}/healthmonitor", _set_monitor),
    ("DELETE", f"{_ONE}/healthmonitor", _remove_monitor),
)


def clb_app(balancers: Balancers, authenticate: Authenticate, delay: Delay) -> Klein:
    """
    Return the application, to be mounted where the catalog says this service begins.

    :param authenticate: returns the project of the request's token, or raises an error whose
        ``status`` is the answer's.
    :param delay: awaited before every answer.
    """
    app = Klein()

    async def perform(handler: Callable[..., Answer], request: Request, **ids: Any) -> bytes:
        try:
            await delay()
            call = _Call(balancers, await authenticate(request), request)
            call.check_project(ids.pop("project"))
            answer = handler(call, **ids)
        except Exception as error:
            refused = refusal(error, changing=request.method not in {b"GET", b"HEAD"})
            if refused is None:
                raise
            answer = refused
        return _written(request, answer)

    def route(method: str, path: str, handler: Callable[..., Answer]) -> None:
        def endpoint(request: Request, **ids: Any) -> Awaitable[bytes]:
            return perform(handler, request, **ids)

        app.route(path, methods=[method], endpoint=handler.__name__)(endpoint)

    for method, path, handler in _ROUTES:
        route(method, path, handler)

    @app.handle_errors(HTTPException)
    def unrouted(request: IRequest, failure: Failure) -> bytes:
        error = cast("HTTPException", failure.value)
        return _written(cast("Request", request), error_answer(error.code or 500, error.name))

    return app


def _written(request: Request, answer: Answer) -> bytes:
    request.setResponseCode(answer.status)
    request.setHeader("content-type", answer.content_type)
    if answer.retry_after is not None:
        request.setHeader("retry-after", str(math.ceil(answer.retry_after.total_seconds())))
    return answer.body
