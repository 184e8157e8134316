"""How one job is carried out, and what is made of its failures."""

from collections.abc import Iterator

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Outcome, Step
from otter.cloud import errors
from otter.cloud.errors import (
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
    NotSentError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from otter.cloud.interface import MARK_KEYS, CreateServer, NodeCondition
from otter.models.ids import ServerId
from otter.worker.performing import OUTCOMES, REPEATABLE, outcome_of
from otter.worker.settings import WorkerSettings
from tests.worker.world import CREATE, TENANT, Bench, a_job, delete, members, release, secs

LOST = TransientError("HTTP 500", status=500)
BUSY = ConflictingRequestError("immutable", status=409)


def every_error(kind: type[CloudError] = CloudError) -> Iterator[type[CloudError]]:
    """Yield every class of failure."""
    for subclass in kind.__subclasses__():
        if subclass.__module__ == errors.__name__:
            yield subclass
        yield from every_error(subclass)


class OutcomeTests(SynchronousTestCase):
    """What failures mean."""

    def test_every_class_of_failure_has_an_outcome(self) -> None:
        """A new class needs its decision; a job that ends in none would never be answered."""
        self.assertEqual(set(OUTCOMES), set(every_error()))
        self.assertGreater(len(OUTCOMES), 8)

    def test_only_what_may_have_happened_is_unknown(self) -> None:
        """``definite`` failures never lead to a search for a server that cannot exist (S1)."""
        for kind in every_error():
            unknown = outcome_of(kind("x")) is Outcome.UNKNOWN

            self.assertEqual(unknown, not kind.definite, kind)

    def test_what_only_the_owner_can_repair_is_not_repeated(self) -> None:
        """Within a job, only what may pass by itself is tried again."""
        for kind in (InvalidRequestError, QuotaError, NotFoundError, AuthenticationError):
            self.assertFalse(issubclass(kind, REPEATABLE))


class CreateTests(SynchronousTestCase):
    """Note [A create is never repeated blindly]."""

    def setUp(self) -> None:
        """Make a bench."""
        self.bench = Bench()

    def servers(self) -> int:
        """Return how many servers exist."""
        return len(self.bench.cloud.servers.all())

    def test_what_is_asked_for(self) -> None:
        """The owner's body, our name and marks, and a tag that names the instance."""
        self.bench.perform(CREATE)

        self.assertEqual(
            [call.arguments for call in self.bench.cloud.calls],
            [
                (
                    CreateServer(
                        CREATE.instance_id, CREATE.name, CREATE.body, CREATE.metadata, "otter-i"
                    ),
                )
            ],
        )

    def test_success_tells_id_and_links(self) -> None:
        """With one call and nothing else."""
        result = self.bench.perform(CREATE)
        server = self.bench.cloud.servers.all()[0]

        self.assertEqual((result.outcome, result.server_id), (Outcome.DONE, server.server_id))
        self.assertEqual(result.links, server.links)
        self.assertEqual(self.bench.calls(), ["create_server"])

    def test_one_that_was_not_answered_is_looked_up(self) -> None:
        """It is there: the outcome is known after all, and there is one server (scenario 16)."""
        self.bench.cloud.lose("create_server")
        result = self.bench.perform(CREATE)

        self.assertEqual(result.outcome, Outcome.DONE)
        self.assertEqual(self.servers(), 1)
        self.assertEqual(self.bench.calls(), ["create_server", "find_servers"])

    def test_one_that_is_not_found_is_unknown(self) -> None:
        """It may show up yet; nothing is repeated."""
        self.bench.cloud.fail("create_server", LOST)
        result = self.bench.perform(CREATE)

        self.assertEqual((result.outcome, result.reason), (Outcome.UNKNOWN, "HTTP 500"))
        self.assertEqual(self.bench.calls(), ["create_server", "find_servers"])

    def test_one_that_lists_do_not_show_yet_is_unknown(self) -> None:
        """It exists, and no second one is made."""
        self.bench.cloud.servers.list_lag = secs(60)
        self.bench.cloud.lose("create_server")
        result = self.bench.perform(CREATE)

        self.assertEqual((result.outcome, self.servers()), (Outcome.UNKNOWN, 1))

    def test_a_lookup_that_fails_proves_nothing(self) -> None:
        """The outcome stays unknown, and the reason is the create's."""
        self.bench.cloud.fail("create_server", LOST)
        self.bench.cloud.fail("find_servers", InvalidRequestError("no", status=400))
        result = self.bench.perform(CREATE)

        self.assertEqual((result.outcome, result.reason), (Outcome.UNKNOWN, "HTTP 500"))

    def test_a_namesake_is_not_ours(self) -> None:
        """The name alone proves nothing: the instance id must agree."""
        self.bench.cloud.servers.add(CREATE.name, {"otter:instance": "another"})
        self.bench.cloud.fail("create_server", LOST)

        self.assertEqual(self.bench.perform(CREATE).outcome, Outcome.UNKNOWN)

    def test_no_failure_is_repeated(self) -> None:
        """Whatever the class: one create per job; the planner decides on another."""
        for kind in every_error():
            bench = Bench()
            bench.cloud.fail("create_server", kind("no"))
            result = bench.perform(CREATE)

            self.assertEqual(result.outcome, OUTCOMES[kind])
            self.assertEqual(result.reason, "no")
            self.assertEqual(bench.cloud.counts["create_server"], 1, kind)

    def test_a_late_job_is_not_started(self) -> None:
        """Nobody waits for it any more; nothing was asked."""
        result = self.bench.perform(CREATE, seconds=0)

        self.assertEqual((result.outcome, self.bench.calls()), (Outcome.TRANSIENT, []))

    def test_a_job_the_budget_left_no_time_for_is_not_started(self) -> None:
        """The deadline is looked at again right before the call (S1)."""
        self.bench.budget.close_for(TENANT, secs(10))
        result = self.bench.perform(CREATE, seconds=5)

        self.assertEqual((result.outcome, self.bench.calls()), (Outcome.TRANSIENT, []))
        self.assertIn("budget", result.reason)

    def test_creates_keep_to_the_budget(self) -> None:
        """Fifty at once, then as fast as the region's rate allows (S6)."""
        bench = Bench(rate=2)
        for number in range(56):
            _ = bench.begin(a_job(name=str(number)))
        at_once = bench.cloud.counts["create_server"]
        for _ in range(6):
            bench.clock.advance(0.5)

        self.assertEqual((at_once, bench.cloud.counts["create_server"]), (50, 56))

    def test_a_throttled_create_closes_the_budget(self) -> None:
        """The provider said when to come back; nobody asks before (413/429)."""
        throttled = ThrottledError("slow", status=429, retry_after=secs(7))
        self.bench.cloud.fail("create_server", throttled)
        result = self.bench.perform(CREATE)
        _ = self.bench.begin(a_job(name="next"))
        self.bench.clock.advance(6.5)

        self.assertEqual(result.outcome, Outcome.BUSY)
        self.assertEqual(self.bench.cloud.counts["create_server"], 1)
        self.bench.clock.advance(0.5)
        self.assertEqual(self.bench.cloud.counts["create_server"], 2)

    def test_a_provider_is_believed_only_so_far(self) -> None:
        """An hour of silence would be an outage of our own making."""
        throttled = ThrottledError("slow", status=429, retry_after=secs(3600))
        self.bench.cloud.fail("create_server", throttled)
        self.bench.perform(CREATE)
        _ = self.bench.begin(a_job(name="next", seconds=600))
        self.bench.clock.advance(self.bench.settings.retry_max.total_seconds())

        self.assertEqual(self.bench.cloud.counts["create_server"], 2)

    def test_a_cancelled_create_is_not_answered(self) -> None:
        """The process is stopping: the ledger knows what was asked."""
        self.bench.cloud.latency = secs(5)
        creating = self.bench.begin(a_job())
        creating.cancel()

        self.failureResultOf(creating, CancelledError)
        self.assertEqual(self.bench.clock.getDelayedCalls(), [])


class RepeatTests(SynchronousTestCase):
    """Everything but creates is idempotent, and repeated."""

    def setUp(self) -> None:
        """Make a bench with a server."""
        self.bench = Bench()
        self.server = self.bench.cloud.servers.add("web", {**dict.fromkeys(MARK_KEYS, "x")})

    def test_a_deletion_deletes(self) -> None:
        """And is done again without harm."""
        for _ in range(2):
            self.assertEqual(self.bench.perform(delete(self.server)).outcome, Outcome.DONE)
        self.assertEqual(self.bench.cloud.servers.all(), ())

    def test_a_release_takes_our_marks_off(self) -> None:
        """The server stays, with what its owner wrote on it."""
        self.bench.cloud.servers.set_metadata(
            self.server, {**dict.fromkeys(MARK_KEYS, "x"), "colour": "blue"}
        )
        result = self.bench.perform(release(self.server))

        self.assertEqual(result.outcome, Outcome.DONE)
        self.assertEqual(dict(self.bench.cloud.servers.all()[0].metadata), {"colour": "blue"})

    def test_what_passes_is_repeated(self) -> None:
        """With growing waits: lost answers, conflicts, throttling, connections refused."""
        for error in (LOST, BUSY, ThrottledError("slow"), NotSentError("refused")):
            bench = Bench()
            server = bench.cloud.servers.add("web")
            bench.cloud.fail("delete_server", error, times=3)

            self.assertEqual(bench.perform(delete(server)).outcome, Outcome.DONE)
            self.assertEqual(bench.cloud.counts["delete_server"], 4)
            self.assertGreater(bench.elapsed(), 0.25 * 7 * 0.5)

    def test_what_does_not_pass_is_not_repeated(self) -> None:
        """The outcome says what it was."""
        for kind in every_error():
            if issubclass(kind, REPEATABLE):
                continue
            bench = Bench()
            bench.cloud.fail("delete_server", kind("no"))
            result = bench.perform(delete(ServerId("s")))

            self.assertEqual((result.outcome, result.reason), (OUTCOMES[kind], "no"))
            self.assertEqual(bench.cloud.counts["delete_server"], 1)

    def test_attempts_are_bounded(self) -> None:
        """The planner sees that it is not done and plans it again, at its own pace."""
        self.bench.cloud.fail("delete_server", LOST, times=100)
        result = self.bench.perform(delete(self.server))

        self.assertEqual(result.outcome, Outcome.UNKNOWN)
        self.assertEqual(self.bench.cloud.counts["delete_server"], 6)

    def test_no_attempt_is_made_after_the_deadline(self) -> None:
        """A wait that would end too late is not begun."""
        self.bench.cloud.fail("delete_server", LOST, times=100)
        result = self.bench.perform(delete(self.server), seconds=1)

        self.assertEqual(result.outcome, Outcome.UNKNOWN)
        self.assertTrue(all(call.at < result.job.deadline for call in self.bench.cloud.calls))
        self.assertLess(self.bench.cloud.counts["delete_server"], 5)

    def test_the_provider_says_how_long_to_wait(self) -> None:
        """Retry-After outranks our own shorter wait."""
        throttled = ThrottledError("slow", status=413, retry_after=secs(9))
        self.bench.cloud.fail("delete_server", throttled)
        _ = self.bench.begin(a_job(delete(self.server)))
        self.bench.clock.advance(8.9)

        self.assertEqual(self.bench.cloud.counts["delete_server"], 1)
        self.bench.clock.advance(0.1)
        self.assertEqual(self.bench.cloud.counts["delete_server"], 2)

    def test_one_attempt_is_what_one_attempt_says(self) -> None:
        """The bound is the settings'."""
        bench = Bench(WorkerSettings(attempts=1))
        bench.cloud.fail("delete_server", LOST, times=9)
        bench.perform(delete(self.server))

        self.assertEqual(bench.cloud.counts["delete_server"], 1)

    def test_jobs_of_another_tenant_go_to_another_cloud(self) -> None:
        """A worker serves everybody, each with their own account."""
        _ = self.bench.begin(a_job(CREATE, tenant="other"))

        self.assertEqual(self.bench.cloud.counts["create_server"], 0)
        self.assertEqual(len(self.bench.results), 1)
        self.assertNotEqual(self.bench.results[0].job.tenant_id, TENANT)


class MembersTests(SynchronousTestCase):
    """One visit to a load balancer."""

    def setUp(self) -> None:
        """Make a bench with a load balancer that holds three members."""
        self.bench = Bench()
        self.balancers = self.bench.cloud.balancers
        self.name = self.balancers.add(node_limit=3)
        self.nodes = [self.balancers.add_node(self.name, f"10.0.0.{n}", 80) for n in range(3)]

    def perform(self, **changes: object) -> Outcome:
        """Perform a visit."""
        step: Step = members(self.name, **changes)
        return self.bench.perform(step).outcome

    def shown(self) -> dict[str, NodeCondition]:
        """Return the members by address."""
        return {n.address: n.condition for n in self.balancers.show(self.name).nodes}

    def test_as_many_as_there_is_room_for(self) -> None:
        """Some members serve although not all of them fit; the visit says that it was not all."""
        self.bench.cloud.balancers.remove_nodes(self.name, [self.nodes[0]])
        outcome = self.perform(add=(("10.0.0.7", 80), ("10.0.0.8", 80), ("10.0.0.9", 80)))

        self.assertEqual(outcome, Outcome.QUOTA)
        self.assertEqual(sorted(self.shown()), ["10.0.0.1", "10.0.0.2", "10.0.0.7"])

    def test_everything_in_one_visit(self) -> None:
        """Drain one, remove one, add one, enable one."""
        self.balancers.set_node(self.name, self.nodes[2], condition=NodeCondition.DISABLED)
        outcome = self.perform(
            drain=(self.nodes[0],),
            remove=(self.nodes[1],),
            add=(("10.0.0.9", 80),),
            enable=(self.nodes[2],),
        )

        self.assertEqual(outcome, Outcome.DONE)
        self.assertEqual(
            self.shown(),
            {
                "10.0.0.0": NodeCondition.DRAINING,
                "10.0.0.2": NodeCondition.ENABLED,
                "10.0.0.9": NodeCondition.ENABLED,
            },
        )

    def test_room_is_made_before_it_is_taken(self) -> None:
        """At the node limit, adding first would fail a visit that fits (#1214)."""
        outcome = self.perform(remove=(self.nodes[0],), add=(("10.0.0.9", 80),))

        self.assertEqual(outcome, Outcome.DONE)
        self.assertEqual(set(self.shown()), {"10.0.0.1", "10.0.0.2", "10.0.0.9"})

    def test_a_full_load_balancer_does_not_stop_the_rest(self) -> None:
        """What is there is restored although nothing can be added, visit after visit."""
        self.balancers.set_node(self.name, self.nodes[0], condition=NodeCondition.DISABLED)
        outcome = self.perform(enable=(self.nodes[0],), add=(("10.0.0.9", 80),))

        self.assertEqual(outcome, Outcome.QUOTA)
        self.assertEqual(self.shown()["10.0.0.0"], NodeCondition.ENABLED)

    def test_all_members_are_added_in_one_call(self) -> None:
        """And an empty list is no call."""
        self.balancers.kill_node(self.name, self.nodes[0])
        self.balancers.kill_node(self.name, self.nodes[1])
        self.perform(add=(("10.0.0.8", 80), ("10.0.0.9", 80)))

        self.assertEqual(self.bench.calls(), ["add_nodes"])

    def test_an_immutable_load_balancer_is_waited_for(self) -> None:
        """It is busy with its last change for a moment."""
        self.balancers.update_time = secs(1)
        outcome = self.perform(remove=(self.nodes[0],), add=(("10.0.0.9", 80),))

        self.assertEqual(outcome, Outcome.DONE)
        self.assertIn("10.0.0.9", self.shown())

    def test_one_that_stays_immutable_is_busy(self) -> None:
        """Nothing happened; later again."""
        self.balancers.set_status(self.name, "PENDING_UPDATE")

        self.assertEqual(self.perform(remove=(self.nodes[0],)), Outcome.BUSY)

    def test_one_that_is_gone_is_missing(self) -> None:
        """The next look at the world says so too."""
        self.balancers.kill(self.name)

        self.assertEqual(self.perform(add=(("10.0.0.9", 80),)), Outcome.MISSING)

    def test_a_full_one_says_so(self) -> None:
        """In the provider's words, for the owner."""
        result = self.bench.perform(members(self.name, add=(("10.0.0.9", 80),)))

        self.assertEqual(result.outcome, OUTCOMES[NodeLimitError])
        self.assertIn("must not exceed 3", result.reason)
