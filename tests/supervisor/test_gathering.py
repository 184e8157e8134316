"""One look at a tenant's cloud."""

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import AuthenticationError, CloudError, TransientError
from otter.cloud.fake import FakeCloud
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, ServerId
from otter.models.interface import LedgerWrite
from otter.models.ledger import EntryState, LedgerEntry
from otter.models.memory.store import MemoryStore
from otter.supervisor.gathering import Gatherer
from otter.supervisor.marks import Marks, marks_for, metadata_for
from otter.supervisor.world import World, node_at
from tests.supervisor.stage import START, result_of
from tests.supervisor.world import (
    DEPLOYMENT,
    GROUP,
    LB,
    TENANT,
    a_balancer,
    a_group,
    a_node,
    a_record,
    an_entry,
    balanced,
    secs,
)

BROKEN = TransientError("HTTP 503", status=503)


class Looking:
    """A gatherer with its cloud and store."""

    def __init__(self, *, confirm_limit: int = 50) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.cloud = FakeCloud(self.clock)
        self.store = MemoryStore()
        self.gatherer = Gatherer(self.store, self.clock, DEPLOYMENT, confirm_limit)

    def start(
        self,
        *entries: LedgerEntry,
        balancers: Iterable[str] = (),
        groups: Iterable[str] = (GROUP,),
    ) -> "Deferred[World]":
        """Start looking."""
        names, mine = [LoadBalancerId(b) for b in balancers], set(groups)
        work = self.gatherer.gather(self.cloud, TENANT, entries, names, lambda g: g in mine)
        return Deferred.fromCoroutine(work)

    def gather(
        self,
        *entries: LedgerEntry,
        balancers: Iterable[str] = (),
        groups: Iterable[str] = (GROUP,),
    ) -> World:
        """Return what is seen at once."""
        found: list[World] = []
        _ = self.start(*entries, balancers=balancers, groups=groups).addCallback(found.append)
        return found[0]

    def add(self, name: str = "i", group: str = GROUP, deployment: str = DEPLOYMENT) -> ServerId:
        """Make a server with marks; return its id."""
        marks = Marks(type(DEPLOYMENT)(deployment), GroupId(group), InstanceId(name))
        return self.cloud.servers.add(name, metadata_for(marks))


class ServersTests(SynchronousTestCase):
    """What exists."""

    def test_everything_that_is_listed_is_seen(self) -> None:
        """Whoever made it; the world is dated when looking began."""
        looking = Looking()
        pet = looking.cloud.servers.add("pet")
        ours = looking.add()
        world = looking.gather()

        self.assertEqual(set(world.servers), {pet, ours})
        self.assertEqual(world.at.timestamp(), START)

    def test_what_is_listed_is_not_asked_for_again(self) -> None:
        """One listing, whatever the number of servers."""
        looking = Looking()
        entries = [an_entry(str(n), server_id=looking.add(str(n))) for n in range(5)]
        looking.gather(*entries)

        self.assertEqual(dict(looking.cloud.counts), {"list_servers": 1})

    def test_what_is_missing_is_asked_for(self) -> None:
        """Listings lag: only a direct answer proves absence (Note [Half a view])."""
        looking = Looking()
        hidden = looking.add("hidden")
        looking.cloud.servers.hide(hidden, secs(60))
        world = looking.gather(
            an_entry("hidden", server_id=hidden), an_entry("gone", server_id=ServerId("gone"))
        )

        self.assertEqual(set(world.servers), {hidden})
        self.assertEqual(world.absent, {"gone"})

    def test_no_answer_proves_nothing(self) -> None:
        """Asked directly, the cloud failed: neither there nor absent."""
        looking = Looking()
        looking.cloud.fail("get_server", BROKEN)
        world = looking.gather(an_entry(server_id=ServerId("x")))

        self.assertEqual((set(world.servers), world.absent), (set(), frozenset()))

    def test_only_so_many_are_asked_for(self) -> None:
        """An account that lost a thousand servers is not asked a thousand questions at once."""
        looking = Looking(confirm_limit=3)
        entries = [an_entry(str(n), server_id=ServerId(f"s{n}")) for n in range(10)]
        world = looking.gather(*entries)

        self.assertEqual(looking.cloud.counts["get_server"], 3)
        self.assertEqual(len(world.absent), 3)

    def test_what_is_known_to_be_absent_is_not_asked_for(self) -> None:
        """It would use up the questions others need: they could starve for ever."""
        looking = Looking(confirm_limit=2)
        gone = [balanced(an_entry(str(n), EntryState.DELETING, absent=True)) for n in range(5)]
        world = looking.gather(*gone, an_entry("x", server_id=ServerId("vanished")))

        self.assertEqual(world.absent, {"vanished"})
        self.assertEqual(looking.cloud.counts["get_server"], 1)

    def test_a_failing_listing_ends_the_look(self) -> None:
        """There is no world to decide on (S7)."""
        looking = Looking()
        looking.cloud.fail("list_servers", BROKEN)
        failed: list[object] = []
        _ = looking.start(an_entry()).addErrback(lambda f: failed.append(f.check(CloudError)))

        self.assertEqual(failed, [CloudError])
        self.assertEqual(dict(looking.cloud.counts), {"list_servers": 1})

    def test_questions_are_asked_a_few_at_a_time(self) -> None:
        """No more than eight requests of one look are under way."""
        looking = Looking()
        looking.cloud.latencies["get_server"] = secs(1)
        entries = [an_entry(str(n), server_id=ServerId(f"s{n}")) for n in range(20)]
        worlds: list[World] = []
        _ = looking.start(*entries).addCallback(worlds.append)

        self.assertEqual(looking.cloud.counts["get_server"], 8)
        for _ in range(6):
            looking.clock.advance(0.5)
        self.assertEqual(len(worlds[0].absent), 20)


class BalancersTests(SynchronousTestCase):
    """Load balancers."""

    def test_each_is_there_or_gone_or_unread(self) -> None:
        """A failure is not absence: groups that use that one sit the cycle out (S7)."""
        looking = Looking()
        there, broken = looking.cloud.balancers.add(), looking.cloud.balancers.add()
        failing = {broken: AuthenticationError("no", status=401)}
        read = looking.cloud.balancers.show

        def show(name: LoadBalancerId) -> object:
            if name in failing:
                raise failing[name]
            return read(name)

        self.patch(looking.cloud.balancers, "show", show)
        world = looking.gather(balancers=[there, broken, "absent"])

        self.assertEqual(set(world.balancers), {there, "absent"})
        self.assertIsNone(world.balancers[LoadBalancerId("absent")])
        self.assertEqual(world.unread, {broken})

    def test_one_that_is_leaving_is_not_worked_with(self) -> None:
        """It is read all the same, so that its state can be told."""
        leaving = World(START_TIME, balancers={LB: a_balancer(status="PENDING_DELETE")})
        staying = World(START_TIME, balancers={LB: a_balancer()})

        self.assertIsNone(leaving.balancer(LB))
        self.assertIsNotNone(staying.balancer(LB))
        self.assertIsNone(staying.balancer(LoadBalancerId("unknown")))

    def test_a_member_is_found_by_address_and_port(self) -> None:
        """Both must agree."""
        node = a_node("n", "10.0.0.1")

        self.assertIs(node_at(a_balancer(node), "10.0.0.1", 80), node)
        self.assertIsNone(node_at(a_balancer(node), "10.0.0.1", 81))
        self.assertIsNone(node_at(a_balancer(node), "10.0.0.2", 80))


class StrangersTests(SynchronousTestCase):
    """Servers with our marks that no live entry accounts for."""

    def names(self, world: World) -> list[str]:
        """Return the strangers' instance ids."""
        return [s.marks.instance_id for s in world.strangers]

    def test_what_an_entry_accounts_for_is_no_stranger(self) -> None:
        """By its id, or by its marks when the id is not known yet."""
        looking = Looking()
        known, requested = looking.add("known"), looking.add("requested")
        world = looking.gather(
            an_entry("known", server_id=known), an_entry("requested", EntryState.REQUESTED)
        )

        self.assertIn(requested, world.servers)
        self.assertEqual(world.strangers, ())

    def test_a_copy_of_a_members_marks_is_no_stranger(self) -> None:
        """Its owner copied metadata; nothing is done about it (S3)."""
        looking = Looking()
        known = looking.add("i")
        looking.add("i")

        self.assertEqual(looking.gather(an_entry(server_id=known)).strangers, ())

    def test_marks_of_ours_without_an_entry(self) -> None:
        """One the ledger never heard of."""
        looking = Looking()
        looking.add("x")
        world = looking.gather()

        self.assertEqual(self.names(world), ["x"])
        self.assertIsNone(world.strangers[0].entry)

    def test_a_closed_entry_comes_with_its_stranger(self) -> None:
        """What is to be done depends on how it was closed."""
        looking = Looking()
        looking.add("x")
        result_of(looking.store.create_group(a_group(), (), max_groups=9))
        closed = an_entry("x", EntryState.LOST)
        result_of(looking.store.write_ledger(LedgerWrite(a_record(), (closed,))))

        self.assertEqual(looking.gather().strangers[0].entry, closed)

    def test_another_deployments_servers_are_no_business_of_ours(self) -> None:
        """Two installations may share an account (S3)."""
        looking = Looking()
        looking.add("x", deployment="another")
        looking.cloud.servers.add("half", {"otter:instance": "x"})

        self.assertEqual(looking.gather().strangers, ())

    def test_groups_that_take_no_part_are_left_alone(self) -> None:
        """Their ledgers were not read, so every server of theirs would look like a stranger."""
        looking = Looking()
        looking.add("x", group="resting")

        self.assertEqual(looking.gather().strangers, ())
        self.assertEqual(self.names(looking.gather(groups=["resting"])), ["x"])

    def test_strangers_are_told_apart_by_group(self) -> None:
        """Each group sees to its own."""
        looking = Looking()
        looking.add("x", group="one")
        looking.add("y", group="two")
        world = looking.gather(groups=["one", "two"])

        self.assertEqual([s.marks.instance_id for s in world.strangers_of(GroupId("two"))], ["y"])

    def test_marks_for_an_entry_are_marks_of_its_server(self) -> None:
        """What is asked for is what is recognised."""
        looking = Looking()
        entry = an_entry("x", EntryState.REQUESTED)
        looking.cloud.servers.add("x", metadata_for(marks_for(entry, DEPLOYMENT)))

        self.assertEqual(looking.gather(entry).strangers, ())


START_TIME = a_group().created
