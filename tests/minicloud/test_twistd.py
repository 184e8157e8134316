"""Tests of ``twistd minicloud`` as its users run it: a process of its own, real servers, curl."""

import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import treq
from treq.client import HTTPClient
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers

import minicloud
from minicloud.config import CloudConfig
from minicloud.service import AlreadyRunningError, make_service
from minicloud.tap import Options

ROOT = Path(minicloud.__file__).parent.parent
ATTEMPTS = 200
PAUSE_SECONDS = 0.05


class Twistd(ProcessProtocol):
    """A running ``twistd``; ``ready`` fires when it says so, ``ended`` when it is gone."""

    def __init__(self) -> None:
        self.output = b""
        self.ready: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Watch the log for the cloud's readiness."""
        self.output += data
        if b"cloud.ready" in self.output and not self.ready.called:
            self.ready.callback(None)

    def errReceived(self, data: bytes) -> None:
        """Keep what goes wrong, for whoever reads a failing test."""
        self.output += data

    def processEnded(self, reason: Failure) -> None:
        """Tell whoever waits."""
        if not self.ready.called:
            self.ready.errback(AssertionError(self.output.decode()))
        self.ended.callback(None)


class TwistdTests(TestCase):
    """A cloud from its start to its end."""

    timeout = 60

    def setUp(self) -> None:
        """Choose where everything goes."""
        self.token = ""
        self.directory = Path(self.mktemp()).absolute()
        with socket.socket() as probe:
            probe.bind(("", 0))
            self.guest_port = probe.getsockname()[1]
        pool = HTTPConnectionPool(reactor, persistent=False)
        self.http = HTTPClient(Agent(reactor, connectTimeout=5, pool=pool))

    async def start(self) -> Twistd:
        """Start a cloud and wait until it is ready."""
        protocol = Twistd()
        run = "from twisted.scripts.twistd import run; run()"
        options = ["--state-dir", str(self.directory), "--guest-port", str(self.guest_port)]
        process = reactor.spawnProcess(
            protocol,
            sys.executable,
            [sys.executable, "-c", run, "-n", "--pidfile=", "minicloud", *options],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.addCleanup(self.end, protocol)
        self.process = process
        await protocol.ready
        self.credentials = json.loads((self.directory / "credentials.json").read_text())
        return protocol

    async def end(self, protocol: Twistd, number: str = "KILL") -> None:
        """End the cloud, if it runs, and wait for its end."""
        if not protocol.ended.called:
            self.process.signalProcess(number)
            await protocol.ended

    async def call(self, method: str, url: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; return the status and the document."""
        headers = Headers({"X-Auth-Token": [self.token]})
        response = await self.http.request(method, url, json=body, headers=headers, timeout=10)
        self.headers = response.headers
        content = await treq.content(response)
        return response.code, json.loads(content) if content else None

    async def log_in(self) -> None:
        """Get a token as the service user, for the first project."""
        service = self.credentials["service_user"]
        user = {**service, "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": self.credentials["projects"][0]["id"]}}
        body = {"auth": {"identity": identity, "scope": scope}}
        status, _ = await self.call("POST", f"{self.credentials['auth_url']}/auth/tokens", body)
        assert status == 201
        (self.token,) = self.headers.getRawHeaders("X-Subject-Token")

    async def boot(self) -> tuple[str, str]:
        """Boot a server; return its URL and its guest's."""
        image = self.credentials["images"][0]["id"]
        body = {"server": {"name": "web", "imageRef": image, "flavorRef": "1"}}
        servers = f"{self.credentials['compute_url']}/servers"
        status, created = await self.call("POST", servers, body)
        assert status == 202
        url = f"{servers}/{created['server']['id']}"
        server = await self.until(url, lambda status, _: status == "ACTIVE")
        address = server["addresses"]["private"][0]["addr"]
        return url, f"http://{address}:{self.guest_port}/"

    async def until(self, url: str, wanted: Callable[[str, int], bool]) -> Any:
        """Ask for a server, as clients do, until it is as wanted; not for ever."""
        for _ in range(ATTEMPTS):
            status, document = await self.call("GET", url)
            server = document.get("server", {})
            if wanted(server.get("status", ""), status):
                return server
            await self.pause()
        raise AssertionError(f"still {document}")

    async def until_silent(self, guest: str) -> None:
        """Wait until nothing listens where a guest was."""
        host, port = guest.removeprefix("http://").rstrip("/").split(":")
        for _ in range(ATTEMPTS):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) != 0:
                    return
            await self.pause()
        raise AssertionError(f"{guest} still listens")

    def pause(self) -> Awaitable[None]:
        """Return what ends after a short while."""
        waiting: Deferred[None] = deferLater(reactor, PAUSE_SECONDS)
        return waiting

    async def test_story(self) -> None:
        """
        A server boots as a process, answers, dies by a signal and is seen to, is deleted, and the
        cloud's orderly end leaves no process and no credentials.
        """
        twistd = await self.start()
        await self.log_in()
        url, guest = await self.boot()
        _, who = await self.call("GET", guest)
        os.kill(who["pid"], signal.SIGKILL)
        failed = await self.until(url, lambda status, _: status == "ERROR")
        deleted, _ = await self.call("DELETE", url)
        await self.until(url, lambda _, code: code == 404)
        _, second = await self.boot()
        _, health = await self.call("GET", self.credentials["health_url"])
        await self.end(twistd, "TERM")

        self.assertEqual((who["name"], url.endswith(who["server_id"])), ("web", True))
        self.assertIn("SIGKILL", failed["fault"]["message"])
        self.assertEqual(deleted, 204)
        self.assertEqual(health["components"]["node.node-1"], {"instances": 1})
        await self.until_silent(second)
        self.assertFalse((self.directory / "credentials.json").exists())
        self.assertNotIn(self.token.encode(), twistd.output)

    async def test_killed_cloud(self) -> None:
        """The servers of a cloud that was killed leave by themselves."""
        twistd = await self.start()
        await self.log_in()
        _, guest = await self.boot()
        await self.end(twistd, "KILL")

        await self.until_silent(guest)


class OptionsTests(SynchronousTestCase):
    """What the command takes."""

    def test_defaults(self) -> None:
        """Without options there is a cloud of real processes on any free port."""
        options = Options()
        options.parseOptions([])
        config = options.config()

        self.assertEqual((config.driver, config.port, config.driven_time), ("process", 0, False))
        self.assertEqual(config.credentials_file, Path(".state/minicloud/credentials.json"))
        self.assertEqual(config.boot_time, timedelta(0))

    def test_all(self) -> None:
        """Every option reaches the configuration."""
        options = Options()
        line = (
            "--port 9000 --driver fake --driven-time --state-dir s --credentials c.json "
            "--build-time 1.5 --guest-port 81 --region R --max-microversion 2.60"
        )
        options.parseOptions(line.split())

        self.assertEqual(
            options.config(),
            CloudConfig(
                driver="fake",
                port=9000,
                driven_time=True,
                state_dir=Path("s"),
                credentials_file=Path("c.json"),
                boot_time=timedelta(seconds=1.5),
                guest_port=81,
                region="R",
                max_microversion="2.60",
            ),
        )

    def test_refused(self) -> None:
        """What makes no cloud is refused with the name of the option."""
        for line in ("--driver lorry", "--port 70000", "--build-time -1", "--port x"):
            self.assertRaises(UsageError, Options().parseOptions, line.split())


class ServiceTests(TestCase):
    """The service in a reactor of its own making."""

    def a_config(self, directory: Path) -> CloudConfig:
        """Return a cloud in memory that keeps its files in a directory."""
        file = directory / "credentials.json"
        return CloudConfig(state_dir=directory, credentials_file=file)

    async def test_one_per_directory(self) -> None:
        """A second cloud on the same directory would clear the first one's files; it refuses."""
        config = self.a_config(Path(self.mktemp()))
        first, second = make_service(config, reactor), make_service(config, reactor)
        first.startService()

        self.assertRaises(AlreadyRunningError, second.startService)
        await Deferred.fromCoroutine(_stopped(first))
        third = make_service(config, reactor)
        third.startService()
        await Deferred.fromCoroutine(_stopped(third))

    async def test_credentials_are_private(self) -> None:
        """The file with the passwords is its owner's only."""
        config = self.a_config(Path(self.mktemp()))
        service = make_service(config, reactor)
        service.startService()
        mode = config.credentials_file.stat().st_mode & 0o777
        await Deferred.fromCoroutine(_stopped(service))

        self.assertEqual(mode, 0o600)


async def _stopped(service: Any) -> None:
    await service.stopService()
