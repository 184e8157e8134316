"""What every ``TokenValidator`` promises; the fake and both versions inherit these tests."""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import AuthenticationError, CloudError
from otter.cloud.interface import Caller, TokenValidator
from otter.models.ids import TenantId

TENANT = TenantId("t-1")
HOUR = timedelta(hours=1)


class ValidatorContract(SynchronousTestCase):
    """
    The promises.

    :ivar staleness_max: for how long a revoked token may still be taken for good.
    """

    clock: Clock
    validator: TokenValidator
    staleness_max = timedelta(seconds=60)

    def admit(
        self, user: str, tenant_id: TenantId | None, *roles: str, life: timedelta = HOUR
    ) -> str:
        """Return a token of somebody's."""
        raise NotImplementedError

    def revoke(self, token: str) -> None:
        """Make a token bad."""
        raise NotImplementedError

    def break_down(self) -> None:
        """Let identity be out of reach."""
        raise NotImplementedError

    def validate(self, token: str) -> "Deferred[Caller]":
        """Ask whose token it is."""
        return Deferred.fromCoroutine(self.validator.validate(token))

    def test_caller_comes_with_tenant_roles_and_expiry(self) -> None:
        """For which project, with which rights, until when."""
        token = self.admit("alice", TENANT, "member", "autoscale:admin")
        caller = self.successResultOf(self.validate(token))

        self.assertEqual(
            (TENANT, frozenset({"member", "autoscale:admin"}), 3600),
            (caller.tenant_id, caller.roles, caller.expires.timestamp()),
        )

    def test_token_without_scope_belongs_to_no_tenant(self) -> None:
        """Such a caller exists and may do nothing; that is decided elsewhere."""
        token = self.admit("bob", None)

        self.assertIsNone(self.successResultOf(self.validate(token)).tenant_id)

    def test_unknown_token_is_refused(self) -> None:
        """However often it is tried."""
        for _ in range(3):
            self.failureResultOf(self.validate("a-token-of-nobody"), AuthenticationError)

    def test_no_caller_is_believed_past_expiry(self) -> None:
        """However fresh the answer is."""
        token = self.admit("bob", TENANT, life=timedelta(seconds=30))
        self.successResultOf(self.validate(token))
        self.clock.advance(30)

        self.failureResultOf(self.validate(token), AuthenticationError)

    def test_expired_token_is_refused(self) -> None:
        """Also by whoever sees it for the first time."""
        token = self.admit("bob", TENANT, life=timedelta(seconds=30))
        self.clock.advance(31)

        self.failureResultOf(self.validate(token), AuthenticationError)

    def test_revoked_token_is_refused_in_time(self) -> None:
        """The stated staleness is the longest that it lasts."""
        token = self.admit("alice", TENANT)
        self.successResultOf(self.validate(token))
        self.revoke(token)
        self.clock.advance(self.staleness_max.total_seconds())

        self.failureResultOf(self.validate(token), AuthenticationError)

    def test_nobody_is_let_in_while_identity_is_down(self) -> None:
        """Not knowing is neither yes nor "your token is bad"."""
        known, unknown = self.admit("alice", TENANT), self.admit("bob", TENANT)
        self.successResultOf(self.validate(known))
        self.clock.advance(self.staleness_max.total_seconds())
        self.break_down()

        for token in (known, unknown):
            error = self.failureResultOf(self.validate(token), CloudError).value
            self.assertNotIsInstance(error, AuthenticationError)
