"""Tests of the HTTP clients: what they keep, what they refuse to keep, where they may go."""

import gzip
from typing import Any, cast

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent, _SynchronousProducer
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHostnameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from zope.interface import implementer

from otter.cloud.errors import InvalidRequestError
from otter.cloud.guard import ClientReactor
from otter.cloud.http import HttpClient
from otter.cloud.transport import (
    Undecoded,
    customer_requests,
    provider_requests,
    without_cookies,
)


class CookieMonster(Resource):
    """Gives a cookie with every answer and remembers those it is shown."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str | None] = []

    def render_GET(self, request: Any) -> bytes:
        """Give a cookie."""
        self.shown.append(request.getHeader("cookie"))
        request.addCookie("tenant", "one")
        return b""


class Zipped(Resource):
    """Answers with something that could be unpacked."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        """Answer."""
        request.setHeader("content-encoding", "gzip")
        return gzip.compress(b"x" * 1000)


@implementer(IHostnameResolver)
class Names:
    """Resolves every name to one address after the other, as a rebinding name server does."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    def resolveHostName(
        self,
        resolutionReceiver: Any,  # noqa: N803 (IHostnameResolver's name)
        hostName: str,  # noqa: N803 (IHostnameResolver's name)
        portNumber: int = 0,  # noqa: N803 (IHostnameResolver's name)
        addressTypes: Any = None,  # noqa: N803 (IHostnameResolver's name)
        transportSemantics: str = "TCP",  # noqa: N803 (IHostnameResolver's name)
    ) -> Any:
        """Resolve."""
        address = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        kind = IPv6Address if ":" in address else IPv4Address
        resolutionReceiver.resolutionBegan(self)
        resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return self


@implementer(ClientReactor)
class NamedReactor(MemoryReactorClock):
    """A reactor in memory with a resolver of ours."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.nameResolver = Names(*addresses)

    def installNameResolver(self, resolver: IHostnameResolver) -> Any:
        """See ``IReactorPluggableNameResolver``."""
        old, self.nameResolver = self.nameResolver, cast("Names", resolver)
        return old


class ProviderRequestsTests(SynchronousTestCase):
    """The client for providers."""

    def test_pool_never_retries_by_itself(self) -> None:
        """Twisted's pool repeats idempotent requests; a repeated DELETE is ours to decide."""
        client: Any = provider_requests(NamedReactor("192.0.2.1"))
        pool = client._agent._pool

        self.assertFalse(pool.retryAutomatically)
        self.assertTrue(pool.persistent)

    def test_private_addresses_are_allowed(self) -> None:
        """A provider lives where it lives, often on the inner network."""
        reactor = NamedReactor("10.0.0.1")
        getting = provider_requests(reactor).request("GET", "http://nova.invalid/")

        self.assertNoResult(getting)
        self.assertEqual(["10.0.0.1"], [host for host, *_ in reactor.tcpClients])

    def test_cookies_are_not_kept(self) -> None:
        """One tenant's cookie must not travel with the next one's request, nor pile up."""
        monster = CookieMonster()
        client = without_cookies(RequestTraversalAgent(monster))
        for _ in range(2):
            self.successResultOf(client.request("GET", "http://cloud.invalid/"))

        self.assertEqual([None, None], monster.shown)


class CustomerRequestsTests(SynchronousTestCase):
    """The client for customers' own URLs."""

    def connect(self, reactor: Any, url: str, **options: bool) -> "Deferred[Any]":
        """Start a request."""
        requests = customer_requests(reactor, **{"allow_private": False, **options})
        client = HttpClient(requests, reactor)
        return Deferred.fromCoroutine(client.exchange("GET", url, headers={}))

    def test_public_address_is_connected_to(self) -> None:
        """The usual case, with and without TLS."""
        for url, port in (("http://hook.invalid/", 80), ("https://hook.invalid/", 443)):
            reactor = NamedReactor("93.184.216.34")

            self.assertNoResult(self.connect(reactor, url))
            self.assertEqual(
                [("93.184.216.34", port)], [client[:2] for client in reactor.tcpClients]
            )

    def test_private_address_is_never_connected_to(self) -> None:
        """Not even a connection is opened, which would already tell who listens inside."""
        for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"):
            for scheme in ("http", "https"):
                reactor = NamedReactor(address)
                work = self.connect(reactor, f"{scheme}://hook.invalid/")
                reactor.advance(1)

                self.failureResultOf(work, InvalidRequestError)
                self.assertEqual([], reactor.tcpClients)

    def test_second_look_at_a_name_is_guarded_as_well(self) -> None:
        """A name that resolves well first and badly later gains nothing (DNS rebinding)."""
        reactor = NamedReactor("93.184.216.34", "127.0.0.1")
        first = self.connect(reactor, "http://hook.invalid/")
        second = self.connect(reactor, "http://hook.invalid/")
        reactor.advance(1)

        self.assertNoResult(first)
        self.failureResultOf(second, InvalidRequestError)
        self.assertEqual(["93.184.216.34"], [host for host, *_ in reactor.tcpClients])

    def test_private_addresses_can_be_allowed(self) -> None:
        """For a demonstration on one machine."""
        reactor = NamedReactor("127.0.0.1")

        self.assertNoResult(self.connect(reactor, "http://hook.invalid/", allow_private=True))
        self.assertEqual(["127.0.0.1"], [host for host, *_ in reactor.tcpClients])

    def test_answers_are_not_unpacked(self) -> None:
        """A few kilobytes from a stranger could unpack to gigabytes."""
        agent = Undecoded(RequestTraversalAgent(Zipped()))
        client = HTTPClient(agent, data_to_body_producer=_SynchronousProducer)
        response = self.successResultOf(client.request("GET", "http://hook.invalid/"))

        self.assertLess(len(self.successResultOf(response.content())), 100)
