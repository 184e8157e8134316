"""
A service of the cloud is away for a while: nothing wrong is done meanwhile, and nobody has to help
afterwards.

Scenario numbers are those of the acceptance scenarios the original was held to.
"""

from datetime import timedelta

from otter.testing.client import Client
from tests.acceptance import world
from tests.acceptance.watching import Watcher


class IdentityTests(world.AcceptanceTestCase):
    """Identity fails."""

    timeout = 90

    async def test_scenario_20_our_own_login_fails(self) -> None:
        """
        Identity answers 500 and 401 when Otter wants to act for the tenant: the group gets its
        servers, and is never in ERROR.
        """
        user = f"^{self.tenant.stack.cloud.credentials['service_user']['name']}$"
        await self.change_cloud(token_lifetime=1)
        group = await self.tenant.create_group()
        faults = [
            await self.tenant.fault(operation="authenticate", name=user, status=status)
            for status in (500, 500, 401)
        ]

        async def expired() -> bool:
            return await self.tenant.happened(faults[0])

        await self.tenant.wait("Otter to need a new token", expired)
        await self.tenant.scale(group, change=2)
        await self.tenant.settled(group, 2)
        kinds = {a["kind"] for a in await self.tenant.activities(group)}

        self.assertEqual([await self.tenant.happened(fault) for fault in faults], [True] * 3)
        self.assertNotIn("group.error", kinds)

    async def test_identity_is_down(self) -> None:
        """
        While identity is down, callers it would have to be asked about get 503 and are told when to
        come again; a group that loses a server meanwhile is healed afterwards by itself.
        """
        group = await self.tenant.create_group(2, 2)
        [lost, kept] = await self.tenant.settled(group, 2)
        watcher = Watcher(self.tenant, group, 2)
        self.addCleanup(watcher.stop)
        token = await self.tenant.new_token()
        first = await self._down("authenticate", count=2)
        for operation in ("authenticate", "validate"):
            await self._down(operation, count=None)
        stranger = Client(self.tenant.api.reactor, self.tenant.api.root, {"X-Auth-Token": token})
        refused = await stranger.call("GET", f"/groups/{group}/state")
        known = await self.tenant.api.call("GET", f"/groups/{group}/state")
        # Every token Otter holds is worthless now, so it can neither look nor act.
        await self.tenant.control.expect(200, "DELETE", "/tokens")
        await self.tenant.control.expect(204, "DELETE", f"/servers/{lost}")

        async def tried() -> bool:
            return await self.tenant.happened(first)

        await self.tenant.wait("Otter to try and fail", tried)
        during = {s["id"] for s in await watcher.look()}
        await self.tenant.control.expect(204, "DELETE", "/faults")
        await self.tenant.log_in()
        after = await self.tenant.settled(group, 2)
        await watcher.stop()

        self.assertEqual(refused.status, 503)
        self.assertEqual(refused.body["error"]["type"], "ServiceUnavailable")
        self.assertGreaterEqual(int(refused.header("Retry-After")), 1)
        self.assertEqual(known.status, 200)
        self.assertEqual(during, {kept})
        self.assertIn(kept, after)

    async def _down(self, operation: str, count: int | None) -> str:
        """Fail for everybody, because whose token is checked is no project's business."""
        return await self.tenant.fault(
            operation=operation, effect="refuse", status=503, count=count, project=""
        )


class ComputeTests(world.AcceptanceTestCase):
    """Compute fails."""

    timeout = 90

    async def test_half_a_view_decides_nothing(self) -> None:
        """While servers cannot be listed none is made and none deleted, whatever is wanted."""
        group = await self.tenant.create_group(1, 5)
        servers = await self.tenant.settled(group, 1)
        failing = await self.tenant.fault(operation="list", effect="refuse", status=500, count=2)
        await self.tenant.scale(group, change=2)
        seen: list[set[str]] = []

        async def over() -> bool:
            existing = {s["id"] for s in await self.tenant.existing()}
            if await self.tenant.happened(failing):
                return True
            seen.append(existing)
            return False

        await self.tenant.wait("the outage to end", over)
        after = await self.tenant.settled(group, 3)

        self.assertTrue(seen)
        self.assertEqual({tuple(found) for found in seen}, {tuple(servers)})
        self.assertLess(set(servers), set(after))

    async def test_throttled(self) -> None:
        """A create answered 429 is made again, and no earlier than the cloud said."""
        wait = timedelta(seconds=2)
        seconds = int(wait.total_seconds())
        throttled = await self.tenant.fault(effect="refuse", status=429, retry_after=seconds)
        group = await self.tenant.create_group(0, 1)
        clock = self.tenant.stack.cloud.reactor
        began = clock.seconds()
        await self.tenant.scale(group, change=1)

        async def made() -> bool:
            return bool(await self.tenant.existing())

        await self.tenant.wait("the second attempt", made)
        took = timedelta(seconds=clock.seconds() - began)

        self.assertTrue(await self.tenant.happened(throttled))
        self.assertGreaterEqual(took, wait)

    async def test_deletes_fail(self) -> None:
        """Deletes refused, answered wrongly and cut are repeated until the servers are gone."""
        group = await self.tenant.create_group(4, 4)
        await self.tenant.settled(group, 4)
        for effect, count in (("refuse", 3), ("answer-error", 2), ("cut", 2)):
            await self.tenant.fault(operation="delete", effect=effect, status=500, count=count)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")

        async def empty() -> bool:
            return not await self.tenant.existing()

        self.assertTrue(await self.tenant.wait("the servers to go", empty))
