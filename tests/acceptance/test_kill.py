"""
Otter is killed with SIGKILL again and again, at random moments, while the cloud misbehaves.

Judged by the cloud alone: at no poll more servers than ``max``, in the end exactly the right ones,
and
nothing foreign touched (promises S1, S2, S3, S5).
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from otter.testing.stack import FAST, Otter, start_minicloud, start_otter
from otter.timing import sleep
from tests.acceptance.watching import Watcher
from tests.acceptance.world import GROUP_KEY, Stack, Tenant, make_tenant

SEED = 20261120
MAX = 20
KILLS_UP = 28
KILLS_DOWN = 24
SLOW_SECONDS = 0.2
ACT_SECONDS = 1.2
RECOVERY = timedelta(seconds=45)

FAULTS: tuple[dict[str, Any], ...] = (
    {"operation": "create", "effect": "refuse", "status": 500, "count": 3},
    {"operation": "create", "effect": "answer-error", "status": 500, "count": 3},
    {"operation": "create", "effect": "cut", "count": 2},
    {"operation": "create", "effect": "stuck", "count": 1},
    {"operation": "create", "effect": "error", "message": "No valid host", "count": 2},
    {"operation": "create", "effect": "refuse", "status": 429, "retry_after": 1, "count": 2},
    {"operation": "list", "effect": "refuse", "status": 500, "count": 2},
    {"operation": "show", "effect": "refuse", "status": 503, "count": 2},
    {"operation": "delete", "effect": "refuse", "status": 500, "count": 3},
    {"operation": "delete", "effect": "answer-error", "status": 500, "count": 3},
    {"operation": "authenticate", "effect": "refuse", "status": 503, "count": 1},
)


class KillTests(TestCase):
    """Crashes of the whole process."""

    timeout = 170
    longest_life: float

    def test_killed_over_and_over(self) -> Deferred[None]:
        """No server is doubled, lost or taken from somebody else by any number of crashes."""
        return Deferred.fromCoroutine(self._killed_over_and_over())

    async def _killed_over_and_over(self) -> None:
        directory = Path(self.mktemp_directory())
        cloud = await start_minicloud(
            reactor, directory / "minicloud", "--driver", "fake", "--build-time", "0.3"
        )
        self.addCleanup(cloud.process.end_at_once)
        # A slow cloud and a worker of one hand: the scale-up and -down outlast many kills.
        settings = {"lag_new": 0.4, "delete_time": 0.2, "delay": {"compute": SLOW_SECONDS}}
        await cloud.control.expect(200, "PATCH", "/settings", settings)
        hands = {
            "supervisor": {"creates_in_flight": 1, "probe_after": 1000, "retry_max_seconds": 0.3},
            "worker": {"concurrency": 1, "tenant_concurrency": 1},
        }
        began = monotonic()
        otter = await start_otter(reactor, directory / "otter", cloud, FAST, hands)
        # A machine that is slow to start gives every life that much more.
        self.longest_life = monotonic() - began + ACT_SECONDS
        self.addCleanup(otter.end_at_once)
        tenant = await make_tenant(Stack(cloud, otter))
        foreign = await self._foreigners(tenant)
        group = await tenant.create_group(0, MAX)
        watcher = Watcher(tenant, group, MAX)
        self.addCleanup(lambda: Deferred.fromCoroutine(watcher.stop()))
        random = Random(SEED)

        await self._scale(tenant, group, MAX)
        progress = await self._kill_often(otter, watcher, random, KILLS_UP)
        self.assertGreater(len(set(progress)), 3, f"killed at rest: {progress}")
        await tenant.control.expect(204, "DELETE", "/faults")
        await self._settled(tenant, watcher, MAX)
        await self._scale(tenant, group, 0)
        progress = await self._kill_often(otter, watcher, random, KILLS_DOWN)
        self.assertGreater(len(set(progress)), 3, f"killed at rest: {progress}")
        await tenant.control.expect(204, "DELETE", "/faults")
        await self._settled(tenant, watcher, 0)

        await watcher.stop()
        self.assertGreater(watcher.polls, 100)
        left = await tenant.compute.expect(200, "GET", "/servers/detail")
        self.assertEqual({s["id"]: s["metadata"] for s in left["servers"]}, foreign)

    def mktemp_directory(self) -> str:
        """Return a directory that is removed after the test."""
        folder = tempfile.TemporaryDirectory(prefix="otter-kill-")
        self.addCleanup(folder.cleanup)
        return folder.name

    async def _foreigners(self, tenant: Tenant) -> dict[str, dict[str, str]]:
        """Create servers that are not ours, one of them another deployment's."""
        found = {}
        marks: tuple[dict[str, str], ...] = (
            {},
            {"otter:deployment": "another", "otter:instance": "i", GROUP_KEY: "another group"},
        )
        credentials = tenant.stack.cloud.credentials
        for metadata in marks:
            body = {
                "server": {
                    "name": "pet",
                    "imageRef": credentials["images"][0]["id"],
                    "flavorRef": credentials["flavors"][0]["id"],
                    "metadata": metadata,
                }
            }
            made = await tenant.compute.expect(202, "POST", "/servers", body)
            found[made["server"]["id"]] = metadata
        return found

    async def _scale(self, tenant: Tenant, group: str, capacity: int) -> None:
        answer = await tenant.execute(group, desiredCapacity=capacity)
        self.assertEqual(answer.status, 202)

    async def _kill_often(
        self, otter: Otter, watcher: Watcher, random: Random, kills: int
    ) -> list[int]:
        """
        Kill and start again; every life is between too short to start and long enough to act.

        Return how many servers there were at each kill.
        """
        progress = []
        for number in range(kills):
            if number % 3 == 0:
                await watcher.tenant.fault(**random.choice(FAULTS))
            await sleep(reactor, timedelta(seconds=random.uniform(0.3, self.longest_life)))
            await otter.process.kill()
            progress.append(len(await watcher.look()))
            otter.spawn()
        await otter.ready()
        return progress

    async def _settled(self, tenant: Tenant, watcher: Watcher, count: int) -> None:
        """Wait until the cloud holds exactly so many, all ACTIVE, and Otter says the same."""
        group = tenant.groups[0]

        async def look() -> bool:
            servers = await watcher.look()
            active = (await tenant.state(group))["active"]
            return (
                len(servers) == len(active) == count
                and all(s["status"] == "ACTIVE" for s in servers)
                and {s["id"] for s in servers} == {s["id"] for s in active}
            )

        await tenant.wait(f"{count} servers after the kills", look, RECOVERY)
