"""
Tokens: what identity promises, the records that pass through it, and a cache of our own tokens.

Note [Why a token is refused]
    A token can be refused by a service because it expired, was revoked, or is so new that the
    service has not heard of it. Whoever is refused drops that very token and asks again: by then
    another caller may have put a newer one in its place, which stays.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import EndpointMissingError
from otter.cloud.flight import Recent, SingleFlight
from otter.cloud.interface import Caller
from otter.models.ids import TenantId

REFRESH_MARGIN = timedelta(minutes=5)
TOKENS_MAX = 10_000


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
    """A token of ours, until when it is good, and the catalog that came with it."""

    value: str = field(repr=False)
    expires: datetime
    catalog: tuple[Endpoint, ...] = ()

    def endpoint(self, service_type: str, *, region: str, interface: str) -> str:
        """
        Return the URL of a service, without a slash at the end.

        :raises EndpointMissingError: the catalog has no such service in that region.
        """
        for one in self.catalog:
            here = not region or one.region in {region, ""}
            if one.service_type == service_type and one.interface == interface and here:
                return one.url.rstrip("/")
        where = f" in {region}" if region else ""
        raise EndpointMissingError(f"the catalog has no {service_type} service{where}")


class Identity(Protocol):
    """The identity service, spoken to as the service user."""

    async def authenticate(self, tenant_id: TenantId | None) -> Token:
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


class TokenCache:
    """
    Our tokens by project: fetched once for all who wait, refreshed before they expire, bounded.

    :param margin: how long before its expiry a token is no longer handed out; at most a fifth of
        its life, so that short-lived tokens are of use at all.
    """

    def __init__(
        self,
        identity: Identity,
        clock: IReactorTime,
        *,
        margin: timedelta = REFRESH_MARGIN,
        size_max: int = TOKENS_MAX,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._margin = margin
        self._tokens: Recent[TenantId | None, _Held] = Recent(size_max)
        self._flights: SingleFlight[TenantId | None, Token] = SingleFlight()

    async def token_for(self, tenant_id: TenantId | None) -> Token:
        """
        Return a token that is good for a while yet.

        :raises CloudError: see ``Identity.authenticate``; failures are not remembered.
        """
        held = self._tokens.get(tenant_id)
        if held is not None and self._now() < held.until:
            return held.token
        return await self._flights.run(tenant_id, lambda: self._fetch(tenant_id))

    def invalidate(self, tenant_id: TenantId | None, token: Token) -> None:
        """Forget a token that was refused, unless a newer one has taken its place."""
        held = self._tokens.get(tenant_id)
        if held is not None and held.token.value == token.value:
            self._tokens.drop(tenant_id)

    async def _fetch(self, tenant_id: TenantId | None) -> Token:
        token = await self._identity.authenticate(tenant_id)
        margin = min(self._margin, (token.expires - self._now()) / 5)
        self._tokens.put(tenant_id, _Held(token, token.expires - margin))
        return token

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.seconds(), UTC)


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
