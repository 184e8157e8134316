"""
A compute node: takes orders over the bus, gives them to its driver, reports how they went.
"""

from collections.abc import Awaitable, Callable, Mapping

from twisted.logger import Logger

from minicloud.background import Background
from minicloud.bus import CheckHealth, MessageBus
from minicloud.controller.interface import CONTROLLER, NodeEvent, ReportServer
from minicloud.node.interface import (
    Destroy,
    GetConsole,
    GetInstance,
    InstanceInfo,
    LifecycleEvent,
    NodeDriver,
    Power,
    PowerOff,
    PowerOn,
    Reboot,
    Rebuild,
    ResetNode,
    SetBootTime,
    SetInstanceMetadata,
    Spawn,
    SpawnError,
    UnknownInstanceError,
    node_component,
)


class Node:
    """One host."""

    log = Logger()

    def __init__(self, name: str, driver: NodeDriver) -> None:
        self._name = name
        self._driver = driver
        self._background = Background()
        self._bus: MessageBus

    def attach(self, bus: MessageBus) -> None:
        """Take orders from the bus, and report over it."""
        self._bus = bus
        bus.attach(
            node_component(self._name),
            {
                Spawn: self._spawn,
                Rebuild: self._rebuild,
                Destroy: self._destroy,
                Reboot: self._reboot,
                PowerOn: self._power_on,
                PowerOff: self._power_off,
                SetInstanceMetadata: self._set_metadata,
                GetInstance: self._get_instance,
                GetConsole: self._get_console,
                SetBootTime: self._set_boot_time,
                ResetNode: self._reset,
                CheckHealth: self._check_health,
            },
        )

    async def start(self) -> None:
        """Prepare the host. What survived an earlier run belongs to nobody and is destroyed."""
        for server_id in await self._driver.init_host(self._happened):
            await self._driver.destroy(server_id)

    async def stop(self) -> None:
        """Stop reporting and remove every server."""
        await self._background.stop()
        await self._driver.close()

    async def _spawn(self, message: Spawn) -> None:
        self._order(message.spec.server_id, lambda: self._driver.spawn(message.spec))

    async def _rebuild(self, message: Rebuild) -> None:
        async def rebuild() -> None:
            await self._driver.destroy(message.spec.server_id)
            await self._driver.spawn(message.spec)

        self._order(message.spec.server_id, rebuild)

    async def _reboot(self, message: Reboot) -> None:
        self._order(message.server_id, lambda: self._driver.reboot(message.server_id))

    async def _power_on(self, message: PowerOn) -> None:
        self._order(message.server_id, lambda: self._driver.power_on(message.server_id))

    async def _power_off(self, message: PowerOff) -> None:
        self._order(
            message.server_id, lambda: self._driver.power_off(message.server_id), NodeEvent.STOPPED
        )

    async def _destroy(self, message: Destroy) -> None:
        self._order(
            message.server_id, lambda: self._driver.destroy(message.server_id), NodeEvent.DESTROYED
        )

    def _order(
        self,
        server_id: str,
        order: Callable[[], Awaitable[None]],
        done: NodeEvent = NodeEvent.RUNNING,
    ) -> None:
        async def carry_out() -> None:
            event, message = done, ""
            try:
                await order()
            except SpawnError as error:
                event, message = NodeEvent.FAILED, str(error)
            except UnknownInstanceError:
                event, message = NodeEvent.FAILED, "The instance is not on its host any more."
            await self._report(ReportServer(server_id, event, message))

        self._background.run("node.order", carry_out())

    def _happened(self, event: LifecycleEvent) -> None:
        kind = NodeEvent.FAILED if event.power is Power.CRASHED else NodeEvent.STOPPED
        self.log.info("instance.ended {server_id}", server_id=event.server_id, event=kind)
        report = ReportServer(event.server_id, kind, event.message)
        self._background.run("node.report", self._report(report))

    async def _report(self, report: ReportServer) -> None:
        await self._bus.call(CONTROLLER, report)

    async def _set_metadata(self, message: SetInstanceMetadata) -> None:
        try:
            await self._driver.set_metadata(message.server_id, message.metadata)
        except UnknownInstanceError:
            self.log.info("metadata.unplaced {server_id}", server_id=message.server_id)

    async def _get_instance(self, message: GetInstance) -> InstanceInfo:
        return await self._driver.get_info(message.server_id)

    async def _get_console(self, message: GetConsole) -> str:
        return await self._driver.console_output(message.server_id)

    async def _set_boot_time(self, message: SetBootTime) -> None:
        self._driver.boot_time = message.boot_time

    async def _reset(self, _: ResetNode) -> None:
        await self._driver.close()

    async def _check_health(self, _: CheckHealth) -> Mapping[str, int]:
        return {"instances": len(await self._driver.list_instances())}
