"""Rate limits: the arithmetic, the tables, and what callers see (rest-api.md 3.17 and 7)."""

from datetime import timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.interface import Controller
from otter.rest.buckets import Rate, full, refilled, remaining, spent, wait
from otter.rest.config import Rates, RestConfig
from otter.rest.errors import RateLimitError
from otter.rest.rates import Meter, RateLimiter, Standing
from tests.rest.world import BASE, GROUPS, TENANT, UNKNOWN, RestCase

SECOND = timedelta(seconds=1)
HASH = "5f" * 32


class BucketTests(SynchronousTestCase):
    """The arithmetic of one bucket."""

    def test_burst_and_refill(self) -> None:
        """All calls of a period may come at once; then one fits as often as the rate says."""
        rate = Rate(3, SECOND)
        bucket = full(rate, 0)
        for _ in range(3):
            self.assertEqual(wait(bucket, rate), timedelta())
            bucket = spent(bucket, rate)

        waits = [wait(refilled(bucket, rate, at), rate) for at in (0, 333_333, 333_334)]

        third = timedelta(microseconds=333_334)
        self.assertEqual(waits, [third, timedelta(microseconds=1), timedelta()])

    def test_clock_set_back(self) -> None:
        """Nothing is gained by it, and nothing lost that was there before."""
        rate = Rate(2, SECOND)
        bucket = spent(full(rate, 5_000_000), rate)

        earlier = refilled(bucket, rate, 0)

        self.assertEqual(remaining(earlier, rate), 1)
        self.assertEqual(remaining(refilled(earlier, rate, 500_000), rate), 2)

    @given(
        st.integers(1, 50),
        st.sampled_from([SECOND, timedelta(minutes=1)]),
        st.lists(st.integers(0, 3_000_000), max_size=60),
    )
    def test_any_calls(self, value: int, period: timedelta, gaps: list[int]) -> None:
        """However calls come, no window has more of them than burst and refill allow."""
        rate, now = Rate(value, period), 0
        bucket, taken = full(rate, 0), list[int]()
        for gap in gaps:
            now += gap
            bucket = refilled(bucket, rate, now)
            delay = wait(bucket, rate)
            if not delay:
                bucket = spent(bucket, rate)
                taken.append(now)
                continue
            late = now + delay // timedelta(microseconds=1)

            self.assertEqual(wait(refilled(bucket, rate, late), rate), timedelta())
            self.assertTrue(wait(refilled(bucket, rate, late - 1), rate))
        for first, start in enumerate(taken):
            allowed = value + (now - start) * value // (period // timedelta(microseconds=1))

            self.assertLessEqual(len(taken) - first, allowed)


class MeterTests(SynchronousTestCase):
    """Many buckets of one rate."""

    def setUp(self) -> None:
        """Allow one call a second to each of at most two."""
        self.clock = Clock()
        self.meter = Meter(Rate(1, SECOND), 2, self.clock)

    def spends(self, *keys: str) -> list[bool]:
        """Return for each call whether it fits."""
        found = []
        for key in keys:
            try:
                self.meter.spend(key)
                found.append(True)
            except RateLimitError:
                found.append(False)
        return found

    def test_each_by_itself(self) -> None:
        """One who calls too often takes nothing from another."""
        self.assertEqual(self.spends("a", "a", "b", "a"), [True, False, True, False])
        self.clock.advance(1)
        self.assertEqual(self.spends("a", "b"), [True, True])

    def test_bounded(self) -> None:
        """The one not seen for longest is forgotten, which allows it more, never less."""
        found = self.spends("a", "b", "a", "c", "a", "b")

        self.assertEqual(found, [True, True, False, True, False, True])
        self.assertEqual(len(self.meter), 2)

    def test_bounded_whatever_comes(self) -> None:
        """Refused calls are remembered no more than others."""
        for key in range(100):
            self.spends(str(key), str(key))

        self.assertEqual(len(self.meter), 2)

    def test_standing(self) -> None:
        """Asking changes nothing."""
        before = self.meter.standing("a")
        self.spends("a")
        self.clock.advance(0.25)

        self.assertEqual(before, Standing(1, timedelta()))
        self.assertEqual(self.meter.standing("a"), Standing(0, timedelta(seconds=0.75)))

    def test_no_rate(self) -> None:
        """Everything fits, and nothing is remembered."""
        meter = Meter(None, 2, self.clock)
        for _ in range(50):
            meter.spend("a")

        self.assertEqual((len(meter), meter.standing("a")), (0, None))


class ScopeTests(SynchronousTestCase):
    """What counts as one on the execute route."""

    def refusals(self, rates: Rates, *hashes: str) -> int:
        """Return how many of these hits are refused."""
        limiter, count = RateLimiter(rates, Clock()), 0
        for capability in hashes:
            try:
                limiter.count_execution(capability)
            except RateLimitError:
                count += 1
        return count

    def test_scopes(self) -> None:
        """Each webhook by itself, or all together; what can be no hash shares one count."""
        each = Rates(execute_per_second=2)
        together = Rates(execute_per_second=2, execute_scope="all")
        others = [f"{number:064x}" for number in range(6)]

        self.assertEqual(self.refusals(each, *[HASH] * 3, *others), 1)
        self.assertEqual(self.refusals(together, *others), 4)
        self.assertEqual(self.refusals(each, "junk", "é", HASH.upper(), "\ufffd"), 2)

    def test_off(self) -> None:
        """By value or altogether."""
        for rates in (Rates(execute_per_second=0), Rates(enabled=False)):
            self.assertEqual(self.refusals(rates, *[HASH] * 50), 0)


class Executor:
    """A controller of which only the execution of capabilities is wanted."""

    async def execute_capability(self, version: str, capability: str) -> None:
        """Do nothing."""


class CallTests(RestCase):
    """What callers see."""

    config = RestConfig(BASE, rates=Rates(tenant_per_minute=3, execute_per_second=2))

    def test_tenant(self) -> None:
        """The fourth call is refused until a third of a minute has passed."""
        found = [self.ask("GET", GROUPS).error for _ in range(3)]
        refused = self.ask("GET", GROUPS)
        self.clock.advance(20)

        self.assertEqual((found, refused.error), (["200"] * 3, "413 RateLimitError"))
        self.assertEqual(refused.headers["Retry-After"], "20")
        self.assertEqual(self.ask("GET", GROUPS).error, "200")

    def test_each_tenant_by_itself(self) -> None:
        """One tenant's storm is no other's trouble."""
        self.tokens.add("other", "autoscale:admin", tenant="other")
        for _ in range(4):
            self.ask("GET", GROUPS)

        self.assertEqual(self.ask("GET", "/v1.0/other/groups", token="other").error, "200")

    def test_who_has_no_rights_uses_up_nothing(self) -> None:
        """Token and role are judged first, so nobody can lock a tenant out."""
        self.tokens.add("stranger", "autoscale:admin", tenant="other")
        for token, error in ((None, "401 InvalidCredentials"), ("stranger", "403 Forbidden")):
            for _ in range(5):
                self.assertEqual(self.ask("GET", GROUPS, token=token).error, error)

        self.assertEqual(self.ask("GET", GROUPS).error, "200")

    def test_before_the_route(self) -> None:
        """A call counts wherever it leads, and is refused before that is known."""
        paths = [f"{GROUPS}/{UNKNOWN}", f"/v1.0/{TENANT}/nothing", f"{GROUPS}/%FF"]
        found = [self.ask("GET", path).error.split()[0] for path in paths]

        self.assertEqual(found, ["404"] * 3)
        self.assertEqual(self.ask("GET", paths[1]).error, "413 RateLimitError")

    def test_shown(self) -> None:
        """``remaining`` counts down, and ``next-available`` says when one more fits."""
        path = f"/v1.0/{TENANT}/limits"
        seen = [self.ask("GET", path).document["limits"]["rate"] for _ in range(3)]

        self.assertEqual([rates[0]["limit"][0]["remaining"] for rates in seen], [2, 1, 0])
        self.assertEqual([rates[1]["limit"][0]["remaining"] for rates in seen], [2, 2, 2])
        self.assertEqual(
            [rates[0]["limit"][0]["next-available"][11:] for rates in seen],
            ["08:00:00.000Z", "08:00:00.000Z", "08:00:20.000Z"],
        )

    def test_switched_off(self) -> None:
        """A rate without a value is not shown; one that is not enforced is, as unused."""
        for rates, values in (
            (Rates(tenant_per_minute=0, execute_per_second=7), [("SECOND", 7, 7)]),
            (Rates(enabled=False), [("MINUTE", 1000, 1000), ("SECOND", 10, 10)]),
        ):
            self.config = RestConfig(BASE, rates=rates)
            self.serve(self.controller)
            for _ in range(9):
                reply = self.ask("GET", f"/v1.0/{TENANT}/limits")
            shown = [rate["limit"][0] for rate in reply.document["limits"]["rate"]]

            self.assertEqual(
                [(one["unit"], one["value"], one["remaining"]) for one in shown], values
            )

    def test_executions(self) -> None:
        """A right hash and a wrong one are refused alike, each after its own hits."""
        self.config = RestConfig(BASE, rates=Rates(execute_per_second=2))
        self.serve(self.controller)
        _, right = self.make_webhook(self.make_policy(self.make_group()))
        wrong = f"/v1.0/execute/1/{'0' * 64}/"
        found = []
        for path in (right, wrong):
            replies = [self.ask("POST", path, token=None) for _ in range(3)]
            found.append([(r.error, r.headers["Retry-After"]) for r in replies])

        refused = ("413 RateLimitError", "1")
        self.assertEqual(found, [[("202", None), ("202", None), refused]] * 2)
        self.clock.advance(0.5)
        self.assertEqual(self.ask("POST", right, token=None).error, "202")

    def test_executions_and_calls_are_counted_apart(self) -> None:
        """Alarms do not use up what people may do."""
        self.serve(cast("Controller", Executor()))
        for _ in range(5):
            self.ask("POST", f"/v1.0/execute/1/{HASH}")

        self.assertEqual(self.ask("POST", f"{GROUPS}/g/x").error, "404 NotFound")
