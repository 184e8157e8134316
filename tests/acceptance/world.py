"""
A tenant of its own on running services: every test gets one, and leaves nothing behind.

The services (a minicloud with the fake driver and an Otter with short times) are real processes that
serve all tests of one test process; they are started by the first test and end with it.
"""

import atexit
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from otter.testing.client import Answer, Client
from otter.testing.processes import eventually
from otter.testing.stack import FAST, Minicloud, Otter, log_in_as, start_minicloud, start_otter

PATIENCE = timedelta(seconds=30)
GROUP_KEY = "rax:auto_scaling_group_id"


@define
class Stack:
    """The services that tests share."""

    cloud: Minicloud
    otter: Otter


_shared: list[Stack] = []


async def shared_stack() -> Stack:
    """Return the running services, started now if this is the first test that needs them."""
    if not _shared:
        folder = tempfile.TemporaryDirectory(prefix="otter-acceptance-")
        directory = Path(folder.name)
        cloud = await start_minicloud(reactor, directory / "minicloud", "--driver", "fake")
        atexit.register(folder.cleanup)
        atexit.register(cloud.process.end_at_once)
        otter = await start_otter(reactor, directory / "otter", cloud, FAST)
        atexit.register(lambda: otter.process.end_at_once())
        _shared.append(Stack(cloud, otter))
    return _shared[0]


@define
class Tenant:
    """One project with its clients of Otter, compute and load balancing, and the cloud's judge."""

    stack: Stack
    project: str
    api: Client
    compute: Client
    balancers: Client
    groups: list[str] = field(factory=list)

    @property
    def control(self) -> Client:
        """The cloud's own view of everything, and its faults."""
        return self.stack.cloud.control

    # --- groups -------------------------------------------------------------------------------

    async def create_group(
        self,
        minimum: int = 0,
        maximum: int = 10,
        *,
        balancers: list[dict[str, Any]] | None = None,
        policies: list[dict[str, Any]] | None = None,
        server: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> str:
        """Create a group without cooldown; return its id."""
        credentials = self.stack.cloud.credentials
        launch: dict[str, Any] = {
            "server": {
                "name": "web",
                "imageRef": credentials["images"][0]["id"],
                "flavorRef": credentials["flavors"][0]["id"],
                **(server or {}),
            },
            **args,
        }
        if balancers:
            launch["loadBalancers"] = balancers
        body = {
            "groupConfiguration": {
                "name": "g",
                "cooldown": 0,
                "minEntities": minimum,
                "maxEntities": maximum,
            },
            "launchConfiguration": {"type": "launch_server", "args": launch},
            "scalingPolicies": policies or [],
        }
        answer = await self.api.expect(201, "POST", "/groups", body)
        group: str = answer["group"]["id"]
        self.groups.append(group)
        return group

    async def add_policy(self, group: str, **policy: Any) -> str:
        """Add a policy without cooldown; return its id."""
        body = [{"name": "p", "type": "webhook", "cooldown": 0, **policy}]
        answer = await self.api.expect(201, "POST", f"/groups/{group}/policies", body)
        found: str = answer["policies"][0]["id"]
        return found

    async def execute(self, group: str, **policy: Any) -> Answer:
        """Add a policy and execute it at once."""
        added = await self.add_policy(group, **policy)
        return await self.api.call("POST", f"/groups/{group}/policies/{added}/execute")

    async def set_config(self, group: str, minimum: int, maximum: int) -> None:
        """Replace the group's config."""
        body = {
            "name": "g",
            "cooldown": 0,
            "minEntities": minimum,
            "maxEntities": maximum,
            "metadata": {},
        }
        await self.api.expect(204, "PUT", f"/groups/{group}/config", body)

    async def converge(self, group: str) -> None:
        """Ask for a cycle."""
        await self.api.expect(204, "POST", f"/groups/{group}/converge")

    async def state(self, group: str) -> dict[str, Any]:
        """Return the group's state."""
        answer = await self.api.expect(200, "GET", f"/groups/{group}/state")
        found: dict[str, Any] = answer["group"]
        return found

    # --- the cloud ----------------------------------------------------------------------------

    async def servers(self, group: str) -> list[dict[str, Any]]:
        """Return the servers the cloud lists with the group's mark, whatever their state."""
        listed = await self.compute.expect(200, "GET", "/servers/detail")
        return [s for s in listed["servers"] if s["metadata"].get(GROUP_KEY) == group]

    async def delete_server(self, server_id: str) -> None:
        """Delete a server behind Otter's back."""
        await self.compute.expect(204, "DELETE", f"/servers/{server_id}")

    async def set_status(self, server_id: str, status: str) -> None:
        """Make a server look like it is in a state."""
        await self.control.expect(200, "PATCH", f"/servers/{server_id}", {"status": status})

    async def fault(self, **fault: Any) -> None:
        """Command a fault for this tenant's requests."""
        await self.control.expect(201, "POST", "/faults", {"project": self.project, **fault})

    async def create_balancer(self) -> int:
        """Create a load balancer; return its id."""
        body = {
            "loadBalancer": {
                "name": "lb",
                "protocol": "HTTP",
                "port": 8080,
                "virtualIps": [{"type": "PUBLIC"}],
                "nodes": [],
            }
        }
        answer = await self.balancers.expect(202, "POST", "/loadbalancers", body)
        found: int = answer["loadBalancer"]["id"]
        return found

    async def nodes(self, balancer: int) -> list[dict[str, Any]]:
        """Return the load balancer's members."""
        path = f"/loadbalancers/{balancer}/nodes"
        found: list[dict[str, Any]] = (await self.balancers.expect(200, "GET", path))["nodes"]
        return found

    # --- waiting ------------------------------------------------------------------------------

    async def wait(self, what: str, look: Any, timeout: timedelta = PATIENCE) -> Any:
        """Return what ``look`` returns once that is true."""
        return await eventually(self.stack.cloud.reactor, what, look, timeout=timeout)

    async def settled(self, group: str, count: int) -> list[str]:
        """
        Return the ids of the group's servers once there are exactly so many, all in service.

        Judged by what the cloud lists: nothing else bears the group's mark, all are ACTIVE, and
        Otter shows the same ones as active.
        """

        async def look() -> list[str] | None:
            servers = await self.servers(group)
            state = await self.state(group)
            ids = {s["id"] for s in servers}
            if (
                len(servers) == count == state["desiredCapacity"]
                and all(s["status"] == "ACTIVE" for s in servers)
                and {s["id"] for s in state["active"]} == ids
            ):
                return sorted(ids) or [""]
            return None

        found: list[str] = await self.wait(f"{count} servers in service", look)
        return [i for i in found if i]

    async def clean_up(self) -> None:
        """Delete all groups with force and see every server go."""
        await self.control.call("DELETE", "/faults")
        for group in self.groups:
            await self.api.call("DELETE", f"/groups/{group}?force=true")

        async def nothing_left() -> bool:
            return not any([await self.servers(group) for group in self.groups])

        await self.wait("nothing to be left behind", nothing_left)


async def make_tenant(stack: Stack, *, roles: tuple[str, ...] = ("admin",)) -> Tenant:
    """Return a fresh project whose user is logged in."""
    name = f"t-{uuid4().hex[:12]}"
    control = stack.cloud.control
    made = await control.expect(201, "POST", "/projects", {"name": name})
    project = made["project"]["id"]
    user = {"name": name, "password": "a password", "roles": {name: list(roles)}}
    await control.expect(201, "POST", "/users", user)
    token = await log_in_as(stack.cloud, name, "a password", project)
    headers = {"X-Auth-Token": token}
    root = stack.cloud.credentials["root"]
    return Tenant(
        stack,
        project,
        Client(reactor, f"{stack.otter.base_url}/v1.0/{project}", headers),
        Client(reactor, f"{root}/compute/v2.1", headers),
        Client(reactor, f"{root}/clb/v1.0/{project}", headers),
    )


class AcceptanceTestCase(TestCase):
    """Gives each test a tenant and cleans up after it."""

    timeout = 120
    tenant: Tenant

    def setUp(self) -> Deferred[None]:
        """Start the services if need be, and make a tenant."""
        return Deferred.fromCoroutine(self._set_up())

    async def _set_up(self) -> None:
        stack = await shared_stack()
        self.tenant = await make_tenant(stack)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.tenant.clean_up()))
