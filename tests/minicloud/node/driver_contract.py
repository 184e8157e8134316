"""
What every node driver promises: the conformance suite that each driver's tests inherit.

Time is driven, also for drivers with real processes: what an instance itself takes to start is
real, what it is made to take is the cloud's. Import this module, not the class in it.
"""

from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from minicloud.clock import DrivenTime
from minicloud.node.interface import (
    InstanceSpec,
    LifecycleEvent,
    NodeDriver,
    Power,
    SpawnError,
    UnknownInstanceError,
)

MINUTE = timedelta(minutes=1)


class WatchedClock(Clock):
    """A clock that tells when somebody has set a timer."""

    def __init__(self) -> None:
        super().__init__()
        self.armed: Deferred[None] = Deferred()

    def callLater(self, delay: float, *args: Any, **kw: Any) -> IDelayedCall:
        """Set the timer and tell."""
        timer = super().callLater(delay, *args, **kw)
        if not self.armed.called:
            self.armed.callback(None)
        return timer


class DriverContract(TestCase):
    """Tests of any driver; ``setUp`` makes one that takes two instances."""

    timeout = 30

    def make_driver(self, time: DrivenTime) -> NodeDriver:
        """Return the driver under test, with room for two instances."""
        raise NotImplementedError

    def an_address(self) -> str:
        """Return an address that no other instance has."""
        raise NotImplementedError

    async def crash(self, server_id: str) -> None:
        """Let an instance die a violent death; return once the driver noticed."""
        raise NotImplementedError

    async def exit(self, server_id: str) -> None:
        """Let an instance end by itself, in order; return once the driver noticed."""
        raise NotImplementedError

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """Prepare a host; trial waits for it."""
        return Deferred.fromCoroutine(self.prepare())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]
        """Leave nothing running; trial waits for that too."""
        return Deferred.fromCoroutine(self.driver.close())

    async def prepare(self) -> None:
        """Prepare a host."""
        self.events: list[LifecycleEvent] = []
        self.noticed: Deferred[None] = Deferred()
        self.clock = WatchedClock()
        self.driver = self.make_driver(DrivenTime(self.clock))
        self.survivors = await self.driver.init_host(self.notice)

    def notice(self, event: LifecycleEvent) -> None:
        """Take an event from the driver."""
        self.events.append(event)
        if not self.noticed.called:
            self.noticed.callback(None)

    def a_spec(self, server_id: str = "s1", **fields: Any) -> InstanceSpec:
        """Return an instance to spawn."""
        return InstanceSpec(server_id, f"name-{server_id}", "p", self.an_address(), **fields)

    async def power(self, server_id: str = "s1") -> Power:
        """Return what an instance is doing."""
        return (await self.driver.get_info(server_id)).power

    async def assert_absent(self, server_id: str) -> None:
        """Fail unless nothing of an instance is left."""
        self.assertNotIn(server_id, await self.driver.list_instances())
        with self.assertRaises(UnknownInstanceError):
            await self.driver.get_info(server_id)

    async def test_spawn(self) -> None:
        """A spawned instance runs and is listed; nothing that was ordered is an event."""
        await self.driver.spawn(self.a_spec())

        self.assertEqual(list(self.survivors), [])
        self.assertEqual(await self.power(), Power.RUNNING)
        self.assertEqual(list(await self.driver.list_instances()), ["s1"])
        self.assertEqual(self.events, [])

    async def test_spawn_twice(self) -> None:
        """A second spawn of one id fails and leaves the first alone: orders may repeat."""
        await self.driver.spawn(self.a_spec())
        with self.assertRaises(SpawnError):
            await self.driver.spawn(self.a_spec())

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_full(self) -> None:
        """A spawn that finds no room fails and leaves nothing behind."""
        await self.driver.spawn(self.a_spec("s1"))
        await self.driver.spawn(self.a_spec("s2"))
        with self.assertRaises(SpawnError):
            await self.driver.spawn(self.a_spec("s3"))

        await self.assert_absent("s3")

    async def test_boot_time(self) -> None:
        """An instance boots for as long as commanded, in the cloud's time."""
        self.driver.boot_time = MINUTE
        spawning = Deferred.fromCoroutine(self.driver.spawn(self.a_spec()))
        await self.clock.armed
        self.assertNoResult(spawning)
        self.assertEqual(await self.power(), Power.BOOTING)
        self.clock.advance(MINUTE.total_seconds())
        await spawning

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_own_boot_time(self) -> None:
        """An instance may be commanded to boot for another time than the rest."""
        self.driver.boot_time = MINUTE
        await self.driver.spawn(self.a_spec(boot_time=timedelta(0)))

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_destroy(self) -> None:
        """A destroyed instance is gone, and destroying it again is fine."""
        await self.driver.spawn(self.a_spec())
        await self.driver.destroy("s1")
        await self.driver.destroy("s1")

        await self.assert_absent("s1")
        self.assertEqual(self.events, [])

    async def test_destroy_while_booting(self) -> None:
        """Destroying ends a boot: the spawn fails, and nothing is left of it."""
        self.driver.boot_time = MINUTE
        spawning = Deferred.fromCoroutine(self.driver.spawn(self.a_spec()))
        await self.clock.armed
        await self.driver.destroy("s1")
        with self.assertRaises(SpawnError):
            await spawning

        await self.assert_absent("s1")

    async def test_destroyed_id_is_free(self) -> None:
        """A rebuild destroys and spawns the same id."""
        await self.driver.spawn(self.a_spec())
        await self.driver.destroy("s1")
        await self.driver.spawn(self.a_spec())

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_power_off_and_on(self) -> None:
        """An instance that is switched off stays, and no event tells of what was ordered."""
        await self.driver.spawn(self.a_spec())
        await self.driver.power_off("s1")
        await self.driver.power_off("s1")
        self.assertEqual(await self.power(), Power.STOPPED)
        await self.driver.power_on("s1")
        await self.driver.power_on("s1")

        self.assertEqual(await self.power(), Power.RUNNING)
        self.assertEqual(self.events, [])

    async def test_reboot(self) -> None:
        """A rebooted instance runs again and is the same one."""
        await self.driver.spawn(self.a_spec())
        await self.driver.reboot("s1")

        self.assertEqual(await self.power(), Power.RUNNING)
        self.assertEqual(list(await self.driver.list_instances()), ["s1"])
        self.assertEqual(self.events, [])

    async def test_crash(self) -> None:
        """A violent death is told, with words for the owner, and the instance is kept."""
        await self.driver.spawn(self.a_spec())
        await self.crash("s1")

        (event,) = self.events
        self.assertEqual((event.server_id, event.power), ("s1", Power.CRASHED))
        self.assertIn("killed", event.message)
        self.assertEqual(await self.power(), Power.CRASHED)

    async def test_exit(self) -> None:
        """An orderly end that nobody ordered is told too, and is no crash."""
        await self.driver.spawn(self.a_spec())
        await self.exit("s1")

        self.assertEqual([event.power for event in self.events], [Power.STOPPED])
        self.assertEqual(await self.power(), Power.STOPPED)

    async def test_reboot_after_crash(self) -> None:
        """A crashed instance comes back by a reboot."""
        await self.driver.spawn(self.a_spec())
        await self.crash("s1")
        await self.driver.reboot("s1")

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_unknown(self) -> None:
        """What is asked of an instance that is not there fails by name."""
        for order in (
            self.driver.get_info,
            self.driver.reboot,
            self.driver.power_on,
            self.driver.power_off,
            self.driver.console_output,
        ):
            with self.assertRaises(UnknownInstanceError):
                await order("gone")
        with self.assertRaises(UnknownInstanceError):
            await self.driver.set_metadata("gone", {})

    async def test_console(self) -> None:
        """The console has what the instance printed."""
        await self.driver.spawn(self.a_spec())

        self.assertIn("name-s1", await self.driver.console_output("s1"))

    async def test_close(self) -> None:
        """Closing removes every instance, also one that boots."""
        await self.driver.spawn(self.a_spec("s1"))
        spawning = Deferred.fromCoroutine(self.driver.spawn(self.a_spec("s2", boot_time=MINUTE)))
        await self.clock.armed
        await self.driver.close()
        with self.assertRaises(SpawnError):
            await spawning

        self.assertEqual(list(await self.driver.list_instances()), [])
