"""How a server joins, drains, is deleted or released: the planner's part about each server."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import NodeCondition
from otter.models.ids import ServerId
from otter.models.ledger import EntryState, LedgerEntry, Removal
from otter.supervisor.planning import Plan
from otter.supervisor.world import World
from tests.supervisor.world import (
    LB,
    NOW,
    SETTINGS,
    a_balancer,
    a_group,
    a_server,
    a_world,
    ago,
    an_entry,
    balanced,
    delete_step,
    members,
    node_of,
    plan,
    release_step,
    secs,
    with_balancer,
)

PATIENCE = SETTINGS.drain_patience.total_seconds()
SETTLE = SETTINGS.settle.total_seconds()
DRAINING = NodeCondition.DRAINING


def world_of(
    entry: LedgerEntry,
    *,
    node: NodeCondition | None = NodeCondition.ENABLED,
    server: str | None = "ACTIVE",
    balancer: str = "ACTIVE",
) -> World:
    """Return a world with an entry's server and member, as far as they exist."""
    nodes = [] if node is None else [node_of(entry, node)]
    servers = [] if server is None else [a_server(entry, server)]
    return a_world(*servers, balancers={LB: a_balancer(*nodes, status=balancer)})


def planned(
    entry: LedgerEntry,
    world: World,
    *,
    desired: int = 0,
    draining: int = 30,
    changing: bool = False,
) -> tuple[LedgerEntry, Plan]:
    """Return what a plan for a group of one entry makes of it."""
    group = a_group(desired, args=with_balancer(draining=draining))
    found = plan(group, world, entry, changing=[LB] if changing else [])
    return found.entries[0], found


class ServeTests(SynchronousTestCase):
    """Into service and back."""

    def test_a_joining_server_on_all_its_load_balancers_is_in_service(self) -> None:
        """The moment is remembered as its first."""
        entry = balanced(an_entry(state=EntryState.JOINING))
        after, found = planned(entry, world_of(entry), desired=1)

        self.assertEqual(after, evolve(entry, state=EntryState.IN_SERVICE, changed=NOW, served=NOW))
        self.assertEqual((found.steps, found.look_in), ((), None))

    def test_a_joining_server_is_put_on_its_load_balancer(self) -> None:
        """It is not in service before it is seen there."""
        entry = balanced(an_entry(state=EntryState.JOINING), asked=False)
        after, found = planned(entry, world_of(entry, node=None), desired=1)

        self.assertEqual(after, balanced(entry))
        self.assertEqual(found.steps, (members(add=[("10.0.0.i", 80)]),))

    def test_a_server_that_lost_its_member_is_out_of_service(self) -> None:
        """It is put back, and first in service when it first was (scenario 31)."""
        entry = balanced(an_entry())
        after, found = planned(entry, world_of(entry, node=None), desired=1)

        self.assertEqual(after, evolve(entry, state=EntryState.JOINING, changed=NOW))
        self.assertEqual(found.steps, (members(add=[("10.0.0.i", 80)]),))

    def test_coming_back_keeps_the_first_time(self) -> None:
        """The owner is told once that a server entered service."""
        entry = balanced(an_entry(state=EntryState.JOINING, served=ago(500)))
        after, _ = planned(entry, world_of(entry), desired=1)

        self.assertEqual((after.state, after.served), (EntryState.IN_SERVICE, ago(500)))

    def test_a_server_that_is_busy_is_not_moved_about(self) -> None:
        """Its member may well look dead during a reboot; that ends by itself."""
        entry = balanced(an_entry())
        for status in ("REBOOT", "RESCUE", "TELEPORTING"):
            after, found = planned(entry, world_of(entry, node=None, server=status), desired=1)

            self.assertEqual((after, found.steps), (entry, ()))


class DrainTests(SynchronousTestCase):
    """Out of service with patience."""

    def test_a_surplus_server_with_members_drains(self) -> None:
        """The server and its member stay meanwhile (scenario 38)."""
        entry = balanced(an_entry())
        after, found = planned(entry, world_of(entry))

        self.assertEqual(after.state, EntryState.DRAINING)
        self.assertEqual((after.removal, after.changed), (Removal.DELETE, NOW))
        self.assertEqual(found.steps, (members(drain=["n-i"]),))

    def test_without_a_timeout_there_is_no_draining(self) -> None:
        """The member is removed first; the server goes when it is off."""
        entry = balanced(an_entry())
        after, found = planned(entry, world_of(entry), draining=0)

        self.assertEqual(after.state, EntryState.DELETING)
        self.assertEqual(found.steps, (members(remove=["n-i"]),))

    def test_without_members_there_is_no_draining(self) -> None:
        """Nobody is connected through us."""
        after, found = planned(an_entry(), a_world(a_server(an_entry())))

        self.assertEqual(after.state, EntryState.DELETING)
        self.assertEqual(found.steps, (delete_step(),))

    def test_the_time_counts_from_when_members_were_seen_to_drain(self) -> None:
        """Not from when that was asked for."""
        entry = balanced(an_entry(state=EntryState.DRAINING, age=20))
        waiting, _ = planned(entry, world_of(entry))
        begun, found = planned(entry, world_of(entry, node=DRAINING))

        self.assertIsNone(waiting.draining_since)
        self.assertEqual(begun.draining_since, NOW)
        self.assertEqual(found.steps, ())

    def test_a_drained_server_is_taken_off_and_deleted(self) -> None:
        """In the cycle its time is up, member first."""
        entry = balanced(an_entry(state=EntryState.DRAINING, age=40, draining_since=ago(30)))
        after, found = planned(entry, world_of(entry, node=DRAINING))

        self.assertEqual(after.state, EntryState.DELETING)
        self.assertEqual(found.steps, (members(remove=["n-i"]),))

    def test_a_server_whose_members_are_gone_has_drained(self) -> None:
        """Nobody can be connected through a member that does not exist."""
        entry = balanced(an_entry(state=EntryState.DRAINING, age=1))
        after, found = planned(entry, world_of(entry, node=None))

        self.assertEqual(after.state, EntryState.DELETING)
        self.assertEqual(found.steps, (delete_step(),))

    def test_patience_with_an_immutable_load_balancer_ends(self) -> None:
        """A member that cannot be told to drain holds its server up so long and no longer."""
        almost = balanced(an_entry(state=EntryState.DRAINING, age=PATIENCE + 29))
        enough = balanced(an_entry(state=EntryState.DRAINING, age=PATIENCE + 30))
        world = world_of(almost, balancer="PENDING_UPDATE")

        self.assertEqual(planned(almost, world)[0].state, EntryState.DRAINING)
        self.assertEqual(planned(enough, world)[0].state, EntryState.DELETING)


class DeleteTests(SynchronousTestCase):
    """Out of the cloud."""

    def deleting(self, age: float = 5, **changes: object) -> LedgerEntry:
        """Return an entry on its way out, with a member, that has been in service."""
        changes |= {"served": ago(900)}
        return balanced(an_entry("i", EntryState.DELETING, age=age, **changes))

    def test_members_go_before_the_server(self) -> None:
        """No client is sent to a server that is being deleted."""
        entry = self.deleting()

        self.assertEqual(planned(entry, world_of(entry))[1].steps, (members(remove=["n-i"]),))

    def test_the_server_goes_when_its_members_are_off(self) -> None:
        """They are forgotten in the same cycle."""
        entry = self.deleting()
        after, found = planned(entry, world_of(entry, node=None))

        self.assertEqual(after.memberships, ())
        self.assertEqual(found.steps, (delete_step(),))

    def test_a_broken_server_does_not_wait(self) -> None:
        """It answers nobody; it and its member go at the same time."""
        entry = self.deleting()
        steps = planned(entry, world_of(entry, server="ERROR"))[1].steps

        self.assertEqual(steps, (delete_step(), members(remove=["n-i"])))

    def test_patience_with_a_load_balancer_ends(self) -> None:
        """A load balancer that cannot be changed does not keep servers alive for ever."""
        almost, enough = self.deleting(PATIENCE - 1), self.deleting(PATIENCE)
        world = world_of(almost, balancer="PENDING_UPDATE")

        self.assertEqual(planned(almost, world)[1].steps, ())
        self.assertEqual(planned(enough, world)[1].steps, (delete_step(),))

    def test_a_server_that_is_gone_waits_only_for_its_members(self) -> None:
        """Then the entry is closed, with the reason it had."""
        entry = self.deleting(absent=True, reason="the cloud reports ERROR")
        waiting, found = planned(entry, world_of(entry, server=None))
        closed, _ = planned(entry, world_of(entry, server=None, node=None))

        self.assertEqual(waiting, entry)
        self.assertEqual(found.steps, (members(remove=["n-i"]),))
        self.assertEqual((closed.state, closed.reason), (EntryState.GONE, entry.reason))
        self.assertEqual(closed.changed, NOW)

    def test_a_server_nobody_knows_the_id_of_cannot_be_deleted(self) -> None:
        """Its create has not been answered: observing decides what becomes of it."""
        entry = an_entry(state=EntryState.DELETING, server_id=None)
        after, found = planned(entry, a_world())

        self.assertEqual((after, found.steps), (entry, ()))

    def test_a_deletion_is_planned_until_it_is_confirmed(self) -> None:
        """Whether the call went through shows only in the world."""
        entry = an_entry(state=EntryState.DELETING)
        server = a_server(entry, task_state="deleting")

        self.assertEqual(planned(entry, a_world(server))[1].steps, (delete_step(),))

    def test_a_released_server_stays(self) -> None:
        """Its members go, then its marks; nothing is deleted, not even when patience ends."""
        entry = self.deleting(PATIENCE + 1, removal=Removal.RELEASE)

        self.assertEqual(planned(entry, world_of(entry))[1].steps, (members(remove=["n-i"]),))
        self.assertEqual(planned(entry, world_of(entry, node=None))[1].steps, (release_step(),))

    def test_a_call_may_ask_for_release(self) -> None:
        """Straight from service; without members its marks come off at once."""
        entry = an_entry(removal=Removal.RELEASE)
        after, found = planned(entry, a_world(a_server(entry)), desired=1)

        self.assertEqual((after.state, after.removal), (EntryState.DELETING, Removal.RELEASE))
        self.assertEqual(found.steps[0], release_step())


class DoubtTests(SynchronousTestCase):
    """Members that may yet appear (S2)."""

    def test_a_member_whose_adding_is_under_way_is_not_forgotten(self) -> None:
        """The server is deleted all the same; its entry waits for the answer."""
        entry = balanced(an_entry(state=EntryState.DELETING, served=ago(900)))
        after, found = planned(entry, world_of(entry, node=None), changing=True)

        self.assertEqual(after.memberships, entry.memberships)
        self.assertEqual(found.steps, (delete_step(),))

    def test_a_server_that_never_served_may_have_been_joined_by_the_dead(self) -> None:
        """A process that died may have sent the request: its member is given time to settle."""
        young = balanced(an_entry(state=EntryState.DELETING, age=SETTLE - 1))
        old = balanced(an_entry(state=EntryState.DELETING, age=SETTLE))

        self.assertEqual(
            planned(young, world_of(young, node=None))[0].memberships, young.memberships
        )
        self.assertEqual(planned(old, world_of(old, node=None))[0].memberships, ())

    def test_one_that_was_being_put_back_may_have_been_joined_by_the_dead(self) -> None:
        """It has served, lost its member, and was sent away before it was seen there again."""
        joining = balanced(an_entry(state=EntryState.JOINING, age=1, served=ago(900)))
        world = world_of(joining, node=None)
        away, _ = planned(joining, world, draining=0)
        later = evolve(away, changed=ago(SETTLE))

        self.assertEqual((away.state, away.memberships), (EntryState.DELETING, joining.memberships))
        self.assertEqual(planned(later, world)[0].memberships, ())

    def test_one_that_served_was_seen_on_its_load_balancer(self) -> None:
        """There is nothing to doubt: what is off is off."""
        entry = balanced(an_entry(state=EntryState.DELETING, age=1, served=ago(2)))

        self.assertEqual(planned(entry, world_of(entry, node=None))[0].memberships, ())

    def test_an_absent_server_whose_member_is_in_doubt_is_not_closed(self) -> None:
        """Its entry is what will take the member off again."""
        entry = balanced(
            an_entry(state=EntryState.DELETING, age=1, absent=True, server_id=ServerId("s-i"))
        )
        after, _ = planned(entry, world_of(entry, node=None, server=None))

        self.assertEqual(after, entry)

    def test_a_look_follows(self) -> None:
        """An entry in doubt is looked at again soon."""
        entry = balanced(an_entry(state=EntryState.DELETING, age=1))

        self.assertEqual(planned(entry, world_of(entry, node=None))[1].look_in, secs(1))
