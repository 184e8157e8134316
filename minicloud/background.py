"""
Work that outlives the call that started it: named, logged when it fails, cancelled at the end.
"""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure


class Background:
    """A component's running work."""

    log = Logger()

    def __init__(self) -> None:
        self._running: set[Deferred[None]] = set()
        self._stopped = False

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work`` now; its failure is logged under ``name`` and goes no further."""
        if self._stopped:
            work.close()
            return
        running = Deferred.fromCoroutine(work)
        self._running.add(running)

        def failed(failure: Failure) -> None:
            if not failure.check(CancelledError):
                self.log.failure("work.failed {name}", failure=failure, name=name)

        def ended(_: object) -> None:
            self._running.discard(running)

        _ = running.addErrback(failed).addBoth(ended)

    async def stop(self) -> None:
        """Cancel what runs, wait until it ended, and start nothing any more."""
        self._stopped = True
        running = list(self._running)
        for work in running:
            work.cancel()
        await gatherResults(running, consumeErrors=True)
