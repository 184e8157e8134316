"""A cloud whose faults are commanded over HTTP, and a client that meets them."""

from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import Response, a_client


class FaultCase(SynchronousTestCase):
    """A cloud with faults to command."""

    def setUp(self) -> None:
        """Make a cloud where booting takes ten seconds."""
        self.client = a_client(boot_time=timedelta(seconds=10))
        self.cloud = self.client.cloud

    def command(self, **fault: Any) -> str:
        """Command a fault and return its id."""
        response = self.client.control("POST", "/faults", fault)
        assert response.status == 201, response
        return str(response.json["fault"]["id"])

    def set(self, **settings: Any) -> None:
        """Change settings."""
        response = self.client.control("PATCH", "/settings", settings)
        assert response.status == 200, response

    def create(self, name: str = "web", **fields: object) -> Response:
        """Ask for a server."""
        return self.client.compute("POST", "/servers", self.client.a_server_body(name, **fields))

    def truth(self) -> list[str]:
        """Return the names of all servers there are, whatever lists say."""
        servers = self.client.control("GET", "/servers").json["servers"]
        return [server["name"] for server in servers]

    def status(self, server_id: str) -> str:
        """Return a server's status as its owner sees it."""
        return str(self.client.show(server_id)["status"])
