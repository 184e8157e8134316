"""What every way to act for tenants promises; each of them inherits these tests."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    EndpointMissingError,
    NotSentError,
)
from otter.cloud.tokens import Token, TokenSource
from otter.models.ids import TenantId
from tests.cloud.scene import TENANT, Scene
from tests.cloud.wire_identity import PASSWORD

T = TypeVar("T")

OTHER = TenantId("t-2")


class ActingContract(SynchronousTestCase):
    """
    The promises.

    :ivar scene: everything wired for this way; tenants ``t-1`` and ``t-2`` let us act for them.
    :ivar secrets: what must not be read anywhere.
    """

    scene: Scene
    secrets: tuple[str, ...] = (PASSWORD, "token-")

    @property
    def source(self) -> TokenSource[TenantId]:
        """What is tested."""
        return self.scene.source

    def done(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of a call that needs no time."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def refused(self, work: Coroutine[Any, Any, object], *errors: type[CloudError]) -> CloudError:
        """Return the error of a call that needs no time; it gives no secret away."""
        error = self.failureResultOf(Deferred.fromCoroutine(work), *errors).value
        assert isinstance(error, CloudError)
        for secret in self.secrets:
            self.assertNotIn(secret, f"{error} {error!r} {error.message}")
        return error

    def shut_out(self) -> None:
        """Let nobody act for ``t-1`` any more."""
        self.scene.wire.identity.strangers.add(TENANT)

    def let_in(self) -> None:
        """Undo ``shut_out``."""
        self.scene.wire.identity.strangers.discard(TENANT)

    def url(self, token: Token) -> str:
        """Return where a token finds compute."""
        return token.endpoint("compute", region="RegionOne", interface="public")

    def asked(self) -> int:
        """Return how often identity was asked."""
        return sum("/identity/" in uri for _, uri, _, _ in self.scene.wire.requests)

    def test_token_opens_the_tenants_services(self) -> None:
        """It comes with the tenant's own catalog and nobody else's."""
        for tenant_id in (TENANT, OTHER):
            token = self.done(self.source.authenticate(tenant_id))

            self.assertTrue(self.scene.wire.identity.admits(token.value, tenant_id))
            self.assertEqual(f"http://cloud.invalid/compute/v2.1/{tenant_id}", self.url(token))

    def test_servers_can_be_listed_with_it(self) -> None:
        """The token is what the services of this tenant take."""
        self.scene.world.servers.add("there")

        self.assertEqual(1, len(self.done(self.scene.cloud.list_servers())))

    def test_token_is_fetched_once(self) -> None:
        """However many calls are made with it."""
        self.done(self.scene.cloud.list_servers())
        asked = len(self.scene.wire.asked("", "/identity/"))
        for _ in range(3):
            self.done(self.scene.cloud.list_servers())

        self.assertEqual(asked, len(self.scene.wire.asked("", "/identity/")))

    def test_token_is_replaced_before_it_expires(self) -> None:
        """Groups outlive every token (lessons.md 3, item 40)."""
        self.done(self.scene.cloud.list_servers())
        for _ in range(10):
            self.scene.clock.advance(1800)

            self.assertEqual((), tuple(self.done(self.scene.cloud.list_servers())))

    def test_refused_token_is_replaced(self) -> None:
        """A service that does not take a token gets another one, once per call."""
        self.done(self.scene.cloud.list_servers())
        self.scene.wire.refuse = 1

        self.done(self.scene.cloud.list_servers())

    def test_tenant_that_shuts_us_out_is_told_apart(self) -> None:
        """The group shows why it stands still; others go on."""
        self.shut_out()
        error = self.refused(self.scene.cloud.list_servers(), AccessDeniedError)
        other = self.scene.provider.cloud_for(OTHER)

        self.assertIn(TENANT, error.message)
        self.assertTrue(error.definite)
        self.assertEqual((), tuple(self.done(other.list_servers())))

    def test_refusals_are_not_kept(self) -> None:
        """A tenant that lets us in again is served at the next attempt."""
        self.shut_out()
        self.refused(self.scene.cloud.list_servers(), AccessDeniedError)
        self.let_in()
        self.scene.clock.advance(10)

        self.done(self.scene.cloud.list_servers())

    def test_identity_in_trouble_is_not_taken_for_a_refusal(self) -> None:
        """All groups would turn ERROR for one restart of a proxy; they wait instead."""
        for status, page in ((500, False), (503, True), (404, True), (429, False)):
            self.scene.wire.identity.broken = status
            self.scene.wire.identity.page = page
            error = self.refused(self.scene.cloud.list_servers(), CloudError)

            self.assertNotIsInstance(error, AccessDeniedError)
            self.assertNotIsInstance(error, AuthenticationError)

    def test_suspended_account_has_no_endpoint(self) -> None:
        """A token without catalog is no failure of identity (lessons.md 3, item 30)."""
        self.scene.wire.identity.suspended.add(TENANT)

        self.refused(self.scene.cloud.list_servers(), EndpointMissingError)

    def test_tokens_are_not_shown(self) -> None:
        """Records and sources end up in logs."""
        token = self.done(self.source.authenticate(TENANT))

        for shown in (repr(token), repr(self.source), repr(self.scene.config)):
            for secret in (*self.secrets, token.value):
                self.assertNotIn(secret, shown)


class OwnCredentialsContract(ActingContract):
    """The promises of those ways that start from our own name and password."""

    def test_passing_refusal_of_ourselves_is_not_noticed(self) -> None:
        """Identity under load refuses good credentials now and then (lessons.md 2, 20)."""
        self.done(self.scene.own.token_for(self.scene.config.project))
        self.scene.wire.identity.refusals = 1

        self.done(self.scene.cloud.list_servers())

    def test_lasting_refusal_of_ourselves_is_not_the_tenants(self) -> None:
        """A wrong password concerns everybody; no group is to show it as its owner's fault."""
        self.scene.wire.identity.broken = 401

        self.refused(self.scene.cloud.list_servers(), AuthenticationError, NotSentError)
