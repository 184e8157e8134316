"""Tests of ``minicloud.testing``: what Otter's tests rely on."""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.testing import finish, make_minicloud
from tests.minicloud.client import CloudClient


class FinishTests(SynchronousTestCase):
    """Coroutines without a reactor."""

    def test_result(self) -> None:
        """What is done at once is returned, or raised."""

        async def add(a: int, b: int) -> int:
            if b < 0:
                raise ValueError("negative")
            return a + b

        self.assertEqual(finish(add(1, 2)), 3)
        self.assertRaises(ValueError, finish, add(1, -2))

    def test_waiting(self) -> None:
        """What has to wait is a mistake of the test, and says so."""

        async def wait() -> None:
            await Deferred[None]()

        self.assertRaises(AssertionError, finish, wait())


class MakeMinicloudTests(SynchronousTestCase):
    """A cloud in a test."""

    def test_shared_clock(self) -> None:
        """The cloud's time may be the clock of what is tested with it."""
        clock = Clock()
        cloud = make_minicloud(clock, boot_time=timedelta(seconds=5))
        client = CloudClient(cloud)
        server = client.create()
        clock.advance(5)

        self.assertEqual(client.show(server)["status"], "ACTIVE")

    def test_credentials(self) -> None:
        """The credentials are those that the file of a running cloud has."""
        credentials = make_minicloud().credentials

        self.assertEqual(credentials["auth_url"], "http://minicloud.test/identity/v3")
        self.assertEqual(credentials["control_url"], "http://minicloud.test/control")
        self.assertEqual(credentials["region"], "RegionOne")
        self.assertEqual(credentials["service_user"]["name"], "otter")
        self.assertEqual([project["name"] for project in credentials["projects"]][:1], ["demo"])
