"""Which waiting job is next."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Job
from otter.worker.queue import FairQueue
from tests.worker.world import a_job


def a_queue(limit: int = 100, concurrency: int = 100, tenant_concurrency: int = 100) -> FairQueue:
    """Return an empty queue."""
    return FairQueue(limit, concurrency, tenant_concurrency)


def take_all(queue: FairQueue) -> list[str]:
    """Return the names of the jobs that may run now, in order."""
    names = []
    while (job := queue.take()) is not None:
        names.append(job.job_id)
    return names


class OrderTests(SynchronousTestCase):
    """First come, first served, within each tenant and key."""

    def test_a_tenants_jobs_run_in_the_order_they_came(self) -> None:
        """As long as they concern different things."""
        queue = a_queue()
        for name in "abc":
            queue.put(a_job(name=name, key=name))

        self.assertEqual(take_all(queue), ["a", "b", "c"])

    def test_jobs_of_one_key_never_overlap(self) -> None:
        """The next starts when the one before it has ended, in order."""
        queue = a_queue()
        jobs = {name: a_job(name=name, key="k" if name != "x" else "other") for name in "abxc"}
        for job in jobs.values():
            queue.put(job)

        self.assertEqual(take_all(queue), ["a", "x"])
        for name, following in (("a", ["b"]), ("b", ["c"]), ("c", [])):
            queue.done(jobs[name])
            self.assertEqual(take_all(queue), following)

    def test_keys_are_each_tenants_own(self) -> None:
        """Two tenants may well have a load balancer of the same number."""
        queue = a_queue()
        queue.put(a_job(name="a", tenant="1"))
        queue.put(a_job(name="b", tenant="2"))

        self.assertEqual(take_all(queue), ["a", "b"])


class FairTests(SynchronousTestCase):
    """Promise S8."""

    def test_tenants_take_turns(self) -> None:
        """A thousand jobs of one do not delay the first of another."""
        queue = a_queue(limit=2000, concurrency=3)
        for number in range(1000):
            queue.put(a_job(name=f"big-{number}", tenant="big", key=str(number)))
        queue.put(a_job(name="small", tenant="small"))

        self.assertEqual(take_all(queue), ["big-0", "small", "big-1"])

    def test_one_tenant_never_holds_all_places(self) -> None:
        """Its slow cloud leaves places for the others."""
        queue = a_queue(concurrency=4, tenant_concurrency=3)
        for number in range(10):
            queue.put(a_job(name=f"slow-{number}", tenant="slow", key=str(number)))

        self.assertEqual(len(take_all(queue)), 3)
        queue.put(a_job(name="quick", tenant="quick"))
        self.assertEqual(take_all(queue), ["quick"])

    def test_places_are_bounded(self) -> None:
        """And given away again when a job ends."""
        queue = a_queue(concurrency=2)
        jobs = [a_job(name=str(n), key=str(n)) for n in range(4)]
        for job in jobs:
            queue.put(job)

        self.assertEqual(take_all(queue), ["0", "1"])
        queue.done(jobs[0])
        self.assertEqual(take_all(queue), ["2"])


class BoundTests(SynchronousTestCase):
    """What waits is bounded."""

    def test_what_does_not_fit_is_refused(self) -> None:
        """Nothing is kept of it; what runs does not count as waiting."""
        queue = a_queue(limit=2, concurrency=1)

        self.assertTrue(queue.put(a_job(name="a", key="a")))
        self.assertTrue(queue.put(a_job(name="b", key="b")))
        self.assertFalse(queue.put(a_job(name="c", key="c", tenant="another")))
        self.assertEqual(queue.waiting, 2)
        self.assertEqual(take_all(queue), ["a"])
        self.assertTrue(queue.put(a_job(name="d", key="d")))
        self.assertEqual(queue.waiting, 2)

    def test_nothing_is_remembered_of_tenants_without_jobs(self) -> None:
        """A worker that served a million tenants is as small as a new one."""
        queue = a_queue()
        jobs = [a_job(name=str(n), tenant=str(n)) for n in range(50)]
        for job in jobs:
            queue.put(job)
        take_all(queue)
        for job in jobs:
            queue.done(job)

        self.assertEqual(queue, a_queue())

    @given(
        st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), max_size=40),
        st.integers(1, 5),
        st.integers(1, 5),
    )
    def test_every_job_runs_once_and_bounds_hold(
        self, wanted: list[tuple[str, str]], concurrency: int, tenant_concurrency: int
    ) -> None:
        """Whatever comes, in whatever mixture, and ends in the order it was taken."""
        queue = a_queue(100, concurrency, tenant_concurrency)
        for number, (tenant, key) in enumerate(wanted):
            queue.put(a_job(name=str(number), tenant=tenant, key=key))
        running: list[Job] = []
        seen: list[str] = []
        while True:
            while (job := queue.take()) is not None:
                running.append(job)
                seen.append(job.job_id)
            keys = Counter((j.tenant_id, j.key) for j in running)
            tenants = Counter(j.tenant_id for j in running)
            self.assertLessEqual(len(running), concurrency)
            self.assertLessEqual(max(keys.values(), default=0), 1)
            self.assertLessEqual(max(tenants.values(), default=0), tenant_concurrency)
            if not running:
                break
            queue.done(running.pop(0))

        self.assertEqual(sorted(seen, key=int), [str(n) for n in range(len(wanted))])
        for pair in set(wanted):
            mine = [name for name in seen if wanted[int(name)] == pair]
            self.assertEqual(mine, sorted(mine, key=int))
