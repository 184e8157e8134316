"""Counting everything, slowly."""

from datetime import timedelta

from twisted.internet.defer import Deferred, fail

from otter.metrics import Census
from otter.models.errors import StoreUnavailableError
from otter.models.ids import TenantId
from otter.rest.operator import census
from tests.rest.operator.world import OperatorCase
from tests.rest.world import NOW

EVERY = timedelta(seconds=100)
TAKEN = int(NOW.timestamp())


class CensusTests(OperatorCase):
    """What is counted, and when."""

    def setUp(self) -> None:
        """Make somebody who counts."""
        super().setUp()
        self.taker = census.CensusTaker(self.store, self.clock, EVERY)

    def take(self) -> None:
        """Begin to count; stop after the test."""
        self.taker.startService()
        self.addCleanup(self.taker.stopService)

    def test_nothing(self) -> None:
        """Before the first census there is none; afterwards there are zeros."""
        self.assertIsNone(self.taker.last)

        self.take()

        self.assertEqual(self.taker.last, Census(0, 0, 0, TAKEN))

    def test_everything(self) -> None:
        """Groups of all tenants, with their policies and webhooks."""
        first = self.make_group()
        self.make_group()
        self.make_webhook(self.make_policy(first))
        policy = self.make_policy(first)
        self.make_webhook(policy)
        self.make_webhook(policy)

        self.take()

        self.assertEqual(self.taker.last, Census(2, 2, 3, TAKEN))

    def test_pages(self) -> None:
        """More than a page of anything is counted to the end."""
        self.patch(census, "PAGE", 2)
        group = self.make_group()
        for _ in range(5):
            policy = self.make_policy(group)
        for _ in range(3):
            self.make_webhook(policy)
        for _ in range(2):
            self.make_group()

        self.take()

        self.assertEqual(self.taker.last, Census(3, 5, 3, TAKEN))

    def test_again(self) -> None:
        """Each census is a new one, and nobody sees one that is not complete."""
        self.take()
        self.make_group()
        self.assertEqual(self.taker.last, Census(0, 0, 0, TAKEN))

        self.clock.advance(EVERY.total_seconds())

        self.assertEqual(self.taker.last, Census(1, 0, 0, TAKEN + int(EVERY.total_seconds())))

    def test_pauses(self) -> None:
        """After some reads it pauses, so that those who wait for the store come first."""
        self.patch(census, "READS_AT_ONCE", 2)
        self.make_policy(self.make_group())

        self.take()
        self.assertIsNone(self.taker.last)
        for _ in range(2):
            self.clock.advance(census.BREATH.total_seconds())

        self.assertEqual((self.taker.last or Census(0, 0, 0, 0)).policies, 1)

    def test_store_down(self) -> None:
        """A store that is away postpones the census; the last one stays."""
        self.take()
        listing = self.store.list_tenants

        self.patch(self.store, "list_tenants", lambda **_: fail(StoreUnavailableError("down")))
        self.clock.advance(EVERY.total_seconds())
        self.assertEqual(self.taker.last, Census(0, 0, 0, TAKEN))

        self.patch(self.store, "list_tenants", listing)
        self.clock.advance(EVERY.total_seconds())
        self.assertEqual(
            (self.taker.last or Census(0, 0, 0, 0)).taken, TAKEN + 2 * int(EVERY.total_seconds())
        )

    def test_stopping_half_way(self) -> None:
        """A process that ends does not wait for a census."""
        waiting: Deferred[list[TenantId]] = Deferred()
        self.patch(self.store, "list_tenants", lambda **_: waiting)
        self.taker.startService()

        stopped = self.taker.stopService()

        assert stopped is not None
        self.successResultOf(stopped)
        self.assertIsNone(self.taker.last)
