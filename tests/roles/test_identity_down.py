"""
Identity that cannot be asked gives 503 and lets nobody in; who was let in before stays known for a
stated time, and no longer.
"""

from collections.abc import Callable
from datetime import timedelta

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectError, DNSLookupError

from minicloud.faults import Effect, Fault, Operation
from otter.cloud.tokens import IdentityVersion
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.roles import contract
from tests.roles.contract import CALLERS, OPERATIONS, For, Standing
from tests.roles.world import REFUSAL, STALENESS, RolesCase

DOWN = "503 ServiceUnavailable"
LITTLE = timedelta(milliseconds=10)
SETTLED = timedelta(seconds=15)
"""By then Otter has got over its own token being refused."""


def refusing() -> Deferred[object]:
    """Nobody listens there."""
    return fail(ConnectError())


def nameless() -> Deferred[object]:
    """The name leads nowhere."""
    return fail(DNSLookupError())


class DownCase(RolesCase):
    """Takes identity away."""

    def assert_unavailable(self, reply: Reply, about: object = None) -> None:
        """The answer is 503, says when to come again, and nothing else."""
        self.assertEqual(reply.status, 503, about)
        self.assertEqual(reply.headers["Retry-After"], "5", about)
        if reply.body:
            self.assertEqual(reply.error, DOWN, about)

    def assert_nobody_gets_in(self, token: str) -> None:
        """Every operation but the capability is unavailable with this token, and does nothing."""
        for operation in OPERATIONS:
            there = self.make_resources()
            before = self.stored()
            reply = self.do(operation, token, there)
            if operation.access is For.ANYBODY:
                self.assertEqual(reply.status, 202)
            else:
                self.assert_unavailable(reply, operation)
                self.assertEqual(self.stored(), before, operation)

    def list_groups(self, token: str | None) -> str:
        """Return what the simplest operation gets."""
        return self.ask("GET", f"/v1.0/{self.tenant}/groups", token=token).error

    def after(self, time: timedelta) -> None:
        """Let time pass."""
        self.clock.advance(time.total_seconds())

    def break_validation(self, status: int) -> None:
        """Let identity answer all questions about tokens with an error."""
        fault = Fault(
            operation=Operation.VALIDATE, effect=Effect.REFUSE, remaining=None, status=status
        )
        self.cloud.control.faults.add(fault)


class DownTests(DownCase):
    """Identity was down before anybody came."""

    def test_every_operation(self) -> None:
        """Owner, observer and stranger alike are asked to come again."""
        tokens = [self.token_named(name) for name in ("owner", "observer", "other owner")]
        self.line.trouble = refusing
        for token in tokens:
            self.assert_nobody_gets_in(token)

    def test_every_caller(self) -> None:
        """Nobody is let in, and nobody is called an intruder: bad tokens get 503 as well."""
        tokens: dict[str, str | None] = {one.name: self.token_of(one) for one in CALLERS}
        bad = self.bad_tokens()
        tokens |= {name: bad[name] for name in ("expired", "revoked", "garbage", "cut")}
        self.line.trouble = refusing
        found = {name: self.list_groups(token) for name, token in tokens.items()}

        self.assertEqual(found, dict.fromkeys(tokens, DOWN))

    def test_what_needs_no_asking(self) -> None:
        """What cannot be a token is 401 all the same."""
        bad = self.bad_tokens()
        self.line.trouble = refusing
        for name in ("none", "empty", "two", "beyond ASCII"):
            self.assertEqual(self.list_groups(bad[name]), "401 InvalidCredentials", name)

    def test_ways_of_being_down(self) -> None:
        """Whatever it is that ails identity, it is not the caller's fault."""
        ways: list[Callable[[], Deferred[object]] | int] = [refusing, nameless]
        ways += [400, 401, 403, 405, 413, 429, 500, 502, 503]
        for way in ways:
            token = self.token_named("owner")
            if isinstance(way, int):
                self.break_validation(way)
            else:
                self.line.trouble = way
            reply = self.ask("GET", f"/v1.0/{self.tenant}/groups", token=token)
            self.assert_unavailable(reply, way)
            self.line.trouble = None
            self.cloud.control.faults.clear()
            self.after(SETTLED)
            self.assertEqual(self.list_groups(token), "200", way)

    def test_wrong_password_of_our_own(self) -> None:
        """If it is Otter that identity refuses, callers are not told that it is them."""
        token = self.token_named("owner")
        self.serve(self.secret("not the password"))

        self.assert_nobody_gets_in(token)

    def test_silence(self) -> None:
        """An identity that never answers is given up on; who waited gets 503."""
        token = self.token_named("owner")
        self.line.trouble = Deferred
        connection = Connection(self.site)
        path = f"/v1.0/{self.tenant}/groups"
        connection.send(request_bytes("GET", path, headers={"X-Auth-Token": token}))
        self.assertEqual(connection.received(), b"")
        for _ in range(6):
            self.after(timedelta(seconds=10))

        self.assert_unavailable(parse_reply(connection.received(), "GET"))


class KnownTests(DownCase):
    """Identity goes down while callers are known."""

    def test_known_callers_keep_their_rights(self) -> None:
        """For the stated time a caller is who he was: no less, and no more."""
        for name, standing in (("observer", Standing.OBSERVER), ("no role", Standing.NOBODY)):
            token = self.token_named(name)
            self.line.trouble = None
            self.list_groups(token)
            self.line.trouble = refusing
            for operation in OPERATIONS:
                reply = self.do(operation, token, self.make_resources())
                wanted = contract.expected(operation, standing)
                self.assertEqual(reply.status, int(wanted[:3]), (name, operation))

    def test_no_longer_than_stated(self) -> None:
        """At the end of that time the door closes, and stays closed."""
        token = self.token_named("owner")
        self.assertEqual(self.list_groups(token), "200")
        self.line.trouble = refusing
        self.after(STALENESS - LITTLE)
        self.assertEqual(self.list_groups(token), "200")
        self.after(2 * LITTLE)
        self.assertEqual(self.list_groups(token), DOWN)

        self.assert_nobody_gets_in(token)

    def test_use_does_not_prolong(self) -> None:
        """It counts from when identity was asked, not from when the token was last used."""
        token = self.token_named("owner")
        self.list_groups(token)
        self.line.trouble = refusing
        for _ in range(5):
            self.after(STALENESS / 6)
            self.assertEqual(self.list_groups(token), "200")
        self.after(STALENESS / 6)

        self.assertEqual(self.list_groups(token), DOWN)

    def test_not_beyond_expiry(self) -> None:
        """A token that expires meanwhile is not good for the rest of the stated time."""
        token = self.short_lived_token("owner", timedelta(seconds=30))
        self.list_groups(token)
        self.line.trouble = refusing
        self.after(timedelta(seconds=29))
        self.assertEqual(self.list_groups(token), "200")
        self.after(timedelta(seconds=2))

        self.assertEqual(self.list_groups(token), DOWN)
        self.line.trouble = None
        self.assertEqual(self.list_groups(token), "401 InvalidCredentials")

    def test_refused_tokens_stay_refused_for_a_while(self) -> None:
        """Identity's no is remembered too, and then nobody knows."""
        token = self.bad_tokens()["garbage"]
        self.assertEqual(self.list_groups(token), "401 InvalidCredentials")
        self.line.trouble = refusing
        self.after(REFUSAL - LITTLE)
        self.assertEqual(self.list_groups(token), "401 InvalidCredentials")
        self.after(2 * LITTLE)

        self.assertEqual(self.list_groups(token), DOWN)

    def test_back_again(self) -> None:
        """Nothing has to be restarted when identity is back."""
        token = self.token_named("owner")
        self.line.trouble = refusing
        self.assertEqual(self.list_groups(token), DOWN)
        self.line.trouble = None

        self.assertEqual(self.list_groups(token), "200")


class RevocationTests(DownCase):
    """A revoked token is good for the stated time at most."""

    def test_revoked_while_known(self) -> None:
        """Known until then, refused from then on."""
        token = self.token_named("owner")
        self.list_groups(token)
        self.revoke(token)
        self.after(STALENESS - LITTLE)
        self.assertEqual(self.list_groups(token), "200")
        self.after(2 * LITTLE)

        self.assertEqual(self.list_groups(token), "401 InvalidCredentials")

    def test_roles_are_asked_for_again(self) -> None:
        """Identity is asked once per token and stated time, by however many requests."""
        token = self.token_named("observer")
        self.list_groups(token)
        sent = self.line.sent
        for _ in range(20):
            self.list_groups(token)
        self.assertEqual(self.line.sent, sent)
        self.after(STALENESS)
        self.list_groups(token)

        self.assertEqual(self.line.sent, sent + 1)


class Version2DownTests(DownCase):
    """The same of identity v2.0, where the token stands in the URL."""

    version = IdentityVersion.V2

    def test_down(self) -> None:
        """Refused, silent or broken: 503, and no log tells the URL."""
        token = self.token_named("owner")
        self.line.trouble = refusing
        self.assert_nobody_gets_in(token)
        self.line.trouble = None
        self.break_validation(500)
        self.assertEqual(self.list_groups(token), DOWN)
        self.cloud.control.faults.clear()

        self.assertEqual(self.list_groups(token), "200")
