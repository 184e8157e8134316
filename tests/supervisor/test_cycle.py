"""One cycle over the groups of a tenant: who takes part, what is recorded, what is handed out."""

from datetime import timedelta
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import DeleteServerJob, Outcome
from otter.cloud.errors import AccessDeniedError, EndpointMissingError, TransientError
from otter.models.activity import ActivityKind
from otter.models.errors import NoSuchGroupError
from otter.models.group import Group
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, ServerId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence, EntryState
from tests.supervisor.stage import UNAVAILABLE, Answer, Stage, quiet, result_of
from tests.supervisor.world import TENANT, an_entry, secs, states

BROKEN = TransientError("HTTP 503", status=503)
REFUSED = Answer(Outcome.INVALID, "Invalid key_name")
SILENT = Answer(outcome=None)


class CycleCase(SynchronousTestCase):
    """A started stage."""

    def setUp(self) -> None:
        """Start without any group."""
        self.stage = Stage()
        self.stage.start()
        self.addCleanup(self.stage.stop)

    def add(self, name: str = "group", desired: int = 1, **more: object) -> Group:
        """Add a group and tell of it; let everything happen that follows at once."""
        group = self.stage.add_group(name, desired, **more)  # type: ignore[arg-type]
        self.stage.tell(group)
        self.stage.run(0.5)
        return group

    def change(self, group: Group, **changes: Any) -> None:
        """Change a group, tell of it, and let what follows happen."""
        self.stage.change(group, **changes)
        self.stage.tell(group)
        self.stage.run(0.5)

    def servers(self) -> int:
        """Return how many servers exist."""
        return len(self.stage.cloud().servers.all())

    def kinds(self, group: Group) -> list[ActivityKind]:
        """Return the kinds of lines in a group's history, oldest first."""
        lines = result_of(self.stage.store.list_activities(TENANT, group.group_id))
        return [line.kind for line in lines][::-1]


class RecordTests(CycleCase):
    """The ledger comes first."""

    def test_an_intent_is_recorded_before_it_is_handed_out(self) -> None:
        """A worker that is faster than the store finds the entry there (S2)."""
        seen: list[list[str]] = []
        perform = self.stage._perform

        async def watch(job: object) -> None:
            group = GroupId("group")
            ledger = await self.stage.store.read_ledger(TENANT, group)
            seen.append(states(ledger.entries.values()))
            await perform(job)  # type: ignore[arg-type]

        self.stage.bus.on_job(watch)
        self.add(desired=2)

        self.assertEqual(seen, [["requested", "requested"]] * 2)

    def test_what_changes_nothing_is_not_written(self) -> None:
        """A group at rest costs a read per sweep and no write."""
        group = self.add()
        self.stage.run(10)
        before = self.stage.store.writes
        self.stage.tell(group)
        self.stage.run(1)

        self.assertEqual(self.stage.store.writes, before)

    def test_history_and_ledger_are_written_together(self) -> None:
        """The lines an owner reads are those of what was recorded, once each."""
        group = self.add()
        self.stage.run(5)
        self.change(group, desired=0)
        self.stage.run(5)

        self.assertEqual(
            self.kinds(group),
            [
                ActivityKind.SERVER_CREATING,
                ActivityKind.SERVER_IN_SERVICE,
                ActivityKind.SERVER_DELETING,
                ActivityKind.SERVER_GONE,
            ],
        )

    def test_a_job_that_is_under_way_is_not_handed_out_again(self) -> None:
        """However often the group is looked at meanwhile."""
        self.stage.answer = SILENT
        group = self.add(desired=3)
        for _ in range(20):
            self.stage.tell(group)
            self.stage.run(1)

        self.assertEqual(self.stage.created(), 3)

    def test_a_deletion_whose_result_got_lost_is_repeated(self) -> None:
        """Some time after its deadline the job is forgotten, and the server is still there."""
        group = self.add()
        self.stage.run(5)
        perform = self.stage.bus._jobs
        assert perform is not None

        async def nobody(_: object) -> None:
            """Lose the job."""

        self.stage.bus.on_job(nobody)
        self.change(group, desired=0)
        self.stage.bus.on_job(perform)
        self.stage.run(170, step=0.5)

        self.assertEqual(self.servers(), 1)
        self.stage.run(60, step=0.5)
        self.assertEqual(self.servers(), 0)


class PausedTests(CycleCase):
    """A paused or suspended group performs no step at all."""

    def test_nothing_triggers_a_step(self) -> None:
        """Notices, results, sweeps: the group sleeps; nothing of it is even looked at."""
        stage = Stage(quiet(sweep=secs(10), mark_poll=secs(2)))
        groups = [
            stage.add_group("paused", 3, paused=True),
            stage.add_group("suspended", 3, suspended=True),
        ]
        stage.start()
        for group in groups:
            stage.tell(group, 3)
        stage.run(60)
        stage.stop()

        self.assertEqual(stage.jobs, [])
        self.assertEqual([stage.entries(g) for g in groups], [[], []])

    def test_what_was_under_way_is_recorded(self) -> None:
        """The server exists; forgetting its id would cost us later."""
        self.stage.answer = SILENT
        group = self.add(desired=1)
        self.stage.change(group, paused=True)
        self.stage.answer = Answer()
        job = self.stage.jobs[0]
        self.stage.bus._hand_over(self.stage._perform, job)
        self.stage.run(5)

        self.assertEqual(states(self.stage.entries(group)), ["building"])
        self.assertEqual(self.stage.marks(), [])

    def test_resuming_goes_on_where_it_was(self) -> None:
        """The change that resumes is an event like any other (scenario 41)."""
        group = self.add(desired=2, paused=True)
        self.change(group, paused=False)

        self.assertEqual(self.stage.created(), 2)

    def test_a_neighbour_is_not_paused(self) -> None:
        """Pausing is each group's own."""
        self.add("paused", paused=True)
        self.add("awake")

        self.assertEqual({j.group_id for j in self.stage.jobs}, {"awake"})

    def test_a_paused_group_can_be_deleted(self) -> None:
        """Its owner wants its servers gone; pausing must not keep them for ever."""
        group = self.add(desired=2)
        self.stage.run(5)
        self.change(group, paused=True)
        self.change(group, deleting=True)
        self.stage.run(5)

        self.assertEqual(self.servers(), 0)
        self.assertRaises(NoSuchGroupError, self.stage.group, group)

    def test_a_pause_that_meets_another_writer_is_waited_out(self) -> None:
        """Results are recorded on what the other one wrote."""
        self.stage.answer = SILENT
        group = self.add(desired=1)
        self.stage.change(group, paused=True)
        self.stage.store.refusals = [UNAVAILABLE]
        self.stage.answer = Answer()
        self.stage.bus._hand_over(self.stage._perform, self.stage.jobs[0])
        self.stage.run(5)

        self.assertEqual(states(self.stage.entries(group)), ["building"])


class BalancerTests(CycleCase):
    """Load balancers that cannot be read."""

    def setUp(self) -> None:
        """Add a group on a load balancer and one without."""
        super().setUp()
        self.balancer = self.stage.cloud().balancers.add()
        item: dict[str, object] = {"loadBalancerId": self.balancer, "port": 80}
        self.on = self.add("on", args={"server": {}, "loadBalancers": [item]})
        self.off = self.add("off")
        self.stage.run(20)

    def test_only_the_groups_that_use_it_sit_out(self) -> None:
        """Half a view of one group is a whole view of another (S7)."""
        self.stage.cloud().fail("get_load_balancer", BROKEN, times=1000)
        before = len(self.stage.jobs)
        self.change(self.on, desired=3)
        self.change(self.off, desired=3)
        self.stage.run(60)

        self.assertEqual({j.group_id for j in self.stage.jobs[before:]}, {"off"})
        self.stage.cloud().heal()
        self.stage.run(20)
        self.assertEqual(len(self.stage.entries(self.on)), 3)

    def test_the_owner_is_told_when_it_lasts(self) -> None:
        """A group that is frozen for long says why; a passing failure is nobody's business."""
        self.stage.cloud().fail("get_load_balancer", BROKEN, times=1000)
        self.change(self.on, desired=3)
        self.stage.run(30)
        early = self.stage.ledger(self.on).convergence.reasons
        self.stage.run(90)
        late = self.stage.ledger(self.on).convergence.reasons
        self.stage.cloud().heal()
        self.stage.run(30)

        self.assertEqual(early, ())
        self.assertEqual(late, (f"Load Balancer {self.balancer} cannot be read",))
        self.assertEqual(self.stage.ledger(self.on).convergence.reasons, ())

    def test_what_jobs_reported_is_recorded_all_the_same(self) -> None:
        """The refusal counts and is shown, so that the next attempt waits its turn (S6)."""
        self.stage.answer = REFUSED
        self.stage.change(self.on, desired=2)
        self.stage.tell(self.on)
        self.stage.run(0.05, step=0.01)
        self.stage.cloud().fail("get_load_balancer", BROKEN, times=1)
        self.stage.run(1)
        record = self.stage.ledger(self.on).convergence

        self.assertEqual(self.stage.cloud().counts["get_load_balancer"] > 0, True)
        self.assertEqual((record.failures, record.reasons), (1, ("Invalid key_name",)))
        self.assertIsNotNone(record.retry_at)


class LockedOutTests(CycleCase):
    """Accounts that cannot be worked with."""

    def test_the_owner_is_told(self) -> None:
        """The account is suspended: ERROR with the reason, and an attempt every minute."""
        group = self.add()
        self.stage.run(5)
        for error in (
            EndpointMissingError("no compute service in your catalog"),
            AccessDeniedError("this account is suspended", status=403),
        ):
            self.stage.cloud().fail("list_servers", error, times=1000)
            before = self.stage.gathered()
            self.stage.tell(group)
            self.stage.run(600, step=0.5)

            self.assertEqual(self.stage.reasons(group), (error.message,))
            self.assertLess(self.stage.gathered() - before, 20)
            self.stage.cloud().heal()
            self.stage.run(120, step=0.5)
            self.assertEqual(self.stage.reasons(group), ())

    def test_other_failures_are_not_the_owners(self) -> None:
        """A cloud that answers 503 is the operator's to hear of."""
        group = self.add()
        self.stage.run(5)
        self.stage.cloud().fail("list_servers", BROKEN, times=1000)
        self.stage.tell(group)
        self.stage.run(600, step=0.5)

        self.assertEqual(self.stage.reasons(group), ())


class FailureTests(CycleCase):
    """Creates that are refused."""

    def test_the_pace_of_retries(self) -> None:
        """Longer and longer waits, one server at a time after a few, and a reason to read."""
        self.stage.answer = REFUSED
        group = self.add(desired=5)
        first = self.stage.created()
        self.stage.run(600, step=0.5)

        self.assertEqual(first, 5)
        self.assertEqual(self.stage.reasons(group), ("Invalid key_name",))
        self.assertLess(self.stage.created() - first, 20)

    def test_a_call_of_the_owner_is_an_attempt_at_once(self) -> None:
        """They repaired the config: no waiting for the end of a backoff, and all is well."""
        self.stage.answer = REFUSED
        group = self.add(desired=5)
        self.stage.run(600, step=0.5)
        before = self.stage.created()
        self.stage.answer = Answer()
        self.change(group, desired=5)

        self.assertEqual(self.stage.created() - before, 5)
        self.stage.run(5)
        self.assertEqual(self.stage.reasons(group), ())
        self.assertEqual(self.kinds(group).count(ActivityKind.RECOVERED), 1)

    def test_replacements_are_bounded(self) -> None:
        """Servers that break as soon as they serve: the group gives up for a while (S6)."""
        stage = Stage(quiet(replacements_per_hour=5))
        group = stage.add_group()
        stage.start()
        stage.tell(group)
        for _ in range(200):
            stage.run(2, step=0.25)
            for server in stage.cloud().servers.all():
                if server.status == "ACTIVE":
                    stage.cloud().servers.set_status(server.server_id, "ERROR")
            stage.tell(group)
        stage.stop()

        self.assertEqual(stage.created(), 6)
        self.assertIn("more than 5 servers", stage.reasons(group)[0])


class DeletedTests(CycleCase):
    """Groups that are deleted or disappear."""

    def test_a_group_is_removed_after_its_servers(self) -> None:
        """Mark, drain, remove: nothing is left that could be orphaned (#1179)."""
        group = self.add(desired=3)
        self.stage.run(5)
        self.stage.cloud().servers.delete_time = secs(4)
        self.change(group, deleting=True)
        self.stage.run(2)

        self.assertTrue(self.stage.group(group).deleting)
        self.stage.run(10)
        self.assertRaises(NoSuchGroupError, self.stage.group, group)
        self.assertEqual((self.servers(), self.stage.marks()), (0, []))

    def test_an_empty_group_is_removed_at_once(self) -> None:
        """There is nothing to wait for."""
        group = self.add(desired=0)
        self.change(group, deleting=True)

        self.assertRaises(NoSuchGroupError, self.stage.group, group)

    def test_a_call_that_comes_between_delays_the_removal(self) -> None:
        """The group moved on while it was being removed: look again, then remove."""
        group = self.add(desired=0)
        remove, calls = self.stage.store.remove_group, []

        async def late(doomed: Group) -> None:
            calls.append(doomed.generation)
            if len(calls) == 1:
                self.stage.change(doomed)
            await remove(doomed)

        self.patch(self.stage.store, "remove_group", late)
        self.change(group, deleting=True)

        self.assertEqual(calls, [2, 3])
        self.assertRaises(NoSuchGroupError, self.stage.group, group)

    def test_a_group_that_disappears_during_its_cycle(self) -> None:
        """Another process removed it: nothing is written, nothing logged as a failure of ours."""
        group = self.add(desired=0)
        self.stage.cloud().latency = secs(1)
        for changes in ({"desired": 1}, {"paused": True}):
            self.stage.change(group, **changes)
            self.stage.tell(group)
            self.stage.run(0.5)
            self.stage.store._groups[TENANT].pop(group.group_id)
            self.stage.run(5)

            self.assertEqual(self.stage.jobs, [])
            self.stage.store._groups[TENANT][group.group_id] = group

    def test_a_late_server_of_a_living_group_is_deleted(self) -> None:
        """It was given up and replaced; when it appears it goes, and the replacement stays."""
        group = self.add()
        self.stage.run(5)
        lost = an_entry("late", EntryState.LOST, group_id=group.group_id)
        self.stage.put_entry(lost)
        late = self.stage.add_server(lost)
        self.stage.tell(group)
        self.stage.run(5)

        self.assertEqual(self.servers(), 1)
        self.assertIn(DeleteServerJob(InstanceId("late"), late), [j.step for j in self.stage.jobs])

    def test_a_server_the_ledger_forgot_becomes_a_member(self) -> None:
        """The store is older than the cloud: one server fewer is made."""
        group = self.stage.add_group(desired=2)
        self.stage.add_server(an_entry("kept", group_id=group.group_id))
        self.stage.tell(group)
        self.stage.run(10)

        self.assertEqual((self.servers(), self.stage.created()), (2, 1))

    def test_two_writers_never_both_act(self) -> None:
        """The ledger moved on while the plan was made: no job of that plan is handed out."""
        group = self.add(desired=0)
        self.stage.cloud().latency = secs(1)
        self.stage.change(group, desired=1)
        self.stage.tell(group)
        self.stage.run(0.5)
        other = Convergence(TENANT, group.group_id, self.stage.ledger(group).convergence.revision)
        made = an_entry("other", EntryState.REQUESTED, age=0, group_id=group.group_id)
        made = evolve(made, changed=made.changed + timedelta(days=36_500))
        result_of(self.stage.store.write_ledger(LedgerWrite(other, (made,))))
        self.stage.run(5)

        self.assertEqual(self.stage.jobs, [])
        self.assertEqual([e.instance_id for e in self.stage.entries(group)], ["other"])


class NamesTests(CycleCase):
    """What the cloud is asked for."""

    def test_only_the_load_balancers_in_use_are_read(self) -> None:
        """An account may have hundreds of others."""
        balancers = self.stage.cloud().balancers
        used, _ = balancers.add(), balancers.add()
        item: dict[str, object] = {"loadBalancerId": used, "port": 80}
        self.add(args={"server": {}, "loadBalancers": [item]})
        self.stage.run(5)
        read = {c.arguments for c in self.stage.cloud().calls if c.method == "get_load_balancer"}

        self.assertEqual(read, {(LoadBalancerId(used),)})

    def test_servers_are_known_by_id(self) -> None:
        """The answer of a create is enough; nobody needs to find the server first."""
        group = self.add()

        self.assertEqual(
            {e.server_id for e in self.stage.entries(group)},
            {ServerId(s.server_id) for s in self.stage.cloud().servers.all()},
        )
