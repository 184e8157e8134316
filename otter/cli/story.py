"""
The story of one group, played over HTTP against running services and judged by what the cloud
lists.

Boot two servers behind a load balancer, grow by a webhook, survive a killed server, shrink with
draining while clients stay connected, delete everything, leave nothing behind.
"""

import os
import signal
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from attrs import define, field

from otter.cli.connections import KeptConnection, keep_open
from otter.cli.listener import Listener
from otter.cli.narrator import Narrator, check
from otter.testing.client import Client
from otter.testing.processes import eventually
from otter.testing.stack import Minicloud, Otter, log_in

PATIENCE = timedelta(seconds=25)
PORT = 8000
DRAINING_SECONDS = 30
SERVERS_EVER = 5
"""Two at first, two more by the webhook, one in place of the killed one."""


@define
class Story:
    """One telling; each method is a chapter and leaves the next one its stage."""

    cloud: Minicloud
    otter: Otter
    narrator: Narrator
    listener: Listener
    api: Client
    compute: Client
    balancers: Client
    user_token: str = field(repr=False)
    project: str
    group: str = ""
    balancer: int = 0
    front: str = ""
    webhook: str = field(default="", repr=False)

    @classmethod
    async def open(
        cls, cloud: Minicloud, otter: Otter, narrator: Narrator, listener: Listener
    ) -> "Story":
        """Log in as the demo user."""
        token = await log_in(cloud, "demo", "demo")
        project = cloud.project_id("demo")
        headers = {"X-Auth-Token": token}
        root = cloud.credentials["root"]

        def client(url: str) -> Client:
            return Client(cloud.reactor, url, headers)

        return cls(
            cloud,
            otter,
            narrator,
            listener,
            client(f"{otter.base_url}/v1.0/{project}"),
            client(f"{root}/compute/v2.1"),
            client(f"{root}/clb/v1.0/{project}"),
            token,
            project,
        )

    async def tell(self) -> None:
        """
        Play all chapters.

        :raises WrongStepError: one of them did not end as it should.
        """
        await self.create()
        await self.grow()
        await self.heal()
        await self.shrink()
        await self.end()

    # --- chapters -----------------------------------------------------------------------------

    async def create(self) -> None:
        """Two servers behind a load balancer, both answering."""
        await self._make_balancer()
        image, flavor = await self.image_and_flavor()
        body = {
            "groupConfiguration": {
                "name": "story",
                "cooldown": 0,
                "minEntities": 2,
                "maxEntities": 6,
            },
            "launchConfiguration": {
                "type": "launch_server",
                "args": {
                    "server": {"name": "web", "imageRef": image, "flavorRef": flavor},
                    "loadBalancers": [{"loadBalancerId": self.balancer, "port": PORT}],
                    "draining_timeout": DRAINING_SECONDS,
                    "notify": [{"url": self.listener.url}],
                },
            },
            "scalingPolicies": [
                {"name": "grow", "type": "webhook", "change": 2, "cooldown": 0},
                {"name": "one", "type": "webhook", "desiredCapacity": 1, "cooldown": 0},
            ],
        }
        created = (await self.api.expect(201, "POST", "/groups", body))["group"]
        self.group = created["id"]
        secret = await self.api.expect(200, "GET", f"/groups/{self.group}/notify-secret")
        self.listener.key = secret["notifySecret"]
        self.narrator.step(f"group {self.group} created, wanting 2 servers")
        await self._serving(2)
        await self._answering(2)
        self.narrator.step(f"2 servers in service; {self.front} answers from both")

    async def grow(self) -> None:
        """A webhook makes it four."""
        policy = await self._policy("grow")
        path = f"/groups/{self.group}/policies/{policy}/webhooks"
        hooks = await self.api.expect(201, "POST", path, [{"name": "pager"}])
        links = {link["rel"]: link["href"] for link in hooks["webhooks"][0]["links"]}
        self.webhook = links["capability"]
        await Client(self.cloud.reactor, "").expect(202, "POST", self.webhook)
        self.narrator.step("webhook hit, without any token")
        await self._serving(4)
        await self._answering(4)
        self.narrator.step("4 servers in service, all answering through the load balancer")

    async def heal(self) -> None:
        """A server's process is killed; it is replaced."""
        victim = await self._ask_front()
        os.kill(int(victim["pid"]), signal.SIGKILL)
        self.narrator.step(
            f"killed server {victim['server_id']} (pid {victim['pid']}) with SIGKILL"
        )

        async def replaced() -> bool:
            active = await self._active()
            return len(active) == 4 and victim["server_id"] not in active

        await self._wait("the killed server to be replaced", replaced)
        names = await self._answering(4)
        check(victim["server_id"] not in names, "the killed server still answers")
        self.narrator.step("replaced: 4 servers in service, the dead one is not among them")

    async def shrink(self) -> None:
        """Down to one server; clients that are connected finish what they have."""
        config = {
            "name": "story",
            "cooldown": 0,
            "minEntities": 0,
            "maxEntities": 6,
            "metadata": {},
        }
        await self.api.expect(204, "PUT", f"/groups/{self.group}/config", config)
        kept = [await keep_open(self.cloud.reactor, self.front) for _ in range(4)]
        before = [await connection.ask() for connection in kept]
        policy = await self._policy("one")
        await self.api.expect(202, "POST", f"/groups/{self.group}/policies/{policy}/execute")
        self.narrator.step(f"asked for 1 server while {len(kept)} clients are connected")
        await self._wait("three servers to drain", self._draining)
        self.narrator.step("3 servers draining: they take no new connections")
        await self._finish(kept, before)
        self.narrator.step("every connected client was still answered by its own server")
        await self._serving(1)
        await self._wait("one server to be left", lambda: self._listed(1))
        self.narrator.step("1 server left, the other 3 drained and deleted")

    async def end(self) -> None:
        """Delete the group with force; nothing is left behind."""
        await self.api.expect(204, "DELETE", f"/groups/{self.group}?force=true")
        await self._wait("all servers to be gone", lambda: self._listed(0))

        async def no_nodes() -> bool:
            return not await self._nodes()

        await self._wait("the load balancer to be empty", no_nodes)
        self.narrator.step("group deleted: the cloud lists no server, the load balancer no node")

        async def told() -> bool:
            return self.listener.count("server.gone") == SERVERS_EVER

        await self._wait("the customer's own webhook to be told", told)
        told_of = self.listener.count("server.in_service")
        self.narrator.step(
            f"the customer's webhook heard of {told_of} arrivals and "
            f"{self.listener.count('server.gone')} departures, all correctly signed"
        )
        check(self.listener.forged == 0, "a message was not signed with the group's key")

    # --- looking ------------------------------------------------------------------------------

    async def _make_balancer(self) -> None:
        body = {
            "loadBalancer": {
                "name": "front",
                "protocol": "HTTP",
                "port": PORT,
                "virtualIps": [{"type": "PUBLIC"}],
                "nodes": [],
                "healthMonitor": {
                    "type": "CONNECT",
                    "delay": 1,
                    "timeout": 1,
                    "attemptsBeforeDeactivation": 2,
                },
            }
        }
        made = (await self.balancers.expect(202, "POST", "/loadbalancers", body))["loadBalancer"]
        self.balancer = made["id"]
        address = made["virtualIps"][0]["address"]
        self.front = f"http://{address}:{PORT}"
        self.narrator.step(f"load balancer {self.balancer} at {self.front}")

    async def image_and_flavor(self) -> tuple[str, str]:
        """Return the ids of an image and a flavor to boot from."""
        images = await self.compute.expect(200, "GET", "/images")
        flavors = await self.compute.expect(200, "GET", "/flavors")
        return images["images"][0]["id"], flavors["flavors"][0]["id"]

    async def _policy(self, name: str) -> str:
        policies = await self.api.expect(200, "GET", f"/groups/{self.group}/policies")
        return next(str(p["id"]) for p in policies["policies"] if p["name"] == name)

    async def _active(self) -> list[str]:
        state = await self.api.expect(200, "GET", f"/groups/{self.group}/state")
        return [server["id"] for server in state["group"]["active"]]

    async def _serving(self, count: int) -> None:
        async def reached() -> bool:
            return len(await self._active()) == count

        await self._wait(f"{count} servers in service", reached)

    async def _listed(self, count: int) -> bool:
        listed = await self.compute.expect(200, "GET", "/servers/detail")
        return len(listed["servers"]) == count

    async def _nodes(self) -> list[dict[str, Any]]:
        path = f"/loadbalancers/{self.balancer}/nodes"
        found: list[dict[str, Any]] = (await self.balancers.expect(200, "GET", path))["nodes"]
        return found

    async def _draining(self) -> bool:
        conditions = [node["condition"] for node in await self._nodes()]
        return conditions.count("DRAINING") == 3

    async def _ask_front(self) -> dict[str, Any]:
        answer = await Client(self.cloud.reactor, self.front).call("GET", "/")
        check(answer.status == 200, f"the load balancer answers {answer.status}")
        found: dict[str, Any] = answer.body
        return found

    async def _answering(self, count: int) -> set[str]:
        """Ask through the load balancer until so many different servers have answered."""
        names: set[str] = set()

        async def heard() -> bool:
            names.add((await self._ask_front())["server_id"])
            return len(names) >= count

        await self._wait(f"{count} servers to answer", heard)
        return names

    async def _finish(self, kept: Iterable[KeptConnection], before: list[dict[str, Any]]) -> None:
        for connection, first in zip(kept, before, strict=True):
            again = await connection.ask()
            check(
                again["server_id"] == first["server_id"],
                "a client was cut off while its server drained",
            )
            connection.close()

    async def _wait(self, what: str, look: Any) -> None:
        await eventually(self.cloud.reactor, what, look, timeout=PATIENCE)
