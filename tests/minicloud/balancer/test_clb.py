"""
The Cloud Load Balancers face: what it answers to what.
"""

from datetime import timedelta

from twisted.internet.defer import Deferred, fail

from tests.minicloud.balancer.builders import a_new_load_balancer
from tests.minicloud.balancer.clb_case import BASE, ClbCase, RefusedError, a_node


class LoadBalancerTests(ClbCase):
    """Load balancers themselves."""

    def test_create(self) -> None:
        """What was asked for comes back with ids, an address and defaults."""
        status, answer = self.ask(
            "POST",
            "",
            {
                "loadBalancer": {
                    "name": "web",
                    "protocol": "HTTP",
                    "virtualIps": [{"type": "PUBLIC"}],
                    "nodes": [a_node()],
                }
            },
        )

        self.assertEqual(202, status)
        now = {"time": "2027-01-15T08:00:00Z"}
        self.assertEqual(
            {
                "loadBalancer": {
                    "id": 1,
                    "name": "web",
                    "protocol": "HTTP",
                    "port": 80,
                    "algorithm": "ROUND_ROBIN",
                    "status": "ACTIVE",
                    "nodeCount": 1,
                    "virtualIps": [
                        {
                            "id": 1,
                            "address": "127.240.0.1",
                            "type": "PUBLIC",
                            "ipVersion": "IPV4",
                        }
                    ],
                    "created": now,
                    "updated": now,
                    "nodes": [
                        {
                            "id": 1,
                            "address": "10.0.0.1",
                            "port": 80,
                            "condition": "ENABLED",
                            "status": "ONLINE",
                            "weight": 1,
                            "type": "PRIMARY",
                        }
                    ],
                }
            },
            answer,
        )
        self.assertEqual((200, answer), self.ask("GET", "/1"))

    def test_create_refused(self) -> None:
        """A body that cannot be understood is 400 and says why, in this API's form."""
        wrongs: tuple[object, ...] = (
            b"{not json",
            [],
            {"loadBalancer": {"port": 80}},
            {"loadBalancer": {"name": "x", "port": 0}},
            {"loadBalancer": {"name": "x", "port": True}},
            {"loadBalancer": {"name": "x", "protocol": "GOPHER"}},
            {"loadBalancer": {"name": "x", "nodes": [a_node(address="nowhere")]}},
        )
        for wrong in wrongs:
            status, answer = self.ask("POST", "", wrong)

            self.assertEqual((400, 400), (status, answer["code"]))
            self.assertEqual("Validation Failure", answer["message"])
            self.assertTrue(answer["validationErrors"]["messages"])
        self.assertEqual([], self.balancers.describe())

    def test_too_large(self) -> None:
        """A body nobody needs is not parsed."""
        status, _ = self.ask("POST", "", b" " * 300_000)

        self.assertEqual(413, status)

    def test_builds(self) -> None:
        """With an update time a new load balancer is in BUILD first."""
        self.balancers.set_update_time(3)
        self.an_lb()

        self.assertEqual("BUILD", self.status_of(1))
        self.clock.advance(3)
        self.assertEqual("ACTIVE", self.status_of(1))

    def status_of(self, lb_id: int) -> str:
        """Return the status the client sees."""
        status: str = self.ask("GET", f"/{lb_id}")[1]["loadBalancer"]["status"]
        return status

    def test_list_in_pages(self) -> None:
        """Pages follow one another by marker, without nodes, until there is no next link."""
        for _ in range(5):
            self.an_lb()
        seen = []
        path: str | None = "?limit=2"
        while path is not None:
            status, page = self.ask("GET", path)
            self.assertEqual(200, status)
            self.assertNotIn("nodes", page["loadBalancers"][0])
            seen.append([lb["id"] for lb in page["loadBalancers"]])
            links = page.get("links", [])
            path = links[0]["href"].removeprefix(BASE) if links else None

        self.assertEqual([[1, 2], [3, 4], [5]], seen)

    def test_list_arguments(self) -> None:
        """A limit is kept in range; what is no number is refused."""
        self.an_lb()
        self.an_lb()

        self.assertEqual(1, len(self.ask("GET", "?limit=0")[1]["loadBalancers"]))
        self.assertEqual(2, len(self.ask("GET", "?limit=9999")[1]["loadBalancers"]))
        self.assertEqual(400, self.ask("GET", "?marker=x")[0])

    def test_projects_are_apart(self) -> None:
        """Another project sees neither the list nor the load balancer, nor may it name this one."""
        self.balancers.create("p2", a_new_load_balancer())

        self.assertEqual([], self.ask("GET", "")[1]["loadBalancers"])
        self.assertEqual(404, self.ask("GET", "/1")[0])
        self.assertEqual(404, self.ask("DELETE", "/1")[0])
        self.assertEqual(403, self.ask("GET", "", token="p2")[0])

    def test_missing(self) -> None:
        """What does not exist is 404 with the words clients look for."""
        self.assertEqual(
            (404, {"message": "Load balancer not found.", "code": 404}), self.ask("GET", "/77")
        )
        self.assertEqual(404, self.ask("POST", "/77/nodes", {"nodes": [a_node()]})[0])
        self.assertEqual((404, 404), (self.ask("GET", "/x")[0], self.ask("GET", "/x")[1]["code"]))

    def test_wrong_method(self) -> None:
        """A method that makes no sense is 405 in this API's form."""
        self.assertEqual(
            (405, {"message": "Method Not Allowed", "code": 405}), self.ask("PATCH", "")
        )

    def test_configure(self) -> None:
        """Name and algorithm can change; the rest cannot."""
        self.an_lb()
        change = {"loadBalancer": {"name": "new", "algorithm": "LEAST_CONNECTIONS"}}

        self.assertEqual((202, None), self.ask("PUT", "/1", change))
        shown = self.ask("GET", "/1")[1]["loadBalancer"]
        self.assertEqual(("new", "LEAST_CONNECTIONS"), (shown["name"], shown["algorithm"]))
        self.assertEqual(400, self.ask("PUT", "/1", {"loadBalancer": {"port": 1}})[0])

    def test_deleted(self) -> None:
        """
        It is listed no more and shows as DELETED; its parts are gone and nothing changes them.
        """
        self.an_lb(a_node())

        self.assertEqual((202, None), self.ask("DELETE", "/1"))
        self.assertEqual("DELETED", self.status_of(1))
        self.assertEqual([], self.ask("GET", "")[1]["loadBalancers"])
        gone = {"message": "The load balancer is marked as deleted.", "code": 410}
        for path in ("/1/nodes", "/1/nodes/1", "/1/nodes.atom", "/1/healthmonitor"):
            self.assertEqual((410, gone), self.ask("GET", path))
        immutable = {
            "message": "The load balancer is deleted and considered immutable.",
            "code": 422,
        }
        self.assertEqual((422, immutable), self.ask("DELETE", "/1"))
        self.assertEqual((422, immutable), self.ask("POST", "/1/nodes", {"nodes": [a_node(2)]}))

    def test_deletion_takes_time(self) -> None:
        """While it is being deleted it is PENDING_DELETE, and says so to changes."""
        self.an_lb(a_node())
        self.balancers.set_update_time(5)
        self.ask("DELETE", "/1")

        self.assertEqual("PENDING_DELETE", self.status_of(1))
        status, answer = self.ask("DELETE", "/1/nodes?id=1")
        self.assertEqual(422, status)
        self.assertIn("'PENDING_DELETE' and is considered immutable", answer["message"])
        self.clock.advance(5)
        self.assertEqual("DELETED", self.status_of(1))


class ImmutableTests(ClbCase):
    """The rule that one change at a time is let in."""

    def test_busy_after_a_change(self) -> None:
        """An accepted change shows at once; the next is refused until the update time is over."""
        self.an_lb()
        self.balancers.set_update_time(2)

        self.assertEqual(202, self.ask("POST", "/1/nodes", {"nodes": [a_node()]})[0])
        busy = "Load Balancer '1' has a status of 'PENDING_UPDATE' and is considered immutable."
        changes = [
            ("POST", "/1/nodes", {"nodes": [a_node(2)]}),
            ("PUT", "/1/nodes/1", {"node": {"condition": "DRAINING"}}),
            ("DELETE", "/1/nodes/1", None),
            ("DELETE", "/1/nodes?id=1", None),
            ("PUT", "/1", {"loadBalancer": {"name": "x"}}),
            ("DELETE", "/1", None),
            ("DELETE", "/1/healthmonitor", None),
        ]
        for method, path, body in changes:
            self.assertEqual((422, {"message": busy, "code": 422}), self.ask(method, path, body))
        self.assertEqual(1, len(self.ask("GET", "/1/nodes")[1]["nodes"]))
        self.clock.advance(1.9)
        self.assertEqual(422, self.ask("DELETE", "/1/nodes/1")[0])
        self.clock.advance(0.1)
        self.assertEqual(202, self.ask("DELETE", "/1/nodes/1")[0])

    def test_a_refused_change_is_none(self) -> None:
        """What was refused does not make it busy."""
        self.an_lb(a_node())
        self.balancers.set_update_time(2)
        self.ask("POST", "/1/nodes", {"nodes": [a_node()]})

        self.assertEqual("ACTIVE", self.ask("GET", "/1")[1]["loadBalancer"]["status"])

    def test_each_is_busy_alone(self) -> None:
        """A busy load balancer keeps no other from changing."""
        self.an_lb()
        self.an_lb()
        self.balancers.set_update_time(2)
        self.ask("POST", "/1/nodes", {"nodes": [a_node()]})

        self.assertEqual(202, self.ask("POST", "/2/nodes", {"nodes": [a_node()]})[0])

    def test_commanded_status(self) -> None:
        """A status from outside stays, however long one waits, until it is taken back."""
        self.an_lb()
        self.balancers.set_status(1, "ERROR")
        self.clock.advance(1000)
        status, answer = self.ask("POST", "/1/nodes", {"nodes": [a_node()]})

        self.assertEqual(422, status)
        self.assertIn("'ERROR' and is considered immutable", answer["message"])
        self.balancers.set_status(1, "ACTIVE")
        self.assertEqual(202, self.ask("POST", "/1/nodes", {"nodes": [a_node()]})[0])


class EdgeTests(ClbCase):
    """What surrounds every call."""

    def test_authentication(self) -> None:
        """An error of authentication becomes the answer's status, in this API's form."""
        self.assertEqual(
            (401, {"message": "refused for a test", "code": 401}), self.ask("GET", "", token="")
        )

    def test_delay(self) -> None:
        """Nothing is answered, and nothing done, before the commanded delay is over."""
        self.waiting = Deferred()
        asking = self.start("POST", "", {"loadBalancer": {"name": "x"}})
        self.http.flush()

        self.assertNoResult(asking)
        self.assertEqual([], self.balancers.describe())
        self.waiting.callback(None)
        self.http.flush()
        self.assertEqual(202, self.successResultOf(asking)[0])

    def test_delay_as_fault(self) -> None:
        """A fault on command may refuse the call instead of delaying it."""
        self.waiting = Deferred()
        asking = self.start("GET")
        self.waiting.errback(RefusedError(413))
        self.http.flush()

        self.assertEqual(413, self.successResultOf(asking)[0])

    def test_rate_limit(self) -> None:
        """A refusal that asks to wait says for how long."""
        self.waiting = fail(RefusedError(413, timedelta(seconds=1.5)))
        response = self.successResultOf(self.http.get(BASE))

        self.assertEqual(413, response.code)
        self.assertEqual(["2"], response.headers.getRawHeaders("retry-after"))

    def test_defects_are_not_hidden(self) -> None:
        """An error that is no refusal is a 500, logged."""
        self.waiting = Deferred()
        asking = self.start("GET")
        self.waiting.errback(ZeroDivisionError())
        self.http.flush()

        self.assertEqual(500, self.successResultOf(asking)[0])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_content_type(self) -> None:
        """Everything but feeds is JSON, errors included."""
        for path in ("", "/9", "/x/y/z"):
            _, _, content_type = self.successResultOf(self.start("GET", path))

            self.assertEqual("application/json", content_type)
