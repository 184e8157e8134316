"""Tests of the choice of a server's address."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.address import service_address


class ServiceAddressTests(SynchronousTestCase):
    """Under which address a server serves."""

    def test_private_network_is_preferred(self) -> None:
        """Load balancers reach servers on the inner network, wherever the cloud lists it."""
        addresses = [("public", "192.0.2.1"), ("private", "10.0.0.1"), ("private", "10.0.0.2")]

        self.assertEqual("10.0.0.1", service_address(addresses))

    def test_any_network_will_do(self) -> None:
        """Networks are named by their owners; the first one is as good as any."""
        self.assertEqual("192.0.2.1", service_address([("net", "192.0.2.1"), ("b", "10.0.0.1")]))

    def test_no_address_yet(self) -> None:
        """A server that is being built has none."""
        self.assertIsNone(service_address([]))
