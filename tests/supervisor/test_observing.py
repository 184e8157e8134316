"""What an entry learns from the world."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import INSTANCE_KEY
from otter.models.ids import InstanceId, ServerId
from otter.models.ledger import TERMINAL, EntryState, Failing, Removal
from otter.supervisor.observing import Failure
from tests.supervisor.world import (
    NOW,
    SETTINGS,
    a_server,
    a_world,
    ago,
    an_entry,
    balanced,
    look,
    observe,
    secs,
)

BUILD_TIMEOUT = SETTINGS.build_timeout.total_seconds()
SETTLE = SETTINGS.settle.total_seconds()
ABANDON = SETTINGS.abandon.total_seconds()


class UnansweredTests(SynchronousTestCase):
    """Creates whose outcome is unknown."""

    def test_a_server_that_shows_up_is_recognised_by_its_marks(self) -> None:
        """No answer was needed: the marks say which intent it fulfils."""
        entry = an_entry(state=EntryState.REQUESTED, reason="HTTP 500")
        server = a_server(entry, "BUILD")
        seen = look(a_world(server), entry)

        self.assertEqual(
            seen,
            evolve(
                entry,
                state=EntryState.BUILDING,
                server_id=server.server_id,
                links=server.links,
                changed=NOW,
            ),
        )

    def test_a_server_that_is_ready_at_first_sight_joins_at_once(self) -> None:
        """A fast cloud costs no extra cycle."""
        entry = an_entry(state=EntryState.REQUESTED)
        seen = look(a_world(a_server(entry)), entry)

        self.assertEqual((seen.state, seen.address), (EntryState.JOINING, "10.0.0.i"))

    def test_one_that_is_not_wanted_any_more_is_on_its_way_out(self) -> None:
        """It was sent away before anybody knew its id; it must not come into service."""
        entry = an_entry(state=EntryState.DELETING, server_id=None, removal=Removal.DELETE)
        seen = look(a_world(a_server(entry)), entry)

        self.assertEqual((seen.state, seen.server_id), (EntryState.DELETING, "s-i"))

    def test_an_answered_one_is_given_time_to_settle(self) -> None:
        """Listings lag: an unknown outcome counts until ``settle`` has passed."""
        young = an_entry(state=EntryState.REQUESTED, age=SETTLE - 1, reason="HTTP 500")
        old = an_entry(state=EntryState.REQUESTED, age=SETTLE, reason="HTTP 500")

        self.assertEqual(look(a_world(), young), young)
        self.assertEqual(
            observe(a_world(), old).entries,
            (evolve(old, state=EntryState.LOST, changed=NOW),),
        )

    def test_giving_up_is_a_failed_attempt(self) -> None:
        """A cloud that swallows creates is asked less and less often."""
        old = an_entry(state=EntryState.REQUESTED, age=SETTLE, reason="HTTP 500")

        self.assertEqual(observe(a_world(), old).failures, (Failure(Failing.CREATE, "HTTP 500"),))

    def test_an_unanswered_one_is_given_the_time_a_job_can_live(self) -> None:
        """Without any answer the job may still be on its way to the cloud, in another process."""
        young = an_entry(state=EntryState.REQUESTED, age=ABANDON - 1)
        old = an_entry(state=EntryState.REQUESTED, age=ABANDON)

        self.assertEqual(look(a_world(), young), young)
        self.assertEqual(look(a_world(), old).state, EntryState.LOST)
        self.assertTrue(look(a_world(), old).reason)

    def test_one_whose_job_is_under_way_here_is_never_given_up(self) -> None:
        """We would know."""
        entry = an_entry(state=EntryState.REQUESTED, age=10 * ABANDON)
        seen = look(a_world(), entry, creating=frozenset({entry.instance_id}))

        self.assertEqual(seen, entry)

    def test_age_counts_to_the_moment_the_world_was_looked_at(self) -> None:
        """A gathering that took long must not make a server look overdue it could not show."""
        entry = an_entry(state=EntryState.REQUESTED, age=SETTLE, reason="HTTP 500")

        self.assertEqual(look(a_world(at=ago(5)), entry), entry)

    def test_what_was_never_asked_for_is_not_looked_for(self) -> None:
        """An intent costs nothing and waits as long as it must."""
        entry = an_entry(state=EntryState.INTENDED, age=10 * ABANDON)

        self.assertEqual(look(a_world(), entry), entry)


class CopiedTests(SynchronousTestCase):
    """Marks on more than one server."""

    def test_the_oldest_bearer_is_the_one(self) -> None:
        """A copy was made later than its original; ids settle a tie the same way every time."""
        entry = an_entry(state=EntryState.REQUESTED)
        real = a_server(entry, created=ago(50), server_id=ServerId("z"))
        copy = a_server(entry, created=ago(10), server_id=ServerId("a"))

        self.assertEqual(look(a_world(copy, real), entry).server_id, "z")

    def test_a_copy_of_a_known_server_is_nothing_to_us(self) -> None:
        """The entry names its server; whoever copied metadata owns the copy."""
        entry = an_entry()
        copy = a_server(entry, created=ago(9999), server_id=ServerId("copy"))

        self.assertEqual(look(a_world(copy, a_server(entry)), entry), entry)

    def test_a_copy_does_not_stand_in_for_its_original(self) -> None:
        """The original is gone, whatever else bears its marks."""
        entry = an_entry()
        copy = a_server(entry, server_id=ServerId("copy"))

        self.assertEqual(look(a_world(copy, absent=["s-i"]), entry).state, EntryState.GONE)


class VanishedTests(SynchronousTestCase):
    """Servers that are not there."""

    def test_half_a_view_decides_nothing(self) -> None:
        """Neither listed nor confirmed absent: the entry stays exactly as it is (S7)."""
        for state in set(EntryState) - TERMINAL - {EntryState.INTENDED, EntryState.REQUESTED}:
            entry = an_entry(state=state, server_id=ServerId("s-i"))

            self.assertEqual(look(a_world(), entry), entry, state)

    def test_a_server_deleted_out_of_band_is_closed(self) -> None:
        """The cloud, asked directly, says no: the place is free and the history says why."""
        seen = look(a_world(absent=["s-i"]), an_entry())

        self.assertEqual(seen.state, EntryState.GONE)
        self.assertEqual(seen.reason, "deleted by somebody else")

    def test_its_members_are_taken_off_first(self) -> None:
        """The entry stays until its places on load balancers are clean, but takes no place."""
        seen = look(a_world(absent=["s-i"]), balanced(an_entry()))

        self.assertEqual((seen.state, seen.absent), (EntryState.DELETING, True))
        self.assertTrue(seen.leaving)
        self.assertFalse(seen.occupies)

    def test_what_is_known_to_be_absent_is_not_looked_for_again(self) -> None:
        """Only its members are left to see to."""
        entry = balanced(an_entry(state=EntryState.DELETING, absent=True))

        self.assertEqual(look(a_world(absent=["s-i"]), entry), entry)

    def test_a_young_server_may_not_be_known_everywhere(self) -> None:
        """A cloud that answers 404 for what it has just accepted is given time to settle."""
        young = an_entry(state=EntryState.BUILDING, age=SETTLE - 1)
        old = an_entry(state=EntryState.BUILDING, age=SETTLE)
        world = a_world(absent=["s-i"])

        self.assertEqual(look(world, young), young)
        self.assertEqual(look(world, old).state, EntryState.GONE)

    def test_the_end_of_our_own_deletion_keeps_its_reason(self) -> None:
        """The history says why we deleted it."""
        entry = an_entry(state=EntryState.DELETING, reason="the cloud reports ERROR")
        bare = an_entry(state=EntryState.DELETING)

        self.assertEqual(look(a_world(absent=["s-i"]), entry).reason, "the cloud reports ERROR")
        self.assertEqual(look(a_world(absent=["s-i"]), bare).reason, "deleted")

    def test_what_the_cloud_shows_as_deleted_is_absent(self) -> None:
        """Some clouds list deleted servers for a while."""
        entry = an_entry()
        for status in ("DELETED", "SOFT_DELETED"):
            self.assertEqual(look(a_world(a_server(entry, status)), entry).state, EntryState.GONE)

    def test_being_absent_is_remembered(self) -> None:
        """Should the server turn up again after all, the ledger knows it was not released."""
        self.assertTrue(look(a_world(absent=["s-i"]), an_entry()).absent)

    def test_absence_does_not_turn_a_release_into_a_deletion(self) -> None:
        """The owner asked for the server to be left alone, and that still holds if it is back."""
        entry = balanced(an_entry(state=EntryState.DELETING, removal=Removal.RELEASE))

        self.assertIs(look(a_world(absent=["s-i"]), entry).removal, Removal.RELEASE)


class DisownedTests(SynchronousTestCase):
    """Servers whose marks changed."""

    def test_a_server_without_marks_is_let_go(self) -> None:
        """Its owner took it out of the group: it no longer counts and is never touched (S3)."""
        entry = balanced(an_entry())
        seen = look(a_world(a_server(entry, metadata={})), entry)

        self.assertEqual((seen.state, seen.reason), (EntryState.GONE, "disowned: marks removed"))
        self.assertFalse(seen.absent)

    def test_one_changed_mark_is_enough(self) -> None:
        """All marks must agree with the ledger."""
        entry = an_entry(state=EntryState.DELETING)
        server = a_server(entry)
        changed = evolve(server, metadata=server.metadata.set(INSTANCE_KEY, "another"))

        self.assertEqual(look(a_world(changed), entry).state, EntryState.GONE)

    def test_a_released_server_is_closed_as_such(self) -> None:
        """The result of the release got lost; the marks tell."""
        entry = an_entry(state=EntryState.DELETING, removal=Removal.RELEASE)
        seen = look(a_world(a_server(entry, metadata={})), entry)

        self.assertEqual((seen.state, seen.reason), (EntryState.GONE, "released"))


class PresentTests(SynchronousTestCase):
    """Servers that are there."""

    def test_a_built_server_joins(self) -> None:
        """It has an address now, is recovery from failed builds, and its past is forgotten."""
        entry = an_entry(state=EntryState.BUILDING, reason="HTTP 500")
        seen = observe(a_world(a_server(entry)), entry)

        self.assertEqual(seen.entries[0].state, EntryState.JOINING)
        self.assertEqual(seen.entries[0].address, "10.0.0.i")
        self.assertEqual((seen.entries[0].reason, seen.entries[0].changed), ("", NOW))
        self.assertEqual(seen.recovered, {Failing.BUILD})

    def test_a_built_server_that_is_to_leave_does_not_join(self) -> None:
        """A call asked for its removal while it was being built."""
        entry = an_entry(state=EntryState.BUILDING, removal=Removal.DELETE)

        self.assertEqual(look(a_world(a_server(entry)), entry).state, EntryState.DELETING)

    def test_links_of_the_create_are_kept_if_the_listing_has_none(self) -> None:
        """They are shown to the owner."""
        entry = an_entry(state=EntryState.BUILDING, links=(("self", "x"),))

        self.assertEqual(look(a_world(a_server(entry, links=())), entry).links, entry.links)

    def test_an_address_that_comes_late_is_taken_up(self) -> None:
        """Some clouds say ACTIVE before they say where."""
        entry = an_entry(state=EntryState.JOINING)
        seen = look(a_world(a_server(entry)), entry)

        self.assertEqual((seen.state, seen.address), (EntryState.JOINING, "10.0.0.i"))

    def test_stuck_in_build_is_replaced_after_the_timeout(self) -> None:
        """Not a second earlier; and it is a failed build, with its own pace."""
        young = an_entry(state=EntryState.BUILDING, age=BUILD_TIMEOUT - 1)
        old = an_entry(state=EntryState.BUILDING, age=BUILD_TIMEOUT)
        seen = observe(a_world(a_server(old, "BUILD")), old)

        self.assertEqual(look(a_world(a_server(young, "BUILD")), young), young)
        self.assertEqual(seen.entries[0].state, EntryState.DELETING)
        self.assertEqual(seen.failures, (Failure(Failing.BUILD, "still in BUILD after 3600 s"),))

    def test_a_state_nobody_knows_is_not_stuck(self) -> None:
        """Only BUILD has a timeout: an unknown state counts and waits."""
        old = an_entry(state=EntryState.BUILDING, age=2 * BUILD_TIMEOUT)

        self.assertEqual(look(a_world(a_server(old, "TELEPORTING")), old), old)

    def test_a_broken_server_is_replaced_and_the_fault_is_told(self) -> None:
        """Whatever it was doing; the cloud's own words help the owner most."""
        for state in (EntryState.BUILDING, EntryState.JOINING, EntryState.IN_SERVICE):
            entry = an_entry(state=state)
            seen = look(a_world(a_server(entry, "ERROR", fault="No valid host")), entry)

            self.assertEqual(seen.state, EntryState.DELETING)
            self.assertEqual(seen.reason, "the cloud reports ERROR: No valid host")
            self.assertTrue(seen.leaving)

    def test_a_stopped_server_is_replaced(self) -> None:
        """A server that is off serves nobody; without a fault the status is all there is."""
        entry = an_entry()
        seen = look(a_world(a_server(entry, "SHUTOFF")), entry)

        self.assertEqual(seen.reason, "the cloud reports SHUTOFF")

    def test_only_what_breaks_while_building_is_a_failed_build(self) -> None:
        """A server that breaks in service says nothing about making new ones."""
        building, serving = an_entry("1", EntryState.BUILDING), an_entry("2")
        servers = [a_server(e, "ERROR") for e in (building, serving)]
        seen = observe(a_world(*servers), building, serving)

        self.assertEqual(seen.failures, (Failure(Failing.BUILD, "the cloud reports ERROR"),))

    def test_a_server_somebody_is_deleting_is_seen_off(self) -> None:
        """It stops counting at once and is taken off its load balancers."""
        entry = an_entry()
        seen = look(a_world(a_server(entry, task_state="deleting")), entry)

        self.assertEqual(seen.state, EntryState.DELETING)
        self.assertEqual(seen.reason, "being deleted by somebody else")

    def test_a_server_on_its_way_out_stays_on_it(self) -> None:
        """Draining and deleting are never taken back; a draining one that breaks goes at once."""
        draining, deleting = an_entry("1", EntryState.DRAINING), an_entry("2", EntryState.DELETING)

        self.assertEqual(look(a_world(a_server(draining)), draining), draining)
        self.assertEqual(look(a_world(a_server(deleting, "ERROR")), deleting), deleting)
        self.assertEqual(
            look(a_world(a_server(draining, "ERROR")), draining).state, EntryState.DELETING
        )

    def test_a_server_to_be_released_is_not_replaced(self) -> None:
        """Its owner keeps it, broken or not."""
        entry = an_entry(removal=Removal.RELEASE)

        self.assertEqual(look(a_world(a_server(entry, "ERROR")), entry), entry)

    def test_what_ends_by_itself_or_on_purpose_is_left_alone(self) -> None:
        """Reboots, resizes and servers put aside count and are not touched."""
        entry = an_entry()
        for status in ("REBOOT", "RESIZE", "SUSPENDED", "SHELVED", "TELEPORTING"):
            self.assertEqual(look(a_world(a_server(entry, status)), entry), entry, status)

    def test_each_entry_is_looked_at_on_its_own(self) -> None:
        """The order is kept, so that a cycle is the same for the same world."""
        entries = [an_entry(str(n)) for n in range(3)]
        world = a_world(a_server(entries[0]), a_server(entries[2]), absent=["s-1"])
        seen = observe(world, *entries).entries

        self.assertEqual([e.instance_id for e in seen], [InstanceId(str(n)) for n in range(3)])
        self.assertEqual([e.state.value for e in seen], ["in service", "gone", "in service"])

    def test_a_server_that_is_listed_is_not_absent_by_age(self) -> None:
        """However old an entry is, what is listed exists."""
        entry = an_entry(age=secs(10_000_000).total_seconds())

        self.assertEqual(look(a_world(a_server(entry)), entry), entry)
