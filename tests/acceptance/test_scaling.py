"""Groups grow and shrink as their policies, webhooks and config say, and tell what happened."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from otter.testing.client import Answer, Client
from tests.acceptance import world
from tests.acceptance.watching import Watcher

HITS = 200


class ScalingTests(world.AcceptanceTestCase):
    """What a group's owner asks for, happens in the cloud."""

    timeout = 90

    async def test_a_life(self) -> None:
        """A group is created, grows, shrinks to its bounds, empties, is deleted: nothing stays."""
        group = await self.tenant.create_group(minimum=2, maximum=5)
        watcher = Watcher(self.tenant, group, 5)
        self.addCleanup(watcher.stop)
        first = await self.tenant.settled(group, 2)
        await self.tenant.scale(group, change=2)
        grown = await self.tenant.settled(group, 4)
        await self.tenant.scale(group, changePercent=200)
        full = await self.tenant.settled(group, 5)
        await self.tenant.scale(group, change=-100)
        shrunk = await self.tenant.settled(group, 2)
        await self.tenant.set_config(group, 0, 5)
        await self.tenant.scale(group, desiredCapacity=0)
        await self.tenant.settled(group, 0)
        deleted = await self.tenant.api.call("DELETE", f"/groups/{group}")
        after = await self.tenant.api.call("GET", f"/groups/{group}")
        await watcher.stop()

        self.assertLess(set(first), set(grown))
        self.assertLess(set(grown), set(full))
        self.assertLess(set(shrunk), set(full))
        self.assertTrue(set(shrunk).isdisjoint(first), "the oldest go first")
        self.assertEqual(watcher.seen, set(full))
        self.assertEqual((deleted.status, after.status), (204, 404))

    async def test_config_moves_the_group(self) -> None:
        """Raising min and lowering max take effect in the cloud without any policy."""
        group = await self.tenant.create_group(0, 10)
        await self.tenant.set_config(group, 3, 10)
        await self.tenant.settled(group, 3)
        await self.tenant.set_config(group, 0, 10)
        await self.tenant.settled(group, 3)
        await self.tenant.set_config(group, 0, 1)

        self.assertEqual(len(await self.tenant.settled(group, 1)), 1)

    async def test_a_full_group_is_not_deleted_without_force(self) -> None:
        """A group that wants servers is deleted only by force, and then nothing is left."""
        group = await self.tenant.create_group(2)
        await self.tenant.settled(group, 2)
        refused = await self.tenant.api.call("DELETE", f"/groups/{group}")
        forced = await self.tenant.api.call("DELETE", f"/groups/{group}?force=true")
        gone = await self.tenant.api.call("GET", f"/groups/{group}/state")

        async def empty() -> bool:
            return not await self.tenant.existing()

        await self.tenant.wait("an empty cloud", empty)

        self.assertEqual((refused.status, forced.status, gone.status), (403, 204, 404))

    async def test_servers_are_as_the_launch_config_says(self) -> None:
        """The owner's name and metadata are on the server, beside the marks old tools look for."""
        server = {"name": "shop", "metadata": {"owner": "me"}}
        group = await self.tenant.create_group(1, server=server)
        await self.tenant.settled(group, 1)
        [found] = await self.tenant.servers(group)

        self.assertRegex(found["name"], r"\Ashop-.+")
        self.assertEqual(found["metadata"]["owner"], "me")
        self.assertEqual(found["metadata"]["rax:autoscale:group:id"], group)

    async def test_a_new_launch_config_is_for_new_servers(self) -> None:
        """Servers that run are left alone; those made later follow the new launch config."""
        group = await self.tenant.create_group(1)
        [old] = await self.tenant.settled(group, 1)
        launch = await self.tenant.api.expect(200, "GET", f"/groups/{group}/launch")
        changed = launch["launchConfiguration"]
        changed["args"]["server"]["name"] = "newer"
        await self.tenant.api.expect(204, "PUT", f"/groups/{group}/launch", changed)
        await self.tenant.scale(group, change=1)
        await self.tenant.settled(group, 2)
        names = {s["id"]: s["name"] for s in await self.tenant.servers(group)}

        self.assertTrue(names.pop(old).startswith("web-"))
        [newer] = names.values()
        self.assertTrue(newer.startswith("newer-"))


class StormTests(world.AcceptanceTestCase):
    """Many callers at once."""

    timeout = 120

    async def test_concurrent_hits_all_count(self) -> None:
        """200 simultaneous anonymous hits of change 1 are 200 servers, and 200 lines of history."""
        group = await self.tenant.create_group(0, 1000)
        policy = await self.tenant.add_policy(group, change=1)
        webhook = await self.tenant.add_webhook(group, policy)
        anybody = Client(reactor, "")
        hits = [Deferred.fromCoroutine(anybody.call("POST", webhook)) for _ in range(HITS)]
        answers: list[Answer] = await gatherResults(hits)
        desired = (await self.tenant.state(group))["desiredCapacity"]
        servers = await self.tenant.settled(group, HITS)
        lines = await self.tenant.activities(group)
        executed = [a["details"]["desired_after"] for a in lines if a["kind"] == "policy.executed"]

        self.assertEqual({a.status for a in answers}, {202})
        self.assertEqual(desired, HITS)
        self.assertEqual(len(servers), HITS)
        self.assertEqual(sorted(executed), list(range(1, HITS + 1)))

    async def test_executions_and_lookers_at_once(self) -> None:
        """Policies up and down at the same time add up, and no read in between is inconsistent."""
        group = await self.tenant.create_group(0, 1000)
        await self.tenant.scale(group, desiredCapacity=10)
        up = await self.tenant.add_policy(group, change=3)
        down = await self.tenant.add_policy(group, change=-2)
        paths = [f"/groups/{group}/policies/{policy}/execute" for policy in (up, down) * 8]
        calls = [Deferred.fromCoroutine(self.tenant.api.call("POST", path)) for path in paths]
        reads = [Deferred.fromCoroutine(self.tenant.state(group)) for _ in range(8)]
        answers = await gatherResults(calls)
        states = await gatherResults(reads)
        accepted = [a.status for a in answers].count(202)
        servers = await self.tenant.settled(group, 18)

        self.assertEqual(accepted, len(paths))
        self.assertEqual(len(servers), 18)
        for state in states:
            total = state["activeCapacity"] + state["pendingCapacity"]
            self.assertEqual(total, state["desiredCapacity"])


class HistoryTests(world.AcceptanceTestCase):
    """The history answers "why", for every kind of thing that happens."""

    timeout = 60

    async def test_history_says_what_and_why(self) -> None:
        """Executed, refused and healed are told apart, each with its actor and its reason."""
        group = await self.tenant.create_group(1, 2)
        await self.tenant.settled(group, 1)
        policy = await self.tenant.add_policy(group, change=1, cooldown=300)
        path = f"/groups/{group}/policies/{policy}/execute"
        first = await self.tenant.api.call("POST", path)
        hurried = await self.tenant.api.call("POST", path)
        at_max = await self.tenant.execute(group, change=5)
        lost, broken = await self.tenant.settled(group, 2)
        await self.tenant.delete_server(lost)
        await self.tenant.set_status(broken, "ERROR")
        await self.tenant.replaced(group, {lost, broken})
        await self.tenant.settled(group, 2)
        lines = await self.tenant.activities(group)
        by_kind = {kind: [a for a in lines if a["kind"] == kind] for kind in _kinds(lines)}
        [executed] = by_kind["policy.executed"]
        reasons = [a["reason"] for a in reversed(by_kind["policy.refused"])]
        about = {
            server: " ".join(a["reason"] for a in lines if a["details"].get("id") == server)
            for server in (lost, broken)
        }

        self.assertEqual((first.status, hurried.status, at_max.status), (202, 403, 403))
        self.assertEqual(executed["actor"], f"user {self.tenant.user}")
        self.assertIn("from 1 to 2", executed["reason"])
        self.assertIn("cooldown", reasons[0])
        self.assertEqual(len(reasons), 2)
        self.assertNotEqual(reasons[0], reasons[1])
        self.assertIn("deleted by somebody else", about[lost])
        self.assertIn("the cloud reports ERROR", about[broken])
        self.assertEqual(len(by_kind["server.in_service"]), 4)
        self.assertEqual(len(by_kind["group.created"]), 1)

    async def test_history_comes_in_pages(self) -> None:
        """Following the links yields every line once, newest first."""
        group = await self.tenant.create_group(0, 10)
        for _ in range(5):
            await self.tenant.add_policy(group, change=1)
        whole = await self.tenant.activities(group)
        found = []
        href = f"/groups/{group}/activities?limit=2"
        while href:
            page = await self.tenant.api.expect(200, "GET", href)
            found.extend(page["activities"])
            href = next((link["href"] for link in page["activities_links"]), "")

        self.assertEqual(found, whole)
        self.assertEqual([a["kind"] for a in whole], ["policy.created"] * 5 + ["group.created"])


def _kinds(lines: list[dict[str, str]]) -> set[str]:
    return {line["kind"] for line in lines}
