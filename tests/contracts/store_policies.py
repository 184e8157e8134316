"""What every store promises about policies, webhooks and capabilities."""

from decimal import Decimal

from attrs import evolve

from otter.models.errors import (
    NoSuchGroupError,
    NoSuchPolicyError,
    NoSuchWebhookError,
    OverLimitError,
)
from otter.models.ids import CapabilityHash, GroupId, PolicyId, WebhookId
from otter.models.interface import Execution
from otter.models.policy import At, ChangePercent, Cron, SetCapacity
from tests.contracts.store_records import (
    GROUP,
    OTHER_GROUP,
    OTHER_TENANT,
    POLICY,
    TENANT,
    WEBHOOK,
    StoreContract,
    a_group,
    a_policy,
    a_schedule,
    a_webhook,
    an_activity,
    secret_of,
)

UNKNOWN = PolicyId("unknown")


class PolicyContract(StoreContract):
    """Policies of a group."""

    async def test_policies_are_there_as_given(self) -> None:
        """Every kind of adjustment and schedule comes back exactly, digits and spelling too."""
        store = await self.make_store_with_group()
        policies = [
            a_policy("1"),
            evolve(a_policy("2"), adjustment=ChangePercent(Decimal("-0.10"))),
            evolve(a_policy("3"), adjustment=SetCapacity(5), schedule=At("2031-05-01T00:00:00Z")),
            evolve(a_policy("4"), schedule=Cron("*/5 * * * *"), cooldown=Decimal("1E+2")),
        ]

        await store.create_policies(policies, max_policies=4, activities=[an_activity("1")])

        self.assertEqual(await store.list_policies(TENANT, GROUP), policies)
        self.assertEqual(await store.get_policy(TENANT, GROUP, PolicyId("2")), policies[1])
        self.assertEqual(await self.history(store), ["1"])

    async def test_policies_are_all_added_or_none(self) -> None:
        """A limit that is passed half way leaves nothing behind."""
        store = await self.make_store_with_policy()
        policies = [a_policy("1"), a_policy("2")]

        adding = store.create_policies(policies, max_policies=2, activities=[an_activity("1")])

        await self.assert_refused(adding, OverLimitError)
        self.assertEqual(await store.list_policies(TENANT, GROUP), [a_policy()])
        self.assertEqual(await self.history(store), [])

    async def test_adding_no_policies_is_fine(self) -> None:
        """An empty list is a list."""
        store = await self.make_store_with_policy()

        await store.create_policies([], max_policies=0)

        self.assertEqual(await store.list_policies(TENANT, GROUP), [a_policy()])

    async def test_policies_need_a_group(self) -> None:
        """A group that is gone, or going, gets no new policies that nobody would remove."""
        store = await self.make_store_with_group()
        await store.update_group(a_group(deleting=True), mark=True)

        for group_id in (GROUP, OTHER_GROUP):
            adding = store.create_policies([a_policy("1", group_id)], max_policies=9)
            await self.assert_refused(adding, NoSuchGroupError)
            self.assertEqual(await store.list_policies(TENANT, group_id), [])

    async def test_policies_are_paged_by_id(self) -> None:
        """Pages meet without gap or overlap and show one group only."""
        store = await self.make_store_with_group()
        await store.create_group(a_group(OTHER_GROUP), [a_policy("x", OTHER_GROUP)], max_groups=9)
        await store.create_policies([a_policy(name) for name in "cab"], max_policies=9)

        first = await store.list_policies(TENANT, GROUP, limit=2)
        second = await store.list_policies(TENANT, GROUP, after="b", limit=2)

        self.assertEqual([policy.policy_id for policy in (*first, *second)], ["a", "b", "c"])

    async def test_an_unknown_policy_is_told(self) -> None:
        """Policies are found under their own tenant and group only."""
        store = await self.make_store_with_policy()

        for key in ((TENANT, GROUP, UNKNOWN), (TENANT, OTHER_GROUP, POLICY)):
            await self.assert_refused(store.get_policy(*key), NoSuchPolicyError)
        await self.assert_refused(store.get_policy(OTHER_TENANT, GROUP, POLICY), NoSuchPolicyError)
        self.assertEqual(await store.list_policies(OTHER_TENANT, GROUP), [])

    async def test_an_update_replaces(self) -> None:
        """The policy is what it was last said to be."""
        store = await self.make_store_with_policy()

        await store.update_policy(a_policy(amount=-2), activities=[an_activity("1")])

        self.assertEqual(await store.get_policy(TENANT, GROUP, POLICY), a_policy(amount=-2))
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_update_does_not_resurrect(self) -> None:
        """Who updates what another deletes is told, and the deleted stays deleted."""
        store = await self.make_store_with_policy()
        await store.delete_policy(TENANT, GROUP, POLICY)

        update = store.update_policy(a_policy(), activities=[an_activity("1")])

        await self.assert_refused(update, NoSuchPolicyError)
        self.assertEqual(await store.list_policies(TENANT, GROUP), [])
        self.assertEqual(await self.history(store), [])

    async def test_deleting_takes_what_hangs_under_it_and_nothing_else(self) -> None:
        """Its webhooks stop working and its timer is disarmed; another policy's do not."""
        store = await self.make_store_with_policy()
        await store.create_policies([a_policy("policy-2")], max_policies=9)
        await store.create_webhooks([a_webhook()], max_webhooks=9)
        await store.create_webhooks([a_webhook("w2", "policy-2")], max_webhooks=9)
        await store.put_schedule(a_schedule())
        await store.put_schedule(a_schedule("policy-2"))

        await store.delete_policy(TENANT, GROUP, POLICY, activities=[an_activity("1")])

        await self.assert_refused(store.get_policy(TENANT, GROUP, POLICY), NoSuchPolicyError)
        await self.assert_refused(store.find_capability(secret_of(WEBHOOK)), NoSuchWebhookError)
        self.assertEqual(await store.list_webhooks(TENANT, GROUP, POLICY), [])
        self.assertEqual((await store.find_capability(secret_of("w2"))).webhook_id, "w2")
        self.assertEqual(await store.due_schedules(a_schedule().due), [a_schedule("policy-2")])
        self.assertEqual(await self.history(store), ["1"])

    async def test_deleting_an_unknown_policy_is_told(self) -> None:
        """The second of two deletions learns that it was not the one."""
        store = await self.make_store_with_policy()

        deleting = store.delete_policy(TENANT, GROUP, UNKNOWN, activities=[an_activity("1")])

        await self.assert_refused(deleting, NoSuchPolicyError)
        self.assertEqual(await self.history(store), [])


class WebhookContract(StoreContract):
    """Webhooks of a policy and their capabilities."""

    async def test_webhooks_are_there_as_given(self) -> None:
        """The owner sees the capability again whenever asked, and it works from then on."""
        store = await self.make_store_with_policy()
        webhooks = [a_webhook("1"), a_webhook("2")]

        await store.create_webhooks(webhooks, max_webhooks=2, activities=[an_activity("1")])

        self.assertEqual(await store.list_webhooks(TENANT, GROUP, POLICY), webhooks)
        self.assertEqual(
            await store.get_webhook(TENANT, GROUP, POLICY, WebhookId("2")), webhooks[1]
        )
        self.assertEqual(await store.find_capability(secret_of("1")), webhooks[0])
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_execution_is_found_whole(self) -> None:
        """A capability leads to its webhook and that webhook's policy, among several of both."""
        store = await self.make_store_with_policy()
        other = a_policy("policy-2")
        await store.create_policies([other], max_policies=9)
        await store.create_webhooks([a_webhook()], max_webhooks=9)
        await store.create_webhooks([a_webhook("w2", "policy-2")], max_webhooks=9)

        first = await store.find_execution(secret_of(WEBHOOK))
        second = await store.find_execution(secret_of("w2"))

        self.assertEqual(first, Execution(a_webhook(), a_policy()))
        self.assertEqual(second, Execution(a_webhook("w2", "policy-2"), other))
        await self.assert_refused(store.find_execution(secret_of("w3")), NoSuchWebhookError)

    async def test_an_execution_is_as_fresh_as_its_policy(self) -> None:
        """What is executed is the policy as it was last changed, and nothing once it is deleted."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=9)
        changed = evolve(a_policy(), name="changed")

        await store.update_policy(changed)

        self.assertEqual((await store.find_execution(secret_of(WEBHOOK))).policy, changed)
        await store.delete_policy(TENANT, GROUP, POLICY)
        await self.assert_refused(store.find_execution(secret_of(WEBHOOK)), NoSuchWebhookError)

    async def test_webhooks_are_all_added_or_none(self) -> None:
        """A limit that is passed half way leaves no capability behind."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=1)

        adding = store.create_webhooks(
            [a_webhook("1"), a_webhook("2")], max_webhooks=2, activities=[an_activity("1")]
        )

        await self.assert_refused(adding, OverLimitError)
        await self.assert_refused(store.find_capability(secret_of("1")), NoSuchWebhookError)
        self.assertEqual(await store.list_webhooks(TENANT, GROUP, POLICY), [a_webhook()])
        self.assertEqual(await self.history(store), [])

    async def test_the_limit_is_per_policy(self) -> None:
        """Webhooks of other policies do not count."""
        store = await self.make_store_with_policy()
        await store.create_policies([a_policy("policy-2")], max_policies=9)
        await store.create_webhooks([a_webhook()], max_webhooks=1)

        await store.create_webhooks([a_webhook("w2", "policy-2")], max_webhooks=1)

        self.assertEqual((await store.find_capability(secret_of("w2"))).policy_id, "policy-2")

    async def test_webhooks_need_a_policy(self) -> None:
        """No capability is made that leads nowhere."""
        store = await self.make_store_with_group()

        adding = store.create_webhooks([a_webhook()], max_webhooks=9)

        await self.assert_refused(adding, NoSuchPolicyError)
        await self.assert_refused(store.find_capability(secret_of(WEBHOOK)), NoSuchWebhookError)

    async def test_webhooks_are_paged_by_id(self) -> None:
        """Pages meet without gap or overlap."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook(name) for name in "cab"], max_webhooks=9)

        first = await store.list_webhooks(TENANT, GROUP, POLICY, limit=2)
        second = await store.list_webhooks(TENANT, GROUP, POLICY, after="b", limit=2)

        self.assertEqual([webhook.webhook_id for webhook in (*first, *second)], ["a", "b", "c"])

    async def test_an_unknown_webhook_is_told(self) -> None:
        """A webhook is found under its own policy and group only."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=9)

        for group_id, policy_id, webhook_id in (
            (GROUP, POLICY, WebhookId("unknown")),
            (GROUP, UNKNOWN, WEBHOOK),
            (GroupId("unknown"), POLICY, WEBHOOK),
        ):
            await self.assert_refused(
                store.get_webhook(TENANT, group_id, policy_id, webhook_id), NoSuchWebhookError
            )
        self.assertEqual(await store.list_webhooks(TENANT, GROUP, UNKNOWN), [])

    async def test_an_update_keeps_the_capability(self) -> None:
        """Renaming never breaks the URL that somebody's alarm has, whatever the record says."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=9)
        renamed = evolve(a_webhook(), name="ram", metadata={"new": "yes"})
        other_secret = CapabilityHash("f" * 64)

        await store.update_webhook(
            evolve(renamed, capability=other_secret), activities=[an_activity("1")]
        )

        self.assertEqual(await store.get_webhook(TENANT, GROUP, POLICY, WEBHOOK), renamed)
        self.assertEqual(await store.find_capability(secret_of(WEBHOOK)), renamed)
        await self.assert_refused(store.find_capability(other_secret), NoSuchWebhookError)
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_update_does_not_resurrect(self) -> None:
        """A deleted webhook stays deleted, its capability with it."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=9)
        await store.delete_webhook(TENANT, GROUP, POLICY, WEBHOOK)

        update = store.update_webhook(a_webhook(), activities=[an_activity("1")])

        await self.assert_refused(update, NoSuchWebhookError)
        await self.assert_refused(store.find_capability(secret_of(WEBHOOK)), NoSuchWebhookError)
        self.assertEqual(await self.history(store), [])

    async def test_a_deleted_webhook_does_nothing_from_then_on(self) -> None:
        """Its neighbours go on working."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook(), a_webhook("w2")], max_webhooks=9)

        await store.delete_webhook(TENANT, GROUP, POLICY, WEBHOOK, activities=[an_activity("1")])

        await self.assert_refused(store.find_capability(secret_of(WEBHOOK)), NoSuchWebhookError)
        self.assertEqual(await store.list_webhooks(TENANT, GROUP, POLICY), [a_webhook("w2")])
        self.assertEqual(await store.find_capability(secret_of("w2")), a_webhook("w2"))
        self.assertEqual(await self.history(store), ["1"])

    async def test_deleting_an_unknown_webhook_is_told(self) -> None:
        """The second of two deletions learns that it was not the one."""
        store = await self.make_store_with_policy()

        deleting = store.delete_webhook(
            TENANT, GROUP, POLICY, WEBHOOK, activities=[an_activity("1")]
        )

        await self.assert_refused(deleting, NoSuchWebhookError)
        self.assertEqual(await self.history(store), [])

    async def test_a_secret_nobody_has_finds_nobody(self) -> None:
        """Neither does the beginning of one that somebody has."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=9)

        for secret in ("", "0" * 64, secret_of(WEBHOOK)[:63]):
            await self.assert_refused(
                store.find_capability(CapabilityHash(secret)), NoSuchWebhookError
            )
