"""
Watch what a tenant's cloud holds, poll after poll without pause, while a test does other things.

The cloud's own books are read, not its lists: what a lagging list leaves out counts here.
"""

from typing import Any

from twisted.internet.defer import Deferred

from otter.cloud.interface import INSTANCE_KEY
from otter.testing.processes import LOOK_EVERY
from otter.timing import sleep
from tests.acceptance.world import GROUP_KEY, Tenant


class PromiseBrokenError(AssertionError):
    """A poll saw what never may be."""


class Watcher:
    """
    Polls one group's servers from construction until ``stop``.

    :param maximum: more servers than this at any poll break promise S1; two servers of one
        intent always do.
    :ivar polls: how many polls there were.
    :ivar seen: ids of all servers that were ever there.
    """

    def __init__(self, tenant: Tenant, group: str, maximum: int) -> None:
        self.polls = 0
        self.seen: set[str] = set()
        self.tenant = tenant
        self._group = group
        self._maximum = maximum
        self._stopping = False
        self._watching = Deferred.fromCoroutine(self._watch())

    async def _watch(self) -> None:
        while not self._stopping:
            self._judge(await self.look())
            self.polls += 1
            await sleep(self.tenant.stack.cloud.reactor, LOOK_EVERY)
        self._judge(await self.look())

    async def look(self) -> list[dict[str, Any]]:
        """Return the servers that exist with the group's mark."""
        existing = await self.tenant.existing()
        return [s for s in existing if s["metadata"].get(GROUP_KEY) == self._group]

    def _judge(self, servers: list[dict[str, Any]]) -> None:
        self.seen.update(s["id"] for s in servers)
        if len(servers) > self._maximum:
            raise PromiseBrokenError(f"poll {self.polls}: {len(servers)} > {self._maximum} servers")
        intents = [s["metadata"].get(INSTANCE_KEY) for s in servers]
        if len(set(intents)) < len(intents):
            raise PromiseBrokenError(f"poll {self.polls}: two servers of one intent: {intents}")

    async def stop(self) -> None:
        """
        Stop after one last poll; harmless when stopped already.

        :raises PromiseBrokenError: a poll saw what never may be.
        """
        self._stopping = True
        await self._watching
