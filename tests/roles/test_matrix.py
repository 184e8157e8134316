"""Every operation by every caller (rest-api.md 1.8), each cell with a fresh group."""

import re
from collections.abc import Iterable

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.tokens import IdentityVersion
from otter.rest.app import make_routes
from otter.rest.config import Rates, RestConfig
from otter.rest.rates import RateLimiter
from tests.rest.wire import Reply
from tests.roles.contract import (
    CALLERS,
    OPERATIONS,
    For,
    Operation,
    Standing,
    expected,
    result_of,
)
from tests.roles.world import Resources, RolesCase


class MatrixCase(RolesCase):
    """Fills in rows of the matrix."""

    def hold(
        self,
        standing: Standing,
        token: str | None,
        operations: Iterable[Operation] = OPERATIONS,
        *,
        about: str = "",
    ) -> None:
        """Try every operation, with a slash at the end and without, and compare."""
        found, wanted = {}, {}
        for operation in operations:
            for slash in ("", "/"):
                cell = f"{operation.row}{' with a slash' if slash else ''}"
                found[cell] = self.fill_in(operation, standing, token, slash)
                wanted[cell] = expected(operation, standing)
                if operation.method == "HEAD":
                    wanted[cell] = wanted[cell].split(" ")[0]

        self.assertEqual(found, wanted, about)

    def fill_in(self, operation: Operation, standing: Standing, token: str | None, s: str) -> str:
        """Return what a cell answers; nobody who is refused changes or learns anything."""
        resources = self.make_resources()
        before = self.stored()
        path, _, query = operation.path.partition("?")
        sent = f"{path}{s}{'?' if query else ''}{query}"
        reply = self.ask(operation.method, resources.path(sent), operation.body, token=token)
        if expected(operation, standing) != result_of(operation):
            self.assertEqual(self.stored(), before, operation)
        self.assert_nothing_learnt(operation, standing, reply, resources)
        self.assertNotIn(token or "no token", reply.body.decode())
        return reply.error

    def assert_nothing_learnt(
        self, operation: Operation, standing: Standing, reply: Reply, resources: Resources
    ) -> None:
        """Only owners see secrets, and refusals name no resource."""
        text = reply.body.decode()
        if standing is not Standing.OWNER:
            self.assertEqual([one for one in self.secrets if one and one in text], [], operation)
        if reply.status in {401, 403} and operation.access is not For.ANYBODY:
            for name in (resources.g, resources.p, resources.w):
                self.assertNotIn(name, text, operation)


class MatrixTests(MatrixCase):
    """A row for each caller, through identity v3."""

    def caller(self, name: str) -> None:
        """Try everything as this caller."""
        caller = next(one for one in CALLERS if one.name == name)
        self.hold(caller.standing, self.token_of(caller))

    def test_account_owner(self) -> None:
        """The owner of the account, ``identity:user-admin``, may do everything."""
        self.caller("owner")

    def test_admin(self) -> None:
        """So may ``admin`` on the tenant's own project."""
        self.caller("admin")

    def test_autoscale_admin(self) -> None:
        """So may ``autoscale:admin``."""
        self.caller("autoscale admin")

    def test_most_permissive_role_wins(self) -> None:
        """Being an observer takes nothing away from an admin."""
        self.caller("most permissive")

    def test_cross_tenant_role(self) -> None:
        """The role that the operator configured acts on a tenant that is not the token's."""
        self.caller("operator")

    def test_observer(self) -> None:
        """``observer`` reads, except where there are secrets, and changes nothing."""
        self.caller("observer")

    def test_autoscale_observer(self) -> None:
        """So does ``autoscale:observer``."""
        self.caller("autoscale observer")

    def test_observer_who_is_admin_elsewhere(self) -> None:
        """Roles of compute add nothing to rights on Autoscale."""
        self.caller("compute admin")

    def test_no_role(self) -> None:
        """Without a role of ours there is nothing to see, whatever roles compute has."""
        self.caller("no role")

    def test_owner_of_another_tenant(self) -> None:
        """Another tenant's owner is nobody here."""
        self.caller("other owner")

    def test_admin_of_another_tenant(self) -> None:
        """Nor does ``admin`` reach further than its project, unless configured so."""
        self.caller("other admin")

    def test_observer_of_another_tenant(self) -> None:
        """Reading is no more open to strangers than writing."""
        self.caller("other observer")

    def test_token_without_scope(self) -> None:
        """A token that is for no project gives no right on any."""
        self.caller("unscoped")

    def test_expired(self) -> None:
        """A token that was good once is none."""
        self.hold(Standing.UNKNOWN, self.bad_tokens()["expired"])

    def test_revoked(self) -> None:
        """Nor is one that was revoked before we ever saw it."""
        self.hold(Standing.UNKNOWN, self.bad_tokens()["revoked"])

    def test_garbage(self) -> None:
        """What looks like a token need not be one."""
        self.hold(Standing.UNKNOWN, self.bad_tokens()["garbage"])

    def test_no_token(self) -> None:
        """Nobody in particular gets 401, and does not cost identity a question."""
        asked = self.line.sent
        self.hold(Standing.UNKNOWN, None)

        self.assertEqual(self.line.sent, asked)

    def test_other_bad_tokens(self) -> None:
        """Whatever else stands in the header: one operation for each access is enough."""
        few = {operation.access: operation for operation in OPERATIONS}
        for name, token in self.bad_tokens().items():
            self.hold(Standing.UNKNOWN, token, few.values(), about=name)


class Version2Tests(MatrixCase):
    """The same through identity v2.0: a smaller pass, as only the validation differs."""

    version = IdentityVersion.V2

    def test_good_tokens(self) -> None:
        """Every caller with one operation for each access, and the most telling one."""
        rows = {"1 list groups", "13 execute policy", "14 list webhooks", "16 execute capability"}
        few = [operation for operation in OPERATIONS if operation.row in rows]
        for caller in CALLERS:
            self.hold(caller.standing, self.token_of(caller), few, about=caller.name)

    def test_bad_tokens(self) -> None:
        """They stand in the path of a question to identity, and lead it nowhere else."""
        few = {operation.access: operation for operation in OPERATIONS}
        for name, token in self.bad_tokens().items():
            self.hold(Standing.UNKNOWN, token, few.values(), about=name)


class CompletenessTests(SynchronousTestCase):
    """The matrix would be worth little with a row or a column missing."""

    def test_every_row(self) -> None:
        """All rows of rest-api.md 1.1 that are a tenant's or a webhook's."""
        rows = {one.row.split(" ")[0] for one in OPERATIONS}

        self.assertEqual(rows - {"ours:"}, {str(number) for number in range(1, 18)})

    def test_callers_differ(self) -> None:
        """No two callers have the same roles on the same project."""
        kinds = {(frozenset(one.roles), one.project) for one in CALLERS}

        self.assertEqual(len(kinds), len(CALLERS))


class RouteTests(RolesCase):
    """The table and the code know of the same operations."""

    def test_every_route(self) -> None:
        """Every route of a tenant in the code has its operation, and the reverse."""
        self.ask("GET", "/", token=None)
        config = RestConfig("https://otter.example.com")
        limiter = RateLimiter(Rates(), self.clock)
        routes = make_routes(config, self.controller, {}, self.clock, limiter)
        coded = {
            f"{route.method} {re.sub('<[a-z]+>', '*', route.path)}"
            for route in routes
            if route.path.startswith("/v1.0/<")
        }
        tabled = {
            f"{one.method} {re.sub('{[a-z]+}', '*', one.path.partition('?')[0])}"
            for one in OPERATIONS
            if one.method != "HEAD" and one.access is not For.ANYBODY
        }

        self.assertEqual(coded, tabled)


class WatchTests(RolesCase):
    """What all these tests end with is no idle check."""

    log = Logger()

    def test_told_secrets_are_noticed(self) -> None:
        """In the sentence, in what the event is bound to, and in a failure that is logged."""
        token = "a-token-that-is-told"
        self.log.info("oops {what}", what=token)
        self.log.debug("oops", bound={"deep": [token]})
        try:
            raise ZeroDivisionError(token)
        except ZeroDivisionError:
            self.log.failure("oops")

        self.assertEqual(len(self.watch.telling(token)), 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
