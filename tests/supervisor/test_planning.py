"""How many servers there are to be, and which: the planner, literals in, plans out."""

from decimal import Decimal

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import CreateServerJob
from otter.cloud.interface import DEPLOYMENT_KEY, GROUP_KEY, INSTANCE_KEY
from otter.models.group import LaunchType, LoadBalancerKind, LoadBalancerTarget
from otter.models.ids import LoadBalancerId
from otter.models.ledger import EntryState, Failing, LedgerEntry, Removal
from otter.supervisor.planning import Plan, targets_of
from otter.supervisor.settings import SupervisorSettings
from tests.supervisor.world import (
    GROUP,
    LB,
    NOW,
    a_balancer,
    a_group,
    a_record,
    a_server,
    a_world,
    an_entry,
    balanced,
    delete_step,
    members,
    node_of,
    plan,
    secs,
    states,
    with_balancer,
)

STATES = EntryState


def serving(count: int, status: str = "ACTIVE") -> tuple[list[LedgerEntry], Plan]:
    """Return ``count`` entries in service, the lowest number oldest, and a plan that keeps them."""
    entries = [an_entry(str(n), age=1000 - n) for n in range(count)]
    world = a_world(*[a_server(e, status) for e in entries])
    return entries, plan(a_group(count), world, *entries)


def kept(group_size: int, *entries: LedgerEntry) -> list[str]:
    """Return the names of the entries that stay in a group of this size, in ACTIVE servers."""
    world = a_world(*[a_server(e) for e in entries if e.server_id])
    planned = plan(a_group(group_size), world, *entries).entries
    return [e.instance_id for e in planned if not e.leaving]


class RestTests(SynchronousTestCase):
    """Groups that are as they should be."""

    def test_an_empty_group_that_wants_nothing(self) -> None:
        """No entries, no steps, nothing to wait for."""
        self.assertEqual(plan(a_group(0), a_world()), Plan(a_record(), ()))

    def test_a_full_group_is_at_rest(self) -> None:
        """Nothing changes and nobody looks again before an event or the sweep."""
        entries, planned = serving(3)

        self.assertEqual(planned, Plan(a_record(), tuple(entries)))

    def test_servers_that_are_busy_or_put_aside_count(self) -> None:
        """No replacement is made for a server its owner suspends or the cloud reboots."""
        for status in ("REBOOT", "SUSPENDED", "TELEPORTING"):
            entries, planned = serving(2, status)

            self.assertEqual(planned, Plan(a_record(), tuple(entries)), status)

    def test_a_server_the_world_does_not_show_is_left_alone(self) -> None:
        """Half a view causes no delete and no create (S7)."""
        entry = an_entry()

        self.assertEqual(plan(a_group(1), a_world(), entry), Plan(a_record(), (entry,)))


class GrowTests(SynchronousTestCase):
    """Too few servers."""

    def test_missing_servers_are_recorded_and_asked_for(self) -> None:
        """The intent carries everything a lookup needs: id, name, marks, launch version."""
        planned = plan(a_group(2), a_world())
        first = planned.entries[0]
        step = planned.steps[0]

        self.assertEqual(states(planned.entries), ["requested"] * 2)
        self.assertEqual((first.instance_id, first.name), ("new-1", "web-asnew1"))
        self.assertEqual((first.launch_version, first.created, first.changed), (3, NOW, NOW))
        self.assertIsInstance(step, CreateServerJob)
        assert isinstance(step, CreateServerJob)
        self.assertEqual((step.instance_id, step.name), (first.instance_id, first.name))
        self.assertEqual(step.body, {"name": "web", "flavorRef": "1"})
        self.assertEqual(step.metadata[INSTANCE_KEY], "new-1")
        self.assertEqual(step.metadata[GROUP_KEY], GROUP)
        self.assertEqual(step.metadata[DEPLOYMENT_KEY], "deployment")

    def test_no_more_than_may_be_in_flight(self) -> None:
        """The rest is intended, and follows as answers come in."""
        planned = plan(a_group(9), a_world(), settings=SupervisorSettings(creates_in_flight=4))

        self.assertEqual(states(planned.entries), ["intended"] * 5 + ["requested"] * 4)
        self.assertEqual(len(planned.steps), 4)

    def test_what_is_unanswered_counts_as_in_flight(self) -> None:
        """Whether its job is under way, or its outcome is still awaited."""
        under_way = [an_entry(str(n), STATES.REQUESTED) for n in range(2)]
        unknown = an_entry("u", STATES.REQUESTED, reason="no answer")
        planned = plan(
            a_group(9),
            a_world(),
            *under_way,
            unknown,
            settings=SupervisorSettings(creates_in_flight=4),
            creating=under_way,
        )

        self.assertEqual(len(planned.steps), 1)

    def test_what_a_dead_process_asked_for_keeps_its_place_but_not_its_turn(self) -> None:
        """Nobody awaits an answer, so the others need not wait; but it may exist (S1)."""
        requested = [an_entry(str(n), STATES.REQUESTED) for n in range(3)]
        planned = plan(
            a_group(9), a_world(), *requested, settings=SupervisorSettings(creates_in_flight=4)
        )

        self.assertEqual(len(planned.steps), 4)
        self.assertEqual(len(planned.entries), 9)

    def test_an_intent_is_asked_for_once(self) -> None:
        """What was requested before this cycle is not requested again, whatever became of it."""
        requested = an_entry(state=STATES.REQUESTED, age=500)

        self.assertEqual(plan(a_group(1), a_world(), requested).steps, ())

    def test_the_oldest_intents_go_first_with_the_newest_config(self) -> None:
        """Nothing was asked for yet, so a changed launch config holds for them too."""
        group = a_group(2, args=with_balancer())
        intents = [an_entry(str(n), STATES.INTENDED, launch_version=1) for n in range(2)]
        one_at_a_time = SupervisorSettings(creates_in_flight=1)
        planned = plan(group, a_world(), *intents, settings=one_at_a_time)

        self.assertEqual(planned.entries[0].state, STATES.REQUESTED)
        self.assertEqual((planned.entries[0].launch_version, planned.entries[0].changed), (3, NOW))
        self.assertEqual(planned.entries[0].targets, (LoadBalancerTarget(LB, 80),))
        self.assertEqual(planned.entries[1], intents[1])

    def test_nothing_is_intended_while_the_group_must_wait(self) -> None:
        """Backoff holds for intents and for requests, and the next look is when it ends."""
        record = a_record(retry_at=NOW + secs(7), failures=1)
        intent = an_entry(state=STATES.INTENDED, age=100)
        planned = plan(a_group(2), a_world(), intent, record=record)

        self.assertEqual(planned.entries, (intent,))
        self.assertEqual(planned.steps, ())
        self.assertEqual(planned.look_in, secs(7))

    def test_after_failures_one_server_at_a_time(self) -> None:
        """Whatever is missing, the cloud is probed with one create (S6)."""
        planned = plan(a_group(5), a_world(), record=a_record(failures=3))

        self.assertEqual(len(planned.steps), 1)

    def test_a_stack_is_not_served_and_says_so(self) -> None:
        """No orchestration service: the group is in ERROR with a reason, and nothing is asked."""
        planned = plan(a_group(2, kind=LaunchType.STACK), a_world())

        self.assertEqual((planned.entries, planned.steps), ((), ()))
        self.assertIn("launch_stack", planned.convergence.reasons[0])
        self.assertEqual(planned.look_in, secs(1))

    def test_a_stack_that_wants_nothing_is_no_error(self) -> None:
        """There is nothing it could not do."""
        self.assertEqual(plan(a_group(0, kind=LaunchType.STACK), a_world()), Plan(a_record(), ()))

    def test_intents_of_a_server_are_not_asked_for_as_a_stack(self) -> None:
        """The config changed while they waited; a stack's arguments describe no server."""
        intent = an_entry(state=STATES.INTENDED)
        planned = plan(a_group(1, kind=LaunchType.STACK), a_world(), intent)

        self.assertEqual(planned.steps, ())
        self.assertEqual(planned.entries, (intent,))


class NeverAboveMaxTests(SynchronousTestCase):
    """Promise S1."""

    def made(self, *entries: LedgerEntry, max_entities: int = 3) -> int:
        """Return how many servers a group that wants three asks for beside these."""
        world = a_world(*[a_server(e) for e in entries if e.server_id])
        return len(
            [
                step
                for step in plan(a_group(3, max_entities=max_entities), world, *entries).steps
                if isinstance(step, CreateServerJob)
            ]
        )

    def test_unknown_outcomes_take_a_place(self) -> None:
        """A create that nobody answered may have made a server."""
        requested = an_entry("1", STATES.REQUESTED, reason="HTTP 500")

        self.assertEqual(self.made(requested), 2)

    def test_leaving_servers_take_a_place(self) -> None:
        """A replacement at max waits for the deletion it replaces."""
        for state in (STATES.DRAINING, STATES.DELETING):
            leaving = an_entry("1", state, removal=Removal.DELETE)

            self.assertEqual(self.made(leaving), 2)
            self.assertEqual(self.made(leaving, max_entities=4), 3)

    def test_a_server_sent_away_before_it_was_known_takes_a_place(self) -> None:
        """It was asked for: it may exist."""
        leaving = an_entry("1", STATES.DELETING, server_id=None)

        self.assertEqual(self.made(leaving), 2)

    def test_a_server_that_is_confirmed_gone_takes_none(self) -> None:
        """Its members are still being taken off, but there is room for another server."""
        gone = balanced(an_entry("1", STATES.DELETING, absent=True))

        self.assertEqual(self.made(gone), 3)

    def test_a_group_above_its_max_makes_nothing(self) -> None:
        """Max was lowered below what exists."""
        entries = [an_entry(str(n), STATES.DELETING) for n in range(5)]

        self.assertEqual(self.made(*entries), 0)

    def test_desired_above_max_is_held_at_max(self) -> None:
        """Whoever wrote such a number, max outranks it."""
        planned = plan(a_group(9, max_entities=4), a_world())

        self.assertEqual(len(planned.entries), 4)


class ShrinkTests(SynchronousTestCase):
    """Too many servers."""

    def test_the_oldest_server_goes_first(self) -> None:
        """The newest stay, so a new launch config spreads by ordinary scaling."""
        entries, _ = serving(3)

        self.assertEqual(kept(1, *entries), ["2"])

    def test_who_serves_least_goes_first(self) -> None:
        """Not asked for, being built, joining, put aside, in service; age only within each."""
        order = [
            an_entry("intended", STATES.INTENDED, age=1),
            an_entry("requested", STATES.REQUESTED, age=3),
            an_entry("building", STATES.BUILDING, age=2),
            an_entry("joining", STATES.JOINING, age=2),
            an_entry("aside", STATES.IN_SERVICE, age=2),
            an_entry("serving", STATES.IN_SERVICE, age=2000),
        ]
        world = a_world(
            *[a_server(e) for e in order if e.server_id and e.instance_id != "aside"],
            a_server(order[4], "SUSPENDED"),
        )
        for desired in range(len(order) + 1):
            planned = plan(a_group(desired), world, *reversed(order)).entries
            left = {e.instance_id for e in planned if not e.leaving}

            self.assertEqual(left, {e.instance_id for e in order[len(order) - desired :]})

    def test_an_intent_is_dropped_without_a_call(self) -> None:
        """Nothing was asked for, so nothing must be deleted."""
        planned = plan(a_group(0), a_world(), an_entry(state=STATES.INTENDED))

        self.assertEqual((states(planned.entries), planned.steps), (["gone"], ()))

    def test_a_request_is_seen_off_without_a_call(self) -> None:
        """There is no id to delete yet; it keeps its place until its fate is known."""
        planned = plan(a_group(0), a_world(), an_entry(state=STATES.REQUESTED))

        self.assertEqual((states(planned.entries), planned.steps), (["deleting"], ()))
        self.assertTrue(planned.entries[0].occupies)

    def test_servers_without_members_are_deleted_at_once(self) -> None:
        """Building, joining or serving alike."""
        for state in (STATES.BUILDING, STATES.JOINING, STATES.IN_SERVICE):
            entry = an_entry(state=state)
            planned = plan(a_group(0), a_world(a_server(entry)), entry)

            self.assertEqual(states(planned.entries), ["deleting"])
            self.assertEqual(planned.steps, (delete_step(),))

    def test_leaving_servers_are_not_counted_as_kept(self) -> None:
        """One on its way out plus one in service is one in service."""
        leaving = an_entry("1", STATES.DELETING)

        self.assertEqual(kept(1, leaving, an_entry("2")), ["2"])

    def test_a_server_a_call_asked_to_remove_goes_though_it_is_not_surplus(self) -> None:
        """The call lowered desired, or wants a replacement; this very server goes either way."""
        asked = an_entry("1", removal=Removal.DELETE)
        stays = an_entry("2", age=5000)
        planned = plan(a_group(1), a_world(a_server(asked), a_server(stays)), asked, stays)

        self.assertEqual(planned.steps, (delete_step("1"),))
        self.assertEqual([e.state for e in planned.entries], [STATES.DELETING, STATES.IN_SERVICE])

    def test_a_removal_that_is_under_way_is_not_started_anew(self) -> None:
        """Draining goes on with the time it has."""
        draining = balanced(an_entry(state=STATES.DRAINING, age=5, removal=Removal.DELETE))
        world = a_world(a_server(draining), balancers={LB: a_balancer(node_of(draining))})
        planned = plan(a_group(0, args=with_balancer(draining=60)), world, draining)

        self.assertEqual(planned.entries[0].changed, draining.changed)
        self.assertEqual(planned.entries[0].state, STATES.DRAINING)

    def test_a_group_being_deleted_wants_nothing(self) -> None:
        """Whatever its desired capacity still says."""
        entry = an_entry()
        planned = plan(a_group(5, deleting=True), a_world(a_server(entry)), entry)

        self.assertEqual(states(planned.entries), ["deleting"])


class RecordTests(SynchronousTestCase):
    """What the group says about itself."""

    def test_trouble_is_forgotten_when_every_wanted_server_is_up(self) -> None:
        """Nothing is being attempted any more, so nothing fails."""
        entries, _ = serving(2)
        world = a_world(*[a_server(e) for e in entries])
        troubled = a_record(
            failures=4, failing=Failing.CREATE, retry_at=NOW, create_reasons=("Quota exceeded",)
        )

        self.assertEqual(plan(a_group(2), world, *entries, record=troubled).convergence, a_record())

    def test_trouble_is_kept_while_a_server_is_missing(self) -> None:
        """Also while one is only being built: it may yet fail."""
        entry = an_entry("1")
        building = an_entry("2", STATES.BUILDING)
        world = a_world(a_server(entry), a_server(building, "BUILD"))
        troubled = a_record(failures=4, retry_at=NOW + secs(60), create_reasons=("x",))

        for entries in ((entry,), (entry, building)):
            planned = plan(a_group(2), world, *entries, record=troubled)

            self.assertEqual(planned.convergence, troubled)

    def test_a_spent_replacement_budget_is_forgotten_too(self) -> None:
        """The group was made smaller: all it wants is up, so it is not in ERROR any more."""
        entry = an_entry()
        waiting = a_record(retry_at=NOW + secs(3000), create_reasons=("more than 30 …",))
        planned = plan(a_group(1), a_world(a_server(entry)), entry, record=waiting)

        self.assertEqual(planned.convergence.reasons, ())
        self.assertIsNone(planned.look_in)

    def test_reasons_of_load_balancers_are_looked_at_anew(self) -> None:
        """What was wrong with them is forgotten as soon as it is not seen any more."""
        record = a_record(balancer_reasons=("Load Balancer lb does not exist",))

        self.assertEqual(plan(a_group(0), a_world(), record=record).convergence, a_record())

    def test_a_refusal_is_shown_while_members_are_still_to_be_added(self) -> None:
        """The load balancer is full: the group says so in the load balancer's words."""
        entry = balanced(an_entry(state=STATES.JOINING))
        refusals = {LB: "Nodes must not exceed 25"}
        group = a_group(1, args=with_balancer())
        world = a_world(a_server(entry), balancers={LB: a_balancer()})
        planned = plan(group, world, entry, refusals=refusals)

        self.assertEqual(planned.convergence.reasons, ("Nodes must not exceed 25",))
        self.assertEqual(planned.steps, (members(add=[("10.0.0.i", 80)]),))

    def test_a_refusal_is_not_shown_once_nothing_is_to_be_added(self) -> None:
        """Whatever it was, it concerns nobody any more."""
        planned = plan(a_group(0), a_world(), refusals={LB: "full"})

        self.assertEqual(planned.convergence.reasons, ())


class LookTests(SynchronousTestCase):
    """When to look again."""

    def look(self, age: float, state: EntryState = STATES.BUILDING) -> float:
        """Return the seconds until the next look at a group with one such entry."""
        entry = an_entry(state=state, age=age)
        found = plan(a_group(1), a_world(a_server(entry, "BUILD")), entry).look_in
        assert found is not None
        return found.total_seconds()

    def test_what_is_new_is_looked_at_soon(self) -> None:
        """Then at a quarter of its age, and never later than every 15 seconds."""
        self.assertEqual([self.look(age) for age in (0, 4, 20, 60, 6000)], [1, 1, 5, 15, 15])

    def test_whatever_is_under_way_is_looked_at(self) -> None:
        """Every state that is not an end waits for something."""
        for state in (STATES.REQUESTED, STATES.BUILDING, STATES.DELETING):
            self.assertGreater(self.look(4, state), 0)

    def test_a_missing_server_is_looked_for_when_it_may_be_made(self) -> None:
        """Not every second of a wait of ten minutes."""
        record = a_record(retry_at=NOW + secs(600), failures=9)

        self.assertEqual(plan(a_group(1), a_world(), record=record).look_in, secs(600))

    def test_a_missing_server_at_max_is_looked_for_soon(self) -> None:
        """A deletion makes room; the look at it is no later."""
        leaving = an_entry("1", STATES.DELETING, age=0)
        group = a_group(1, max_entities=1)

        self.assertEqual(plan(group, a_world(a_server(leaving)), leaving).look_in, secs(1))

    def test_a_reason_is_looked_at_again(self) -> None:
        """A deleted load balancer may be restored, and nobody tells us."""
        entry = balanced(an_entry(state=STATES.JOINING, age=6000))
        group = a_group(1, args=with_balancer())
        world = a_world(a_server(entry), balancers={LB: None})

        self.assertEqual(plan(group, world, entry).look_in, secs(15))


class TargetTests(SynchronousTestCase):
    """Load balancers in launch configs."""

    def test_ids_are_text_and_types_default(self) -> None:
        """The wire allows whole numbers; a missing type means a cloud load balancer."""
        items: list[dict[str, object]] = [
            {"loadBalancerId": 7, "port": 80},
            {"loadBalancerId": "pool", "type": "RackConnectV3"},
        ]
        group = a_group(args={"server": {}, "loadBalancers": items})

        self.assertEqual(
            targets_of(group),
            (
                LoadBalancerTarget(LoadBalancerId("7"), 80),
                LoadBalancerTarget(LoadBalancerId("pool"), None, LoadBalancerKind.RACKCONNECT),
            ),
        )

    def test_changing_them_affects_new_servers_only(self) -> None:
        """A server is put where the config said when it was asked for."""
        entry = an_entry()
        planned = plan(a_group(1, args=with_balancer()), a_world(a_server(entry)), entry)

        self.assertEqual(planned, Plan(a_record(), (entry,)))

    def test_a_draining_timeout_may_have_a_fraction_or_be_nonsense(self) -> None:
        """Numbers with a fraction come as decimals; anything else is no timeout."""
        entry = balanced(an_entry())
        world = a_world(a_server(entry), balancers={LB: a_balancer(node_of(entry))})
        for value, state in ((Decimal("30.5"), "draining"), (30, "draining"), ("30", "deleting")):
            group = a_group(0, args={"server": {}, "draining_timeout": value})

            self.assertEqual(states(plan(group, world, entry).entries), [state])

    def test_a_stay_of_execution_is_not_granted(self) -> None:
        """A draining server is never taken back: a new one is made."""
        draining = balanced(an_entry(state=STATES.DRAINING, age=5))
        world = a_world(a_server(draining), balancers={LB: a_balancer(node_of(draining))})
        planned = plan(a_group(1, args=with_balancer(draining=60)), world, draining)

        self.assertEqual(states(planned.entries), ["draining", "requested"])

    def test_the_body_goes_out_as_the_owner_sent_it(self) -> None:
        """Unknown keys included; without a server there is an empty one."""
        group = a_group(1, args={"server": {"x": [1, {"y": None}]}})
        step = plan(group, a_world()).steps[0]
        bare = plan(a_group(1, args={"loadBalancers": []}), a_world()).steps[0]

        assert isinstance(step, CreateServerJob)
        assert isinstance(bare, CreateServerJob)
        self.assertEqual(step.body["x"][1]["y"], None)  # type: ignore[index]
        self.assertEqual((bare.body, bare.name), ({}, "asnew1"))

    def test_a_plan_is_a_value(self) -> None:
        """The same input gives the same plan, ids included if they are given."""
        entry = evolve(an_entry(), state=STATES.BUILDING)
        world = a_world(a_server(entry))

        self.assertEqual(plan(a_group(4), world, entry), plan(a_group(4), world, entry))
