"""
The exit statuses that scripts may trust, and which answer of the service leads to which. Pure.

The numbers are documented in ``docs/cli.rst``; changing one breaks somebody's script.
"""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNAVAILABLE = 5
    NOT_REACHED = 6
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class CommandError(Exception):
    """
    A command did not do what was asked; the text is for whoever typed it.

    :ivar status: how the command ends for it.
    """

    status = Exit.REFUSED


class RefusedError(CommandError):
    """The service understood and said no."""


class UsageError(CommandError):
    """What was typed, or what the configuration files hold, is not enough or makes no sense."""

    status = Exit.USAGE


class NotFoundError(CommandError):
    """There is no such thing."""

    status = Exit.NOT_FOUND


class NotAllowedError(CommandError):
    """The credentials are wrong, or give no right to do this."""

    status = Exit.NOT_ALLOWED


class UnavailableError(CommandError):
    """The service, or one it depends on, does not answer as it should; later it may."""

    status = Exit.UNAVAILABLE


class NotReachedError(CommandError):
    """What was waited for did not happen in time, or cannot happen any more."""

    status = Exit.NOT_REACHED


NO_RIGHT = frozenset({"", "Forbidden"})
"""Types of a 403 that are about the caller; the others are about the state of a group."""


def error_for(status: int, kind: str) -> type[CommandError]:
    """
    Return which error an answer means.

    :param status: of HTTP, not 2xx.
    :param kind: ``type`` in the service's error document; empty if there is none.
    """
    if status == 401 or (status == 403 and kind in NO_RIGHT):
        return NotAllowedError
    if status == 404:
        return NotFoundError
    if 400 <= status < 500:
        return RefusedError
    # What is neither yes nor no (a redirect, say) does not come from a healthy Otter.
    return UnavailableError
