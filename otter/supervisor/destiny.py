"""What we intend for a server, by the state the cloud says it is in: one table, no exceptions."""

from enum import Enum

from otter.cloud.interface import Server


class Destiny(Enum):
    """What to do about a server of ours that is to stay."""

    SERVE = "serve"
    """It runs: put it on its load balancers and count it."""
    BUILD = "build"
    """It is being made: count it and wait, up to the build timeout."""
    WAIT = "wait"
    """It is busy with something that ends by itself: count it, touch nothing."""
    LEAVE = "leave"
    """Somebody put it aside on purpose: count it, touch nothing."""
    REPLACE = "replace"
    """It is broken: delete it, and make another."""
    GOING = "going"
    """Somebody is deleting it: do not count it, see it off."""
    GONE = "gone"
    """It is as good as deleted."""


DESTINIES: dict[str, Destiny] = {
    "ACTIVE": Destiny.SERVE,
    "BUILD": Destiny.BUILD,
    "REBOOT": Destiny.WAIT,
    "HARD_REBOOT": Destiny.WAIT,
    "MIGRATING": Destiny.WAIT,
    "PASSWORD": Destiny.WAIT,
    "REBUILD": Destiny.WAIT,
    "RESIZE": Destiny.WAIT,
    "REVERT_RESIZE": Destiny.WAIT,
    "RESCUE": Destiny.LEAVE,
    "VERIFY_RESIZE": Destiny.LEAVE,
    "SUSPENDED": Destiny.LEAVE,
    "PAUSED": Destiny.LEAVE,
    "SHELVED": Destiny.LEAVE,
    "SHELVED_OFFLOADED": Destiny.LEAVE,
    "ERROR": Destiny.REPLACE,
    "SHUTOFF": Destiny.REPLACE,
    "SOFT_DELETED": Destiny.GONE,
    "DELETED": Destiny.GONE,
}
"""Every Nova status we know. One that is not here, UNKNOWN among them, counts and waits."""


def destiny_of(server: Server) -> Destiny:
    """Return what we intend for the server."""
    if server.task_state == "deleting":
        return Destiny.GOING
    return DESTINIES.get(server.status, Destiny.WAIT)
