"""What every bus promises: little, so that any broker can keep it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from otter.bus.interface import (
    Bus,
    CreateServerJob,
    DeleteServerJob,
    Job,
    JobResult,
    Notice,
    Outcome,
    ReleaseServerJob,
    SetMembersJob,
    Step,
)
from otter.models.ids import (
    GroupId,
    InstanceId,
    LoadBalancerId,
    NodeId,
    ServerId,
    TenantId,
)

DEADLINE = datetime(2026, 5, 4, 12, 0, 0, 123456, UTC)
NOTICE = Notice(TenantId("7042"), GroupId("g"))
STEPS: tuple[Step, ...] = (
    CreateServerJob(InstanceId("i"), "web-1", {"a": [1, {"b": None}]}, {"mark": "x"}),
    DeleteServerJob(InstanceId("i"), ServerId("s")),
    ReleaseServerJob(InstanceId("i"), ServerId("s")),
    SetMembersJob(
        LoadBalancerId("lb"),
        add=(("10.0.0.1", 80),),
        enable=(NodeId("e"),),
        drain=(NodeId("d"),),
        remove=(NodeId("r"),),
    ),
)


def a_job(step: Step = STEPS[0]) -> Job:
    """Return a job with this step."""
    return Job("job", NOTICE.tenant_id, NOTICE.group_id, "server/i", step, DEADLINE)


class Listener:
    """
    A handler that keeps what it hears.

    :ivar waiting: messages are heard, and being handled until these fire, one for each.
    :ivar failing: raised by the handler, in order; None lets a message be.
    """

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.waiting: list[Deferred[None]] = []
        self.failing: list[Exception | None] = []

    async def __call__(self, message: object) -> None:
        """Hear a message."""
        self.heard.append(message)
        failure = self.failing.pop(0) if self.failing else None
        if failure is not None:
            raise failure
        if self.waiting:
            await self.waiting.pop(0)


class BusContract(TestCase):
    """Every ``Bus`` inherits these tests."""

    async def make_bus(self) -> Bus:
        """Return a bus that is ready."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Return when everything sent so far has been delivered or dropped."""
        raise NotImplementedError

    async def test_each_kind_reaches_its_handler(self) -> None:
        """Notices, jobs and results do not mix."""
        bus = await self.make_bus()
        notices, jobs, results = Listener(), Listener(), Listener()
        bus.on_notice(notices)
        bus.on_job(jobs)
        bus.on_result(results)
        result = JobResult(a_job(), Outcome.DONE, "", ServerId("s"), (("self", "http://x"),))
        await bus.send_notice(NOTICE)
        await bus.send_job(a_job())
        await bus.send_result(result)
        await self.settle()

        self.assertEqual(notices.heard, [NOTICE])
        self.assertEqual(jobs.heard, [a_job()])
        self.assertEqual(results.heard, [result])

    async def test_every_step_arrives_as_it_was_sent(self) -> None:
        """Nested values, tuples and times to the microsecond."""
        bus = await self.make_bus()
        jobs = Listener()
        bus.on_job(jobs)
        for step in STEPS:
            await bus.send_job(a_job(step))
        await self.settle()

        self.assertCountEqual(jobs.heard, [a_job(step) for step in STEPS])

    async def test_every_outcome_arrives(self) -> None:
        """With the reason, in any language."""
        bus = await self.make_bus()
        results = Listener()
        bus.on_result(results)
        sent = [JobResult(a_job(), outcome, "zażółć ✓") for outcome in Outcome]
        for result in sent:
            await bus.send_result(result)
        await self.settle()

        self.assertCountEqual(results.heard, sent)

    async def test_sending_never_runs_the_handler(self) -> None:
        """It runs on a later turn, so that whoever sends is never called back in the middle."""
        bus = await self.make_bus()
        jobs = Listener()
        bus.on_job(jobs)
        await bus.send_job(a_job())

        self.assertEqual(jobs.heard, [])
        await self.settle()
        self.assertEqual(len(jobs.heard), 1)

    async def test_sending_never_waits_for_the_handler(self) -> None:
        """Messages are handled at the same time, however long one of them takes."""
        bus = await self.make_bus()
        jobs = Listener()
        never: Deferred[None] = Deferred()
        jobs.waiting = [never]
        bus.on_job(jobs)
        await bus.send_job(a_job())
        await self.settle()
        await bus.send_job(evolve(a_job(), job_id="second"))
        await self.settle()

        self.assertEqual([j.job_id for j in jobs.heard if isinstance(j, Job)], ["job", "second"])
        never.callback(None)

    async def test_a_handlers_failure_is_logged_and_contained(self) -> None:
        """The message is dropped; the next ones arrive, whatever the failure was."""
        bus = await self.make_bus()
        notices = Listener()
        notices.failing = [ValueError("a bug"), None]
        bus.on_notice(notices)
        await bus.send_notice(NOTICE)
        await self.settle()
        await bus.send_notice(NOTICE)
        await self.settle()

        self.assertEqual(notices.heard, [NOTICE, NOTICE])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    async def test_without_a_handler_messages_are_dropped(self) -> None:
        """A hint nobody can hear is no error of the sender's."""
        bus = await self.make_bus()
        sends: list[Callable[[], Awaitable[None]]] = [
            lambda: bus.send_notice(NOTICE),
            lambda: bus.send_job(a_job()),
            lambda: bus.send_result(JobResult(a_job(), Outcome.DONE)),
        ]
        for send in sends:
            await send()
        await self.settle()
        late = Listener()
        bus.on_notice(late)
        await bus.send_notice(NOTICE)
        await self.settle()

        self.assertIn(NOTICE, late.heard)

    async def test_the_last_handler_named_is_the_one(self) -> None:
        """One per process."""
        bus = await self.make_bus()
        first, second = Listener(), Listener()
        bus.on_notice(first)
        bus.on_notice(second)
        await bus.send_notice(NOTICE)
        await self.settle()

        self.assertEqual((first.heard, second.heard), ([], [NOTICE]))

    async def test_a_handler_may_send(self) -> None:
        """The answer to a job is sent while the job is being handled."""
        bus = await self.make_bus()
        results = Listener()
        bus.on_result(results)

        async def answer(job: Job) -> None:
            await bus.send_result(JobResult(job, Outcome.DONE))

        bus.on_job(answer)
        await bus.send_job(a_job())
        await self.settle()
        await self.settle()

        self.assertEqual(results.heard, [JobResult(a_job(), Outcome.DONE)])
