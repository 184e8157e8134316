"""
A tenant of its own on running services: every test gets one, and leaves nothing behind.

The services (a minicloud with the fake driver and an Otter with short times) are real processes
that serve all tests of one test process; they are started by the first test and end with it.
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
from otter.testing.processes import RunningService, eventually
from otter.testing.stack import FAST, Minicloud, Otter, log_in_as, start_minicloud, start_otter
from tests.openapi import CheckedClient

PATIENCE = timedelta(seconds=30)
PASSWORD = "a password"
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
        atexit.register(otter.process.end_at_once)
        _shared.append(Stack(cloud, otter))
    return _shared[0]


@define
class Tenant:
    """One project with its clients of Otter, compute and load balancing, and the cloud's judge."""

    stack: Stack
    project: str
    user: str
    api: Client = field(init=False)
    compute: Client = field(init=False)
    balancers: Client = field(init=False)
    groups: list[str] = field(factory=list)
    load_balancers: list[int] = field(factory=list)
    foreigners: list[str] = field(factory=list)

    @property
    def control(self) -> Client:
        """The cloud's own view of everything, and its faults."""
        return self.stack.cloud.control

    async def new_token(self) -> str:
        """Return a token nobody has used yet."""
        return await log_in_as(self.stack.cloud, self.user, PASSWORD, self.project)

    async def log_in(self) -> None:
        """Make clients with a new token."""
        headers = {"X-Auth-Token": await self.new_token()}
        root = self.stack.cloud.credentials["root"]
        otter = self.stack.otter.base_url
        self.api = CheckedClient(reactor, f"{otter}/v1.0/{self.project}", headers)
        self.compute = Client(reactor, f"{root}/compute/v2.1", headers)
        self.balancers = Client(reactor, f"{root}/clb/v1.0/{self.project}", headers)

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

    async def scale(self, group: str, **policy: Any) -> None:
        """
        Execute a policy that must be accepted.

        :raises UnexpectedAnswerError: it was not.
        """
        added = await self.add_policy(group, **policy)
        await self.api.expect(202, "POST", f"/groups/{group}/policies/{added}/execute")

    async def add_webhook(self, group: str, policy: str) -> str:
        """Add a webhook to a policy; return the URL that executes it."""
        path = f"/groups/{group}/policies/{policy}/webhooks"
        answer = await self.api.expect(201, "POST", path, [{"name": "w"}])
        links = {link["rel"]: link["href"] for link in answer["webhooks"][0]["links"]}
        found: str = links["capability"]
        return found

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

    async def activities(self, group: str) -> list[dict[str, Any]]:
        """Return the group's whole history, newest first."""
        found: list[dict[str, Any]] = []
        href = f"/groups/{group}/activities"
        while href:
            page = await self.api.expect(200, "GET", href)
            found.extend(page["activities"])
            href = next((link["href"] for link in page["activities_links"]), "")
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

    async def fault(self, **fault: Any) -> str:
        """Command a fault for this tenant's requests; return its id."""
        body = {"project": self.project, **fault}
        answer = await self.control.expect(201, "POST", "/faults", body)
        found: str = answer["fault"]["id"]
        return found

    async def lift(self, fault: str) -> None:
        """Take a fault back."""
        await self.control.expect(204, "DELETE", f"/faults/{fault}")

    async def happened(self, fault: str) -> bool:
        """Return whether a fault has happened as often as it was to."""
        listed = await self.control.expect(200, "GET", "/faults")
        return fault not in {known["id"] for known in listed["faults"]}

    async def create_foreigner(self, name: str, metadata: Mapping[str, str]) -> str:
        """Create a server without Otter; return its id."""
        credentials = self.stack.cloud.credentials
        body = {
            "server": {
                "name": name,
                "imageRef": credentials["images"][0]["id"],
                "flavorRef": credentials["flavors"][0]["id"],
                "metadata": dict(metadata),
            }
        }
        answer = await self.compute.expect(202, "POST", "/servers", body)
        found: str = answer["server"]["id"]
        self.foreigners.append(found)
        return found

    async def existing(self) -> list[dict[str, Any]]:
        """Return every server of this project, those a lagging list leaves out included."""
        listed = await self.control.expect(200, "GET", "/servers")
        return [s for s in listed["servers"] if s["project_id"] == self.project]

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
        self.load_balancers.append(found)
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

    async def settled(self, group: str, count: int, timeout: timedelta = PATIENCE) -> list[str]:
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

        found: list[str] = await self.wait(f"{count} servers in service", look, timeout)
        return [i for i in found if i]

    async def cycle_passes(self) -> None:
        """
        Return when Otter has looked at all of this tenant's groups again, since now.

        Shown by another group, which loses a server and gets it back without anybody asking; twice,
        because the first time it may not have been the sweep that found out.
        """
        canary = await self.create_group(1, 1)
        for _ in range(2):
            [server] = await self.settled(canary, 1)
            await self.delete_server(server)
            await self.replaced(canary, {server})

    async def replaced(self, group: str, lost: set[str]) -> None:
        """Return when the group has servers again, none of them these."""

        async def look() -> bool:
            ids = {s["id"] for s in await self.servers(group)}
            return bool(ids) and ids.isdisjoint(lost)

        await self.wait("the replacement of servers", look)

    async def in_status(self, group: str, status: str) -> dict[str, Any]:
        """Return the group's state once it shows this status."""

        async def look() -> dict[str, Any] | None:
            state = await self.state(group)
            return state if state["status"] == status else None

        found: dict[str, Any] = await self.wait(f"status {status}", look)
        return found

    async def balanced(self, group: str, balancer: int, port: int = 80) -> list[dict[str, Any]]:
        """Return the group's members once the balancer has exactly its servers on the port."""

        async def look() -> list[dict[str, Any]] | None:
            nodes = [n for n in await self.nodes(balancer) if n["port"] == port]
            servers = await self.servers(group)
            wanted = sorted(s["addresses"]["private"][0]["addr"] for s in servers)
            there = sorted(n["address"] for n in nodes)
            serving = all((n["condition"], n["type"]) == ("ENABLED", "PRIMARY") for n in nodes)
            return nodes or [{}] if there == wanted and serving else None

        found: list[dict[str, Any]] = await self.wait("exactly the servers as members", look)
        return [node for node in found if node]

    async def clean_up(self) -> None:
        """Delete all groups with force and see every server go; then all that is not Otter's."""
        await self.control.call("DELETE", "/faults")
        for group in self.groups:
            await self.api.call("DELETE", f"/groups/{group}?force=true")

        async def nothing_left() -> bool:
            return not any([await self.servers(group) for group in self.groups])

        await self.wait("nothing to be left behind", nothing_left)
        for server in self.foreigners:
            await self.control.call("DELETE", f"/servers/{server}")
        for balancer in self.load_balancers:
            await self.balancers.call("DELETE", f"/loadbalancers/{balancer}")


async def make_tenant(stack: Stack, *, roles: tuple[str, ...] = ("admin",)) -> Tenant:
    """Return a fresh project whose user is logged in."""
    name = f"t-{uuid4().hex[:12]}"
    control = stack.cloud.control
    made = await control.expect(201, "POST", "/projects", {"name": name})
    project = made["project"]["id"]
    user = {"name": name, "password": PASSWORD, "roles": {project: list(roles)}}
    await control.expect(201, "POST", "/users", user)
    tenant = Tenant(stack, project, name)
    await tenant.log_in()
    return tenant


class AcceptanceTestCase(TestCase):
    """Gives each test a tenant and cleans up after it."""

    timeout = 120
    tenant: Tenant

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """Start the services if need be, and make a tenant."""
        return Deferred.fromCoroutine(self._set_up())

    async def _set_up(self) -> None:
        stack = await shared_stack()
        for process in (stack.otter.process, stack.cloud.process):
            self.addCleanup(self._assert_nothing_broke, process, process.log.stat().st_size)
        self.tenant = await make_tenant(stack)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.tenant.clean_up()))

    def _assert_nothing_broke(self, process: RunningService, start: int) -> None:
        """Nothing that a process logged during the test is a bug showing itself."""
        logged = process.log.read_bytes()[start:].decode("utf-8", "replace")
        found = logged.find("Traceback")
        self.assertEqual(found, -1, f"{process.name}: {logged[max(0, found - 500) :][:3000]}")
        self.assertFalse(process.ended, f"{process.name} has ended")

    async def change_cloud(self, **settings: Any) -> None:
        """Change settings of the whole cloud until the end of the test."""
        control = self.tenant.control
        before = (await control.expect(200, "GET", "/settings"))["settings"]
        await control.expect(200, "PATCH", "/settings", settings)
        restored = {name: before[name] for name in settings}

        async def restore() -> None:
            await control.expect(200, "PATCH", "/settings", restored)

        self.addCleanup(lambda: Deferred.fromCoroutine(restore()))
