"""
What the user manager is asked, and the records and errors of its answers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import field, frozen
from pyrsistent import PMap, pmap

from minicloud.bus import ComponentName, Message
from minicloud.config import as_roles

USERS = ComponentName("users")


class NotAuthenticatedError(Exception):
    """Unknown user, wrong password, no role on the project: one answer, so nothing is learned."""


class UnknownTokenError(Exception):
    """The token does not exist, expired or was revoked."""


class UnknownProjectError(Exception):
    """There is no such project."""


class NameTakenError(Exception):
    """A user or project of that name or id exists already."""


@frozen
class Project:
    """Owns servers and load balancers."""

    project_id: str
    name: str


@frozen
class Token:
    """
    An issued token.

    :ivar project: what it is scoped to, or None.
    :ivar roles: names of roles on that project.
    """

    token_id: str = field(repr=False)
    user_id: str
    user_name: str
    project: Project | None
    roles: tuple[str, ...]
    issued: datetime
    expires: datetime


@frozen
class Scope:
    """The project a token is wanted for: by id, or by name when that is empty."""

    project_id: str = ""
    project_name: str = ""


@frozen
class Authenticate(Message[Token]):
    """
    Issue a token for a password.

    :ivar user_id: names the user where ``user_name`` is empty.
    :raises NotAuthenticatedError: no.
    """

    user_name: str
    password: str = field(repr=False)
    scope: Scope | None = None
    user_id: str = ""


@frozen
class FindToken(Message[Token]):
    """
    Say whose token this is.

    :raises UnknownTokenError: nobody's.
    """

    token_id: str = field(repr=False)


@frozen
class RevokeToken(Message[None]):
    """Make a token worthless; fine if it is already."""

    token_id: str = field(repr=False)


@frozen
class RevokeAllTokens(Message[int]):
    """Make every token worthless and say how many there were."""


@frozen
class SetTokenLifetime(Message[None]):
    """Decide how long tokens issued from now on are good for."""

    lifetime: timedelta


@frozen
class CreateProject(Message[Project]):
    """
    Add a project; an empty id is chosen.

    :raises NameTakenError: the name or id is in use.
    """

    name: str
    project_id: str = ""


@frozen
class FindProject(Message[Project]):
    """
    Return a project by id.

    :raises UnknownProjectError: there is none.
    """

    project_id: str


@frozen
class ListProjects(Message[Sequence[Project]]):
    """Return all projects in the order of their creation."""


@frozen
class CreateUser(Message[str]):
    """
    Add a user and return the id.

    :ivar roles: project id to names of roles.
    :raises NameTakenError: the name is in use.
    :raises UnknownProjectError: a role is on a project that does not exist.
    """

    name: str
    password: str = field(repr=False)
    roles: PMap[str, tuple[str, ...]] = field(converter=as_roles, factory=pmap)
    service_roles: tuple[str, ...] = ()


@frozen
class ResetUsers(Message[None]):
    """Forget every token and whatever was added since the start."""
