"""Tests of ``minicloud.api.page``."""

from twisted.trial.unittest import SynchronousTestCase

from minicloud.network.interface import NETWORK
from tests.minicloud.client import a_client


class HealthTests(SynchronousTestCase):
    """Whether the cloud works."""

    def test_every_component(self) -> None:
        """Each component did some work, and tells what it holds."""
        client = a_client()
        client.create()
        response = client.call("GET", "/health", headers={"X-Auth-Token": ""})

        self.assertEqual(response.status, 200)
        self.assertEqual(
            response.json["components"],
            {
                "users": {"users": 3, "projects": 3},
                "controller": {"servers": 1},
                "network": {"addresses": 1},
                "node.node-1": {"instances": 1},
                "balancers": {"load_balancers": 0},
            },
        )

    def test_missing_component(self) -> None:
        """A cloud with a component that does not answer is not healthy."""
        client = a_client()
        bus = client.cloud.control.bus
        del bus._components[NETWORK]  # type: ignore[attr-defined]
        response = client.call("GET", "/health")

        self.assertEqual((response.status, response.json), (503, {"healthy": False}))
        self.assertEqual(len(self.flushLoggedErrors()), 1)


class StatusPageTests(SynchronousTestCase):
    """The page for people."""

    def test_servers(self) -> None:
        """The page shows what runs, and a hostile name does no harm."""
        client = a_client()
        client.create("<script>alert(1)</script>")
        page = client.call("GET", "/")

        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")
        self.assertIn(b"ACTIVE", page.body)
        self.assertIn(b"1 servers", page.body)
        self.assertNotIn(b"<script>", page.body)

    def test_elsewhere(self) -> None:
        """What is not there is 404 in JSON."""
        response = a_client().call("GET", "/nothing/at/all")

        self.assertEqual((response.status, response.json["error"]["status"]), (404, 404))
