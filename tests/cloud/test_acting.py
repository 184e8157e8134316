"""Tests of the three ways to act for tenants."""

from functools import partial
from pathlib import Path
from typing import Any

import simplejson
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.acting import ServiceUser
from otter.cloud.application_credentials import ApplicationCredentials, CredentialsFile
from otter.cloud.errors import AccessDeniedError, AuthenticationError, NotSentError, TransientError
from otter.cloud.identity_v3 import IdentityV3
from otter.cloud.impersonation import Impersonation
from otter.cloud.tokens import IdentityVersion
from otter.models.ids import TenantId
from tests.cloud.credentials import SECRET, write_credentials
from tests.cloud.scene import TENANT, Scene, a_config
from tests.contracts import acting as contract
from tests.contracts.acting import OTHER


class ServiceUserV3Tests(contract.OwnCredentialsContract):
    """Our own password, with identity v3."""

    version = IdentityVersion.V3

    def setUp(self) -> None:
        """Wire it."""
        self.scene = Scene(self.version)

    def test_identity_that_denies_everything_is_in_trouble(self) -> None:
        """A 403 or a 404 for ourselves as well says nothing about the tenant."""
        for status in (403, 404):
            self.scene.wire.identity.broken = status

            self.refused(self.scene.cloud.list_servers(), NotSentError)

    def test_forbidden_tenant_is_told_apart_whatever_the_status(self) -> None:
        """Versions of identity differ in how they say that there is no role."""
        identity = self.scene.identity
        real = identity.authenticate

        async def authenticate(tenant_id: Any, /) -> Any:
            if tenant_id == TENANT:
                raise AccessDeniedError("forbidden", status=403)
            return await real(tenant_id)

        self.patch(identity, "authenticate", authenticate)
        error = self.refused(self.scene.cloud.list_servers(), AccessDeniedError)

        self.assertIn(f"project {TENANT}: it has no role there", error.message)

    def test_own_credentials_are_proven_once_for_many_refusals(self) -> None:
        """A thousand tenants without a role do not treble the load of identity."""
        self.shut_out()
        asked = []
        for _ in range(2):
            self.scene.wire.requests.clear()
            self.refused(self.scene.cloud.list_servers(), AccessDeniedError)
            asked.append(len(self.scene.wire.requests))
        self.scene.clock.advance(60)
        self.scene.wire.requests.clear()
        self.refused(self.scene.cloud.list_servers(), AccessDeniedError)
        asked.append(len(self.scene.wire.requests))

        self.assertEqual([3, 2, 3], asked)


class ServiceUserV2Tests(ServiceUserV3Tests):
    """Our own password, with identity v2.0."""

    version = IdentityVersion.V2


def as_impersonator(scene: Scene, **options: Any) -> Impersonation:
    """Return the strategy that becomes the tenant's user."""
    return Impersonation(scene.config, scene.http, scene.own, scene.clock, **options)


class ImpersonationTests(contract.OwnCredentialsContract):
    """Being the tenant's admin user."""

    def setUp(self) -> None:
        """Wire it."""
        self.scene = Scene(IdentityVersion.V2, acting=as_impersonator)

    def test_calls_are_as_documented(self) -> None:
        """Who, then the token, then what it opens; each with our own token."""
        self.done(self.scene.own.token_for(self.scene.config.project))
        self.scene.wire.requests.clear()
        token = self.done(self.source.authenticate(TENANT))
        calls = [(method, uri) for method, uri, _, _ in self.scene.wire.requests]
        wish = simplejson.loads(self.scene.wire.requests[1][3])
        own = {headers["x-auth-token"] for _, _, headers, _ in self.scene.wire.requests}

        self.assertEqual(
            [
                ("GET", "/identity/v2.0/tenants/t-1/users?admin=true"),
                ("POST", "/identity/v2.0/RAX-AUTH/impersonation-tokens"),
                ("GET", f"/identity/v2.0/tokens/{token.value}/endpoints"),
            ],
            calls,
        )
        self.assertEqual(
            {
                "RAX-AUTH:impersonation": {
                    "user": {"username": "admin-of-t-1"},
                    "expire-in-seconds": 10800,
                }
            },
            wish,
        )
        self.assertEqual(1, len(own))
        self.assertEqual(10800, token.expires.timestamp())

    def test_user_can_be_named_by_a_template(self) -> None:
        """Where operators keep a user of a known name in every tenant, nobody is looked up."""
        scene = Scene(
            IdentityVersion.V2,
            acting=lambda scene: as_impersonator(scene, user_template="admin-of-{tenant}"),
        )
        self.done(scene.source.authenticate(TENANT))

        self.assertEqual([], scene.wire.asked("GET", "/users"))
        self.assertEqual(1, len(scene.wire.asked("POST", "/RAX-AUTH/")))

    def test_disabled_users_are_passed_over(self) -> None:
        """Identity lists them all the same, and would not let us be them."""
        good = {"id": "2", "name": "admin-of-t-1"}
        bad = {"id": "1", "username": "gone", "enabled": False}
        self.scene.wire.identity.users[TENANT] = [bad, good]
        token = self.done(self.source.authenticate(TENANT))
        self.scene.wire.identity.users[TENANT] = [bad]

        self.assertTrue(self.scene.wire.identity.admits(token.value, TENANT))
        self.refused(self.source.authenticate(TENANT), AccessDeniedError)

    def test_token_that_identity_does_not_know_yet_is_waited_for(self) -> None:
        """What was just issued may not be everywhere; that is no reason to blame the tenant."""
        real = self.scene.wire.identity.find
        self.patch(
            self.scene.wire.identity,
            "find",
            lambda token: None if token.endswith("admin-of-t-1") else real(token),
        )

        self.refused(self.source.authenticate(TENANT), TransientError)

    def test_answers_of_another_shape_are_unreadable(self) -> None:
        """No other error escapes, whatever identity sends."""
        self.done(self.scene.own.token_for(self.scene.config.project))
        documents: list[Any] = [[], {}, {"users": [{}]}, {"users": "x"}, None]
        for document in documents:
            odd: Any = (200, {}, document)
            self.patch(self.scene.wire.identity, "answer", partial(_say, odd))

            self.refused(self.source.authenticate(TENANT), TransientError)


def _say(odd: Any, *_call: object) -> Any:
    return odd


class ApplicationCredentialTests(contract.ActingContract):
    """One credential per project, from a file."""

    secrets = (*contract.ActingContract.secrets, SECRET)

    def setUp(self) -> None:
        """Write a file for two tenants, tell identity of both credentials, wire it."""
        self.path = self.mktemp() + ".toml"
        write_credentials(self.path, {TENANT: "ac-1", OTHER: "ac-2"})
        self.scene = Scene(acting=self.strategy)
        applications = self.scene.wire.identity.applications
        applications["ac-1"] = (f"{SECRET} of ac-1", TENANT)
        applications["ac-2"] = (f"{SECRET} of ac-2", OTHER)

    def strategy(self, scene: Scene) -> ApplicationCredentials:
        """Return the strategy that is tested."""
        self.file = CredentialsFile(Path(self.path), scene.clock)
        self.file.load()
        identity = IdentityV3(scene.config, scene.http, scene.clock)
        return ApplicationCredentials(identity, self.file)

    def shut_out(self) -> None:
        """Revoke the credential, as its owner can."""
        self.scene.wire.identity.applications.pop("ac-1")

    def let_in(self) -> None:
        """Make the credential good again."""
        self.scene.wire.identity.applications["ac-1"] = (f"{SECRET} of ac-1", TENANT)

    def test_own_password_is_not_used(self) -> None:
        """This way needs no role of ours anywhere."""
        self.done(self.source.authenticate(TENANT))

        self.assertEqual(0, self.scene.wire.identity.issued)

    def test_unknown_tenant_is_told_what_is_missing(self) -> None:
        """The operator reads which entry to add, and identity is not even asked."""
        cloud = self.scene.provider.cloud_for(TenantId("t-3"))
        error = self.refused(cloud.list_servers(), AccessDeniedError)

        self.assertEqual(
            "identity.application_credentials_file has no entry for project t-3", error.message
        )
        self.assertEqual([], self.scene.wire.requests)

    def test_new_tenant_needs_no_restart(self) -> None:
        """An entry that is added is found a few seconds later."""
        self.scene.wire.identity.applications["ac-3"] = (
            f"{SECRET} of ac-3",
            TenantId("t-3"),
        )
        write_credentials(self.path, {TENANT: "ac-1", "t-3": "ac-3"})
        new = self.scene.provider.cloud_for(TenantId("t-3"))
        self.refused(new.list_servers(), AccessDeniedError)
        self.scene.clock.advance(5)

        self.done(new.list_servers())

    def test_credential_of_another_project_is_not_used(self) -> None:
        """A mixed-up file must not make one tenant's servers appear in another's project."""
        write_credentials(self.path, {TENANT: "ac-2"})
        self.scene.clock.advance(5)
        error = self.refused(self.source.authenticate(TENANT), AccessDeniedError)

        self.assertIn("belongs to another project", error.message)


class ServiceUserProofTests(SynchronousTestCase):
    """What a refusal means depends on whether we are known at all."""

    def test_wrong_password_is_ours(self) -> None:
        """Not even our own token: nothing is said about the tenant, and no secret."""
        scene = Scene(password="wrong-but-secret")
        source = ServiceUser(scene.identity, scene.clock, own_scope=a_config().project)
        work = Deferred.fromCoroutine(source.authenticate(TENANT))
        error = self.failureResultOf(work, AuthenticationError).value

        self.assertNotIn("secret", f"{error!r}")
