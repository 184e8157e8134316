"""
The live service against its own description: schemathesis makes requests from the OpenAPI document
that the service hands out, good ones and bad ones, and holds every answer to the same document.

It runs as its users run it, as a program; ``schema_hooks`` is what it has to know besides. Bounded
here; ``make fuzz`` lets it run for longer.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from otter.testing.processes import RunningService, eventually
from otter.testing.stack import FAST, start_minicloud, start_otter
from tests.acceptance.schema_hooks import STATUSES
from tests.acceptance.schema_targets import Target, configuration, make_targets
from tests.acceptance.world import Stack, make_tenant
from tests.effort import factor

ROOT = Path(__file__).resolve().parents[2]
LONG = timedelta(seconds=6) * factor() if factor() > 1 else None
"""How long a run goes on when there is time."""

PATIENCE = timedelta(minutes=3) + (LONG or timedelta())
SERVERS_MAX = 20
"""What schemathesis orders by the thousand, the quota refuses: machines have other things to do."""

SETTINGS: Mapping[str, Mapping[str, Any]] = {"rates": {"enabled": False}}
DOCUMENT = "/v1.0/openapi.json"
WITHOUT_TOKEN = {"GET /", "GET /health", "POST /v1.0/execute/{version}/{hash}"}
"""Operations that do not ask identity."""


@frozen
class Run:
    """
    A run of schemathesis that has ended.

    :ivar status: its exit status.
    :ivar statuses: which of its answers had which status, and how many, by operation.
    """

    status: int
    output: str
    statuses: Mapping[str, Mapping[str, int]]

    def answered(self, operation: str) -> set[int]:
        """Return the statuses an operation answered with."""
        return {int(status) for status in self.statuses.get(operation, ())}


class SchemathesisTests(TestCase):
    """Runs of schemathesis, each on a service of its own."""

    timeout = PATIENCE.total_seconds() + 60

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """Start the services, and make a tenant."""
        return Deferred.fromCoroutine(self._set_up())

    async def _set_up(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="otter-schemathesis-")
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        cloud = await start_minicloud(reactor, self.directory / "cloud", "--driver", "fake")
        self.addCleanup(cloud.process.end_at_once)
        self.otter = await start_otter(reactor, self.directory / "otter", cloud, FAST, SETTINGS)
        self.addCleanup(self.otter.process.end_at_once)
        self.tenant = await make_tenant(Stack(cloud, self.otter))
        self.token = await self.tenant.new_token()
        self.cloud = cloud

    async def run_it(
        self, targets: Mapping[str, Target], *options: str, faults: Sequence[int] = ()
    ) -> Run:
        """Let schemathesis run; return what came of it."""
        quota = {"instances": SERVERS_MAX}
        await self.tenant.control.call("PUT", f"/quotas/{self.tenant.project}", quota)
        known = self.cloud.credentials
        image, flavor = known["images"][0]["id"], known["flavors"][0]["id"]
        text = configuration(self.tenant.project, image, flavor, targets, faults=faults)
        config, statuses = self.directory / "st.toml", self.directory / "statuses.json"
        config.write_text(text, "utf-8")
        command = ["env", f"{STATUSES}={statuses}", f"PYTHONPATH={ROOT}"]
        command += [str(Path(sys.executable).with_name("st")), f"--config-file={config}", "run"]
        command += [self.otter.base_url + DOCUMENT, "--no-color"]
        command += ["--continue-on-failure", f"--header=X-Auth-Token: {self.token}", *options]
        log = self.directory / "st.log"
        process = RunningService(reactor, "schemathesis", command, log)
        self.addCleanup(process.end_at_once)

        async def ended() -> bool:
            return process.ended

        await eventually(reactor, "the end of schemathesis", ended, timeout=PATIENCE)
        counts = json.loads(statuses.read_text("utf-8")) if statuses.exists() else {}
        return Run(process.status or 0, log.read_text("utf-8", "replace"), counts)

    async def judge(self, run: Run) -> None:
        """Nothing that schemathesis calls a failure, and nothing in the log that is no business."""
        self.assertEqual(run.status, 0, run.output[-20_000:])
        described = await self.tenant.api.expect(200, "GET", self.otter.base_url + DOCUMENT)
        operations = {
            f"{method.upper()} {path}"
            for path, item in described["paths"].items()
            for method in item
            if method != "parameters" and path != DOCUMENT  # which schemathesis has read already
        }
        self.assertEqual(set(run.statuses), operations)
        self.assertFalse(self.otter.process.ended)
        log = self.otter.process.log.read_text("utf-8", "replace")
        at = log.find("Traceback")
        self.assertEqual(at, -1, log[max(at - 500, 0) : at + 3000])
        self.assertNotIn(self.token, log)

    def lengths(self, count: int) -> tuple[str, ...]:
        """Return the options that say how long to go on, ``count`` being examples if not long."""
        if LONG is None:
            return ("--max-examples", str(count))
        return ("--max-time", str(int(LONG.total_seconds())))

    def test_what_is_there(self) -> Deferred[None]:
        """
        With ids of what exists, so that requests get as far as they can: every operation succeeds
        at least once, none fails for a reason that is not in the document.
        """

        async def check() -> None:
            targets = await make_targets(self.tenant)
            phases = "--phases=examples,coverage,fuzzing"
            run = await self.run_it(targets, phases, *self.lengths(20))
            await self.judge(run)
            failing = {
                operation: sorted(run.answered(operation))
                for operation in run.statuses
                if not run.answered(operation) & {200, 201, 202, 204, 501}
            }
            self.assertEqual(failing, {})

        return Deferred.fromCoroutine(check())

    def test_what_is_made_up_or_made(self) -> Deferred[None]:
        """With ids of any kind, and with those of what earlier requests have made."""

        async def check() -> None:
            run = await self.run_it({}, "--phases=fuzzing,stateful", *self.lengths(20))
            await self.judge(run)

        return Deferred.fromCoroutine(check())

    def test_while_identity_is_down(self) -> Deferred[None]:
        """Nobody gets in: 503 in the words of the document, whatever is asked."""

        async def check() -> None:
            targets = await make_targets(self.tenant)
            self.token = await self.tenant.new_token()
            fault = {"operation": "validate", "count": 1_000_000, "status": 500}
            await self.tenant.control.expect(201, "POST", "/faults", fault)
            run = await self.run_it(
                targets, "--phases=examples,fuzzing", "--max-examples=3", faults=[503]
            )
            await self.judge(run)
            for operation in set(run.statuses) - WITHOUT_TOKEN:
                self.assertEqual(run.answered(operation) - {401}, {503}, operation)

        return Deferred.fromCoroutine(check())
