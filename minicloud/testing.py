"""
A whole cloud inside a test: no socket, no process, no time but what the test moves.

``make_minicloud()`` gives the root resource for ``treq.testing.StubTreq`` and everything that can
be commanded. Nothing here waits: what is not done at once is an error, because in memory everything
is, unless a delay was commanded.
"""

from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from attrs import frozen
from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from minicloud.balancer import Balancers
from minicloud.clock import DrivenTime
from minicloud.config import FAKE_RANGE, CloudConfig
from minicloud.control import Control
from minicloud.credentials import credentials
from minicloud.node.fake import FakeDriver
from minicloud.service import compose
from minicloud.users.interface import USERS, Authenticate, Scope

ROOT = "http://minicloud.test"
START = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """
    Run a coroutine that never has to wait, and return what it returns or raise what it raises.

    :raises AssertionError: it waits for something.
    """
    results: list[T | Failure] = []
    running = Deferred.fromCoroutine(work)
    _ = running.addBoth(results.append)
    if not results:
        running.cancel()
        raise AssertionError("this has to wait for something; move the clock first")
    result = results[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result


@frozen
class InMemoryCloud:
    """
    A cloud for tests.

    :ivar root: for ``StubTreq``; its URL is ``ROOT``.
    :ivar driver: the node's, for servers that crash or end by themselves.
    :ivar credentials: what the credentials file of a running cloud says.
    """

    root: IResource
    control: Control
    clock: Clock
    driver: FakeDriver
    credentials: Mapping[str, Any]

    def client(self) -> StubTreq:
        """Return a client of this cloud only."""
        return StubTreq(self.root)

    def project_id(self, name: str = "demo") -> str:
        """Return the id of a project."""
        projects = finish(self.control.list_projects())
        return next(project.project_id for project in projects if project.name == name)

    def token(self, user: str = "demo", password: str = "", project: str = "demo") -> str:
        """Return a new token; an empty password stands for the configured one."""
        known = {entry["name"]: entry["password"] for entry in self.credentials["users"]}
        wish = Authenticate(user, password or known[user], Scope(project_name=project))
        return finish(self.control.bus.call(USERS, wish)).token_id

    def advance(self, seconds: float) -> None:
        """Move the cloud's time, timer by timer."""
        self.control.time.advance(timedelta(seconds=seconds))


def make_minicloud(clock: Clock | None = None, **settings: Any) -> InMemoryCloud:
    """
    Return a started cloud.

    :param clock: the clock it shares with the test; a new one that reads ``START`` otherwise.
    :param settings: fields of ``CloudConfig``.
    """
    time = DrivenTime(clock) if clock is not None else DrivenTime.starting_at(START)
    config = CloudConfig(**settings)
    drivers: list[FakeDriver] = []

    def make_driver(_: str) -> FakeDriver:
        drivers.append(FakeDriver(time, boot_time=config.boot_time, capacity=config.node_capacity))
        return drivers[-1]

    balancers = Balancers(time.timer, data_plane=False)
    cloud = compose(config, time, balancers, FAKE_RANGE, make_driver)
    finish(cloud.start())
    return InMemoryCloud(
        cloud.root, cloud.control, time.timer, drivers[0], credentials(config, ROOT)
    )
