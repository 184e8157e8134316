"""
A paused group performs no step at all; a resumed one catches up.

Scenario numbers are those of the acceptance scenarios the original was held to.
"""

from otter.testing.client import Answer, Client
from tests.acceptance import world


class PausingTests(world.AcceptanceTestCase):
    """Pause, and what may still be done."""

    timeout = 60

    async def post(self, path: str) -> Answer:
        """Post nothing."""
        return await self.tenant.api.call("POST", path)

    async def a_paused_group(self, size: int) -> tuple[str, list[str]]:
        """Return a paused group of this size with its servers."""
        group = await self.tenant.create_group(0, 10)
        await self.tenant.scale(group, desiredCapacity=size)
        servers = await self.tenant.settled(group, size)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/pause")
        return group, servers

    async def test_scenario_39_state_shows_paused(self) -> None:
        """The state says whether the group is paused."""
        group, _ = await self.a_paused_group(1)
        paused = (await self.tenant.state(group))["paused"]
        resumed = await self.post(f"/groups/{group}/resume")
        after = (await self.tenant.state(group))["paused"]

        self.assertEqual((paused, resumed.status, after), (True, 204, False))

    async def test_scenario_40_pause_stops_converging(self) -> None:
        """A server finishes building in a paused group, and the group does not take note."""
        await self.change_cloud(boot_time=0.5)
        group = await self.tenant.create_group(1)

        async def building() -> bool:
            return bool(await self.tenant.existing())

        async def built() -> bool:
            return {s["status"] for s in await self.tenant.servers(group)} == {"ACTIVE"}

        await self.tenant.wait("the create", building)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/pause")
        await self.tenant.wait("the cloud to finish", built)
        await self.tenant.cycle_passes()
        state = await self.tenant.state(group)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")

        self.assertEqual((state["activeCapacity"], state["pendingCapacity"]), (0, 1))
        self.assertEqual(len(await self.tenant.settled(group, 1)), 1)

    async def test_a_paused_group_is_not_healed(self) -> None:
        """Servers lost and broken while paused are neither deleted nor replaced until resumed."""
        group, [lost, broken, good] = await self.a_paused_group(3)
        await self.tenant.delete_server(lost)
        await self.tenant.set_status(broken, "ERROR")
        await self.tenant.cycle_passes()
        during = {s["id"] for s in await self.tenant.servers(group)}
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")
        after = await self.tenant.settled(group, 3)

        self.assertEqual(during, {broken, good})
        self.assertIn(good, after)
        self.assertNotIn(broken, after)

    async def test_scenario_41_resume_enables_everything(self) -> None:
        """After resume, converging, policies, webhooks and converge work again."""
        group, [lost] = await self.a_paused_group(1)
        policy = await self.tenant.add_policy(group, change=1)
        webhook = await self.tenant.add_webhook(group, policy)
        await self.tenant.delete_server(lost)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")
        await self.tenant.settled(group, 1)
        executed = await self.post(f"/groups/{group}/policies/{policy}/execute")
        await self.tenant.settled(group, 2)
        hit = await self.post(webhook)
        await self.tenant.settled(group, 3)
        converged = await self.post(f"/groups/{group}/converge")

        self.assertEqual([executed.status, hit.status, converged.status], [202, 202, 204])

    async def test_scenario_42_and_43_policies_of_a_paused_group(self) -> None:
        """A policy can be created, and executing it is refused with 403 and changes nothing."""
        group, servers = await self.a_paused_group(1)
        refused = await self.tenant.execute(group, change=1)
        await self.tenant.cycle_passes()

        self.assertEqual(refused.status, 403)
        self.assertEqual(refused.body["error"]["type"], "GroupPausedError")
        self.assertEqual((await self.tenant.state(group))["desiredCapacity"], 1)
        self.assertEqual([s["id"] for s in await self.tenant.servers(group)], servers)

    async def test_scenario_44_webhooks_of_a_paused_group(self) -> None:
        """A webhook can be created; hitting it is answered 202 and has no effect, then or later."""
        group, servers = await self.a_paused_group(1)
        policy = await self.tenant.add_policy(group, change=1)
        webhook = await self.tenant.add_webhook(group, policy)
        hit = await Client(self.tenant.api.reactor, "").call("POST", webhook)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")
        await self.tenant.cycle_passes()
        lines = await self.tenant.activities(group)

        self.assertEqual(hit.status, 202)
        self.assertEqual((await self.tenant.state(group))["desiredCapacity"], 1)
        self.assertEqual([s["id"] for s in await self.tenant.servers(group)], servers)
        self.assertIn("paused", " ".join(a["reason"] for a in lines if "refused" in a["kind"]))

    async def test_scenario_45_converge_is_refused(self) -> None:
        """A converge of a paused group is refused with 403, and nothing is healed."""
        group, [lost] = await self.a_paused_group(1)
        await self.tenant.delete_server(lost)
        refused = await self.post(f"/groups/{group}/converge")
        await self.tenant.cycle_passes()

        self.assertEqual(refused.status, 403)
        self.assertEqual(refused.body["error"]["type"], "GroupPausedError")
        self.assertEqual(await self.tenant.servers(group), [])

    async def test_config_of_a_paused_group_waits(self) -> None:
        """A config changed while paused is taken, and acted upon after resume."""
        group, servers = await self.a_paused_group(1)
        await self.tenant.set_config(group, 3, 10)
        await self.tenant.cycle_passes()
        during = [s["id"] for s in await self.tenant.servers(group)]
        state = await self.tenant.state(group)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")

        self.assertEqual(during, servers)
        self.assertEqual(state["desiredCapacity"], 3)
        self.assertEqual(len(await self.tenant.settled(group, 3)), 3)

    async def test_a_paused_group_can_be_deleted(self) -> None:
        """Deleting with force works on a paused group; its servers go."""
        group, _ = await self.a_paused_group(2)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")

        async def empty() -> bool:
            return not await self.tenant.existing()

        self.assertTrue(await self.tenant.wait("the servers to go", empty))
