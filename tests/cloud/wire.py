"""
A provider on the wire, in memory: identity v2.0 and v3, Nova and CLB in front of ``FakeCloud``.

It holds no rules of its own. What exists and what breaks is decided by the fake behind it; here a
fake's answers and errors get the spelling of the real services.
"""

import re
from copy import copy
from typing import Any, cast

import simplejson
from klein import Klein
from pyrsistent import thaw
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.server import Request

from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    NodeLimitError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from otter.cloud.fake import FakeCloud, FakeProvider
from otter.cloud.fake_launch import FakeLaunchChecker
from otter.cloud.interface import INSTANCE_KEY, CreateServer, LoadBalancer, NodeCondition, Server
from otter.models.ids import InstanceId, LoadBalancerId, NodeId, ServerId
from tests.cloud.wire_identity import WireIdentity

BASE = "http://cloud.invalid"
REMOVE_LIMIT = 10

_STATUSES: dict[type[CloudError], int] = {
    AuthenticationError: 401,
    AccessDeniedError: 403,
    QuotaError: 403,
    NotFoundError: 404,
    ConflictingRequestError: 409,
    NodeLimitError: 413,
    ThrottledError: 429,
    TransientError: 500,
}
_KEYS = {400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound"}


def status_of(error: CloudError) -> int:
    """Return the status a service gives to what the fake raised."""
    return error.status or _STATUSES.get(type(error), 400)


class Wire:
    """
    The services of one region.

    :ivar launches: the fake that decides about images, flavors, limits and stacks.
    :ivar requests: ``(method, uri, headers, body)`` of every request, oldest first.
    :ivar max_microversion: what Nova says it speaks; empty for a service without microversions.
    :ivar broken_versions: whether Nova cannot say what it speaks.
    :ivar page_loop: whether Nova's next links lead nowhere.
    :ivar marker_ignored: whether Nova starts from the beginning whatever the marker.
    :ivar filter_ignored: whether Nova lists everything whatever the filter.
    :ivar refuse: how many of the next authorised calls to Nova and CLB answer 401.
    """

    app = Klein()

    def __init__(self, clock: Clock) -> None:
        self.provider = FakeProvider(clock)
        self.identity = WireIdentity(clock, BASE)
        self.launches = FakeLaunchChecker()
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.max_microversion = "2.96"
        self.broken_versions = False
        self.page_loop = False
        self.marker_ignored = False
        self.filter_ignored = False
        self.refuse = 0

    def resource(self) -> Any:
        """Return the root resource, for ``StubTreq``."""
        return self.app.resource()

    def asked(self, method: str, path: str) -> list[tuple[str, str, dict[str, str], bytes]]:
        """Return the requests of one method whose URI contains ``path``."""
        return [one for one in self.requests if one[0] == method and path in one[1]]

    # --- identity ---------------------------------------------------------------------------

    @app.route("/identity/<path:rest>", methods=["GET", "POST"])
    def identity_call(self, request: Request, rest: str) -> bytes:
        """Let identity answer."""
        content = self._note(request)
        status, headers, document = self.identity.answer(request, rest, content)
        for name, value in headers.items():
            request.setHeader(name, value)
        return _reply(request, status, document)

    # --- compute ----------------------------------------------------------------------------

    @app.route("/compute/v2.1/", methods=["GET"])
    def versions(self, request: Request) -> bytes:
        """Tell which microversions there are."""
        self._note(request)
        if self.broken_versions:
            return _reply(request, 503, None)
        version = {
            "id": "v2.1",
            "status": "CURRENT",
            "version": self.max_microversion,
            "min_version": "2.1" if self.max_microversion else "",
        }
        return _reply(request, 200, {"version": version})

    @app.route("/compute/v2.1/<tenant>/servers/detail", methods=["GET"])
    async def list_servers(self, request: Request, tenant: str) -> bytes:
        """List a page of servers, filtered by name as a regular expression."""
        cloud = self._enter(request, tenant)
        servers = list(await cloud.list_servers())
        name = _argument(request, "name")
        if name and not self.filter_ignored:
            servers = [server for server in servers if re.search(name, server.name)]
        limit = int(_argument(request, "limit") or 1000)
        marker = "" if self.marker_ignored else _argument(request, "marker")
        after = [n for n, server in enumerate(servers) if server.server_id == marker]
        if marker and not after:
            return _reply(request, 400, {"badRequest": {"message": "marker not found"}})
        first = after[0] + 1 if after else 0
        page = servers[first : first + limit]
        document: dict[str, Any] = {"servers": [_server(server) for server in page]}
        if first + limit < len(servers) or self.page_loop:
            last = "stuck" if self.page_loop else page[-1].server_id
            href = f"http://elsewhere.invalid/servers/detail?limit={limit}&marker={last}"
            document["servers_links"] = [{"rel": "next", "href": href}]
        return _reply(request, 200, document)

    @app.route("/compute/v2.1/<tenant>/servers", methods=["POST"])
    async def create_server(self, request: Request, tenant: str) -> bytes:
        """Create a server."""
        cloud = self._enter(request, tenant)
        body = simplejson.loads(self.requests[-1][3], use_decimal=True)["server"]
        instance_id = InstanceId(body.get("metadata", {}).get(INSTANCE_KEY, ""))
        wanted = CreateServer(instance_id, body["name"], body=body, metadata={})
        server = await cloud.create_server(wanted)
        made = {"id": server.server_id, "links": _links(server), "adminPass": "hunter2"}
        return _reply(request, 202, {"server": made})

    @app.route("/compute/v2.1/<tenant>/servers/<server>", methods=["GET"])
    async def show_server(self, request: Request, tenant: str, server: str) -> bytes:
        """Show a server."""
        cloud = self._enter(request, tenant)
        return _reply(request, 200, {"server": _server(await cloud.get_server(ServerId(server)))})

    @app.route("/compute/v2.1/<tenant>/servers/<server>", methods=["DELETE"])
    async def delete_server(self, request: Request, tenant: str, server: str) -> bytes:
        """Delete a server; 404 if there is none."""
        cloud = self._enter(request, tenant)
        cloud.servers.show(ServerId(server))
        await cloud.delete_server(ServerId(server))
        return _reply(request, 204, None)

    @app.route("/compute/v2.1/<tenant>/servers/<server>/metadata/<key>", methods=["DELETE"])
    async def remove_metadata(self, request: Request, tenant: str, server: str, key: str) -> bytes:
        """Remove a metadata item; 404 if there is none."""
        cloud = self._enter(request, tenant)
        if key not in cloud.servers.show(ServerId(server)).metadata:
            raise NotFoundError("Metadata item was not found", status=404)
        await cloud.remove_server_metadata(ServerId(server), [key])
        return _reply(request, 204, None)

    # --- launching --------------------------------------------------------------------------

    @app.route("/compute/v2.1/<tenant>/images/<image>", methods=["GET"])
    def show_image(self, request: Request, tenant: str, image: str) -> bytes:
        """Show an image as Nova's proxy does, which newer microversions have not."""
        self._enter(request, tenant)
        if request.getHeader("openstack-api-version"):
            return _reply(request, 404, {"itemNotFound": {"message": "no proxy"}})
        status = self._image(image)
        return _reply(request, 200, {"image": {"id": image, "status": status}})

    @app.route("/image/v2/images/<image>", methods=["GET"])
    def show_glance_image(self, request: Request, image: str) -> bytes:
        """Show an image as Glance does: in small letters, and with a page if there is none."""
        self._enter(request, None)
        try:
            return _reply(request, 200, {"id": image, "status": self._image(image).lower()})
        except CloudError as error:
            request.setResponseCode(status_of(error))
            return b"<html>404 Not Found</html>"

    @app.route("/compute/v2.1/<tenant>/flavors/<flavor>", methods=["GET"])
    def show_flavor(self, request: Request, tenant: str, flavor: str) -> bytes:
        """Show a flavor."""
        self._enter(request, tenant)
        self._check_there(flavor)
        return _reply(request, 200, {"flavor": {"id": flavor}})

    @app.route("/compute/v2.1/<tenant>/limits", methods=["GET"])
    def show_limits(self, request: Request, tenant: str) -> bytes:
        """Show limits; what has none is -1 or missing."""
        self._enter(request, tenant)
        limits = self.launches.limits
        absolute = {"maxServerMeta": 128, "maxPersonality": limits.count_max}
        if limits.count_max is None:
            absolute["maxPersonality"] = -1
        if limits.size_max_bytes is not None:
            absolute["maxPersonalitySize"] = limits.size_max_bytes
        return _reply(request, 200, {"limits": {"rate": [], "absolute": absolute}})

    @app.route("/orchestration/v1/<tenant>/stacks/preview", methods=["POST"])
    def preview_stack(self, request: Request, tenant: str) -> bytes:
        """Preview a stack, or fail as Heat does."""
        self._enter(request, tenant)
        if self.launches.preview is None:
            return _reply(request, 200, {"stack": {}})
        status, words = self.launches.preview
        error = {"message": words, "traceback": None, "type": "StackValidationFailed"}
        body = {"explanation": "…", "code": status, "title": "Bad", "error": error}
        return _reply(request, status, body)

    def _image(self, image: str) -> str:
        self._check_there(image)
        return self.launches.image_statuses.get(image, "ACTIVE")

    def _check_there(self, name: str) -> None:
        if self.launches.error is not None:
            raise copy(self.launches.error)
        if name in self.launches.missing:
            raise NotFoundError(self.launches.missing[name], status=404)

    # --- load balancers ---------------------------------------------------------------------

    @app.route("/lb/v1.0/<tenant>/loadbalancers/<int:balancer>", methods=["GET"])
    async def show_balancer(self, request: Request, tenant: str, balancer: int) -> bytes:
        """Show a load balancer."""
        cloud = self._enter(request, tenant)
        shown = await cloud.get_load_balancer(LoadBalancerId(str(balancer)))
        return _reply(request, 200, {"loadBalancer": _balancer(shown)})

    @app.route("/lb/v1.0/<tenant>/loadbalancers/<int:balancer>/nodes", methods=["POST"])
    async def add_nodes(self, request: Request, tenant: str, balancer: int) -> bytes:
        """Add nodes."""
        cloud = self._enter(request, tenant)
        nodes = simplejson.loads(self.requests[-1][3])["nodes"]
        members = [(node["address"], node["port"]) for node in nodes]
        await cloud.add_nodes(LoadBalancerId(str(balancer)), members)
        return _reply(request, 202, {"nodes": nodes})

    @app.route("/lb/v1.0/<tenant>/loadbalancers/<int:balancer>/nodes/<int:node>", methods=["PUT"])
    async def change_node(self, request: Request, tenant: str, balancer: int, node: int) -> bytes:
        """Change a node."""
        cloud = self._enter(request, tenant)
        condition = NodeCondition(simplejson.loads(self.requests[-1][3])["node"]["condition"])
        await cloud.change_node(LoadBalancerId(str(balancer)), NodeId(str(node)), condition)
        return _reply(request, 202, None)

    @app.route("/lb/v1.0/<tenant>/loadbalancers/<int:balancer>/nodes", methods=["DELETE"])
    async def remove_nodes(self, request: Request, tenant: str, balancer: int) -> bytes:
        """Remove nodes: none of them if one is unknown or they are too many."""
        cloud = self._enter(request, tenant)
        balancer_id = LoadBalancerId(str(balancer))
        asked = [NodeId(value.decode()) for value in request.args[b"id"]]
        shown = cloud.balancers.show(balancer_id)
        known = {node.node_id for node in shown.nodes}
        unknown = [node_id for node_id in asked if node_id not in known]
        if shown.leaving:
            text = f"Load Balancer '{balancer}' has a status of '{shown.status}' and is immutable."
            return _reply(request, 422, {"message": text, "code": 422})
        if unknown or len(asked) > REMOVE_LIMIT:
            text = f"Node ids {','.join(unknown)} are not a part of your loadbalancer"
            errors = {"messages": [text]}
            body = {"validationErrors": errors, "message": "Validation Failure", "code": 400}
            return _reply(request, 400, body)
        await cloud.remove_nodes(balancer_id, asked)
        return _reply(request, 202, None)

    # --- for all ----------------------------------------------------------------------------

    @app.handle_errors(CloudError)
    def refuse_call(self, request: Any, failure: Failure) -> bytes:
        """Spell an error as its service does."""
        error = cast("CloudError", failure.value)
        status = status_of(error)
        if isinstance(error, ThrottledError) and error.retry_after is not None:
            request.setHeader("retry-after", str(int(error.retry_after.total_seconds())))
        if request.path.startswith(b"/lb/"):
            status = 422 if status == 409 else status
            return _reply(request, status, {"message": error.message, "code": status})
        body = {"message": error.message, "code": status}
        return _reply(request, status, {_KEYS.get(status, "computeFault"): body})

    def _enter(self, request: Request, tenant: str | None) -> FakeCloud:
        """
        Record a call and return the fake it is about.

        :param tenant: as the path has it; None where it is only in the token.

        :raises AuthenticationError: no token, or one for somebody else.
        """
        self._note(request)
        token = request.getHeader("x-auth-token") or ""
        refused, self.refuse = self.refuse > 0, max(0, self.refuse - 1)
        issued = self.identity.find(token)
        if refused or issued is None or issued.tenant_id is None:
            raise AuthenticationError(f"the token {token} is not accepted", status=401)
        if tenant not in {None, issued.tenant_id}:
            raise AuthenticationError("the token is another tenant's", status=401)
        return self.provider.cloud_for(issued.tenant_id)

    def _note(self, request: Request) -> bytes:
        content: bytes = cast("Any", request).content.read()
        pairs = request.requestHeaders.getAllRawHeaders()
        headers = {name.decode().lower(): values[-1].decode() for name, values in pairs}
        self.requests.append((request.method.decode(), request.uri.decode(), headers, content))
        return content


def _argument(request: Request, name: str) -> str:
    values: list[bytes] = request.args.get(name.encode(), [b""])
    return values[0].decode()


def _reply(request: Request, status: int, document: object) -> bytes:
    request.setResponseCode(status)
    if document is None:
        return b""
    request.setHeader("content-type", "application/json")
    return simplejson.dumps(document, use_decimal=True).encode()


def _links(server: Server) -> list[dict[str, str]]:
    return [{"rel": rel, "href": href} for rel, href in server.links]


def _server(server: Server) -> dict[str, Any]:
    addresses: dict[str, list[dict[str, Any]]] = {}
    for label, address in server.addresses:
        fixed = {"addr": address, "version": 4, "OS-EXT-IPS:type": "fixed"}
        six = {"addr": "fd00::1", "version": 6, "OS-EXT-IPS:type": "fixed"}
        floating = {"addr": "192.0.2.1", "version": 4, "OS-EXT-IPS:type": "floating"}
        addresses.setdefault(label, []).extend([six, floating, fixed])
    document: dict[str, Any] = {
        "id": server.server_id,
        "name": server.name,
        "status": server.status,
        "created": server.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metadata": thaw(server.metadata),
        "OS-EXT-STS:task_state": server.task_state,
        "addresses": addresses,
        "links": _links(server),
    }
    if server.fault:
        document["fault"] = {"code": 500, "created": "", "message": server.fault}
    return document


def _balancer(balancer: LoadBalancer) -> dict[str, Any]:
    nodes = []
    for node in balancer.nodes:
        shown: dict[str, Any] = {
            "id": int(node.node_id),
            "address": node.address,
            "port": node.port,
            "condition": node.condition.value,
            "status": "OFFLINE" if node.online is False else "ONLINE",
            "type": "PRIMARY" if node.plain else "SECONDARY",
        }
        if node.connections is not None:
            shown["connections"] = node.connections
        nodes.append(shown)
    document: dict[str, Any] = {
        "id": int(balancer.load_balancer_id),
        "status": balancer.status,
        "nodes": nodes,
    }
    if balancer.health_monitored:
        document["healthMonitor"] = {"type": "CONNECT"}
    return document
