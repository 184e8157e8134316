"""What every store promises about groups."""

from attrs import evolve

from otter.models.errors import ConflictError, NoSuchGroupError, NoSuchWebhookError, OverLimitError
from otter.models.group import DirtyMark
from otter.models.ids import GroupId, TenantId
from otter.models.interface import Store
from otter.models.ledger import Convergence, EntryState
from tests.contracts.store_records import (
    GROUP,
    OTHER_GROUP,
    OTHER_TENANT,
    POLICY,
    TENANT,
    StoreContract,
    a_group,
    a_ledger_write,
    a_notification,
    a_policy,
    a_schedule,
    a_webhook,
    an_activity,
    an_entry,
    secret_of,
)


class CreateContract(StoreContract):
    """Adding groups."""

    async def test_a_created_group_is_there_as_given(self) -> None:
        """Nothing of what the owner said is lost or altered, however deep in the launch config."""
        store = await self.make_store_with_group()

        found = await store.get_group(TENANT, GROUP)

        self.assertEqual(found, a_group())

    async def test_a_group_comes_with_policies_ledger_mark_and_history(self) -> None:
        """One call makes the whole partition, so there is no group that lacks a part."""
        store = await self.make_store()

        await store.create_group(
            a_group(), [a_policy()], max_groups=1, activities=[an_activity("1")]
        )

        ledger = await store.read_ledger(TENANT, GROUP)
        self.assertEqual(ledger.convergence, Convergence(TENANT, GROUP))
        self.assertEqual(dict(ledger.entries), {})
        self.assertEqual(await store.list_policies(TENANT, GROUP), [a_policy()])
        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 1)])
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_id_is_given_once(self) -> None:
        """A create that is repeated because its outcome was unknown does not overwrite."""
        store = await self.make_store_with_group()

        again = store.create_group(a_group(desired=5), [a_policy()], max_groups=10)

        await self.assert_refused(again, ConflictError)
        self.assertEqual((await store.get_group(TENANT, GROUP)).desired, 0)
        self.assertEqual(await store.list_policies(TENANT, GROUP), [])

    async def test_a_tenant_has_its_limit(self) -> None:
        """The group too many leaves nothing behind, and other tenants do not count."""
        store = await self.make_store_with_group()
        await store.create_group(a_group(tenant_id=OTHER_TENANT), [], max_groups=1)

        one_more = store.create_group(
            a_group(OTHER_GROUP), [a_policy()], max_groups=1, activities=[an_activity("1")]
        )

        await self.assert_refused(one_more, OverLimitError)
        await self.assert_refused(store.get_group(TENANT, OTHER_GROUP), NoSuchGroupError)
        self.assertEqual(await self.history(store), [])

    async def test_groups_being_deleted_do_not_count(self) -> None:
        """Who deletes a group may make the next at once, however long the draining takes."""
        store = await self.make_store_with_group()
        await store.update_group(a_group(deleting=True), mark=True)

        await store.create_group(a_group(OTHER_GROUP), [], max_groups=1)

        self.assertEqual(await store.get_group(TENANT, OTHER_GROUP), a_group(OTHER_GROUP))


class ListingContract(StoreContract):
    """Pages of groups, ids and tenants."""

    async def make_store_with_groups(self) -> Store:
        """Return a store with the groups a to d, of which b is being deleted, and a neighbour's."""
        store = await self.make_store()
        for group_id in ("d", "b", "a", "c"):
            await store.create_group(a_group(group_id), [], max_groups=10)
        await store.create_group(a_group("x", OTHER_TENANT), [], max_groups=10)
        await store.update_group(a_group("b", deleting=True), mark=False)
        return store

    async def test_groups_are_paged_by_id(self) -> None:
        """Pages meet without gap or overlap; groups being deleted are not shown."""
        store = await self.make_store_with_groups()

        first = await store.list_groups(TENANT, limit=2)
        second = await store.list_groups(TENANT, after="c", limit=2)

        self.assertEqual(first, [a_group("a"), a_group("c")])
        self.assertEqual(second, [a_group("d")])

    async def test_ids_of_all_groups_are_paged(self) -> None:
        """A sweep visits the groups being deleted too, or they would never be drained."""
        store = await self.make_store_with_groups()

        first = await store.list_group_ids(TENANT, limit=3)
        second = await store.list_group_ids(TENANT, after="c", limit=3)

        self.assertEqual(first, ["a", "b", "c"])
        self.assertEqual(second, ["d"])

    async def test_ids_sort_as_plain_text(self) -> None:
        """Every engine pages in the same order: upper case before lower, as in ASCII."""
        store = await self.make_store()
        for group_id in ("a", "B", "b", "A", "1"):
            await store.create_group(a_group(group_id), [], max_groups=10)

        self.assertEqual(await store.list_group_ids(TENANT), ["1", "A", "B", "a", "b"])

    async def test_tenants_are_paged(self) -> None:
        """A sweep finds everybody who has a group or ever had a server."""
        store = await self.make_store_with_groups()
        orphan = evolve(an_entry(), tenant_id=TenantId("past"), group_id=GroupId("gone"))
        await store.adopt_orphan(orphan)

        first = await store.list_tenants(limit=2)
        second = await store.list_tenants(after="past", limit=2)

        self.assertEqual(first, [OTHER_TENANT, "past"])
        self.assertEqual(second, [TENANT])

    async def test_an_unknown_tenant_has_nothing(self) -> None:
        """Listings of what is not there are empty, not an error."""
        store = await self.make_store()

        self.assertEqual(await store.list_groups(TENANT), [])
        self.assertEqual(await store.list_group_ids(TENANT), [])
        self.assertEqual(await store.list_tenants(), [])


class UpdateContract(StoreContract):
    """Conditional writes."""

    async def test_an_update_is_stored_one_generation_higher(self) -> None:
        """The caller gets what is stored and can build upon it without reading."""
        store = await self.make_store_with_group()

        stored = await store.update_group(a_group(desired=3), mark=True)

        self.assertEqual(stored, evolve(a_group(desired=3), generation=2))
        self.assertEqual(await store.get_group(TENANT, GROUP), stored)

    async def test_of_two_writers_one_wins(self) -> None:
        """Two decisions upon the same state cannot both count; the second is made anew."""
        store = await self.make_store_with_group()

        won, lost = await self.race(
            store.update_group(a_group(desired=1), mark=True),
            store.update_group(a_group(desired=2), mark=True),
        )

        self.assertEqual([await store.get_group(TENANT, GROUP)], won)
        self.assertEqual([type(error) for error in lost], [ConflictError])

    async def test_a_stale_update_changes_nothing(self) -> None:
        """What lost the race leaves no mark, no history, no ledger and no message."""
        store = await self.make_store_with_group()
        await store.update_group(a_group(desired=1), mark=False)
        ledger = a_ledger_write(an_entry(), notifications=(a_notification(),))

        stale = store.update_group(
            a_group(desired=2), mark=True, ledger=ledger, activities=[an_activity("1")]
        )

        await self.assert_refused(stale, ConflictError)
        self.assertEqual((await store.get_group(TENANT, GROUP)).desired, 1)
        await self.assert_untouched(store)

    async def test_a_stale_ledger_keeps_the_group_back(self) -> None:
        """Both halves are written or neither, so removing a server cannot happen by half."""
        store = await self.make_store_with_group()
        ledger = a_ledger_write(an_entry(), revision=7, notifications=(a_notification(),))

        stale = store.update_group(
            a_group(desired=2), mark=True, ledger=ledger, activities=[an_activity("1")]
        )

        await self.assert_refused(stale, ConflictError)
        self.assertEqual(await store.get_group(TENANT, GROUP), a_group())
        await self.assert_untouched(store)

    async def assert_untouched(self, store: Store) -> None:
        """Fail if anything but the group itself was written since it was created."""
        self.assertEqual(await self.history(store), [])
        self.assertEqual((await store.read_ledger(TENANT, GROUP)).convergence.revision, 0)
        self.assertIsNone(await store.get_entry(TENANT, GROUP, an_entry().instance_id))
        if not self.leaves_traces:
            self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 1)])
            self.assertEqual(await store.due_notifications(a_notification().due), [])

    async def test_both_halves_are_written_together(self) -> None:
        """Group, mark, ledger, messages and history arrive in one write."""
        store = await self.make_store_with_group()
        ledger = a_ledger_write(an_entry(), notifications=(a_notification(),))

        await store.update_group(
            a_group(desired=2), mark=True, ledger=ledger, activities=[an_activity("1")]
        )

        found = await store.read_ledger(TENANT, GROUP)
        self.assertEqual((await store.get_group(TENANT, GROUP)).desired, 2)
        self.assertEqual(found.convergence, evolve(ledger.convergence, revision=1))
        self.assertEqual(dict(found.entries), {an_entry().instance_id: an_entry()})
        self.assertEqual(await store.due_notifications(a_notification().due), [a_notification()])
        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 2)])
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_unknown_group_is_not_created(self) -> None:
        """An update after the removal does not bring the group back to life."""
        store = await self.make_store()

        update = store.update_group(a_group(), mark=True, activities=[an_activity("1")])

        await self.assert_refused(update, NoSuchGroupError)
        self.assertEqual(await store.list_tenants(), [])
        self.assertEqual(await self.history(store), [])
        if not self.leaves_traces:
            self.assertEqual(await store.list_dirty(), [])


class RemoveContract(StoreContract):
    """Forgetting drained groups."""

    async def make_store_with_deleting_group(self) -> Store:
        """Return a store with a group of generation 2 that is deleting and has all there is."""
        store = await self.make_store_with_policy()
        await store.create_webhooks([a_webhook()], max_webhooks=1)
        await store.put_schedule(a_schedule())
        await store.update_group(
            a_group(deleting=True),
            mark=True,
            ledger=a_ledger_write(an_entry("old", state=EntryState.GONE)),
            activities=[an_activity("1")],
        )
        return store

    async def test_everything_under_the_group_goes(self) -> None:
        """No capability, timer or mark outlives the group it belongs to."""
        store = await self.make_store_with_deleting_group()

        await store.remove_group(evolve(a_group(deleting=True), generation=2))

        await self.assert_refused(store.get_group(TENANT, GROUP), NoSuchGroupError)
        await self.assert_refused(store.read_ledger(TENANT, GROUP), NoSuchGroupError)
        self.assertEqual(await store.list_policies(TENANT, GROUP), [])
        self.assertEqual(await store.list_webhooks(TENANT, GROUP, POLICY), [])
        self.assertEqual(await store.due_schedules(a_schedule().due), [])
        self.assertEqual(await store.list_dirty(), [])
        self.assertEqual(await store.list_group_ids(TENANT), [])
        await self.assert_refused(store.find_capability(secret_of("webhook")), NoSuchWebhookError)

    async def test_history_and_ends_stay(self) -> None:
        """What happened can be looked up, and a late server recognised, until they are pruned."""
        store = await self.make_store_with_deleting_group()

        await store.remove_group(evolve(a_group(deleting=True), generation=2))

        old = an_entry("old", state=EntryState.GONE)
        self.assertEqual(await store.get_entry(TENANT, GROUP, old.instance_id), old)
        self.assertEqual(await self.history(store), ["1"])
        self.assertEqual(await store.list_tenants(), [TENANT])

    async def test_other_groups_stay_whole(self) -> None:
        """Removal stops at the group's own partition, also where ids begin alike."""
        store = await self.make_store_with_deleting_group()
        await store.create_group(
            a_group(OTHER_GROUP), [a_policy(group_id=OTHER_GROUP)], max_groups=10
        )
        await store.create_webhooks([a_webhook("w2", group_id=OTHER_GROUP)], max_webhooks=1)

        await store.remove_group(evolve(a_group(deleting=True), generation=2))

        self.assertEqual(await store.get_group(TENANT, OTHER_GROUP), a_group(OTHER_GROUP))
        self.assertEqual(len(await store.list_policies(TENANT, OTHER_GROUP)), 1)
        self.assertEqual((await store.find_capability(secret_of("w2"))).group_id, OTHER_GROUP)
        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, OTHER_GROUP, 1)])

    async def test_a_group_that_moved_on_stays(self) -> None:
        """Somebody changed it since it was found empty, so it has to be looked at again."""
        store = await self.make_store_with_deleting_group()

        await self.assert_refused(store.remove_group(a_group(deleting=True)), ConflictError)

    async def test_a_group_nobody_deletes_stays(self) -> None:
        """An empty group that is wanted is not taken for a drained one."""
        store = await self.make_store_with_group()

        await self.assert_refused(store.remove_group(a_group()), ConflictError)

    async def test_a_group_with_servers_stays(self) -> None:
        """As long as one server may exist, the ledger that knows of it does."""
        store = await self.make_store_with_deleting_group()
        await store.write_ledger(
            a_ledger_write(an_entry("last", state=EntryState.DELETING), revision=1)
        )
        group = evolve(a_group(deleting=True), generation=2)

        await self.assert_refused(store.remove_group(group), ConflictError)

        self.assertEqual(await store.get_group(TENANT, GROUP), group)
        self.assertEqual(len(await store.list_policies(TENANT, GROUP)), 1)

    async def test_an_unknown_group_is_told(self) -> None:
        """Removing twice tells the second time that there is nothing to remove."""
        store = await self.make_store()

        await self.assert_refused(store.remove_group(a_group(deleting=True)), NoSuchGroupError)

    async def test_a_removed_group_is_not_brought_back_by_a_late_writer(self) -> None:
        """A call that read the group before its removal finds that it is gone."""
        store = await self.make_store_with_deleting_group()
        group = await store.get_group(TENANT, GROUP)
        await store.remove_group(group)

        await self.assert_refused(store.update_group(group, mark=True), NoSuchGroupError)
        await self.assert_refused(store.write_ledger(a_ledger_write(revision=1)), NoSuchGroupError)
        self.assertEqual(await store.list_group_ids(TENANT), [])
        if not self.leaves_traces:
            self.assertEqual(await store.list_dirty(), [])
