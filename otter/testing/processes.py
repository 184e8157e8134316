"""Start ``twistd`` services as real processes, wait until they serve, end exactly those."""

import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from otter.testing.client import Client
from otter.timing import sleep

START_TIMEOUT = timedelta(seconds=30)
STOP_TIMEOUT = timedelta(seconds=15)
LOOK_EVERY = timedelta(milliseconds=50)


class ProcessFailedError(Exception):
    """A process ended, or did not become ready, when it should not have; says what its log says."""


class TimedOutError(Exception):
    """Something that was waited for did not happen in time."""


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def eventually(
    reactor: Any,
    what: str,
    look: Callable[[], Awaitable[Any]],
    *,
    timeout: timedelta = START_TIMEOUT,
    every: timedelta = LOOK_EVERY,
) -> Any:
    """
    Return what ``look`` returns as soon as that is true.

    :raises TimedOutError: it was not in time; says what was seen last.
    """
    deadline = reactor.seconds() + timeout.total_seconds()
    while True:
        found = await look()
        if found:
            return found
        if reactor.seconds() >= deadline:
            raise TimedOutError(f"{what}: not within {timeout.total_seconds():g} s")
        await sleep(reactor, every)


class RunningService(ProcessProtocol):
    """
    One process that we started, with its output in a log file.

    :ivar ended: whether it has ended.
    """

    def __init__(self, reactor: Any, name: str, log: Path) -> None:
        self.name = name
        self.ended = False
        self.log = log
        self._reactor = reactor
        self._file = log.open("ab")
        self._waiting: list[Deferred[None]] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803 - Twisted's name
        """Write output down."""
        self._file.write(data)
        self._file.flush()

    def processEnded(self, reason: Failure) -> None:
        """Tell everybody who waits for the end."""
        self.ended = True
        self._file.close()
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)

    @property
    def pid(self) -> int:
        """The process id."""
        pid: int = self.transport.pid  # type: ignore[union-attr]
        return pid

    async def wait_for_end(self, timeout: timedelta = STOP_TIMEOUT) -> None:
        """Return when it has ended."""
        if not self.ended:
            ending: Deferred[None] = Deferred()
            self._waiting.append(ending)
            await ending.addTimeout(timeout.total_seconds(), self._reactor)

    def signal(self, name: str) -> None:
        """Send a signal, if it still runs."""
        if not self.ended:
            try:
                self.transport.signalProcess(name)  # type: ignore[union-attr]
            except ProcessExitedAlready:
                return

    async def kill(self) -> None:
        """End it as a crash would."""
        self.signal("KILL")
        await self.wait_for_end()

    async def stop(self) -> None:
        """End it in an orderly way; a process that does not listen is killed."""
        self.signal("TERM")
        try:
            await self.wait_for_end()
        except TimeoutError:
            await self.kill()

    def tail(self, lines: int = 30) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def spawn_twistd(
    reactor: Any, plugin: str, arguments: list[str], directory: Path
) -> RunningService:
    """
    Start ``twistd PLUGIN`` in the foreground, with ``directory`` for its log and scratch files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    twistd = str(Path(sys.executable).with_name("twistd"))
    command = [twistd, "--nodaemon", "--pidfile=", f"--rundir={directory}", plugin, *arguments]
    service = RunningService(reactor, plugin, directory / f"{plugin}.log")
    reactor.spawnProcess(
        service,
        sys.executable,
        [sys.executable, *command],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        path=None,
    )
    return service


async def wait_until_serving(
    service: RunningService, client: Client, path: str, timeout: timedelta = START_TIMEOUT
) -> None:
    """
    Return when the service answers 200.

    :raises ProcessFailedError: it ended, or was not ready in time.
    """

    async def look() -> bool:
        if service.ended:
            raise ProcessFailedError(f"{service.name} ended at start:\n{service.tail()}")
        try:
            return (await client.call("GET", path, timeout=timedelta(seconds=5))).status == 200
        except (ConnectError, ResponseFailed, TimeoutError):
            return False

    try:
        await eventually(client.reactor, service.name, look, timeout=timeout)
    except TimedOutError:
        raise ProcessFailedError(f"{service.name} is not ready:\n{service.tail()}") from None


def end_at_once(pids: list[int]) -> None:
    """Kill processes of ours that are still there when everything else failed."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
