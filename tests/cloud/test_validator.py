"""Tests of whose token this is: asked once, believed for a stated time, never let in by mistake."""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import AuthenticationError, NotSentError, TransientError
from otter.cloud.interface import Caller, TokenValidator
from otter.cloud.tokens import IdentityVersion
from tests.cloud.scene import TENANT, Scene


class ValidatorV3Tests(SynchronousTestCase):
    """The validator, with identity v3."""

    version = IdentityVersion.V3

    def setUp(self) -> None:
        """Wire the validator to a provider in memory."""
        self.scene = Scene(self.version)
        self.identity = self.scene.wire.identity
        self.validator: TokenValidator = self.scene.validator
        self.token = self.identity.issue("alice", TENANT, "member", "autoscale:admin").token

    def validate(self, token: str) -> "Deferred[Caller]":
        """Ask whose token it is."""
        return Deferred.fromCoroutine(self.validator.validate(token))

    def validations(self) -> int:
        """Return how often identity was asked."""
        return len(self.scene.wire.asked("GET", "/tokens"))

    def test_caller_comes_with_roles(self) -> None:
        """Who, for which project, with which rights."""
        caller = self.successResultOf(self.validate(self.token))

        self.assertEqual(
            ("alice-id", "alice", TENANT, frozenset({"member", "autoscale:admin"})),
            (caller.user_id, caller.user_name, caller.tenant_id, caller.roles),
        )
        self.assertEqual(3600, caller.expires.timestamp())

    def test_token_without_scope_belongs_to_no_tenant(self) -> None:
        """Such a caller exists and may do nothing; that is decided elsewhere."""
        token = self.identity.issue("bob", None).token

        self.assertIsNone(self.successResultOf(self.validate(token)).tenant_id)

    def test_valid_caller_is_believed_for_a_minute(self) -> None:
        """A burst of calls asks identity once, and a revoked token does not last."""
        self.successResultOf(self.validate(self.token))
        self.identity.revoke(self.token)
        self.scene.clock.advance(59)
        self.successResultOf(self.validate(self.token))
        self.scene.clock.advance(1)

        self.failureResultOf(self.validate(self.token), AuthenticationError)
        self.assertEqual(2, self.validations())

    def test_no_caller_is_believed_past_expiry(self) -> None:
        """However fresh the answer is."""
        self.identity.life = timedelta(seconds=30)
        token = self.identity.issue("bob", TENANT).token
        self.successResultOf(self.validate(token))
        self.scene.clock.advance(30)

        self.failureResultOf(self.validate(token), AuthenticationError)

    def test_bad_token_is_asked_about_each_time(self) -> None:
        """A token can become known to identity a moment later."""
        for _ in range(2):
            self.failureResultOf(self.validate("token-9-of-nobody"), AuthenticationError)

        self.assertEqual(2, self.validations())

    def test_what_is_no_token_never_reaches_the_wire(self) -> None:
        """It could break out of a header or a path."""
        for token in ("", " ", "a b", "a\r\nx-admin: 1", "é", "a?b", "..", "x" * 8193, "%2e"):
            self.failureResultOf(self.validate(token), AuthenticationError)

        self.assertEqual([], self.scene.wire.requests)

    def test_nobody_is_let_in_while_identity_is_down(self) -> None:
        """Not knowing is neither yes nor "your token is bad"."""
        self.successResultOf(self.validate(self.token))
        self.scene.clock.advance(60)
        self.identity.broken = 503

        self.failureResultOf(self.validate(self.token), TransientError)

    def test_refusal_of_our_own_token_is_not_the_callers(self) -> None:
        """A fresh one is tried; if that fails too, it is we who cannot ask."""
        self.successResultOf(self.validate(self.token))
        self.scene.clock.advance(60)
        own = self.successResultOf(
            Deferred.fromCoroutine(self.scene.tokens.token_for(self.scene.config.project))
        )
        self.identity.revoke(own.value)
        again = self.successResultOf(self.validate(self.token))
        self.scene.clock.advance(60)
        self.identity.broken = 401

        self.assertEqual("alice", again.user_name)
        self.failureResultOf(self.validate(self.token), NotSentError)

    def test_number_of_callers_is_bounded(self) -> None:
        """The caller not seen for longest is asked about again."""
        tokens = [self.identity.issue(f"u{number}", TENANT).token for number in range(4)]
        for token in tokens:
            self.successResultOf(self.validate(token))
        self.successResultOf(self.validate(tokens[3]))
        self.successResultOf(self.validate(tokens[0]))

        self.assertEqual(5, self.validations())

    def test_tokens_are_not_kept(self) -> None:
        """A dump of our memory gives nobody away: what is kept is a digest."""
        self.successResultOf(self.validate(self.token))

        kept = self.scene.validator._known._items
        self.assertEqual(1, len(kept))
        self.assertNotIn(self.token, repr(kept))

    def test_errors_do_not_quote_tokens(self) -> None:
        """Identity quotes the token it does not know; we do not."""
        error = self.failureResultOf(self.validate("token-9-of-nobody")).value

        self.assertNotIn("token-9", f"{error} {error!r}")


class ValidatorV2Tests(ValidatorV3Tests):
    """The validator, with identity v2.0."""

    version = IdentityVersion.V2
