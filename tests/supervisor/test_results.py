"""What an entry learns from the result of a job."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import JobResult, Outcome
from otter.models.ids import ServerId
from otter.models.ledger import EntryState, Failing, LedgerEntry, Removal
from otter.supervisor.observing import LASTING, Failure, Observation, apply_results
from tests.supervisor.world import (
    NOW,
    a_result,
    an_entry,
    balanced,
    create_step,
    delete_step,
    members,
    release_step,
)

REFUSALS = (
    Outcome.BUSY,
    Outcome.TRANSIENT,
    Outcome.MISSING,
    Outcome.INVALID,
    Outcome.QUOTA,
    Outcome.DENIED,
)


def after(entry: LedgerEntry, *results: JobResult) -> Observation:
    """Return what one entry and the record learn from results."""
    return apply_results({entry.instance_id: entry}, results, NOW)


class CreateTests(SynchronousTestCase):
    """The result of asking for a server."""

    requested = an_entry(state=EntryState.REQUESTED, age=9)

    def test_an_accepted_create_tells_the_id(self) -> None:
        """From here on the server is known by the cloud's own id, and being built."""
        result = evolve(a_result(create_step()), links=(("self", "http://x"),))
        learnt = after(self.requested, result)

        self.assertEqual(
            learnt.entries[0],
            evolve(
                self.requested,
                state=EntryState.BUILDING,
                server_id=ServerId("s-i"),
                links=(("self", "http://x"),),
                changed=NOW,
            ),
        )
        self.assertEqual(learnt.recovered, {Failing.CREATE})

    def test_a_create_accepted_after_its_server_was_sent_away(self) -> None:
        """The entry stays on its way out, now with a server to delete."""
        leaving = an_entry(state=EntryState.DELETING, server_id=None, removal=Removal.DELETE)
        learnt = after(leaving, a_result(create_step())).entries[0]

        self.assertEqual((learnt.state, learnt.server_id), (EntryState.DELETING, "s-i"))

    def test_an_unknown_outcome_keeps_its_place(self) -> None:
        """A server may exist, so the entry counts until a listing shows it or time runs out."""
        learnt = after(self.requested, a_result(create_step(), Outcome.UNKNOWN, "HTTP 500"))

        self.assertEqual(learnt.entries[0], evolve(self.requested, reason="HTTP 500", changed=NOW))
        self.assertEqual((learnt.failures, learnt.recovered), ((), frozenset()))

    def test_an_unknown_outcome_without_words_gets_some(self) -> None:
        """A reason marks that the answer is in, which shortens the wait for a listing."""
        learnt = after(self.requested, a_result(create_step(), Outcome.UNKNOWN))

        self.assertTrue(learnt.entries[0].reason)

    def test_a_refused_create_frees_its_place(self) -> None:
        """Nothing was made, so nothing is waited for; the owner is told only what lasts."""
        for outcome in REFUSALS:
            learnt = after(self.requested, a_result(create_step(), outcome, "no"))

            self.assertEqual(learnt.entries[0].state, EntryState.GONE)
            self.assertEqual(learnt.entries[0].reason, "no")
            self.assertEqual(learnt.failures, (Failure(Failing.CREATE, "no", outcome in LASTING),))

    def test_every_outcome_is_one_of_these(self) -> None:
        """A new outcome needs its line here."""
        self.assertEqual({*REFUSALS, Outcome.DONE, Outcome.UNKNOWN}, set(Outcome))

    def test_a_refusal_nobody_misses_is_no_failure(self) -> None:
        """A server that was sent away meanwhile need not slow down the next ones."""
        leaving = an_entry(state=EntryState.DELETING, server_id=None, removal=Removal.DELETE)
        learnt = after(leaving, a_result(create_step(), Outcome.QUOTA, "full"))

        self.assertEqual(learnt.entries[0].state, EntryState.GONE)
        self.assertEqual(learnt.failures, ())

    def test_a_known_server_is_not_forgotten(self) -> None:
        """The listing was faster than the answer, which was an error: the server is there."""
        building = an_entry(state=EntryState.BUILDING)
        learnt = after(building, a_result(create_step(), Outcome.UNKNOWN, "HTTP 500"))

        self.assertEqual(learnt.entries, (building,))

    def test_a_repeated_result_changes_nothing(self) -> None:
        """The bus may deliver twice, and a failed write makes the loop apply results again."""
        once = after(self.requested, a_result(create_step())).entries[0]

        self.assertEqual(after(once, a_result(create_step())).entries, (once,))

    def test_a_result_of_a_stranger_changes_nothing(self) -> None:
        """Its entry was closed long ago."""
        learnt = after(self.requested, a_result(create_step("x"), Outcome.INVALID, "no"))

        self.assertEqual(learnt, Observation((self.requested,)))


class OtherTests(SynchronousTestCase):
    """The results of other steps."""

    def test_a_released_server_is_none_of_our_business(self) -> None:
        """Our marks are off (or the server was gone already): the entry is closed."""
        leaving = an_entry(state=EntryState.DELETING, removal=Removal.RELEASE)
        for outcome in (Outcome.DONE, Outcome.MISSING):
            learnt = after(leaving, a_result(release_step(), outcome)).entries[0]

            self.assertEqual((learnt.state, learnt.reason), (EntryState.GONE, "released"))

    def test_a_release_that_failed_is_tried_again(self) -> None:
        """Until the marks are off, the server is ours."""
        leaving = an_entry(state=EntryState.DELETING, removal=Removal.RELEASE)
        for outcome in set(Outcome) - {Outcome.DONE, Outcome.MISSING}:
            self.assertEqual(after(leaving, a_result(release_step(), outcome)).entries, (leaving,))

    def test_only_the_world_confirms_a_deletion(self) -> None:
        """An accepted deletion is not yet a deleted server: the place stays taken (S1)."""
        leaving = an_entry(state=EntryState.DELETING)
        for outcome in Outcome:
            self.assertEqual(after(leaving, a_result(delete_step(), outcome)).entries, (leaving,))

    def test_only_the_world_shows_members(self) -> None:
        """What a load balancer holds is read from it in every cycle."""
        entry = balanced(an_entry())
        for outcome in Outcome:
            learnt = after(entry, a_result(members(enable=["n"]), outcome))

            self.assertEqual(learnt, Observation((entry,)))

    def test_results_are_applied_together(self) -> None:
        """Servers are independent: one refusal does not hide another's success."""
        first = an_entry("1", EntryState.REQUESTED)
        second = an_entry("2", EntryState.REQUESTED)
        learnt = apply_results(
            {e.instance_id: e for e in (first, second)},
            [a_result(create_step("1"), Outcome.QUOTA, "full"), a_result(create_step("2"))],
            NOW,
        )

        self.assertEqual([e.state for e in learnt.entries], [EntryState.GONE, EntryState.BUILDING])
        self.assertEqual(learnt.failures, (Failure(Failing.CREATE, "full", lasting=True),))
        self.assertEqual(learnt.recovered, {Failing.CREATE})
