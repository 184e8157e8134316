"""
A driver whose servers are real processes: each with its own directory, its own loopback address and
its own process group.

Note [Nothing is left behind]: a guest ends when it is told to, when it is killed, or when the pipe
that this process holds for it is closed. The kernel closes the pipe however this process ends, so
even SIGKILL leaves no guest. Hence nothing survives to be adopted, and ``init_host`` only clears
the directories.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from minicloud.clock import CloudTime
from minicloud.node.guest import METADATA_FILE, SPEC_FILE
from minicloud.node.guest_process import CONSOLE_FILE, Ending, GuestProcess, RealWorld
from minicloud.node.interface import (
    CONSOLE_TAIL_BYTES,
    InstanceInfo,
    InstanceSpec,
    LifecycleEvent,
    Power,
    SpawnError,
    UnknownInstanceError,
)


@define(eq=False)
class _Instance:
    """
    A server of this host; ``process`` is its present run, None when it is off.

    :ivar expected: its process is being ended by us, so its end is no event.
    """

    spec: InstanceSpec
    directory: Path
    power: Power = Power.BOOTING
    process: GuestProcess | None = None
    expected: bool = False


class ProcessDriver:
    """
    See ``NodeDriver`` for what each method promises.

    The few small files of a server are written in the reactor's thread: they are on a local disk
    and a server is started rarely compared with anything else that happens here.
    """

    def __init__(
        self,
        world: RealWorld,
        time: CloudTime,
        directory: Path,
        *,
        guest_port: int = 8000,
        boot_time: timedelta = timedelta(0),
        boot_timeout: timedelta = timedelta(seconds=60),
        stop_grace: timedelta = timedelta(seconds=2),
        capacity: int = 200,
    ) -> None:
        self.boot_time = boot_time
        self.capacity = capacity
        self._world = world
        self._time = time
        self._directory = directory.absolute()
        self._guest_port = guest_port
        self._boot_timeout = boot_timeout
        self._stop_grace = stop_grace
        self._instances: dict[str, _Instance] = {}
        self._notify: Callable[[LifecycleEvent], None] = lambda _: None

    async def init_host(self, notify: Callable[[LifecycleEvent], None]) -> Sequence[str]:
        """See Note [Nothing is left behind]."""
        self._notify = notify
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        return ()

    async def list_instances(self) -> Sequence[str]:
        """See ``NodeDriver.list_instances``."""
        return tuple(self._instances)

    async def spawn(self, spec: InstanceSpec) -> None:
        """See ``NodeDriver.spawn``."""
        if spec.server_id in self._instances:
            raise SpawnError(f"Instance {spec.server_id} already exists.")
        if len(self._instances) >= self.capacity:
            raise SpawnError(f"The host is full: it runs {self.capacity} instances.")
        instance = _Instance(spec, self._directory / spec.server_id)
        self._instances[spec.server_id] = instance
        try:
            self._write(instance)
            await self._boot(instance)
        except (SpawnError, OSError) as error:
            await self._remove(instance)
            raise SpawnError(str(error)) from error
        except CancelledError:
            await self._remove(instance)
            raise

    async def destroy(self, server_id: str) -> None:
        """See ``NodeDriver.destroy``."""
        instance = self._instances.get(server_id)
        if instance is not None:
            await self._remove(instance)

    async def get_info(self, server_id: str) -> InstanceInfo:
        """See ``NodeDriver.get_info``."""
        instance = self._get(server_id)
        pid = instance.process.pid if instance.process else None
        return InstanceInfo(server_id, instance.power, pid)

    async def reboot(self, server_id: str) -> None:
        """See ``NodeDriver.reboot``."""
        await self.power_off(server_id)
        await self._boot(self._get(server_id))

    async def power_on(self, server_id: str) -> None:
        """See ``NodeDriver.power_on``."""
        instance = self._get(server_id)
        if instance.process is None:
            await self._boot(instance)

    async def power_off(self, server_id: str) -> None:
        """See ``NodeDriver.power_off``."""
        instance = self._get(server_id)
        await self._stop(instance)
        instance.power = Power.STOPPED

    async def set_metadata(self, server_id: str, metadata: Mapping[str, str]) -> None:
        """See ``NodeDriver.set_metadata``; the guest reads the file at each request."""
        path = self._get(server_id).directory / METADATA_FILE
        written = path.with_suffix(".new")
        written.write_text(json.dumps(dict(metadata)))
        written.replace(path)

    async def console_output(self, server_id: str) -> str:
        """See ``NodeDriver.console_output``."""
        path = self._get(server_id).directory / CONSOLE_FILE
        with path.open("rb") as console:
            console.seek(max(0, path.stat().st_size - CONSOLE_TAIL_BYTES))
            return console.read(CONSOLE_TAIL_BYTES).decode(errors="replace")

    async def close(self) -> None:
        """See ``NodeDriver.close``."""
        instances = tuple(self._instances.values())
        removing = [Deferred.fromCoroutine(self._remove(instance)) for instance in instances]
        await gatherResults(removing, consumeErrors=True)

    def _get(self, server_id: str) -> _Instance:
        try:
            return self._instances[server_id]
        except KeyError:
            raise UnknownInstanceError(server_id) from None

    def _write(self, instance: _Instance) -> None:
        spec = instance.spec
        instance.directory.mkdir()
        document = {
            "server_id": spec.server_id,
            "name": spec.name,
            "project_id": spec.project_id,
            "address": spec.address,
            "port": self._guest_port,
        }
        (instance.directory / SPEC_FILE).write_text(json.dumps(document))
        (instance.directory / METADATA_FILE).write_text(json.dumps(dict(spec.metadata)))

    async def _boot(self, instance: _Instance) -> None:
        """
        Run the instance's process and return when it is up.

        :raises SpawnError: it is not, and no process is left.
        """
        own = instance.spec.boot_time
        process = GuestProcess(
            self._world,
            self._time,
            self.boot_time if own is None else own,
            lambda ended, ending: self._ended(instance, ended, ending),
        )
        instance.power, instance.process, instance.expected = Power.BOOTING, process, False
        timeout = self._world.timer.callLater(
            self._boot_timeout.total_seconds(), process.give_up_unless_listening
        )
        try:
            await process.boot(instance.directory)
        except (SpawnError, OSError) as error:
            await self._stop(instance)
            instance.power = Power.CRASHED
            raise SpawnError(str(error)) from error
        finally:
            if timeout.active():
                timeout.cancel()
        instance.power = Power.RUNNING

    async def _stop(self, instance: _Instance) -> None:
        process = instance.process
        if process is not None:
            instance.expected = True
            process.give_up_boot("The server was stopped while it booted.")
            await process.stop(self._stop_grace)

    async def _remove(self, instance: _Instance) -> None:
        await self._stop(instance)
        if self._instances.get(instance.spec.server_id) is instance:
            del self._instances[instance.spec.server_id]
            shutil.rmtree(instance.directory, ignore_errors=True)

    def _ended(self, instance: _Instance, process: GuestProcess, ending: Ending) -> None:
        if instance.process is not process:
            return
        instance.process = None
        was, instance.power = instance.power, Power.STOPPED if ending.orderly else Power.CRASHED
        if instance.expected or was is Power.BOOTING:
            return
        words = f"The server's process {ending.words}."
        self._notify(LifecycleEvent(instance.spec.server_id, instance.power, words))
