"""
Keep what is open, and tell when the last of it has closed.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


class OpenSet(Generic[T]):
    """A set that can be waited for to become empty."""

    def __init__(self) -> None:
        self._items: set[T] = set()
        self._waiting: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        """Go over a copy, so that closing one may discard it."""
        return iter(list(self._items))

    def add(self, item: T) -> None:
        """Take note of something that is now open."""
        self._items.add(item)

    def discard(self, item: T) -> None:
        """Forget something that has closed; wakes those who waited if it was the last."""
        self._items.discard(item)
        if self._items:
            return
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    async def emptied(self) -> None:
        """Return when nothing is open."""
        if self._items:
            waiter: Deferred[None] = Deferred()
            self._waiting.append(waiter)
            await waiter
