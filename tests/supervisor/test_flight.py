"""What is under way, and how long things are left alone."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import JobResult, Outcome, SetMembersJob, Step
from otter.models.ids import GroupId, LoadBalancerId
from otter.supervisor.flight import COOLING_MAX, Flight, key_of
from tests.supervisor.world import (
    GROUP,
    LB,
    NOW,
    a_job,
    a_result,
    create_step,
    delete_step,
    members,
    release_step,
    secs,
)

FIRST = secs(1)


def flying(*steps: Step) -> Flight:
    """Return a flight with these steps under way."""
    flight = Flight(FIRST)
    for step in steps:
        flight.start(a_job(step))
    return flight


class KeyTests(SynchronousTestCase):
    """What steps work on."""

    def test_steps_of_one_server_share_a_key(self) -> None:
        """Creating, deleting and releasing it never overlap; another server's do."""
        keys = {key_of(s) for s in (create_step(), delete_step(), release_step())}

        self.assertEqual(keys, {"server/i"})
        self.assertEqual(key_of(create_step("j")), "server/j")

    def test_a_load_balancer_is_changed_by_one_at_a_time(self) -> None:
        """Concurrent changes drove load balancers into ERROR (#1939)."""
        self.assertEqual(key_of(members(add=[("a", 1)])), "balancer/lb")


class FlightTests(SynchronousTestCase):
    """Jobs handed out and answered."""

    def test_a_key_is_taken_until_its_job_ends(self) -> None:
        """Another key is not."""
        flight = flying(members(add=[("a", 1)]))

        self.assertFalse(flight.may_start("balancer/lb", NOW))
        self.assertTrue(flight.may_start("balancer/other", NOW))
        self.assertFalse(flight.idle)

    def test_a_changed_load_balancer_may_be_changed_again_at_once(self) -> None:
        """Its next change is no repetition."""
        flight = flying(members(add=[("a", 1)]))
        flight.end(a_result(members(add=[("a", 1)])), NOW)

        self.assertTrue(flight.may_start("balancer/lb", NOW))
        self.assertTrue(flight.idle)

    def test_a_load_balancer_that_was_not_changed_is_left_alone(self) -> None:
        """Longer each time, until one change works."""
        flight = flying()
        for wait in (1, 2, 4):
            flight.start(a_job(members()))
            flight.end(a_result(members(), Outcome.BUSY), NOW)

            self.assertFalse(flight.may_start("balancer/lb", NOW + secs(wait - 0.1)))
            self.assertTrue(flight.may_start("balancer/lb", NOW + secs(wait)))
        flight.end(a_result(members()), NOW)

        self.assertTrue(flight.may_start("balancer/lb", NOW))

    def test_what_is_planned_again_is_given_time_to_take_effect(self) -> None:
        """A deletion that was accepted need not be asked for in every cycle."""
        flight = flying(delete_step())
        flight.end(a_result(delete_step()), NOW)

        self.assertFalse(flight.may_start("server/i", NOW))
        self.assertTrue(flight.may_start("server/i", NOW + FIRST))

    @given(st.integers(1, 60))
    def test_the_wait_is_bounded(self, times: int) -> None:
        """A thing is tried at least every minute, however often it failed."""
        flight = flying()
        for _ in range(times):
            flight.end(a_result(delete_step(), Outcome.UNKNOWN), NOW)

        self.assertTrue(flight.may_start("server/i", NOW + COOLING_MAX))

    def test_an_old_result_does_not_end_a_new_job(self) -> None:
        """The bus may repeat a result, or deliver one of a job that was given up."""
        flight = flying()
        flight.start(a_job(members(), "new"))
        flight.end(JobResult(a_job(members(), "old"), Outcome.DONE), NOW)

        self.assertFalse(flight.may_start("balancer/lb", NOW))

    def test_what_is_under_way_is_known_by_name(self) -> None:
        """Creates by instance, changes by load balancer."""
        flight = flying(create_step("a"), delete_step("b"), members())

        self.assertEqual(flight.creating(), {"a"})
        self.assertEqual(flight.changing(), {LB})


class RefusalTests(SynchronousTestCase):
    """Load balancers that said no."""

    def test_a_refusal_is_remembered_for_its_group(self) -> None:
        """Until the load balancer is changed, or answers something else."""
        for outcome in (Outcome.INVALID, Outcome.QUOTA, Outcome.DENIED):
            flight = flying(members())
            flight.end(a_result(members(), outcome, "full"), NOW)

            self.assertEqual(flight.refusals, {GROUP: {LB: "Load Balancer lb: full"}})
            self.assertFalse(flight.idle)
            flight.end(a_result(members()), NOW)
            self.assertEqual(flight.refusals[GROUP], {})

    def test_trouble_that_passes_is_no_refusal(self) -> None:
        """A busy load balancer is not the owner's to repair."""
        flight = flying(members())
        for outcome in (Outcome.BUSY, Outcome.TRANSIENT, Outcome.UNKNOWN, Outcome.MISSING):
            flight.end(a_result(members(), outcome, "later"), NOW)

            self.assertEqual(flight.refusals[GROUP], {})

    def test_a_group_is_not_blamed_for_another(self) -> None:
        """Two groups share a load balancer; one asked for too much."""
        flight = flying()
        other = evolve(a_job(members()), group_id=GroupId("other"))
        flight.end(a_result(members(), Outcome.QUOTA, "full"), NOW)
        flight.end(JobResult(other, Outcome.DONE), NOW)

        self.assertEqual(set(flight.refusals[GROUP]), {LB})


class ExpiryTests(SynchronousTestCase):
    """Forgetting."""

    def test_a_job_whose_result_got_lost_is_forgotten(self) -> None:
        """Some time after its deadline no worker can still have it."""
        flight = flying(members())
        deadline = a_job(members()).deadline
        flight.expire(deadline + secs(20), secs(20))

        self.assertFalse(flight.may_start("balancer/lb", NOW))
        flight.expire(deadline + secs(21), secs(20))
        self.assertTrue(flight.may_start("balancer/lb", NOW))

    def test_old_memories_are_forgotten(self) -> None:
        """What cooled down long ago is new again, and takes no room."""
        flight = flying()
        flight.end(a_result(delete_step()), NOW)
        flight.expire(NOW + COOLING_MAX, secs(20))

        self.assertFalse(flight.idle)
        flight.expire(NOW + FIRST + 2 * COOLING_MAX + secs(1), secs(20))
        self.assertTrue(flight.idle)

    def test_another_load_balancer_is_another_thing(self) -> None:
        """One that is left alone holds nobody else up."""
        flight = flying()
        step = SetMembersJob(LoadBalancerId("other"))
        flight.end(a_result(members(), Outcome.BUSY), NOW)

        self.assertTrue(flight.may_start(key_of(step), NOW))
