"""Executing policies by name, one or many at a time."""

from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from otter.bus.interface import Notice
from otter.controller.errors import (
    CannotExecutePolicyError,
    GroupPausedError,
    NoSuchPolicyError,
    TenantSuspendedError,
)
from otter.models.activity import ActivityKind
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import CapabilityHash, PolicyId
from otter.models.policy import ChangeBy, Cron
from tests.controller.world import (
    ACTOR,
    GROUP,
    NOW,
    POLICY,
    TENANT,
    ControllerCase,
    a_group,
    a_policy,
    failing,
)

OTHER = PolicyId("other")
SHRINK = PolicyId("shrink")
UNKNOWN = CapabilityHash("5f0c" * 16)
Call = Coroutine[Any, Any, object]


class ExecutePolicyTests(ControllerCase):
    """Executing by name."""

    def test_executed(self) -> None:
        """When the call returns the new capacity is stored, marked, hinted at and recorded."""
        self.put_group(None, a_policy(ChangeBy(2)))

        answer = self.ended(self.execute())

        expected = a_group(7, group_touched=NOW, policy_touched={POLICY: NOW}, generation=2)
        self.assertEqual((answer, self.group()), (expected, expected))
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        line = self.history()[0]
        self.assertEqual((line.kind, line.actor, line.at), (ActivityKind.EXECUTED, ACTOR, NOW))
        self.assertEqual(
            dict(line.details),
            {
                "policy_id": POLICY,
                "policy_name": "grow",
                "desired_before": 5,
                "desired_after": 7,
            },
        )

    def test_schedule_policy(self) -> None:
        """A schedule policy may be executed by hand; its timer is another matter."""
        self.put_group(None, a_policy(schedule=Cron("* * * * *")))

        self.assertEqual(self.ended(self.execute()).desired, 6)

    def test_no_change(self) -> None:
        """At the bound it is refused and starts no clock, yet the group is marked and healed."""
        self.put_group(a_group(10), a_policy())

        self.refused(self.execute(), CannotExecutePolicyError)

        self.assertEqual(self.group(), a_group(10, generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        line = self.history()[0]
        self.assertEqual(line.kind, ActivityKind.REFUSED)
        self.assertEqual(line.details["error"], "CannotExecutePolicyError")
        self.assertNotIn("retry_after_seconds", line.details)

    def test_cooldown(self) -> None:
        """In a cooldown it is refused, writes no group, and the history says for how long."""
        self.put_group(a_group(cooldown=60), a_policy())
        self.ended(self.execute())
        self.clock.advance(20.5)
        writes, notices = self.store.writes, list(self.bus.notices)

        error = self.failureResultOf(
            Deferred.fromCoroutine(self.execute()), CannotExecutePolicyError
        ).value

        self.assertEqual(error.retry_after, timedelta(seconds=39.5))
        self.assertEqual((self.store.writes, self.bus.notices), (writes, notices))
        self.assertEqual(self.group().desired, 6)
        line = self.history()[-1]
        self.assertEqual((line.kind, line.reason), (ActivityKind.REFUSED, str(error)))
        self.assertEqual(line.details["retry_after_seconds"], 40)

    def test_cooldown_over(self) -> None:
        """The moment a cooldown has passed the policy runs again, and starts it anew."""
        self.put_group(a_group(cooldown=60), a_policy(cooldown=Decimal("60.0")))
        self.ended(self.execute())
        self.clock.advance(60)

        self.ended(self.execute())

        later = NOW + timedelta(seconds=60)
        group = self.group()
        self.assertEqual((group.group_touched, group.policy_touched[POLICY]), (later, later))

    def test_clocks_apart(self) -> None:
        """A policy's cooldown holds that policy; the group's holds them all."""
        self.put_group(a_group(cooldown=10), a_policy(cooldown=100), a_policy(policy_id=OTHER))
        self.ended(self.execute())
        self.refused(self.execute(OTHER), CannotExecutePolicyError)
        self.clock.advance(50)

        self.refused(self.execute(), CannotExecutePolicyError)
        self.ended(self.execute(OTHER))

    def test_order_of_checks(self) -> None:
        """Suspended, paused, unknown policy: the first that applies is told, and recorded."""
        cases: list[tuple[Group, type[Exception]]] = [
            (a_group(suspended=True, paused=True), TenantSuspendedError),
            (a_group(paused=True), GroupPausedError),
            (a_group(), NoSuchPolicyError),
        ]
        for group, error in cases:
            self.setUp()
            self.put_group(group)

            self.refused(self.execute(), error)

            self.assertEqual((self.group(), self.marks()), (group, []))
            self.assertEqual(
                [(line.kind, line.details["error"]) for line in self.history()],
                [(ActivityKind.REFUSED, error.__name__)],
            )

    def test_deleted_after(self) -> None:
        """Deleting the policy right after does not take back what it did."""
        self.put_group(None, a_policy())
        self.ended(self.execute())

        self.ended(self.controller.delete_policy(TENANT, GROUP, POLICY, actor=ACTOR))

        self.assertEqual(self.group().desired, 6)

    def test_store_down(self) -> None:
        """If the policy cannot be read, or the group not written, the caller is told to return."""
        self.put_group(None, a_policy())
        self.store.before_policy.append(failing(StoreUnavailableError("down")))
        self.refused(self.execute(), StoreUnavailableError)
        self.store.before_write.append(failing(StoreUnavailableError("down")))
        self.refused(self.execute(), StoreUnavailableError)

        self.assertEqual((self.group(), self.marks(), self.kinds()), (a_group(), [], []))


class ManyTests(ControllerCase):
    """Executions by the hundred."""

    def setUp(self) -> None:
        """Build a group that can grow, on a store that takes its time."""
        super().setUp()
        self.put_group(a_group(0, max_entities=1000), a_policy())
        self.store.delay = timedelta(milliseconds=10)

    def settle(self) -> None:
        """Let the clock run in small steps."""
        for _ in range(2000):
            self.clock.advance(0.005)

    def test_concurrent(self) -> None:
        """Two hundred hits at once all count, for the price of a few writes."""
        calls = [Deferred.fromCoroutine(self.execute()) for _ in range(200)]
        self.settle()

        answers = [self.successResultOf(call).desired for call in calls]
        self.assertEqual(answers, list(range(1, 201)))
        self.assertEqual(self.group().desired, 200)
        self.assertLessEqual(self.store.writes, 4)
        self.assertEqual(
            [line.details["desired_after"] for line in self.history()[-100:]],
            list(range(101, 201)),
        )

    def test_two_processes(self) -> None:
        """Two controllers on one store lose no hit and count none twice."""
        other = self.make_controller()
        calls = []
        for _ in range(50):
            calls.append(Deferred.fromCoroutine(self.execute()))
            calls.append(
                Deferred.fromCoroutine(other.execute_policy(TENANT, GROUP, POLICY, actor=ACTOR))
            )
            self.clock.advance(0.003)
        self.settle()

        answers = sorted(self.successResultOf(call).desired for call in calls)
        self.assertEqual(answers, list(range(1, 101)))
        self.assertEqual(self.group().desired, 100)

    def test_cooldown_within_batch(self) -> None:
        """Of hits that share a write, a cooldown lets the first through and refuses the rest."""
        self.store.delay = timedelta()
        self.ended(
            self.controller.set_config(
                TENANT, GROUP, a_group(cooldown=60, max_entities=1000).config, actor=ACTOR
            )
        )
        self.store.delay = timedelta(milliseconds=10)
        first = Deferred.fromCoroutine(self.controller.converge(TENANT, GROUP, actor=ACTOR))
        calls = [Deferred.fromCoroutine(self.execute()) for _ in range(3)]
        self.settle()

        self.successResultOf(first)
        self.assertEqual(self.successResultOf(calls[0]).desired, 1)
        for call in calls[1:]:
            self.failureResultOf(call, CannotExecutePolicyError)
        self.assertEqual(self.group().desired, 1)

    def test_refused_together(self) -> None:
        """Hits that a cooldown refuses cost one append for all of their history."""
        self.store.delay = timedelta()
        self.ended(self.controller.pause(TENANT, GROUP, actor=ACTOR))
        self.store.delay = timedelta(milliseconds=10)
        calls = [Deferred.fromCoroutine(self.execute()) for _ in range(51)]
        self.settle()

        for call in calls:
            self.failureResultOf(call, GroupPausedError)
        self.assertEqual(self.store.appends, 2)
        self.assertEqual(self.kinds()[1:], [ActivityKind.REFUSED] * 51)

    def test_caller_hangs_up(self) -> None:
        """A client that hangs up disturbs nobody, and what it asked for still happens."""
        calls = [Deferred.fromCoroutine(self.execute()) for _ in range(5)]
        calls[0].cancel()
        calls[3].cancel()
        self.settle()

        for n in (0, 3):
            self.failureResultOf(calls[n], CancelledError)
        self.assertEqual([self.successResultOf(calls[n]).desired for n in (1, 2, 4)], [2, 3, 5])
        self.assertEqual(self.group().desired, 5)

    def test_store_fails_midway(self) -> None:
        """Hits that were answered count, those told "unavailable" here do not, none twice."""
        calls = [Deferred.fromCoroutine(self.execute()) for _ in range(250)]
        self.clock.advance(0.01)
        self.clock.advance(0.01)
        self.store.before_write.append(failing(StoreUnavailableError("down")))
        self.settle()

        self.assertEqual(self.successResultOf(calls[0]).desired, 1)
        for call in calls[1:101]:
            self.failureResultOf(call, StoreUnavailableError)
        answers = [self.successResultOf(call).desired for call in calls[101:]]
        self.assertEqual(answers, list(range(2, 151)))
        self.assertEqual(self.group().desired, 150)
