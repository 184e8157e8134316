"""Tests of ``minicloud.api.compute.actions``."""

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import Response, a_client


class ActionTests(SynchronousTestCase):
    """What can be done with a server."""

    def setUp(self) -> None:
        """Make a running server in a cloud where booting takes ten seconds."""
        self.client = a_client(boot_time=timedelta(seconds=10))
        self.server = self.client.create()
        self.client.cloud.advance(10)

    def act(self, name: str, arguments: object = None) -> Response:
        """Ask for an action."""
        path = f"/servers/{self.server}/action"
        return self.client.compute("POST", path, {name: arguments})

    def status(self) -> str:
        """Return the server's status."""
        return str(self.client.show(self.server)["status"])

    def test_stop_and_start(self) -> None:
        """A stopped server is SHUTOFF until it is started."""
        self.assertEqual(self.act("os-stop").status, 202)
        self.assertEqual(self.status(), "SHUTOFF")
        self.assertEqual(self.client.show(self.server)["OS-EXT-STS:power_state"], 4)
        self.assertEqual(self.act("os-start").status, 202)
        self.client.cloud.advance(10)

        self.assertEqual(self.status(), "ACTIVE")

    def test_reboot(self) -> None:
        """Both kinds of reboot show while they last."""
        for kind, status in (("SOFT", "REBOOT"), ("HARD", "HARD_REBOOT")):
            self.assertEqual(self.act("reboot", {"type": kind}).status, 202)
            self.assertEqual(self.status(), status)
            self.client.cloud.advance(10)
            self.assertEqual(self.status(), "ACTIVE")

    def test_rebuild(self) -> None:
        """A rebuild keeps the server, its address and its id, and changes its image."""
        before = self.client.show(self.server)
        image = self.client.cloud.credentials["images"][1]["id"]
        response = self.act("rebuild", {"imageRef": image})
        self.client.cloud.advance(10)
        after = self.client.show(self.server)

        self.assertEqual((response.status, response.json["server"]["status"]), (202, "REBUILD"))
        self.assertEqual((after["status"], after["image"]["id"]), ("ACTIVE", image))
        self.assertEqual(after["addresses"], before["addresses"])

    def test_conflict(self) -> None:
        """What the state does not allow is 409 and says why."""
        response = self.act("os-start")

        self.assertEqual(response.status, 409)
        self.assertIn("vm_state active", response.json["conflictingRequest"]["message"])

    def test_malformed(self) -> None:
        """Unknown actions and arguments are 400, as is a rebuild from nothing."""
        for name, arguments in (
            ("explode", None),
            ("reboot", {"type": "GENTLE"}),
            ("reboot", None),
            ("rebuild", {"imageRef": "nothing"}),
        ):
            self.assertEqual(self.act(name, arguments).status, 400, name)

    def test_console(self) -> None:
        """The console is what the server printed, as many lines as asked for."""
        self.act("reboot", {"type": "HARD"})
        self.client.cloud.advance(10)
        whole = self.act("os-getConsoleOutput", {}).json["output"]
        last = self.act("os-getConsoleOutput", {"length": 1}).json["output"]

        self.assertEqual(len(whole.splitlines()), 3)
        self.assertEqual(last, whole.splitlines(keepends=True)[-1])


class DeathTests(SynchronousTestCase):
    """Servers that end without being asked to."""

    def test_crash(self) -> None:
        """A server that dies is in ERROR and says how; deleting it still works."""
        client = a_client()
        server = client.create()
        client.cloud.driver.crash(server, "killed by signal 9")
        shown = client.show(server)

        self.assertEqual((shown["status"], shown["fault"]["code"]), ("ERROR", 500))
        self.assertIn("signal 9", shown["fault"]["message"])
        self.assertEqual(client.compute("DELETE", f"/servers/{server}").status, 204)
        self.assertEqual(client.names(), [])

    def test_exit(self) -> None:
        """A server that ends in order is SHUTOFF."""
        client = a_client()
        server = client.create()
        client.cloud.driver.exit(server)

        self.assertEqual(client.show(server)["status"], "SHUTOFF")
