"""
Creating servers goes wrong in every way a cloud knows, and still the group gets what it wants:
never more than max at any poll, no server twice, none left behind.

Scenario numbers are those of the acceptance scenarios the original was held to.
"""

from typing import Any

from tests.acceptance import world
from tests.acceptance.watching import Watcher


class FailingBuildsTests(world.AcceptanceTestCase):
    """Servers that are accepted and then do not come up; their deletion takes a while."""

    timeout = 60
    LINGER = 0.5

    async def test_scenario_11_build_ends_in_error(self) -> None:
        """A server that goes from BUILD to ERROR is replaced; the cloud shows no extra."""
        await self.change_cloud(delete_time=self.LINGER)
        await self.tenant.fault(effect="error", after=0.3, message="No valid host was found")
        group = await self.tenant.create_group(2, 2)
        watcher = Watcher(self.tenant, group, 2)
        self.addCleanup(watcher.stop)
        servers = await self.tenant.settled(group, 2)
        await watcher.stop()
        reasons = " ".join(a["reason"] for a in await self.tenant.activities(group))

        self.assertEqual({s["id"] for s in await self.tenant.existing()}, set(servers))
        self.assertEqual(len(watcher.seen), 3)
        self.assertIn("No valid host was found", reasons)

    async def test_scenario_12_stuck_in_build(self) -> None:
        """A server that never leaves BUILD is replaced after the timeout, and deleted."""
        await self.change_cloud(delete_time=self.LINGER)
        await self.tenant.fault(effect="stuck")
        group = await self.tenant.create_group(2, 2)
        watcher = Watcher(self.tenant, group, 2)
        self.addCleanup(watcher.stop)

        async def look() -> list[str] | None:
            found = {s["id"]: s["status"] for s in await self.tenant.existing()}
            building = [server for server, status in found.items() if status == "BUILD"]
            return building if len(found) == 2 and len(building) == 1 else None

        [stuck] = await self.tenant.wait("one server stuck", look)
        servers = await self.tenant.settled(group, 2)
        await watcher.stop()

        self.assertNotIn(stuck, servers)
        self.assertEqual({s["id"] for s in await self.tenant.existing()}, set(servers))
        self.assertEqual(len(watcher.seen), 3)

    async def test_active_then_error(self) -> None:
        """A server that breaks right after it became ACTIVE is replaced like any other."""
        await self.change_cloud(delete_time=self.LINGER)
        await self.tenant.fault(effect="active-then-error", after=0.2, count=2)
        group = await self.tenant.create_group(3, 3)
        watcher = Watcher(self.tenant, group, 3)
        self.addCleanup(watcher.stop)

        async def look() -> bool:
            return len(watcher.seen) >= 5

        await self.tenant.wait("two replacements", look)
        servers = await self.tenant.settled(group, 3)
        await watcher.stop()

        self.assertEqual({s["id"] for s in await self.tenant.existing()}, set(servers))


class UnknownOutcomesTests(world.AcceptanceTestCase):
    """Creates whose answer does not say what became of them."""

    timeout = 90

    async def _grow_and_shrink(self, group: str, size: int) -> Watcher:
        """Take a group to its max and back under watch, until every fault has happened."""
        watcher = Watcher(self.tenant, group, size)
        self.addCleanup(watcher.stop)
        await self.tenant.scale(group, desiredCapacity=size)
        await self.tenant.settled(group, size)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)
        await watcher.stop()
        faults = (await self.tenant.control.expect(200, "GET", "/faults"))["faults"]

        self.assertEqual(faults, [])
        return watcher

    async def test_scenario_16_error_answered_but_created(self) -> None:
        """Create answers 500 though the server exists: it is found, and none is made twice."""
        await self.tenant.fault(effect="answer-error", status=500, count=2)
        group = await self.tenant.create_group(0, 3)
        watcher = await self._grow_and_shrink(group, 3)

        self.assertEqual(len(watcher.seen), 3)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_error_answered_and_nothing_created(self) -> None:
        """Create answers 500 and means it: the group gets its servers all the same."""
        await self.tenant.fault(effect="refuse", status=500, count=2)
        group = await self.tenant.create_group(0, 3)
        watcher = await self._grow_and_shrink(group, 3)

        self.assertEqual(len(watcher.seen), 3)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_connection_cut_after_acceptance(self) -> None:
        """The connection is cut after the create was accepted: as if it had been answered 500."""
        await self.tenant.fault(effect="cut", count=2)
        group = await self.tenant.create_group(0, 3)
        watcher = await self._grow_and_shrink(group, 3)

        self.assertEqual(len(watcher.seen), 3)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_everything_at_once_under_lag(self) -> None:
        """
        Lists lag both ways while creates are refused, answered wrongly and cut: at no poll more
        than max, no duplicate, nothing left.
        """
        await self.change_cloud(lag_new=1.0, lag_deleted=1.0, boot_time=0.2, delete_time=0.2)
        faults: tuple[dict[str, Any], ...] = (
            {"effect": "answer-error", "status": 500, "count": 2},
            {"effect": "cut", "count": 2},
            {"effect": "refuse", "status": 500, "count": 1},
            {"effect": "refuse", "status": 429, "retry_after": 1, "count": 1},
            {"operation": "delete", "effect": "refuse", "status": 500, "count": 2},
            {"operation": "delete", "effect": "cut", "count": 2},
        )
        for fault in faults:
            await self.tenant.fault(**fault)
        group = await self.tenant.create_group(0, 8)
        watcher = await self._grow_and_shrink(group, 8)

        self.assertEqual(len(watcher.seen), 8)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_group_deleted_while_outcomes_are_unknown(self) -> None:
        """A group deleted while answers are missing leaves nothing behind, however late."""
        await self.change_cloud(lag_new=1.0, boot_time=0.3)
        await self.tenant.fault(effect="cut", count=3)
        group = await self.tenant.create_group(5, 5)
        watcher = Watcher(self.tenant, group, 5)
        self.addCleanup(watcher.stop)

        async def begun() -> bool:
            return len(await self.tenant.existing()) >= 3

        async def empty() -> bool:
            return not await self.tenant.existing()

        await self.tenant.wait("creates", begun)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        await self.tenant.wait("an empty cloud", empty)
        await self.tenant.cycle_passes()
        await watcher.stop()
        left = await self.tenant.existing()

        self.assertNotIn(group, {s["metadata"][world.GROUP_KEY] for s in left})


class RefusedCreatesTests(world.AcceptanceTestCase):
    """Creates that the cloud refuses, for a while or until somebody repairs something."""

    timeout = 60

    def messages(self, state: dict[str, Any]) -> str:
        """Return what a group in ERROR says of itself."""
        return " / ".join(error["message"] for error in state["errors"])

    async def test_scenario_17_passing_errors(self) -> None:
        """Create answers 401, then 500, then works: nobody notices, the group is never in ERROR."""
        await self.tenant.fault(effect="refuse", status=401, count=2)
        await self.tenant.fault(effect="refuse", status=500, count=1)
        group = await self.tenant.create_group(1, 1)
        watcher = Watcher(self.tenant, group, 1)
        self.addCleanup(watcher.stop)
        await self.tenant.settled(group, 1)
        await watcher.stop()
        kinds = {a["kind"] for a in await self.tenant.activities(group)}
        faults = (await self.tenant.control.expect(200, "GET", "/faults"))["faults"]

        self.assertEqual(faults, [])
        self.assertNotIn("group.error", kinds)

    async def test_scenario_18_invalid_launch_config(self) -> None:
        """Create answers 400: the group is in ERROR with the cloud's own words, desired is kept."""
        await self.tenant.fault(
            effect="refuse", status=400, message="Invalid key_name provided.", count=None
        )
        group = await self.tenant.create_group(2, 5)
        state = await self.tenant.in_status(group, "ERROR")

        self.assertIn("Invalid key_name provided.", self.messages(state))
        self.assertEqual(state["desiredCapacity"], 2)
        self.assertEqual(state["activeCapacity"], 0)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_scenario_19_over_quota(self) -> None:
        """Over quota is ERROR; with the quota raised, the next scale-up makes everything right."""
        await self.tenant.control.expect(
            204, "PUT", f"/quotas/{self.tenant.project}", {"instances": 1}
        )
        group = await self.tenant.create_group(3, 10)
        state = await self.tenant.in_status(group, "ERROR")
        held = await self.tenant.servers(group)
        await self.tenant.control.expect(
            204, "PUT", f"/quotas/{self.tenant.project}", {"instances": -1}
        )
        await self.tenant.scale(group, change=1)
        await self.tenant.settled(group, 4)
        after = await self.tenant.in_status(group, "ACTIVE")

        self.assertIn("uota", self.messages(state))
        self.assertEqual(state["desiredCapacity"], 3)
        self.assertEqual(len(held), 1)
        self.assertNotIn("errors", after)

    async def test_scenario_21_reasons_come_and_go(self) -> None:
        """Reasons of an ERROR appear, disappear after repair and converge, and new ones appear."""
        first = await self.tenant.fault(
            effect="refuse", status=400, message="Invalid key_name provided.", count=None
        )
        group = await self.tenant.create_group(1, 5)
        broken = await self.tenant.in_status(group, "ERROR")
        await self.tenant.lift(first)
        await self.tenant.converge(group)
        await self.tenant.settled(group, 1)
        repaired = await self.tenant.in_status(group, "ACTIVE")
        await self.tenant.fault(
            effect="refuse", status=400, message="The flavor is gone.", count=None
        )
        await self.tenant.scale(group, change=1)
        again = await self.tenant.in_status(group, "ERROR")

        self.assertIn("Invalid key_name provided.", self.messages(broken))
        self.assertNotIn("errors", repaired)
        self.assertIn("The flavor is gone.", self.messages(again))
        self.assertNotIn("key_name", self.messages(again))
        self.assertEqual(again["activeCapacity"], 1)

    async def test_error_heals_without_a_call(self) -> None:
        """A group in ERROR tries again by itself, so a repaired cloud needs no trigger."""
        fault = await self.tenant.fault(effect="refuse", status=403, message="no", count=None)
        group = await self.tenant.create_group(2, 2)
        await self.tenant.in_status(group, "ERROR")
        await self.tenant.lift(fault)
        await self.tenant.settled(group, 2)
        state = await self.tenant.in_status(group, "ACTIVE")

        self.assertEqual(state["activeCapacity"], 2)
