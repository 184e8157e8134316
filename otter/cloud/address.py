"""Decide under which address a server serves. Pure."""

from collections.abc import Sequence

PRIVATE_LABEL = "private"


def service_address(addresses: Sequence[tuple[str, str]]) -> str | None:
    """
    Return the first address on the network labelled ``private``, else the first of any, else None.

    :param addresses: fixed IPv4 addresses as ``(network label, address)``, in the cloud's order.
    """
    private = [address for label, address in addresses if label == PRIVATE_LABEL]
    every = [address for _, address in addresses]
    return next(iter([*private, *every]), None)
