"""
Let many callers share one piece of work that is under way; keep a bounded number of results.

Note [Waiters]
    A Deferred shared by two waiters is cancelled for both. So each waiter has a Deferred of its
    own; one that gives up leaves the others waiting, and only when the last one has given up is the
    work itself cancelled.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

K = TypeVar("K")
V = TypeVar("V")


@define(eq=False)
class _Flight(Generic[V]):
    """Work under way and who waits for it."""

    waiters: list["Deferred[V]"] = field(factory=list)
    work: "Deferred[None] | None" = None


class SingleFlight(Generic[K, V]):
    """Work by key: whoever asks for what is under way waits for it instead of starting it anew."""

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}

    async def run(self, key: K, start: Callable[[], Coroutine["Deferred[Any]", Any, V]]) -> V:
        """Return what ``start`` returns, or what somebody's earlier ``start`` is about to."""
        flight = self._flights.get(key)
        if flight is not None:
            return await self._wait(key, flight)
        flight = self._flights[key] = _Flight()
        waiter = self._wait(key, flight)
        work = Deferred.fromCoroutine(start())
        flight.work = work.addCallbacks(
            lambda value: self._land(key, flight, lambda waiting: waiting.callback(value)),
            lambda failure: self._land(key, flight, lambda waiting: waiting.errback(failure)),
        )
        return await waiter

    def _wait(self, key: K, flight: _Flight[V]) -> "Deferred[V]":
        waiter: Deferred[V] = Deferred(lambda gone: self._leave(key, flight, gone))
        flight.waiters.append(waiter)
        return waiter

    def _leave(self, key: K, flight: _Flight[V], waiter: "Deferred[V]") -> None:
        flight.waiters.remove(waiter)
        if not flight.waiters and flight.work is not None:
            self._forget(key, flight)
            flight.work.cancel()

    def _land(self, key: K, flight: _Flight[V], tell: Callable[["Deferred[V]"], None]) -> None:
        self._forget(key, flight)
        # One by one: whoever is told may cancel another waiter, which is then gone from the list.
        while flight.waiters:
            tell(flight.waiters.pop(0))

    def _forget(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class Recent(Generic[K, V]):
    """A mapping of bounded size that drops what has not been used for longest."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._items: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what is kept for ``key``, now the most recently used, or None."""
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep ``value``, if need be at the cost of another one."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._size_max:
            self._items.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget ``key``; fine if it is not there."""
        self._items.pop(key, None)

    def __len__(self) -> int:
        return len(self._items)
