"""Identity v3: password authentication scoped to a project, validation of callers' tokens."""

from collections.abc import Iterator
from typing import Any

import simplejson
from twisted.internet.interfaces import IReactorTime

from otter.cloud.http import HttpClient, reading
from otter.cloud.identity_answers import is_absent, refuse_unless_well
from otter.cloud.interface import Caller
from otter.cloud.tokens import Endpoint, IdentityConfig, Token, text_of, time_of
from otter.models.ids import TenantId


class IdentityV3:
    """See ``Identity``."""

    def __init__(self, config: IdentityConfig, http: HttpClient, clock: IReactorTime) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._url = f"{config.endpoint}/auth/tokens"

    async def authenticate(self, tenant_id: TenantId | None, /) -> Token:
        """See ``Identity``."""
        return await self._token(self._credentials(tenant_id))

    async def authenticate_application(self, credential_id: str, secret: str) -> Token:
        """
        Return a fresh token by an application credential, which knows its project.

        :raises AuthenticationError: it is wrong, expired or revoked.
        """
        credential = {"id": credential_id, "secret": secret}
        method = "application_credential"
        return await self._token({"auth": {"identity": {"methods": [method], method: credential}}})

    async def _token(self, credentials: dict[str, Any]) -> Token:
        answer = await self._http.exchange(
            "POST",
            self._url,
            headers={"content-type": "application/json", "accept": "application/json"},
            body=simplejson.dumps(credentials).encode(),
        )
        refuse_unless_well(answer, self._clock)
        with reading("token"):
            document = answer.json()["token"]
            return Token(
                value=answer.headers["x-subject-token"],
                expires=time_of(text_of(document, "expires_at")),
                catalog=tuple(_endpoints(document.get("catalog") or [])),
                tenant_id=_project(document),
            )

    async def validate(self, subject: str, *, own: str) -> Caller | None:
        """See ``Identity``."""
        answer = await self._http.exchange(
            "GET",
            self._url,
            headers={
                "x-auth-token": own,
                "x-subject-token": subject,
                "accept": "application/json",
            },
            params=[("nocatalog", "1")],
        )
        if is_absent(answer):
            return None
        refuse_unless_well(answer, self._clock)
        with reading("token"):
            document = answer.json()["token"]
            return Caller(
                user_id=text_of(document["user"], "id"),
                user_name=text_of(document["user"], "name"),
                tenant_id=_project(document),
                roles=frozenset(text_of(role, "name") for role in document.get("roles") or []),
                expires=time_of(text_of(document, "expires_at")),
            )

    def _credentials(self, tenant_id: TenantId | None) -> dict[str, Any]:
        user = {
            "name": self._config.user_name,
            "domain": {"name": self._config.user_domain},
            "password": self._config.password,
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        if tenant_id is None:
            return {"auth": {"identity": identity}}
        return {"auth": {"identity": identity, "scope": {"project": {"id": tenant_id}}}}


def _project(document: dict[str, Any]) -> TenantId | None:
    project = document.get("project")
    return TenantId(text_of(project, "id")) if project else None


def _endpoints(catalog: list[dict[str, Any]]) -> Iterator[Endpoint]:
    for service in catalog:
        for endpoint in service.get("endpoints") or []:
            yield Endpoint(
                service_type=text_of(service, "type"),
                region=str(endpoint.get("region_id") or endpoint.get("region") or ""),
                interface=text_of(endpoint, "interface"),
                url=text_of(endpoint, "url"),
            )
