"""Writes share commits, reads do not wait for them, and nobody waits for ever."""

from pathlib import Path

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from otter.models.errors import StoreUnavailableError
from otter.models.sqlite import SQLiteStore
from tests.contracts.store_records import GROUP, TENANT, a_group, an_activity
from tests.models.sqlite_fixture import Gate, InSQLite, a_store


class ThreadTests(InSQLite):
    """What callers see of the threads."""

    async def open_held_store(self, *, max_queued: int = 100) -> tuple[SQLiteStore, Gate]:
        """Return a store with the groups 0 to 9 whose writer is held up."""
        store = await self.open_store(Path(self.mktemp()), max_queued=max_queued)
        for number in range(10):
            await store.create_group(a_group(str(number)), [], max_groups=10)
        gate = Gate()
        await self.hold(store, gate)
        return store, gate

    async def test_reads_do_not_wait_for_a_write(self) -> None:
        """A disk that stalls a commit does not stall those who only look."""
        store, gate = await self.open_held_store()
        update = Deferred.fromCoroutine(store.update_group(a_group("1", desired=5), mark=True))

        before = [(await store.get_group(TENANT, a_group("1").group_id)).desired for _ in range(9)]
        gate.let_go()
        await update
        after = await store.get_group(TENANT, a_group("1").group_id)

        self.assertEqual(before, [0] * 9)
        self.assertEqual(after.desired, 5)

    async def test_writes_that_wait_share_one_commit(self) -> None:
        """The price of durability is paid once for all of them."""
        store, gate = await self.open_held_store()
        updates = [
            Deferred.fromCoroutine(store.update_group(a_group(str(number)), mark=True))
            for number in range(10)
        ]

        gate.let_go()
        await gatherResults(updates)

        commits = [sql for sql in gate.statements if sql == "COMMIT"]
        self.assertEqual(len(commits), 2)

    async def test_a_refused_write_is_undone_alone(self) -> None:
        """Those who share its commit do not notice."""
        store, gate = await self.open_held_store()
        calls = [store.update_group(a_group("1", desired=number), mark=True) for number in (1, 2)]
        calls.append(store.update_group(a_group("2", desired=3), mark=True))
        racing = Deferred.fromCoroutine(self.race(*calls))

        gate.let_go()
        won, lost = await racing

        self.assertEqual([group.desired for group in won], [1, 3])
        self.assertEqual(len(lost), 1)
        self.assertEqual(await store.get_group(TENANT, won[1].group_id), won[1])

    async def test_a_full_queue_refuses(self) -> None:
        """When the disk cannot keep up, callers are told so at once; later it works again."""
        store, gate = await self.open_held_store(max_queued=2)
        waiting = [
            Deferred.fromCoroutine(store.update_group(a_group(str(number)), mark=True))
            for number in range(2)
        ]

        one_more = store.update_group(a_group("2"), mark=True)
        await self.assert_refused(one_more, StoreUnavailableError)
        gate.let_go()
        await gatherResults(waiting)

        self.assertEqual((await store.update_group(a_group("2"), mark=True)).generation, 2)

    async def test_a_cancelled_write_happens_all_the_same(self) -> None:
        """A client that hangs up neither stops the writer nor undoes what it was promised."""
        store, gate = await self.open_held_store()
        update = Deferred.fromCoroutine(store.update_group(a_group("1", desired=5), mark=True))

        update.cancel()
        gate.let_go()
        await self.assertFailure(update, CancelledError)
        await store.add_activities([an_activity("later")])

        self.assertEqual((await store.get_group(TENANT, a_group("1").group_id)).desired, 5)

    async def test_closing_waits_for_queued_writes(self) -> None:
        """A clean stop loses nothing that was handed over."""
        path = Path(self.mktemp())
        store = a_store(path)
        await store.open()
        creating = [
            Deferred.fromCoroutine(store.create_group(a_group(str(number)), [], max_groups=99))
            for number in range(50)
        ]

        await store.close()

        await gatherResults(creating)
        again = await self.open_store(path)
        self.assertEqual(len(await again.list_group_ids(TENANT)), 50)

    async def test_a_closed_store_refuses(self) -> None:
        """Calls that come after the stop are told so instead of waiting for ever."""
        store = a_store(Path(self.mktemp()))
        await store.open()
        await store.close()

        await self.assert_refused(store.get_group(TENANT, GROUP), StoreUnavailableError)
        update = store.update_group(a_group(), mark=True)
        await self.assert_refused(update, StoreUnavailableError)
        await store.close()

    async def test_an_acknowledged_write_is_seen_by_every_reader(self) -> None:
        """Whichever thread reads next, it reads what its caller was told is stored."""
        store = await self.open_store(Path(self.mktemp()), readers=4)
        await store.create_group(a_group(), [], max_groups=1)

        for generation in range(1, 30):
            stored = await store.update_group(evolve(a_group(), generation=generation), mark=True)
            seen = await gatherResults(
                [Deferred.fromCoroutine(store.get_group(TENANT, GROUP)) for _ in range(4)]
            )
            self.assertEqual(seen, [stored] * 4)

    async def test_readers_cannot_write(self) -> None:
        """One thread writes; a slip in a query cannot make it two."""
        store = await self.open_store(Path(self.mktemp()))

        deleting = store._read(lambda connection: connection.execute("DELETE FROM groups"))

        await self.assert_refused(deleting, StoreUnavailableError)
