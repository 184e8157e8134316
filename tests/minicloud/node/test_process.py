"""Tests of ``minicloud.node.process`` and its guests, with real processes on loopback."""

import json
import os
import signal
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import treq
from treq.client import HTTPClient
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import Agent, HTTPConnectionPool

from minicloud.clock import DrivenTime
from minicloud.network.allocations import Allocations
from minicloud.network.loopback import claim_loopback
from minicloud.node.guest_process import RealWorld
from minicloud.node.interface import NodeDriver, Power, SpawnError
from minicloud.node.process import ProcessDriver
from tests.minicloud.node import driver_contract

GRACE = timedelta(seconds=0.2)


class ProcessDriverTests(driver_contract.DriverContract):
    """Servers that are processes."""

    def make_driver(self, time: DrivenTime) -> NodeDriver:
        """Return a driver whose guests listen where nobody else does."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            self.port = probe.getsockname()[1]
        claim = claim_loopback(self.port)
        self.addCleanup(claim.release)
        self.addresses = Allocations(claim.addresses)
        self.directory = Path(self.mktemp())
        return ProcessDriver(
            RealWorld(reactor, reactor),
            time,
            self.directory,
            guest_port=self.port,
            stop_grace=GRACE,
            capacity=2,
        )

    def an_address(self) -> str:
        """Return an address of the claimed range."""
        return self.addresses.allocate(str(len(self.addresses.held)), "p").address

    async def pid(self, server_id: str) -> int:
        """Return an instance's process."""
        pid = (await self.driver.get_info(server_id)).pid
        assert pid is not None
        return pid

    async def crash(self, server_id: str) -> None:
        """Kill it."""
        os.kill(await self.pid(server_id), signal.SIGKILL)
        await self.noticed

    async def exit(self, server_id: str) -> None:
        """Ask it to leave, behind the driver's back."""
        os.kill(await self.pid(server_id), signal.SIGTERM)
        await self.noticed

    async def get(self, address: str, path: str) -> Any:
        """Return what a guest answers."""
        pool = HTTPConnectionPool(reactor, persistent=False)
        client = HTTPClient(Agent(reactor, connectTimeout=5, pool=pool))
        response = await client.get(f"http://{address}:{self.port}{path}", timeout=5)
        return await treq.json_content(response)

    def refuses(self, address: str) -> bool:
        """Return whether nothing listens on an address."""
        with socket.socket() as probe:
            return probe.connect_ex((address, self.port)) != 0

    async def test_says_who_it_is(self) -> None:
        """A server answers on its own address with its own process, as a real one would."""
        spec = self.a_spec()
        await self.driver.spawn(spec)
        who = await self.get(spec.address, "/")

        self.assertEqual(
            who,
            {
                "server_id": "s1",
                "name": "name-s1",
                "pid": await self.pid("s1"),
                "address": spec.address,
            },
        )

    async def test_metadata(self) -> None:
        """A server sees its metadata, also when it is changed while it runs."""
        spec = self.a_spec(metadata={"a": "1"})
        await self.driver.spawn(spec)
        before = await self.get(spec.address, "/metadata")
        await self.driver.set_metadata("s1", {"b": "2"})

        self.assertEqual(before, {"a": "1"})
        self.assertEqual(await self.get(spec.address, "/metadata"), {"b": "2"})

    async def test_own_session(self) -> None:
        """A server leads its own process group, so that all of it can be ended."""
        await self.driver.spawn(self.a_spec())
        pid = await self.pid("s1")

        self.assertEqual((os.getsid(pid), os.getpgid(pid)), (pid, pid))

    async def test_address_taken(self) -> None:
        """
        A server whose address is taken does not come up, is told apart from one that does, and
        leaves nothing behind.
        """
        spec = self.a_spec()
        with socket.socket() as other:
            other.bind((spec.address, self.port))
            other.listen()
            with self.assertRaises(SpawnError):
                await self.driver.spawn(spec)

        await self.assert_absent("s1")
        self.assertEqual(list(self.directory.iterdir()), [])

    async def test_deaf(self) -> None:
        """A server that does not follow SIGTERM is killed after the grace."""
        spec = self.a_spec()
        await self.driver.spawn(spec)
        os.kill(await self.pid("s1"), signal.SIGSTOP)
        await self.driver.destroy("s1")

        await self.assert_absent("s1")
        self.assertTrue(self.refuses(spec.address))

    async def test_too_slow(self) -> None:
        """A server that does not listen in time has failed to spawn."""
        driver = ProcessDriver(
            RealWorld(reactor, reactor),
            DrivenTime(self.clock),
            Path(self.mktemp()),
            guest_port=self.port,
            boot_timeout=timedelta(0),
            stop_grace=GRACE,
        )
        await driver.init_host(self.notice)
        with self.assertRaises(SpawnError) as raised:
            await driver.spawn(self.a_spec())

        self.assertIn("in time", str(raised.exception))
        self.assertEqual(list(await driver.list_instances()), [])

    async def test_crash_names_the_signal(self) -> None:
        """The owner reads what killed the server."""
        await self.driver.spawn(self.a_spec())
        await self.crash("s1")

        self.assertIn("SIGKILL", self.events[0].message)

    async def test_leftovers_are_cleared(self) -> None:
        """What an earlier run left on the disk does not disturb this one."""
        (self.directory / "s1").mkdir()
        await self.driver.init_host(self.notice)
        await self.driver.spawn(self.a_spec())

        self.assertEqual(await self.power(), Power.RUNNING)

    async def test_interrupted_spawn(self) -> None:
        """A spawn that is cancelled leaves nothing behind either."""
        spawning = Deferred.fromCoroutine(
            self.driver.spawn(self.a_spec(boot_time=driver_contract.MINUTE))
        )
        await self.clock.armed
        spawning.cancel()
        await self.driver.destroy("s1")
        with self.assertRaises(CancelledError):
            await spawning

        await self.assert_absent("s1")

    async def test_description(self) -> None:
        """A server's directory describes it, for whoever looks with ``cat``."""
        await self.driver.spawn(self.a_spec())
        described = json.loads((self.directory / "s1" / "server.json").read_text())

        self.assertEqual((described["server_id"], described["port"]), ("s1", self.port))
