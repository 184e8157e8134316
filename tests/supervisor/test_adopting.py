"""What becomes of servers that bear our marks and that no live entry accounts for."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.models.ids import GroupId, ServerId
from otter.models.ledger import EntryState, LedgerEntry, Removal
from otter.supervisor.marks import marks_for
from otter.supervisor.observing import Observer
from otter.supervisor.world import Stranger
from tests.supervisor.world import (
    DEPLOYMENT,
    NOW,
    SETTINGS,
    a_group,
    a_planner,
    a_server,
    a_world,
    ago,
    an_entry,
    secs,
)


def stranger(entry: LedgerEntry, closed: LedgerEntry | None, **changes: object) -> Stranger:
    """Return the server of an entry as a stranger whose closed entry is ``closed``."""
    return Stranger(a_server(entry, **changes), marks_for(entry, DEPLOYMENT), closed)  # type: ignore[arg-type]


def adopted(*strangers: Stranger, live: tuple[LedgerEntry, ...] = ()) -> list[LedgerEntry]:
    """Return the entries made for strangers."""
    observer = Observer(a_world(strangers=strangers), DEPLOYMENT, SETTINGS, NOW)
    return observer.adopted(live, a_planner(a_group(), a_world()).intent())


class AdoptingTests(SynchronousTestCase):
    """Found servers."""

    def test_one_the_ledger_never_heard_of_becomes_a_member(self) -> None:
        """The ledger was restored from an older copy: the server is ours by its marks."""
        entry = an_entry(age=500)
        found = adopted(stranger(entry, None))

        self.assertEqual([e.instance_id for e in found], ["i"])
        self.assertEqual((found[0].state, found[0].server_id), (EntryState.BUILDING, "s-i"))
        self.assertEqual((found[0].name, found[0].created), (entry.name, ago(500)))
        self.assertIn("adopted", found[0].reason)

    def test_an_adopted_server_is_never_younger_than_now(self) -> None:
        """The cloud's clock may be ahead of ours; ages stay positive."""
        found = adopted(stranger(an_entry(), None, created=NOW + secs(60)))

        self.assertEqual(found[0].created, NOW)

    def test_one_that_was_given_up_is_deleted(self) -> None:
        """It was replaced long ago, so it must go (S2), and the ledger says so first."""
        for state in (EntryState.LOST, EntryState.GONE):
            closed = an_entry(state=state, age=60)
            found = adopted(stranger(closed, closed))

            self.assertEqual((found[0].state, found[0].server_id), (EntryState.DELETING, "s-i"))
            self.assertIs(found[0].removal, Removal.DELETE)

    def test_one_that_was_gone_and_is_back_is_deleted(self) -> None:
        """The cloud confirmed its absence, and was wrong: it is still ours and not a member."""
        closed = an_entry(state=EntryState.GONE, server_id=ServerId("s-i"), absent=True)
        found = adopted(stranger(closed, closed))

        self.assertEqual([e.state for e in found], [EntryState.DELETING])
        self.assertFalse(found[0].absent)
        self.assertTrue(found[0].occupies)

    def test_one_that_was_to_be_released_is_released_when_it_is_back(self) -> None:
        """What its owner asked for still holds."""
        closed = an_entry(
            state=EntryState.GONE,
            server_id=ServerId("s-i"),
            absent=True,
            removal=Removal.RELEASE,
        )

        self.assertIs(adopted(stranger(closed, closed))[0].removal, Removal.RELEASE)

    def test_a_trace_of_a_deleted_server_is_left_alone(self) -> None:
        """Clouds show what is deleted, or being deleted, for a while: that is not being back."""
        closed = an_entry(state=EntryState.GONE, server_id=ServerId("s-i"), absent=True)
        traces = [
            stranger(closed, closed, status="DELETED"),
            stranger(closed, closed, status="SOFT_DELETED"),
            stranger(closed, closed, task_state="deleting"),
        ]
        for trace in traces:
            self.assertEqual(adopted(trace), [])

    def test_one_that_was_released_or_disowned_is_left_alone(self) -> None:
        """A listing that lags still shows its marks; it has not been ours since (S3)."""
        for reason in ("released", "disowned: marks removed"):
            closed = an_entry(state=EntryState.GONE, server_id=ServerId("s-i"), reason=reason)

            self.assertEqual(adopted(stranger(closed, closed)), [])

    def test_a_copy_is_left_alone(self) -> None:
        """Its entry names another server: whoever copied the marks owns the copy."""
        for absent in (False, True):
            closed = an_entry(state=EntryState.GONE, server_id=ServerId("real"), absent=absent)

            self.assertEqual(adopted(stranger(closed, closed)), [])

    def test_one_another_process_has_just_recorded_is_left_alone(self) -> None:
        """Its entry is live in the store, only not yet in what we read: not ours to decide."""
        recorded = an_entry(state=EntryState.REQUESTED)

        self.assertEqual(adopted(stranger(recorded, recorded)), [])

    def test_one_with_a_live_entry_is_left_alone(self) -> None:
        """Its entry sees to it."""
        entry = an_entry()

        self.assertEqual(adopted(stranger(entry, None), live=(entry,)), [])

    def test_a_mark_is_adopted_once(self) -> None:
        """Of two servers with the same marks at most one can be the one."""
        entry = an_entry()
        copy = stranger(entry, None, server_id=ServerId("copy"))

        self.assertEqual(len(adopted(stranger(entry, None), copy)), 1)

    def test_another_groups_server_is_left_to_that_group(self) -> None:
        """Each group's cycle sees to its own."""
        foreign = evolve(an_entry(), group_id=GroupId("another"))

        self.assertEqual(adopted(stranger(foreign, None)), [])
