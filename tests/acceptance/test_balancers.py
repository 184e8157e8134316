"""
Servers are on their load balancers while they serve, and off them before they go.

Scenario numbers are those of the acceptance scenarios the original was held to. Members are judged
by what the load balancer lists.
"""

from datetime import timedelta
from typing import Any

from tests.acceptance import world
from tests.acceptance.watching import Watcher

PORT = 80
FOREIGN = "10.250.0.9"


class BalancerCase(world.AcceptanceTestCase):
    """Gives tests a group on a load balancer, and what an owner does to members by hand."""

    timeout = 60
    balancer: int

    async def a_group(
        self, desired: int, *, port: int = PORT, maximum: int = 20, **args: Any
    ) -> str:
        """Return a group whose servers are all on the test's load balancer."""
        if not self.tenant.load_balancers:
            self.balancer = await self.tenant.create_balancer()
        targets = [{"loadBalancerId": self.balancer, "port": port}]
        group = await self.tenant.create_group(0, maximum, balancers=targets, **args)
        if desired:
            await self.tenant.scale(group, desiredCapacity=desired)
        await self.tenant.settled(group, desired)
        await self.tenant.balanced(group, self.balancer, port)
        return group

    async def add_member(self, balancer: int, address: str, port: int = PORT) -> int:
        """Add a member by hand; return its id."""
        body = {"nodes": [{"address": address, "port": port, "condition": "ENABLED"}]}
        path = f"/loadbalancers/{balancer}/nodes"
        answer = await self.tenant.balancers.expect(202, "POST", path, body)
        found: int = answer["nodes"][0]["id"]
        return found

    async def remove_member(self, balancer: int, node: int) -> None:
        """Remove a member by hand."""
        path = f"/loadbalancers/{balancer}/nodes/{node}"
        await self.tenant.balancers.expect(202, "DELETE", path)

    async def change_member(self, node: int, **changes: Any) -> None:
        """Change a member by hand."""
        path = f"/loadbalancers/{self.balancer}/nodes/{node}"
        await self.tenant.balancers.expect(202, "PUT", path, {"node": changes})

    async def addresses(self, balancer: int) -> list[str]:
        """Return the addresses of all members."""
        return sorted(node["address"] for node in await self.tenant.nodes(balancer))


class MembershipTests(BalancerCase):
    """A group grows and shrinks on its load balancer."""

    async def test_members_are_exactly_the_servers(self) -> None:
        """Up, down and after a loss, the members are the group's servers and nobody else."""
        group = await self.a_group(2)
        await self.tenant.scale(group, change=2)
        await self.tenant.settled(group, 4)
        four = await self.tenant.balanced(group, self.balancer)
        await self.tenant.scale(group, change=-1)
        [lost, *_] = await self.tenant.settled(group, 3)
        await self.tenant.delete_server(lost)
        await self.tenant.replaced(group, {lost})
        await self.tenant.settled(group, 3)
        three = await self.tenant.balanced(group, self.balancer)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)

        self.assertEqual((len(four), len(three)), (4, 3))
        self.assertEqual(await self.tenant.nodes(self.balancer), [])

    async def test_scenario_22_past_the_node_limit(self) -> None:
        """More servers than the balancer takes: ERROR, active below the limit, desired kept."""
        await self.change_cloud(balancer_node_limit=2)
        group = await self.a_group(2)
        await self.tenant.scale(group, change=1)
        state = await self.tenant.in_status(group, "ERROR")
        nodes = await self.tenant.nodes(self.balancer)
        await self.tenant.control.expect(200, "PATCH", "/settings", {"balancer_node_limit": 25})
        await self.tenant.converge(group)
        await self.tenant.settled(group, 3)

        self.assertIn("Balancer", state["errors"][0]["message"])
        self.assertEqual(state["desiredCapacity"], 3)
        self.assertEqual(state["activeCapacity"], 2)
        self.assertEqual(len(nodes), 2)
        self.assertEqual((await self.tenant.in_status(group, "ACTIVE"))["activeCapacity"], 3)
        self.assertEqual(len(await self.tenant.balanced(group, self.balancer)), 3)

    async def test_scenario_23_removing_more_than_a_batch(self) -> None:
        """Eleven members are removed though one call takes ten."""
        group = await self.a_group(11)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)

        self.assertEqual(await self.tenant.nodes(self.balancer), [])

    async def test_deleting_a_group_clears_the_balancer(self) -> None:
        """After a forced deletion neither server nor member is left; a foreign member is."""
        group = await self.a_group(2)
        await self.add_member(self.balancer, FOREIGN)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")

        async def gone() -> bool:
            return not await self.tenant.existing()

        await self.tenant.wait("the servers to go", gone)

        self.assertEqual(await self.addresses(self.balancer), [FOREIGN])

    async def test_a_busy_balancer_is_waited_for(self) -> None:
        """Each change keeps the balancer busy for a while: members come and go all the same."""
        await self.change_cloud(balancer_update_time=0.3)
        group = await self.a_group(3)
        await self.tenant.scale(group, change=-2)
        await self.tenant.settled(group, 1)

        self.assertEqual(len(await self.tenant.balanced(group, self.balancer)), 1)


class SelfHealingTests(BalancerCase):
    """Members that somebody changed by hand."""

    async def test_scenario_31_removed_member_returns(self) -> None:
        """A member removed by somebody else is put back."""
        group = await self.a_group(2)
        [node, _] = await self.tenant.nodes(self.balancer)
        await self.remove_member(self.balancer, node["id"])
        nodes = await self.tenant.balanced(group, self.balancer)

        self.assertIn(node["address"], {n["address"] for n in nodes})

    async def test_scenario_32_moved_member_returns(self) -> None:
        """A member moved to a foreign balancer is put back on its own, and left on the other."""
        group = await self.a_group(1)
        [node] = await self.tenant.nodes(self.balancer)
        other = await self.tenant.create_balancer()
        await self.remove_member(self.balancer, node["id"])
        moved = await self.add_member(other, node["address"])
        await self.tenant.balanced(group, self.balancer)
        await self.tenant.cycle_passes()

        self.assertEqual([n["id"] for n in await self.tenant.nodes(other)], [moved])
        self.assertEqual(await self.addresses(self.balancer), [node["address"]])

    async def test_scenario_33_only_own_members_are_healed(self) -> None:
        """A foreign member is not removed while it is there, nor restored when it is gone."""
        group = await self.a_group(1)
        stays = await self.add_member(self.balancer, FOREIGN)
        goes = await self.add_member(self.balancer, "10.250.0.10")
        await self.change_member(stays, condition="DISABLED")
        await self.remove_member(self.balancer, goes)
        [own] = [n["id"] for n in await self.tenant.nodes(self.balancer) if n["id"] != stays]
        await self.remove_member(self.balancer, own)
        await self.tenant.cycle_passes()
        nodes = {n["address"]: n for n in await self.tenant.nodes(self.balancer)}
        [server] = await self.tenant.servers(group)

        own_address = server["addresses"]["private"][0]["addr"]
        self.assertEqual(set(nodes), {own_address, FOREIGN})
        self.assertEqual(nodes[FOREIGN]["condition"], "DISABLED")
        self.assertEqual(nodes[FOREIGN]["id"], stays)

    async def test_scenario_34_changed_member_is_restored(self) -> None:
        """Condition, weight and type that somebody changed are as they were."""
        group = await self.a_group(3)
        first, second, third = await self.tenant.nodes(self.balancer)
        await self.change_member(first["id"], condition="DISABLED")
        await self.change_member(second["id"], weight=20)
        await self.change_member(third["id"], type="SECONDARY")

        async def restored() -> bool:
            nodes = await self.tenant.nodes(self.balancer)
            wanted = ("ENABLED", "PRIMARY", 1)
            return [(n["condition"], n["type"], n.get("weight", 1)) for n in nodes] == [wanted] * 3

        await self.tenant.wait("the members to be as they were", restored)
        nodes = await self.tenant.balanced(group, self.balancer)

        self.assertEqual({n["id"] for n in nodes}, {first["id"], second["id"], third["id"]})

    async def test_scenario_35_two_groups_on_one_balancer(self) -> None:
        """Healing one group's members leaves those of another, on another port, alone."""
        group = await self.a_group(2)
        other = await self.a_group(1, port=8000)
        before = await self.tenant.balanced(other, self.balancer, 8000)
        [node, _] = await self.tenant.balanced(group, self.balancer)
        await self.remove_member(self.balancer, node["id"])
        await self.tenant.balanced(group, self.balancer)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)

        self.assertEqual(await self.tenant.nodes(self.balancer), before)


class MissingBalancerTests(BalancerCase):
    """A load balancer that was deleted, or is about to be."""

    async def delete_balancer(self, balancer: int) -> None:
        """Delete a load balancer behind Otter's back."""
        await self.tenant.balancers.expect(202, "DELETE", f"/loadbalancers/{balancer}")

    async def test_scenario_24_gone_then_scale_up(self) -> None:
        """Scaling up towards a balancer that is gone is an ERROR; nothing on it is active."""
        group = await self.a_group(1)
        await self.delete_balancer(self.balancer)
        await self.tenant.scale(group, change=1)
        state = await self.tenant.in_status(group, "ERROR")

        async def inactive() -> bool:
            return not (await self.tenant.state(group))["active"]

        await self.tenant.wait("no active server", inactive)

        self.assertIn("Balancer", state["errors"][0]["message"])
        self.assertEqual(state["desiredCapacity"], 2)

    async def test_scenario_25_gone_then_scale_down(self) -> None:
        """Scaling down works without the balancer: the servers go and the group is ACTIVE."""
        group = await self.a_group(2)
        await self.delete_balancer(self.balancer)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)
        state = await self.tenant.in_status(group, "ACTIVE")

        self.assertNotIn("errors", state)
        self.assertEqual(await self.tenant.existing(), [])

    async def test_scenario_26_pending_delete_then_scale_up(self) -> None:
        """A balancer about to be deleted cannot be joined: ERROR."""
        group = await self.a_group(1)
        await self._set_balancer("PENDING_DELETE")
        await self.tenant.scale(group, change=1)
        state = await self.tenant.in_status(group, "ERROR")

        self.assertIn("Balancer", state["errors"][0]["message"])

    async def test_scenario_27_pending_delete_then_scale_down(self) -> None:
        """A balancer about to be deleted does not hold up a scale-down."""
        group = await self.a_group(1)
        await self._set_balancer("PENDING_DELETE")
        await self.tenant.scale(group, change=-1)
        await self.tenant.settled(group, 0)
        state = await self.tenant.in_status(group, "ACTIVE")

        self.assertNotIn("errors", state)

    async def _set_balancer(self, status: str) -> None:
        path = f"/loadbalancers/{self.balancer}"
        await self.tenant.control.expect(204, "PATCH", path, {"status": status})

    async def test_scenario_29_one_of_two_gone_then_scale_up(self) -> None:
        """With one of two balancers gone the group is in ERROR, and the other is still served."""
        other, group = await self._on_two()
        await self.delete_balancer(self.balancer)
        await self.tenant.scale(group, change=1)
        state = await self.tenant.in_status(group, "ERROR")

        async def two() -> bool:
            return len(await self.tenant.servers(group)) == 2

        await self.tenant.wait("the second server", two)
        nodes = await self.tenant.balanced(group, other)

        self.assertIn(str(self.balancer), state["errors"][0]["message"])
        self.assertEqual(len(nodes), 2)

    async def test_scenario_30_one_of_two_gone_then_scale_down(self) -> None:
        """With one of two balancers gone a scale-down clears the other, and the group is ACTIVE."""
        other, group = await self._on_two()
        await self.delete_balancer(self.balancer)
        await self.tenant.scale(group, change=-1)
        await self.tenant.settled(group, 0)
        state = await self.tenant.in_status(group, "ACTIVE")

        self.assertEqual(await self.tenant.nodes(other), [])
        self.assertNotIn("errors", state)

    async def _on_two(self) -> tuple[int, str]:
        """Return a second balancer and a group with one server on both."""
        self.balancer, other = [await self.tenant.create_balancer() for _ in range(2)]
        targets = [{"loadBalancerId": b, "port": PORT} for b in (self.balancer, other)]
        group = await self.tenant.create_group(0, 5, balancers=targets)
        await self.tenant.scale(group, change=1)
        await self.tenant.settled(group, 1)
        for balancer in (self.balancer, other):
            await self.tenant.balanced(group, balancer)
        return other, group


class DrainingTests(BalancerCase):
    """The draining timeout, in real time: the schema allows nothing under thirty seconds."""

    timeout = 90
    DRAINING = timedelta(seconds=30)
    STILL = timedelta(seconds=20)

    async def test_scenario_38_draining_timeout_is_honoured(self) -> None:
        """
        A server that leaves takes no new connections for the whole timeout; only then do member
        and server go, the member first.
        """
        seconds = int(self.DRAINING.total_seconds())
        group = await self.a_group(2, maximum=2, draining_timeout=seconds)
        watcher = Watcher(self.tenant, group, 2)
        self.addCleanup(watcher.stop)
        clock = self.tenant.stack.cloud.reactor
        await self.tenant.scale(group, change=-1)
        leaving = await self.tenant.wait("a member to drain", self._draining)
        began = clock.seconds()

        async def until_still() -> bool:
            self.assertEqual(await self._draining(), leaving)
            self.assertEqual(len(await self.tenant.servers(group)), 2)
            return timedelta(seconds=clock.seconds() - began) >= self.STILL

        async def until_gone() -> bool:
            servers = await self.tenant.servers(group)
            if len(servers) == 2:
                return False
            self.assertNotIn(leaving, await self.addresses(self.balancer))
            return True

        await self.tenant.wait("most of the timeout", until_still)
        await self.tenant.wait("the server to go", until_gone)
        took = timedelta(seconds=clock.seconds() - began)
        await self.tenant.settled(group, 1)
        nodes = await self.tenant.balanced(group, self.balancer)
        await watcher.stop()
        # With nobody left to drain for, the clean-up of this test takes no half minute.
        await self.tenant.balancers.expect(202, "DELETE", f"/loadbalancers/{self.balancer}")

        self.assertGreater(took, self.DRAINING - timedelta(seconds=1))
        self.assertEqual(len(nodes), 1)

    async def _draining(self) -> str:
        """Return the address of the member that drains, if one does."""
        nodes = await self.tenant.nodes(self.balancer)
        found = [n["address"] for n in nodes if n["condition"] == "DRAINING"]
        self.assertEqual(len(nodes), 2)
        return "".join(found)
