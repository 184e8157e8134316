"""
The user manager: answers who may act for which project.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from attrs import field, frozen
from pyrsistent import PMap

from minicloud.bus import CheckHealth, MessageBus
from minicloud.clock import CloudTime
from minicloud.config import ProjectConfig, UserConfig, stable_id
from minicloud.users.applications import Applications
from minicloud.users.interface import (
    USERS,
    Application,
    Authenticate,
    AuthenticateApplication,
    CreateApplication,
    CreateProject,
    CreateUser,
    DeleteApplication,
    FindProject,
    FindToken,
    Impersonate,
    ListApplications,
    ListMembers,
    ListProjects,
    Member,
    NameTakenError,
    NotAuthenticatedError,
    Project,
    ResetUsers,
    RevokeAllTokens,
    RevokeToken,
    RolesNotHeldError,
    Scope,
    SetTokenLifetime,
    Token,
    UnknownProjectError,
    UnknownTokenError,
    UnknownUserError,
)
from minicloud.users.passwords import PasswordHash, hash_password

MAX_TOKENS = 100_000  # the oldest is forgotten first


@frozen
class _User:
    user_id: str
    name: str
    password: PasswordHash
    roles: PMap[str, tuple[str, ...]]
    service_roles: tuple[str, ...] = field(default=())

    def roles_on(self, project: Project) -> tuple[str, ...]:
        """Return the user's roles on a project, those of a service account included."""
        here = self.roles.get(project.project_id, ())
        return tuple(dict.fromkeys((*here, *self.service_roles)))


class Users:
    """Users, projects, roles and tokens, in memory."""

    def __init__(
        self,
        time: CloudTime,
        projects: Iterable[ProjectConfig],
        users: Iterable[UserConfig],
        token_lifetime: timedelta,
    ) -> None:
        self._time = time
        self._configured = (tuple(projects), tuple(users), token_lifetime)
        self._load()

    def attach(self, bus: MessageBus) -> None:
        """Take messages from the bus."""
        bus.attach(
            USERS,
            {
                Authenticate: self._authenticate,
                AuthenticateApplication: self._authenticate_application,
                Impersonate: self._impersonate,
                ListMembers: self._list_members,
                CreateApplication: self._create_application,
                ListApplications: self._list_applications,
                DeleteApplication: self._delete_application,
                FindToken: self._find_token,
                RevokeToken: self._revoke,
                RevokeAllTokens: self._revoke_all,
                SetTokenLifetime: self._set_lifetime,
                CreateProject: self._create_project,
                FindProject: self._find_project,
                ListProjects: self._list_projects,
                CreateUser: self._create_user,
                ResetUsers: self._reset,
                CheckHealth: self._check_health,
            },
        )

    def _load(self) -> None:
        projects, users, self._lifetime = self._configured
        self._tokens: dict[str, Token] = {}
        self._applications = Applications()
        self._projects = {p.project_id: Project(p.project_id, p.name) for p in projects}
        ids = {p.name: p.project_id for p in projects}
        self._users: dict[str, _User] = {}
        for user in users:
            roles = {ids[name]: given for name, given in user.roles.items()}
            self._add_user(CreateUser(user.name, user.password, roles, user.service_roles))

    def _add_user(self, message: CreateUser) -> str:
        user_id = stable_id("user", message.name)
        if user_id in self._users:
            raise NameTakenError(f"user {message.name} exists")
        for project_id in message.roles:
            self._project(project_id)
        self._users[user_id] = _User(
            user_id,
            message.name,
            hash_password(message.password),
            message.roles,
            message.service_roles,
        )
        return user_id

    def _project(self, project_id: str) -> Project:
        try:
            return self._projects[project_id]
        except KeyError:
            raise UnknownProjectError(f"Could not find project: {project_id}.") from None

    async def _authenticate(self, message: Authenticate) -> Token:
        user = self._users.get(message.user_id or stable_id("user", message.user_name))
        if user is None or not user.password.matches(message.password):
            raise NotAuthenticatedError
        project = self._scoped(message.scope)
        roles = () if project is None else user.roles_on(project)
        if project is not None and not roles:
            raise NotAuthenticatedError
        return self._issue(user, project, roles)

    async def _authenticate_application(self, message: AuthenticateApplication) -> Token:
        owner = message.user_id or stable_id("user", message.user_name)
        found = self._applications.find(message.application_id, owner, message.name)
        good = self._applications.matches(found, message.secret)
        if found is None or not good or (found.expires and found.expires <= self._time.now()):
            raise NotAuthenticatedError
        user = self._users[found.user_id]
        return self._issue(user, found.project, found.roles, application=found)

    async def _impersonate(self, message: Impersonate) -> Token:
        user = self._users.get(stable_id("user", message.user_name))
        if user is None or not user.roles:
            raise UnknownUserError
        # In the order of the projects' creation: a persistent map has an order of its own.
        project = next(one for one in self._projects.values() if one.project_id in user.roles)
        return self._issue(user, project, user.roles_on(project), message.lifetime)

    async def _list_members(self, message: ListMembers) -> Sequence[Member]:
        project = self._project(message.project_id)
        return tuple(
            Member(user.user_id, user.name, user.roles[project.project_id])
            for user in self._users.values()
            if project.project_id in user.roles
        )

    async def _create_application(self, message: CreateApplication) -> Application:
        project = self._project(message.project_id)
        held = self._users[message.user_id].roles_on(project)
        if not held or not set(message.roles) <= set(held):
            raise RolesNotHeldError
        return self._applications.add(message, project, message.roles or held)

    async def _list_applications(self, message: ListApplications) -> Sequence[Application]:
        return self._applications.of_user(message.user_id)

    async def _delete_application(self, message: DeleteApplication) -> None:
        gone = self._applications.remove(message.user_id, message.application_id)
        self._tokens = {
            key: token for key, token in self._tokens.items() if token.application != gone
        }

    def _scoped(self, scope: Scope | None) -> Project | None:
        if scope is None:
            return None
        for project in self._projects.values():
            wanted = project.project_id if scope.project_id else project.name
            if wanted == (scope.project_id or scope.project_name):
                return project
        raise NotAuthenticatedError

    def _issue(
        self,
        user: _User,
        project: Project | None,
        roles: tuple[str, ...],
        lifetime: timedelta | None = None,
        application: Application | None = None,
    ) -> Token:
        now = self._time.now()
        expires = now + (self._lifetime if lifetime is None else lifetime)
        if application is not None and application.expires is not None:
            expires = min(expires, application.expires)
        token = Token(
            secrets.token_hex(16),
            user.user_id,
            user.name,
            project,
            roles,
            now,
            expires,
            application,
        )
        while len(self._tokens) >= MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token.token_id] = token
        return token

    async def _find_token(self, message: FindToken) -> Token:
        token = self._tokens.get(message.token_id)
        if token is None:
            raise UnknownTokenError
        if token.expires <= self._time.now():
            del self._tokens[message.token_id]
            raise UnknownTokenError
        return token

    async def _revoke(self, message: RevokeToken) -> None:
        self._tokens.pop(message.token_id, None)

    async def _revoke_all(self, _: RevokeAllTokens) -> int:
        count = len(self._tokens)
        self._tokens.clear()
        return count

    async def _set_lifetime(self, message: SetTokenLifetime) -> None:
        self._lifetime = message.lifetime

    async def _create_project(self, message: CreateProject) -> Project:
        project = Project(message.project_id or stable_id("project", message.name), message.name)
        taken = project.project_id in self._projects or any(
            other.name == project.name for other in self._projects.values()
        )
        if taken:
            raise NameTakenError(f"project {message.name} or its id exists")
        self._projects[project.project_id] = project
        return project

    async def _find_project(self, message: FindProject) -> Project:
        return self._project(message.project_id)

    async def _list_projects(self, _: ListProjects) -> Sequence[Project]:
        return tuple(self._projects.values())

    async def _create_user(self, message: CreateUser) -> str:
        return self._add_user(message)

    async def _reset(self, _: ResetUsers) -> None:
        self._load()

    async def _check_health(self, _: CheckHealth) -> Mapping[str, int]:
        return {"users": len(self._users), "projects": len(self._projects)}
