"""Executions and messages are counted where they happen, by class of reason."""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.app.metering import MeteredController, MeteredMessenger, reason_of
from otter.cloud.errors import TransientError
from otter.controller import errors
from otter.controller.interface import Limits, NewWebhook
from otter.metrics import Metrics
from otter.models.errors import StoreUnavailableError
from otter.models.ids import CapabilityHash, GroupId
from otter.models.policy import ChangeBy
from tests.controller.world import (
    ACTOR,
    DEPLOYMENT,
    GROUP,
    POLICY,
    TENANT,
    ControllerCase,
    a_group,
    a_policy,
)


class ReasonTests(SynchronousTestCase):
    """Why a policy was not executed."""

    def test_reasons(self) -> None:
        """Few words, one for each thing an operator would do about it."""
        left = timedelta(seconds=3)
        rows: list[tuple[Exception, str]] = [
            (errors.CannotExecutePolicyError("", retry_after=left), "cooldown"),
            (errors.CannotExecutePolicyError(""), "no_change"),
            (errors.GroupPausedError(), "paused"),
            (errors.TenantSuspendedError(), "suspended"),
            (errors.NoSuchPolicyError(), "unknown"),
            (errors.NoSuchScalingGroupError(), "unknown"),
            (errors.ValidationError(), "refused"),
            (StoreUnavailableError(), "unavailable"),
            (ZeroDivisionError(), "failed"),
        ]

        self.assertEqual([reason_of(error) for error, _ in rows], [word for _, word in rows])


class MeteredControllerTests(ControllerCase):
    """Executions by whoever asks."""

    def setUp(self) -> None:
        """Build a controller that counts."""
        super().setUp()
        self.metrics = Metrics()
        self.metered = MeteredController(
            self.store, self.bus, self.clock, Limits(), DEPLOYMENT, self.metrics
        )

    def count(self, source: str, outcome: str) -> float:
        """Return how many such executions were counted."""
        return self.metrics.value("otter_executions_total", source=source, outcome=outcome)

    def test_accepted_and_refused(self) -> None:
        """The answer is the controller's own; the count tells which it was."""
        self.put_group(a_group(5, max_entities=6), a_policy(ChangeBy(1)))

        group = self.ended(self.metered.execute_policy(TENANT, GROUP, POLICY, actor=ACTOR))
        self.refused(
            self.metered.execute_policy(TENANT, GROUP, POLICY, actor=ACTOR),
            errors.CannotExecutePolicyError,
        )

        self.assertEqual(group.desired, 6)
        self.assertEqual((self.count("api", "accepted"), self.count("api", "no_change")), (1, 1))

    def test_webhook(self) -> None:
        """A webhook's refusal, which nobody is told, is counted all the same."""
        self.put_group(a_group(5, max_entities=6), a_policy(ChangeBy(1)))
        [webhook] = self.ended(
            self.metered.create_webhooks(TENANT, GROUP, POLICY, [NewWebhook("w")], actor=ACTOR)
        )
        for _ in range(3):
            self.ended(self.metered.execute_capability("1", webhook.capability))
        self.ended(self.metered.execute_capability("1", CapabilityHash("unknown")))

        self.assertEqual(
            (self.count("webhook", "accepted"), self.count("webhook", "no_change")), (1, 2)
        )


class Scripted:
    """A messenger that fails when it is told to."""

    error: Exception | None = None

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """Deliver, or fail."""
        if self.error is not None:
            raise self.error


class MeteredMessengerTests(SynchronousTestCase):
    """Messages to customers."""

    def test_outcomes(self) -> None:
        """Both outcomes are counted, and a failure goes on to whoever repeats it."""
        metrics, inner = Metrics(), Scripted()
        messenger = MeteredMessenger(inner, metrics)

        def deliver() -> "Deferred[None]":
            work = messenger.deliver(
                "http://x", message_id="1", event="e", body=b"", group_id=GROUP
            )
            return Deferred.fromCoroutine(work)

        self.successResultOf(deliver())
        inner.error = TransientError("no answer")
        self.failureResultOf(deliver(), TransientError)

        found = [
            metrics.value("otter_notifications_total", outcome=outcome)
            for outcome in ("delivered", "failed")
        ]
        self.assertEqual(found, [1, 1])
