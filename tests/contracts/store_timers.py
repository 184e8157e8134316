"""What every store promises about messages to customers and about schedules."""

from datetime import timedelta

from attrs import evolve

from otter.models.errors import ConflictError
from otter.models.ids import NotificationId
from otter.models.interface import Store
from otter.models.policy import Schedule
from tests.contracts.store_records import (
    NOW,
    StoreContract,
    a_ledger_write,
    a_notification,
    a_schedule,
)

MINUTE = timedelta(minutes=1)


class NotificationContract(StoreContract):
    """Messages owed to customers."""

    async def make_store_with_messages(self) -> Store:
        """Return a store with messages due now, before and after."""
        store = await self.make_store_with_group()
        messages = (
            a_notification("now", due=NOW),
            a_notification("soon", due=NOW + MINUTE),
            a_notification("overdue", due=NOW - MINUTE),
        )
        await store.write_ledger(a_ledger_write(notifications=messages))
        return store

    async def test_messages_due_come_the_longest_due_first(self) -> None:
        """One due this very moment is due; the next is not seen before its time."""
        store = await self.make_store_with_messages()

        due = await store.due_notifications(NOW)
        one = await store.due_notifications(NOW, limit=1)
        later = await store.due_notifications(NOW + MINUTE)

        self.assertEqual([message.notification_id for message in due], ["overdue", "now"])
        self.assertEqual([message.notification_id for message in one], ["overdue"])
        self.assertEqual(len(later), 3)

    async def test_a_failed_attempt_moves_the_message(self) -> None:
        """It is due again at its new time, and not before."""
        store = await self.make_store_with_messages()
        again = a_notification("overdue", due=NOW + MINUTE, attempts=1)

        await store.put_notification(again)

        due = await store.due_notifications(NOW)
        self.assertEqual([message.notification_id for message in due], ["now"])
        self.assertIn(again, await store.due_notifications(NOW + MINUTE))

    async def test_a_message_that_is_gone_stays_gone(self) -> None:
        """A late failure does not bring back what another process delivered."""
        store = await self.make_store_with_messages()
        await store.remove_notification(NotificationId("now"))

        await store.put_notification(a_notification("now"))

        due = await store.due_notifications(NOW)
        self.assertEqual([message.notification_id for message in due], ["overdue"])

    async def test_removing_twice_is_fine(self) -> None:
        """Delivered is delivered."""
        store = await self.make_store_with_messages()

        await store.remove_notification(NotificationId("now"))
        await store.remove_notification(NotificationId("now"))

        self.assertEqual(len(await store.due_notifications(NOW)), 1)


class ScheduleContract(StoreContract):
    """Timers of policies."""

    async def read_one(self, store: Store) -> Schedule:
        """Return the only timer there is."""
        (schedule,) = await store.due_schedules(NOW + 10 * MINUTE)
        return schedule

    async def test_timers_due_come_the_longest_due_first(self) -> None:
        """One due this very moment is due."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule("now"))
        await store.put_schedule(a_schedule("soon", due=NOW + MINUTE))
        await store.put_schedule(a_schedule("overdue", due=NOW - MINUTE))

        due = await store.due_schedules(NOW)
        one = await store.due_schedules(NOW, limit=1)

        self.assertEqual([timer.policy_id for timer in due], ["overdue", "now"])
        self.assertEqual(one, [a_schedule("overdue", due=NOW - MINUTE)])

    async def test_arming_again_replaces(self) -> None:
        """A policy has one timer: the latest."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())

        await store.put_schedule(a_schedule(due=NOW + MINUTE))

        self.assertEqual(await store.due_schedules(NOW), [])
        self.assertEqual((await self.read_one(store)).due, NOW + MINUTE)

    async def test_a_timer_moves_on(self) -> None:
        """Each move is a version of its own, so that no run is claimed twice."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())
        old = await self.read_one(store)

        await store.replace_schedule(old, evolve(old, due=NOW + MINUTE, version=old.version + 1))

        new = await self.read_one(store)
        self.assertEqual(new, a_schedule(due=NOW + MINUTE, version=old.version + 1))
        await self.assert_refused(store.replace_schedule(old, None), ConflictError)
        self.assertEqual(await self.read_one(store), new)

    async def test_a_version_is_never_given_twice_by_moving(self) -> None:
        """Also when who moves it forgets to count."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())
        old = await self.read_one(store)

        await store.replace_schedule(old, evolve(old, due=NOW + MINUTE))

        self.assertNotEqual((await self.read_one(store)).version, old.version)

    async def test_a_timer_is_disarmed(self) -> None:
        """It is not due any more, and disarming it again tells so."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())
        old = await self.read_one(store)

        await store.replace_schedule(old, None)

        self.assertEqual(await store.due_schedules(NOW), [])
        await self.assert_refused(store.replace_schedule(old, None), ConflictError)

    async def test_a_timer_armed_anew_is_not_moved_by_who_read_the_old_one(self) -> None:
        """The owner's change wins over a scheduler that was about to move the timer on."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())
        old = await self.read_one(store)
        await store.put_schedule(a_schedule(due=NOW + MINUTE))

        moving = store.replace_schedule(old, evolve(old, due=NOW + 2 * MINUTE))

        await self.assert_refused(moving, ConflictError)
        self.assertEqual((await self.read_one(store)).due, NOW + MINUTE)

    async def test_a_timer_disarmed_and_armed_is_another(self) -> None:
        """Starting over at the first version does not make it the one that was read."""
        store = await self.make_store_with_group()
        await store.put_schedule(a_schedule())
        old = await self.read_one(store)
        await store.replace_schedule(old, None)
        await store.put_schedule(a_schedule(due=NOW + MINUTE))

        await self.assert_refused(store.replace_schedule(old, None), ConflictError)
        self.assertEqual((await self.read_one(store)).due, NOW + MINUTE)
