"""Make the HTTP clients: one for providers, one for customers' own URLs."""

from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from otter.cloud.guard import ClientReactor, GuardedReactor

CONNECT_TIMEOUT = timedelta(seconds=10)
CONNECTIONS_PER_HOST = 16
IDLE_TIMEOUT = timedelta(seconds=4)
"""Shorter than common servers keep an idle connection, so that a request rarely meets a closed one;
nothing is retried for it (its outcome would be unknown)."""


def provider_requests(reactor: ClientReactor) -> HTTPClient:
    """Return treq's client for a provider: keeps connections, retries nothing, takes no cookies."""
    pool = HTTPConnectionPool(reactor, persistent=True)
    pool.retryAutomatically = False
    pool.maxPersistentPerHost = CONNECTIONS_PER_HOST
    pool.cachedConnectionTimeout = int(IDLE_TIMEOUT.total_seconds())
    return without_cookies(
        Agent(reactor, connectTimeout=CONNECT_TIMEOUT.total_seconds(), pool=pool)
    )


def customer_requests(reactor: ClientReactor, *, allow_private: bool) -> HTTPClient:
    """
    Return treq's client for customers' own URLs: one connection per request, public addresses only.

    :param allow_private: whether any address is allowed, for demonstrations on one machine.
    """
    inner = reactor if allow_private else GuardedReactor(reactor)
    agent = Agent(
        inner,
        connectTimeout=CONNECT_TIMEOUT.total_seconds(),
        pool=HTTPConnectionPool(inner, persistent=False),
    )
    return without_cookies(Undecoded(agent))


def without_cookies(agent: IAgent) -> HTTPClient:
    """
    Return treq's client around ``agent`` with a jar that takes nothing.

    The usual jar would grow for ever and show one tenant's cookies to the next.
    """
    return HTTPClient(agent, IndexableCookieJar(DefaultCookiePolicy(allowed_domains=[])))


@implementer(IAgent)
class Undecoded:
    """An agent whose answers are never unpacked: a small answer could unpack to a huge one."""

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803 (the name is IAgent's)
    ) -> "Deferred[IResponse]":
        """See ``IAgent``."""
        answer = self._agent.request(method, uri, headers, bodyProducer)
        return answer.addCallback(_undecoded)


def _undecoded(response: IResponse) -> IResponse:
    response.headers.removeHeader(b"content-encoding")
    return response
