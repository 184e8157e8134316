"""Start ``twistd`` services as real processes, wait until they serve, end exactly those."""

import ctypes
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectError
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


class RunningService:
    """
    One process that we started, with its output in a log file.

    It is not the reactor's child: a test's reactor stays clean while a process serves many tests.
    It ends when we do, however we end.
    """

    def __init__(self, reactor: Any, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._reactor = reactor
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - calls one function of libc
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def status(self) -> int | None:
        """The exit status (negative for a signal), or None while it runs."""
        return self._process.poll()

    async def wait_for_end(self) -> None:
        """
        Return when it has ended.

        :raises TimedOutError: it has not within ``STOP_TIMEOUT``.
        """

        async def look() -> bool:
            return self.ended

        await eventually(self._reactor, f"the end of {self.name}", look, timeout=STOP_TIMEOUT)

    async def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        await self.wait_for_end()

    async def stop(self) -> None:
        """End it in an orderly way; a process that does not listen is killed."""
        self._process.terminate()
        try:
            await self.wait_for_end()
        except TimedOutError:
            await self.kill()

    def end_at_once(self) -> None:
        """End it without a reactor: politely, then not."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT.total_seconds())
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tail(self, lines: int = 30) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def _end_with_parent() -> None:
    """Have Linux end this process when its parent dies; elsewhere this does nothing."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def spawn_twistd(
    reactor: Any,
    plugin: str,
    arguments: Sequence[str],
    directory: Path,
    logger: str | None = None,
) -> RunningService:
    """Start ``twistd PLUGIN`` in the foreground, with ``directory`` for its log and scratch."""
    directory.mkdir(parents=True, exist_ok=True)
    twistd = str(Path(sys.executable).with_name("twistd"))
    options = ["--nodaemon", "--pidfile=", f"--rundir={directory}"]
    if logger is not None:
        options.append(f"--logger={logger}")
    command = [sys.executable, twistd, *options, plugin, *arguments]
    return RunningService(reactor, plugin, command, directory / f"{plugin}.log")


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
