"""Suspended groups sleep; what a whole process measures while groups converge."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import TransientError
from otter.cloud.fake import Fault
from otter.models.ledger import EntryState
from otter.supervisor.settings import SupervisorSettings
from tests.simulation.world import SimulatedOtter, seconds

SETTINGS = SupervisorSettings(
    build_timeout=seconds(20), sweep=seconds(5), retry_first=seconds(1), retry_max=seconds(5)
)
WHILE = 60.0


class SuspendedTests(SynchronousTestCase):
    """A group that is flagged (rest-api.md 3.17) is left alone like a paused one."""

    def setUp(self) -> None:
        """Let a group of two settle, and suspend it."""
        self.otter = SimulatedOtter(settings=SETTINGS)
        self.addCleanup(self.otter.stop)
        self.group = self.otter.create_group(2)
        self.otter.run_until(lambda: self.otter.settled(self.group), WHILE)
        self.otter.change(self.group, suspended=True)

    def test_asleep(self) -> None:
        """Whatever is lost or wanted, nothing is created or deleted, sweeps or not."""
        first, second = self.otter.servers(self.group)
        self.otter.cloud.servers.kill(first.server_id)
        self.otter.change(self.group, desired=5)
        self.otter.run(WHILE)
        self.assertEqual([s.server_id for s in self.otter.servers(self.group)], [second.server_id])

        self.otter.change(self.group, desired=0)
        self.otter.run(WHILE)
        self.assertEqual(len(self.otter.servers(self.group)), 1)

    def test_awake_again(self) -> None:
        """Without the flag the group makes up for what it slept through."""
        self.otter.cloud.servers.kill(self.otter.servers(self.group)[0].server_id)
        self.otter.run(WHILE)

        self.otter.change(self.group, suspended=False, desired=3)

        self.otter.run_until(lambda: self.otter.settled(self.group), WHILE)

    def test_deleted(self) -> None:
        """Deleting is no step that waits: a suspended tenant can leave."""
        self.otter.change(self.group, deleting=True, desired=0)

        self.otter.run_until(lambda: not self.otter.servers(self.group), WHILE)

    def test_half_way(self) -> None:
        """What was asked for before is remembered, so that nothing is doubled afterwards."""
        group = self.otter.create_group(4)
        self.otter.cloud.servers.build_time = seconds(5)
        self.otter.run_until(lambda: len(self.otter.servers(group)) == 4, WHILE)
        self.otter.change(group, suspended=True)
        self.otter.run(WHILE)
        building = self.otter.entries(group, EntryState.REQUESTED, EntryState.BUILDING)
        self.assertEqual(len(building) + self.otter.serving(group), 4)

        self.otter.change(group, suspended=False)
        self.otter.run_until(lambda: self.otter.settled(group), WHILE)

        self.assertEqual(self.otter.cloud.servers.max_seen[group], 4)


class MeasuredTests(SynchronousTestCase):
    """Supervisor and worker tell the metrics what they do."""

    def setUp(self) -> None:
        """Start a process."""
        self.otter = SimulatedOtter(settings=SETTINGS)
        self.addCleanup(self.otter.stop)
        self.supervisor = self.otter.supervisor._metrics
        self.worker = self.otter.worker._metrics

    def test_converging(self) -> None:
        """Cycles, jobs by step, and marks that come and go."""
        self.otter.cloud.servers.build_time = seconds(10)
        group = self.otter.create_group(3)
        self.otter.run(6)
        self.assertEqual(self.supervisor.value("otter_dirty_marks"), 1)
        self.assertGreater(self.supervisor.value("otter_oldest_dirty_mark_seconds"), 0)

        self.otter.run_until(lambda: self.otter.settled(group), WHILE)
        self.otter.run(10)

        self.assertEqual(self.supervisor.value("otter_dirty_marks"), 0)
        self.assertGreater(self.supervisor.value("otter_cycle_duration_seconds_count"), 0)
        self.assertEqual(
            self.worker.value("otter_jobs_total", step="CreateServerJob", outcome="done"), 3
        )
        self.assertEqual(
            self.worker.value("otter_job_duration_seconds_count", step="CreateServerJob"), 3
        )
        self.assertEqual(self.worker.value("otter_jobs_waiting"), 0)

    def test_trouble(self) -> None:
        """A cloud that does not answer postpones cycles, by the name of its error."""
        self.otter.cloud.ask = lambda _: Fault(TransientError("no answer"))
        self.otter.create_group(1)
        self.otter.run(10)

        postponed = self.supervisor.value("otter_cycles_postponed_total", reason="TransientError")
        self.assertGreater(postponed, 0)
