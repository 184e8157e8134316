"""Tests of ``minicloud.node.fake``."""

from datetime import timedelta
from itertools import count

from minicloud.clock import DrivenTime
from minicloud.node.fake import FakeDriver
from minicloud.node.interface import NodeDriver
from tests.minicloud.node import driver_contract


class FakeDriverTests(driver_contract.DriverContract):
    """Servers in memory."""

    def make_driver(self, time: DrivenTime) -> NodeDriver:
        """Return a driver in memory."""
        self.numbers = count(4)
        self.fake = FakeDriver(time, boot_time=timedelta(0), capacity=2)
        return self.fake

    def an_address(self) -> str:
        """Return a number that nothing listens on."""
        return f"10.0.0.{next(self.numbers)}"

    async def crash(self, server_id: str) -> None:
        """Crash it."""
        self.fake.crash(server_id, "The server was killed.")

    async def exit(self, server_id: str) -> None:
        """End it."""
        self.fake.exit(server_id)
