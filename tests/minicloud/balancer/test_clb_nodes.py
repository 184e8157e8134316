"""
The Cloud Load Balancers face: nodes and the health monitor.
"""

from tests.minicloud.balancer.clb_case import ClbCase, a_node


class NodeTests(ClbCase):
    """Nodes."""

    def test_add_several(self) -> None:
        """Several nodes come in one call and are answered with their ids."""
        self.an_lb(a_node(1))
        status, answer = self.ask(
            "POST",
            "/1/nodes",
            {"nodes": [a_node(2), a_node(3, condition="DRAINING", weight=5, type="SECONDARY")]},
        )

        self.assertEqual((202, [2, 3]), (status, [node["id"] for node in answer["nodes"]]))
        self.assertEqual(
            {
                "id": 3,
                "address": "10.0.0.3",
                "port": 80,
                "condition": "DRAINING",
                "status": "ONLINE",
                "weight": 5,
                "type": "SECONDARY",
            },
            self.ask("GET", "/1/nodes/3")[1]["node"],
        )

    def test_duplicate(self) -> None:
        """One that is there already keeps all of the call out."""
        self.an_lb(a_node(1))
        message = "Duplicate nodes detected. One or more nodes already configured on load balancer."

        self.assertEqual(
            (422, {"message": message, "code": 422}),
            self.ask("POST", "/1/nodes", {"nodes": [a_node(2), a_node(1)]}),
        )
        self.assertEqual(1, len(self.ask("GET", "/1/nodes")[1]["nodes"]))

    def test_limit(self) -> None:
        """Too many nodes are 413, told from a rate limit by the message; none is added."""
        self.an_lb(a_node(1))
        too_many = {"nodes": [a_node(number) for number in range(2, 6)]}

        self.assertEqual(
            (413, {"message": "Nodes must not exceed 4 per load balancer.", "code": 413}),
            self.ask("POST", "/1/nodes", too_many),
        )
        self.assertEqual(1, len(self.ask("GET", "/1/nodes")[1]["nodes"]))
        self.balancers.set_node_limit(5)
        self.assertEqual(202, self.ask("POST", "/1/nodes", too_many)[0])

    def test_change(self) -> None:
        """Condition, weight and type change; address and port never do."""
        self.an_lb(a_node(1))
        change = {"node": {"condition": "DRAINING", "weight": 3, "type": "SECONDARY"}}

        self.assertEqual((202, None), self.ask("PUT", "/1/nodes/1", change))
        node = self.ask("GET", "/1/nodes/1")[1]["node"]
        self.assertEqual(("DRAINING", 3, "SECONDARY"), (*_values(node),))
        for wrong in ({"port": 81}, {"condition": "LAZY"}, {"weight": 0}, None):
            self.assertEqual(400, self.ask("PUT", "/1/nodes/1", {"node": wrong})[0])

    def test_unknown_node(self) -> None:
        """A node that is not there is 404, with the words clients look for."""
        self.an_lb()
        missing = {"message": "Node with id #9 not found for loadbalancer #1", "code": 404}

        self.assertEqual((404, missing), self.ask("GET", "/1/nodes/9"))
        self.assertEqual((404, missing), self.ask("DELETE", "/1/nodes/9"))
        self.assertEqual((404, missing), self.ask("GET", "/1/nodes/9.atom"))
        change = {"node": {"condition": "DRAINING"}}
        self.assertEqual((404, missing), self.ask("PUT", "/1/nodes/9", change))

    def test_remove_one(self) -> None:
        """One node is removed by its own address."""
        self.an_lb(a_node(1), a_node(2))

        self.assertEqual((202, None), self.ask("DELETE", "/1/nodes/1"))
        self.assertEqual([2], [node["id"] for node in self.ask("GET", "/1/nodes")[1]["nodes"]])

    def test_remove_several(self) -> None:
        """Several ids go in one call."""
        self.an_lb(a_node(1), a_node(2), a_node(3))

        self.assertEqual((202, None), self.ask("DELETE", "/1/nodes?id=1&id=3"))
        self.assertEqual([2], [node["id"] for node in self.ask("GET", "/1/nodes")[1]["nodes"]])

    def test_remove_with_unknown(self) -> None:
        """Unknown ids are listed, in a form clients parse to try again without; none is removed."""
        self.an_lb(a_node(1))
        status, answer = self.ask("DELETE", "/1/nodes?id=8&id=1&id=7")

        self.assertEqual(400, status)
        self.assertEqual(
            {
                "message": "Validation Failure",
                "code": 400,
                "details": "The object is not valid",
                "validationErrors": {
                    "messages": ["Node ids 7,8 are not a part of your loadbalancer"]
                },
            },
            answer,
        )
        self.assertEqual(1, len(self.ask("GET", "/1/nodes")[1]["nodes"]))

    def test_remove_at_most_ten(self) -> None:
        """Ten ids are taken, eleven are refused as a whole."""
        self.balancers.set_node_limit(25)
        self.an_lb(*(a_node(number) for number in range(1, 12)))
        eleven = "&".join(f"id={number}" for number in range(1, 12))

        status, answer = self.ask("DELETE", f"/1/nodes?{eleven}")
        self.assertEqual(400, status)
        self.assertIn("limit BATCH_DELETE_LIMIT of 10", answer["validationErrors"]["messages"][0])
        self.assertEqual(11, len(self.ask("GET", "/1/nodes")[1]["nodes"]))
        self.assertEqual(202, self.ask("DELETE", f"/1/nodes?{eleven.removesuffix('&id=11')}")[0])
        self.assertEqual(400, self.ask("DELETE", "/1/nodes")[0])


def _values(node: dict[str, object]) -> tuple[object, ...]:
    return node["condition"], node["weight"], node["type"]


class HealthMonitorTests(ClbCase):
    """The health monitor as a document."""

    def test_life(self) -> None:
        """It is set, shown with the load balancer, and removed again."""
        self.an_lb()
        monitor = {"type": "CONNECT", "delay": 5, "timeout": 3, "attemptsBeforeDeactivation": 2}

        self.assertEqual((200, {"healthMonitor": {}}), self.ask("GET", "/1/healthmonitor"))
        self.assertEqual((202, None), self.ask("PUT", "/1/healthmonitor", monitor))
        self.assertEqual((200, {"healthMonitor": monitor}), self.ask("GET", "/1/healthmonitor"))
        self.assertEqual(monitor, self.ask("GET", "/1")[1]["loadBalancer"]["healthMonitor"])
        self.assertEqual((202, None), self.ask("DELETE", "/1/healthmonitor"))
        self.assertEqual(404, self.ask("DELETE", "/1/healthmonitor")[0])

    def test_http(self) -> None:
        """An HTTP monitor also has a page and the statuses that count as healthy."""
        monitor = {
            "type": "HTTP",
            "delay": 5,
            "timeout": 3,
            "attemptsBeforeDeactivation": 2,
            "path": "/health",
            "statusRegex": "^20[04]$",
        }
        self.an_lb(healthMonitor=monitor)

        self.assertEqual((200, {"healthMonitor": monitor}), self.ask("GET", "/1/healthmonitor"))

    def test_refused(self) -> None:
        """
        What could smuggle a header into the check, take long to match or never match is refused.
        """
        self.an_lb()
        right = {"type": "HTTP", "delay": 5, "timeout": 3, "attemptsBeforeDeactivation": 2}
        for wrong in (
            {"delay": 0},
            {"type": "PING"},
            {"path": "/\r\nX-Other: y"},
            {"path": "/\n"},
            {"statusRegex": "(a+)+"},
            {"statusRegex": "[2"},
            {"bodyRegex": "hello"},
        ):
            self.assertEqual(400, self.ask("PUT", "/1/healthmonitor", right | wrong)[0])
