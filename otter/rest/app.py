"""
Put the API together: ``make_site`` is what the composition calls.

Every request goes through ``Edge``: capability URLs leave there, everybody else is let in or not,
and only then does Klein look where the path leads.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import cast

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Site
from werkzeug.exceptions import MethodNotAllowed, NotFound

from otter.cloud.interface import TokenValidator
from otter.controller.interface import Controller
from otter.rest.activities import Activities
from otter.rest.answers import Answer
from otter.rest.auth import ANYBODY, Gate, right_for
from otter.rest.calls import Call, Route
from otter.rest.capability import Capability
from otter.rest.config import RestConfig
from otter.rest.detaching import detached
from otter.rest.errors import InvalidMethodError, NoSuchRouteError
from otter.rest.formatting import Formatter
from otter.rest.groups import Groups
from otter.rest.health import HealthCheck, HealthResource
from otter.rest.limits import LimitsResource
from otter.rest.links import Links
from otter.rest.parsing import Parser
from otter.rest.policies import Policies
from otter.rest.queries import Query
from otter.rest.responding import Responder, prepare
from otter.rest.servers import Servers
from otter.rest.site import ApiRequest, ApiSite
from otter.rest.validation import Schemas
from otter.rest.webhooks import Webhooks


def make_site(
    config: RestConfig,
    controller: Controller,
    validator: TokenValidator | None,
    health: Mapping[str, HealthCheck],
    reactor: IReactorTime,
) -> Site:
    """
    Return the API, ready to listen.

    :param validator: knows tokens; None lets everybody do everything, for development.
    :param health: how to ask each component how it is, by the name ``/health`` gives it.
    """
    responder = Responder(config.retry_after)
    routes = make_routes(config, controller, health, reactor)
    edge = Edge(
        Gate(validator, config.roles),
        Capability(controller, responder),
        make_router(routes, responder),
        responder,
    )
    return ApiSite(edge, max_body_bytes=config.max_body_bytes, responder=responder, reactor=reactor)


def make_routes(
    config: RestConfig,
    controller: Controller,
    health: Mapping[str, HealthCheck],
    clock: IReactorTime,
) -> tuple[Route, ...]:
    """Return the route table of rest-api.md 1.1 but row 16, and our own additions."""
    parser = Parser(Schemas.load())
    links = Links(config.base_url)
    formatter = Formatter(links)
    return (
        *Groups(controller, parser, formatter, clock).routes(),
        *Servers(controller).routes(),
        *Policies(controller, parser, formatter, clock).routes(),
        *Webhooks(controller, parser, formatter).routes(),
        *Activities(controller, links).routes(),
        *LimitsResource(controller, config.rates, clock).routes(),
        *HealthResource(health, config.health_timeout, clock).routes(),
    )


def make_router(routes: Sequence[Route], responder: Responder) -> IResource:
    """Return a resource that finds the route and has it answered, cancelled by nobody."""
    app = Klein()
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for route in routes:
        _add_route(app, route, responder)

    @app.handle_errors(NotFound, MethodNotAllowed)
    def lost(request: IRequest, failure: Failure) -> bytes:
        return prepare(
            cast("ApiRequest", request), responder.refusal(_routing_error(failure.value))
        )

    return app.resource()


def _add_route(app: Klein, route: Route, responder: Responder) -> None:
    async def respond(request: ApiRequest, ids: Mapping[str, str]) -> bytes:
        work = route.handler(request.call, **ids)
        return prepare(request, await responder.outcome(work))

    @app.route(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")
    def endpoint(request: ApiRequest, **ids: str) -> Deferred[bytes]:
        return detached(Deferred.fromCoroutine(respond(request, ids)))


def _routing_error(error: BaseException | None) -> Exception:
    if isinstance(error, MethodNotAllowed):
        return InvalidMethodError(tuple(sorted(error.valid_methods or ())))
    return NoSuchRouteError("there is nothing at this path")


class Edge(Resource):
    """
    Meets every request first.

    :param gate: knows who may do what.
    :param router: finds the resource for whoever is let in.
    """

    isLeaf = True
    log = Logger()

    def __init__(
        self, gate: Gate, capability: Capability, router: IResource, responder: Responder
    ) -> None:
        super().__init__()
        self._gate = gate
        self._capability = capability
        self._router = router
        self._responder = responder

    def render(self, request: ApiRequest) -> int:
        """Begin to answer."""
        serving = Deferred.fromCoroutine(self._serve(request))
        _ = serving.addErrback(lambda failure: self.log.failure("request.broken", failure=failure))
        return NOT_DONE_YET

    async def _serve(self, request: ApiRequest) -> None:
        capability = request.where.capability
        if capability is not None:
            method = request.method.decode("ascii")
            _finish(request, await self._capability.answer(method, *capability))
            return
        try:
            request.call = await self._admit(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            _finish(request, self._responder.refusal(error))
            return
        if not request.gone:
            self._router.render(request)

    async def _admit(self, request: ApiRequest) -> Call:
        """
        Return what handlers may know of a request whose caller is let in.

        :raises NoSuchRouteError: the caller may come in, but there is no such path.
        """
        where, query = request.where, Query(request.args)
        body = cast("BytesIO", request.content).read()
        actor = ANYBODY
        if where.tenant is not None:
            method = request.method.decode("ascii")
            right = right_for(method, where.segments[2:], webhooks=query.webhooks)
            actor = await self._gate.admit(_header(request, b"X-Auth-Token"), where.tenant, right)
        if not where.routable:
            raise NoSuchRouteError("there is nothing at this path")
        accept = (_header(request, b"Accept") or b"").decode("ascii", "replace")
        return Call(actor, query, body, accept)


def _header(request: ApiRequest, name: bytes) -> bytes | None:
    values = request.requestHeaders.getRawHeaders(name)
    return values[0] if values else None


def _finish(request: ApiRequest, answer: Answer) -> None:
    if not request.gone:
        request.write(prepare(request, answer))
        request.finish()
