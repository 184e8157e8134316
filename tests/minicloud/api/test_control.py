"""Tests of ``minicloud.api.control``: what judges see, set up and reset."""

from datetime import timedelta
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.clock import RealTime
from minicloud.testing import finish
from tests.minicloud.api import fault_case
from tests.minicloud.client import CloudClient, a_client


class JudgeTests(fault_case.FaultCase):
    """What judges look at and set up."""

    def test_servers(self) -> None:
        """All servers of all projects are shown with what marks them and how they are."""
        other = CloudClient(self.cloud, "otter", "other")
        mine = self.client.create("mine", metadata={"otter:instance": "i"})
        other.create("theirs")
        self.cloud.advance(10)
        shown = self.client.control("GET", f"/servers/{mine}").json["server"]

        self.assertEqual(self.truth(), ["theirs", "mine"])
        self.assertEqual(shown["metadata"], {"otter:instance": "i"})
        self.assertEqual(
            (shown["status"], shown["project_id"]), ("ACTIVE", self.cloud.project_id())
        )
        self.assertEqual(shown["instance"], {"power": "running", "pid": None})
        self.assertEqual(self.client.control("GET", "/servers/nothing").status, 404)

    def test_more_than_a_page(self) -> None:
        """All means all, however many there are."""
        self.client.control("PUT", f"/quotas/{self.cloud.project_id()}", {"instances": -1})
        for number in range(1001):
            self.client.create(f"s{number}")

        self.assertEqual(len(self.truth()), 1001)

    def test_accounts(self) -> None:
        """Projects and users are made on demand; names are taken once."""
        project = self.client.control("POST", "/projects", {"name": "acme", "id": "p-1"})
        user = {"name": "ann", "password": "secret", "roles": {"p-1": ["member"]}}

        self.assertEqual(project.json, {"project": {"id": "p-1", "name": "acme"}})
        self.assertEqual(self.client.control("POST", "/users", user).status, 201)
        self.assertEqual(len(self.cloud.token("ann", "secret", "acme")), 32)
        self.assertEqual(self.client.control("POST", "/users", user).status, 409)
        self.assertEqual(self.client.control("POST", "/projects", {"name": "acme"}).status, 409)
        self.assertIn(
            {"id": "p-1", "name": "acme"}, self.client.control("GET", "/projects").json["projects"]
        )

    def test_overview(self) -> None:
        """One page tells the calls, the faults, the settings and the time."""
        fault = self.command(name="x")
        overview = self.client.control("GET", "").json

        self.assertIn("``POST /control/faults``", "\n".join(overview["help"]).replace("GET|", ""))
        self.assertEqual([each["id"] for each in overview["faults"]], [fault])
        self.assertEqual(overview["settings"]["boot_time"], 10)
        self.assertEqual(overview["clock"], {"now": "2026-01-01T00:00:00+00:00", "driven": True})

    def test_take_back(self) -> None:
        """Faults are listed and taken back, one or all."""
        first, _ = self.command(), self.command()
        listed = self.client.control("GET", "/faults").json["faults"]

        self.assertEqual(len(listed), 2)
        self.assertEqual(self.client.control("DELETE", f"/faults/{first}").status, 204)
        self.assertEqual(self.client.control("DELETE", f"/faults/{first}").status, 404)
        self.assertEqual(self.client.control("DELETE", "/faults").status, 204)
        self.assertEqual(self.client.control("GET", "/faults").json, {"faults": []})

    def test_malformed(self) -> None:
        """What cannot be commanded is 400 and changes nothing."""
        cases: tuple[tuple[str, str, Any], ...] = (
            ("POST", "/faults", {"effect": "explode"}),
            ("POST", "/faults", {"operation": "delete", "effect": "stuck"}),
            ("POST", "/faults", {"count": 0}),
            ("POST", "/faults", {"status": 200}),
            ("POST", "/faults", {"name": "("}),
            ("POST", "/faults", {"metadata": {"a": 1}}),
            ("POST", "/faults", {"after": -1}),
            ("POST", "/faults", {"colour": "red"}),
            ("PATCH", "/settings", {"colour": "red"}),
            ("PATCH", "/settings", {"delay": {"kitchen": 1}}),
            ("PATCH", "/settings", {"boot_time": "long"}),
            ("PATCH", "/settings", {"balancer_node_limit": 0}),
            ("PUT", "/quotas/p", {"instances": -2}),
            ("POST", "/clock", {"advance": "far"}),
            ("POST", "/users", {"name": "x"}),
            ("POST", "/users", {"name": "x", "password": "y", "roles": []}),
        )
        for method, path, body in cases:
            self.assertEqual(self.client.control(method, path, body).status, 400, (path, body))
        self.assertEqual(self.client.control("GET", "/faults").json, {"faults": []})

    def test_reset(self) -> None:
        """A reset leaves nothing of what happened, except the time that passed."""
        self.client.create()
        self.command()
        self.set(lag_new=5, boot_time=1)
        self.client.control("POST", "/projects", {"name": "acme"})
        self.cloud.advance(10)

        self.assertEqual(self.client.control("POST", "/reset").status, 204)
        overview = self.client.control("GET", "").json
        self.assertEqual((overview["faults"], self.truth()), ([], []))
        self.assertEqual(overview["settings"]["lag_new"], 0)
        self.assertEqual(overview["settings"]["boot_time"], 10)
        self.assertEqual(overview["clock"]["now"], "2026-01-01T00:00:10+00:00")
        self.assertEqual(len(self.client.control("GET", "/projects").json["projects"]), 3)
        self.assertEqual(finish(self.cloud.driver.list_instances()), ())


class ClockTests(SynchronousTestCase):
    """Time over HTTP."""

    def test_advance(self) -> None:
        """A build of hours costs one request."""
        client = a_client(boot_time=timedelta(hours=2))
        server = client.create()
        response = client.control("POST", "/clock", {"advance": 7200})

        self.assertEqual(response.json["now"], "2026-01-01T02:00:00+00:00")
        self.assertEqual(client.show(server)["status"], "ACTIVE")

    def test_real_time(self) -> None:
        """Real time cannot be advanced; the answer says what to do."""
        client = a_client()
        client.cloud.control.time = RealTime(Clock())
        response = client.control("POST", "/clock", {"advance": 1})

        self.assertEqual(response.status, 409)
        self.assertIn("--driven-time", response.json["error"]["message"])


class BalancerTests(fault_case.FaultCase):
    """Load balancers, where they are mounted and commanded."""

    def setUp(self) -> None:
        """Make a load balancer with one node."""
        super().setUp()
        self.path = f"/clb/v1.0/{self.cloud.project_id()}/loadbalancers"
        node = {"address": "10.0.0.4", "port": 80, "condition": "ENABLED"}
        body = {
            "loadBalancer": {
                "name": "lb",
                "port": 80,
                "protocol": "HTTP",
                "virtualIps": [{"type": "PUBLIC"}],
                "nodes": [node],
            }
        }
        made = self.client.call("POST", self.path, body)
        assert made.status == 202, made
        self.lb = made.json["loadBalancer"]

    def show(self) -> Any:
        """Return the load balancer as its owner sees it."""
        return self.client.call("GET", f"{self.path}/{self.lb['id']}").json["loadBalancer"]

    def test_status(self) -> None:
        """A load balancer is put into a status and stays there."""
        path = f"/loadbalancers/{self.lb['id']}"
        answer = self.client.control("PATCH", path, {"status": "PENDING_UPDATE"})

        self.assertEqual(answer.status, 204)
        self.assertEqual(self.show()["status"], "PENDING_UPDATE")

    def test_nodes(self) -> None:
        """A node is changed and taken away behind its owner's back."""
        node = self.lb["nodes"][0]["id"]
        path = f"/loadbalancers/{self.lb['id']}/nodes/{node}"
        changed = self.client.control("PATCH", path, {"condition": "DISABLED", "status": "OFFLINE"})
        shown = self.show()["nodes"][0]
        removed = self.client.control("DELETE", path)

        self.assertEqual((changed.status, removed.status), (204, 204))
        self.assertEqual((shown["condition"], shown["status"]), ("DISABLED", "OFFLINE"))
        self.assertEqual(self.show().get("nodes", []), [])

    def test_malformed(self) -> None:
        """What does not exist is 404, a status that does not 400."""
        for lb_id, status, answer in ((99, "ACTIVE", 404), (self.lb["id"], "PURPLE", 400)):
            body = {"status": status}
            response = self.client.control("PATCH", f"/loadbalancers/{lb_id}", body)
            self.assertEqual(response.status, answer)

    def test_judged(self) -> None:
        """All load balancers of all projects are shown."""
        listed = self.client.control("GET", "/loadbalancers").json["load_balancers"]

        self.assertEqual([lb["id"] for lb in listed], [self.lb["id"]])
        self.assertEqual(listed[0]["nodes"][0]["address"], "10.0.0.4")

    def test_projects_apart(self) -> None:
        """A token opens its own project's load balancers only."""
        other = CloudClient(self.cloud, "otter", "other")

        self.assertEqual(other.call("GET", self.path).status, 403)
        self.assertEqual(
            self.client.call("GET", self.path, headers={"X-Auth-Token": ""}).status, 401
        )
