"""
Keep work going when nobody waits for its result any more.

Klein cancels what a handler waits for as soon as the client hangs up. A change that was begun must
end all the same: half of it may be written already.
"""

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def detached(work: Deferred[T]) -> Deferred[T]:
    """Return a Deferred that tells what ``work`` comes to; cancelling it leaves ``work`` alone."""
    observer: Deferred[T] = Deferred()

    def tell(result: T | Failure) -> None:
        if not observer.called:
            observer.callback(result)

    _ = work.addBoth(tell)
    return observer


def ended(work: Deferred[T]) -> Deferred[None]:
    """Return a Deferred that fires when ``work`` has, however it came out; it too is detached."""
    over: Deferred[None] = Deferred()

    def tell(result: T | Failure) -> T | Failure:
        if not over.called:
            over.callback(None)
        return result

    _ = work.addBoth(tell)
    return over
