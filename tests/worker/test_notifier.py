"""Messages to customers' own webhooks."""

from collections import Counter
from datetime import datetime, timedelta

import simplejson
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import (
    CloudError,
    InvalidRequestError,
    NotFoundError,
    NotSentError,
    TransientError,
)
from otter.cloud.fake_people import FakeMessenger
from otter.models.activity import Notification
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group, GroupConfig, LaunchConfig, LaunchType
from otter.models.ids import GroupId, NotificationId
from otter.models.interface import LedgerWrite
from otter.models.ledger import Convergence
from otter.models.memory.store import MemoryStore
from otter.timing import utc_now
from otter.worker.notifier import BATCH, KEPT, Notifier
from otter.worker.settings import WorkerSettings
from tests.worker.world import START, TENANT, begin, secs

GROUP = GroupId("g")
DOWN = TransientError("HTTP 503", status=503)


class StubbornMessenger(FakeMessenger):
    """
    A messenger whose recipients differ by URL.

    :ivar slow: URLs that answer only when their deferred fires.
    :ivar crashing: URLs on which we fail ourselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slow: dict[str, Deferred[None]] = {}
        self.crashing: set[str] = set()
        self.tried: Counter[str] = Counter()

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """Deliver after the manner of the URL."""
        self.tried[url] += 1
        if url in self.crashing:
            raise UnicodeError("label too long")
        if url in self.slow:
            await self.slow[url]
        await super().deliver(url, message_id=message_id, event=event, body=body, group_id=group_id)


class NotifierCase(SynchronousTestCase):
    """A notifier with a store and a messenger."""

    settings = WorkerSettings(notify_attempts=4, notify_concurrency=3)

    def setUp(self) -> None:
        """Start a notifier."""
        self.clock = Clock()
        self.clock.advance(START)
        self.store = MemoryStore()
        self.messenger = StubbornMessenger()
        group = Group(
            TENANT,
            GROUP,
            GroupConfig("g", 0, 0, 9),
            LaunchConfig(1, LaunchType.SERVER, {}),
            utc_now(self.clock),
        )
        _ = begin(lambda: self.store.create_group(group, (), max_groups=9))
        self.notifier = Notifier(self.store, self.messenger, self.clock, self.settings)
        self.notifier.startService()
        self.addCleanup(self.notifier.stopService)
        self.revision = 0

    def owe(self, *names: str, url: str = "https://a.invalid", wait: float = 0) -> None:
        """Owe messages, as a cycle does."""
        now = utc_now(self.clock)
        messages = tuple(
            Notification(
                NotificationId(name),
                TENANT,
                GROUP,
                url,
                "server.gone",
                {"server": {"id": name}},
                now,
                now + secs(wait),
            )
            for name in names
        )
        record = Convergence(TENANT, GROUP, self.revision)
        self.revision += 1
        write = LedgerWrite(record, (), messages)
        self.successResultOf(begin(lambda: self.store.write_ledger(write)))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / 0.5)):
            self.clock.advance(0.5)

    def owed(self) -> int:
        """Return how many messages are still owed."""
        later = utc_now(self.clock) + timedelta(days=1)
        return len(self.successResultOf(begin(lambda: self._due(later))))

    async def _due(self, now: datetime) -> list[Notification]:
        return list(await self.store.due_notifications(now, limit=1000))

    def delivered(self) -> list[str]:
        """Return the messages that were accepted, in order."""
        return [delivery.message_id for delivery in self.messenger.deliveries]


class DeliveryTests(NotifierCase):
    """At least once."""

    def test_a_message_is_delivered_and_forgotten(self) -> None:
        """With its id, so that the recipient can tell a repetition."""
        self.owe("m")
        self.run_for(1)
        delivery = self.messenger.deliveries[0]

        self.assertEqual((delivery.url, delivery.event), ("https://a.invalid", "server.gone"))
        self.assertEqual((delivery.message_id, delivery.group_id), ("m", GROUP))
        self.assertEqual(simplejson.loads(delivery.body), {"server": {"id": "m"}})
        self.run_for(60)
        self.assertEqual((self.delivered(), self.owed()), (["m"], 0))

    def test_nothing_is_delivered_before_it_is_due(self) -> None:
        """A retry waits for its time."""
        self.owe("m", wait=10)
        self.run_for(9)

        self.assertEqual(self.delivered(), [])
        self.run_for(2)
        self.assertEqual(self.delivered(), ["m"])

    def test_many_are_delivered_without_waiting_for_the_next_look(self) -> None:
        """A group of a thousand servers is told of within moments."""
        self.owe(*(str(n) for n in range(450)))
        self.clock.advance(1)
        self.clock.pump([0.001] * 5)

        self.assertEqual(len(self.delivered()), 450)

    def test_what_was_not_accepted_is_tried_again_with_backoff(self) -> None:
        """5, 10, 20 seconds later; the id stays the same."""
        for error in (DOWN, NotSentError("refused")):
            self.messenger.fail(error, times=2)
            self.owe("m")
            self.run_for(5)
            self.assertEqual(self.owed(), 1)
            self.run_for(12)

            self.assertEqual((self.delivered(), self.owed()), (["m"], 0))
            self.messenger.deliveries.clear()

    def test_it_is_given_up_in_the_end(self) -> None:
        """After as many attempts as the settings say, and not one more."""
        self.messenger.fail(DOWN, times=100)
        self.owe("m")
        self.run_for(600)

        self.assertEqual((self.messenger.attempts, self.owed()), (4, 0))

    def test_what_will_never_be_accepted_is_given_up_at_once(self) -> None:
        """A forbidden address, or a URL that is gone."""
        for error in (InvalidRequestError("private address"), NotFoundError("gone", status=410)):
            before = self.messenger.attempts
            self.messenger.fail(error)
            self.owe("m")
            self.run_for(60)

            self.assertEqual((self.messenger.attempts - before, self.owed()), (1, 0))

    def test_a_store_that_is_away_repeats_and_loses_nothing(self) -> None:
        """It was delivered, and that could not be written down: it is delivered again."""
        remove, failures = self.store.remove_notification, [StoreUnavailableError("restarting")]

        async def unsure(name: NotificationId) -> None:
            if failures:
                raise failures.pop()
            await remove(name)

        self.patch(self.store, "remove_notification", unsure)
        self.owe("m")
        self.run_for(3)

        self.assertEqual((self.delivered(), self.owed()), (["m", "m"], 0))
        self.assertEqual(self.flushLoggedErrors(), [])


class OthersTests(NotifierCase):
    """Never in each other's way."""

    def test_a_slow_recipient_does_not_hold_up_the_others(self) -> None:
        """Those that were owed at the same time are delivered meanwhile."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe("slow", url="https://slow.invalid")
        self.owe(*(str(n) for n in range(9)))
        self.run_for(1)

        self.assertEqual(sorted(self.delivered()), [str(n) for n in range(9)])

    def test_a_slow_recipient_does_not_hold_up_what_comes_later(self) -> None:
        """A message that is owed while another is being delivered need not wait for it."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe("slow", url="https://slow.invalid")
        self.run_for(2)
        self.owe("quick")
        self.run_for(2)

        self.assertEqual(self.delivered(), ["quick"])

    def test_a_message_under_way_is_not_sent_twice(self) -> None:
        """However long its recipient takes."""
        slow = self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe("slow", url="https://slow.invalid")
        self.run_for(30)

        self.assertEqual(self.messenger.tried["https://slow.invalid"], 1)
        slow.callback(None)
        self.run_for(1)
        self.assertEqual((self.delivered(), self.owed()), (["slow"], 0))

    def test_deliveries_at_the_same_time_are_bounded(self) -> None:
        """No more connections than the settings say."""
        for number in range(9):
            self.messenger.slow[f"https://{number}.invalid"] = Deferred()
            self.owe(str(number), url=f"https://{number}.invalid")
        self.run_for(10)

        self.assertEqual(self.messenger.tried.total(), 3)

    def test_a_delivery_somebody_else_cancelled_is_a_failed_attempt(self) -> None:
        """A connection pool was closed under it; it is tried again like any other."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe("slow", url="https://slow.invalid")
        self.run_for(2)
        self.messenger.slow.pop("https://slow.invalid").cancel()
        self.run_for(10)

        self.assertEqual((self.delivered(), self.owed()), (["slow"], 0))

    def test_a_poison_message_is_given_up(self) -> None:
        """It makes us fail ourselves: logged each time, tried as often as any other, no more."""
        self.messenger.crashing.add("https://poison.invalid")
        self.owe("poison", url="https://poison.invalid")
        self.owe("m")
        self.run_for(600)

        self.assertEqual((self.delivered(), self.owed()), (["m"], 0))
        self.assertEqual(self.messenger.tried["https://poison.invalid"], 4)
        self.assertEqual(len(self.flushLoggedErrors(UnicodeError)), 4)

    def test_stopping_leaves_nothing_behind(self) -> None:
        """A delivery under way is cut short; its message is still owed."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe("slow", url="https://slow.invalid")
        self.run_for(2)
        stopping = self.notifier.stopService()
        if stopping is not None:
            self.successResultOf(stopping)

        self.assertEqual((self.clock.getDelayedCalls(), self.owed()), ([], 1))

    def test_every_failure_of_the_cloud_is_expected(self) -> None:
        """None of them is logged as a failure of ours."""
        for kind in CloudError.__subclasses__():
            self.messenger.fail(kind("no"))
            self.owe("m")
            self.run_for(30)

        self.assertEqual((self.flushLoggedErrors(), self.owed()), ([], 0))


class ShareTests(NotifierCase):
    """Note [Slow recipients]."""

    settings = WorkerSettings(notify_concurrency=8)

    def test_one_recipient_never_holds_all_the_room(self) -> None:
        """A thousand messages to one that does not answer: it has a quarter, others the rest."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe(*(f"slow-{n}" for n in range(1000)), url="https://slow.invalid")
        self.run_for(5)
        self.owe("quick")
        self.run_for(5)

        self.assertEqual(self.messenger.tried["https://slow.invalid"], 2)
        self.assertEqual(self.delivered(), ["quick"])

    def test_a_flood_to_one_does_not_keep_others_in_the_store(self) -> None:
        """However many messages one recipient that does not answer is owed (promise S8)."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe(*(f"slow-{n}" for n in range(4 * KEPT)), url="https://slow.invalid")
        self.run_for(5)
        self.owe("quick")
        self.run_for(60)

        self.assertEqual(self.delivered(), ["quick"])

    def test_what_is_kept_is_bounded(self) -> None:
        """A flood to one that does not answer stays in the store, not in memory."""
        self.messenger.slow["https://slow.invalid"] = Deferred()
        self.owe(*(f"slow-{n}" for n in range(5000)), url="https://slow.invalid")
        self.run_for(60)

        self.assertLessEqual(len(self.notifier._waiting), KEPT + BATCH)

    def test_a_flood_is_delivered_in_the_end(self) -> None:
        """Each message once."""
        self.owe(*(f"m{n}" for n in range(3000)))
        self.run_for(60)

        self.assertEqual(len(set(self.delivered())), 3000)
        self.assertEqual((len(self.delivered()), self.owed()), (3000, 0))
