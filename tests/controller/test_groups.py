"""Making and deleting groups, and groups that are not there."""

from collections.abc import Coroutine
from typing import Any

from attrs import evolve

from otter.bus.interface import Notice
from otter.controller.errors import (
    GroupNotEmptyError,
    InvalidMinEntities,
    NoSuchScalingGroupError,
    PoliciesOverLimitError,
    ScalingGroupOverLimitError,
)
from otter.controller.interface import Controller, NewWebhook
from otter.models.activity import ActivityKind
from otter.models.ids import ServerId, TenantId, WebhookId
from otter.models.policy import At, Policy, SetCapacity
from tests.controller.world import (
    ACTOR,
    GROUP,
    LAUNCH,
    NOW,
    POLICY,
    TENANT,
    ControllerCase,
    a_config,
    a_group,
    a_launch,
    a_new_policy,
    a_policy,
    an_entry,
)

Call = Coroutine[Any, Any, object]


def calls_on_group(controller: Controller) -> dict[str, Call]:
    """Return one call of every method that is about an existing group."""
    at = (TENANT, GROUP)
    webhook = (*at, POLICY, WebhookId("w"))
    return {
        "get_group": controller.get_group(*at),
        "delete_group": controller.delete_group(*at, force=True, actor=ACTOR),
        "set_config": controller.set_config(*at, a_config(), actor=ACTOR),
        "set_launch": controller.set_launch(*at, LAUNCH, actor=ACTOR),
        "pause": controller.pause(*at, actor=ACTOR),
        "resume": controller.resume(*at, actor=ACTOR),
        "set_suspended": controller.set_suspended(*at, suspended=True, actor=ACTOR),
        "converge": controller.converge(*at, actor=ACTOR),
        "list_policies": controller.list_policies(*at, after="", limit=9),
        "create_policies": controller.create_policies(*at, [a_new_policy()], actor=ACTOR),
        "get_policy": controller.get_policy(*at, POLICY),
        "set_policy": controller.set_policy(*at, POLICY, a_new_policy(), actor=ACTOR),
        "delete_policy": controller.delete_policy(*at, POLICY, actor=ACTOR),
        "execute_policy": controller.execute_policy(*at, POLICY, actor=ACTOR),
        "list_webhooks": controller.list_webhooks(*at, POLICY, after="", limit=9),
        "create_webhooks": controller.create_webhooks(*at, POLICY, [NewWebhook("n")], actor=ACTOR),
        "get_webhook": controller.get_webhook(*webhook),
        "set_webhook": controller.set_webhook(*webhook, NewWebhook("n"), actor=ACTOR),
        "delete_webhook": controller.delete_webhook(*webhook, actor=ACTOR),
        "remove_server": controller.remove_server(
            *at, ServerId("s1"), replace=True, purge=True, actor=ACTOR
        ),
        "list_activities": controller.list_activities(*at, before="", limit=9),
        "notify_secret": controller.notify_secret(*at),
    }


class NoGroupTests(ControllerCase):
    """Groups that are not there."""

    def test_unknown(self) -> None:
        """Every call on an unknown group says so, whatever else in the call is unknown too."""
        for name, call in calls_on_group(self.controller).items():
            text = self.refused(call, NoSuchScalingGroupError)

            self.assertIn(GROUP, text, name)
            self.assertIn(TENANT, text, name)

    def test_deleting(self) -> None:
        """A group that is being deleted is gone for every call, although it is still stored."""
        self.put_group(a_group(deleting=True), a_policy())
        self.put_entries(an_entry())
        for call in calls_on_group(self.controller).values():
            self.refused(call, NoSuchScalingGroupError)

        self.assertEqual(self.group(), a_group(deleting=True))
        self.assertEqual((self.kinds(), self.bus.notices), ([], []))

    def test_foreign(self) -> None:
        """Another tenant's group is as good as unknown."""
        self.put_group()

        self.refused(self.controller.get_group(TenantId("other"), GROUP), NoSuchScalingGroupError)

    def test_every_call(self) -> None:
        """The list of calls above is whole, so that no method is left out of these tests."""
        elsewhere = {"create_group", "list_groups", "execute_capability"}
        methods = {name for name in vars(Controller) if not name.startswith("_")}
        calls = calls_on_group(self.controller)
        for call in calls.values():
            call.close()

        self.assertEqual(methods - elsewhere, set(calls))


class CreateGroupTests(ControllerCase):
    """Making a group."""

    def create(self, **changes: Any) -> Call:
        """Return the call that makes a group with two policies."""
        call: dict[str, Any] = {
            "config": a_config(2, 8),
            "launch": a_launch(server={"flavorRef": "3", "metadata": None}),
            "policies": [a_new_policy(), a_new_policy(SetCapacity(4), 5, name="four")],
        }
        return self.controller.create_group(TENANT, **{**call, **changes}, actor=ACTOR)

    def test_stored(self) -> None:
        """A new group wants its minimum, at launch version 1, with no cooldown running."""
        group, _ = self.ended(
            self.controller.create_group(TENANT, a_config(2, 8), LAUNCH, [], actor=ACTOR)
        )

        self.assertEqual(
            group,
            evolve(a_group(2, 2, 8), group_id=group.group_id, created=NOW),
        )
        self.assertEqual(self.ended(self.store.get_group(TENANT, group.group_id)), group)

    def test_policies(self) -> None:
        """Its policies come back in the order given, with ids of their own, and are stored."""
        sent = [
            a_new_policy(),
            a_new_policy(SetCapacity(4), 5, name="four"),
            a_new_policy(name="timed", schedule=At("2031-03-02T00:00:00Z")),
        ]
        group, policies = self.ended(
            self.controller.create_group(TENANT, a_config(), LAUNCH, sent, actor=ACTOR)
        )

        ids = [policy.policy_id for policy in policies]
        self.assertEqual(
            policies,
            [
                Policy(
                    TENANT,
                    group.group_id,
                    policy_id,
                    new.name,
                    new.cooldown,
                    new.adjustment,
                    new.schedule,
                )
                for policy_id, new in zip(ids, sent, strict=True)
            ],
        )
        self.assertEqual(len(set(ids)), 3)
        self.assertEqual(
            self.ended(self.store.list_policies(TENANT, group.group_id)),
            sorted(policies, key=lambda policy: policy.policy_id),
        )

    def test_converges(self) -> None:
        """It is marked and the supervisor hinted, so that servers begin building at once."""
        self.ended(self.create())

        group = self.ended(self.store.list_groups(TENANT))[0]
        self.assertEqual(self.marks(), [1])
        self.assertEqual(self.bus.notices, [Notice(TENANT, group.group_id)])
        self.assertEqual(
            [(line.kind, line.actor) for line in self.history(group.group_id)],
            [(ActivityKind.CREATED, ACTOR)],
        )

    def test_null_metadata_dropped(self) -> None:
        """A null server metadata is not stored."""
        self.ended(self.create())

        group = self.ended(self.store.list_groups(TENANT))[0]
        self.assertEqual(group.launch.args, a_launch(server={"flavorRef": "3"}).args)

    def test_bounds(self) -> None:
        """Contradicting bounds are told before any limit."""
        self.refused(
            self.create(config=a_config(3, 2), policies=[a_new_policy()] * 6), InvalidMinEntities
        )

        self.assertEqual(self.ended(self.store.list_groups(TENANT)), [])

    def test_too_many_policies(self) -> None:
        """A group is not made with more policies than it could be given later."""
        self.refused(self.create(policies=[a_new_policy()] * 6), PoliciesOverLimitError)

        self.assertEqual(self.ended(self.store.list_groups(TENANT)), [])

    def test_too_many_groups(self) -> None:
        """The tenant's limit holds; a group that is being deleted does not count."""
        for _ in range(3):
            self.ended(self.create())
        self.refused(self.create(), ScalingGroupOverLimitError)
        first = self.ended(self.store.list_groups(TENANT))[0]

        self.ended(self.controller.delete_group(TENANT, first.group_id, force=True, actor=ACTOR))
        self.ended(self.create())
        self.assertEqual(len(self.ended(self.store.list_groups(TENANT))), 3)

    def test_twins(self) -> None:
        """An identical call makes another group."""
        self.ended(self.create())
        self.ended(self.create())

        self.assertEqual(len(self.ended(self.store.list_groups(TENANT))), 2)


class DeleteGroupTests(ControllerCase):
    """Deleting a group."""

    def delete(self, *, force: bool) -> Call:
        """Return the call that deletes the group."""
        return self.controller.delete_group(TENANT, GROUP, force=force, actor=ACTOR)

    def test_not_empty(self) -> None:
        """A group that wants servers stays, unless forced."""
        self.put_group(a_group(1))

        self.refused(self.delete(force=False), GroupNotEmptyError)

        self.assertEqual((self.group(), self.marks()), (a_group(1), []))

    def test_empty(self) -> None:
        """A group that wants nothing goes, whatever servers it still has."""
        self.put_group(a_group(0))
        self.put_entries(an_entry())

        self.ended(self.delete(force=False))

        self.assertEqual(self.group(), a_group(0, deleting=True, generation=2))

    def test_force(self) -> None:
        """By force it goes at once, paused or suspended as it may be, and is left to drain."""
        self.put_group(a_group(3, paused=True, suspended=True))

        self.ended(self.delete(force=True))

        self.assertEqual(
            self.group(),
            a_group(0, paused=True, suspended=True, deleting=True, generation=2),
        )
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        line = self.history()[0]
        self.assertEqual(
            (line.kind, line.actor, line.details["desired_before"], line.details["desired_after"]),
            (ActivityKind.DELETED, ACTOR, 3, 0),
        )

    def test_twice(self) -> None:
        """The second time there is no group."""
        self.put_group(a_group(0))
        self.ended(self.delete(force=False))

        self.refused(self.delete(force=False), NoSuchScalingGroupError)
