"""
What the controller knows of a server.
"""

from collections.abc import Iterable
from datetime import datetime

from attrs import field, frozen
from pyrsistent import PMap, pmap

from minicloud.config import Flavor
from minicloud.node.interface import as_metadata


def as_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags once each, in the order given."""
    return tuple(dict.fromkeys(tags))


@frozen
class Fault:
    """Why a server is in ERROR."""

    code: int
    message: str
    created: datetime


@frozen
class NewServer:
    """
    What a server is created from.

    :ivar image_id: empty where the server boots from nothing this cloud knows.
    :ivar networked: False where the owner asked for no network; no address is shown then.
    """

    name: str
    image_id: str
    flavor_id: str
    metadata: PMap[str, str] = field(converter=as_metadata, factory=pmap)
    tags: tuple[str, ...] = field(converter=as_tags, default=())
    key_name: str | None = None
    description: str | None = None
    user_data: str | None = None
    security_groups: tuple[str, ...] = ("default",)
    config_drive: bool = False
    networked: bool = True


@frozen
class Server:
    """
    A server.

    :ivar sequence: grows with every server made, so that lists have one order.
    :ivar state_before: vm and task state when its deletion was asked for.
    :ivar host: the node it was placed on, or empty.
    :ivar address: its fixed address, or empty.
    """

    server_id: str
    sequence: int
    project_id: str
    user_id: str
    new: NewServer
    flavor: Flavor
    created: datetime
    updated: datetime
    metadata: PMap[str, str] = field(converter=as_metadata)
    name: str
    image_id: str
    vm_state: str = "building"
    task_state: str | None = "scheduling"
    state_before: tuple[str, str | None] = ("building", None)
    host: str = ""
    address: str = ""
    fault: Fault | None = None
    launched: datetime | None = None
    terminated: datetime | None = None

    @property
    def deleting(self) -> bool:
        """Whether its end was asked for or has come."""
        return self.task_state == "deleting" or self.vm_state == "deleted"
