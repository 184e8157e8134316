"""A small JSON client over real sockets, for driving running services."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import simplejson
import treq
from attrs import field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

TIMEOUT = timedelta(seconds=30)


@frozen
class Answer:
    """What came back; ``body`` is None when it is empty or not JSON, ``text`` is always there."""

    status: int
    headers: Headers
    text: str
    body: Any = None

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        values = self.headers.getRawHeaders(name)
        return values[0] if values else ""


class UnexpectedAnswerError(Exception):
    """An answer has another status than the caller can go on with."""


@frozen
class Client:
    """
    Calls one service.

    :ivar root: what paths are appended to.
    :ivar headers: sent with every request; hold the token.
    """

    reactor: Any
    root: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    http: HTTPClient = field(init=False)

    @http.default
    def _http(self) -> HTTPClient:
        pool = HTTPConnectionPool(self.reactor, persistent=False)
        return HTTPClient(Agent(self.reactor, pool=pool, connectTimeout=5))

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        timeout: timedelta = TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, the body as JSON if there is one, and return the whole answer."""
        sent = {**self.headers, **(headers or {})}
        data = raw
        if body is not None:
            data = simplejson.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else self.root + path
        exchange = Deferred.fromCoroutine(self._exchange(method, url, sent, data))
        return await exchange.addTimeout(timeout.total_seconds(), self.reactor)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None
    ) -> Answer:
        response = await self.http.request(
            method,
            url,
            headers=cast("Any", headers),
            data=data,
            allow_redirects=False,
        )
        raw = await treq.content(cast("IResponse", response))
        text = raw.decode("utf-8", "replace")
        try:
            body = simplejson.loads(text) if text else None
        except simplejson.JSONDecodeError:
            body = None
        return Answer(response.code, response.headers, text, body)

    async def expect(self, status: int, method: str, path: str, body: object = None) -> Any:
        """
        Call and return the JSON of an answer that has this status.

        :raises UnexpectedAnswerError: it has another one.
        """
        answer = await self.call(method, path, body)
        if answer.status != status:
            raise UnexpectedAnswerError(
                f"{method} {path}: {answer.status} instead of {status}: {answer.text[:500]}"
            )
        return answer.body
