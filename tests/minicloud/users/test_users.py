"""Tests of ``minicloud.users.service``."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from twisted.trial.unittest import SynchronousTestCase

from minicloud.bus import LocalBus, Message
from minicloud.clock import DrivenTime
from minicloud.config import DEFAULT_PROJECTS, DEFAULT_USERS, stable_id
from minicloud.testing import finish
from minicloud.users import service
from minicloud.users.interface import (
    USERS,
    Authenticate,
    CreateProject,
    CreateUser,
    FindProject,
    FindToken,
    ListProjects,
    NameTakenError,
    NotAuthenticatedError,
    ResetUsers,
    RevokeAllTokens,
    RevokeToken,
    Scope,
    SetTokenLifetime,
    Token,
    UnknownProjectError,
    UnknownTokenError,
)

DEMO = Scope(project_name="demo")
T = TypeVar("T")


class UsersTests(SynchronousTestCase):
    """Users, projects, roles and tokens."""

    def setUp(self) -> None:
        """Make a user manager with the default accounts."""
        self.time = DrivenTime.starting_at(datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = LocalBus()
        users = service.Users(self.time, DEFAULT_PROJECTS, DEFAULT_USERS, timedelta(hours=1))
        users.attach(self.bus)

    def ask(self, message: Message[T]) -> T:
        """Ask the user manager."""
        return finish(self.bus.call(USERS, message))

    def token(self, user: str = "demo", scope: Scope | None = DEMO) -> Token:
        """Return a token of a configured user."""
        return self.ask(Authenticate(user, f"{user}-password", scope))

    def test_scoped(self) -> None:
        """A token says whose it is, for which project, and which roles that gives."""
        token = self.token()

        self.assertEqual(token.user_name, "demo")
        self.assertEqual(token.project and token.project.name, "demo")
        self.assertEqual(token.roles, ("admin", "member"))
        self.assertEqual(token.expires - token.issued, timedelta(hours=1))

    def test_scope_by_id(self) -> None:
        """A project is named by its id as well, which wins over a name."""
        scope = Scope(project_id=stable_id("project", "other"), project_name="demo")

        self.assertEqual(self.token("demo", scope).roles, ("member",))

    def test_unscoped(self) -> None:
        """Without a project there are no roles."""
        token = self.token("demo", None)

        self.assertEqual((token.project, token.roles), (None, ()))

    def test_refused(self) -> None:
        """Wrong password, unknown user, unknown project and missing role look alike."""
        refused = (
            Authenticate("demo", "wrong", DEMO),
            Authenticate("nobody", "demo-password", DEMO),
            Authenticate("demo", "demo-password", Scope(project_name="nowhere")),
            Authenticate("observer", "observer-password", Scope(project_name="other")),
        )
        for message in refused:
            self.assertRaises(NotAuthenticatedError, self.ask, message)

    def test_service_user(self) -> None:
        """A service account acts for every project, also for one that was made later."""
        project = self.ask(CreateProject("acme"))
        token = self.token("otter", Scope(project.project_id))

        self.assertEqual(token.project, project)
        self.assertIn("admin", token.roles)

    def test_expiry(self) -> None:
        """A token is worth nothing from its expiry on."""
        token = self.token()
        self.time.advance(timedelta(minutes=59))
        self.assertEqual(self.ask(FindToken(token.token_id)), token)
        self.time.advance(timedelta(minutes=1))

        self.assertRaises(UnknownTokenError, self.ask, FindToken(token.token_id))

    def test_lifetime(self) -> None:
        """The lifetime can be set, to make clients renew their tokens."""
        self.ask(SetTokenLifetime(timedelta(seconds=5)))
        token = self.token()

        self.assertEqual(token.expires - token.issued, timedelta(seconds=5))

    def test_revoked(self) -> None:
        """A revoked token is unknown, and revoking it again is fine."""
        token = self.token()
        self.ask(RevokeToken(token.token_id))
        self.ask(RevokeToken(token.token_id))

        self.assertRaises(UnknownTokenError, self.ask, FindToken(token.token_id))

    def test_all_revoked(self) -> None:
        """All tokens go at once, as when a cloud loses its token store."""
        tokens = [self.token(), self.token("observer")]

        self.assertEqual(self.ask(RevokeAllTokens()), 2)
        for token in tokens:
            self.assertRaises(UnknownTokenError, self.ask, FindToken(token.token_id))

    def test_bounded(self) -> None:
        """There are only so many tokens; the oldest is forgotten first."""
        self.patch(service, "MAX_TOKENS", 2)
        first, second, third = self.token(), self.token(), self.token()

        self.assertRaises(UnknownTokenError, self.ask, FindToken(first.token_id))
        self.assertEqual(self.ask(FindToken(second.token_id)), second)
        self.assertEqual(self.ask(FindToken(third.token_id)), third)

    def test_new_user(self) -> None:
        """Users are added while the cloud runs, with roles on projects that exist."""
        project = self.ask(CreateProject("acme", "p-1"))
        self.ask(CreateUser("ann", "secret", {"p-1": ("member",)}))
        token = self.ask(Authenticate("ann", "secret", Scope(project_name="acme")))

        self.assertEqual((token.project, token.roles), (project, ("member",)))
        self.assertRaises(
            UnknownProjectError, self.ask, CreateUser("bob", "secret", {"p-2": ("member",)})
        )

    def test_taken(self) -> None:
        """Names are unique, so that they can be logged in with."""
        self.assertRaises(NameTakenError, self.ask, CreateProject("demo", "another-id"))
        self.assertRaises(NameTakenError, self.ask, CreateUser("demo", "secret"))

    def test_reset(self) -> None:
        """A reset forgets tokens and what was added, and keeps what was configured."""
        token = self.token()
        self.ask(CreateProject("acme", "p-1"))
        self.ask(ResetUsers())

        self.assertRaises(UnknownTokenError, self.ask, FindToken(token.token_id))
        self.assertRaises(UnknownProjectError, self.ask, FindProject("p-1"))
        self.assertEqual(
            [project.name for project in self.ask(ListProjects())], ["demo", "other", "service"]
        )

    def test_no_secrets_shown(self) -> None:
        """Tokens and passwords do not appear where records are logged."""
        token = self.token()
        shown = repr((token, Authenticate("demo", "demo-password"), FindToken(token.token_id)))

        self.assertNotIn(token.token_id, shown)
        self.assertNotIn("demo-password", shown)
