"""What every store promises about leases and the installation's identity."""

from datetime import timedelta

from twisted.internet.defer import Deferred, gatherResults

from otter.models.activity import Deployment, Lease
from otter.models.errors import ConflictError
from otter.models.ids import DeploymentId
from otter.models.interface import Store
from tests.contracts.store_records import NOW, StoreContract

TERM = timedelta(seconds=30)


class LeaseContract(StoreContract):
    """Sole rights."""

    async def take(self, store: Store, owner: str, *, at: timedelta = timedelta(0)) -> Lease:
        """Take the lease of these tests some time after ``NOW``."""
        return await store.take_lease("shard-1", owner, now=NOW + at, expires=NOW + at + TERM)

    async def test_a_free_lease_is_taken(self) -> None:
        """The first owner has the first epoch."""
        store = await self.make_store()

        lease = await self.take(store, "a")

        self.assertEqual(lease, Lease("shard-1", "a", 1, NOW + TERM))

    async def test_a_held_lease_is_not_taken(self) -> None:
        """Until the moment it expires there is one owner."""
        store = await self.make_store()
        await self.take(store, "a")

        almost = TERM - timedelta(microseconds=1)

        await self.assert_refused(self.take(store, "b", at=almost), ConflictError)
        self.assertEqual((await self.take(store, "a", at=almost)).epoch, 1)

    async def test_renewing_keeps_the_epoch(self) -> None:
        """What the owner wrote under its epoch stays its own; the new term counts."""
        store = await self.make_store()
        await self.take(store, "a")

        renewed = await self.take(store, "a", at=TERM / 2)

        self.assertEqual(renewed, Lease("shard-1", "a", 1, NOW + TERM / 2 + TERM))
        await self.assert_refused(self.take(store, "b", at=TERM), ConflictError)

    async def test_an_expired_lease_goes_to_a_new_owner_with_a_new_epoch(self) -> None:
        """Whatever the old owner still does can be told from what the new one does."""
        store = await self.make_store()
        await self.take(store, "a")

        taken = await self.take(store, "b", at=TERM)

        self.assertEqual((taken.owner, taken.epoch), ("b", 2))
        await self.assert_refused(self.take(store, "a", at=TERM), ConflictError)

    async def test_a_released_lease_is_free_at_once(self) -> None:
        """A clean stop costs no waiting, and the epoch goes on growing."""
        store = await self.make_store()
        await store.release_lease(await self.take(store, "a"))

        taken = await self.take(store, "b")

        self.assertEqual(taken.epoch, 2)

    async def test_an_owner_that_released_is_a_new_owner(self) -> None:
        """Between giving back and taking again it held nothing."""
        store = await self.make_store()
        await store.release_lease(await self.take(store, "a"))

        self.assertEqual((await self.take(store, "a")).epoch, 2)

    async def test_a_lost_lease_cannot_be_released(self) -> None:
        """The late release of an old owner does not take the lease from the new one."""
        store = await self.make_store()
        lost = await self.take(store, "a")
        await self.take(store, "b", at=TERM)

        await store.release_lease(lost)

        await self.assert_refused(self.take(store, "c", at=TERM), ConflictError)

    async def test_a_release_under_an_old_epoch_is_void(self) -> None:
        """The same owner may hold the lease anew when its old release arrives."""
        store = await self.make_store()
        first = await self.take(store, "a")
        await store.release_lease(first)
        await self.take(store, "a")

        await store.release_lease(first)

        await self.assert_refused(self.take(store, "b"), ConflictError)

    async def test_releasing_what_never_was_is_fine(self) -> None:
        """There is nothing to give back."""
        store = await self.make_store()

        await store.release_lease(Lease("shard-1", "a", 1, NOW))

        self.assertEqual((await self.take(store, "b")).epoch, 1)

    async def test_leases_are_apart(self) -> None:
        """Each name has its own owner."""
        store = await self.make_store()
        await self.take(store, "a")

        other = await store.take_lease("shard-2", "b", now=NOW, expires=NOW + TERM)

        self.assertEqual(other.owner, "b")


class DeploymentContract(StoreContract):
    """The identity of the installation."""

    async def test_the_first_candidate_becomes_the_identity(self) -> None:
        """Every later process gets the same, however often it offers its own."""
        store = await self.make_store()
        first = Deployment(DeploymentId("first"), "secret")

        self.assertEqual(await store.deployment(first), first)
        self.assertEqual(await store.deployment(Deployment(DeploymentId("second"), "other")), first)

    async def test_processes_that_start_together_agree(self) -> None:
        """Of many candidates at once one wins, and all are told which."""
        store = await self.make_store()

        told = await gatherResults(
            [
                Deferred.fromCoroutine(store.deployment(Deployment(DeploymentId(str(n)), "s")))
                for n in range(5)
            ]
        )

        self.assertEqual(len(set(told)), 1)
