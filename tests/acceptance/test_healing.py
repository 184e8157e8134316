"""
Servers that are lost or break are replaced, and everything else goes on as if nothing had happened.

Scenario numbers are those of the acceptance scenarios the original was held to.
"""

from datetime import timedelta

from otter.testing.stack import FAST
from tests.acceptance import world
from tests.acceptance.watching import Watcher

INTERVAL = timedelta(seconds=FAST["supervisor"]["sweep_seconds"])
SLACK = timedelta(seconds=3)
"""For a busy machine; a cycle itself takes milliseconds here."""


class HealingCase(world.AcceptanceTestCase):
    """Gives tests a settled group to hurt."""

    timeout = 60

    async def a_group(self, minimum: int, maximum: int, desired: int) -> tuple[str, list[str]]:
        """Return a group with its servers in service."""
        group = await self.tenant.create_group(minimum, maximum)
        if desired > minimum:
            await self.tenant.scale(group, desiredCapacity=desired)
        return group, await self.tenant.settled(group, desired)

    async def lose(self, servers: list[str]) -> None:
        """Delete servers behind Otter's back."""
        for server in servers:
            await self.tenant.delete_server(server)


class LostServersTests(HealingCase):
    """Servers deleted by somebody else."""

    async def test_scenario_05_converge_restores_min(self) -> None:
        """After losses below min, a converge brings the group back to min."""
        group, servers = await self.a_group(3, 10, 3)
        await self.lose(servers[:2])
        await self.tenant.converge(group)
        after = await self.tenant.settled(group, 3)

        self.assertIn(servers[2], after)
        self.assertTrue(set(servers[:2]).isdisjoint(after))

    async def test_scenario_06_scaling_up_counts_from_desired(self) -> None:
        """One of three is lost, then two more are wanted: five, not four."""
        group, servers = await self.a_group(0, 10, 3)
        await self.lose(servers[:1])
        await self.tenant.scale(group, change=2)
        after = await self.tenant.settled(group, 5)

        self.assertLess(set(servers[1:]), set(after))

    async def test_scenario_07a_fewer_lost_than_scaled_down(self) -> None:
        """One is lost, then two fewer of four are wanted: two, as if none had been lost."""
        await self._lose_and_scale_down(lost=1, down=2)

    async def test_scenario_07b_more_lost_than_scaled_down(self) -> None:
        """Three are lost, then one fewer of four is wanted: three, so some are made anew."""
        await self._lose_and_scale_down(lost=3, down=1)

    async def test_scenario_07c_as_many_lost_as_scaled_down(self) -> None:
        """Two are lost, then two fewer of four are wanted: two."""
        await self._lose_and_scale_down(lost=2, down=2)

    async def _lose_and_scale_down(self, *, lost: int, down: int) -> None:
        group, servers = await self.a_group(0, 4, 4)
        watcher = Watcher(self.tenant, group, 4)
        self.addCleanup(watcher.stop)
        await self.lose(servers[:lost])
        await self.tenant.scale(group, change=-down)
        after = await self.tenant.settled(group, 4 - down)
        await watcher.stop()

        self.assertTrue(set(servers[:lost]).isdisjoint(after))

    async def test_scenario_08_refused_at_max_yet_healed(self) -> None:
        """At max a scale-up is refused with 403, and what was lost is replaced nevertheless."""
        group, servers = await self.a_group(0, 3, 3)
        watcher = Watcher(self.tenant, group, 3)
        self.addCleanup(watcher.stop)
        await self.lose(servers[:2])
        refused = await self.tenant.execute(group, change=2)
        after = await self.tenant.settled(group, 3)
        await watcher.stop()

        self.assertEqual(refused.status, 403)
        self.assertEqual(refused.body["error"]["type"], "CannotExecutePolicyError")
        self.assertIn(servers[2], after)

    async def test_scenario_09_refused_at_min_yet_healed(self) -> None:
        """At min a scale-down is refused with 403, and what was lost is replaced nevertheless."""
        group, servers = await self.a_group(3, 6, 3)
        await self.lose(servers[:2])
        refused = await self.tenant.execute(group, change=-1)
        after = await self.tenant.settled(group, 3)

        self.assertEqual(refused.status, 403)
        self.assertIn(servers[2], after)

    async def test_scenario_10_a_config_change_heals(self) -> None:
        """A changed config brings the group to what it says, whatever was lost before."""
        group, servers = await self.a_group(2, 6, 3)
        await self.lose(servers[:2])
        await self.tenant.set_config(group, 4, 6)
        after = await self.tenant.settled(group, 4)

        self.assertIn(servers[2], after)

    async def test_scenario_47_heals_by_itself(self) -> None:
        """
        With nobody asking, a lost server is replaced within two intervals, and again within one.
        """
        group, [first] = await self.a_group(1, 1, 1)
        await self.lose([first])
        [second] = await self.tenant.settled(group, 1, 2 * INTERVAL + SLACK)
        await self.lose([second])
        [third] = await self.tenant.settled(group, 1, INTERVAL + SLACK)

        self.assertEqual(len({first, second, third}), 3)

    async def test_everything_lost_at_once(self) -> None:
        """A group that lost all its servers has all of them again, and never more than max."""
        group, servers = await self.a_group(5, 5, 5)
        watcher = Watcher(self.tenant, group, 5)
        self.addCleanup(watcher.stop)
        await self.lose(servers)
        after = await self.tenant.settled(group, 5)
        await watcher.stop()

        self.assertTrue(set(servers).isdisjoint(after))


class BrokenServersTests(HealingCase):
    """Servers that were active and then show ERROR."""

    async def test_scenario_13_error_then_scale_up(self) -> None:
        """A broken server does not count when more are wanted."""
        group, [broken, good] = await self.a_group(0, 5, 2)
        await self.tenant.set_status(broken, "ERROR")
        await self.tenant.scale(group, change=1)
        after = await self.tenant.settled(group, 3)

        self.assertIn(good, after)
        self.assertNotIn(broken, after)

    async def test_scenario_14_error_then_scale_down(self) -> None:
        """A broken server is not one of those that stay when fewer are wanted."""
        group, servers = await self.a_group(0, 5, 3)
        await self.tenant.set_status(servers[0], "ERROR")
        await self.tenant.scale(group, change=-1)
        after = await self.tenant.settled(group, 2)

        self.assertNotIn(servers[0], after)

    async def test_scenario_15_error_then_converge(self) -> None:
        """A converge replaces what broke, once it is gone: the group is at max."""
        await self.change_cloud(delete_time=0.5)
        group, [broken, good] = await self.a_group(2, 2, 2)
        watcher = Watcher(self.tenant, group, 2)
        self.addCleanup(watcher.stop)
        await self.tenant.set_status(broken, "ERROR")
        await self.tenant.converge(group)
        after = await self.tenant.settled(group, 2)
        await watcher.stop()

        self.assertIn(good, after)
        self.assertNotIn(broken, after)
        self.assertNotIn(broken, {s["id"] for s in await self.tenant.existing()})

    async def test_a_reboot_is_no_loss(self) -> None:
        """A server its owner reboots, pauses or shelves counts and is left in peace."""
        group, servers = await self.a_group(4, 5, 4)
        watcher = Watcher(self.tenant, group, 4)
        self.addCleanup(watcher.stop)
        states = ("REBOOT", "PAUSED", "SHELVED_OFFLOADED", "UNKNOWN")
        for server, status in zip(servers, states, strict=True):
            await self.tenant.set_status(server, status)
        await self.tenant.cycle_passes()
        for server in servers:
            await self.tenant.set_status(server, "ACTIVE")
        after = await self.tenant.settled(group, 4)
        await watcher.stop()

        self.assertEqual(after, servers)
        self.assertEqual(watcher.seen, set(servers))
