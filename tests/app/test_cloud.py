"""Tests of how the clients of the cloud are wired: each configuration gets what it chose."""

from pathlib import Path
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from otter.app import cloud as composition
from otter.app.cloud import CloudAccess, make_cloud_access
from otter.cloud.errors import AuthenticationError
from otter.config import ConfigError, parse
from otter.metrics import Metrics
from otter.models.group import LaunchType
from otter.models.ids import TenantId
from tests.cloud.credentials import SECRET, write_credentials
from tests.cloud.scene import TENANT
from tests.cloud.wire import BASE, Wire
from tests.cloud.wire_identity import PASSWORD, USER
from tests.contracts.launch import server_args

CREDENTIALS_KEY = "identity.application_credentials_file"


class MakeCloudAccessTests(SynchronousTestCase):
    """Everything that speaks to the outside, in front of a provider in memory."""

    def setUp(self) -> None:
        """Put the provider where the network would be."""
        self.reactor: Any = MemoryReactorClock()
        self.wire = Wire(self.reactor)
        requests = StubTreq(self.wire.resource())
        self.patch(composition, "provider_requests", lambda _reactor: requests)
        self.path = Path(self.mktemp() + ".toml")

    def access(self, **identity: str) -> CloudAccess:
        """Return the clients for a configuration."""
        who = {"auth_url": f"{BASE}/identity", "user_name": USER, "password": PASSWORD}
        document = {"identity": {**who, "project": "service", **identity}}
        return make_cloud_access(parse(document), self.reactor, "secret", Metrics())

    def asked(self, path: str) -> int:
        """Return how often identity was asked for something."""
        return sum(path in uri for _, uri, _, _ in self.wire.requests)

    def check(self, access: CloudAccess) -> None:
        """List servers, validate a token, check a launch config, look at the health."""
        for tenant_id in (TENANT, TenantId("t-2")):
            listing = access.provider.cloud_for(tenant_id).list_servers()
            self.assertEqual((), tuple(self.successResultOf(Deferred.fromCoroutine(listing))))
        token = self.wire.identity.issue("alice", TENANT).token
        validating = Deferred.fromCoroutine(access.validator.validate(token))
        self.assertEqual("alice", self.successResultOf(validating).user_name)
        checking = access.checker.check_launch(TENANT, LaunchType.SERVER, server_args())
        self.assertEqual((), self.successResultOf(Deferred.fromCoroutine(checking)))

        async def health() -> bool:
            return (await access.identity_health()).healthy

        self.assertTrue(self.successResultOf(Deferred.fromCoroutine(health())))

    def test_service_user(self) -> None:
        """One token per tenant and one of our own, whoever needs it."""
        for version in ("v3", "v2.0"):
            self.wire.identity.issued = 0
            self.check(self.access(version=version))

            self.assertEqual(3, self.wire.identity.issued)

    def test_impersonation(self) -> None:
        """One token of our own is enough for all."""
        self.check(self.access(version="v2.0", acting="impersonation"))

        self.assertEqual(2, self.asked("/RAX-AUTH/impersonation-tokens"))
        self.assertEqual(1, self.wire.identity.issued)

    def test_impersonation_of_named_users(self) -> None:
        """The template reaches the client."""
        self.check(
            self.access(
                version="v2.0", acting="impersonation", impersonated_user="admin-of-{tenant}"
            )
        )

        self.assertEqual(0, self.asked("/users"))

    def test_application_credentials(self) -> None:
        """Our own password is used for checking callers only."""
        entries = {TENANT: "1", "t-2": "2"}
        write_credentials(self.path, entries)
        for tenant_id, credential in entries.items():
            secret = f"{SECRET} of {credential}"
            self.wire.identity.applications[credential] = (secret, TenantId(tenant_id))
        self.check(
            self.access(
                acting="application-credential", application_credentials_file=str(self.path)
            )
        )

        self.assertEqual(1, self.wire.identity.issued)

    def test_unusable_file_of_credentials_names_the_key(self) -> None:
        """At start, and without what is in it."""
        self.path.write_text("hush")
        for path in (str(self.path), str(self.path) + ".missing"):
            error = self.assertRaises(
                ConfigError,
                self.access,
                acting="application-credential",
                application_credentials_file=path,
            )

            self.assertEqual(CREDENTIALS_KEY, error.path)
            self.assertNotIn("hush", str(error))

    def test_settings_of_the_validator_reach_it(self) -> None:
        """A refused token is asked about again after the configured time."""
        access = self.access()
        for _ in range(2):
            validating = Deferred.fromCoroutine(access.validator.validate("nobodys"))
            self.failureResultOf(validating, AuthenticationError)
        before = sum(method == "GET" for method, _, _, _ in self.wire.requests)
        self.reactor.advance(5)
        validating = Deferred.fromCoroutine(access.validator.validate("nobodys"))
        self.failureResultOf(validating, AuthenticationError)

        self.assertEqual(1, before)
        self.assertEqual(2, sum(method == "GET" for method, _, _, _ in self.wire.requests))
