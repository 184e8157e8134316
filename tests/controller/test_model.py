"""
The controller against a plain model: whatever calls come, in whatever order, both say the same.

The model is a few numbers and dictionaries, reckons with fractions, and knows nothing of stores,
generations or combining.
"""

from collections.abc import Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import (
    CannotDeleteServerBelowMinError,
    CannotExecutePolicyError,
    GroupPausedError,
    NoSuchPolicyError,
    PoliciesOverLimitError,
    RefusedError,
    ServerNotFoundError,
)
from otter.models.activity import ActivityKind
from otter.models.ids import PolicyId, ServerId
from otter.models.memory.store import MemoryStore
from otter.models.policy import Adjustment, ChangeBy, ChangePercent, SetCapacity
from tests.controller.world import (
    ACTOR,
    GROUP,
    NOW,
    TENANT,
    ControllerCase,
    a_config,
    a_group,
    a_new_policy,
    an_entry,
)

adjustments = st.one_of(
    st.integers(-4, 4).filter(bool).map(ChangeBy),
    st.integers(-1500, 1500).filter(bool).map(lambda n: ChangePercent(Decimal(n) / 10)),
    st.integers(0, 14).map(SetCapacity),
)
cooldowns = st.sampled_from([Decimal(0), Decimal(0), Decimal("1.5"), Decimal(5)])
choices = st.integers(0, 9)


class Model:
    """What a group is, in plain words."""

    def __init__(self) -> None:
        self.now = Fraction(0)
        self.low, self.high, self.cooldown = 0, 10, 0
        self.desired = 0
        self.paused = False
        self.marked = False
        self.last: Fraction | None = None
        self.last_of: dict[PolicyId, Fraction] = {}
        self.policies: dict[PolicyId, tuple[Adjustment, Decimal]] = {}
        self.servers: set[str] = set()
        self.executed = 0

    def set_config(self, low: int, high: int, cooldown: int) -> None:
        """Move the desired capacity just inside the new bounds."""
        self.low, self.high, self.cooldown = low, high, cooldown
        self.desired = low if self.desired < low else min(self.desired, high)
        self.marked = self.marked or not self.paused

    def execute(self, policy_id: PolicyId) -> type[RefusedError] | None:
        """Return why not, or execute."""
        if self.paused:
            return GroupPausedError
        if policy_id not in self.policies:
            return NoSuchPolicyError
        adjustment, cooldown = self.policies[policy_id]
        clocks = ((self.last_of.get(policy_id), cooldown), (self.last, self.cooldown))
        if any(last is not None and self.now - last < Fraction(span) for last, span in clocks):
            return CannotExecutePolicyError
        self.marked = True
        wanted = min(max(self.target(adjustment), self.low), self.high)
        if wanted == self.desired:
            return CannotExecutePolicyError
        self.desired = wanted
        self.last = self.last_of[policy_id] = self.now
        self.executed += 1
        return None

    def target(self, adjustment: Adjustment) -> int:
        """Return where the adjustment leads if there were no bounds."""
        if isinstance(adjustment, ChangeBy):
            return self.desired + adjustment.amount
        if isinstance(adjustment, SetCapacity):
            return adjustment.capacity
        change = Fraction(adjustment.percent) * self.desired / 100
        return self.desired + (ceil(change) if change > 0 else -ceil(-change))

    def remove(self, server: str, *, replace: bool) -> type[RefusedError] | None:
        """Return why not, or take the server out."""
        if server not in self.servers:
            return ServerNotFoundError
        if not replace and self.desired == self.low:
            return CannotDeleteServerBelowMinError
        self.servers.remove(server)
        self.desired -= 0 if replace else 1
        self.marked = self.marked or not self.paused
        return None


class ControllerMachine(RuleBasedStateMachine):
    """Does the same to a controller and to the model, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.world = ControllerCase()
        self.world.setUp()
        self.model = Model()
        self.known: list[PolicyId] = [PolicyId("never there")]
        self.world.put_group(a_group(0))
        self.world.put_entries(*[an_entry(f"s{n}") for n in range(3)])
        self.model.servers = {"s0", "s1", "s2"}

    def compare(self, call: Deferred[Any], refusal: type[RefusedError] | None) -> None:
        """Check that the call ended as the model says."""
        if refusal is None:
            self.world.successResultOf(call)
        else:
            self.world.failureResultOf(call, refusal)

    def do(self, call: Coroutine[Any, Any, Any], refusal: type[RefusedError] | None = None) -> None:
        """Make a call that takes no time, and check how it ended."""
        self.compare(Deferred.fromCoroutine(call), refusal)

    def pass_time(self, quarters: int) -> None:
        """Move both clocks by quarters of a second."""
        self.model.now += Fraction(quarters, 4)
        self.world.clock.advance(quarters / 4)

    @rule(quarters=st.sampled_from([1, 3, 6, 20, 40]))
    def wait(self, quarters: int) -> None:
        """Let time pass."""
        self.pass_time(quarters)

    @rule(adjustment=adjustments, cooldown=cooldowns)
    def add_policy(self, adjustment: Adjustment, cooldown: Decimal) -> None:
        """Add a policy, if there is room."""
        new = a_new_policy(adjustment, cooldown)
        call = self.world.controller.create_policies(TENANT, GROUP, [new], actor=ACTOR)
        if len(self.model.policies) >= self.world.limits.max_policies_per_group:
            self.do(call, PoliciesOverLimitError)
            return
        policy_id = self.world.ended(call)[0].policy_id
        self.known.append(policy_id)
        self.model.policies[policy_id] = (adjustment, cooldown)

    @rule(which=choices, adjustment=adjustments, cooldown=cooldowns)
    def set_policy(self, which: int, adjustment: Adjustment, cooldown: Decimal) -> None:
        """Replace a policy; its clock stays."""
        policy_id = self.pick(which)
        new = a_new_policy(adjustment, cooldown)
        call = self.world.controller.set_policy(TENANT, GROUP, policy_id, new, actor=ACTOR)
        if policy_id in self.model.policies:
            self.do(call)
            self.model.policies[policy_id] = (adjustment, cooldown)
        else:
            self.do(call, NoSuchPolicyError)

    @rule(which=choices)
    def delete_policy(self, which: int) -> None:
        """Remove a policy and its clock."""
        policy_id = self.pick(which)
        found = self.model.policies.pop(policy_id, None)
        self.model.last_of.pop(policy_id, None)
        call = self.world.controller.delete_policy(TENANT, GROUP, policy_id, actor=ACTOR)
        self.do(call, None if found else NoSuchPolicyError)

    @rule(low=st.integers(0, 6), room=st.integers(0, 6), cooldown=st.sampled_from([0, 0, 2]))
    def set_config(self, low: int, room: int, cooldown: int) -> None:
        """Replace the config."""
        config = a_config(low, low + room, cooldown)
        self.model.set_config(low, low + room, cooldown)
        self.do(self.world.controller.set_config(TENANT, GROUP, config, actor=ACTOR))

    @rule(paused=st.booleans())
    def switch(self, *, paused: bool) -> None:
        """Pause or resume."""
        controller = self.world.controller
        self.model.paused = paused
        self.model.marked = self.model.marked or not paused
        call = controller.pause if paused else controller.resume
        self.do(call(TENANT, GROUP, actor=ACTOR))

    @rule(which=choices)
    def execute(self, which: int) -> None:
        """Execute a policy."""
        policy_id = self.pick(which)
        self.do(self.world.execute(policy_id), self.model.execute(policy_id))

    @rule(whiches=st.lists(choices, min_size=1, max_size=8), conflicts=st.integers(0, 3))
    def execute_at_once(self, whiches: list[int], conflicts: int) -> None:
        """Execute policies all at once, while other processes write in between."""
        gate = Deferred[None]()
        self.world.store.before_read.append(lambda: gate)
        self.world.store.before_write += [self.compete] * conflicts
        ids = [self.pick(which) for which in whiches]
        calls = [self.start(policy_id) for policy_id in ids]
        gate.callback(None)
        for _ in range(conflicts):
            if self.world.clock.getDelayedCalls():
                self.pass_time(1)
        self.world.store.before_write.clear()
        now = self.model.now
        for (call, ended), policy_id in zip(calls, ids, strict=True):
            self.model.now = ended[0]
            self.compare(call, self.model.execute(policy_id))
        self.model.now = now

    def start(self, policy_id: PolicyId) -> tuple[Deferred[Any], list[Fraction]]:
        """Start an execution; return it with a list that will hold the time of its end."""
        ended: list[Fraction] = []

        def note(result: object) -> object:
            ended.append(self.model.now)
            return result

        return Deferred.fromCoroutine(self.world.execute(policy_id)).addBoth(note), ended

    @rule(server=st.integers(0, 3), replace=st.booleans())
    def remove_server(self, server: int, *, replace: bool) -> None:
        """Take a server out."""
        call = self.world.controller.remove_server(
            TENANT, GROUP, ServerId(f"s{server}"), replace=replace, purge=True, actor=ACTOR
        )
        self.do(call, self.model.remove(f"s{server}", replace=replace))

    @rule()
    def clear_mark(self) -> None:
        """Finish converging, as the supervisor does."""
        for mark in self.world.ended(self.world.store.list_dirty()):
            self.world.ended(self.world.store.clear_dirty(mark))
        self.model.marked = False

    @invariant()
    def same(self) -> None:
        """The stored group is what the model says, and within its bounds."""
        group, model = self.world.group(), self.model
        assert (group.desired, group.paused) == (model.desired, model.paused)
        assert group.config.min_entities <= group.desired <= group.config.max_entities
        assert group.group_touched == self.when(model.last)
        assert dict(group.policy_touched) == {
            policy_id: self.when(last) for policy_id, last in model.last_of.items()
        }

    @invariant()
    def marked(self) -> None:
        """The group is marked when it must converge, and only then."""
        assert bool(self.world.marks()) == self.model.marked

    @invariant()
    def nothing_left(self) -> None:
        """No timer and no waiting caller is left when all calls have ended."""
        assert self.world.clock.getDelayedCalls() == []
        assert self.world.controller._writer._lines == {}

    def teardown(self) -> None:
        """Check that the history knows every accepted execution once."""
        lines = self.world.ended(self.world.store.list_activities(TENANT, GROUP, limit=10_000))
        executed = [line for line in lines if line.kind is ActivityKind.EXECUTED]
        assert len(executed) == self.model.executed

    def pick(self, which: int) -> PolicyId:
        """Return a policy that is there, was there, or never was."""
        return self.known[which % len(self.known)]

    def when(self, seconds: Fraction | None) -> datetime | None:
        """Return the model's time as the group's."""
        return None if seconds is None else NOW + timedelta(seconds=float(seconds))

    async def compete(self) -> None:
        """Write the group unchanged, as another process that raises the generation."""
        group = await MemoryStore.get_group(self.world.store, TENANT, GROUP)
        await MemoryStore.update_group(self.world.store, group, mark=False)


class ModelTests(SynchronousTestCase):
    """The machine above, run."""

    def test_same_as_model(self) -> None:
        """Whatever calls come, the controller does what the model does: no more and no less."""
        run_state_machine_as_test(
            ControllerMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
