"""Identity v2.0: password credentials with a tenant id, validation of callers' tokens."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import simplejson
from twisted.internet.interfaces import IReactorTime

from otter.cloud.http import HttpClient, reading
from otter.cloud.identity_answers import is_absent, refuse_unless_well
from otter.cloud.interface import Caller
from otter.cloud.tokens import Endpoint, IdentityConfig, Token, text_of, time_of
from otter.models.ids import TenantId

_INTERFACES = {"publicURL": "public", "internalURL": "internal", "adminURL": "admin"}


class IdentityV2:
    """See ``Identity``."""

    def __init__(self, config: IdentityConfig, http: HttpClient, clock: IReactorTime) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._url = f"{config.endpoint}/tokens"

    async def authenticate(self, tenant_id: TenantId | None, /) -> Token:
        """See ``Identity``."""
        answer = await self._http.exchange(
            "POST",
            self._url,
            headers={"content-type": "application/json", "accept": "application/json"},
            body=simplejson.dumps(self._credentials(tenant_id)).encode(),
        )
        refuse_unless_well(answer, self._clock)
        with reading("token"):
            access = answer.json()["access"]
            token = access["token"]
            return Token(
                value=text_of(token, "id"),
                expires=time_of(text_of(token, "expires")),
                catalog=tuple(_endpoints(access.get("serviceCatalog") or [])),
                tenant_id=_tenant(token),
            )

    async def validate(self, subject: str, *, own: str) -> Caller | None:
        """See ``Identity``."""
        answer = await self._http.exchange(
            "GET",
            f"{self._url}/{quote(subject, safe='')}",
            headers={"x-auth-token": own, "accept": "application/json"},
        )
        if is_absent(answer):
            return None
        refuse_unless_well(answer, self._clock)
        with reading("token"):
            access = answer.json()["access"]
            user = access["user"]
            return Caller(
                user_id=text_of(user, "id"),
                user_name=text_of(user, "name"),
                tenant_id=_tenant(access["token"]),
                roles=frozenset(text_of(role, "name") for role in user.get("roles") or []),
                expires=time_of(text_of(access["token"], "expires")),
            )

    def _credentials(self, tenant_id: TenantId | None) -> dict[str, Any]:
        password = {"username": self._config.user_name, "password": self._config.password}
        auth: dict[str, Any] = {"passwordCredentials": password}
        return {"auth": auth if tenant_id is None else {**auth, "tenantId": tenant_id}}


def endpoints_of(service_type: str, endpoint: dict[str, Any]) -> Iterator[Endpoint]:
    """Return the endpoints that one entry of a catalog stands for, one per interface."""
    for key, interface in _INTERFACES.items():
        if endpoint.get(key):
            yield Endpoint(
                service_type=service_type,
                region=str(endpoint.get("region") or ""),
                interface=interface,
                url=text_of(endpoint, key),
            )


def _endpoints(catalog: list[dict[str, Any]]) -> Iterator[Endpoint]:
    for service in catalog:
        for endpoint in service.get("endpoints") or []:
            yield from endpoints_of(text_of(service, "type"), endpoint)


def _tenant(token: dict[str, Any]) -> TenantId | None:
    tenant = token.get("tenant")
    return TenantId(text_of(tenant, "id")) if tenant else None
