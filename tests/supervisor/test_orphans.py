"""Servers of ours whose group is gone, and sweeps in general."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import DeleteServerJob
from otter.models.ids import GroupId, ServerId, TenantId
from otter.models.ledger import EntryState, LedgerEntry, Removal
from otter.supervisor.marks import Marks, metadata_for
from tests.supervisor.stage import Stage, quiet, result_of
from tests.supervisor.world import DEPLOYMENT, TENANT, an_entry, secs

SWEEP = quiet(sweep=secs(60))


def orphan(name: str = "i", **changes: object) -> LedgerEntry:
    """Return an entry of a group that does not exist."""
    return evolve(an_entry(name, **changes), group_id=GroupId("gone"))  # type: ignore[arg-type]


class OrphanTests(SynchronousTestCase):
    """What a sweep finds without a group (S2)."""

    def setUp(self) -> None:
        """Start with one group at rest, so that the tenant is swept."""
        self.stage = Stage(SWEEP)
        self.group = self.stage.add_group(desired=0)
        self.stage.start()
        self.addCleanup(self.stage.stop)

    def left(self) -> set[ServerId]:
        """Return the servers that exist."""
        return {s.server_id for s in self.stage.cloud().servers.all()}

    def close(self, entry: LedgerEntry) -> None:
        """Leave a closed entry of a group that is gone."""
        result_of(self.stage.store.adopt_orphan(entry))

    def test_a_server_whose_group_is_gone_is_deleted(self) -> None:
        """Within one sweep, and the ledger says so first and afterwards."""
        server_id = self.stage.add_server(orphan())
        self.stage.run(62)

        self.assertEqual(self.left(), set())
        self.assertEqual(
            [j.step for j in self.stage.jobs], [DeleteServerJob(orphan().instance_id, server_id)]
        )
        self.stage.run(62)
        entry = result_of(self.stage.store.get_entry(TENANT, GroupId("gone"), orphan().instance_id))
        assert entry is not None
        self.assertEqual((entry.state, entry.server_id), (EntryState.GONE, server_id))
        self.assertTrue(entry.absent)

    def test_one_that_was_given_up_and_appeared_is_deleted(self) -> None:
        """Its group was removed while nobody knew of it."""
        self.close(orphan(state=EntryState.LOST, server_id=None))
        self.stage.add_server(orphan())
        self.stage.run(62)

        self.assertEqual(self.left(), set())

    def test_one_that_was_gone_and_is_back_is_deleted(self) -> None:
        """The cloud was wrong about it when its group was removed."""
        server_id = self.stage.add_server(orphan())
        self.close(orphan(state=EntryState.GONE, server_id=server_id, absent=True))
        self.stage.run(62)

        self.assertEqual(self.left(), set())

    def test_what_is_not_ours_is_left_alone(self) -> None:
        """Pets, other deployments, copies, and servers we released or that were disowned (S3)."""
        servers = self.stage.cloud().servers
        marks = metadata_for(Marks(DEPLOYMENT, GroupId("gone"), orphan().instance_id))
        released = self.stage.add_server(orphan("released"))
        back = self.stage.add_server(orphan("back"))
        kept = {
            servers.add("pet"),
            servers.add("another's", marks.set("otter:deployment", "another")),
            self.stage.add_server(orphan("copy")),
            released,
            back,
        }
        self.close(orphan("copy", state=EntryState.GONE, server_id=ServerId("real"), absent=True))
        self.close(orphan("released", state=EntryState.GONE, server_id=released))
        release = Removal.RELEASE
        self.close(
            orphan("back", state=EntryState.GONE, server_id=back, absent=True, removal=release)
        )
        self.stage.run(200)

        self.assertEqual(self.left(), kept)
        self.assertEqual(self.stage.jobs, [])

    def test_one_that_is_disowned_meanwhile_is_left_alone(self) -> None:
        """The deletion failed, and before the next the owner took the marks off."""
        server_id = self.stage.add_server(orphan())
        entry = orphan(state=EntryState.DELETING, server_id=server_id, removal=Removal.DELETE)
        self.close(entry)
        self.stage.cloud().servers.set_metadata(server_id, {})
        self.stage.run(130)

        self.assertEqual(self.left(), {server_id})
        self.assertEqual(self.stage.jobs, [])

    def test_many_are_found_page_by_page(self) -> None:
        """However many a restored backup forgot."""
        for number in range(130):
            self.stage.add_server(orphan(f"i{number:03}"))
        self.stage.run(200)

        self.assertEqual(self.left(), set())

    def test_a_group_that_came_back_sees_to_its_servers(self) -> None:
        """Between the look at the groups and the record, the group was created."""
        self.stage.add_server(orphan())
        listed = self.stage.store.list_group_ids

        async def lagging(tenant_id: TenantId, **page: object) -> list[GroupId]:
            found = await listed(tenant_id, **page)  # type: ignore[arg-type]
            return [g for g in found if g != "gone"]

        self.patch(self.stage.store, "list_group_ids", lagging)
        self.stage.add_group("gone", desired=1)
        self.stage.run(62)

        self.assertEqual(len(self.left()), 1)
        self.assertEqual(self.stage.jobs, [])


class SweepTests(SynchronousTestCase):
    """What no event announces."""

    def test_a_lost_mark_is_found_by_the_sweep(self) -> None:
        """Losing every hint costs a sweep, never correctness."""
        stage = Stage(SWEEP)
        group = stage.add_group(desired=0)
        stage.start()
        stage.change(group, mark=False, desired=1)
        stage.run(62)

        self.assertEqual(stage.created(), 1)
        stage.stop()

    def test_a_server_deleted_out_of_band_is_replaced_within_one_sweep(self) -> None:
        """The group heals itself without anybody doing anything (scenario 47)."""
        stage = Stage(SWEEP)
        stage.add_group(desired=2)
        stage.start()
        stage.run(20)
        victim = stage.cloud().servers.all()[0]
        stage.cloud().servers.kill(victim.server_id)
        stage.run(65)

        self.assertEqual(len(stage.cloud().servers.all()), 2)
        stage.stop()

    def sweeps_of(self, tenants: int, sweeps: int = 3) -> list[int]:
        """Return how often each of so many tenants was looked at in so many intervals."""
        stage = Stage(SWEEP)
        names = [TenantId(f"t{n:04}") for n in range(tenants)]
        for name in names:
            stage.add_group(f"g-{name}", desired=0, tenant_id=name)
        stage.start()
        stage.run(3 * 60, step=0.5)
        before = {name: stage.gathered(name) for name in names}
        stage.run(sweeps * 60 + 1, step=0.5)
        stage.stop()
        return [stage.gathered(name) - before[name] for name in names]

    def test_every_tenant_is_looked_at_once_per_sweep(self) -> None:
        """However many tenants there are: the promise of one sweep is not for a few of them."""
        for tenants in (1, 24, 25, 26, 60, 110):
            looks = self.sweeps_of(tenants)

            self.assertGreaterEqual(min(looks), 3, tenants)
            self.assertLessEqual(max(looks), 4, tenants)

    def test_many_tenants_are_spread_over_the_interval(self) -> None:
        """A sweep is not a burst."""
        stage = Stage(SWEEP)
        names = [TenantId(f"t{n:04}") for n in range(100)]
        for name in names:
            stage.add_group(f"g-{name}", desired=0, tenant_id=name)
        stage.start()
        stage.run(240, step=0.5)
        most = 0
        for _ in range(60):
            before = sum(stage.gathered(name) for name in names)
            stage.run(1, step=0.5)
            most = max(most, sum(stage.gathered(name) for name in names) - before)

        self.assertLessEqual(most, 25)
        stage.stop()

    def test_tenants_without_groups_are_forgotten(self) -> None:
        """Who left takes no memory from the next sweep on."""
        stage = Stage(SWEEP)
        groups = [
            stage.add_group(f"g{n}", desired=0, tenant_id=TenantId(f"t{n}")) for n in range(5)
        ]
        stage.start()
        for group in groups[1:]:
            stage.change(group, deleting=True)
            stage.tell(group)
        stage.run(121)

        self.assertEqual(set(stage.supervisor._loops), {"t0"})
        stage.stop()

    def test_history_is_pruned(self) -> None:
        """Closed entries are kept for as long as the settings say, and no longer."""
        stage = Stage(quiet(retention=secs(60)))
        group = stage.add_group(desired=0)
        stage.put_entry(an_entry("old", EntryState.LOST, group_id=group.group_id))
        stage.start()
        stage.run(3605, step=5)

        found = result_of(
            stage.store.get_entry(TENANT, group.group_id, an_entry("old").instance_id)
        )
        self.assertIsNone(found)
        stage.stop()
