"""
Decide which addresses a customer's URL may lead to, and hold every connection to that.

Note [Where the address is checked]
    A name can resolve to one address when it is checked and to another when it is connected to.
    So nothing is checked by name: the guard sits between the endpoint, which has resolved the name,
    and the reactor, which opens the connection, and sees the very address that would be used.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from twisted.internet.interfaces import (
    IConnector,
    IDelayedCall,
    IHostnameResolver,
    IListeningPort,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
)
from zope.interface import implementer

# Networks whose addresses stand for an IPv4 address that somebody else decides on.
_TRANSLATED = tuple(
    IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class ForbiddenAddressError(Exception):
    """A customer's URL leads to an address that is not on the public network."""


class ClientReactor(IReactorTCP, IReactorTime, IReactorPluggableNameResolver):
    """What an HTTP agent needs of a reactor."""


def is_public(host: str) -> bool:
    """
    Return whether ``host`` is the literal of an address on the public network.

    Loopback, private, link-local (metadata services), shared, multicast and reserved addresses are
    not, nor is an IPv6 address that carries an IPv4 address within. Neither is a name.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_global(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED):
            return False
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special


@implementer(ClientReactor)
class GuardedReactor:
    """A reactor that opens connections to public addresses only."""

    def __init__(self, reactor: ClientReactor) -> None:
        self._reactor = reactor

    @property
    def nameResolver(self) -> IHostnameResolver:
        """See ``IReactorPluggableNameResolver``; read anew, the resolver may be replaced."""
        return self._reactor.nameResolver

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """See ``IReactorPluggableNameResolver``; the resolver is the reactor's own."""
        return self._reactor.installNameResolver(resolver)

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,  # noqa: N803 (the name is IReactorTCP's)
    ) -> IConnector:
        """
        Connect to ``host``, which an endpoint has resolved already.

        :raises ForbiddenAddressError: it is not a public address.
        """
        if not is_public(host):
            raise ForbiddenAddressError
        return self._reactor.connectTCP(host, port, factory, timeout, bindAddress)

    def listenTCP(self, *arguments: Any, **options: Any) -> IListeningPort:
        """See ``IReactorTCP``; only going out is guarded."""
        return self._reactor.listenTCP(*arguments, **options)

    def callLater(self, delay: float, *call: Any, **options: Any) -> IDelayedCall:
        """See ``IReactorTime``."""
        return self._reactor.callLater(delay, *call, **options)

    def seconds(self) -> float:
        """See ``IReactorTime``."""
        return self._reactor.seconds()

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """See ``IReactorTime``."""
        return self._reactor.getDelayedCalls()
