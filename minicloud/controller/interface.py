"""
What the controller is asked, and the errors of its answers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen
from pyrsistent import PMap

from minicloud.bus import ComponentName, Message
from minicloud.config import Flavor, Image
from minicloud.controller.records import NewServer, Server
from minicloud.node.interface import as_metadata

CONTROLLER = ComponentName("controller")
UNLIMITED = -1
MAX_METADATA_ITEMS = 128


class UnknownServerError(Exception):
    """There is no such server, or it is another project's, or it is deleted."""


class UnknownReferenceError(Exception):
    """The request names a flavor, image or key that does not exist; the message says which."""


class UnknownMarkerError(Exception):
    """The page is to start after a server that does not exist."""


class UnknownKeyError(Exception):
    """The server has no such metadata item."""


class StateConflictError(Exception):
    """The server's state does not allow this; the message is Nova's."""


class QuotaExceededError(Exception):
    """The project may not have more; the message is Nova's."""


class FateKind(StrEnum):
    """What is commanded to happen to a server that is being created."""

    STUCK = "stuck"
    ERROR = "error"
    ACTIVE_THEN_ERROR = "active-then-error"
    SLOW = "slow"


@frozen
class Fate:
    """
    A commanded course.

    :ivar after: time until ERROR (counted from ACTIVE where it gets there), or a slow boot's
        duration.
    """

    kind: FateKind
    message: str = ""
    after: timedelta = timedelta(0)


class NodeEvent(StrEnum):
    """What a node reports."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DESTROYED = "destroyed"


class Action(StrEnum):
    """What can be done with a server; the value is Nova's verb in error messages."""

    REBOOT_SOFT = "reboot"
    REBOOT_HARD = "hard reboot"
    START = "start"
    STOP = "stop"
    REBUILD = "rebuild"


@frozen
class CreateServer(Message[Server]):
    """
    Record a server and start building it.

    :raises UnknownReferenceError: the flavor, image or key does not exist.
    :raises QuotaExceededError: the project has as many as it may.
    """

    project_id: str
    user_id: str
    new: NewServer
    fate: Fate | None = None


@frozen
class GetServer(Message[Server]):
    """
    Return a server; of any project where that is None.

    :raises UnknownServerError: there is none.
    """

    project_id: str | None
    server_id: str


@frozen
class Criteria:
    """What servers a list is limited to; an empty field limits nothing."""

    name: str = ""
    statuses: frozenset[str] = frozenset()
    image_id: str = ""
    flavor_id: str = ""
    tags: frozenset[str] = frozenset()
    tags_any: frozenset[str] = frozenset()
    not_tags: frozenset[str] = frozenset()
    not_tags_any: frozenset[str] = frozenset()
    changes_since: datetime | None = None
    changes_before: datetime | None = None


@frozen
class Page:
    """A part of a list; ``more`` says whether anything follows."""

    servers: tuple[Server, ...]
    more: bool


@frozen
class ListServers(Message[Page]):
    """
    Return a page, newest first.

    :ivar lag_new: leave out servers younger than this, as a list that lags behind does.
    :ivar lag_deleted: show servers deleted more recently than this as if they were there.
    :raises UnknownMarkerError: the marker names no server.
    """

    project_id: str | None
    criteria: Criteria = Criteria()
    marker: str = ""
    limit: int = 1000
    lag_new: timedelta = timedelta(0)
    lag_deleted: timedelta = timedelta(0)


@frozen
class DeleteServer(Message[None]):
    """
    Start a server's deletion; fine if it has started.

    :ivar at_once: do not wait the commanded time.
    :raises UnknownServerError: there is none.
    """

    project_id: str | None
    server_id: str
    at_once: bool = False


@frozen
class ChangeMetadata(Message[Server]):
    """
    Change a server's metadata: set ``items``, over what is there or instead of it.

    :raises UnknownServerError: there is none.
    :raises QuotaExceededError: that would be too many items.
    """

    project_id: str
    server_id: str
    items: PMap[str, str] = field(converter=as_metadata)
    replace: bool = False


@frozen
class RemoveMetadata(Message[None]):
    """
    Remove one item.

    :raises UnknownServerError: there is none.
    :raises UnknownKeyError: the server has no such item.
    """

    project_id: str
    server_id: str
    key: str


@frozen
class RenameServer(Message[Server]):
    """
    Give a server another name.

    :raises UnknownServerError: there is none.
    """

    project_id: str
    server_id: str
    name: str


@frozen
class ActOnServer(Message[Server]):
    """
    Start an action.

    :ivar image_id: what to rebuild from, or empty.
    :raises UnknownServerError: there is none.
    :raises UnknownReferenceError: the image does not exist.
    :raises StateConflictError: not in its state.
    """

    project_id: str
    server_id: str
    action: Action
    image_id: str = ""


@frozen
class ReportServer(Message[None]):
    """A node says what became of a server; fine if nobody knows it any more."""

    server_id: str
    event: NodeEvent
    message: str = ""


@frozen
class Usage:
    """What a project uses and may use at most (-1: no limit)."""

    instances: int
    cores: int
    ram_mb: int
    max_instances: int


@frozen
class GetUsage(Message[Usage]):
    """Return what a project uses."""

    project_id: str


@frozen
class ListFlavors(Message[Sequence[Flavor]]):
    """Return all flavors."""


@frozen
class ListImages(Message[Sequence[Image]]):
    """Return all images."""


@frozen
class SetQuota(Message[None]):
    """Limit a project's servers; -1 lifts the limit."""

    project_id: str
    instances: int


@frozen
class SetStatus(Message[Server]):
    """
    Make a server look a certain way.

    :raises UnknownServerError: there is none.
    :raises ValueError: no such status, or it cannot be set.
    """

    server_id: str
    status: str
    message: str = ""


@frozen
class SetDeleteTime(Message[None]):
    """Decide how long a deletion that was accepted lingers before it begins."""

    delete_time: timedelta


@frozen
class ResetController(Message[None]):
    """Forget every server, quota and setting; the nodes and the network are reset apart."""
