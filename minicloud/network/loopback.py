"""
Claim a part of 127.0.0.0/8 for the servers of one cloud.

Several clouds may run on one machine, and two must not give out the same address. The first that
binds a certain port on 127.N.0.1 owns 127.N.0.0/16 for as long as it lives; the kernel takes the
claim back however the process ends.
"""

import errno
import socket

from attrs import frozen

from minicloud.config import AddressRange

# The ends are left alone, because other software uses them, and so is what balancers listen on.
FIRST_OCTET, LAST_OCTET = 1, 239
CLAIM_PORT = 17999  # nothing listens there; the bind alone is the claim
PROJECT_PREFIX = 24


class NoLoopbackError(Exception):
    """Every part is taken, or the servers' port is taken on all of them."""


@frozen
class LoopbackClaim:
    """A claimed range, held until released."""

    addresses: AddressRange
    _socket: socket.socket

    def release(self) -> None:
        """Let another cloud have it."""
        self._socket.close()


def claim_loopback(guest_port: int) -> LoopbackClaim:
    """
    Claim the first free part.

    :param guest_port: where servers listen; it has to be free there.
    :raises NoLoopbackError: none is free.
    """
    for octet in range(FIRST_OCTET, LAST_OCTET + 1):
        claim = _bound(f"127.{octet}.0.1", CLAIM_PORT)
        if claim is None:
            continue
        probe = _bound(f"127.{octet}.0.1", guest_port)
        if probe is None:
            claim.close()
            raise NoLoopbackError(
                f"port {guest_port} is taken on loopback addresses; choose another --guest-port"
            )
        probe.close()
        return LoopbackClaim(AddressRange(f"127.{octet}.0.0/16", PROJECT_PREFIX), claim)
    raise NoLoopbackError("every part of 127.0.0.0/8 is claimed by another cloud")


def _bound(host: str, port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return bound
