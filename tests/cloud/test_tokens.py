"""Tests of our tokens: fetched once, replaced in time, dropped when refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import AuthenticationError, EndpointMissingError, TransientError
from otter.cloud.interface import Caller
from otter.cloud.tokens import Endpoint, Identity, IdentityVersion, Token, TokenCache
from otter.models.ids import TenantId
from tests.cloud.scene import TENANT, Scene, a_config
from tests.cloud.wire_identity import PASSWORD


class SlowIdentity:
    """An identity that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[TenantId | None] = []
        self.answers: list[Deferred[Token]] = []

    async def authenticate(self, tenant_id: TenantId | None, /) -> Token:
        """Wait for the answer."""
        self.asked.append(tenant_id)
        answer: Deferred[Token] = Deferred()
        self.answers.append(answer)
        return await answer

    async def validate(self, subject: str, *, own: str) -> Caller | None:
        """Know nobody."""
        return None


def a_token(value: str, hours: float = 1) -> Token:
    """Return a token that expires so many hours after the epoch."""
    return Token(value, datetime.fromtimestamp(hours * 3600, UTC))


class TokenCacheTests(SynchronousTestCase):
    """The cache of our own tokens."""

    def setUp(self) -> None:
        """Make a cache of two tokens over a slow identity."""
        self.clock = Clock()
        self.identity = SlowIdentity()
        identity: Identity = self.identity
        self.cache = TokenCache(identity, self.clock, size_max=2)

    def ask(self, tenant: str = "t") -> "Deferred[Token]":
        """Ask for a token."""
        return Deferred.fromCoroutine(self.cache.token_for(TenantId(tenant)))

    def fetch(self, token: Token, tenant: str = "t") -> None:
        """Put a token into the cache."""
        asking = self.ask(tenant)
        self.identity.answers[-1].callback(token)

        self.assertIs(token, self.successResultOf(asking))

    def test_identity_is_asked_once(self) -> None:
        """For all who wait, and for all who come while the token is good."""
        waiters = [self.ask(), self.ask()]
        token = a_token("a")
        self.identity.answers[0].callback(token)
        waiters.append(self.ask())

        self.assertEqual([token] * 3, [self.successResultOf(waiter) for waiter in waiters])
        self.assertEqual([TenantId("t")], self.identity.asked)

    def test_cancelled_waiter_leaves_the_others_waiting(self) -> None:
        """A job past its deadline must not fail its neighbours."""
        first, second = self.ask(), self.ask()
        first.cancel()
        self.identity.answers[0].callback(a_token("a"))

        self.failureResultOf(first, CancelledError)
        self.assertEqual("a", self.successResultOf(second).value)

    def test_token_is_replaced_before_it_expires(self) -> None:
        """A token that runs out half way through a create leaves the outcome open."""
        self.fetch(a_token("a"))
        self.clock.advance(3600 - 301)
        self.successResultOf(self.ask())
        self.clock.advance(1)
        renewed = self.ask()
        self.identity.answers[1].callback(a_token("b", hours=2))

        self.assertEqual("b", self.successResultOf(renewed).value)

    def test_short_lived_tokens_are_used_all_the_same(self) -> None:
        """A margin longer than a token's life would fetch one per call."""
        self.fetch(a_token("a", hours=60 / 3600))
        self.clock.advance(47)
        self.successResultOf(self.ask())
        self.clock.advance(1)

        self.assertNoResult(self.ask())
        self.assertEqual(2, len(self.identity.asked))

    def test_failures_are_not_kept(self) -> None:
        """Identity that was down a moment ago may be up now."""
        failed = self.ask()
        self.identity.answers[0].errback(TransientError("down"))
        again = self.ask()
        self.identity.answers[1].callback(a_token("a"))

        self.failureResultOf(failed, TransientError)
        self.assertEqual("a", self.successResultOf(again).value)

    def test_refused_token_is_dropped(self) -> None:
        """The next call fetches another one."""
        self.fetch(a_token("a"))
        self.cache.invalidate(TenantId("t"), a_token("a"))

        self.assertNoResult(self.ask())

    def test_newer_token_is_not_dropped_for_an_older_ones_refusal(self) -> None:
        """A hundred calls refused together fetch one token, not a hundred."""
        self.fetch(a_token("new"))
        self.cache.invalidate(TenantId("t"), a_token("old"))

        self.assertEqual("new", self.successResultOf(self.ask()).value)

    def test_successor_of_a_refused_token_is_given_time(self) -> None:
        """Refused as well it is probably too new, and an even newer one would fare no better."""
        self.fetch(a_token("a"))
        self.cache.invalidate(TenantId("t"), a_token("a"))
        self.fetch(a_token("b"))
        self.clock.advance(9)
        self.cache.invalidate(TenantId("t"), a_token("b"))
        kept = self.successResultOf(self.ask())
        self.clock.advance(1)
        self.cache.invalidate(TenantId("t"), a_token("b"))

        self.assertEqual("b", kept.value)
        self.assertNoResult(self.ask())

    def test_time_that_went_backwards_keeps_no_bad_token(self) -> None:
        """A clock that was put right must not make a refused token stay for an hour."""
        self.clock.advance(3000)
        self.fetch(a_token("a", hours=2))
        self.cache.invalidate(TenantId("t"), a_token("a"))
        self.fetch(a_token("b", hours=2))
        self.clock.rightNow = 0.0
        self.cache.invalidate(TenantId("t"), a_token("b"))

        self.assertNoResult(self.ask())

    def use(self, *refused: str) -> "Deferred[str]":
        """Use a token, of which some are refused; returns the one that was not."""

        async def work(token: Token) -> str:
            if token.value in refused:
                raise AuthenticationError("refused", status=401)
            return token.value

        return Deferred.fromCoroutine(self.cache.use(TenantId("t"), work))

    def test_work_is_done_once_more_with_another_token(self) -> None:
        """Once, and not if there is no other one."""
        self.fetch(a_token("a"))
        used = self.use("a")
        self.identity.answers[1].callback(a_token("b"))
        refused = self.use("b")

        self.assertEqual("b", self.successResultOf(used))
        self.failureResultOf(refused, AuthenticationError)
        self.assertEqual(2, len(self.identity.asked))

    def test_number_of_tokens_is_bounded(self) -> None:
        """The tenant not seen for longest is forgotten."""
        for tenant in ("a", "b", "c"):
            self.fetch(a_token(tenant), tenant)
        self.successResultOf(self.ask("c"))

        self.assertNoResult(self.ask("a"))


class RecordTests(SynchronousTestCase):
    """The records around tokens."""

    def test_secrets_are_not_in_representations(self) -> None:
        """Records end up in logs."""
        self.assertNotIn(PASSWORD, repr(a_config()))
        self.assertNotIn("hidden", repr(a_token("hidden")))

    def test_auth_url_may_be_spelled_in_many_ways(self) -> None:
        """Credentials files have it with and without version and slash."""
        for url in (
            "http://i/identity",
            "http://i/identity/",
            "http://i/identity/v3",
            "http://i/identity/v3/",
            "http://i/identity/v2.0/",
        ):
            v3 = a_config(auth_url=url).endpoint
            v2 = a_config(IdentityVersion.V2, auth_url=url).endpoint

            self.assertEqual(("http://i/identity/v3", "http://i/identity/v2.0"), (v3, v2))

    def test_endpoint_is_of_type_region_and_interface(self) -> None:
        """A catalog lists many; one without region is everywhere."""
        token = Token(
            "t",
            datetime.fromtimestamp(0, UTC),
            (
                Endpoint("compute", "A", "public", "http://a/"),
                Endpoint("compute", "B", "admin", "http://b-admin"),
                Endpoint("compute", "B", "public", "http://b/"),
                Endpoint("dns", "", "public", "http://everywhere"),
            ),
        )

        def found(service: str, region: str) -> str:
            return token.endpoint(service, region=region, interface="public")

        self.assertEqual("http://b", found("compute", "B"))
        self.assertEqual("http://a", found("compute", ""))
        self.assertEqual("http://everywhere", found("dns", "B"))
        for service, region in (("compute", "C"), ("volume", "A")):
            self.assertRaises(EndpointMissingError, found, service, region)

    def test_endpoint_of_the_region_comes_before_one_of_none(self) -> None:
        """Rackspace lists its first compute service, in no region, beside the one that we speak."""
        first = Endpoint("compute", "", "public", "http://v1")
        second = Endpoint("compute", "A", "public", "http://v2")
        token = Token("t", datetime.fromtimestamp(0, UTC), (first, second))

        self.assertEqual("http://v2", token.endpoint("compute", region="A", interface="public"))
        self.assertEqual("http://v1", token.endpoint("compute", region="B", interface="public"))


class IdentityTests(SynchronousTestCase):
    """Both versions against identity on the wire."""

    def test_token_comes_with_expiry_and_catalog(self) -> None:
        """Everything later calls need is in one answer."""
        for version in IdentityVersion:
            scene = Scene(version)
            work = Deferred.fromCoroutine(scene.identity.authenticate(TENANT))
            token = self.successResultOf(work)

            self.assertEqual(datetime.fromtimestamp(3600, UTC), token.expires)
            self.assertEqual(
                "http://cloud.invalid/compute/v2.1/t-1",
                token.endpoint("compute", region="RegionOne", interface="public"),
            )

    def test_answer_of_another_shape_is_unreadable(self) -> None:
        """No other error escapes, whatever identity sends."""
        for version in IdentityVersion:
            scene = Scene(version)
            documents: list[Any] = [[], {}, {"token": {}}, {"access": {"token": []}}, None]
            for document in documents:
                odd = (200, {"x-subject-token": "t"}, document)
                self.patch(scene.wire.identity, "answer", lambda *_call, odd=odd: odd)
                work = Deferred.fromCoroutine(scene.identity.authenticate(TENANT))

                self.failureResultOf(work, TransientError)

    def test_life_of_tokens_follows_identity(self) -> None:
        """Operators choose it; three hours once outlived nothing (lessons.md 3, item 40)."""
        scene = Scene()
        scene.wire.identity.life = timedelta(hours=3)
        work = Deferred.fromCoroutine(scene.identity.authenticate(None))

        self.assertEqual(datetime.fromtimestamp(3 * 3600, UTC), self.successResultOf(work).expires)
