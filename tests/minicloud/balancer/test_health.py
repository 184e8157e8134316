"""
Health checks, on a clock and a network that the test moves.
"""

from typing import cast

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as RefusedError
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer import rules
from minicloud.balancer.health import HealthChecks, Tally, is_healthy_answer
from minicloud.balancer.model import (
    Condition,
    LoadBalancer,
    MonitorType,
    NodeChange,
    NodeId,
    NodeStatus,
)
from tests.minicloud.balancer.builders import START, a_load_balancer, a_monitor, a_node


class TallyTests(SynchronousTestCase):
    """When failures become OFFLINE."""

    @given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
    def test_counts_in_a_row(self, history: list[bool], attempts: int) -> None:
        """OFFLINE takes exactly so many failures in a row; one success is enough for ONLINE."""
        tally = Tally(attempts)
        for position, well in enumerate(history):
            status = tally.count(well=well)

            recent = history[max(0, position + 1 - attempts) : position + 1]
            failed = len(recent) == attempts and not any(recent)
            expected = NodeStatus.ONLINE if well else NodeStatus.OFFLINE if failed else None
            self.assertEqual(expected, status)


class AnswerTests(SynchronousTestCase):
    """Which answers count as healthy."""

    def test_status(self) -> None:
        """By default anything below 400 is healthy; what is no HTTP is not."""
        monitor = a_monitor(MonitorType.HTTP)

        self.assertTrue(is_healthy_answer(monitor, b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(is_healthy_answer(monitor, b"HTTP/1.0 302\r\n"))
        self.assertFalse(is_healthy_answer(monitor, b"HTTP/1.1 503 No\r\n"))
        self.assertFalse(is_healthy_answer(monitor, b"SSH-2.0-x\r\n"))
        self.assertFalse(is_healthy_answer(monitor, b""))

    def test_own_expression(self) -> None:
        """The owner may accept other statuses, or fewer."""
        monitor = evolve(a_monitor(MonitorType.HTTP), status_regex="^(204|503)$")

        self.assertTrue(is_healthy_answer(monitor, b"HTTP/1.1 503 No\r\n"))
        self.assertFalse(is_healthy_answer(monitor, b"HTTP/1.1 200 OK\r\n"))


class _Transport(StringTransport):
    """A connection that the check made; aborting it is noticed by the protocol."""

    protocol: IProtocol

    def abortConnection(self) -> None:
        """Close at once."""
        super().abortConnection()
        self.protocol.connectionLost(Failure(RefusedError()))


class HealthChecksTests(SynchronousTestCase):
    """Checks of one load balancer."""

    def setUp(self) -> None:
        """Start with checks of no load balancer and a network that answers nothing."""
        self.reactor = MemoryReactorClock()
        self.reports: list[tuple[NodeId, NodeStatus]] = []
        self.checks = HealthChecks(
            self.reactor, self.reactor, lambda *report: self.reports.append(report)
        )
        self.answered = 0

    def attempts(self) -> list[str]:
        """Return the addresses tried since the last call."""
        fresh = self.reactor.tcpClients[self.answered :]
        return [host for host, *_ in fresh]

    def connect(self) -> _Transport:
        """Accept the oldest unanswered connection."""
        _, _, factory, *_ = self.reactor.tcpClients[self.answered]
        self.answered += 1
        transport = _Transport()
        protocol = cast("IProtocol", factory.buildProtocol(None))
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def refuse(self) -> None:
        """Refuse the oldest unanswered connection."""
        _, _, factory, *_ = self.reactor.tcpClients[self.answered]
        connector = self.reactor.connectors[self.answered]
        self.answered += 1
        factory.clientConnectionFailed(connector, Failure(RefusedError()))

    def monitored(self, kind: MonitorType = MonitorType.CONNECT) -> LoadBalancer:
        """Return a load balancer of two nodes, checked every five seconds."""
        return a_load_balancer(a_node(1), a_node(2), monitor=a_monitor(kind))

    def test_unmonitored(self) -> None:
        """Without a monitor nobody is bothered."""
        self.checks.update(a_load_balancer(a_node()))

        self.assertEqual([], self.attempts())
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_connect(self) -> None:
        """A node that takes a connection is ONLINE, and the connection is closed at once."""
        self.checks.update(self.monitored())
        self.assertEqual({"10.0.0.1", "10.0.0.2"}, set(self.attempts()))
        transport = self.connect()

        self.assertTrue(transport.disconnected)
        self.assertEqual([NodeStatus.ONLINE], [status for _, status in self.reports])

    def test_repeats(self) -> None:
        """The next check comes after the delay; the second refusal in a row means OFFLINE."""
        self.checks.update(a_load_balancer(a_node(), monitor=a_monitor(attempts=2)))
        self.refuse()
        self.reactor.advance(4.9)
        self.assertEqual([], self.attempts())
        self.reactor.advance(0.1)
        self.assertEqual([], self.reports)
        self.refuse()

        self.assertEqual([(1, NodeStatus.OFFLINE)], self.reports)

    def test_timeout(self) -> None:
        """A node that neither takes nor refuses has failed when the timeout is over."""
        self.checks.update(a_load_balancer(a_node(), monitor=a_monitor(attempts=1)))
        self.reactor.advance(3)

        self.assertEqual([(1, NodeStatus.OFFLINE)], self.reports)

    def test_http(self) -> None:
        """The page is asked for; its status decides, however slowly it arrives."""
        self.checks.update(self.monitored(MonitorType.HTTP))
        transport = self.connect()
        self.assertTrue(transport.value().startswith(b"GET / HTTP/1.0\r\nHost: 10.0.0."))
        transport.protocol.dataReceived(b"HTTP/1.1 2")
        self.assertEqual([], self.reports)
        transport.protocol.dataReceived(b"04 No Content\r\n")

        self.assertEqual([NodeStatus.ONLINE], [status for _, status in self.reports])
        self.assertTrue(transport.disconnected)

    def test_http_silence(self) -> None:
        """A server that accepts and says nothing is not well, and is hung up on."""
        self.checks.update(
            a_load_balancer(a_node(), monitor=a_monitor(MonitorType.HTTP, attempts=1))
        )
        transport = self.connect()
        self.reactor.advance(3)

        self.assertEqual([(1, NodeStatus.OFFLINE)], self.reports)
        self.assertTrue(transport.disconnected)

    def test_http_chatter(self) -> None:
        """An endless first line is not read for ever."""
        self.checks.update(
            a_load_balancer(a_node(), monitor=a_monitor(MonitorType.HTTP, attempts=1))
        )
        self.connect().protocol.dataReceived(b"x" * 5000)

        self.assertEqual([(1, NodeStatus.OFFLINE)], self.reports)

    def test_follows_the_nodes(self) -> None:
        """A new node is checked at once; a removed or DISABLED one no more; DRAINING ones are."""
        lb = self.monitored()
        self.checks.update(lb)
        self.connect()
        self.connect()
        lb = rules.change_node(lb, 1, NodeChange(condition=Condition.DISABLED), now=START)
        lb = rules.change_node(lb, 2, NodeChange(condition=Condition.DRAINING), now=START)
        lb = rules.add_nodes(
            lb, [a_node(3)], first_id=3, limit=9, status=NodeStatus.OFFLINE, now=START
        )
        self.checks.update(lb)
        self.assertEqual(["10.0.0.3"], self.attempts())
        self.connect()
        self.checks.update(rules.remove_nodes(lb, [3], now=START))
        self.reactor.advance(5)

        self.assertEqual(["10.0.0.2"], self.attempts())

    def test_new_monitor(self) -> None:
        """A changed monitor begins anew, with its own delay."""
        lb = self.monitored()
        self.checks.update(lb)
        self.connect()
        self.connect()
        self.checks.update(evolve(lb, monitor=a_monitor(delay_seconds=60)))
        self.connect()
        self.connect()
        self.reactor.advance(59)
        self.assertEqual([], self.attempts())
        self.reactor.advance(1)

        self.assertEqual(2, len(self.attempts()))

    def test_stop(self) -> None:
        """Checks under way are given up: no report, no timer and no socket is left."""
        self.checks.update(self.monitored(MonitorType.HTTP))
        transport = self.connect()
        self.checks.stop()

        self.successResultOf(Deferred.fromCoroutine(self.checks.closed()))
        self.assertTrue(transport.disconnected)
        self.assertEqual([], self.reports)
        self.assertEqual([], self.reactor.getDelayedCalls())
