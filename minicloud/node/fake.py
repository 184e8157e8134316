"""
A driver whose servers exist in memory only: any number of them, on the cloud's clock.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from minicloud.clock import CloudTime, later
from minicloud.node.interface import (
    InstanceInfo,
    InstanceSpec,
    LifecycleEvent,
    Power,
    SpawnError,
    UnknownInstanceError,
)


@define(eq=False)
class _Instance:
    """One pretended server; ``boot`` and ``timer`` are there while it boots."""

    spec: InstanceSpec
    metadata: Mapping[str, str]
    power: Power = Power.BOOTING
    console: list[str] = field(factory=list)
    boot: Deferred[None] | None = None
    timer: IDelayedCall | None = None

    def interrupt(self, why: str) -> None:
        """End a boot that is under way; whoever waits for it hears why."""
        boot, timer, self.boot, self.timer = self.boot, self.timer, None, None
        if timer is not None:
            timer.cancel()
        if boot is not None:
            boot.errback(SpawnError(why))


class FakeDriver:
    """See ``NodeDriver`` for what each method promises."""

    def __init__(self, time: CloudTime, *, boot_time: timedelta, capacity: int) -> None:
        self.boot_time = boot_time
        self.capacity = capacity
        self._time = time
        self._instances: dict[str, _Instance] = {}
        self._notify: Callable[[LifecycleEvent], None] = lambda _: None

    async def init_host(self, notify: Callable[[LifecycleEvent], None]) -> Sequence[str]:
        """Nothing survives in memory."""
        self._notify = notify
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
        instance = self._instances[spec.server_id] = _Instance(spec, spec.metadata)
        await self._boot(instance)

    async def destroy(self, server_id: str) -> None:
        """See ``NodeDriver.destroy``."""
        instance = self._instances.pop(server_id, None)
        if instance is not None:
            instance.interrupt("The instance was destroyed while it booted.")

    async def get_info(self, server_id: str) -> InstanceInfo:
        """See ``NodeDriver.get_info``."""
        return InstanceInfo(server_id, self._get(server_id).power)

    async def reboot(self, server_id: str) -> None:
        """See ``NodeDriver.reboot``."""
        await self.power_off(server_id)
        await self._boot(self._get(server_id))

    async def power_on(self, server_id: str) -> None:
        """See ``NodeDriver.power_on``."""
        instance = self._get(server_id)
        if instance.power in {Power.STOPPED, Power.CRASHED}:
            await self._boot(instance)

    async def power_off(self, server_id: str) -> None:
        """See ``NodeDriver.power_off``."""
        instance = self._get(server_id)
        instance.interrupt("The instance was stopped while it booted.")
        instance.power = Power.STOPPED
        instance.console.append("stopped")

    async def set_metadata(self, server_id: str, metadata: Mapping[str, str]) -> None:
        """See ``NodeDriver.set_metadata``."""
        self._get(server_id).metadata = dict(metadata)

    async def console_output(self, server_id: str) -> str:
        """See ``NodeDriver.console_output``."""
        return "".join(f"{line}\n" for line in self._get(server_id).console[-100:])

    async def close(self) -> None:
        """See ``NodeDriver.close``."""
        for server_id in tuple(self._instances):
            await self.destroy(server_id)

    def crash(self, server_id: str, message: str) -> None:
        """Let a server die, as a killed process does."""
        self._get(server_id).power = Power.CRASHED
        self._notify(LifecycleEvent(server_id, Power.CRASHED, message))

    def exit(self, server_id: str) -> None:
        """Let a server end by itself without fault, as a shut-down from inside does."""
        self._get(server_id).power = Power.STOPPED
        self._notify(LifecycleEvent(server_id, Power.STOPPED))

    def _get(self, server_id: str) -> _Instance:
        try:
            return self._instances[server_id]
        except KeyError:
            raise UnknownInstanceError(server_id) from None

    async def _boot(self, instance: _Instance) -> None:
        instance.power = Power.BOOTING
        own = instance.spec.boot_time
        delay = self.boot_time if own is None else own
        if delay > timedelta(0):
            instance.boot = boot = Deferred[None]()
            instance.timer = later(self._time, delay, lambda: self._booted(instance))
            await boot
        instance.power = Power.RUNNING
        instance.console.append(f"{instance.spec.name} is up at {instance.spec.address}")

    def _booted(self, instance: _Instance) -> None:
        boot, instance.boot, instance.timer = instance.boot, None, None
        if boot is not None:
            boot.callback(None)
