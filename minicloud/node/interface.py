"""
What a node is asked, and what it asks of its driver.

A node answers at once that it took an order; how it went comes later as a report to the controller
(``controller.interface.ReportServer``), because booting outlives any sensible wait for a reply.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen
from pyrsistent import PMap, pmap

from minicloud.bus import ComponentName, Message

CONSOLE_TAIL_BYTES = 65536


def node_component(name: str) -> ComponentName:
    """Return what a node is called on the bus."""
    return ComponentName(f"node.{name}")


def as_metadata(mapping: Mapping[str, str]) -> PMap[str, str]:
    """Return an immutable copy."""
    return pmap(mapping)


@frozen
class InstanceSpec:
    """
    What a node needs to know to run a server.

    :ivar boot_time: how long it takes at least, instead of the driver's own.
    """

    server_id: str
    name: str
    project_id: str
    address: str
    metadata: PMap[str, str] = field(converter=as_metadata, factory=pmap)
    boot_time: timedelta | None = None


class Power(StrEnum):
    """What an instance is doing, as its driver sees it."""

    BOOTING = "booting"
    RUNNING = "running"
    STOPPED = "stopped"
    CRASHED = "crashed"


@frozen
class InstanceInfo:
    """
    How an instance is.

    :ivar pid: its operating system process, where there is one and it runs.
    """

    server_id: str
    power: Power
    pid: int | None = None


@frozen
class LifecycleEvent:
    """
    Something nobody ordered happened to an instance.

    :ivar power: STOPPED when it ended by itself without fault, CRASHED otherwise.
    :ivar message: how it ended, for the fault that the owner reads.
    """

    server_id: str
    power: Power
    message: str = ""


class SpawnError(Exception):
    """The instance does not run; of a failed spawn nothing is left."""


class UnknownInstanceError(Exception):
    """The driver has no such instance."""


class NodeDriver(Protocol):
    """
    Runs instances on one host.

    :ivar boot_time: how long an instance boots at least; may be set at any time.
    :ivar capacity: how many instances fit.
    """

    boot_time: timedelta
    capacity: int

    async def init_host(self, notify: Callable[[LifecycleEvent], None]) -> Sequence[str]:
        """
        Get ready, tell ``notify`` from now on what happens, and return the ids of instances that
        survived from an earlier run.
        """

    async def list_instances(self) -> Sequence[str]:
        """Return the ids of all instances, in any state."""

    async def spawn(self, spec: InstanceSpec) -> None:
        """
        Create and boot an instance; return when it runs.

        :raises SpawnError: it does not run (also because it was destroyed meanwhile, or because
            one of that id exists), and nothing of it is left.
        """

    async def destroy(self, server_id: str) -> None:
        """Remove an instance and return when it is gone; an unknown id is fine."""

    async def get_info(self, server_id: str) -> InstanceInfo:
        """
        Say how an instance is.

        :raises UnknownInstanceError: there is none.
        """

    async def reboot(self, server_id: str) -> None:
        """
        Stop an instance if it runs, start it again, and return when it runs.

        :raises UnknownInstanceError: there is none.
        :raises SpawnError: it did not come up again; it exists still, CRASHED.
        """

    async def power_on(self, server_id: str) -> None:
        """Start an instance; fine if it runs. Raises as ``reboot`` does."""

    async def power_off(self, server_id: str) -> None:
        """
        Stop an instance and return when it stopped; fine if it is.

        :raises UnknownInstanceError: there is none.
        """

    async def set_metadata(self, server_id: str, metadata: Mapping[str, str]) -> None:
        """
        Let the instance see its new metadata.

        :raises UnknownInstanceError: there is none.
        """

    async def console_output(self, server_id: str) -> str:
        """
        Return the end of what the instance printed, at most ``CONSOLE_TAIL_BYTES`` of it.

        :raises UnknownInstanceError: there is none.
        """

    async def close(self) -> None:
        """Remove every instance and return when all are gone."""


@frozen
class Spawn(Message[None]):
    """Boot a server; reported as RUNNING or FAILED."""

    spec: InstanceSpec


@frozen
class Rebuild(Message[None]):
    """Throw a server's insides away and boot it anew; reported as RUNNING or FAILED."""

    spec: InstanceSpec


@frozen
class Destroy(Message[None]):
    """Remove a server; reported as DESTROYED."""

    server_id: str


@frozen
class Reboot(Message[None]):
    """Reboot a server; reported as RUNNING or FAILED."""

    server_id: str


@frozen
class PowerOn(Message[None]):
    """Start a server; reported as RUNNING or FAILED."""

    server_id: str


@frozen
class PowerOff(Message[None]):
    """Stop a server; reported as STOPPED."""

    server_id: str


@frozen
class SetInstanceMetadata(Message[None]):
    """Hand changed metadata to a server; nothing is reported."""

    server_id: str
    metadata: PMap[str, str] = field(converter=as_metadata)


@frozen
class GetInstance(Message[InstanceInfo]):
    """
    Say how an instance is.

    :raises UnknownInstanceError: there is none.
    """

    server_id: str


@frozen
class GetConsole(Message[str]):
    """
    Return the end of a server's console.

    :raises UnknownInstanceError: there is none.
    """

    server_id: str


@frozen
class SetBootTime(Message[None]):
    """Decide how long servers boot from now on."""

    boot_time: timedelta


@frozen
class ResetNode(Message[None]):
    """Remove every instance, and reply when all are gone."""
