"""Tests of the load balancer client: what it puts on the wire, what it makes of odd answers."""

from typing import Any

import simplejson
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.clb import balancer_of
from otter.cloud.errors import InvalidRequestError, TransientError
from otter.cloud.interface import Node, NodeCondition
from otter.models.ids import LoadBalancerId, NodeId
from tests.cloud.scene import Scene


class CloudLoadBalancersTests(SynchronousTestCase):
    """The client against a provider on the wire."""

    def setUp(self) -> None:
        """Wire the clients to a provider in memory, with a load balancer of 23 nodes."""
        self.scene = Scene()
        self.wire = self.scene.wire
        self.cloud = self.scene.cloud
        balancers = self.scene.world.balancers
        self.balancer_id = balancers.add()
        self.node_ids = [
            balancers.add_node(self.balancer_id, f"10.0.0.{number}", 80) for number in range(1, 24)
        ]

    def test_removals_are_batched_by_ten(self) -> None:
        """The service takes ten ids per call and once silently ignored the rest."""
        removing = self.cloud.remove_nodes(self.balancer_id, self.node_ids)
        self.successResultOf(Deferred.fromCoroutine(removing))

        calls = self.wire.asked("DELETE", "/nodes?")
        self.assertEqual([10, 10, 3], [uri.count("id=") for _, uri, _, _ in calls])

    def test_refusal_that_names_no_absentee_stands(self) -> None:
        """Only what is not there is left out of a second attempt; there is no third."""
        self.scene.world.fail("remove_nodes", InvalidRequestError("no", status=400), times=9)
        removing = self.cloud.remove_nodes(self.balancer_id, self.node_ids[:2])

        self.failureResultOf(Deferred.fromCoroutine(removing), InvalidRequestError)
        self.assertEqual(1, len(self.wire.asked("DELETE", "/nodes?")))

    def test_removing_only_absent_nodes_changes_nothing(self) -> None:
        """There is no second call without any id, which could mean all of them."""
        removing = self.cloud.remove_nodes(self.balancer_id, [NodeId("998"), NodeId("999")])
        self.successResultOf(Deferred.fromCoroutine(removing))

        self.assertEqual(1, len(self.wire.asked("DELETE", "/nodes")))
        self.assertEqual(23, len(self.scene.world.balancers.show(self.balancer_id).nodes))

    def test_added_nodes_are_spelled_in_full(self) -> None:
        """Condition and type are stated, so no default of the service decides them."""
        adding = self.cloud.add_nodes(self.balancer_id, [("10.0.1.1", 8080)])
        self.successResultOf(Deferred.fromCoroutine(adding))

        ((_, _, _, body),) = self.wire.asked("POST", "/nodes")
        node = {"address": "10.0.1.1", "port": 8080, "condition": "ENABLED", "type": "PRIMARY"}
        self.assertEqual({"nodes": [node]}, simplejson.loads(body))

    def test_changed_node_is_put_right_altogether(self) -> None:
        """A draining node of odd weight or type would come back odd."""
        changing = self.cloud.change_node(
            self.balancer_id, self.node_ids[0], NodeCondition.DRAINING
        )
        self.successResultOf(Deferred.fromCoroutine(changing))

        ((_, _, _, body),) = self.wire.asked("PUT", f"/nodes/{self.node_ids[0]}")
        node = {"condition": "DRAINING", "type": "PRIMARY", "weight": 1}
        self.assertEqual({"node": node}, simplejson.loads(body))

    def test_ids_are_quoted_into_paths(self) -> None:
        """An id from an owner's configuration must not lead to another resource."""
        requests = self.scene.http._requests
        request, urls = requests.request, []

        def spy(method: str, url: str, **keywords: Any) -> "Deferred[Any]":
            urls.append(url)
            return request(method, url, **keywords)

        self.patch(requests, "request", spy)
        getting = self.cloud.get_load_balancer(LoadBalancerId("1/../../2?x=#"))

        self.failureResultOf(Deferred.fromCoroutine(getting), TransientError)
        self.assertEqual("1%2F..%2F..%2F2%3Fx%3D%23", urls[-1].rpartition("/")[2])


class BalancerDocumentTests(SynchronousTestCase):
    """The pure half: documents in, records out."""

    def node(self, **changes: object) -> Node:
        """Return the record of a node on a monitored load balancer."""
        node = {
            "id": 7,
            "address": "10.0.0.1",
            "port": 80,
            "condition": "ENABLED",
            "status": "ONLINE",
            **changes,
        }
        balancer = {"id": 1, "status": "ACTIVE", "healthMonitor": {"type": "HTTP"}, "nodes": [node]}
        (record,) = balancer_of({"loadBalancer": balancer}).nodes
        return record

    def test_ids_become_text(self) -> None:
        """The wire has numbers, our records have text, whichever way they are spelled."""
        self.assertEqual(("7", "7"), (self.node().node_id, self.node(id="7").node_id))

    def test_health(self) -> None:
        """A status that is neither online nor offline is not known."""
        found = {status: self.node(status=status).online for status in ("ONLINE", "OFFLINE", "?")}

        self.assertEqual({"ONLINE": True, "OFFLINE": False, "?": None}, found)

    def test_odd_weight_or_type_is_not_plain(self) -> None:
        """Such a node was changed by somebody, and is put right."""
        odd = [self.node(weight=2), self.node(type="SECONDARY"), self.node(weight=1)]

        self.assertEqual([False, False, True], [node.plain for node in odd])

    def test_connections_are_told_where_they_are(self) -> None:
        """Absent is not none."""
        self.assertEqual((None, 0), (self.node().connections, self.node(connections=0).connections))

    def test_nonsense_is_unreadable(self) -> None:
        """Half a load balancer would look like missing nodes."""
        documents: list[Any] = [
            None,
            {},
            {"loadBalancer": {"id": 1}},
            {"loadBalancer": {"id": None, "status": "ACTIVE"}},
            {"loadBalancer": {"id": 1, "status": "ACTIVE", "nodes": [{}]}},
            {"loadBalancer": {"id": 1, "status": "ACTIVE", "nodes": {"id": 1}}},
        ]
        for document in documents:
            self.assertRaises(TransientError, balancer_of, document)
