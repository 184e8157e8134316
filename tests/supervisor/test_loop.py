"""When cycles run: events in, one cycle at a time, trouble waited out, nothing lost."""

from itertools import pairwise

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Outcome
from otter.cloud.errors import TransientError
from otter.models.errors import ConflictError
from otter.models.group import Group
from otter.models.ids import GroupId, TenantId
from otter.models.ledger import EntryState, LedgerEntry
from otter.supervisor.loop import TROUBLE_MAX
from tests.supervisor.stage import OVERTAKEN, UNAVAILABLE, Answer, Stage, quiet, result_of
from tests.supervisor.world import TENANT, secs

OTHER = TenantId("other")
BROKEN = TransientError("HTTP 503", status=503)


class EventTests(SynchronousTestCase):
    """Note [One more cycle]."""

    def setUp(self) -> None:
        """Start with a group at rest."""
        self.stage = Stage()
        self.group = self.stage.add_group(desired=0)
        self.stage.start()
        self.stage.tell(self.group)
        self.stage.run(1)
        self.before = self.stage.gathered()

    def cycles(self) -> int:
        """Return how many cycles ran since the beginning of the test."""
        return self.stage.gathered() - self.before

    def test_the_first_event_starts_a_cycle_at_once(self) -> None:
        """Within the turns of the reactor that the bus takes, no time passes."""
        self.stage.tell(self.group)
        self.stage.run(0.003, step=0.001)

        self.assertEqual(self.cycles(), 1)

    def test_a_burst_before_a_cycle_is_one_cycle(self) -> None:
        """A thousand webhooks are one look at the world."""
        self.stage.tell(self.group, 1000)
        self.stage.run(30)

        self.assertEqual(self.cycles(), 1)

    def test_a_burst_during_a_cycle_is_one_more(self) -> None:
        """The cycle under way may have read the group before the last change."""
        self.stage.cloud().latency = secs(2)
        self.stage.tell(self.group)
        self.stage.run(1)
        self.stage.tell(self.group, 50)
        self.stage.run(0.5)
        self.stage.tell(self.group, 50)
        self.stage.run(30)

        self.assertEqual(self.cycles(), 2)

    def test_cycles_of_one_tenant_never_overlap(self) -> None:
        """Two groups of a tenant, events all the time, a slow cloud: one listing at a time."""
        other = self.stage.add_group("other", desired=0)
        self.stage.cloud().latency = secs(0.7)
        for _ in range(60):
            self.stage.tell(self.group)
            self.stage.tell(other)
            self.stage.run(0.2)
        calls = [c.at for c in self.stage.cloud().calls if c.method == "list_servers"]
        gaps = [later - earlier for earlier, later in pairwise(calls[-10:])]

        self.assertGreater(len(calls), 10)
        self.assertGreaterEqual(min(gaps), secs(0.7))

    def test_cycles_leave_room_for_others(self) -> None:
        """The gap after a cycle grows with what it took: half as long (S8)."""
        self.stage.cloud().latency = secs(4)
        for _ in range(200):
            self.stage.tell(self.group)
            self.stage.run(0.1)
        calls = [c.at for c in self.stage.cloud().calls if c.method == "list_servers"]

        self.assertGreaterEqual(calls[-1] - calls[-2], secs(6))

    def test_a_group_at_rest_is_not_looked_at(self) -> None:
        """Without an event nothing happens till the sweep."""
        self.stage.run(600, step=1)

        self.assertEqual(self.cycles(), 0)

    def test_groups_of_a_tenant_share_a_look(self) -> None:
        """One listing for all groups that want a cycle."""
        groups = [self.stage.add_group(f"g{n}", desired=0) for n in range(20)]
        for group in groups:
            self.stage.tell(group)
        self.stage.run(5)

        self.assertEqual(self.cycles(), 1)

    def test_more_groups_than_one_cycle_takes_follow_in_the_next(self) -> None:
        """None is left out, and none takes part twice."""
        groups = [self.stage.add_group(f"g{n:03}", desired=1) for n in range(150)]
        self.stage.answer = Answer(outcome=None)
        for group in groups:
            self.stage.tell(group)
        self.stage.run(0.5)

        self.assertEqual(self.cycles(), 2)
        self.assertEqual(len({j.group_id for j in self.stage.jobs}), 150)
        self.assertEqual(len(self.stage.jobs), 150)


class TroubleTests(SynchronousTestCase):
    """Clouds and stores that do not answer."""

    def setUp(self) -> None:
        """Start with a group at rest."""
        self.stage = Stage()
        self.group = self.stage.add_group(desired=0)
        self.stage.start()
        self.stage.tell(self.group)
        self.stage.run(1)

    def test_a_failing_gather_is_tried_less_and_less_often(self) -> None:
        """An outage is not made worse, and a minute after it everything runs (S5, S6)."""
        before = self.stage.gathered()
        self.stage.cloud().fail("list_servers", BROKEN, times=1000)
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(600, step=0.25)
        attempts = self.stage.gathered() - before

        self.assertLess(attempts, 20)
        self.assertEqual(self.stage.jobs, [])
        self.stage.cloud().heal()
        self.stage.run(TROUBLE_MAX.total_seconds() + 1)
        self.assertEqual(self.stage.created(), 1)

    def test_events_do_not_shorten_the_wait(self) -> None:
        """A webhook a second during an outage is not a listing a second."""
        before = self.stage.gathered()
        self.stage.cloud().fail("list_servers", BROKEN, times=1000)
        for _ in range(120):
            self.stage.tell(self.group)
            self.stage.run(1, step=0.5)

        self.assertLess(self.stage.gathered() - before, 12)

    def test_a_failing_gather_loses_no_mark(self) -> None:
        """The mark stays in the store until a cycle has looked at what it marks."""
        self.stage.cloud().fail("list_servers", BROKEN, times=3)
        self.stage.change(self.group, desired=0)
        self.stage.tell(self.group)
        self.stage.run(1)

        self.assertEqual(len(self.stage.marks()), 1)
        self.stage.run(30)
        self.assertEqual(self.stage.marks(), [])

    def test_a_failing_gather_loses_no_result(self) -> None:
        """What a job reported is kept till it is in the ledger."""
        self.stage.answer = Answer(Outcome.INVALID, "Invalid key_name")
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(0.05, step=0.01)
        self.stage.cloud().fail("list_servers", BROKEN, times=3)
        self.stage.run(30)

        self.assertEqual(self.stage.reasons(self.group), ("Invalid key_name",))

    def test_a_store_that_does_not_answer_is_waited_for(self) -> None:
        """No plan is carried out that was not recorded, and none is lost."""
        self.stage.store.refusals = [UNAVAILABLE, UNAVAILABLE]
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(1)

        self.assertEqual(self.stage.jobs, [])
        self.stage.run(10)
        self.assertEqual(self.stage.created(), 1)

    def test_a_plan_that_was_overtaken_is_thrown_away(self) -> None:
        """Somebody else wrote first: nothing of the plan is carried out, the next one is."""
        self.stage.store.refusals = [OVERTAKEN]
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(0.04, step=0.01)

        self.assertEqual(self.stage.jobs, [])
        self.stage.run(0.5)
        self.assertEqual(self.stage.created(), 1)

    def test_a_result_outlives_being_overtaken(self) -> None:
        """It is applied to what the other one wrote."""
        self.stage.answer = Answer(Outcome.QUOTA, "full")
        self.stage.change(self.group, desired=1)
        self.stage.store.refusals = [None, OVERTAKEN, OVERTAKEN]
        self.stage.tell(self.group)
        self.stage.run(2)

        self.assertEqual(self.stage.store.refusals, [])
        self.assertEqual(self.stage.reasons(self.group), ("full",))

    def test_a_failure_of_ours_is_logged_and_waited_out(self) -> None:
        """Whatever it was, the loop goes on."""
        self.stage.store.refusals = [ZeroDivisionError("a bug")]
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(60)

        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.stage.created(), 1)

    def test_one_groups_failure_does_not_stop_its_neighbours(self) -> None:
        """A group that makes us fail, again and again, delays nobody else of its tenant."""
        poison: dict[str, object] = {"server": {}, "notify": [{"no": "url"}]}
        bad = self.stage.add_group("a-poison", args=poison)
        good = [self.stage.add_group(name) for name in ("b", "c")]
        for group in (bad, *good):
            self.stage.tell(group)
        self.stage.run(2)

        self.assertEqual({j.group_id for j in self.stage.jobs}, {"b", "c"})
        self.stage.run(58)
        logged = len(self.flushLoggedErrors(KeyError))
        self.assertGreater(logged, 0)
        self.assertLess(logged, 20)

    def test_a_group_that_cannot_be_read_does_not_stop_its_neighbours(self) -> None:
        """One row that a bug or a disk spoilt is one group's trouble."""
        read = self.stage.store.get_group

        async def spoilt(tenant_id: TenantId, group_id: GroupId) -> Group:
            if group_id == "a-spoilt":
                raise ValueError("not a record")
            return await read(tenant_id, group_id)

        self.patch(self.stage.store, "get_group", spoilt)
        for name in ("a-spoilt", "b"):
            self.stage.tell(self.stage.add_group(name))
        self.stage.run(60)

        self.assertEqual({j.group_id for j in self.stage.jobs}, {"b"})
        self.assertIn(len(self.flushLoggedErrors(ValueError)), range(1, 20))

    def test_a_failure_outside_of_any_group_is_waited_out(self) -> None:
        """The tenant is tried again, less and less often, and every time in vain is logged."""
        list_orphans = self.stage.store.list_orphans

        async def broken(*_: object, **__: object) -> list[LedgerEntry]:
            raise ValueError("a bug")

        self.patch(self.stage.store, "list_orphans", broken)
        for _ in range(100):
            self.stage.supervisor._loop(TENANT).sweep([self.group.group_id])
            self.stage.run(1, step=0.25)
        self.assertIn(len(self.flushLoggedErrors(ValueError)), range(3, 12))

        self.patch(self.stage.store, "list_orphans", list_orphans)
        self.stage.change(self.group, desired=1)
        self.stage.tell(self.group)
        self.stage.run(61)
        self.assertEqual(self.stage.created(), 1)


class MarkTests(SynchronousTestCase):
    """Note [Dirty marks]."""

    def setUp(self) -> None:
        """Start with a group at rest, and a supervisor that reads marks."""
        self.stage = Stage(quiet(mark_poll=secs(5)))
        self.group = self.stage.add_group(desired=0)
        self.stage.start()
        self.stage.run(1)

    def test_a_lost_notice_is_found_by_its_mark(self) -> None:
        """The mark was written with the change; losing the message costs seconds (S4)."""
        self.stage.change(self.group, desired=1)
        self.stage.run(5.1)

        self.assertEqual(self.stage.created(), 1)

    def test_a_mark_is_cleared_when_the_group_is_at_rest(self) -> None:
        """Not before: what is under way must be found again after a crash."""
        self.stage.answer = Answer(outcome=None)
        self.stage.change(self.group, desired=1)
        self.stage.run(20)

        self.assertEqual(len(self.stage.marks()), 1)
        self.stage.change(self.group, desired=0, mark=False)
        self.stage.run(200, step=0.25)
        self.assertEqual(self.stage.marks(), [])

    def test_a_mark_ahead_of_its_group_is_settled(self) -> None:
        """Its writer died before the write: the generation is raised, the mark cleared."""
        self.stage.put_mark(self.group, generation=2)
        self.stage.run(6)

        self.assertEqual(self.stage.group(self.group).generation, 2)
        self.assertEqual(self.stage.marks(), [])

    def test_a_late_writer_must_start_over(self) -> None:
        """It was only slow: its write conflicts, so its change comes with a new mark."""
        self.stage.put_mark(self.group, generation=2)
        self.stage.run(6)

        with self.assertRaises(ConflictError):
            result_of(self.stage.store.update_group(self.group, mark=True))

    def test_a_late_writer_that_arrives_is_looked_at(self) -> None:
        """Its write came between the mark and us: no generation is made up."""
        self.stage.put_mark(self.group, generation=2)
        self.stage.change(self.group, desired=1, mark=False)
        self.stage.run(6)

        self.assertEqual(self.stage.group(self.group).generation, 2)
        self.assertEqual(self.stage.created(), 1)

    def test_a_mark_made_during_a_cycle_is_not_cleared_by_it(self) -> None:
        """The cycle looked at an earlier generation; the second request is not lost (#1187)."""
        self.stage.cloud().latency = secs(2)
        self.stage.tell(self.group)
        self.stage.run(1)
        self.stage.change(self.group, desired=1)
        self.stage.run(1.2)

        self.assertEqual([m.generation for m in self.stage.marks()], [2])
        self.stage.run(8)
        self.assertEqual(self.stage.created(), 1)

    def test_a_mark_of_a_group_that_is_gone_does_no_harm(self) -> None:
        """Its group was removed, or never came to be."""
        self.stage.put_mark(evolve(self.group, group_id=GroupId("absent")), generation=1)
        before = self.stage.gathered()
        self.stage.run(30)

        self.assertEqual(self.stage.gathered(), before)


class StopTests(SynchronousTestCase):
    """Ending."""

    def test_nothing_is_left_behind(self) -> None:
        """Whenever it is stopped: no timer, no call, nothing logged."""
        for moment in (0.0, 0.1, 0.5, 1.0, 1.4, 2.0, 3.0):
            stage = Stage(quiet(mark_poll=secs(1), sweep=secs(1)))
            stage.cloud().latency = secs(0.9)
            stage.add_group(desired=2)
            stage.answer = Answer(outcome=None)
            stage.bus.on_job(stage._perform)
            stage.supervisor.startService()
            stage.run(moment, step=0.1)
            stage.stop()
            stage.run(0.2)

            self.assertEqual(stage.clock.getDelayedCalls(), [], moment)

    def test_a_stopped_supervisor_hears_nothing(self) -> None:
        """Messages still come in for a while; nobody acts on them."""
        stage = Stage()
        group = stage.add_group(desired=1)
        stage.start()
        stage.stop()
        before = len(stage.jobs)
        stage.tell(group)
        stage.run(10)

        self.assertEqual(len(stage.jobs), before)
        self.assertEqual(stage.clock.getDelayedCalls(), [])


class FairTests(SynchronousTestCase):
    """Promise S8."""

    def test_a_slow_tenant_does_not_delay_another(self) -> None:
        """Its cloud takes half a minute for every answer; the other's group is served at once."""
        stage = Stage()
        slow = stage.add_group("slow")
        fast = stage.add_group("fast", tenant_id=OTHER)
        stage.cloud(TENANT).latency = secs(30)
        stage.start()
        stage.tell(slow)
        stage.run(1)
        stage.tell(fast)
        stage.run(0.1)

        self.assertEqual([j.tenant_id for j in stage.jobs], [OTHER])
        stage.stop()

    def test_a_failing_tenant_does_not_delay_another(self) -> None:
        """Backoff is each tenant's own."""
        stage = Stage()
        failing = stage.add_group("failing")
        fine = stage.add_group("fine", tenant_id=OTHER)
        stage.cloud(TENANT).fail("list_servers", BROKEN, times=1000)
        stage.start()
        stage.tell(failing)
        stage.run(30)
        stage.tell(fine)
        stage.run(0.1)

        self.assertEqual([j.tenant_id for j in stage.jobs], [OTHER])
        stage.stop()

    def test_cycles_at_the_same_time_are_bounded(self) -> None:
        """Tenants beyond the bound wait for their turn; none is forgotten."""
        stage = Stage(quiet(cycles=2))
        tenants = [TenantId(f"t{n}") for n in range(6)]
        groups = [stage.add_group(f"g-{t}", tenant_id=t) for t in tenants]
        stage.start()
        for tenant in tenants:
            stage.cloud(tenant).latency = secs(1)
        before = {t: stage.gathered(t) for t in tenants}
        for group in groups:
            stage.tell(group)
        stage.run(0.5)
        at_once = [t for t in tenants if stage.gathered(t) > before[t]]
        stage.run(4)

        self.assertEqual(len(at_once), 2)
        self.assertEqual({j.tenant_id for j in stage.jobs}, set(tenants))
        self.assertNotIn(EntryState.INTENDED, {e.state for g in groups for e in stage.entries(g)})
        stage.stop()
