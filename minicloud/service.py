"""
Compose the cloud and run it: the only place that names concrete components.
"""

import fcntl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from attrs import frozen
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Site

from minicloud.api.site import make_root
from minicloud.balancer import Balancers
from minicloud.bus import LocalBus, MessageBus
from minicloud.clock import CloudTime, DrivenTime, RealTime
from minicloud.config import FAKE_RANGE, AddressRange, CloudConfig
from minicloud.control import Control
from minicloud.controller.service import Controller
from minicloud.credentials import credentials, write_credentials
from minicloud.faults import Faults
from minicloud.network.loopback import LoopbackClaim, claim_loopback
from minicloud.network.service import Network
from minicloud.node.fake import FakeDriver
from minicloud.node.guest_process import RealWorld
from minicloud.node.interface import NodeDriver
from minicloud.node.process import ProcessDriver
from minicloud.node.service import Node
from minicloud.users.service import Users

HOST = "127.0.0.1"
PROCESS_CAPACITY = 200
IDLE_CONNECTION = timedelta(seconds=60)

MakeDriver = Callable[[str], NodeDriver]


@frozen
class Cloud:
    """A composed cloud; its nodes run from ``start`` to ``stop``."""

    control: Control
    bus: MessageBus
    root: IResource
    _controller: Controller
    _nodes: tuple[Node, ...]

    async def start(self) -> None:
        """Prepare the nodes."""
        for node in self._nodes:
            await node.start()

    async def stop(self) -> None:
        """Remove everything that runs, and return when it is gone."""
        await self._controller.stop()
        for node in self._nodes:
            await node.stop()
        await self.control.balancers.stop()


def compose(
    config: CloudConfig,
    time: CloudTime,
    balancers: Balancers,
    addresses: AddressRange,
    make_driver: MakeDriver,
) -> Cloud:
    """Return a cloud of one process; nothing runs yet."""
    bus = LocalBus()
    Users(time, config.projects, config.users, config.token_lifetime).attach(bus)
    Network(addresses).attach(bus)
    controller = Controller(time, config)
    controller.attach(bus)
    nodes = tuple(Node(name, make_driver(name)) for name in config.nodes)
    for node in nodes:
        node.attach(bus)
    control = Control(bus, time, Faults(time), balancers, config)
    return Cloud(control, bus, make_root(control), controller, nodes)


class AlreadyRunningError(Exception):
    """Another cloud uses the same state directory."""


class _SilentSite(Site):
    """Writes no access log: paths of Identity v2.0 have tokens in them."""

    displayTracebacks = False

    def log(self, request: object) -> None:
        """Keep it to ourselves."""


class CloudService(Service):
    """
    Runs a cloud in a reactor.

    The port opens when the service starts, which fails at once if it is taken. The credentials
    file appears once everything is ready and goes when the cloud goes.
    """

    log = Logger()

    def __init__(self, reactor: Any, config: CloudConfig) -> None:
        self._reactor = reactor
        self._config = config
        self._cloud: Cloud | None = None
        self._claim: LoopbackClaim | None = None
        self._port: IListeningPort | None = None
        self._lock: IO[str] | None = None

    def startService(self) -> None:
        """Open the port, then prepare the nodes."""
        super().startService()
        self._lock = _own(self._config.state_dir)
        self._cloud = cloud = self._compose()
        site = _SilentSite(cloud.root, timeout=IDLE_CONNECTION.total_seconds())
        port = self._reactor.listenTCP(self._config.port, site, interface=HOST)
        self._port = port
        url = f"http://{HOST}:{port.getHost().port}"
        starting = Deferred.fromCoroutine(self._become_ready(cloud, url))
        _ = starting.addErrback(self._give_up)

    async def _become_ready(self, cloud: Cloud, url: str) -> None:
        await cloud.start()
        write_credentials(self._config.credentials_file, credentials(self._config, url))
        self.log.info("cloud.ready {url}", url=url, driver=self._config.driver)

    def _give_up(self, failure: Failure) -> None:
        """A cloud that cannot run is no use to anybody who waits for its credentials."""
        self.log.failure("cloud.unready", failure=failure)
        self._reactor.stop()

    async def _stop(self) -> None:
        if self._port is not None:
            closing = self._port.stopListening()
            if closing is not None:
                await closing
        if self._cloud is not None:
            await self._cloud.stop()
        if self._claim is not None:
            self._claim.release()
        if self._lock is not None:
            self._lock.close()
        with suppress(FileNotFoundError):
            self._config.credentials_file.unlink()

    def stopService(self) -> Deferred[None]:
        """Return a Deferred that fires when no server and no socket is left."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def _compose(self) -> Cloud:
        config, reactor = self._config, self._reactor
        time: CloudTime = RealTime(reactor)
        if config.driven_time:
            time = DrivenTime.starting_at(datetime.now(UTC))
        real = config.driver == "process"
        balancers = Balancers(reactor, real, clock=time.timer)
        addresses = FAKE_RANGE
        if real:
            self._claim = claim_loopback(config.guest_port)
            addresses = self._claim.addresses
        return compose(config, time, balancers, addresses, self._driver_maker(time))

    def _driver_maker(self, time: CloudTime) -> MakeDriver:
        config, reactor = self._config, self._reactor

        def fake(_: str) -> NodeDriver:
            return FakeDriver(time, boot_time=config.boot_time, capacity=config.node_capacity)

        def process(name: str) -> NodeDriver:
            return ProcessDriver(
                RealWorld(reactor, reactor),
                time,
                config.state_dir / "servers" / name,
                guest_port=config.guest_port,
                boot_time=config.boot_time,
                boot_timeout=config.boot_timeout,
                stop_grace=config.stop_grace,
                capacity=min(config.node_capacity, PROCESS_CAPACITY),
            )

        return process if config.driver == "process" else fake


def _own(directory: Path) -> IO[str]:
    """
    Return a file that is locked for as long as it is open or this process lives.

    :raises AlreadyRunningError: another process has it; starting would clear its servers' files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunningError(f"another minicloud runs in {directory}") from None
    return file


def make_service(config: CloudConfig, reactor: Any) -> IService:
    """Return the service that runs a cloud."""
    return CloudService(reactor, config)
