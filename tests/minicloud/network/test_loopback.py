"""Tests of ``minicloud.network.loopback``, with real binds on loopback."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from minicloud.network.loopback import NoLoopbackError, claim_loopback


class ClaimTests(SynchronousTestCase):
    """Who may use which part of 127.0.0.0/8."""

    def setUp(self) -> None:
        """Find a port that is free on every loopback address."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            self.port = probe.getsockname()[1]

    def test_two_clouds(self) -> None:
        """Two clouds on one machine never give out the same address."""
        first = claim_loopback(self.port)
        self.addCleanup(first.release)
        second = claim_loopback(self.port)
        self.addCleanup(second.release)

        self.assertNotEqual(first.addresses, second.addresses)
        self.assertTrue(first.addresses.cidr.startswith("127."))
        self.assertNotIn("127.0.0.0/16", {first.addresses.cidr, second.addresses.cidr})

    def test_port_taken(self) -> None:
        """A port that something takes everywhere is refused at the start, not at every boot."""
        with socket.socket() as other:
            other.bind(("0.0.0.0", 0))
            other.listen()
            taken = other.getsockname()[1]

            error = self.assertRaises(NoLoopbackError, claim_loopback, taken)

        self.assertIn("--guest-port", str(error))
