"""
Act for tenants as Rackspace documents it for Identity v2.0: with a token of the tenant's own admin
user, issued to us because we may impersonate.

Three calls per token: who the user is, the token, and the endpoints it opens.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import simplejson
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    TransientError,
)
from otter.cloud.http import Answer, HttpClient, reading
from otter.cloud.identity_answers import is_absent, refuse_unless_well
from otter.cloud.identity_v2 import endpoints_of
from otter.cloud.tokens import Endpoint, IdentityConfig, Token, TokenCache, text_of, time_of
from otter.models.ids import TenantId

LIFE = timedelta(hours=3)
TENANT_FIELD = "{tenant}"


class Impersonation:
    """
    See ``TokenSource``.

    :param own: our own tokens, that give the right to impersonate.
    :param user_template: the name of the user to be, in which ``{tenant}`` stands for the tenant;
        empty looks the tenant's admin user up.
    :param life: for how long a token is asked for.
    """

    def __init__(
        self,
        config: IdentityConfig,
        http: HttpClient,
        own: TokenCache[TenantId | None],
        clock: IReactorTime,
        *,
        user_template: str = "",
        life: timedelta = LIFE,
    ) -> None:
        self._config = config
        self._http = http
        self._own = own
        self._clock = clock
        self._user_template = user_template
        self._life = life

    async def authenticate(self, tenant_id: TenantId, /) -> Token:
        """See ``TokenSource``; a refusal of our own token is answered with a fresh one, once."""
        return await self._own.use(
            self._config.project, lambda own: self._impersonate(tenant_id, own)
        )

    async def _impersonate(self, tenant_id: TenantId, own: Token) -> Token:
        try:
            user = self._named(tenant_id) or await self._admin_of(tenant_id, own)
            answer = await self._post("/RAX-AUTH/impersonation-tokens", own, self._wish(user))
        except (AccessDeniedError, InvalidRequestError, NotFoundError) as error:
            text = f"identity does not let us act for tenant {tenant_id}"
            raise AccessDeniedError(text, status=error.status) from None
        with reading("token"):
            token = answer.json()["access"]["token"]
            value, expires = text_of(token, "id"), time_of(text_of(token, "expires"))
        return Token(value, expires, await self._catalog(tenant_id, value, own), tenant_id)

    def _named(self, tenant_id: TenantId) -> str:
        return self._user_template.replace(TENANT_FIELD, tenant_id)

    async def _admin_of(self, tenant_id: TenantId, own: Token) -> str:
        """
        Return the name of the tenant's admin user.

        :raises NotFoundError: there is none.
        """
        path = f"/tenants/{quote(tenant_id, safe='')}/users"
        answer = await self._get(path, own, ("admin", "true"))
        refuse_unless_well(answer, self._clock)
        with reading("list of users"):
            for user in answer.json()["users"]:
                if user.get("enabled", True):
                    return text_of(user, "username" if "username" in user else "name")
        raise NotFoundError("the tenant has no user to act as")

    def _wish(self, user: str) -> dict[str, Any]:
        seconds = int(self._life.total_seconds())
        wish = {"user": {"username": user}, "expire-in-seconds": seconds}
        return {"RAX-AUTH:impersonation": wish}

    async def _catalog(self, tenant_id: TenantId, value: str, own: Token) -> tuple[Endpoint, ...]:
        """
        Return what the token opens.

        :raises TransientError: identity does not know its own token yet.
        """
        answer = await self._get(f"/tokens/{quote(value, safe='')}/endpoints", own)
        if is_absent(answer):
            raise TransientError("identity does not know the token that it issued", status=404)
        refuse_unless_well(answer, self._clock)
        with reading("list of endpoints"):
            return tuple(_endpoints(answer.json()["endpoints"], tenant_id))

    async def _get(self, path: str, own: Token, *params: tuple[str, str]) -> Answer:
        headers = {"x-auth-token": own.value, "accept": "application/json"}
        url = f"{self._config.endpoint}{path}"
        return await self._http.exchange("GET", url, headers=headers, params=params)

    async def _post(self, path: str, own: Token, document: dict[str, Any]) -> Answer:
        answer = await self._http.exchange(
            "POST",
            f"{self._config.endpoint}{path}",
            headers={
                "x-auth-token": own.value,
                "content-type": "application/json",
                "accept": "application/json",
            },
            body=simplejson.dumps(document).encode(),
        )
        refuse_unless_well(answer, self._clock)
        return answer


def _endpoints(entries: list[dict[str, Any]], tenant_id: TenantId) -> Iterator[Endpoint]:
    """Leave out what the user has elsewhere: it may belong to several tenants."""
    for entry in entries:
        if entry.get("tenantId") in {None, "", tenant_id}:
            yield from endpoints_of(text_of(entry, "type"), entry)
