"""What every store promises about ledgers, and about entries whose group is gone."""

from attrs import evolve

from otter.models.errors import ConflictError, NoSuchGroupError
from otter.models.group import LoadBalancerTarget
from otter.models.ids import InstanceId, LoadBalancerId, ServerId
from otter.models.ledger import TERMINAL, EntryState, Failing, Membership, Removal
from tests.contracts.store_records import (
    GROUP,
    INSTANCE,
    NOW,
    OTHER_GROUP,
    OTHER_TENANT,
    TENANT,
    StoreContract,
    a_group,
    a_ledger_write,
    a_notification,
    an_activity,
    an_entry,
)


class LedgerContract(StoreContract):
    """The supervisor's half of a group."""

    async def test_a_written_ledger_is_there_as_given(self) -> None:
        """Every field of an entry and of the convergence record survives."""
        store = await self.make_store_with_group()
        entry = evolve(
            an_entry(state=EntryState.IN_SERVICE),
            name="web-1",
            server_id=ServerId("s"),
            address="10.0.0.1",
            targets=(LoadBalancerTarget(LoadBalancerId("7"), 80),),
            memberships=(Membership(LoadBalancerId("7"), 80, "10.0.0.1"),),
            removal=Removal.RELEASE,
            reason="because",
            links=(("self", "http://127.0.0.1/s"),),
            absent=True,
        )
        write = a_ledger_write(entry)
        given = evolve(
            write.convergence,
            failing=Failing.BUILD,
            retry_at=NOW,
            create_reasons=("b", "a"),
            balancer_reasons=("c",),
            replaced_at=(NOW,),
        )

        stored = await store.write_ledger(evolve(write, convergence=given))

        found = await store.read_ledger(TENANT, GROUP)
        self.assertEqual(stored, evolve(given, revision=1))
        self.assertEqual(found.convergence, stored)
        self.assertEqual(dict(found.entries), {INSTANCE: entry})

    async def test_writing_does_not_touch_the_group(self) -> None:
        """A supervisor's cycle never makes a call of the owner start over."""
        store = await self.make_store_with_group()

        await store.write_ledger(a_ledger_write(an_entry()))

        self.assertEqual(await store.get_group(TENANT, GROUP), a_group())

    async def test_updating_the_group_does_not_touch_the_ledger(self) -> None:
        """A burst of webhooks never starves the supervisor (see Note [Two counters])."""
        store = await self.make_store_with_group()
        await store.update_group(a_group(desired=5), mark=True)

        stored = await store.write_ledger(a_ledger_write(an_entry()))

        self.assertEqual(stored.revision, 1)

    async def test_of_two_supervisors_one_wins(self) -> None:
        """Two that both believe to hold the group cannot both record an intent."""
        store = await self.make_store_with_group()

        won, lost = await self.race(
            store.write_ledger(a_ledger_write(an_entry("a"))),
            store.write_ledger(a_ledger_write(an_entry("b"))),
        )

        self.assertEqual(len(won), 1)
        self.assertEqual([type(error) for error in lost], [ConflictError])
        self.assertEqual(len((await store.read_ledger(TENANT, GROUP)).entries), 1)

    async def test_a_stale_write_changes_nothing(self) -> None:
        """Entries, messages and history of the loser are not there."""
        store = await self.make_store_with_group()
        await store.write_ledger(a_ledger_write())
        write = a_ledger_write(an_entry(), notifications=(a_notification(),))

        stale = store.write_ledger(write, activities=[an_activity("1")])

        await self.assert_refused(stale, ConflictError)
        self.assertEqual((await store.read_ledger(TENANT, GROUP)).convergence.revision, 1)
        self.assertIsNone(await store.get_entry(TENANT, GROUP, INSTANCE))
        self.assertEqual(await self.history(store), [])
        if not self.leaves_traces:
            self.assertEqual(await store.due_notifications(a_notification().due), [])

    async def test_messages_and_history_come_with_the_ledger(self) -> None:
        """What happened and what is to be told of it cannot fall apart."""
        store = await self.make_store_with_group()
        write = a_ledger_write(an_entry(), notifications=(a_notification(),))

        await store.write_ledger(write, activities=[an_activity("1")])

        self.assertEqual(await store.due_notifications(a_notification().due), [a_notification()])
        self.assertEqual(await self.history(store), ["1"])

    async def test_an_entry_replaces_the_one_of_its_id(self) -> None:
        """Entries that are not named stay as they are."""
        store = await self.make_store_with_group()
        await store.write_ledger(a_ledger_write(an_entry("a"), an_entry("b")))
        building = an_entry("b", state=EntryState.BUILDING)

        await store.write_ledger(a_ledger_write(building, revision=1))

        ledger = await store.read_ledger(TENANT, GROUP)
        self.assertEqual(dict(ledger.entries), {"a": an_entry("a"), "b": building})

    async def test_terminal_entries_are_not_part_of_the_ledger(self) -> None:
        """They hold no place in the group, yet each can be looked up."""
        store = await self.make_store_with_group()
        ends = [an_entry(state, state=state) for state in sorted(TERMINAL)]
        await store.write_ledger(a_ledger_write(an_entry(), *ends))

        ledger = await store.read_ledger(TENANT, GROUP)
        found = [await store.get_entry(TENANT, GROUP, end.instance_id) for end in ends]

        self.assertEqual(dict(ledger.entries), {INSTANCE: an_entry()})
        self.assertEqual(found, ends)

    async def test_every_state_that_is_not_terminal_is_part_of_the_ledger(self) -> None:
        """Also that of a server which the cloud lost: its load balancers are to be cleaned yet."""
        store = await self.make_store_with_group()
        states = [state for state in EntryState if state not in TERMINAL]
        entries = [evolve(an_entry(state, state=state), absent=True) for state in states]

        await store.write_ledger(a_ledger_write(*entries))

        ledger = await store.read_ledger(TENANT, GROUP)
        self.assertEqual(set(ledger.entries.values()), set(entries))

    async def test_an_entry_that_ends_leaves_the_ledger(self) -> None:
        """And comes back when a lost server shows up after all."""
        store = await self.make_store_with_group()
        await store.write_ledger(a_ledger_write(an_entry(state=EntryState.REQUESTED)))

        lost = an_entry(state=EntryState.LOST)
        await store.write_ledger(a_ledger_write(lost, revision=1))
        without = await store.read_ledger(TENANT, GROUP)
        back = an_entry(state=EntryState.DELETING)
        await store.write_ledger(a_ledger_write(back, revision=2))
        with_it = await store.read_ledger(TENANT, GROUP)

        self.assertEqual(dict(without.entries), {})
        self.assertEqual(dict(with_it.entries), {INSTANCE: back})

    async def test_ledgers_are_apart(self) -> None:
        """Entries are seen under their own tenant and group only."""
        store = await self.make_store_with_group()
        await store.create_group(a_group(OTHER_GROUP), [], max_groups=9)
        await store.write_ledger(a_ledger_write(an_entry()))

        self.assertEqual(dict((await store.read_ledger(TENANT, OTHER_GROUP)).entries), {})
        self.assertIsNone(await store.get_entry(TENANT, OTHER_GROUP, INSTANCE))
        self.assertIsNone(await store.get_entry(OTHER_TENANT, GROUP, INSTANCE))

    async def test_an_unknown_group_has_no_ledger(self) -> None:
        """Neither to read nor to write."""
        store = await self.make_store()

        await self.assert_refused(store.read_ledger(TENANT, GROUP), NoSuchGroupError)
        writing = store.write_ledger(a_ledger_write(an_entry()), activities=[an_activity("1")])
        await self.assert_refused(writing, NoSuchGroupError)
        self.assertIsNone(await store.get_entry(TENANT, GROUP, INSTANCE))
        self.assertEqual(await self.history(store), [])


class OrphanContract(StoreContract):
    """Entries whose group is gone."""

    async def test_an_orphan_is_adopted_once(self) -> None:
        """Two sweeps that find the same server do not undo each other's progress."""
        store = await self.make_store()
        later = an_entry(state=EntryState.DELETING)

        first = await store.adopt_orphan(an_entry(state=EntryState.BUILDING))
        second = await store.adopt_orphan(later)

        self.assertTrue(first)
        self.assertFalse(second)
        found = await store.get_entry(TENANT, GROUP, INSTANCE)
        self.assertEqual(found, an_entry(state=EntryState.BUILDING))

    async def test_an_entry_that_ended_is_not_adopted_over(self) -> None:
        """A removed group's own record of the server is the truth."""
        store = await self.make_store()
        gone = an_entry(state=EntryState.GONE)
        await store.adopt_orphan(gone)

        self.assertFalse(await store.adopt_orphan(an_entry()))
        self.assertEqual(await store.get_entry(TENANT, GROUP, INSTANCE), gone)

    async def test_the_server_of_a_group_is_not_an_orphan(self) -> None:
        """Its supervisor adopts it, under the group's own revision."""
        store = await self.make_store_with_group()

        await self.assert_refused(store.adopt_orphan(an_entry()), ConflictError)
        await self.assert_refused(store.put_orphan(an_entry()), ConflictError)
        self.assertIsNone(await store.get_entry(TENANT, GROUP, INSTANCE))

    async def test_an_orphan_is_replaced(self) -> None:
        """Its way to the end is recorded like any other's."""
        store = await self.make_store()
        await store.adopt_orphan(an_entry())

        await store.put_orphan(an_entry(state=EntryState.DELETING))

        found = await store.get_entry(TENANT, GROUP, INSTANCE)
        self.assertEqual(found, an_entry(state=EntryState.DELETING))

    async def test_only_what_is_there_is_replaced(self) -> None:
        """A pruned orphan does not come back through a late result."""
        store = await self.make_store()

        await self.assert_refused(store.put_orphan(an_entry()), ConflictError)
        self.assertIsNone(await store.get_entry(TENANT, GROUP, INSTANCE))

    async def test_orphans_are_paged_by_instance_id(self) -> None:
        """A sweep walks through one tenant's live ones, whatever group they were of."""
        store = await self.make_store_with_group()
        await store.write_ledger(a_ledger_write(an_entry("b")))
        for name, group_id in (("d", "gone-1"), ("a", "gone-2"), ("c", "gone-3")):
            await store.adopt_orphan(an_entry(name, group_id))
        await store.adopt_orphan(an_entry("e", "gone-1", state=EntryState.GONE))
        await store.adopt_orphan(evolve(an_entry("f", "gone-4"), tenant_id=OTHER_TENANT))

        first = await store.list_orphans(TENANT, limit=2)
        second = await store.list_orphans(TENANT, after="c", limit=2)

        self.assertEqual([entry.instance_id for entry in first], ["a", "c"])
        self.assertEqual(second, [an_entry("d", "gone-1")])

    async def test_an_orphan_that_ended_is_listed_no_more(self) -> None:
        """There is nothing left to do about it."""
        store = await self.make_store()
        await store.adopt_orphan(an_entry())

        await store.put_orphan(an_entry(state=EntryState.GONE))

        self.assertEqual(await store.list_orphans(TENANT), [])

    async def test_a_late_server_of_a_removed_group_becomes_an_orphan(self) -> None:
        """Its entry ended as lost with the group; it is reopened so that the server is deleted."""
        store = await self.make_store_with_group()
        await store.write_ledger(a_ledger_write(an_entry(state=EntryState.LOST)))
        await store.remove_group(await store.update_group(a_group(deleting=True), mark=False))
        back = an_entry(state=EntryState.DELETING)

        await store.put_orphan(back)

        self.assertEqual(await store.list_orphans(TENANT), [back])
        self.assertEqual(await store.get_entry(TENANT, GROUP, InstanceId("other")), None)
