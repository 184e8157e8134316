"""What every store promises about dirty marks (see Note [Dirty marks])."""

from otter.models.group import DirtyMark
from otter.models.ids import GroupId
from tests.contracts.store_records import GROUP, OTHER_TENANT, TENANT, StoreContract, a_group


class DirtyContract(StoreContract):
    """Marks, and who may clear them."""

    async def test_a_mark_names_the_generation_it_was_made_for(self) -> None:
        """Only who has looked at that generation may clear it."""
        store = await self.make_store_with_group()

        await store.update_group(a_group(), mark=True)

        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 2)])

    async def test_an_update_without_mark_leaves_the_mark_alone(self) -> None:
        """A change that needs no converging neither asks for it nor hides that another did."""
        store = await self.make_store_with_group()

        await store.update_group(a_group(), mark=False)

        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 1)])

    async def test_a_mark_is_cleared_at_its_generation(self) -> None:
        """The state that was marked has been looked at."""
        store = await self.make_store_with_group()

        cleared = await store.clear_dirty(DirtyMark(TENANT, GROUP, 1))

        self.assertTrue(cleared)
        self.assertEqual(await store.list_dirty(), [])

    async def test_a_mark_is_cleared_at_a_later_generation(self) -> None:
        """Who looked at a later state has seen the marked change too."""
        store = await self.make_store_with_group()

        self.assertTrue(await store.clear_dirty(DirtyMark(TENANT, GROUP, 2)))
        self.assertEqual(await store.list_dirty(), [])

    async def test_a_later_mark_stays(self) -> None:
        """A change that came during the cycle causes one more."""
        store = await self.make_store_with_group()
        await store.update_group(a_group(), mark=True)

        cleared = await store.clear_dirty(DirtyMark(TENANT, GROUP, 1))

        self.assertFalse(cleared)
        self.assertEqual(await store.list_dirty(), [DirtyMark(TENANT, GROUP, 2)])

    async def test_no_mark_is_as_good_as_cleared(self) -> None:
        """Two supervisors may clear the same mark; the second has nothing left to do either."""
        store = await self.make_store_with_group()
        await store.clear_dirty(DirtyMark(TENANT, GROUP, 1))

        self.assertTrue(await store.clear_dirty(DirtyMark(TENANT, GROUP, 1)))
        self.assertTrue(await store.clear_dirty(DirtyMark(TENANT, GroupId("unknown"), 1)))

    async def test_marks_are_paged_by_group_id(self) -> None:
        """All tenants' marks are one list, as a supervisor walks through it."""
        store = await self.make_store()
        for group_id, tenant_id in (("c", TENANT), ("a", TENANT), ("b", OTHER_TENANT)):
            await store.create_group(a_group(group_id, tenant_id), [], max_groups=10)

        first = await store.list_dirty(limit=2)
        second = await store.list_dirty(after="b", limit=2)

        self.assertEqual([mark.group_id for mark in first], ["a", "b"])
        self.assertEqual(second, [DirtyMark(TENANT, GroupId("c"), 1)])
