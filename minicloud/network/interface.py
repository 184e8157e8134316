"""
What the network controller is asked, and the records and errors of its answers.
"""

from collections.abc import Mapping

from attrs import frozen

from minicloud.bus import ComponentName, Message

NETWORK = ComponentName("network")


class NoAddressError(Exception):
    """The range has no subnet left for the project, or the project's subnet no address."""


@frozen
class Allocation:
    """
    A server's fixed address.

    :ivar vlan: the number that tells the project's network from others.
    """

    server_id: str
    project_id: str
    address: str
    cidr: str
    vlan: int


@frozen
class Allocate(Message[Allocation]):
    """
    Give a server its address; asked again, the same one.

    :raises NoAddressError: there is none.
    """

    server_id: str
    project_id: str


@frozen
class Release(Message[None]):
    """Take a server's address back; fine if it holds none."""

    server_id: str


@frozen
class ListAllocations(Message[Mapping[str, Allocation]]):
    """Return what is held now, by server id."""


@frozen
class ResetNetwork(Message[None]):
    """Take every address back."""
