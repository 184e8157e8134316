"""What load balancers need."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import LoadBalancer, Node, NodeCondition
from otter.models.group import LoadBalancerKind, LoadBalancerTarget
from otter.models.ids import LoadBalancerId
from otter.models.ledger import EntryState, LedgerEntry, Membership
from otter.supervisor.balancing import (
    Members,
    balancers_used,
    drain,
    drained,
    join,
    leave,
    merge,
)
from otter.supervisor.world import World
from tests.supervisor.world import (
    LB,
    NOW,
    TARGET,
    a_balancer,
    a_node,
    a_world,
    ago,
    an_entry,
    balanced,
    members,
    node_of,
    secs,
)

DRAINING = NodeCondition.DRAINING
DISABLED = NodeCondition.DISABLED
NOBODY: tuple[LoadBalancerId, ...] = ()
FOREIGN = a_node("foreign", "192.0.2.1")


def with_nodes(*nodes: Node, status: str = "ACTIVE") -> World:
    """Return a world with one load balancer."""
    return a_world(balancers={LB: a_balancer(*nodes, status=status)})


class JoinTests(SynchronousTestCase):
    """Getting onto load balancers."""

    entry = balanced(an_entry(), asked=False)
    member = Membership(LB, 80, "10.0.0.i")

    def test_a_server_without_targets_is_settled(self) -> None:
        """Most groups have no load balancer."""
        self.assertEqual(join(an_entry(), a_world()), Members(an_entry()))

    def test_a_missing_member_is_recorded_and_asked_for(self) -> None:
        """The ledger knows of it before the load balancer does (S3)."""
        self.assertEqual(
            join(self.entry, with_nodes(FOREIGN)),
            Members(
                evolve(self.entry, memberships=(self.member,)),
                (members(add=[("10.0.0.i", 80)]),),
                settled=False,
            ),
        )

    def test_a_member_asked_for_is_recorded_once(self) -> None:
        """Asking again adds no second record."""
        entry = balanced(an_entry())

        self.assertEqual(join(entry, with_nodes()).entry, entry)

    def test_a_serving_member_is_settled(self) -> None:
        """Nothing to do, nothing to say."""
        entry = balanced(an_entry())

        self.assertEqual(join(entry, with_nodes(FOREIGN, node_of(entry))), Members(entry))

    def test_a_member_that_was_there_before_stays_its_owners(self) -> None:
        """It counts as being on the load balancer and is not recorded as ours (S3)."""
        joined = join(self.entry, with_nodes(node_of(self.entry)))

        self.assertEqual(joined, Members(self.entry))

    def test_another_port_is_another_member(self) -> None:
        """Two groups may share a load balancer."""
        other = evolve(node_of(self.entry), port=8080)

        self.assertEqual(
            join(self.entry, with_nodes(other)).work, (members(add=[("10.0.0.i", 80)]),)
        )

    def test_changed_condition_weight_or_type_is_restored(self) -> None:
        """Our servers serve like the others (scenario 34)."""
        entry = balanced(an_entry())
        for node in (
            node_of(entry, DISABLED),
            node_of(entry, DRAINING),
            evolve(node_of(entry), plain=False),
        ):
            joined = join(entry, with_nodes(node))

            self.assertEqual(joined.work, (members(enable=["n-i"]),))
            self.assertFalse(joined.settled)

    def test_an_unhealthy_member_is_waited_for(self) -> None:
        """Only the server can make its health check pass; it is not in service till then."""
        entry = balanced(an_entry())
        for online, settled in ((False, False), (None, True), (True, True)):
            joined = join(entry, with_nodes(evolve(node_of(entry), online=online)))

            self.assertEqual((joined.work, joined.settled), ((), settled))

    def test_an_immutable_load_balancer_is_waited_for(self) -> None:
        """Nothing is asked, nothing recorded, nobody blamed."""
        joined = join(self.entry, with_nodes(status="PENDING_UPDATE"))

        self.assertEqual(joined, Members(self.entry, settled=False))

    def test_being_on_an_immutable_load_balancer_is_enough(self) -> None:
        """While it changes for somebody else, our member serves."""
        entry = balanced(an_entry())

        self.assertTrue(join(entry, with_nodes(node_of(entry), status="PENDING_UPDATE")).settled)

    def test_a_broken_load_balancer_is_named(self) -> None:
        """The owner is told which one and that nothing can be done."""
        joined = join(self.entry, with_nodes(status="ERROR"))

        self.assertEqual(joined.reasons, ("Load Balancer lb is in ERROR",))
        self.assertEqual((joined.work, joined.settled), ((), False))

    def test_a_load_balancer_that_is_gone_or_going_is_named(self) -> None:
        """A deleted load balancer keeps its servers out of service (scenarios 24, 26)."""
        for world, reason in (
            (a_world(balancers={LB: None}), "Load Balancer lb does not exist"),
            (with_nodes(status="PENDING_DELETE"), "Load Balancer lb is being deleted"),
            (with_nodes(status="DELETED"), "Load Balancer lb is being deleted"),
        ):
            joined = join(self.entry, world)

            self.assertEqual(joined.reasons, (reason,))
            self.assertEqual((joined.work, joined.settled), ((), False))

    def test_a_server_without_address_says_so(self) -> None:
        """It was silently left out by our predecessor (#868)."""
        entry = evolve(self.entry, address=None)

        self.assertIn("has no address", join(entry, with_nodes()).reasons[0])

    def test_a_pool_of_another_kind_is_refused_by_name(self) -> None:
        """RackConnect pools are not served; the owner learns it from the status."""
        target = LoadBalancerTarget(LB, None, LoadBalancerKind.RACKCONNECT)
        joined = join(evolve(self.entry, targets=(target,)), a_world())

        self.assertIn("RackConnectV3 pools are not served", joined.reasons[0])
        self.assertFalse(joined.settled)

    def test_one_failing_load_balancer_does_not_stop_the_other(self) -> None:
        """Outcomes are per resource (scenario 29)."""
        other = LoadBalancerId("other")
        entry = evolve(self.entry, targets=(LoadBalancerTarget(other, 80), TARGET))
        world = a_world(balancers={LB: a_balancer(), other: None})
        joined = join(entry, world)

        self.assertEqual(joined.work, (members(add=[("10.0.0.i", 80)]),))
        self.assertEqual(joined.reasons, ("Load Balancer other does not exist",))


class DrainTests(SynchronousTestCase):
    """Taking no new connections."""

    entry = balanced(an_entry(state=EntryState.DRAINING))

    def test_an_enabled_member_is_told_to_drain(self) -> None:
        """Foreign members go on."""
        work = drain(self.entry, with_nodes(FOREIGN, node_of(self.entry)))

        self.assertEqual(work, Members(self.entry, (members(drain=["n-i"]),), settled=False))

    def test_what_takes_nothing_new_is_settled(self) -> None:
        """A member somebody disabled drains as it is."""
        for condition in (DRAINING, DISABLED):
            drained_already = drain(self.entry, with_nodes(node_of(self.entry, condition)))

            self.assertEqual(drained_already, Members(self.entry))

    def test_an_absent_member_or_load_balancer_is_settled(self) -> None:
        """There is nothing left to drain."""
        for world in (with_nodes(FOREIGN), a_world(balancers={LB: None})):
            self.assertEqual(drain(self.entry, world), Members(self.entry))

    def test_an_immutable_load_balancer_is_waited_for(self) -> None:
        """Draining has not begun."""
        world = with_nodes(node_of(self.entry), status="PENDING_UPDATE")

        self.assertEqual(drain(self.entry, world), Members(self.entry, settled=False))

    def is_drained(self, age: float | None, *connections: int | None) -> bool:
        """Return whether a server that drains since then may go, with a timeout of 30 seconds."""
        since = None if age is None else ago(age)
        nodes = [
            a_node(f"n{i}", "10.0.0.i", DRAINING, connections=c, port=80 + i)
            for i, c in enumerate(connections)
        ]
        entry = evolve(
            self.entry,
            draining_since=since,
            memberships=tuple(Membership(LB, n.port, n.address) for n in nodes),
        )
        return drained(entry, with_nodes(*nodes), NOW, secs(30))

    def test_draining_ends_with_its_timeout(self) -> None:
        """The time counts from when every member was seen to drain (scenario 38)."""
        self.assertFalse(self.is_drained(None, None))
        self.assertFalse(self.is_drained(29, None))
        self.assertTrue(self.is_drained(30, None))

    def test_draining_ends_when_nobody_is_connected(self) -> None:
        """Where the provider tells; all members must be idle."""
        self.assertTrue(self.is_drained(1, 0, 0))
        self.assertFalse(self.is_drained(1, 0, 3))
        self.assertFalse(self.is_drained(1, 0, None))

    def test_draining_that_has_not_begun_has_not_ended(self) -> None:
        """No connections before the drain was asked for prove nothing."""
        self.assertFalse(self.is_drained(None, 0))


class LeaveTests(SynchronousTestCase):
    """Getting off load balancers."""

    entry = balanced(an_entry(state=EntryState.DELETING))

    def test_our_member_is_removed(self) -> None:
        """It stays recorded until it is seen to be off; foreign members stay (S3)."""
        left = leave(self.entry, with_nodes(FOREIGN, node_of(self.entry)), NOBODY)

        self.assertEqual(left, Members(self.entry, (members(remove=["n-i"]),), settled=False))

    def test_a_member_that_is_off_is_forgotten(self) -> None:
        """Also when the load balancer went with it."""
        for world in (
            with_nodes(FOREIGN),
            a_world(balancers={LB: None}),
            with_nodes(node_of(self.entry), status="PENDING_DELETE"),
        ):
            self.assertEqual(
                leave(self.entry, world, NOBODY), Members(evolve(self.entry, memberships=()))
            )

    def test_a_member_that_may_yet_appear_is_not_forgotten(self) -> None:
        """An add is under way: forgetting its member now would leave it behind (S2)."""
        left = leave(self.entry, with_nodes(FOREIGN), {LB})

        self.assertEqual(left, Members(self.entry))

    def test_an_immutable_load_balancer_is_waited_for(self) -> None:
        """The member is still there."""
        world = with_nodes(node_of(self.entry), status="PENDING_UPDATE")

        self.assertEqual(leave(self.entry, world, NOBODY), Members(self.entry, settled=False))

    def test_a_member_we_never_asked_for_stays(self) -> None:
        """It has our server's address and is somebody else's all the same (S3)."""
        entry = evolve(self.entry, memberships=())

        self.assertEqual(leave(entry, with_nodes(node_of(self.entry)), NOBODY), Members(entry))


class MergeTests(SynchronousTestCase):
    """One visit per load balancer."""

    def test_visits_to_one_load_balancer_become_one(self) -> None:
        """In the order they came, each thing once."""
        one = members(add=[("a", 1)], drain=["d"])
        two = members(add=[("b", 1), ("a", 1)], enable=["e"], remove=["r"])

        self.assertEqual(
            merge([one, two]),
            (members(add=[("a", 1), ("b", 1)], enable=["e"], drain=["d"], remove=["r"]),),
        )

    def test_load_balancers_come_in_a_stable_order(self) -> None:
        """A plan is the same for the same world."""
        first = members(add=[("a", 1)])
        other = evolve(first, load_balancer_id=LoadBalancerId("a"))

        self.assertEqual(merge([first, other]), merge([other, first]))
        self.assertEqual(merge([]), ())


class UsedTests(SynchronousTestCase):
    """Which load balancers are looked at."""

    def used(self, *entries: LedgerEntry) -> set[str]:
        """Return their ids."""
        return set(balancers_used(entries))

    def test_targets_and_members(self) -> None:
        """Where servers are to be, and where ours are though they are leaving."""
        elsewhere = (Membership(LoadBalancerId("old"), 80, "10.0.0.1"),)

        self.assertEqual(self.used(balanced(an_entry(), asked=False)), {"lb"})
        self.assertEqual(self.used(evolve(an_entry(), memberships=elsewhere)), {"old"})

    def test_targets_of_leaving_servers_do_not_matter(self) -> None:
        """A load balancer that is gone must not be read for servers that will never join it."""
        leaving = balanced(an_entry(state=EntryState.DELETING), asked=False)

        self.assertEqual(self.used(leaving), set())

    def test_pools_of_another_kind_are_not_read(self) -> None:
        """They are not load balancers of this cloud."""
        target = LoadBalancerTarget(LB, None, LoadBalancerKind.RACKCONNECT)

        self.assertEqual(self.used(evolve(an_entry(), targets=(target,))), set())


class LoadBalancerTests(SynchronousTestCase):
    """Which load balancers are on their way out."""

    def test_leaving(self) -> None:
        """Only those that are deleted or being deleted."""
        for status, leaving in (
            ("ACTIVE", False),
            ("PENDING_UPDATE", False),
            ("ERROR", False),
            ("PENDING_DELETE", True),
            ("DELETED", True),
        ):
            self.assertIs(LoadBalancer(LB, status).leaving, leaving)
