"""
The scenarios of lessons.md section 2 about load balancers, judged by what the cloud holds.

The number in a test's name is the scenario's there.
"""

from otter.cloud.interface import Node, NodeCondition
from otter.models.ids import GroupId, LoadBalancerId
from tests.simulation import scenario
from tests.simulation.world import seconds


class FullBalancerTests(scenario.ScenarioCase):
    """Load balancers at their limits."""

    def test_03_and_04_up_to_the_limit(self) -> None:
        """CATC-015: 24 on it, two deleted out of band, one more: exactly 25, no ERROR."""
        for most in (25, 100):
            balancer = self.balancers.add(node_limit=25)
            group = self.up(24, balancer, most=most)
            gone = {a for s in self.otter.servers(group)[:2] for _, a in s.addresses}
            self.kill(group, 2)
            self.scale(group, 1)
            self.settle(group)
            self.otter.run(15)

            self.assertEqual(len(self.ids(group)), 25)
            self.assertEqual(self.servers.max_seen[group], 25)
            self.assertEqual(self.on(balancer), self.addresses(group))
            self.assertEqual(self.on(balancer) & gone, set())

    def test_22_past_the_limit(self) -> None:
        """CATC-019: ERROR in the load balancer's words, what serves goes on serving."""
        balancer = self.balancers.add(node_limit=5)
        group = self.up(4, balancer)
        serving = self.on(balancer)
        self.scale(group, 3)
        self.until_error(group)
        self.otter.run(30)

        self.assertIn("must not exceed 5", self.reasons(group)[0])
        self.assertLess(self.otter.serving(group), 6)
        self.assertTrue(serving <= self.on(balancer))
        self.assertEqual(self.otter.group(group).desired, 7)
        self.scale(group, -2)
        self.settle(group)
        self.assertEqual(self.on(balancer), self.addresses(group))

    def test_23_more_members_than_one_call_removes(self) -> None:
        """Eleven at once, although a call takes ten."""
        balancer = self.balancers.add()
        group = self.up(12, balancer)
        self.scale(group, -11)
        self.settle(group)

        self.assertEqual(self.on(balancer), self.addresses(group))
        self.assertEqual(len(self.ids(group)), 1)


class GoneBalancerTests(scenario.ScenarioCase):
    """Load balancers that are deleted or being deleted."""

    def gone(self, balancer: LoadBalancerId, *, pending: bool) -> None:
        """Delete a load balancer."""
        if pending:
            self.balancers.set_status(balancer, "PENDING_DELETE")
        else:
            self.balancers.kill(balancer)

    def test_24_and_26_scaling_up(self) -> None:
        """CATC-020-a, 023-a: ERROR; a server that was active no longer is."""
        for pending in (False, True):
            balancer = self.balancers.add()
            group = self.up(1, balancer)
            self.gone(balancer, pending=pending)
            self.scale(group, 1)
            self.until_error(group)
            self.until(lambda group=group: len(self.ids(group)) == 2)  # type: ignore[misc]
            self.otter.run(10)

            self.assertIn(f"Load Balancer {balancer}", self.reasons(group)[0])
            self.assertEqual(self.otter.serving(group), 0)

    def test_25_and_27_scaling_down(self) -> None:
        """CATC-020-b, 023-b: ACTIVE; the server is deleted, load balancer or not."""
        for pending in (False, True):
            balancer = self.balancers.add()
            group = self.up(1, balancer)
            self.gone(balancer, pending=pending)
            self.scale(group, -1)
            self.settle(group)

            self.assertEqual(self.ids(group), [])

    def test_29_and_30_one_of_two(self) -> None:
        """The other is served all the same: members join it, and leave it."""
        gone, stays = self.balancers.add(), self.balancers.add()
        group = self.up(1, gone, stays)
        self.gone(gone, pending=False)
        self.scale(group, 1)
        self.until_error(group)
        self.until(lambda: len(self.on(stays)) == 2)

        self.assertEqual(self.otter.serving(group), 0)
        self.assertEqual(self.on(stays), self.addresses(group))
        self.scale(group, -2)
        self.settle(group)
        self.assertEqual((self.ids(group), self.on(stays)), ([], set()))


class HealingTests(scenario.ScenarioCase):
    """Members that change without us."""

    def setUp(self) -> None:
        """Add a load balancer."""
        super().setUp()
        self.balancer = self.balancers.add()

    def node(self, group: GroupId) -> Node:
        """Return the member of the group's oldest server."""
        address = self.otter.servers(group)[0].addresses[0][1]
        return next(n for (a, _), n in self.nodes(self.balancer).items() if a == address)

    def test_28_a_monitored_member_serves_once_it_is_healthy(self) -> None:
        """Until its health check passes the server is not in service; then it is."""
        balancer = self.balancers.add(health_monitored=True)
        group = self.otter.create_group(1, balancers=((balancer, 80),))
        for _ in range(100):
            for node in self.nodes(balancer).values():
                self.balancers.set_node(balancer, node.node_id, online=False)
            self.otter.tick()

        self.assertEqual(self.on(balancer), self.addresses(group))
        self.assertEqual(self.otter.serving(group), 0)
        for node in self.nodes(balancer).values():
            self.balancers.set_node(balancer, node.node_id, online=True)
        self.settle(group)

    def test_31_a_removed_member_is_put_back(self) -> None:
        """Within a sweep."""
        group = self.up(2, self.balancer)
        self.balancers.kill_node(self.balancer, self.node(group).node_id)
        self.until(lambda: self.on(self.balancer) == self.addresses(group), within=20)
        self.settle(group)

    def test_31_a_member_on_its_way_back_is_not_left_behind(self) -> None:
        """The process that asked for it died; the server is deleted before the member appears."""
        group = self.up(1, self.balancer)
        self.otter.cloud.latencies["add_nodes"] = seconds(8)
        asked = self.otter.cloud.counts["add_nodes"]
        self.balancers.kill_node(self.balancer, self.node(group).node_id)
        self.until(lambda: self.otter.cloud.counts["add_nodes"] > asked)
        self.otter.crash()
        self.otter.start()
        self.scale(group, -1)
        self.until(lambda: not self.ids(group) and bool(self.on(self.balancer)))
        self.until(lambda: not self.on(self.balancer))
        self.settle(group)

    def test_32_a_moved_member_is_put_back_and_left(self) -> None:
        """Back on its own load balancer; what is on the foreign one is its owner's."""
        foreign = self.balancers.add()
        group = self.up(2, self.balancer)
        node = self.node(group)
        self.balancers.kill_node(self.balancer, node.node_id)
        self.balancers.add_node(foreign, node.address, 80)
        self.scale(group)
        self.until(lambda: self.on(self.balancer) == self.addresses(group))
        self.otter.run(20)

        self.assertEqual(self.on(foreign), {node.address})

    def test_33_only_own_members_are_healed(self) -> None:
        """Foreign ones on the same load balancer are neither restored nor removed."""
        group = self.up(2, self.balancer)
        kept = self.balancers.add_node(self.balancer, "192.0.2.1", 80, NodeCondition.DISABLED)
        removed = self.balancers.add_node(self.balancer, "192.0.2.2", 80)
        self.otter.run(12)
        self.balancers.kill_node(self.balancer, removed)
        self.balancers.kill_node(self.balancer, self.node(group).node_id)
        self.scale(group, 1)
        self.settle(group)
        self.otter.run(15)

        self.assertEqual(self.on(self.balancer), self.addresses(group) | {"192.0.2.1"})
        self.assertEqual(self.nodes(self.balancer)["192.0.2.1", 80].node_id, kept)
        self.assertEqual(
            self.nodes(self.balancer)["192.0.2.1", 80].condition, NodeCondition.DISABLED
        )

    def test_34_a_changed_member_is_restored(self) -> None:
        """Condition, weight and type."""
        group = self.up(2, self.balancer)
        for condition, plain in (
            (NodeCondition.DISABLED, True),
            (NodeCondition.DRAINING, True),
            (NodeCondition.ENABLED, False),
        ):
            node = self.node(group)
            self.balancers.set_node(self.balancer, node.node_id, condition=condition, plain=plain)
            self.otter.run(15)
            restored = self.node(group)

            self.assertEqual(restored.node_id, node.node_id)
            self.assertEqual((restored.condition, restored.plain), (NodeCondition.ENABLED, True))

    def test_35_two_groups_on_one_load_balancer(self) -> None:
        """Healing one leaves the other's members alone, to the id."""
        first, second = self.up(2, self.balancer, port=80), self.up(2, self.balancer, port=8080)
        theirs = {k: n for k, n in self.nodes(self.balancer).items() if k[1] == 8080}
        self.balancers.kill_node(self.balancer, self.node(first).node_id)
        self.scale(first, 1)
        self.settle(first)
        self.otter.run(15)
        after = self.nodes(self.balancer)

        self.assertEqual({k: n for k, n in after.items() if k[1] == 8080}, theirs)
        self.assertEqual({a for a, p in after if p == 80}, self.addresses(first))
        self.assertEqual({a for a, _ in theirs}, self.addresses(second))

    def test_38_draining_is_honoured(self) -> None:
        """Told to drain at once, off and deleted after the timeout, in that order, not before."""
        group = self.up(2, self.balancer, draining=30)

        def draining() -> list[Node]:
            nodes = self.nodes(self.balancer).values()
            return [n for n in nodes if n.condition is NodeCondition.DRAINING]

        self.scale(group, -1)
        self.until(lambda: bool(draining()), within=2)
        node = draining()[0]
        self.otter.run(29)

        self.assertIn(node.address, self.on(self.balancer))
        self.assertEqual(len(self.ids(group)), 2)
        self.until(lambda: node.address not in self.on(self.balancer), within=10)
        self.assertEqual(len(self.ids(group)), 2)
        self.settle(group)
        self.assertEqual(self.on(self.balancer), self.addresses(group))
