"""What every ``Cloud`` promises; the fake and the clients of real services inherit these tests."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import (
    CloudError,
    ConflictingRequestError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from otter.cloud.fake import FakeCloud
from otter.cloud.interface import (
    DEPLOYMENT_KEY,
    GROUP_KEY,
    INSTANCE_KEY,
    Cloud,
    CreateServer,
    Node,
    NodeCondition,
)
from otter.models.ids import InstanceId, LoadBalancerId, NodeId, ServerId

T = TypeVar("T")

MINUTE = timedelta(minutes=1)


def a_request(name: str = "web-1", **body: object) -> CreateServer:
    """Return a request for a server."""
    return CreateServer(
        instance_id=InstanceId(f"instance of {name}"),
        name=name,
        body={"flavorRef": "1", "imageRef": "i", "metadata": {"owner": "me"}, **body},
        metadata={INSTANCE_KEY: f"instance of {name}", GROUP_KEY: "g", DEPLOYMENT_KEY: "d"},
        tag="otter-g",
    )


class CloudContract(SynchronousTestCase):
    """
    The promises.

    :ivar cloud: what is tested.
    :ivar world: the fake that is tested, or that stands behind it; takes the orders.
    """

    clock: Clock
    cloud: Cloud
    world: FakeCloud

    def done(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of a call that needs no time."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def refused(self, work: Coroutine[Any, Any, object], *errors: type[CloudError]) -> CloudError:
        """Return the error of a call that needs no time."""
        error = self.failureResultOf(Deferred.fromCoroutine(work), *errors).value
        assert isinstance(error, CloudError)
        self.assertIs(type(error), errors[0])
        return error

    # --- servers ----------------------------------------------------------------------------

    def test_created_server_is_listed_with_marks(self) -> None:
        """Marks are how a server is known as ours; the owner's own metadata stays beside them."""
        made = self.done(self.cloud.create_server(a_request()))
        (listed,) = self.done(self.cloud.list_servers())

        self.assertEqual(made.server_id, listed.server_id)
        self.assertEqual("web-1", listed.name)
        self.assertEqual(
            {
                "owner": "me",
                INSTANCE_KEY: "instance of web-1",
                GROUP_KEY: "g",
                DEPLOYMENT_KEY: "d",
            },
            dict(listed.metadata),
        )

    def test_marks_win_over_owners_metadata(self) -> None:
        """An owner who names our keys cannot pass a server off as another group's."""
        request = a_request(metadata={GROUP_KEY: "somebody else's"})
        self.done(self.cloud.create_server(request))

        (listed,) = self.done(self.cloud.list_servers())
        self.assertEqual("g", listed.metadata[GROUP_KEY])

    def test_create_answers_with_id_and_links(self) -> None:
        """The ledger needs the id at once, the API shows the links; the rest may come later."""
        made = self.done(self.cloud.create_server(a_request()))

        self.assertEqual("BUILD", made.status)
        self.assertEqual("web-1", made.name)
        self.assertEqual(self.world.servers.all()[0].links, made.links)

    def test_server_becomes_active_with_address(self) -> None:
        """A server has no address to put on a load balancer before it runs."""
        self.world.servers.build_time = MINUTE
        server_id = self.done(self.cloud.create_server(a_request())).server_id
        before = self.done(self.cloud.get_server(server_id))
        self.clock.advance(60)
        after = self.done(self.cloud.get_server(server_id))

        self.assertEqual(("BUILD", ()), (before.status, before.addresses))
        self.assertEqual(("ACTIVE", (("private", "10.0.0.1"),)), (after.status, after.addresses))

    def test_failed_build_explains_itself(self) -> None:
        """The cloud's own explanation reaches the owner."""
        self.world.servers.fail_builds(fault="No valid host was found.")
        self.done(self.cloud.create_server(a_request()))

        (server,) = self.done(self.cloud.list_servers())
        self.assertEqual(("ERROR", "No valid host was found."), (server.status, server.fault))

    def test_creation_time_is_told(self) -> None:
        """Which server is the oldest is decided by the cloud's time, with its zone."""
        self.clock.advance(1_000_000)
        self.done(self.cloud.create_server(a_request()))

        (server,) = self.done(self.cloud.list_servers())
        self.assertEqual(1_000_000, server.created.timestamp())

    def test_states_of_other_making_pass_through(self) -> None:
        """The planner decides by table what a state means, so none is hidden or translated."""
        server_id = self.world.servers.add("theirs", status="SHELVED_OFFLOADED")

        self.assertEqual("SHELVED_OFFLOADED", self.done(self.cloud.get_server(server_id)).status)

    def test_server_being_deleted_says_so(self) -> None:
        """A deletion takes time; until it is done the task state tells a leaving server."""
        self.world.servers.delete_time = MINUTE
        server_id = self.world.servers.add("leaving")
        self.done(self.cloud.delete_server(server_id))

        (server,) = self.done(self.cloud.list_servers())
        self.assertEqual("deleting", server.task_state)

    def test_absent_server_is_not_found(self) -> None:
        """That a server is gone is a fact of its own, not a failure like others."""
        error = self.refused(self.cloud.get_server(ServerId("none")), NotFoundError)

        self.assertTrue(error.definite)

    def test_server_shown_as_deleted_is_not_found(self) -> None:
        """Some clouds show a deleted server for a while; for us it is gone."""
        server_id = self.world.servers.add("late", status="DELETED")

        self.refused(self.cloud.get_server(server_id), NotFoundError)

    def test_finding_is_by_exact_name(self) -> None:
        """An unknown outcome is looked up by name; a near miss would be taken for our server."""
        for name in ("a.b", "axb", "a.b-2", "xa.b"):
            self.world.servers.add(name)

        found = self.done(self.cloud.find_servers("a.b"))
        self.assertEqual(["a.b"], [server.name for server in found])

    def test_finding_survives_every_punctuation(self) -> None:
        """Names are the owner's choice, and the cloud's filter is a regular expression."""
        name = "w^e$b*1+(2)[3]{4}|?\\ & =%"
        self.world.servers.add(name)

        self.assertEqual(1, len(self.done(self.cloud.find_servers(name))))

    def test_deleting_an_absent_server_succeeds(self) -> None:
        """Deletion is idempotent, so repeating a step after a crash is harmless."""
        self.assertIsNone(self.done(self.cloud.delete_server(ServerId("gone"))))

    def test_deleted_server_is_gone(self) -> None:
        """Deletion deletes that server and no other."""
        kept = self.world.servers.add("kept")
        removed = self.world.servers.add("removed")
        self.done(self.cloud.delete_server(removed))

        left = self.done(self.cloud.list_servers())
        self.assertEqual([kept], [server.server_id for server in left])

    def test_metadata_keys_are_removed_one_by_one(self) -> None:
        """Releasing a server takes our marks off and leaves the owner's metadata alone."""
        server_id = self.world.servers.add("theirs", {GROUP_KEY: "g", "owner": "me"})
        self.done(self.cloud.remove_server_metadata(server_id, [GROUP_KEY, INSTANCE_KEY]))

        self.assertEqual(
            {"owner": "me"}, dict(self.done(self.cloud.get_server(server_id)).metadata)
        )

    def test_metadata_of_an_absent_server_is_gone_too(self) -> None:
        """Releasing a server that somebody deleted meanwhile is done already."""
        self.done(self.cloud.remove_server_metadata(ServerId("gone"), [GROUP_KEY]))

        self.assertEqual((), self.world.servers.all())

    def test_lost_create_is_of_unknown_outcome_and_found_by_name(self) -> None:
        """A create that failed may have worked: it says so, and the server can be looked up."""
        self.world.lose("create_server")
        error = self.refused(self.cloud.create_server(a_request()), TransientError)
        (found,) = self.done(self.cloud.find_servers("web-1"))

        self.assertFalse(error.definite)
        self.assertEqual("instance of web-1", found.metadata[INSTANCE_KEY])

    def test_quota_is_told_in_the_clouds_words(self) -> None:
        """The owner reads why, and nothing was created."""
        self.world.servers.quota = 0
        error = self.refused(self.cloud.create_server(a_request()), QuotaError)

        self.assertTrue(error.definite)
        self.assertIn("already used 0 of 0 instances", error.message)
        self.assertEqual((), self.world.servers.all())

    def test_invalid_configuration_is_told_in_the_clouds_words(self) -> None:
        """Repeating is useless; the owner must change the configuration and needs to know how."""
        self.world.fail("create_server", InvalidRequestError("Invalid imageRef.", status=400))
        error = self.refused(self.cloud.create_server(a_request()), InvalidRequestError)

        self.assertEqual("Invalid imageRef.", error.message)

    def test_throttling_tells_how_long_to_wait(self) -> None:
        """A provider that is asked again too soon throttles longer."""
        throttled = ThrottledError("slow down", retry_after=timedelta(seconds=7))
        self.world.fail("create_server", throttled)
        error = self.refused(self.cloud.create_server(a_request()), ThrottledError)

        assert isinstance(error, ThrottledError)
        self.assertEqual(timedelta(seconds=7), error.retry_after)

    def test_failed_listing_is_an_error_and_not_an_empty_one(self) -> None:
        """Half a view of the world must never look like missing servers."""
        self.world.servers.add("there")
        self.world.fail("list_servers", TransientError("broken", status=500))

        self.refused(self.cloud.list_servers(), TransientError)

    # --- load balancers ---------------------------------------------------------------------

    def a_balancer(self, *addresses: str, **options: Any) -> LoadBalancerId:
        """Make a load balancer with nodes at port 80."""
        balancer_id = self.world.balancers.add(**options)
        for address in addresses:
            self.world.balancers.add_node(balancer_id, address, 80)
        return balancer_id

    def nodes(self, balancer_id: LoadBalancerId) -> tuple[Node, ...]:
        """Return the nodes the fake has."""
        return self.world.balancers.show(balancer_id).nodes

    def test_load_balancer_shows_its_nodes(self) -> None:
        """What the fake has is what the interface tells, every field."""
        balancer_id = self.a_balancer("10.0.0.1", "10.0.0.2")
        first, second = (node.node_id for node in self.nodes(balancer_id))
        self.world.balancers.set_node(balancer_id, first, connections=3)
        self.world.balancers.set_node(
            balancer_id, second, condition=NodeCondition.DRAINING, plain=False
        )

        self.assertEqual(
            self.world.balancers.show(balancer_id),
            self.done(self.cloud.get_load_balancer(balancer_id)),
        )

    def test_health_is_known_only_with_a_monitor(self) -> None:
        """A node without a health check is not online, nobody has looked."""
        plain = self.a_balancer("10.0.0.1")
        watched = self.a_balancer("10.0.0.1", "10.0.0.2", health_monitored=True)
        (_, sick) = (node.node_id for node in self.nodes(watched))
        self.world.balancers.set_node(watched, sick, online=False)

        shown = [self.done(self.cloud.get_load_balancer(one)) for one in (plain, watched)]
        self.assertEqual(
            [(False, [None]), (True, [True, False])],
            [(one.health_monitored, [node.online for node in one.nodes]) for one in shown],
        )

    def test_absent_load_balancer_is_not_found(self) -> None:
        """Whether it never existed or is DELETED makes no difference."""
        deleted = self.a_balancer()
        self.world.balancers.set_status(deleted, "DELETED")

        self.refused(self.cloud.get_load_balancer(LoadBalancerId("999")), NotFoundError)
        self.refused(self.cloud.get_load_balancer(deleted), NotFoundError)

    def test_load_balancer_on_its_way_out_is_shown_as_leaving(self) -> None:
        """Nothing can be joined to it, and the owner is told before it is gone."""
        balancer_id = self.a_balancer()
        self.world.balancers.set_status(balancer_id, "PENDING_DELETE")

        self.assertTrue(self.done(self.cloud.get_load_balancer(balancer_id)).leaving)

    def test_nodes_are_added_enabled_and_plain(self) -> None:
        """Members are added as they are to serve."""
        balancer_id = self.a_balancer()
        members = [("10.0.0.1", 80), ("10.0.0.2", 8080)]
        self.done(self.cloud.add_nodes(balancer_id, members))

        self.assertEqual(
            [(*member, NodeCondition.ENABLED, True) for member in members],
            [
                (node.address, node.port, node.condition, node.plain)
                for node in self.nodes(balancer_id)
            ],
        )

    def test_adding_nobody_asks_nothing(self) -> None:
        """A step without members is no reason to make a load balancer immutable."""
        balancer_id = self.a_balancer()
        self.world.balancers.set_status(balancer_id, "PENDING_UPDATE")

        self.assertIsNone(self.done(self.cloud.add_nodes(balancer_id, [])))

    def test_duplicate_nodes_conflict(self) -> None:
        """Somebody was faster; the next look at the load balancer shows it."""
        balancer_id = self.a_balancer("10.0.0.1")

        self.refused(self.cloud.add_nodes(balancer_id, [("10.0.0.1", 80)]), ConflictingRequestError)

    def test_busy_load_balancer_conflicts(self) -> None:
        """While a change is under way the next one is refused, whatever it is."""
        self.world.balancers.update_time = MINUTE
        balancer_id = self.a_balancer("10.0.0.1")
        (node_id,) = (node.node_id for node in self.nodes(balancer_id))
        self.done(self.cloud.add_nodes(balancer_id, [("10.0.0.2", 80)]))

        for work in (
            self.cloud.add_nodes(balancer_id, [("10.0.0.3", 80)]),
            self.cloud.change_node(balancer_id, node_id, NodeCondition.DRAINING),
            self.cloud.remove_nodes(balancer_id, [node_id]),
        ):
            self.refused(work, ConflictingRequestError)

    def test_full_load_balancer_takes_none(self) -> None:
        """A node limit is told apart from throttling: waiting does not help."""
        balancer_id = self.a_balancer("10.0.0.1", node_limit=2)
        members = [("10.0.0.2", 80), ("10.0.0.3", 80)]
        self.refused(self.cloud.add_nodes(balancer_id, members), NodeLimitError)

        self.assertEqual(1, len(self.nodes(balancer_id)))

    def test_nothing_is_added_to_a_leaving_load_balancer(self) -> None:
        """Going is as good as gone: no waiting for it to become ACTIVE again."""
        balancer_id = self.a_balancer()
        self.world.balancers.set_status(balancer_id, "PENDING_DELETE")

        self.refused(self.cloud.add_nodes(balancer_id, [("10.0.0.1", 80)]), NotFoundError)

    def test_changing_a_node_sets_condition_and_makes_it_plain(self) -> None:
        """A node whose weight or type somebody changed is put right with its condition."""
        balancer_id = self.a_balancer("10.0.0.1")
        (node_id,) = (node.node_id for node in self.nodes(balancer_id))
        self.world.balancers.set_node(balancer_id, node_id, plain=False)
        self.done(self.cloud.change_node(balancer_id, node_id, NodeCondition.DRAINING))

        (node,) = self.nodes(balancer_id)
        self.assertEqual((NodeCondition.DRAINING, True), (node.condition, node.plain))

    def test_changing_an_absent_node_is_not_found(self) -> None:
        """There is nothing to drain any more."""
        balancer_id = self.a_balancer()

        self.refused(
            self.cloud.change_node(balancer_id, NodeId("999"), NodeCondition.ENABLED),
            NotFoundError,
        )

    def test_more_nodes_are_removed_than_one_call_takes(self) -> None:
        """The provider's batch limit is the client's business (lessons.md 3, item 32)."""
        balancer_id = self.a_balancer(*(f"10.0.0.{n}" for n in range(1, 24)))
        first, *others = (node.node_id for node in self.nodes(balancer_id))
        self.done(self.cloud.remove_nodes(balancer_id, others))

        self.assertEqual([first], [node.node_id for node in self.nodes(balancer_id)])

    def test_removing_absent_nodes_removes_the_others(self) -> None:
        """Somebody else's removal of one node does not keep ours from going."""
        balancer_id = self.a_balancer("10.0.0.1", "10.0.0.2")
        first, second = (node.node_id for node in self.nodes(balancer_id))
        self.done(self.cloud.remove_nodes(balancer_id, [first, NodeId("999")]))

        self.assertEqual([second], [node.node_id for node in self.nodes(balancer_id)])

    def test_removing_from_what_is_gone_or_going_succeeds(self) -> None:
        """A deleted load balancer must not keep its servers alive (lessons.md 2, 25 and 27)."""
        going = self.a_balancer("10.0.0.1")
        (node_id,) = (node.node_id for node in self.nodes(going))
        self.world.balancers.set_status(going, "PENDING_DELETE")
        deleted = self.a_balancer()
        self.world.balancers.set_status(deleted, "DELETED")

        for balancer_id in (LoadBalancerId("999"), deleted, going):
            self.assertIsNone(self.done(self.cloud.remove_nodes(balancer_id, [node_id])))
