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
    """A user, project or application credential of that name or id exists already."""


class UnknownUserError(Exception):
    """There is no such user, or it has no project."""


class UnknownApplicationError(Exception):
    """There is no such application credential of this user."""


class RolesNotHeldError(Exception):
    """An application credential is to have roles that its owner has not."""


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
    :ivar application: the application credential that it was issued for, or None.
    """

    token_id: str = field(repr=False)
    user_id: str
    user_name: str
    project: Project | None
    roles: tuple[str, ...]
    issued: datetime
    expires: datetime
    application: "Application | None" = None


@frozen
class Application:
    """
    An application credential: lets a program act as its owner on one project, with some roles.

    :ivar expires: until when it is good, or None.
    """

    application_id: str
    name: str
    description: str
    user_id: str
    project: Project
    roles: tuple[str, ...]
    expires: datetime | None = None


@frozen
class Member:
    """A user, and which roles it was given on a project."""

    user_id: str
    name: str
    roles: tuple[str, ...]


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
class AuthenticateApplication(Message[Token]):
    """
    Issue a token for an application credential, named by its id or by its name and its owner.

    :raises NotAuthenticatedError: no.
    """

    application_id: str
    secret: str = field(repr=False)
    name: str = ""
    user_id: str = ""
    user_name: str = ""


@frozen
class Impersonate(Message[Token]):
    """
    Issue a token of somebody else's, for the first project that the user has a role on.

    :raises UnknownUserError: there is nobody to be.
    """

    user_name: str
    lifetime: timedelta


@frozen
class ListMembers(Message[Sequence[Member]]):
    """
    Return who was given roles on a project, service accounts left out.

    :raises UnknownProjectError: there is no such project.
    """

    project_id: str


@frozen
class CreateApplication(Message[Application]):
    """
    Add an application credential for its owner on a project.

    :ivar roles: empty stands for all that the owner has there.
    :raises NameTakenError: the owner has one of this name.
    :raises RolesNotHeldError: the owner has not these roles.
    """

    user_id: str
    project_id: str
    name: str
    secret: str = field(repr=False)
    roles: tuple[str, ...] = ()
    description: str = ""
    expires: datetime | None = None


@frozen
class ListApplications(Message[Sequence[Application]]):
    """Return a user's application credentials in the order of their creation."""

    user_id: str


@frozen
class DeleteApplication(Message[None]):
    """
    Remove an application credential, and with it every token that was issued for it.

    :raises UnknownApplicationError: there is none.
    """

    user_id: str
    application_id: str


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
