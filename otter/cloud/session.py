"""
Authorised calls to one service for one tenant: finds the endpoint, sends our token, names failures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import simplejson
from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.classify import Service, classify
from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    NotSentError,
    ThrottledError,
)
from otter.cloud.http import Answer, HttpClient
from otter.cloud.tokens import Token, TokenCache
from otter.models.ids import TenantId
from otter.timing import utc_now


@frozen
class Place:
    """Which of a catalog's endpoints to use."""

    region: str
    interface: str


@frozen
class Session:
    """One tenant's access to one service."""

    tenant_id: TenantId
    service: Service
    place: Place
    tokens: TokenCache[TenantId]
    http: HttpClient
    clock: IReactorTime

    async def root(self) -> str:
        """
        Return the URL that all tenants' endpoints of the service share, where it tells its version.

        :raises EndpointMissingError: the tenant's catalog does not name the service.
        """
        return self._url(await self._token(), "", at_root=True)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        document: object = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
        at_root: bool = False,
    ) -> Answer:
        """
        Make a call and return its answer, which is a good one.

        :param path: below the endpoint, quoted already.
        :param repeat: whether a refused token is replaced by a fresh one and the call made again.
        :param at_root: whether the path is below ``root`` rather than the tenant's endpoint.
        :raises CloudError: it did not succeed.
        """

        async def send(token: Token) -> Answer:
            url = self._url(token, path, at_root=at_root)
            return await self._send(token, method, url, params, document, headers or {})

        token = await self._token()
        try:
            return await send(token)
        except AuthenticationError:
            self.tokens.invalidate(self.tenant_id, token)
            if not repeat:
                raise
            other = await self._token()
            if other.value == token.value:
                raise
        return await send(other)

    async def _send(
        self,
        token: Token,
        method: str,
        url: str,
        params: Sequence[tuple[str, str]],
        document: object,
        headers: Mapping[str, str],
    ) -> Answer:
        body, kind = _encoded(document)
        answer = await self.http.named(self.service).exchange(
            method,
            url,
            headers={"x-auth-token": token.value, "accept": "application/json", **kind, **headers},
            params=params,
            body=body,
        )
        error = self._error(answer, token)
        if error is not None:
            raise error
        return answer

    def _error(self, answer: Answer, token: Token) -> CloudError | None:
        """Return what an answer means; should its text quote our token, it does not."""
        if 200 <= answer.status <= 299:
            return None
        now = utc_now(self.clock)
        body = answer.body.replace(token.value.encode(), b"[token]")
        return classify(self.service, answer.status, answer.headers, body, now=now)

    async def _token(self) -> Token:
        """
        Return our token for the tenant.

        :raises AccessDeniedError: we may not act for the tenant.
        :raises NotSentError: identity does not give us one, so the service was not asked. In
            particular, that identity did not find something says nothing about the service.
        """
        try:
            return await self.tokens.token_for(self.tenant_id)
        except (AccessDeniedError, AuthenticationError, ThrottledError):
            raise
        except CloudError as error:
            raise NotSentError(f"identity: {error.message}", status=error.status) from error

    def _url(self, token: Token, path: str, *, at_root: bool) -> str:
        place = self.place
        endpoint = token.endpoint(self.service, region=place.region, interface=place.interface)
        return (endpoint.removesuffix(f"/{self.tenant_id}") if at_root else endpoint) + path


def _encoded(document: object) -> tuple[bytes | None, Mapping[str, Any]]:
    if document is None:
        return None, {}
    body = simplejson.dumps(document, use_decimal=True).encode()
    return body, {"content-type": "application/json"}
