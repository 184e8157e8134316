"""
The scenarios of lessons.md section 2 about servers, judged by what the cloud holds.

The number in a test's name is the scenario's there. Calls that the API would refuse (scenarios 8
and 9) trigger a cycle all the same, which is what is looked at here.
"""

from otter.cloud.errors import AuthenticationError, InvalidRequestError, TransientError
from otter.models.ids import GroupId, LoadBalancerId
from otter.models.ledger import EntryState
from tests.simulation import scenario
from tests.simulation.world import seconds


class OutOfBandTests(scenario.ScenarioCase):
    """Servers are deleted or break while the group is scaled; here without a load balancer."""

    balancer: LoadBalancerId | None = None

    def group(self, desired: int, most: int = 1000) -> GroupId:
        """Return a group that is up."""
        return self.up(desired, *([self.balancer] if self.balancer else []), most=most)

    def check(self, group: GroupId, desired: int) -> None:
        """Wait for exactly so many servers, all on the load balancer and nothing else on it."""
        self.settle(group)
        self.otter.run(15)

        self.assertEqual(len(self.ids(group)), desired)
        self.assertEqual(len(self.servers.all()), desired)
        if self.balancer:
            self.assertEqual(self.on(self.balancer), self.addresses(group))

    def test_05_deletes_below_min_are_made_good(self) -> None:
        """CATC-004: a converge brings the group back."""
        group = self.group(4)
        self.kill(group, 3)
        self.scale(group)
        self.check(group, 4)

    def test_06_delete_one_of_three_and_add_two(self) -> None:
        """CATC-005: five in the end."""
        group = self.group(3)
        self.kill(group, 1)
        self.scale(group, 2)
        self.check(group, 5)

    def test_07_deletes_and_scaling_down(self) -> None:
        """CATC-006: as if nothing had been deleted, whichever number is larger."""
        for deleted, down in ((1, 3), (3, 1), (2, 2)):
            group = self.group(5)
            self.kill(group, deleted)
            self.scale(group, -down)
            self.check(group, 5 - down)
            self.otter.change(group, deleting=True)
            self.until(lambda group=group: not self.ids(group))  # type: ignore[misc]
            self.otter.run(10)

    def test_08_at_max_the_deleted_are_replaced(self) -> None:
        """CATC-007-a: there is never one more than max meanwhile."""
        group = self.group(4, most=4)
        self.kill(group, 2)
        self.scale(group)
        self.check(group, 4)

        self.assertEqual(self.servers.max_seen[group], 4)

    def test_09_at_min_the_deleted_are_replaced(self) -> None:
        """CATC-007-b."""
        group = self.group(2)
        self.kill(group, 2)
        self.scale(group)
        self.check(group, 2)

    def test_10_a_config_change_converges(self) -> None:
        """CATC-008: any change of the group looks at the world."""
        group = self.group(3)
        self.kill(group, 1)
        self.otter.change(group, policy_touched={})
        self.check(group, 3)

    def test_11_a_build_that_fails_is_replaced(self) -> None:
        """CATC-009: the broken server is gone, there is no extra one."""
        self.servers.fail_builds(2)
        self.check(self.group(3), 3)

    def test_12_a_build_that_never_ends_is_replaced(self) -> None:
        """CATC-010: after the build timeout."""
        self.servers.stick(1)
        self.check(self.group(3), 3)

    def test_13_a_broken_server_and_scaling_up(self) -> None:
        """CATC-011: the right count, without the broken one."""
        group = self.group(2)
        broken = self.ids(group)[0]
        self.servers.set_status(broken, "ERROR")
        self.scale(group, 1)
        self.check(group, 3)

        self.assertNotIn(broken, self.ids(group))

    def test_14_a_broken_server_and_scaling_down(self) -> None:
        """CATC-012: the broken one is the one that goes."""
        group = self.group(3)
        healthy = self.ids(group)[:2]
        self.servers.set_status(self.ids(group)[2], "ERROR")
        self.scale(group, -1)
        self.check(group, 2)

        self.assertEqual(self.ids(group), healthy)

    def test_15_a_broken_server_and_converge(self) -> None:
        """CATC-013: restored."""
        group = self.group(2)
        self.servers.set_status(self.ids(group)[0], "ERROR")
        self.scale(group)
        self.check(group, 2)

    def test_16_a_create_answered_500_whose_server_exists(self) -> None:
        """CATC-029: no overshoot, not for a moment."""
        self.otter.cloud.lose("create_server", times=2)
        group = self.group(3)
        self.check(group, 3)

        self.assertEqual(self.servers.max_seen[group], 3)
        self.assertEqual(len(self.servers.created), 3)

    def test_47_healing_by_itself(self) -> None:
        """Nobody calls anything: replaced within two sweeps."""
        group = self.group(2)
        self.kill(group, 1)
        self.until(lambda: len(self.ids(group)) == 2, within=20)
        self.check(group, 2)


class OutOfBandOnBalancerTests(OutOfBandTests):
    """The same with one load balancer: exactly the group's addresses are on it."""

    def setUp(self) -> None:
        """Add a load balancer that is immutable for a moment after each change."""
        super().setUp()
        self.balancer = self.balancers.add()
        self.balancers.update_time = seconds(0.5)


class RefusalTests(scenario.ScenarioCase):
    """Creates that the cloud refuses."""

    def test_17_unauthorized_then_an_error_then_it_works(self) -> None:
        """CATC-024: the group recovers, and nobody was alarmed."""
        self.otter.cloud.fail("create_server", AuthenticationError("who?", status=401))
        self.otter.cloud.fail("create_server", TransientError("oops", status=500))
        group = self.up(2)

        self.assertEqual(len(self.ids(group)), 2)

    def test_18_a_bad_request(self) -> None:
        """CATC-024: ERROR with the cloud's words; what is desired stays desired."""
        self.otter.cloud.fail(
            "create_server", InvalidRequestError("Invalid key_name", status=400), times=1000
        )
        group = self.otter.create_group(2)
        self.until_error(group)

        self.assertEqual(self.reasons(group), ("Invalid key_name",))
        self.assertEqual((self.otter.group(group).desired, self.ids(group)), (2, []))

    def test_19_over_quota(self) -> None:
        """CATC-025: ERROR; the quota is raised, and the next scale-up makes all of them."""
        self.servers.quota = 2
        group = self.up(2)
        self.scale(group, 2)
        self.until_error(group)

        self.assertIn("Quota exceeded", self.reasons(group)[0])
        self.assertEqual(len(self.ids(group)), 2)
        self.servers.quota = None
        self.scale(group, 1)
        self.settle(group, within=30)
        self.assertEqual(len(self.ids(group)), 5)

    def test_20_identity_fails_for_a_while(self) -> None:
        """CATC-026: 500, then 401: nobody sees any of it."""
        group = self.up(1)
        self.otter.cloud.fail("list_servers", TransientError("identity", status=500), times=2)
        self.otter.cloud.fail("list_servers", AuthenticationError("no", status=401), times=2)
        self.scale(group, 1)
        self.settle(group)

    def test_21_reasons_come_and_go(self) -> None:
        """They disappear with the repair and a converge, and come back with the new one."""
        group = self.up(1)
        for message in ("Invalid key_name", "Invalid imageRef"):
            self.otter.cloud.fail(
                "create_server", InvalidRequestError(message, status=400), times=1000
            )
            self.scale(group, 1)
            self.until_error(group)

            self.assertEqual(self.reasons(group), (message,))
            self.otter.cloud.heal()
            self.scale(group)
            self.settle(group, within=15)


class DisownedTests(scenario.ScenarioCase):
    """Servers whose marks their owner takes off."""

    def test_01_disowned_servers_do_not_count_and_stay(self) -> None:
        """CATC-017-a: the group reaches its max with servers of its own."""
        balancer = self.balancers.add()
        group = self.up(4, balancer, most=6)
        stripped = self.ids(group)[:2]
        for server_id in stripped:
            self.disown(server_id)
        self.scale(group, 2)
        self.settle(group)
        self.otter.run(30)

        self.assertEqual(len(self.ids(group)), 6)
        self.assertTrue(set(stripped) <= {s.server_id for s in self.servers.all()})
        self.assertEqual(set(self.servers.deleted), set())
        self.assertTrue(self.addresses(group) <= self.on(balancer))

    def test_36_and_37_its_members_elsewhere_are_left_alone(self) -> None:
        """Moved or copied to another load balancer: neither is touched."""
        for moved in (True, False):
            own, other = self.balancers.add(), self.balancers.add()
            group = self.up(2, own)
            server = self.otter.servers(group)[0]
            address = server.addresses[0][1]
            self.disown(server.server_id)
            if moved:
                self.balancers.kill_node(own, self.nodes(own)[address, 80].node_id)
            self.balancers.add_node(other, address, 80)
            self.scale(group)
            self.settle(group)
            self.otter.run(30)

            self.assertEqual(self.on(other), {address})
            self.assertEqual(address in self.on(own), not moved)
            self.assertIn(server.server_id, {s.server_id for s in self.servers.all()})


class PauseTests(scenario.ScenarioCase):
    """Pausing and resuming."""

    def test_40_and_41_pausing_stops_converging(self) -> None:
        """The server finishes building and the group still says building; resuming goes on."""
        self.servers.build_time = seconds(5)
        group = self.otter.create_group(1)
        self.until(lambda: len(self.ids(group)) == 1)
        self.otter.change(group, paused=True)
        self.otter.run(60)

        self.assertEqual([s.status for s in self.otter.servers(group)], ["ACTIVE"])
        self.assertEqual(len(self.otter.entries(group, EntryState.BUILDING)), 1)
        self.otter.change(group, paused=False)
        self.settle(group, within=10)
