"""Which listeners a process has, by its configuration."""

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from otter.app.service import OtterService, Reactor, make_service
from otter.config import Config, ConfigError, parse
from otter.rest.operator.app import OperatorEdge

IDENTITY = {"auth_url": "http://127.0.0.1:9/v3", "user_name": "otter", "password": "p"}


def a_config(**settings: Any) -> Config:
    """Return a configuration that keeps everything in memory."""
    return parse({"identity": IDENTITY, "store": {"kind": "memory"}, **settings})


class ListenerTests(SynchronousTestCase):
    """The public API and the operators' routes never share a port."""

    def start(self, config: Config) -> MemoryReactorClock:
        """Start a process with this configuration on a reactor that only pretends to listen."""
        reactor = MemoryReactorClock()
        self.service: OtterService = make_service(config, cast("Reactor", reactor))
        self.service.startService()
        reactor.advance(0)
        return reactor

    def listening(self, reactor: MemoryReactorClock) -> dict[int, tuple[str, bool]]:
        """Return where it listens: by port the address, and whether operators are meant."""
        return {
            port: (interface, isinstance(cast("Any", site).resource, OperatorEdge))
            for port, site, _, interface in reactor.tcpServers
        }

    def test_default(self) -> None:
        """Both, on loopback."""
        reactor = self.start(a_config())

        self.assertEqual(
            self.listening(reactor), {8901: ("127.0.0.1", False), 8902: ("127.0.0.1", True)}
        )

    def test_configured(self) -> None:
        """Operators choose where they listen, in every process: a worker has metrics too."""
        where = {"listen": "tcp:9100:interface=127.0.0.2"}
        reactor = self.start(a_config(operator=where, roles=["worker"]))

        self.assertEqual(self.listening(reactor), {9100: ("127.0.0.2", True)})

    def test_off(self) -> None:
        """An empty description turns the operators' listener off."""
        reactor = self.start(a_config(operator={"listen": ""}))

        self.assertEqual(self.listening(reactor), {8901: ("127.0.0.1", False)})

    def test_what_is_no_address(self) -> None:
        """Whoever wrote it is told under which key."""
        for key, where in (
            ("api.listen", "8901"),
            ("api.listen", ""),
            ("operator.listen", "tcp:many"),
        ):
            section, name = key.split(".")
            service = make_service(
                a_config(**{section: {name: where}}), cast("Reactor", MemoryReactorClock())
            )

            error = self.failureResultOf(Deferred.fromCoroutine(service._start()), ConfigError)

            self.assertTrue(str(error.value).startswith(f"{key}: "), str(error.value))

    def test_measured(self) -> None:
        """Every role of the process tells the same metrics."""
        self.start(a_config())
        text = self.service._metrics.exposition("")[0]

        for name in (b"otter_jobs_waiting 0.0", b"otter_dirty_marks 0.0", b"otter_groups 0.0"):
            self.assertIn(name, text)

    def test_stop(self) -> None:
        """Stopping closes what it opened, and ends the counting of groups."""
        reactor = self.start(a_config())

        self.successResultOf(self.service.stopService())

        self.assertEqual([c for c in reactor.getDelayedCalls() if c.active()], [])
