"""Calls on policies."""

from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

from otter.controller.errors import (
    CannotExecutePolicyError,
    NoSuchPolicyError,
    PoliciesOverLimitError,
    ValidationError,
)
from otter.controller.interface import NewPolicy, NewWebhook
from otter.models.activity import ActivityKind
from otter.models.errors import NoSuchPolicyError as NoSuchStoredPolicyError
from otter.models.errors import StoreUnavailableError
from otter.models.ids import PolicyId
from otter.models.policy import At, ChangePercent, Cron, SetCapacity
from tests.controller.world import (
    ACTOR,
    GROUP,
    NOW,
    POLICY,
    TENANT,
    ControllerCase,
    a_group,
    a_new_policy,
    a_policy,
    failing,
)

OTHER = PolicyId("other")
Call = Coroutine[Any, Any, object]


class CreatePoliciesTests(ControllerCase):
    """Adding policies."""

    def create(self, *policies: NewPolicy) -> Call:
        """Return the call that adds the policies."""
        return self.controller.create_policies(TENANT, GROUP, policies, actor=ACTOR)

    def test_stored(self) -> None:
        """Policies come back in the order given and are stored, paused group or not."""
        self.put_group(a_group(paused=True))
        sent = [
            a_new_policy(ChangePercent(Decimal("-0.10")), Decimal("1.50"), name=f"p{n}")
            for n in range(5)
        ]

        made = self.ended(self.controller.create_policies(TENANT, GROUP, sent, actor=ACTOR))

        self.assertEqual([policy.name for policy in made], ["p0", "p1", "p2", "p3", "p4"])
        self.assertEqual(str(made[0].cooldown), "1.50")
        self.assertEqual(
            self.ended(self.controller.list_policies(TENANT, GROUP, after="", limit=9)),
            sorted(made, key=lambda policy: policy.policy_id),
        )
        self.assertEqual(
            [(line.kind, line.details["policy_name"]) for line in self.history()],
            [(ActivityKind.POLICY_CREATED, f"p{n}") for n in range(5)],
        )

    def test_moves_nothing(self) -> None:
        """A new policy neither converges nor starts a cooldown."""
        self.put_group()

        self.ended(self.create(a_new_policy()))

        self.assertEqual((self.group(), self.marks()), (a_group(), []))

    def test_limit(self) -> None:
        """All are added or none; the limit counts those that exist."""
        self.put_group(None, a_policy())
        self.refused(self.create(*[a_new_policy()] * 5), PoliciesOverLimitError)
        self.assertEqual(len(self.ended(self.store.list_policies(TENANT, GROUP))), 1)

        self.ended(self.create(*[a_new_policy()] * 4))
        self.assertEqual(len(self.ended(self.store.list_policies(TENANT, GROUP))), 5)

    def test_none(self) -> None:
        """Adding nothing adds nothing."""
        self.put_group()

        self.assertEqual(self.ended(self.create()), [])
        self.assertEqual(self.kinds(), [])


class ReadPolicyTests(ControllerCase):
    """Looking at policies."""

    def test_page(self) -> None:
        """A page is ascending by id, strictly after the given one."""
        ids = [PolicyId(name) for name in "dbca"]
        self.put_group(None, *[a_policy(policy_id=policy_id) for policy_id in ids])

        page = self.ended(self.controller.list_policies(TENANT, GROUP, after="a", limit=2))

        self.assertEqual([policy.policy_id for policy in page], ["b", "c"])

    def test_get(self) -> None:
        """A policy comes back as stored."""
        self.put_group(None, a_policy())

        self.assertEqual(self.ended(self.controller.get_policy(TENANT, GROUP, POLICY)), a_policy())

    def test_unknown(self) -> None:
        """An unknown policy is told as such, by name."""
        self.put_group()

        text = self.refused(self.controller.get_policy(TENANT, GROUP, POLICY), NoSuchPolicyError)

        self.assertIn(POLICY, text)


class SetPolicyTests(ControllerCase):
    """Replacing a policy."""

    def set(self, policy: NewPolicy, policy_id: PolicyId = POLICY) -> Call:
        """Return the call that replaces the policy."""
        return self.controller.set_policy(TENANT, GROUP, policy_id, policy, actor=ACTOR)

    def test_replaced(self) -> None:
        """All that was sent replaces what was; the webhooks stay."""
        self.put_group(None, a_policy())
        webhooks = self.ended(
            self.controller.create_webhooks(TENANT, GROUP, POLICY, [NewWebhook("w")], actor=ACTOR)
        )

        self.clock.advance(1)
        self.ended(self.set(a_new_policy(SetCapacity(2), 9, name="two")))

        self.assertEqual(
            self.ended(self.store.get_policy(TENANT, GROUP, POLICY)),
            a_policy(SetCapacity(2), 9, name="two"),
        )
        self.assertEqual(
            self.ended(self.store.find_capability(webhooks[0].capability)), webhooks[0]
        )
        self.assertEqual(self.kinds()[1:], [ActivityKind.POLICY_CHANGED])

    def test_clock_kept(self) -> None:
        """The cooldown clock goes on; the new cooldown counts at the next attempt."""
        self.put_group(None, a_policy(cooldown=10))
        self.ended(self.execute())
        self.clock.advance(20)

        self.ended(self.set(a_new_policy(cooldown=60)))
        self.refused(self.execute(), CannotExecutePolicyError)
        self.ended(self.set(a_new_policy(cooldown=0)))
        self.ended(self.execute())

        self.assertEqual(self.group().desired, 7)

    def test_type_fixed(self) -> None:
        """A policy keeps its type, in both directions; nothing is stored."""
        timed = a_policy(policy_id=OTHER, schedule=At("2031-03-02T00:00:00Z"))
        self.put_group(None, a_policy(), timed)

        self.refused(self.set(a_new_policy(schedule=Cron("* * * * *"))), ValidationError)
        self.refused(self.set(a_new_policy(), OTHER), ValidationError)

        self.assertEqual(self.ended(self.store.get_policy(TENANT, GROUP, OTHER)), timed)
        self.assertEqual(self.kinds(), [])

    def test_unknown(self) -> None:
        """An unknown policy is told before its type is compared, and is not created."""
        self.put_group()

        self.refused(self.set(a_new_policy(schedule=Cron("* * * * *"))), NoSuchPolicyError)

        self.assertEqual(self.ended(self.store.list_policies(TENANT, GROUP)), [])

    def test_deleted_meanwhile(self) -> None:
        """A policy deleted between looking and writing does not come back."""
        self.put_group(None, a_policy())

        async def get_policy(*_: object) -> object:
            await self.store.delete_policy(TENANT, GROUP, POLICY)
            return a_policy()

        self.patch(self.store, "get_policy", get_policy)

        self.refused(self.set(a_new_policy()), NoSuchPolicyError)
        self.assertEqual(self.ended(self.store.list_policies(TENANT, GROUP)), [])


class DeletePolicyTests(ControllerCase):
    """Removing a policy."""

    def delete(self, policy_id: PolicyId = POLICY) -> Call:
        """Return the call that removes the policy."""
        return self.controller.delete_policy(TENANT, GROUP, policy_id, actor=ACTOR)

    def test_deleted(self) -> None:
        """The policy, its webhooks and its clock are gone; its effect and the others stay."""
        self.put_group(None, a_policy(), a_policy(policy_id=OTHER))
        made = [
            self.ended(
                self.controller.create_webhooks(
                    TENANT, GROUP, policy_id, [NewWebhook("w")], actor=ACTOR
                )
            )[0]
            for policy_id in (POLICY, OTHER)
        ]
        self.ended(self.execute())
        self.ended(self.execute(OTHER))

        self.ended(self.delete())

        group = self.group()
        self.assertEqual((group.desired, group.group_touched), (7, NOW))
        self.assertEqual(dict(group.policy_touched), {OTHER: NOW})
        self.refused(self.store.get_policy(TENANT, GROUP, POLICY), NoSuchStoredPolicyError)
        self.ended(self.controller.execute_capability("1", made[0].capability))
        self.ended(self.controller.execute_capability("1", made[1].capability))
        self.assertEqual(self.group().desired, 8)

    def test_never_executed(self) -> None:
        """Without a clock to drop the group is not written at all."""
        self.put_group(None, a_policy())

        self.ended(self.delete())

        self.assertEqual((self.store.writes, self.group()), (0, a_group()))
        self.assertEqual(self.kinds(), [ActivityKind.POLICY_DELETED])

    def test_clock_is_best_effort(self) -> None:
        """If only the clock cannot be dropped, the policy is deleted and nobody is told no."""
        self.put_group(a_group(policy_touched={POLICY: NOW - timedelta(days=1)}), a_policy())
        self.store.before_write.append(failing(StoreUnavailableError("down")))

        self.ended(self.delete())

        self.assertEqual(self.ended(self.store.list_policies(TENANT, GROUP)), [])
        self.assertIn(POLICY, self.group().policy_touched)

    def test_unknown(self) -> None:
        """An unknown policy is told as such, also the second time."""
        self.put_group(None, a_policy())
        self.ended(self.delete())

        self.refused(self.delete(), NoSuchPolicyError)
