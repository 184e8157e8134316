"""
Put the operators' listener together: ``make_operator_site`` is what the composition calls.

Nobody is asked who they are: whoever can reach the listener may do everything on it, so it is bound
to an address that only operators reach.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from otter.controller.interface import Controller
from otter.metrics import Census, Metrics
from otter.rest.admission import Admission
from otter.rest.app import make_router
from otter.rest.calls import Call, Route
from otter.rest.config import Bounds
from otter.rest.errors import NoSuchRouteError
from otter.rest.health import HealthCheck, HealthResource
from otter.rest.metering import RequestMeter, RouteNames
from otter.rest.operator.metrics import MetricsResource
from otter.rest.operator.suspension import Suspension
from otter.rest.operator.switch import KillSwitch
from otter.rest.queries import Query
from otter.rest.responding import Responder
from otter.rest.site import ApiRequest, ApiSite

ACTOR = "operator"
"""Who acts, as the history names them."""

BOUNDS = Bounds(requests=50, tenant_requests=50, connections=50, body_bytes=65_536)
RETRY_AFTER = timedelta(seconds=5)
HEALTH_TIMEOUT = timedelta(seconds=5)


@frozen
class Operated:
    """What the routes answer from."""

    controller: Controller
    health: Mapping[str, HealthCheck]
    metrics: Metrics
    census: Callable[[], Census | None]


def make_operator_site(operated: Operated, reactor: IReactorTime) -> ApiSite:
    """Return the operators' routes, ready to listen."""
    responder = Responder(RETRY_AFTER)
    admission = Admission(BOUNDS.requests, BOUNDS.tenant_requests)
    routes = make_operator_routes(operated, reactor)
    return ApiSite(
        OperatorEdge(make_router(routes, responder), responder, admission),
        bounds=BOUNDS,
        responder=responder,
        admission=admission,
        reactor=reactor,
        meter=RequestMeter(Metrics(), RouteNames(())),  # the public API alone is measured
    )


def make_operator_routes(operated: Operated, clock: IReactorTime) -> Sequence[Route]:
    """Return the route table."""
    return (
        *HealthResource(operated.health, HEALTH_TIMEOUT, clock).routes(),
        *MetricsResource(operated.metrics, operated.census).routes(),
        *Suspension(operated.controller).routes(),
        *KillSwitch().routes(),
    )


class OperatorEdge(Resource):
    """Meets every request first, and lets it in while there is room."""

    isLeaf = True
    log = Logger()

    def __init__(self, router: IResource, responder: Responder, admission: Admission) -> None:
        super().__init__()
        self._router = router
        self._responder = responder
        self._admission = admission

    def render(self, request: ApiRequest) -> int:
        """Begin to answer."""
        serving = Deferred.fromCoroutine(self._serve(request))
        _ = serving.addErrback(lambda failure: self.log.failure("request.broken", failure=failure))
        return NOT_DONE_YET

    async def _serve(self, request: ApiRequest) -> None:
        try:
            with self._admission.place(operational=False):
                await self._route(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            request.answer(self._responder.refusal(error))

    async def _route(self, request: ApiRequest) -> None:
        """
        Have the request answered by whoever its path leads to.

        :raises NoSuchRouteError: there is no such path.
        """
        if not request.where.routable:
            raise NoSuchRouteError("there is nothing at this path")
        accept = request.getHeader("Accept") or ""
        request.call = Call(ACTOR, Query(request.args), request.body, accept)
        self._router.render(request)
        if request.working is not None:
            await request.working
