"""Tests of which addresses a customer's URL may lead to."""

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.guard import is_public


class IsPublicTests(SynchronousTestCase):
    """What counts as the public network."""

    def test_public_addresses(self) -> None:
        """Where customers' receivers are."""
        for host in ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8"):
            self.assertTrue(is_public(host), host)

    def test_everything_else(self) -> None:
        """Ourselves, our neighbours, the metadata service, and whatever hides one of them."""
        for host in (
            "127.0.0.1",
            "127.8.9.10",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
        ):
            self.assertFalse(is_public(host), host)

    def test_names_are_not_addresses(self) -> None:
        """What has not been resolved cannot be judged, so it is refused."""
        for host in ("localhost", "hook.invalid", "", "2130706433", "0x7f000001", "127.1"):
            self.assertFalse(is_public(host), host)

    @given(st.ip_addresses(v=4))
    def test_hiding_in_ipv6_changes_nothing(self, address: IPv4Address) -> None:
        """An address is as public as the IPv4 address it stands for."""
        self.assertEqual(is_public(str(address)), is_public(f"::ffff:{address}"))

    @given(st.ip_addresses(network=IPv4Network("10.0.0.0/8")))
    def test_no_private_address_slips_through(self, address: IPv4Address) -> None:
        """The whole network, not the examples."""
        self.assertFalse(is_public(str(address)))
