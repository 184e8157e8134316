"""The rate budget of a region."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.models.ids import TenantId
from otter.worker.budget import Bucket, Budget
from tests.worker.world import secs

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
gaps = st.lists(st.floats(0, 30), min_size=1, max_size=60)


def a_bucket(rate: float = 2, size: float = 5) -> Bucket:
    """Return a full bucket."""
    return Bucket(rate, size, size, NOW)


def acting_times(bucket: Bucket, gaps: list[float]) -> list[datetime]:
    """Return when takers may act who come with these gaps between them."""
    now, times = NOW, []
    for gap in gaps:
        now += secs(gap)
        bucket, wait = bucket.take(now)
        times.append(now + wait)
    return times


class BucketTests(SynchronousTestCase):
    """What may be spent, decided without a clock."""

    def test_a_full_bucket_makes_nobody_wait(self) -> None:
        """A burst after a quiet time is what its size is for."""
        times = acting_times(a_bucket(), [0] * 5)

        self.assertEqual(times, [NOW] * 5)

    def test_an_empty_one_makes_its_takers_wait_in_order(self) -> None:
        """One token every half second."""
        times = acting_times(a_bucket(), [0] * 8)

        self.assertEqual(times[5:], [NOW + secs(s) for s in (0.5, 1, 1.5)])

    @given(gaps)
    def test_nobody_overtakes(self, gaps: list[float]) -> None:
        """Takers act in the order they came."""
        times = acting_times(a_bucket(), gaps)

        self.assertEqual(times, sorted(times))

    @given(gaps, st.floats(0.1, 20), st.integers(1, 20))
    def test_the_rate_is_kept(self, gaps: list[float], rate: float, size: int) -> None:
        """In any stretch of time no more act than the size and the rate allow."""
        times = acting_times(a_bucket(rate, size), gaps)
        for first, begin in enumerate(times):
            for last in range(first, len(times)):
                allowed = size + (times[last] - begin).total_seconds() * rate

                self.assertLessEqual(last - first + 1, allowed + 1e-3)

    @given(gaps)
    def test_waits_are_never_negative(self, gaps: list[float]) -> None:
        """Nobody is sent back in time, not even by a clock that was set back."""
        bucket, _ = a_bucket().take(NOW + timedelta(days=1))
        for gap in gaps:
            bucket, wait = bucket.take(NOW + secs(gap))

            self.assertGreaterEqual(wait, timedelta(0))


class BudgetTests(SynchronousTestCase):
    """A bucket on a clock."""

    def setUp(self) -> None:
        """Make a budget of two calls at once and one a second."""
        self.clock = Clock()
        self.budget = Budget(self.clock, rate=1, size=2)

    def take(self, tenant: str = "7042") -> "Deferred[None]":
        """Ask for one call."""
        return Deferred.fromCoroutine(self.budget.take(TenantId(tenant)))

    def test_calls_are_let_through_as_tokens_come(self) -> None:
        """Two at once, the third after a second."""
        self.successResultOf(self.take())
        self.successResultOf(self.take())
        third = self.take()

        self.assertNoResult(third)
        self.clock.advance(1)
        self.successResultOf(third)

    def test_closing_holds_newcomers(self) -> None:
        """For as long as the provider said."""
        self.budget.close_for(TenantId("7042"), secs(5))
        waiting = self.take()
        self.clock.advance(4.9)

        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        self.successResultOf(waiting)

    def test_closing_only_ever_extends(self) -> None:
        """The longest wait a provider asked for is kept."""
        self.budget.close_for(TenantId("7042"), secs(5))
        self.budget.close_for(TenantId("7042"), secs(1))
        waiting = self.take()
        self.clock.advance(4.9)

        self.assertNoResult(waiting)
        self.clock.advance(0.1)
        self.successResultOf(waiting)

    def test_one_tenant_does_not_close_it_for_another(self) -> None:
        """A provider throttles accounts one by one (promise S8)."""
        self.budget.close_for(TenantId("7042"), secs(5))

        self.successResultOf(self.take("another"))

    def test_waiting_can_be_cancelled(self) -> None:
        """A stopping worker leaves no timer behind."""
        self.budget.close_for(TenantId("7042"), secs(5))
        waiting = self.take()
        waiting.cancel()

        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
