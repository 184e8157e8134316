"""What every store promises about histories and about forgetting."""

from datetime import timedelta

from otter.models.ids import GroupId
from otter.models.interface import Store
from otter.models.ledger import EntryState
from tests.contracts.store_records import (
    GROUP,
    NOW,
    OTHER_GROUP,
    OTHER_TENANT,
    TENANT,
    StoreContract,
    a_ledger_write,
    an_activity,
    an_entry,
)

HOUR = timedelta(hours=1)


class HistoryContract(StoreContract):
    """Activities."""

    async def test_activities_are_there_as_given(self) -> None:
        """Refusals are recorded whether or not the group still exists."""
        store = await self.make_store()

        await store.add_activities([an_activity("1")])

        self.assertEqual(await store.list_activities(TENANT, GROUP), [an_activity("1")])

    async def test_the_newest_comes_first_in_pages(self) -> None:
        """Who asks why gets the latest answer without paging."""
        store = await self.make_store()
        await store.add_activities([an_activity(name) for name in ("2", "4", "1", "3")])

        first = await store.list_activities(TENANT, GROUP, limit=2)
        second = await store.list_activities(TENANT, GROUP, before="3", limit=2)
        third = await store.list_activities(TENANT, GROUP, before="1", limit=2)

        self.assertEqual([activity.activity_id for activity in first], ["4", "3"])
        self.assertEqual([activity.activity_id for activity in second], ["2", "1"])
        self.assertEqual(third, [])

    async def test_histories_are_apart(self) -> None:
        """One call may write to several, and none shows another's."""
        store = await self.make_store()

        await store.add_activities([an_activity("1"), an_activity("2", OTHER_GROUP)])

        self.assertEqual(await self.history(store), ["1"])
        self.assertEqual(await self.history(store, OTHER_GROUP), ["2"])
        self.assertEqual(await store.list_activities(OTHER_TENANT, GROUP), [])


class PruneContract(StoreContract):
    """Forgetting what is too old to matter."""

    async def test_old_activities_go(self) -> None:
        """One exactly as old as the bound stays."""
        store = await self.make_store()
        await store.add_activities(
            [
                an_activity("1", age=2 * HOUR),
                an_activity("2", age=HOUR),
                an_activity("3"),
            ]
        )

        await store.prune(before=NOW - HOUR, keep_activities=10)

        self.assertEqual(await self.history(store), ["3", "2"])

    async def test_all_but_the_newest_activities_go(self) -> None:
        """A group that is executed every second does not fill the disk; a quiet one loses none."""
        store = await self.make_store()
        await store.add_activities([an_activity(f"{number:04}") for number in range(1200)])
        await store.add_activities([an_activity("1", OTHER_GROUP), an_activity("2", OTHER_GROUP)])

        await store.prune(before=NOW - HOUR, keep_activities=2)

        self.assertEqual(await self.history(store), ["1199", "1198"])
        self.assertEqual(await self.history(store, OTHER_GROUP), ["2", "1"])

    async def test_every_group_is_visited(self) -> None:
        """However many groups there are, none keeps more than it may."""
        store = await self.make_store()
        groups = [f"group-{number:03}" for number in range(230)]
        await store.add_activities(
            [an_activity(name, group) for group in groups for name in ("1", "2")]
        )

        await store.prune(before=NOW - HOUR, keep_activities=1)

        for group in groups:
            self.assertEqual(await self.history(store, group), ["2"])

    async def test_nothing_need_be_kept(self) -> None:
        """A history can be emptied, and pruning an empty store is fine."""
        store = await self.make_store()
        await store.prune(before=NOW, keep_activities=0)
        await store.add_activities([an_activity("1")])

        await store.prune(before=NOW - HOUR, keep_activities=0)

        self.assertEqual(await self.history(store), [])

    async def test_old_ends_go(self) -> None:
        """Entries that are terminal since long are forgotten; live ones never are."""
        store = await self.make_store_with_group()
        await store.write_ledger(
            a_ledger_write(
                an_entry("old-gone", state=EntryState.GONE, age=2 * HOUR),
                an_entry("old-lost", state=EntryState.LOST, age=2 * HOUR),
                an_entry("young-gone", state=EntryState.GONE, age=HOUR),
                an_entry("old-live", state=EntryState.IN_SERVICE, age=2 * HOUR),
            )
        )

        await store.prune(before=NOW - HOUR, keep_activities=10)

        self.assertEqual(
            await self.entries_left(store, "old-gone", "old-lost", "young-gone", "old-live"),
            ["young-gone", "old-live"],
        )

    async def entries_left(self, store: Store, *names: str) -> list[str]:
        """Return which of the entries are still there."""
        found = [
            await store.get_entry(TENANT, GroupId(GROUP), an_entry(name).instance_id)
            for name in names
        ]
        return [entry.instance_id for entry in found if entry is not None]
