"""Tests of shared work and of what is kept of its results."""

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.flight import Recent, SingleFlight


class SingleFlightTests(SynchronousTestCase):
    """Many callers, one piece of work."""

    def setUp(self) -> None:
        """Make a flight whose work can be ended at will."""
        self.flights: SingleFlight[str, int] = SingleFlight()
        self.works: list[Deferred[int]] = []

    def start(self) -> Callable[[], Coroutine[Any, Any, int]]:
        """Return work that ends when the last of ``works`` does."""

        async def work() -> int:
            ending: Deferred[int] = Deferred()
            self.works.append(ending)
            return await ending

        return work

    def run_one(self, key: str = "k") -> "Deferred[int]":
        """Ask for the work."""
        return Deferred.fromCoroutine(self.flights.run(key, self.start()))

    def test_work_is_done_once_for_all(self) -> None:
        """A hundred creates that need a token ask identity once."""
        waiters = [self.run_one() for _ in range(3)]
        self.works[0].callback(7)

        self.assertEqual([7, 7, 7], [self.successResultOf(waiter) for waiter in waiters])
        self.assertEqual(1, len(self.works))

    def test_keys_do_not_share(self) -> None:
        """One tenant's slow identity call is no other tenant's."""
        first, second = self.run_one("a"), self.run_one("b")
        self.works[1].callback(2)

        self.assertNoResult(first)
        self.assertEqual(2, self.successResultOf(second))
        first.cancel()
        self.failureResultOf(first, CancelledError)

    def test_failure_reaches_all_and_is_not_kept(self) -> None:
        """Everybody learns what happened, and whoever comes next tries anew."""
        waiters = [self.run_one(), self.run_one()]
        self.works[0].errback(ZeroDivisionError())
        again = self.run_one()
        self.works[1].callback(1)

        for waiter in waiters:
            self.failureResultOf(waiter, ZeroDivisionError)
        self.assertEqual(1, self.successResultOf(again))

    def test_one_waiter_leaving_does_not_disturb_the_others(self) -> None:
        """Not even if it is the one that started the work."""
        for leaving in (0, 1):
            waiters = [self.run_one(), self.run_one()]
            waiters[leaving].cancel()
            self.works[-1].callback(5)

            self.failureResultOf(waiters[leaving], CancelledError)
            self.assertEqual(5, self.successResultOf(waiters[1 - leaving]))

    def test_work_that_nobody_waits_for_is_cancelled(self) -> None:
        """A call whose answer nobody will read is not kept open."""
        waiters = [self.run_one(), self.run_one()]
        for waiter in waiters:
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)

        self.assertTrue(self.works[0].called)

    def test_newcomer_does_not_join_cancelled_work(self) -> None:
        """It would be cancelled without having asked for it."""
        first = self.run_one()
        first.cancel()
        second = self.run_one()
        self.works[1].callback(3)

        self.failureResultOf(first, CancelledError)
        self.assertEqual(3, self.successResultOf(second))

    def test_waiter_may_ask_again_at_once(self) -> None:
        """What a waiter does when it is told must find the flight landed."""

        async def twice() -> int:
            first = await self.flights.run("k", self.start())
            return first + await self.flights.run("k", self.start())

        both = Deferred.fromCoroutine(twice())
        self.works[0].callback(1)
        self.works[1].callback(2)

        self.assertEqual(3, self.successResultOf(both))

    def test_waiter_may_cancel_another_when_told(self) -> None:
        """One that hears of a failure may give up a call that waits for the same work."""
        first, second = self.run_one(), self.run_one()
        giving_up = first.addCallback(lambda _: second.cancel())
        self.works[0].callback(7)

        self.assertIsNone(self.successResultOf(giving_up))
        self.failureResultOf(second, CancelledError)

    def test_work_that_ends_at_once(self) -> None:
        """An answer that needs no time lands before anybody could wait."""

        async def at_once() -> int:
            return 9

        for _ in range(2):
            work = self.flights.run("k", at_once)
            self.assertEqual(9, self.successResultOf(Deferred.fromCoroutine(work)))


class RecentTests(SynchronousTestCase):
    """A mapping that forgets."""

    def test_least_recently_used_goes_first(self) -> None:
        """Reading counts as use."""
        recent: Recent[str, int] = Recent(2)
        recent.put("a", 1)
        recent.put("b", 2)
        recent.get("a")
        recent.put("c", 3)

        self.assertEqual((1, None, 3), tuple(recent.get(key) for key in "abc"))

    def test_dropping_is_idempotent(self) -> None:
        """What is not there need not be dropped."""
        recent: Recent[str, int] = Recent(2)
        recent.put("a", 1)
        recent.drop("a")
        recent.drop("a")

        self.assertIsNone(recent.get("a"))

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers()), max_size=40))
    def test_size_is_bounded_and_the_latest_is_there(self, puts: list[tuple[int, int]]) -> None:
        """However it is used."""
        recent: Recent[int, int] = Recent(3)
        for key, value in puts:
            recent.put(key, value)

            self.assertLessEqual(len(recent), 3)
            self.assertEqual(value, recent.get(key))
