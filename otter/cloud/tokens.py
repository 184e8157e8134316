"""
Tokens: what identity promises, the records that pass through it, and a cache of our own tokens.

Note [Why a token is refused]
    A token can be refused by a service because it expired, was revoked, or is so new that the
    service has not heard of it. Whoever is refused drops that very token and asks again: by then
    another caller may have put a newer one in its place, which stays.

    If the newer one is refused too, it is probably too new (lessons.md 3, item 40), and an even
    newer one would be refused as well, for ever. So for a while after a token was dropped its
    successor stays, whoever refuses it; a later call finds it known everywhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import AuthenticationError, EndpointMissingError
from otter.cloud.flight import Recent, SingleFlight
from otter.cloud.interface import Caller
from otter.models.ids import TenantId
from otter.timing import utc_now

REFRESH_MARGIN = timedelta(minutes=5)
SETTLING_TIME = timedelta(seconds=10)
TOKENS_MAX = 10_000

K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)
V = TypeVar("V")


class IdentityVersion(StrEnum):
    """Which identity API to speak."""

    V2 = "v2.0"
    V3 = "v3"


@frozen
class IdentityConfig:
    """
    Who we are, and where to ask.

    :ivar auth_url: with or without the version, with or without a slash at the end.
    :ivar region: of the endpoints to use; empty takes the first of any region.
    :ivar interface: which of a service's endpoints to use: public, internal or admin.
    :ivar project: the project our own token is scoped to when we check other people's; None for a
        token without scope.
    """

    auth_url: str
    version: IdentityVersion
    user_name: str
    password: str = field(repr=False)
    user_domain: str = "Default"
    region: str = ""
    interface: str = "public"
    project: TenantId | None = None

    @property
    def endpoint(self) -> str:
        """The URL of the API of the chosen version, without a slash at the end."""
        root = self.auth_url.strip().rstrip("/")
        for suffix in ("/v3", "/v2.0"):
            root = root.removesuffix(suffix)
        return f"{root.rstrip('/')}/{self.version}"


@frozen
class Endpoint:
    """Where one service is found, according to a catalog."""

    service_type: str
    region: str
    interface: str
    url: str


@frozen
class Token:
    """
    A token of ours, until when it is good, and the catalog that came with it.

    :ivar tenant_id: the project it is scoped to, where identity said so.
    """

    value: str = field(repr=False)
    expires: datetime
    catalog: tuple[Endpoint, ...] = ()
    tenant_id: TenantId | None = None

    def endpoint(self, service_type: str, *, region: str, interface: str) -> str:
        """
        Return the URL of a service, without a slash at the end.

        :raises EndpointMissingError: the catalog has no such service in that region.
        """
        named = [
            one
            for one in self.catalog
            if one.service_type == service_type and one.interface == interface
        ]
        # What is everywhere comes second: Rackspace lists its first compute service that way.
        here = [one for one in named if not region or one.region == region]
        for one in here or [one for one in named if not one.region]:
            return one.url.rstrip("/")
        where = f" in {region}" if region else ""
        raise EndpointMissingError(f"the catalog has no {service_type} service{where}")


class TokenSource(Protocol[K_contra]):
    """Where tokens come from."""

    async def authenticate(self, scope: K_contra, /) -> Token:
        """
        Return a fresh token for a scope.

        :raises AccessDeniedError: there is none for this scope, and trying again will not help.
        :raises AuthenticationError: identity refuses ourselves.
        """


class Identity(Protocol):
    """The identity service, spoken to as the service user."""

    async def authenticate(self, tenant_id: TenantId | None, /) -> Token:
        """
        Return a fresh token of the service user, scoped to a project (None: to none).

        :raises AuthenticationError: identity refuses our name, password or scope.
        """

    async def validate(self, subject: str, *, own: str) -> Caller | None:
        """
        Return whose token ``subject`` is, None if identity does not know it.

        :param own: our own token, that gives the right to ask.
        :raises AuthenticationError: our own token is refused.
        """


@frozen
class _Held:
    """A token, and when it is to be replaced."""

    token: Token
    until: datetime


class TokenCache(Generic[K]):
    """
    Tokens by scope: fetched once for all who wait, refreshed before they expire, bounded.

    :param margin: how long before its expiry a token is no longer handed out; at most a fifth of
        its life, so that short-lived tokens are of use at all.
    """

    def __init__(
        self,
        source: TokenSource[K],
        clock: IReactorTime,
        *,
        margin: timedelta = REFRESH_MARGIN,
        size_max: int = TOKENS_MAX,
    ) -> None:
        self._source = source
        self._clock = clock
        self._margin = margin
        self._tokens: Recent[K, _Held] = Recent(size_max)
        self._dropped: Recent[K, datetime] = Recent(size_max)
        self._flights: SingleFlight[K, Token] = SingleFlight()

    async def token_for(self, scope: K) -> Token:
        """
        Return a token that is good for a while yet.

        :raises CloudError: see ``TokenSource.authenticate``; failures are not remembered.
        """
        held = self._tokens.get(scope)
        if held is not None and self._now() < held.until:
            return held.token
        return await self._flights.run(scope, lambda: self._fetch(scope))

    def invalidate(self, scope: K, token: Token) -> None:
        """
        Forget a token that was refused, unless a newer one has taken its place or it is itself so
        new that this may be why; see Note [Why a token is refused].
        """
        held = self._tokens.get(scope)
        if held is None or held.token.value != token.value:
            return
        dropped = self._dropped.get(scope)
        if dropped is not None and timedelta(0) <= self._now() - dropped < SETTLING_TIME:
            return
        self._dropped.put(scope, self._now())
        self._tokens.drop(scope)

    async def use(self, scope: K, work: Callable[[Token], Awaitable[V]]) -> V:
        """
        Do something with a token; if that one is refused and there is another, once more.

        :raises AuthenticationError: the other one is refused as well.
        """
        token = await self.token_for(scope)
        try:
            return await work(token)
        except AuthenticationError:
            self.invalidate(scope, token)
            other = await self.token_for(scope)
            if other.value == token.value:
                raise
        return await work(other)

    async def _fetch(self, scope: K) -> Token:
        token = await self._source.authenticate(scope)
        margin = min(self._margin, (token.expires - self._now()) / 5)
        self._tokens.put(scope, _Held(token, token.expires - margin))
        return token

    def _now(self) -> datetime:
        return utc_now(self._clock)


def text_of(document: Mapping[str, object], key: str) -> str:
    """
    Return the text at ``key``.

    :raises TypeError: it is not text.
    """
    value = document[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def time_of(text: str) -> datetime:
    """
    Return the time that an ISO 8601 text names; UTC if it names no zone.

    :raises ValueError: it names none.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
