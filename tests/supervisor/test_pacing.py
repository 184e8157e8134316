"""How fast a group may try again."""

from datetime import datetime, timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.models.ledger import Convergence, EntryState, Failing, LedgerEntry, Removal
from otter.supervisor.observing import Failure
from otter.supervisor.pacing import (
    SHOWN_AFTER,
    after_attempts,
    after_replacements,
    backoff,
    creates_allowed,
)
from otter.supervisor.settings import SupervisorSettings
from tests.supervisor.world import NOW, SETTINGS, a_group, a_record, ago, an_entry, secs

PASSING = Failure(Failing.CREATE, "HTTP 500")
LASTING = Failure(Failing.CREATE, "Invalid key_name", lasting=True)
BUILD = Failure(Failing.BUILD, "No valid host")


def attempted(
    record: Convergence,
    *failures: Failure,
    recovered: tuple[Failing, ...] = (),
    generation: int = 1,
) -> Convergence:
    """Return the record after what a cycle saw."""
    return after_attempts(
        record,
        a_group(generation=generation),
        failures,
        frozenset(recovered),
        now=NOW,
        settings=SETTINGS,
    )


class BackoffTests(SynchronousTestCase):
    """Waits."""

    @given(st.integers(1, 200), st.text(max_size=5))
    def test_waits_are_bounded(self, failures: int, seed: str) -> None:
        """Never below the first wait nor above the longest, give or take the jitter."""
        wait = backoff(failures, SETTINGS, seed)

        self.assertGreaterEqual(wait, SETTINGS.retry_first * 0.8)
        self.assertLessEqual(wait, SETTINGS.retry_max * 1.2)

    @given(st.integers(1, 6), st.text(max_size=5))
    def test_waits_grow(self, failures: int, seed: str) -> None:
        """Each failure waits longer than the one before it, whatever the jitter."""
        self.assertLess(backoff(failures, SETTINGS, seed), backoff(failures + 1, SETTINGS, seed))

    def test_groups_do_not_retry_in_step(self) -> None:
        """After an outage a thousand groups must not come back in the same second."""
        waits = {backoff(3, SETTINGS, f"group-{n}") for n in range(100)}

        self.assertGreater(len(waits), 90)

    def test_the_same_group_waits_the_same(self) -> None:
        """Plans are deterministic, jitter included."""
        self.assertEqual(backoff(3, SETTINGS, "g"), backoff(3, SETTINGS, "g"))


class AttemptsTests(SynchronousTestCase):
    """Failures in a row, recovery, reasons."""

    def test_nothing_happened(self) -> None:
        """A quiet cycle only remembers the generation it looked at."""
        record = a_record(failures=2, failing=Failing.CREATE, retry_at=NOW, seen_generation=1)

        self.assertEqual(attempted(record), record)

    def test_a_failure_makes_the_group_wait(self) -> None:
        """The reason of a passing one is not yet worth showing."""
        record = attempted(a_record(), PASSING)

        self.assertEqual((record.failures, record.failing), (1, Failing.CREATE))
        self.assertEqual(record.retry_at, NOW + backoff(1, SETTINGS, "group"))
        self.assertEqual(record.reasons, ())

    def test_many_failures_at_once_are_one(self) -> None:
        """Fifty creates refused in one cycle say the same thing once."""
        self.assertEqual(attempted(a_record(), *[PASSING] * 50).failures, 1)

    def test_a_lasting_failure_is_shown_at_once(self) -> None:
        """Only the owner can repair it; distinct reasons, sorted."""
        quota = Failure(Failing.CREATE, "Quota exceeded", lasting=True)
        record = attempted(a_record(), quota, LASTING, LASTING, PASSING)

        self.assertEqual(record.reasons, ("Invalid key_name", "Quota exceeded"))

    def test_a_passing_failure_is_shown_when_it_does_not_pass(self) -> None:
        """The group is in ERROR and says why once the cloud has failed it so often."""
        before = a_record(failures=SHOWN_AFTER - 2)
        last = attempted(before, PASSING)

        self.assertEqual(last.reasons, ())
        self.assertEqual(attempted(last, PASSING).reasons, ("HTTP 500",))

    def test_reasons_stay_until_recovery(self) -> None:
        """A failure without words does not hide what is known."""
        known = a_record(failures=1, create_reasons=("Quota exceeded",))
        silent = Failure(Failing.CREATE, "", lasting=True)

        self.assertEqual(attempted(known, silent).reasons, ("Quota exceeded",))
        self.assertEqual(attempted(known, PASSING).reasons, ("Quota exceeded",))

    def test_the_newest_reason_counts(self) -> None:
        """The owner repaired one thing and now another is wrong (scenario 21)."""
        known = a_record(failures=1, create_reasons=("Quota exceeded",))

        self.assertEqual(attempted(known, LASTING).reasons, ("Invalid key_name",))

    def test_an_accepted_create_is_recovery_from_refused_ones(self) -> None:
        """Everything about the trouble is forgotten."""
        troubled = attempted(a_record(failures=7), LASTING)

        self.assertEqual(
            attempted(troubled, recovered=(Failing.CREATE,)), a_record(seen_generation=1)
        )

    def test_an_accepted_create_is_not_recovery_from_failed_builds(self) -> None:
        """An image that always errors is always accepted first; only a ready server counts."""
        troubled = attempted(a_record(failures=2), BUILD)

        self.assertEqual(troubled.failing, Failing.BUILD)
        self.assertEqual(attempted(troubled, recovered=(Failing.CREATE,)), troubled)
        self.assertEqual(attempted(troubled, recovered=(Failing.BUILD,)).failures, 0)

    def test_refused_creates_outrank_failed_builds(self) -> None:
        """With both in one cycle the next accepted create is news."""
        self.assertEqual(attempted(a_record(), BUILD, PASSING).failing, Failing.CREATE)

    def test_success_and_failure_in_one_cycle(self) -> None:
        """The row of failures was broken and a new one begins."""
        troubled = a_record(failures=7, failing=Failing.CREATE, create_reasons=("x",))
        mixed = attempted(troubled, PASSING, recovered=(Failing.CREATE,))

        self.assertEqual((mixed.failures, mixed.reasons), (1, ()))

    def test_a_call_of_the_owner_allows_an_attempt_at_once(self) -> None:
        """They may have repaired it; failures in a row still keep the attempt to one server."""
        waiting = a_record(failures=7, retry_at=NOW + secs(500), seen_generation=4)
        fresh = attempted(waiting, generation=5)

        self.assertEqual((fresh.retry_at, fresh.failures), (None, 7))
        self.assertEqual(fresh.seen_generation, 5)
        self.assertEqual(attempted(waiting, generation=4), waiting)

    def test_a_call_of_the_owner_does_not_hide_a_new_failure(self) -> None:
        """What fails in the same cycle makes the group wait again."""
        waiting = a_record(failures=7, retry_at=NOW + secs(500))

        self.assertEqual(
            attempted(waiting, PASSING, generation=5).retry_at,
            NOW + backoff(8, SETTINGS, "group"),
        )


class ReplacementTests(SynchronousTestCase):
    """The budget of replacements."""

    def replaced(
        self,
        record: Convergence,
        *losses: tuple[LedgerEntry, LedgerEntry],
        desired: int = 1,
        budget: int = 2,
    ) -> Convergence:
        """Return the record after a cycle in which entries changed like this."""
        return after_replacements(
            record,
            [before for before, _ in losses],
            [after for _, after in losses],
            desired=desired,
            now=NOW,
            settings=SupervisorSettings(replacements_per_hour=budget),
        )

    @staticmethod
    def loss(name: str = "i") -> tuple[LedgerEntry, LedgerEntry]:
        """Return a server in service that broke."""
        return an_entry(name), an_entry(name, EntryState.DELETING)

    def test_a_loss_is_remembered_for_an_hour(self) -> None:
        """Within the budget it costs nothing."""
        record = self.replaced(a_record(replaced_at=(ago(3600), ago(3599))), self.loss())

        self.assertEqual(record, a_record(replaced_at=(ago(3599), NOW)))

    def test_beyond_the_budget_the_group_waits_and_says_why(self) -> None:
        """Until the oldest loss is an hour old, whatever the owner calls meanwhile."""
        record = self.replaced(
            a_record(replaced_at=(ago(1000), ago(500), ago(400))), budget=2, desired=0
        )

        self.assertEqual(record.retry_at, ago(1000) + timedelta(hours=1))
        self.assertEqual(
            record.reasons, ("more than 2 servers had to be replaced within an hour; waiting",)
        )

    def test_a_longer_wait_is_kept(self) -> None:
        """Backoff and budget both hold."""
        until = NOW + timedelta(hours=5)
        record = a_record(replaced_at=(ago(3), ago(2), ago(1)), retry_at=until)

        self.assertEqual(self.replaced(record, desired=0).retry_at, until)

    def test_a_large_group_may_lose_more(self) -> None:
        """Losing every server three times in an hour is a loop at any size."""
        losses = [self.loss(str(n)) for n in range(30)]

        self.assertIsNone(self.replaced(a_record(), *losses, desired=10).retry_at)
        self.assertIsNotNone(self.replaced(a_record(), *losses, desired=9).retry_at)

    def test_what_is_remembered_is_bounded(self) -> None:
        """A record never grows beyond the budget, however many servers fall."""
        losses = [self.loss(str(n)) for n in range(100)]

        self.assertEqual(len(self.replaced(a_record(), *losses, budget=5).replaced_at), 6)

    def test_what_is_no_loss(self) -> None:
        """Failed builds have their own pace, wanted removals are wanted, new servers are new."""
        building = an_entry("1", EntryState.BUILDING), an_entry("1", EntryState.DELETING)
        asked = an_entry("2", removal=Removal.DELETE), an_entry("2", EntryState.DELETING)
        kept = an_entry("3"), an_entry("3", EntryState.JOINING)
        adopted = an_entry("4"), an_entry("5", EntryState.DELETING)

        self.assertEqual(self.replaced(a_record(), building, asked, kept, adopted), a_record())


class AllowedTests(SynchronousTestCase):
    """How many creates may be handed out."""

    def allowed(self, requested: int = 0, *, now: datetime = NOW, **record: object) -> int:
        """Return the number for a record."""
        return creates_allowed(a_record(**record), requested, now=now, settings=SETTINGS)

    def test_as_many_as_may_be_in_flight(self) -> None:
        """Less those that are unanswered, never below none."""
        self.assertEqual(self.allowed(), 50)
        self.assertEqual(self.allowed(20), 30)
        self.assertEqual(self.allowed(70), 0)

    def test_none_before_the_wait_is_over(self) -> None:
        """Backoff holds to the second and not longer."""
        self.assertEqual(self.allowed(retry_at=NOW + secs(1)), 0)
        self.assertEqual(self.allowed(retry_at=NOW), 50)

    def test_after_some_failures_one_at_a_time(self) -> None:
        """A cloud in trouble is probed, not stormed (S6)."""
        self.assertEqual(self.allowed(failures=2), 50)
        self.assertEqual(self.allowed(failures=3), 1)
        self.assertEqual(self.allowed(1, failures=3), 0)

    @given(st.integers(0, 100), st.integers(0, 100))
    def test_an_error_never_allows_more_than_a_success(self, failures: int, requested: int) -> None:
        """Promise S6, as arithmetic."""
        record = attempted(a_record(failures=failures), PASSING)
        after = creates_allowed(record, requested, now=NOW, settings=SETTINGS)
        healthy = evolve(record, failures=0, retry_at=None)

        self.assertLessEqual(after, creates_allowed(healthy, requested, now=NOW, settings=SETTINGS))
        self.assertEqual(after, 0)
