"""Tests of ``minicloud.network.allocations``."""

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.config import AddressRange
from minicloud.network.allocations import Allocations
from minicloud.network.interface import NoAddressError

SMALL = AddressRange("10.0.0.0/27", 29)  # four subnets of eight addresses, three of them usable


class AllocationsTests(SynchronousTestCase):
    """Fixed addresses."""

    def test_same_server_same_address(self) -> None:
        """Asked again after a lost reply, the server keeps its address."""
        allocations = Allocations(SMALL)

        self.assertEqual(allocations.allocate("s", "p"), allocations.allocate("s", "p"))
        self.assertEqual(len(allocations.held), 1)

    def test_reserved(self) -> None:
        """The first addresses belong to the network itself, the last is the broadcast."""
        allocations = Allocations(SMALL)
        given_out = [allocations.allocate(str(n), "p").address for n in range(3)]

        self.assertEqual(given_out, ["10.0.0.4", "10.0.0.5", "10.0.0.6"])

    def test_subnet_exhausted(self) -> None:
        """A project whose subnet is full is told so, rather than given another's address."""
        allocations = Allocations(SMALL)
        for number in range(3):
            allocations.allocate(str(number), "p")

        self.assertRaises(NoAddressError, allocations.allocate, "one too many", "p")

    def test_range_exhausted(self) -> None:
        """A project for which no subnet is left is told so."""
        allocations = Allocations(SMALL)
        for number in range(4):
            allocations.allocate(f"s{number}", f"p{number}")

        self.assertRaises(NoAddressError, allocations.allocate, "s4", "p4")

    def test_released_rests(self) -> None:
        """A released address is not the next one given out: somebody may still send to it."""
        allocations = Allocations(SMALL)
        first = allocations.allocate("s1", "p")
        allocations.allocate("s2", "p")
        allocations.release("s1")

        self.assertNotEqual(allocations.allocate("s3", "p").address, first.address)

    def test_empty_subnet_returns(self) -> None:
        """The last server's release gives the subnet to whoever needs one."""
        allocations = Allocations(SMALL)
        for number in range(4):
            allocations.allocate(f"s{number}", f"p{number}")
        allocations.release("s2")

        self.assertEqual(allocations.allocate("s4", "p4").cidr, "10.0.0.16/29")

    def test_vlans_differ(self) -> None:
        """Projects are told apart by VLAN."""
        allocations = Allocations(SMALL)
        vlans = {allocations.allocate(f"s{n}", f"p{n}").vlan for n in range(4)}

        self.assertEqual(len(vlans), 4)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["allocate", "release"]),
                st.sampled_from([f"s{n}" for n in range(8)]),
                st.sampled_from(["p0", "p1", "p2", "p3", "p4"]),
            ),
            max_size=60,
        )
    )
    def test_any_order(self, steps: list[tuple[str, str, str]]) -> None:
        """
        Whatever the order: those who hold an address are exactly those who were given one and did
        not release it, no two share one, and each is inside its project's subnet.
        """
        allocations, holders = Allocations(SMALL), set[str]()
        for act, server, project in steps:
            if act == "release":
                allocations.release(server)
                holders.discard(server)
                continue
            try:
                allocations.allocate(server, project)
            except NoAddressError:
                continue
            holders.add(server)

        self.assertEqual(set(allocations.held), holders)
        held = allocations.held.values()
        self.assertEqual(len({each.address for each in held}), len(held))
        for each in held:
            self.assertIn(IPv4Address(each.address), IPv4Network(each.cidr))
