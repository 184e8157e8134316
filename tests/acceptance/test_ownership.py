"""
What is Otter's and what is not: foreign servers are never touched, our own are never forgotten.

Judged by the cloud's own books. Scenario numbers are those of the acceptance scenarios the original
was held to.
"""

from typing import Any
from uuid import uuid4

from otter.cloud.interface import (
    DEPLOYMENT_KEY,
    GROUP_KEY,
    INSTANCE_KEY,
    LEGACY_GROUP_KEY,
    MARK_KEYS,
)
from tests.acceptance import world

PORT = 80


class OwnershipCase(world.AcceptanceTestCase):
    """Gives tests marks, and the books."""

    timeout = 60

    async def deployment(self, group: str) -> str:
        """Return what Otter calls itself, read from a server of the group."""
        [server, *_] = await self.tenant.servers(group)
        found: str = server["metadata"][DEPLOYMENT_KEY]
        return found

    def marks(self, group: str, deployment: str) -> dict[str, str]:
        """Return the marks of a new server of a group."""
        return {
            LEGACY_GROUP_KEY: group,
            GROUP_KEY: group,
            DEPLOYMENT_KEY: deployment,
            INSTANCE_KEY: str(uuid4()),
        }

    async def books(self) -> dict[str, tuple[str, Any]]:
        """Return the status and metadata of every server there is, by id."""
        return {s["id"]: (s["status"], s["metadata"]) for s in await self.tenant.existing()}

    async def active(self, server: str) -> None:
        """Return when a server has booted."""

        async def look() -> bool:
            return (await self.books())[server][0] == "ACTIVE"

        await self.tenant.wait("a server to boot", look)

    async def gone(self, server: str) -> None:
        """Return when a server does not exist any more."""

        async def look() -> bool:
            return server not in await self.books()

        await self.tenant.wait("a server to go", look)


class ForeignServersTests(OwnershipCase):
    """Servers that somebody else made."""

    async def test_servers_without_marks_are_left_alone(self) -> None:
        """A project's other servers, even with names like ours, outlive everything Otter does."""
        group = await self.tenant.create_group(2, 5)
        await self.tenant.settled(group, 2)
        [server, _] = await self.tenant.servers(group)
        pets = [
            await self.tenant.create_foreigner("pet", {}),
            await self.tenant.create_foreigner(server["name"], {"owner": "me"}),
            await self.tenant.create_foreigner("broken", {}),
        ]
        for pet in pets:
            await self.active(pet)
        await self.tenant.set_status(pets[2], "ERROR")
        before = {k: v for k, v in (await self.books()).items() if k in pets}
        await self.tenant.scale(group, change=3)
        await self.tenant.settled(group, 5)
        await self.tenant.scale(group, change=-5)
        await self.tenant.settled(group, 2)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")

        async def only_pets() -> bool:
            return set(await self.books()) <= set(pets)

        await self.tenant.wait("our servers to go", only_pets)

        self.assertEqual(await self.books(), before)

    async def test_another_deployments_server_is_left_alone(self) -> None:
        """
        Marks that name another deployment are another's, whatever group they name: neither counted
        nor deleted, while the group lives and after.
        """
        group = await self.tenant.create_group(1, 3)
        [own] = await self.tenant.settled(group, 1)
        others = await self.tenant.create_foreigner("web-other", self.marks(group, str(uuid4())))
        self.addCleanup(self.tenant.delete_server, others)
        await self.active(others)
        before = (await self.books())[others]
        await self.tenant.scale(group, change=1)

        async def two_more() -> bool:
            active = {s["id"] for s in (await self.tenant.state(group))["active"]}
            return len(active) == 2 and own in active and others not in active

        await self.tenant.wait("two servers beside the other's", two_more)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        await self.gone(own)
        await self.tenant.cycle_passes()

        self.assertEqual((await self.books())[others], before)

    async def test_a_copy_with_our_marks_replaces_nobody(self) -> None:
        """
        A server with the exact marks of one that serves (somebody copied its metadata) is not ours:
        the ledger names another id.
        """
        group = await self.tenant.create_group(1, 3)
        [own] = await self.tenant.settled(group, 1)
        [server] = await self.tenant.servers(group)
        copy = await self.tenant.create_foreigner("copy", server["metadata"])
        self.addCleanup(self.tenant.delete_server, copy)
        await self.active(copy)
        before = (await self.books())[copy]
        await self.tenant.cycle_passes()
        state = await self.tenant.state(group)

        self.assertEqual([s["id"] for s in state["active"]], [own])
        self.assertEqual((await self.books())[copy], before)

    async def test_scenario_01_disowned_servers_are_kept(self) -> None:
        """A server whose metadata was stripped counts no longer, is kept, and the group is full."""
        group = await self.tenant.create_group(3, 4)
        [stripped, *_] = await self.tenant.settled(group, 3)
        await self.tenant.compute.expect(
            200, "PUT", f"/servers/{stripped}/metadata", {"metadata": {}}
        )
        self.tenant.foreigners.append(stripped)
        await self.tenant.scale(group, change=5)
        servers = await self.tenant.settled(group, 4)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        for server in servers:
            await self.gone(server)

        self.assertNotIn(stripped, servers)
        self.assertEqual(await self.books(), {stripped: ("ACTIVE", {})})


class UnknownServersTests(OwnershipCase):
    """Servers with our marks that the ledger does not know."""

    async def test_adopted_when_the_group_lives(self) -> None:
        """A server with our marks becomes a member of its living group, in place of a new one."""
        group = await self.tenant.create_group(1, 5)
        [own] = await self.tenant.settled(group, 1)
        deployment = await self.deployment(group)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/pause")
        await self.tenant.set_config(group, 2, 5)
        found = await self.tenant.create_foreigner("found", self.marks(group, deployment))
        await self.active(found)
        await self.tenant.api.expect(204, "POST", f"/groups/{group}/resume")
        servers = await self.tenant.settled(group, 2)
        kinds = {a["kind"] for a in await self.tenant.activities(group)}

        self.assertEqual(set(servers), {own, found})
        self.assertIn("server.adopted", kinds)

    async def test_surplus_when_the_group_is_full(self) -> None:
        """A server with our marks counts at once, so a group that has enough gets rid of one."""
        group = await self.tenant.create_group(2, 2)
        own = await self.tenant.settled(group, 2)
        marks = self.marks(group, await self.deployment(group))
        found = await self.tenant.create_foreigner("found", marks)

        async def two() -> bool:
            return len(await self.books()) == 2

        await self.tenant.wait("the surplus to go", two)
        servers = await self.tenant.settled(group, 2)

        self.assertLess(set(servers), {*own, found})

    async def test_deleted_when_the_group_is_gone(self) -> None:
        """A server with our marks whose group is gone is deleted; its neighbours are not."""
        group = await self.tenant.create_group(1, 5)
        [own] = await self.tenant.settled(group, 1)
        deployment = await self.deployment(group)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        await self.gone(own)
        await self.tenant.cycle_passes()
        pet = await self.tenant.create_foreigner("pet", {})
        lost = await self.tenant.create_foreigner("lost", self.marks(group, deployment))
        await self.gone(lost)

        self.assertIn(pet, await self.books())

    async def test_deleted_when_no_group_is_left_at_all(self) -> None:
        """The same, for a tenant who deleted the last group."""
        group = await self.tenant.create_group(1, 5)
        [own] = await self.tenant.settled(group, 1)
        deployment = await self.deployment(group)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        await self.gone(own)
        lost = await self.tenant.create_foreigner("lost", self.marks(group, deployment))
        await self.gone(lost)

        self.assertEqual(await self.books(), {})


class RemovedServersTests(OwnershipCase):
    """The owner takes one server out of the group, in each of the four ways."""

    async def _remove(
        self, *, minimum: int = 0, replace: bool, purge: bool, default: bool = False
    ) -> tuple[str, str, set[str]]:
        """Remove one of three servers; return the group, that server, and the other two."""
        balancer = await self.tenant.create_balancer()
        target = {"loadBalancerId": balancer, "port": PORT}
        group = await self.tenant.create_group(minimum, 5, balancers=[target])
        if minimum < 3:
            await self.tenant.scale(group, desiredCapacity=3)
        [chosen, *others] = await self.tenant.settled(group, 3)
        await self.tenant.balanced(group, balancer)
        self.tenant.foreigners.append(chosen)
        query = "" if default else f"?replace={replace}&purge={purge}"
        path = f"/groups/{group}/servers/{chosen}{query}"
        answer = await self.tenant.api.call("DELETE", path)

        async def out() -> bool:
            return chosen not in {s["id"] for s in await self.tenant.servers(group)}

        await self.tenant.wait("the server to leave the group", out)
        servers = await self.tenant.settled(group, 3 if replace else 2)
        await self.tenant.balanced(group, balancer)

        self.assertEqual(answer.status, 202)
        self.assertLessEqual(set(others), set(servers))
        self.assertNotIn(chosen, servers)
        return group, chosen, set(others)

    async def _assert_evicted(self, server: str) -> None:
        """The server runs on without a mark of ours."""
        await self.tenant.cycle_passes()
        status, metadata = (await self.books())[server]
        self.assertEqual(status, "ACTIVE")
        self.assertTrue(metadata.keys().isdisjoint(MARK_KEYS))

    async def test_replaced_and_purged(self) -> None:
        """By default the server is deleted and another one made, even at min."""
        _, chosen, _ = await self._remove(minimum=3, replace=True, purge=True, default=True)

        self.assertNotIn(chosen, await self.books())

    async def test_purged(self) -> None:
        """Without replacement the server is deleted and one fewer is wanted."""
        _, chosen, others = await self._remove(replace=False, purge=True)

        self.assertEqual(set(await self.books()), others)
        self.assertNotIn(chosen, others)

    async def test_replaced_and_evicted(self) -> None:
        """Without purge the server runs on, unmarked and off the balancer; another one is made."""
        _, chosen, _ = await self._remove(replace=True, purge=False)

        await self._assert_evicted(chosen)

    async def test_evicted(self) -> None:
        """Neither replaced nor purged: it runs on, and one fewer is wanted."""
        group, chosen, others = await self._remove(replace=False, purge=False)
        await self.tenant.api.expect(204, "DELETE", f"/groups/{group}?force=true")
        for server in others:
            await self.gone(server)

        await self._assert_evicted(chosen)

    async def test_refusals(self) -> None:
        """Below min, unknown, foreign and nonsense are refused, and nothing is touched."""
        group = await self.tenant.create_group(2, 5)
        servers = await self.tenant.settled(group, 2)
        pet = await self.tenant.create_foreigner("pet", {})
        await self.active(pet)
        before = await self.books()
        asked = {
            f"{servers[0]}?replace=false": 403,
            f"{servers[0]}?replace=bad": 400,
            f"{servers[0]}?purge=perhaps": 400,
            f"{uuid4()}": 404,
            pet: 404,
        }
        answers = {
            what: (await self.tenant.api.call("DELETE", f"/groups/{group}/servers/{what}")).status
            for what in asked
        }
        await self.tenant.cycle_passes()
        after = await self.books()

        self.assertEqual(answers, asked)
        self.assertEqual({k: v for k, v in after.items() if k in before}, before)
