"""
Put the API together: ``make_site`` is what the composition calls.

Every request goes through ``Edge``: capability URLs leave there, everybody else is let in or not,
and only then does Klein look where the path leads. The order in which a request is judged:

1. HTTP itself: 400, 413, 414, 431, 408 (``channel``, ``site``);
2. is there a place for one more: 503 (``admission``);
3. token 401, tenant and role 403 (``auth``);
4. the tenant's rate 413 (``rates``), and a place of the tenant's: 503;
5. the path 404, the method 405, and then what the handler finds (rest-api.md 1.7).
"""

from collections.abc import Mapping, Sequence
from typing import cast

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import MethodNotAllowed, NotFound

from otter.cloud.interface import LaunchChecker, TokenValidator
from otter.controller.interface import Controller
from otter.metrics import Metrics
from otter.rest.activities import Activities
from otter.rest.admission import Admission
from otter.rest.auth import ANYBODY, Gate, right_for
from otter.rest.calls import Call, Route
from otter.rest.capability import Capability
from otter.rest.config import RestConfig
from otter.rest.detaching import detached, ended
from otter.rest.errors import InvalidMethodError, NoSuchRouteError
from otter.rest.formatting import Formatter
from otter.rest.groups import Groups
from otter.rest.health import PATHS, HealthCheck, HealthResource
from otter.rest.launching import LaunchGate
from otter.rest.limits import LimitsResource
from otter.rest.links import Links
from otter.rest.metering import RequestMeter, RouteNames
from otter.rest.openapi_operations import CAPABILITY
from otter.rest.openapi_resource import DocumentResource
from otter.rest.parsing import Parser
from otter.rest.policies import Policies
from otter.rest.queries import Query
from otter.rest.rates import RateLimiter
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
    *,
    checker: LaunchChecker | None = None,
    metrics: Metrics | None = None,
) -> ApiSite:
    """
    Return the API, ready to listen.

    :param validator: knows tokens; None lets everybody do everything, for development.
    :param health: how to ask each component how it is, by the name ``/health`` gives it.
    :param checker: asks the cloud about launch configs; None lets all of them pass.
    :param metrics: is told of every answered request.
    """
    responder = Responder(config.retry_after)
    limiter = RateLimiter(config.rates, reactor)
    admission = Admission(config.bounds.requests, config.bounds.tenant_requests)
    routes = make_routes(config, controller, health, reactor, limiter, checker)
    edge = Edge(
        Gate(validator, config.roles),
        Capability(controller, limiter, responder),
        make_router(routes, responder),
        responder,
        limiter,
        admission,
    )
    names = RouteNames.of([*(route.path for route in routes), CAPABILITY])
    return ApiSite(
        edge,
        bounds=config.bounds,
        responder=responder,
        admission=admission,
        reactor=reactor,
        meter=RequestMeter(metrics or Metrics(), names),
    )


def make_routes(
    config: RestConfig,
    controller: Controller,
    health: Mapping[str, HealthCheck],
    clock: IReactorTime,
    limiter: RateLimiter,
    checker: LaunchChecker | None = None,
) -> tuple[Route, ...]:
    """Return the route table of rest-api.md 1.1 but row 16, and our own additions."""
    parser = Parser(Schemas.load())
    links = Links(config.base_url)
    formatter = Formatter(links)
    routes = (
        *Groups(controller, parser, formatter, LaunchGate(checker), clock).routes(),
        *Servers(controller).routes(),
        *Policies(controller, parser, formatter, clock).routes(),
        *Webhooks(controller, parser, formatter).routes(),
        *Activities(controller, links).routes(),
        *LimitsResource(controller, limiter, clock).routes(),
        *HealthResource(health, config.health_timeout, clock).routes(),
    )
    return (*routes, *DocumentResource(routes, config.base_url).routes())


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
        work = Deferred.fromCoroutine(respond(request, ids))
        observer = detached(work)
        request.working = ended(work)
        return observer


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
        self,
        gate: Gate,
        capability: Capability,
        router: IResource,
        responder: Responder,
        limiter: RateLimiter,
        admission: Admission,
    ) -> None:
        super().__init__()
        self._gate = gate
        self._capability = capability
        self._router = router
        self._responder = responder
        self._limiter = limiter
        self._admission = admission

    def render(self, request: ApiRequest) -> int:
        """Begin to answer."""
        serving = Deferred.fromCoroutine(self._serve(request))
        _ = serving.addErrback(lambda failure: self.log.failure("request.broken", failure=failure))
        return NOT_DONE_YET

    async def _serve(self, request: ApiRequest) -> None:
        operational = request.where.segments in PATHS
        try:
            with self._admission.place(operational=operational):
                await self._work(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            request.answer(self._responder.refusal(error))

    async def _work(self, request: ApiRequest) -> None:
        """Return when the work has ended, which may be long after the client has hung up."""
        capability, tenant = request.where.capability, request.where.tenant
        if capability is not None:
            method = request.method.decode("ascii")
            request.answer(await self._capability.answer(method, *capability))
        elif tenant is not None:
            actor = await self._admit(request, tenant)
            with self._admission.place_of(tenant):
                await self._route(request, actor)
        else:
            await self._route(request, ANYBODY)

    async def _admit(self, request: ApiRequest, tenant: str) -> str:
        """
        Return who acts.

        :raises RateLimitError: he may, but not so often.
        """
        method = request.method.decode("ascii")
        webhooks = Query(request.args).webhooks
        right = right_for(method, request.where.segments[2:], webhooks=webhooks)
        actor = await self._gate.admit(_header(request, b"X-Auth-Token"), tenant, right)
        self._limiter.count_call(tenant)
        return actor

    async def _route(self, request: ApiRequest, actor: str) -> None:
        """
        Have the request answered by whoever its path leads to.

        :raises NoSuchRouteError: there is no such path.
        """
        if not request.where.routable:
            raise NoSuchRouteError("there is nothing at this path")
        if request.gone:
            return
        accept = (_header(request, b"Accept") or b"").decode("ascii", "replace")
        request.call = Call(actor, Query(request.args), request.body, accept)
        self._router.render(request)
        if request.working is not None:
            await request.working


def _header(request: ApiRequest, name: bytes) -> bytes | None:
    values = request.requestHeaders.getRawHeaders(name)
    return values[0] if values else None
