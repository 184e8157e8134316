"""
The services a bench runs against: a cloud in this process, Otter and the yardstick in their own.
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IListeningPort
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site

from minicloud.balancer import Balancers
from minicloud.clock import RealTime
from minicloud.config import FAKE_RANGE, CloudConfig
from minicloud.credentials import credentials
from minicloud.node.fake import FakeDriver
from minicloud.service import Cloud, compose
from otter.testing.client import Client
from otter.testing.processes import RunningService, eventually, free_port
from otter.testing.stack import FAST, Minicloud, Otter, log_in, start_otter


class Tap(Resource):
    """Lets every request through and tells the time of each that creates a server."""

    def __init__(self, root: IResource, created: Callable[[], None]) -> None:
        super().__init__()
        self._root = root
        self._created = created

    def getChildWithDefault(self, path: bytes, request: IRequest) -> IResource:
        """See ``IResource``."""
        if request.method == b"POST" and request.path.endswith(b"/servers"):
            self._created()
        child: IResource = self._root.getChildWithDefault(path, request)
        return child


@define
class Place:
    """Everything that runs; ``on_create`` is called when a create request arrives at the cloud."""

    reactor: Any
    directory: Path
    on_create: Callable[[], None] = field(default=lambda: None)
    cloud: Minicloud | None = None
    _inside: Cloud | None = None
    _port: IListeningPort | None = None
    _processes: list[RunningService] = field(factory=list)

    async def start_cloud(self) -> Minicloud:
        """Start a cloud with the fake driver in this process."""
        config = CloudConfig(driver="fake", state_dir=self.directory / "cloud")
        time = RealTime(self.reactor)
        inside = compose(
            config,
            time,
            Balancers(self.reactor, data_plane=False),
            FAKE_RANGE,
            lambda _: FakeDriver(time, boot_time=timedelta(0), capacity=config.node_capacity),
        )
        await inside.start()
        self._inside = inside
        site = Site(Tap(inside.root, self._created))
        site.noisy = False
        self._port = self.reactor.listenTCP(0, site, interface="127.0.0.1")
        url = f"http://127.0.0.1:{self._port.getHost().port}"  # type: ignore[union-attr]
        known = credentials(config, url)
        self.cloud = Minicloud(self.reactor, self.directory, None, known)  # type: ignore[arg-type]
        return self.cloud

    async def start_otter(self, name: str, *settings: dict[str, Any]) -> tuple[Otter, Client]:
        """Start an Otter on the cloud; return it and a client of the demo tenant."""
        assert self.cloud is not None
        otter = await start_otter(self.reactor, self.directory / name, self.cloud, FAST, *settings)
        self._processes.append(otter.process)
        token = await log_in(self.cloud, "demo", "demo")
        root = f"{otter.base_url}/v1.0/{self.cloud.project_id('demo')}"
        return otter, Client(self.reactor, root, {"X-Auth-Token": token})

    async def start_yardstick(self) -> int:
        """Start bare Klein in a process of its own; return its port."""
        port = free_port()
        command = [sys.executable, "-m", "bench.yardstick", str(port)]
        process = RunningService(self.reactor, "yardstick", command, self.directory / "y.log")
        self._processes.append(process)

        async def answers() -> bool:
            try:
                url = f"http://127.0.0.1:{port}/v1.0/execute/1/x"
                return (await Client(self.reactor, "").call("POST", url)).status == 200
            except ConnectError:
                return False

        await eventually(self.reactor, "the yardstick", answers)
        return port

    def _created(self) -> None:
        self.on_create()

    async def stop(self) -> None:
        """End everything."""
        for process in self._processes:
            await process.stop()
        if self._port is not None:
            stopped = self._port.stopListening()
            if stopped is not None:
                await stopped
        if self._inside is not None:
            await self._inside.stop()


def machine() -> str:
    """Say what this machine is, as far as the numbers depend on it."""
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=False)
    return f"Python {sys.version.split()[0]}, {cores.stdout.strip() or '?'} cores"
