"""
One run of one guest: from starting its process until the process is gone.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from attrs import frozen
from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IProcessTransport,
    IReactorProcess,
    IReactorTime,
)
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import minicloud
from minicloud.clock import CloudTime, later
from minicloud.node.guest import READY, READY_FD
from minicloud.node.interface import SpawnError

CONSOLE_FILE = "console.log"
_ROOT = Path(minicloud.__file__).parent.parent


@frozen
class RealWorld:
    """What real processes need of the reactor, whatever the cloud's own time does."""

    processes: IReactorProcess
    timer: IReactorTime


@frozen
class Ending:
    """
    How a process ended.

    :ivar orderly: it left by itself with success.
    """

    orderly: bool
    words: str


class GuestProcess(ProcessProtocol):
    """
    A guest's process.

    Life: booting, held (it listens, the boot time is not over), up, ended. ``on_end`` is called
    once, before anybody who waits hears of the end.
    """

    def __init__(
        self,
        world: RealWorld,
        time: CloudTime,
        boot_time: timedelta,
        on_end: Callable[["GuestProcess", Ending], None],
    ) -> None:
        self._ready: Deferred[None] = Deferred()
        self.ending: Ending | None = None
        self._world = world
        self._time = time
        self._boot_time = boot_time
        self._on_end = on_end
        self._listening = False
        self._held: IDelayedCall | None = None
        self._kill_later: IDelayedCall | None = None
        self._waiting_for_end: list[Deferred[None]] = []

    async def boot(self, directory: Path) -> None:
        """
        Start the process in its directory and return when it is up.

        :raises OSError: there is no room for it on this machine.
        :raises SpawnError: it ended, or somebody gave up; the process may be there still.
        """
        with (directory / CONSOLE_FILE).open("ab") as console:
            self._world.processes.spawnProcess(
                self,
                sys.executable,
                # -S: no site packages, which would double the time to start
                [sys.executable, "-S", "-m", "minicloud.node.guest", str(directory)],
                env={"PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", "")},
                path=str(directory),
                childFDs={0: "w", 1: console.fileno(), 2: console.fileno(), READY_FD: "r"},
            )
        await self._ready

    @property
    def pid(self) -> int | None:
        """Return the process id, or None when it has ended."""
        transport: IProcessTransport | None = self.transport
        return None if transport is None or self.ending is not None else transport.pid

    async def stop(self, grace: timedelta) -> None:
        """Ask the process to leave, kill it after ``grace``, and return when it is gone."""
        if self.transport is None or self.ending is not None:
            return
        ended: Deferred[None] = Deferred()
        self._waiting_for_end.append(ended)
        if self._kill_later is None:
            self._signal(signal.SIGTERM)
            self._kill_later = self._world.timer.callLater(
                grace.total_seconds(), self._signal, signal.SIGKILL
            )
        await ended

    def give_up_boot(self, why: str) -> None:
        """Let whoever waits for the boot hear that it failed; the process is not touched."""
        if self.transport is not None and not self._ready.called:
            self._ready.errback(SpawnError(why))

    def give_up_unless_listening(self) -> None:
        """Give the boot up if the guest has not said that it listens."""
        if not self._listening:
            self.give_up_boot("The server did not come up in time.")

    def childDataReceived(self, child_fd: int, data: bytes) -> None:
        """Take note that the guest listens; its own word is the only data there is."""
        if child_fd != READY_FD or data != READY or self._listening:
            return
        self._listening = True
        if self._boot_time > timedelta(0):
            self._held = later(self._time, self._boot_time, self._up)
        else:
            self._up()

    def processEnded(self, reason: Failure) -> None:
        """Settle everything that waits for this process."""
        self.ending = ending = _describe(reason)
        for timer in (self._held, self._kill_later):
            if timer is not None and timer.active():
                timer.cancel()
        self._on_end(self, ending)
        self.give_up_boot(f"The server's process {ending.words} while it booted.")
        waiting, self._waiting_for_end = self._waiting_for_end, []
        for ended in waiting:
            if not ended.called:
                ended.callback(None)

    def _up(self) -> None:
        if not self._ready.called:
            self._ready.callback(None)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the guest's group, or the guest alone before it made a group of its own."""
        pid = self.pid
        if pid is None:
            return
        with suppress(ProcessLookupError):
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                os.kill(pid, number)


def _describe(reason: Failure) -> Ending:
    if reason.check(error.ProcessDone):
        return Ending(True, "ended by itself")
    terminated = reason.value
    if not isinstance(terminated, error.ProcessTerminated):
        return Ending(False, f"was lost: {terminated}")
    number = terminated.signal
    if number is not None:
        return Ending(False, f"was killed by signal {number} ({signal.Signals(number).name})")
    return Ending(False, f"ended with exit code {terminated.exitCode}")
