"""What holds for every plan: it reaches what is desired, rests there, and never passes max."""

from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import CreateServerJob, Outcome, SetMembersJob, Step
from otter.cloud.interface import LoadBalancer, Node, NodeCondition, Server
from otter.models.group import Group
from otter.models.ids import NodeId, ServerId
from otter.models.ledger import TERMINAL, Convergence, EntryState, LedgerEntry, Removal
from otter.supervisor.flight import key_of
from otter.supervisor.world import World
from tests.supervisor.model import Model
from tests.supervisor.world import (
    LB,
    NOW,
    a_balancer,
    a_group,
    a_record,
    a_server,
    a_world,
    an_entry,
    balanced,
    node_of,
    plan,
    secs,
    with_balancer,
)

MAX = 6
STATUSES = ("ACTIVE", "BUILD", "ERROR", "SHUTOFF", "REBOOT", "SUSPENDED", "NEW", "DELETED")
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Make a group with or without a load balancer, draining or not."""
    args = draw(st.sampled_from([None, with_balancer(), with_balancer(draining=12)]))
    return a_group(draw(st.integers(0, MAX)), max_entities=MAX, args=args)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[LedgerEntry], World]:
    """Make entries in any states, and a world that shows their servers in any condition."""
    entries: list[LedgerEntry] = []
    servers: list[Server] = []
    nodes: list[Node] = []
    absent: list[str] = []
    live = sorted(set(EntryState) - TERMINAL - {EntryState.STANDBY})
    for number in range(draw(st.integers(0, 8))):
        entry = an_entry(str(number), draw(st.sampled_from(live)), age=draw(st.integers(0, 4000)))
        if draw(st.booleans()) and entry.state is not EntryState.INTENDED:
            entry = balanced(entry, asked=draw(st.booleans()))
        entry = evolve(entry, removal=draw(st.sampled_from([None, None, None, *Removal])))
        entries.append(entry)
        presence = draw(st.sampled_from(["there", "there", "absent", "unseen"]))
        if presence == "there" and entry.state is not EntryState.INTENDED:
            servers.append(a_server(entry, draw(st.sampled_from(STATUSES))))
        elif presence == "absent":
            absent.append(f"s-{number}")
        if draw(st.booleans()) and entry.memberships:
            nodes.append(node_of(entry, draw(st.sampled_from(NodeCondition))))
    status = draw(st.sampled_from(["ACTIVE", "ACTIVE", "PENDING_UPDATE", "ERROR"]))
    balancer: LoadBalancer | None = draw(st.sampled_from([a_balancer(*nodes, status=status), None]))
    return entries, a_world(*servers, absent=absent, balancers={LB: balancer})


records = st.builds(
    lambda failures, wait: a_record(
        failures=failures, retry_at=None if wait is None else NOW + secs(wait)
    ),
    st.integers(0, 9),
    st.none() | st.integers(-100, 100),
)


class AnyPlanTests(SynchronousTestCase):
    """One plan in any situation."""

    @quick
    @given(groups(), situations(), records)
    def test_no_plan_passes_max(
        self, group: Group, situation: tuple[list[LedgerEntry], World], record: Convergence
    ) -> None:
        """Creates are handed out only for places nothing occupies, by anybody's count (S1)."""
        entries, world = situation
        planned = plan(group, world, *entries, record=record)
        occupied = sum(1 for e in entries if e.occupies)
        after = sum(1 for e in planned.entries if e.occupies)

        self.assertLessEqual(after, max(MAX, occupied))
        self.assertTrue(
            {e.instance_id for e in entries} <= {e.instance_id for e in planned.entries}
        )

    @quick
    @given(groups(), situations(), records)
    def test_a_plan_is_deterministic(
        self, group: Group, situation: tuple[list[LedgerEntry], World], record: Convergence
    ) -> None:
        """The same input gives the same plan, to the order of its steps."""
        entries, world = situation

        self.assertEqual(
            plan(group, world, *entries, record=record), plan(group, world, *entries, record=record)
        )

    @quick
    @given(groups(), situations(), records)
    def test_one_step_per_thing(
        self, group: Group, situation: tuple[list[LedgerEntry], World], record: Convergence
    ) -> None:
        """No plan does two things to one server, or visits a load balancer twice."""
        entries, world = situation
        keys = [key_of(step) for step in plan(group, world, *entries, record=record).steps]

        self.assertEqual(len(keys), len(set(keys)))

    @quick
    @given(groups(), situations(), records)
    def test_steps_follow_from_what_is_recorded(
        self, group: Group, situation: tuple[list[LedgerEntry], World], record: Convergence
    ) -> None:
        """Every call is covered by an entry: creates by requests, the rest by known servers."""
        entries, world = situation
        planned = plan(group, world, *entries, record=record)
        by_id = {e.instance_id: e for e in planned.entries}
        remembered = {(m.address, m.port) for e in planned.entries for m in e.memberships}
        for step in planned.steps:
            if isinstance(step, CreateServerJob):
                self.assertIs(by_id[step.instance_id].state, EntryState.REQUESTED)
            elif isinstance(step, SetMembersJob):
                self.assertTrue(set(step.add) <= remembered)
            else:
                self.assertEqual(by_id[step.instance_id].server_id, step.server_id)
                self.assertIs(by_id[step.instance_id].state, EntryState.DELETING)

    @quick
    @given(groups(), situations(), records)
    def test_nobody_waits_for_nothing(
        self, group: Group, situation: tuple[list[LedgerEntry], World], record: Convergence
    ) -> None:
        """A group that is not what its owner wants is always looked at again (S5)."""
        entries, world = situation
        planned = plan(group, world, *entries, record=record)
        under_way = any(e.state not in {EntryState.IN_SERVICE, *TERMINAL} for e in planned.entries)
        staying = sum(1 for e in planned.entries if not e.leaving)
        if under_way or staying < group.desired or planned.steps:
            self.assertIsNotNone(planned.look_in)


fates = st.lists(st.sampled_from([*Outcome, Outcome.DONE]), min_size=1, max_size=12)
events = st.lists(
    st.sampled_from(["resize", "break", "vanish", "unbalance", "remove", "release"]), max_size=8
)


class ManyPlansTests(SynchronousTestCase):
    """Plan after plan, on a model cloud."""

    def storm(self, model: Model, fates: list[Outcome], events: list[str]) -> None:
        """Let steps fail and things happen, cycle after cycle; max is checked after each."""
        remaining = iter(fates * 20)

        def fate(_: Step) -> Outcome:
            return next(remaining, Outcome.DONE)

        for event in ("", *events):
            self.happen(model, event)
            model.cycle(fate)
            model.cycle(fate)
            self.assertLessEqual(model.most, MAX)

    def happen(self, model: Model, event: str) -> None:
        """Let one thing happen that nobody of ours did."""
        victim = next(iter(model.servers), None)
        live = next((k for k, e in model.entries.items() if e.server_id in model.servers), None)
        if event == "resize":
            desired = (model.group.desired + 3) % (MAX + 1)
            model.group = evolve(
                model.group, desired=desired, generation=model.group.generation + 1
            )
        elif event == "break" and victim is not None:
            model.servers[victim] = evolve(model.servers[victim], status="ERROR")
        elif event == "vanish" and victim is not None:
            del model.servers[victim]
        elif event == "unbalance" and model.nodes:
            del model.nodes[next(iter(model.nodes))]
        elif event in {"remove", "release"} and live is not None:
            removal = Removal.DELETE if event == "remove" else Removal.RELEASE
            model.entries[live] = evolve(model.entries[live], removal=removal)

    @quick
    @given(groups(), fates, events)
    def test_calm_restores_what_is_desired(
        self, group: Group, fates: list[Outcome], events: list[str]
    ) -> None:
        """
        Whatever failed and happened, healthy cycles reach a fixed point: as many servers in service
        as desired, none besides, all of them on the load balancer, nothing else on it.
        """
        model = Model(group)
        foreign = NodeId("foreign")
        model.nodes[foreign] = Node(foreign, "192.0.2.1", 80)
        self.storm(model, fates, events)
        final = model.settle()
        ours = model.ours()
        members = {n.address for key, n in model.nodes.items() if key != foreign}

        self.assertLessEqual(model.most, MAX)
        self.assertEqual(len(ours), model.group.desired)
        self.assertEqual({e.server_id for e in final.entries}, set(ours))
        self.assertEqual(final.convergence.failures, 0)
        self.assertEqual(final.convergence.reasons, ())
        if "loadBalancers" in group.launch.args:
            addresses = {address for s in ours.values() for _, address in s.addresses}
            self.assertEqual(members, addresses)

    @quick
    @given(groups(), fates, events)
    def test_a_deleted_group_leaves_nothing(
        self, group: Group, fates: list[Outcome], events: list[str]
    ) -> None:
        """Every server with our marks and every member of ours is gone in the end (S2)."""
        model = Model(group)
        self.storm(model, fates, [e for e in events if e != "release"])
        model.group = evolve(model.group, deleting=True)
        model.settle()

        self.assertEqual((model.entries, model.servers, model.nodes), ({}, {}, {}))

    def test_the_model_can_fail(self) -> None:
        """A group that cannot get what it wants has no fixed point, and the model says so."""
        model = Model(a_group(1, max_entities=0))

        self.assertRaises(AssertionError, model.settle)

    def test_the_model_is_a_cloud(self) -> None:
        """A plain run: three servers, in service, under the names that were intended."""
        model = Model(a_group(3, max_entities=3))
        model.settle()

        self.assertEqual(set(model.servers), {ServerId(f"s{n}") for n in (1, 2, 3)})
        self.assertEqual(
            {e.name for e in model.entries.values()}, {s.name for s in model.servers.values()}
        )
