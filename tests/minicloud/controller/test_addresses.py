"""Tests of Note [Addresses and lifetimes] in ``minicloud.controller.building``."""

import contextlib
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.controller.interface import (
    CONTROLLER,
    CreateServer,
    DeleteServer,
    Fate,
    FateKind,
    QuotaExceededError,
)
from minicloud.controller.records import NewServer
from minicloud.network.interface import NETWORK, ListAllocations
from minicloud.node.interface import UnknownInstanceError
from minicloud.testing import InMemoryCloud, finish, make_minicloud

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "delete", "advance", "crash", "reset"]),
        st.integers(0, 9),
        st.sampled_from([None, *FateKind]),
    ),
    max_size=30,
)


class AddressTests(SynchronousTestCase):
    """Who holds an address."""

    @settings(max_examples=100, deadline=None)
    @given(STEPS, st.integers(0, 3), st.integers(0, 3))
    def test_any_order(
        self, steps: list[tuple[str, int, FateKind | None]], boot: int, delete: int
    ) -> None:
        """
        For any interleaving of creates, deletions, crashes and time: addresses held are those of
        servers not deleted, and everything that was deleted gives its address back in the end.
        """
        cloud = make_minicloud(boot_time=timedelta(seconds=boot), quota_instances=6)
        bus, control = cloud.control.bus, cloud.control
        finish(control.change(delete_time=timedelta(seconds=delete)))
        image = cloud.credentials["images"][0]["id"]
        for act, number, kind in steps:
            known = finish(control.list_servers())
            if act == "create":
                fate = None if kind is None else Fate(kind, "commanded", timedelta(seconds=number))
                message = CreateServer("p", "u", NewServer("web", image, "1"), fate)
                with contextlib.suppress(QuotaExceededError):
                    finish(bus.call(CONTROLLER, message))
            elif act == "advance":
                cloud.advance(number)
            elif act == "reset":
                if number == 0:
                    finish(control.reset())
            elif known and act == "delete":
                finish(
                    bus.call(CONTROLLER, DeleteServer("p", known[number % len(known)].server_id))
                )
            elif known:
                with contextlib.suppress(UnknownInstanceError):
                    cloud.driver.crash(known[number % len(known)].server_id, "crashed")
            self.assert_addresses_match(cloud)
        for server in finish(control.list_servers()):
            finish(control.delete_server(server.server_id))

        self.assertEqual(finish(bus.call(NETWORK, ListAllocations())), {})
        self.assertEqual(finish(control.list_servers()), [])
        self.assertEqual(finish(cloud.driver.list_instances()), ())

    def assert_addresses_match(self, cloud: InMemoryCloud) -> None:
        """Fail unless the network and the controller agree."""
        held = finish(cloud.control.bus.call(NETWORK, ListAllocations()))
        servers = finish(cloud.control.list_servers())

        self.assertEqual(
            {server_id: each.address for server_id, each in held.items()},
            {server.server_id: server.address for server in servers if server.address},
        )
