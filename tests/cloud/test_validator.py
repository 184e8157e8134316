"""Tests of whose token this is: asked once, believed for a stated time, never let in by mistake."""

from datetime import timedelta

from twisted.internet.defer import Deferred

from otter.cloud.errors import AuthenticationError, NotSentError, TransientError
from otter.cloud.interface import Caller
from otter.cloud.tokens import IdentityVersion
from otter.cloud.validator import CachingValidator
from otter.models.ids import TenantId
from tests.cloud.scene import TENANT, Scene
from tests.contracts import validator as contract


class ValidatorV3Tests(contract.ValidatorContract):
    """The validator, with identity v3."""

    version = IdentityVersion.V3

    def setUp(self) -> None:
        """Wire the validator to a provider in memory."""
        self.scene = Scene(self.version)
        self.clock = self.scene.clock
        self.identity = self.scene.wire.identity
        self.validator: CachingValidator = self.scene.validator
        self.token = self.admit("alice", TENANT)

    def admit(
        self,
        user: str,
        tenant_id: TenantId | None,
        *roles: str,
        life: timedelta = contract.HOUR,
    ) -> str:
        """Let identity issue a token."""
        kept, self.identity.life = self.identity.life, life
        issued = self.identity.issue(user, tenant_id, *roles)
        self.identity.life = kept
        return issued.token

    def revoke(self, token: str) -> None:
        """Let identity forget a token."""
        self.identity.revoke(token)

    def break_down(self) -> None:
        """Let identity answer 503."""
        self.identity.broken = 503

    def validations(self) -> int:
        """Return how often identity was asked."""
        return len(self.scene.wire.asked("GET", "/tokens"))

    def test_caller_has_a_name(self) -> None:
        """Activities say who it was."""
        caller = self.successResultOf(self.validate(self.token))

        self.assertEqual(("alice-id", "alice"), (caller.user_id, caller.user_name))

    def test_valid_caller_is_believed_for_a_minute(self) -> None:
        """A burst of calls asks identity once."""
        self.successResultOf(self.validate(self.token))
        self.clock.advance(59)
        self.successResultOf(self.validate(self.token))
        before = self.validations()
        self.clock.advance(1)
        self.successResultOf(self.validate(self.token))

        self.assertEqual((1, 2), (before, self.validations()))

    def test_callers_at_the_same_time_ask_once(self) -> None:
        """A hundred requests that arrive together are one question."""
        waiting: list[Deferred[None]] = []
        real = self.scene.identity.validate

        async def slowly(subject: str, *, own: str) -> Caller | None:
            waiting.append(Deferred())
            await waiting[-1]
            return await real(subject, own=own)

        self.patch(self.scene.identity, "validate", slowly)
        callers = [self.validate(self.token) for _ in range(5)]
        waiting[0].callback(None)

        self.assertEqual(1, len({self.successResultOf(one) for one in callers}))
        self.assertEqual(1, len(waiting))

    def test_refused_token_is_refused_for_a_while_without_asking(self) -> None:
        """A client that tries a bad token in a loop does not load identity."""
        for _ in range(3):
            self.failureResultOf(self.validate("token-9-of-nobody"), AuthenticationError)
        self.clock.advance(4)
        self.failureResultOf(self.validate("token-9-of-nobody"), AuthenticationError)
        before = self.validations()
        self.clock.advance(1)
        self.failureResultOf(self.validate("token-9-of-nobody"), AuthenticationError)

        self.assertEqual((1, 2), (before, self.validations()))

    def test_token_that_becomes_known_is_let_in(self) -> None:
        """A token can be faster than the news of it; the refusal lasts seconds."""
        real = self.identity.find
        unknown = self.patch(
            self.identity, "find", lambda token: None if token == self.token else real(token)
        )
        self.failureResultOf(self.validate(self.token), AuthenticationError)
        unknown.restore()
        self.clock.advance(5)

        self.assertEqual("alice", self.successResultOf(self.validate(self.token)).user_name)

    def test_expired_token_is_kept_as_refused_too(self) -> None:
        """The same rule for all reasons."""
        token = self.admit("bob", TENANT, life=timedelta(seconds=0))
        for _ in range(2):
            self.failureResultOf(self.validate(token), AuthenticationError)

        self.assertEqual(1, self.validations())

    def test_failures_of_identity_are_not_kept(self) -> None:
        """Neither as a refusal nor as anything else."""
        self.break_down()
        self.failureResultOf(self.validate(self.token), TransientError)
        self.identity.broken = None

        self.assertEqual("alice", self.successResultOf(self.validate(self.token)).user_name)

    def test_page_of_a_proxy_is_no_verdict(self) -> None:
        """A 404 that is not identity's own must not turn everybody away with 401."""
        self.successResultOf(Deferred.fromCoroutine(self.scene.own.token_for(TenantId("service"))))
        self.identity.broken, self.identity.page = 404, True

        self.failureResultOf(self.validate(self.token), TransientError)

    def test_many_bad_tokens_push_no_good_caller_out(self) -> None:
        """Refused tokens have a place of their own, and it is bounded."""
        self.successResultOf(self.validate(self.token))
        for number in range(20):
            self.failureResultOf(self.validate(f"guess-{number}"), AuthenticationError)
        before = self.validations()
        self.successResultOf(self.validate(self.token))

        self.assertEqual(before, self.validations())
        self.assertEqual(2, len(self.validator._refused))

    def test_what_is_no_token_never_reaches_the_wire(self) -> None:
        """It could break out of a header or a path."""
        for token in ("", " ", "a b", "a\r\nx-admin: 1", "é", "a?b", "..", "x" * 8193, "%2e"):
            self.failureResultOf(self.validate(token), AuthenticationError)

        self.assertEqual([], self.scene.wire.requests)

    def test_refusal_of_our_own_token_is_not_the_callers(self) -> None:
        """A fresh one is tried; if that fails too, it is we who cannot ask."""
        self.successResultOf(self.validate(self.token))
        self.clock.advance(60)
        own = self.successResultOf(
            Deferred.fromCoroutine(self.scene.own.token_for(self.scene.config.project))
        )
        self.identity.revoke(own.value)
        again = self.successResultOf(self.validate(self.token))
        self.clock.advance(60)
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
        self.failureResultOf(self.validate("token-9-of-nobody"), AuthenticationError)

        for kept in (self.validator._known._items, self.validator._refused._items):
            self.assertEqual(1, len(kept))
            self.assertNotIn("token-", repr(kept))

    def test_errors_do_not_quote_tokens(self) -> None:
        """Identity quotes the token it does not know; we do not."""
        for _ in range(2):
            error = self.failureResultOf(self.validate("token-9-of-nobody")).value

            self.assertNotIn("token-9", f"{error} {error!r}")


class ValidatorV2Tests(ValidatorV3Tests):
    """The validator, with identity v2.0."""

    version = IdentityVersion.V2
