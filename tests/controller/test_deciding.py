"""What a call makes of a group."""

from datetime import timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from otter.controller import deciding
from otter.controller.errors import (
    CannotDeleteServerBelowMinError,
    CannotExecutePolicyError,
    GroupNotEmptyError,
    GroupPausedError,
    InvalidMinEntities,
    NoSuchPolicyError,
    ServerNotFoundError,
    TenantSuspendedError,
    ValidationError,
)
from otter.models.group import Group, LaunchType
from otter.models.ids import ServerId
from otter.models.ledger import Convergence, EntryState, Ledger, LedgerEntry, Removal
from otter.models.policy import Adjustment, At, ChangeBy, Cron, SetCapacity
from tests.controller.strategies import adjustments, groups
from tests.controller.world import (
    GROUP,
    NOW,
    POLICY,
    TENANT,
    a_config,
    a_group,
    a_launch,
    a_new_policy,
    a_policy,
    an_entry,
)


class ExecuteTests(SynchronousTestCase):
    """Executing a policy."""

    def test_execution(self) -> None:
        """An execution changes the desired capacity, starts both clocks, and nothing else."""
        group = a_group(5)

        result = deciding.execute(group, POLICY, a_policy(ChangeBy(2)), NOW)

        self.assertEqual(
            result, evolve(group, desired=7, group_touched=NOW, policy_touched={POLICY: NOW})
        )

    def test_partial(self) -> None:
        """A step past the bound is carried out up to the bound."""
        result = deciding.execute(a_group(9), POLICY, a_policy(ChangeBy(5)), NOW)

        self.assertEqual(result.desired, 10)

    def test_order_of_checks(self) -> None:
        """The first failure wins in the contract's order, so each is mended in turn."""
        broken = a_group(
            10, cooldown=60, suspended=True, paused=True, group_touched=NOW - timedelta(seconds=1)
        )
        awake = evolve(broken, suspended=False, paused=False)
        policy = a_policy()
        cases: list[tuple[Group, bool, type[Exception]]] = [
            (broken, False, TenantSuspendedError),
            (evolve(broken, suspended=False), False, GroupPausedError),
            (awake, False, NoSuchPolicyError),
        ]
        for group, known, expected in cases:
            self.assertRaises(
                expected, deciding.execute, group, POLICY, policy if known else None, NOW
            )

        cooling = self.assertRaises(
            CannotExecutePolicyError, deciding.execute, awake, POLICY, policy, NOW
        )
        self.assertIsNotNone(cooling.retry_after)
        rested = evolve(awake, group_touched=None)
        unchanged = self.assertRaises(
            CannotExecutePolicyError, deciding.execute, rested, POLICY, policy, NOW
        )
        self.assertIsNone(unchanged.retry_after)

    def test_messages_name_ids(self) -> None:
        """A refusal names what was asked for, since callers run many groups."""
        error = self.assertRaises(NoSuchPolicyError, deciding.execute, a_group(), POLICY, None, NOW)

        for text in (TENANT, GROUP, POLICY):
            self.assertIn(text, str(error))

    @given(groups(), adjustments)
    def test_bounds_hold(self, group: Group, adjustment: Adjustment) -> None:
        """Whatever runs, the desired capacity stays within the bounds; refused means unchanged."""
        try:
            result = deciding.execute(group, POLICY, a_policy(adjustment), NOW)
        except CannotExecutePolicyError:
            self.assertEqual(deciding.target_capacity(group, adjustment), group.desired)
            return

        self.assertNotEqual(result.desired, group.desired)
        self.assertTrue(group.config.min_entities <= result.desired <= group.config.max_entities)


class ConfigTests(SynchronousTestCase):
    """Replacing the config and the launch config."""

    @given(groups(), groups())
    def test_clamped(self, group: Group, other: Group) -> None:
        """A new config moves the desired capacity no further than its bounds demand."""
        config = other.config

        result = deciding.apply_config(group, config)

        self.assertEqual(result.config, config)
        self.assertEqual(
            result.desired, sorted([config.min_entities, group.desired, config.max_entities])[1]
        )

    def test_cooldowns_kept(self) -> None:
        """A config change neither starts nor resets a cooldown."""
        group = a_group(group_touched=NOW, policy_touched={POLICY: NOW})

        result = deciding.apply_config(group, a_config(cooldown=3))

        self.assertEqual((result.group_touched, result.policy_touched), (NOW, group.policy_touched))

    def test_suspended(self) -> None:
        """A suspended group keeps its config."""
        self.assertRaises(
            TenantSuspendedError, deciding.apply_config, a_group(suspended=True), a_config()
        )

    def test_contradicting_bounds(self) -> None:
        """Bounds may be equal; the minimum may not pass the maximum."""
        deciding.check_bounds(a_config(2, 2))

        self.assertRaises(InvalidMinEntities, deciding.check_bounds, a_config(3, 2))

    def test_next_version(self) -> None:
        """A new launch config replaces the old one wholly, under the next version."""
        launch = a_launch(LaunchType.STACK, stack={"template": "t"})

        result = deciding.apply_launch(a_group(), launch)

        self.assertEqual(
            (result.launch.version, result.launch.type, result.launch.args),
            (2, LaunchType.STACK, launch.args),
        )

    def test_null_metadata_dropped(self) -> None:
        """A null server metadata is accepted and dropped; other nulls are the owner's."""
        launch = a_launch(server={"metadata": None, "imageRef": None}, loadBalancers=[])

        result = deciding.storable_launch(launch, 1)

        expected = a_launch(server={"imageRef": None}, loadBalancers=[])
        self.assertEqual(result.args, expected.args)

    def test_metadata_kept(self) -> None:
        """Any other metadata round-trips, an empty one included."""
        servers: list[object] = [{"metadata": {}}, {"metadata": {"a": "b"}}, {"name": "n"}]
        for server in servers:
            launch = a_launch(server=server)

            self.assertEqual(deciding.storable_launch(launch, 1).args, launch.args)


class DeleteTests(SynchronousTestCase):
    """Deleting a group."""

    def test_empty(self) -> None:
        """A group that wants nothing may go, servers still leaving or not."""
        result = deciding.delete(a_group(0), force=False)

        self.assertEqual((result.deleting, result.desired), (True, 0))

    def test_not_empty(self) -> None:
        """A group that wants servers goes only by force."""
        self.assertRaises(GroupNotEmptyError, deciding.delete, a_group(1), force=False)

    def test_force(self) -> None:
        """By force it goes whatever it wants, below its minimum and paused too."""
        result = deciding.delete(a_group(3, min_entities=2, paused=True), force=True)

        self.assertEqual((result.deleting, result.desired), (True, 0))


class RemoveServerTests(SynchronousTestCase):
    """Taking a server out of the group."""

    def remove(
        self, group: Group, *entries: LedgerEntry, replace: bool = True, purge: bool = True
    ) -> tuple[Group, LedgerEntry]:
        """Remove server s1."""
        convergence = Convergence(TENANT, GROUP)
        ledger = Ledger(convergence, {entry.instance_id: entry for entry in entries})
        return deciding.remove_server(group, ledger, ServerId("s1"), replace=replace, purge=purge)

    def test_four_ways(self) -> None:
        """Replacing keeps the desired capacity; purging decides what becomes of the server."""
        cases = [
            (True, True, 5, Removal.DELETE),
            (False, True, 4, Removal.DELETE),
            (True, False, 5, Removal.RELEASE),
            (False, False, 4, Removal.RELEASE),
        ]
        for replace, purge, desired, removal in cases:
            group, entry = self.remove(
                a_group(5), an_entry("s0"), an_entry("s1"), replace=replace, purge=purge
            )

            self.assertEqual(group, a_group(desired))
            self.assertEqual(entry, an_entry("s1", removal=removal))

    def test_states(self) -> None:
        """Only a server the cloud gave an id to, and that nobody has chosen to go, is a member."""
        member = {EntryState.BUILDING, EntryState.JOINING, EntryState.IN_SERVICE}
        for state in EntryState:
            if state in member:
                self.assertEqual(self.remove(a_group(), an_entry(state=state))[1].state, state)
            else:
                self.assertRaises(
                    ServerNotFoundError, self.remove, a_group(), an_entry(state=state)
                )

    def test_already_leaving(self) -> None:
        """A server is removed once, else one removal would lower the capacity twice."""
        entry = an_entry(removal=Removal.RELEASE)

        self.assertRaises(ServerNotFoundError, self.remove, a_group(), entry)

    def test_order_of_checks(self) -> None:
        """Suspension is told before the server, the server before the minimum."""
        small = a_group(2, min_entities=2)

        self.assertRaises(
            TenantSuspendedError, self.remove, evolve(small, suspended=True), replace=False
        )
        self.assertRaises(ServerNotFoundError, self.remove, small, replace=False)
        self.assertRaises(
            CannotDeleteServerBelowMinError, self.remove, small, an_entry(), replace=False
        )

    def test_replaced_at_minimum(self) -> None:
        """With a replacement the minimum is kept, so nothing is in the way."""
        group, _ = self.remove(a_group(2, min_entities=2), an_entry())

        self.assertEqual(group.desired, 2)


class ApplyPolicyTests(SynchronousTestCase):
    """Replacing a policy."""

    def test_replaced(self) -> None:
        """Everything sent replaces what was, the kind of change included; the ids stay."""
        new = a_new_policy(SetCapacity(4), Decimal("1.5"), name="other")

        result = deciding.apply_policy(a_policy(), new)

        self.assertEqual(result, a_policy(SetCapacity(4), Decimal("1.5"), name="other"))

    def test_timers_switch(self) -> None:
        """A schedule policy may turn from a time into a cron line."""
        result = deciding.apply_policy(
            a_policy(schedule=At("2031-03-02T00:00:00Z")), a_new_policy(schedule=Cron("* * * * *"))
        )

        self.assertEqual(result.schedule, Cron("* * * * *"))

    def test_type_fixed(self) -> None:
        """A policy never turns from a schedule policy into a webhook policy or back."""
        timed = Cron("* * * * *")

        self.assertRaises(
            ValidationError, deciding.apply_policy, a_policy(), a_new_policy(schedule=timed)
        )
        self.assertRaises(
            ValidationError, deciding.apply_policy, a_policy(schedule=timed), a_new_policy()
        )
