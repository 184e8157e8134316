"""
Ask the cloud whether a launch config would work, before it is accepted.

What exists is believed for a short while, per tenant; what does not is asked about each time, since
its owner is about to put that right and try again.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from attrs import frozen
from pyrsistent import PMap
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from otter.cloud.classify import Service
from otter.cloud.errors import (
    AuthenticationError,
    CloudError,
    EndpointMissingError,
    InvalidRequestError,
    NotFoundError,
    NotSentError,
    TransientError,
)
from otter.cloud.flight import Recent, SingleFlight
from otter.cloud.http import HttpClient, reading
from otter.cloud.launch_rules import (
    NO_STACKS,
    FileLimits,
    file_limits,
    may_be_id,
    personality_problems,
    preview_document,
    preview_problems,
    status_problem,
    unknown_problem,
    wanted_of,
)
from otter.cloud.session import Place, Session
from otter.cloud.tokens import TokenCache, text_of
from otter.models.group import LaunchType
from otter.models.ids import TenantId
from otter.timing import utc_now

BELIEVED_TIME = timedelta(seconds=60)
CHECK_TIMEOUT = timedelta(seconds=60)
FACTS_MAX = 10_000

K = TypeVar("K")
V = TypeVar("V")
Fact = tuple[TenantId, str, str]


class _RefusedError(Exception):
    """The cloud would refuse; carries the problem."""


@frozen
class _Kept(Generic[V]):
    value: V
    until: datetime


class Facts(Generic[K, V]):
    """What was found out: asked once for all who want to know, believed for a while, bounded."""

    def __init__(self, clock: IReactorTime, believed: timedelta, size_max: int) -> None:
        self._clock = clock
        self._believed = believed
        self._kept: Recent[K, _Kept[V]] = Recent(size_max)
        self._flights: SingleFlight[K, V] = SingleFlight()

    async def find(self, key: K, ask: Callable[[], Coroutine["Deferred[Any]", Any, V]]) -> V:
        """Return a fact; what ``ask`` raises is no fact."""
        kept = self._kept.get(key)
        if kept is not None and utc_now(self._clock) < kept.until:
            return kept.value
        return await self._flights.run(key, lambda: self._ask(key, ask))

    async def _ask(self, key: K, ask: Callable[[], Coroutine["Deferred[Any]", Any, V]]) -> V:
        until = utc_now(self._clock) + self._believed
        value = await ask()
        self._kept.put(key, _Kept(value, until))
        return value


class OpenStackLaunchChecker:
    """
    See ``LaunchChecker``: images from Glance or through Nova, flavors and limits from Nova, stacks
    from Heat.

    :param believed: for how long what was found to exist is not asked about again.
    :param timeout: for a whole check.
    """

    def __init__(
        self,
        place: Place,
        http: HttpClient,
        tokens: TokenCache[TenantId],
        clock: IReactorTime,
        *,
        believed: timedelta = BELIEVED_TIME,
        timeout: timedelta = CHECK_TIMEOUT,
        facts_max: int = FACTS_MAX,
    ) -> None:
        self._place = place
        self._http = http
        self._tokens = tokens
        self._clock = clock
        self._timeout = timeout
        self._usable: Facts[Fact, None] = Facts(clock, believed, facts_max)
        self._limits: Facts[TenantId, FileLimits] = Facts(clock, believed, facts_max)

    async def check_launch(
        self, tenant_id: TenantId, kind: LaunchType, args: PMap[str, object]
    ) -> tuple[str, ...]:
        """See ``LaunchChecker``."""
        check = self._check_stack if kind is LaunchType.STACK else self._check_server
        seconds = self._timeout.total_seconds()
        whole = Deferred.fromCoroutine(check(tenant_id, args)).addTimeout(seconds, self._clock)
        try:
            return await whole
        except defer.TimeoutError:
            raise TransientError(f"no whole check within {seconds:g} seconds") from None

    # --- servers ----------------------------------------------------------------------------

    async def _check_server(self, tenant_id: TenantId, args: PMap[str, object]) -> tuple[str, ...]:
        wanted = wanted_of(args)
        problems: list[str] = []
        if wanted.image is not None:
            problems += await self._problems(tenant_id, "image", wanted.image, self._ask_image)
        problems += await self._problems(tenant_id, "flavor", wanted.flavor, self._ask_flavor)
        if wanted.files:
            limits = await self._limits.find(tenant_id, lambda: self._ask_limits(tenant_id))
            problems += personality_problems(wanted.files, limits)
        return tuple(problems)

    async def _problems(
        self,
        tenant_id: TenantId,
        kind: str,
        name: str,
        ask: Callable[[TenantId, str], Coroutine["Deferred[Any]", Any, None]],
    ) -> list[str]:
        """Return the problem of using an image or a flavor, if there is one."""
        if not may_be_id(name):
            return [unknown_problem(kind, name)]
        try:
            await self._usable.find((tenant_id, kind, name), lambda: ask(tenant_id, name))
        except _RefusedError as refused:
            return [str(refused)]
        return []

    async def _ask_image(self, tenant_id: TenantId, name: str) -> None:
        """
        Return if the image can be used.

        :raises _RefusedError: it cannot.
        """
        try:
            status = await self._image_status(tenant_id, quote(name, safe=""))
        except (NotFoundError, InvalidRequestError) as error:
            raise _RefusedError(unknown_problem("image", name, error.message)) from None
        problem = status_problem(name, status)
        if problem is not None:
            raise _RefusedError(problem)

    async def _image_status(self, tenant_id: TenantId, quoted: str) -> str:
        """Return an image's status, from the image service where the catalog has one."""
        images = self._session(tenant_id, Service.IMAGE)
        try:
            root = await images.root()
        except EndpointMissingError:
            answer = await self._compute(tenant_id).call("GET", f"/images/{quoted}")
            with reading("image"):
                return text_of(answer.json()["image"], "status")
        version = "" if root.endswith("/v2") else "/v2"
        answer = await images.call("GET", f"{version}/images/{quoted}", at_root=True)
        with reading("image"):
            return text_of(answer.json(), "status")

    async def _ask_flavor(self, tenant_id: TenantId, name: str) -> None:
        """
        Return if the flavor can be used.

        :raises _RefusedError: it cannot.
        """
        try:
            _ = await self._compute(tenant_id).call("GET", f"/flavors/{quote(name, safe='')}")
        except (NotFoundError, InvalidRequestError) as error:
            raise _RefusedError(unknown_problem("flavor", name, error.message)) from None

    async def _ask_limits(self, tenant_id: TenantId) -> FileLimits:
        answer = await self._compute(tenant_id).call("GET", "/limits")
        return file_limits(answer.json())

    # --- stacks -----------------------------------------------------------------------------

    async def _check_stack(self, tenant_id: TenantId, args: PMap[str, object]) -> tuple[str, ...]:
        orchestration = self._session(tenant_id, Service.ORCHESTRATION)
        try:
            _ = await orchestration.root()
        except EndpointMissingError:
            return (NO_STACKS,)
        try:
            _ = await orchestration.call("POST", "/stacks/preview", document=preview_document(args))
        except (AuthenticationError, NotSentError):
            raise
        except CloudError as error:
            if error.status is None:
                raise
            return preview_problems(error.status, error.message)
        return ()

    # --- for all ----------------------------------------------------------------------------

    def _compute(self, tenant_id: TenantId) -> Session:
        """Return access to compute; we name no microversion, 2.1 tells all that is asked here."""
        return self._session(tenant_id, Service.COMPUTE)

    def _session(self, tenant_id: TenantId, service: Service) -> Session:
        http = self._http.named(service)
        return Session(tenant_id, service, self._place, self._tokens, http, self._clock)
