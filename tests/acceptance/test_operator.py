"""The operators' listener of a running process: suspending tenants, metrics, the API's document."""

from datetime import timedelta

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from otter.testing.client import Client
from tests.acceptance import world
from tools.openapi import document

TEXT = {"Accept": "text/plain"}
JSON = {"Accept": "application/json"}


class OperatorTests(world.AcceptanceTestCase):
    """What operators can do, and nobody else."""

    timeout = 60

    @property
    def operator(self) -> Client:
        """Somebody who reaches the operators' listener, and has no token."""
        return Client(reactor, self.tenant.stack.otter.operator_url)

    @property
    def suspension(self) -> str:
        """The path of this tenant's suspension."""
        return f"/tenants/{self.tenant.project}/suspension"

    async def metric(self, sample: str) -> float:
        """Return one sample, 0 if there is none."""
        answer = await self.operator.call("GET", "/metrics", headers=TEXT)
        found = [line for line in answer.text.splitlines() if line.startswith(f"{sample} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    async def test_suspending(self) -> None:
        """
        A suspended tenant's groups stand still while servers die; afterwards they catch up.

        That nothing happens is shown by another tenant's group, which loses a server and gets it
        back meanwhile, sweeps included.
        """
        group = await self.tenant.create_group(1)
        [lost] = await self.tenant.settled(group, 1)
        answer = await self.operator.expect(200, "PUT", self.suspension)
        self.assertEqual((answer["groups"], answer["changed"]), (1, 1))

        await self.tenant.delete_server(lost)
        refused = await self.tenant.execute(group, change=1)
        other = await world.make_tenant(self.tenant.stack)
        self.addCleanup(lambda: Deferred.fromCoroutine(other.clean_up()))
        await other.cycle_passes()

        self.assertEqual(refused.body["error"]["type"], "TenantSuspendedError")
        self.assertEqual(await self.tenant.servers(group), [])

        answer = await self.operator.expect(200, "DELETE", self.suspension)
        self.assertEqual((answer["suspended"], answer["changed"]), (0, 1))
        await self.tenant.settled(group, 1)
        told = {(a["kind"], a["actor"]) for a in await self.tenant.activities(group)}
        self.assertLessEqual(
            {("group.suspended", "operator"), ("group.unsuspended", "operator")}, told
        )

    async def test_metrics(self) -> None:
        """What the process did shows in its metrics, all roles included; its census counts."""
        created = 'otter_jobs_total{outcome="done",step="CreateServerJob"}'
        calls = 'otter_cloud_calls_total{outcome="2xx",service="compute"}'
        accepted = 'otter_executions_total{outcome="accepted",source="webhook"}'
        names = (created, calls, accepted, "otter_store_commit_size_count")
        before = [await self.metric(name) for name in names]
        group = await self.tenant.create_group()
        policy = await self.tenant.add_policy(group, change=1)
        hook = await self.tenant.add_webhook(group, policy)
        await self.tenant.api.call("POST", hook)
        await self.tenant.settled(group, 1)
        after = [await self.metric(name) for name in names]

        self.assertTrue(all(new > old for old, new in zip(before, after, strict=True)))
        for name in ("otter_cycle_duration_seconds_count", "process_resident_memory_bytes"):
            self.assertGreater(await self.metric(name), 0, name)

        async def counted() -> bool:
            answer = await self.operator.call("GET", "/metrics", headers=JSON)
            counts = {metric["id"]: metric["value"] for metric in answer.body["metrics"]}
            return min((*counts.values(), 1)) > 0 and len(counts) == 3

        await self.tenant.wait("the census", counted, timedelta(seconds=10))

    async def test_not_public(self) -> None:
        """The public listener knows none of it, whoever asks; the document is for everybody."""
        public = Client(reactor, self.tenant.stack.otter.base_url)
        statuses = [
            (await public.call("GET", path)).status
            for path in ("/metrics", self.suspension, "/kill-switch")
        ]
        served = await public.expect(200, "GET", "/v1.0/openapi.json")

        self.assertEqual(statuses, [404, 404, 404])
        self.assertEqual(served["paths"], document()["paths"])
        self.assertEqual(served["servers"], [{"url": public.root}])
        self.assertEqual((await self.operator.call("GET", "/kill-switch")).status, 501)
        self.assertTrue((await self.operator.expect(200, "GET", "/health"))["healthy"])
