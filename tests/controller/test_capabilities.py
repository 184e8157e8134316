"""Executing policies by capability."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs

from otter.controller.interface import NewWebhook
from otter.models.activity import ActivityKind
from otter.models.errors import StoreUnavailableError
from otter.models.ids import CapabilityHash, PolicyId
from otter.models.policy import Webhook
from tests.controller.world import (
    ACTOR,
    GROUP,
    POLICY,
    TENANT,
    ControllerCase,
    a_group,
    a_policy,
    failing,
)

OTHER = PolicyId("other")
SHRINK = PolicyId("shrink")
UNKNOWN = CapabilityHash("5f0c" * 16)
Call = Coroutine[Any, Any, object]


class CapabilityTests(ControllerCase):
    """Executing by capability."""

    def setUp(self) -> None:
        """Build a group with a policy and its webhook."""
        super().setUp()
        self.put_group(a_group(cooldown=60), a_policy())
        self.webhook = self.add_webhook()
        self.clock.advance(1)

    def add_webhook(self) -> Webhook:
        """Return a new webhook of the policy."""
        call = self.controller.create_webhooks(
            TENANT, GROUP, POLICY, [NewWebhook("pager")], actor=ACTOR
        )
        return self.ended(call)[0]

    def hit(self, version: str = "1", capability: CapabilityHash | None = None) -> None:
        """Call the capability URL."""
        secret = capability or self.webhook.capability
        self.ended(self.controller.execute_capability(version, secret))

    def test_executed(self) -> None:
        """A hit executes the policy; the history names the webhook, not its secret."""
        self.hit()

        self.assertEqual(self.group().desired, 6)
        line = self.history()[-1]
        self.assertEqual(
            (line.kind, line.actor),
            (ActivityKind.EXECUTED, f"webhook {self.webhook.webhook_id}"),
        )
        self.assertNotIn(self.webhook.capability, repr(self.history()))

    def test_version(self) -> None:
        """Another version than 1 is nothing of ours, not even worth a look."""
        for version in ("2", "", "01", "1 "):
            self.hit(version)

        self.assertEqual((self.group().desired, self.kinds()[1:]), (5, []))

    def test_unknown(self) -> None:
        """An unknown capability does nothing; operators can count it, without its text."""
        with capturedLogs() as events:
            self.hit(capability=UNKNOWN)

        self.assertEqual([event["log_format"] for event in events], ["capability.unknown"])
        self.assertNotIn(UNKNOWN, repr(events))

    def test_nearly_right(self) -> None:
        """A secret is compared whole, even if a store were to find its webhook by a part of it."""
        find = self.store.find_capability

        async def find_by_half(secret: CapabilityHash) -> Webhook:
            assert secret.startswith(self.webhook.capability[:32])

            return await find(self.webhook.capability)

        self.patch(self.store, "find_capability", find_by_half)

        self.hit(capability=CapabilityHash(self.webhook.capability[:32] + "é" * 32))

        self.assertEqual(self.group().desired, 5)

    def test_refused(self) -> None:
        """Whatever refuses it stays between us and the group's history."""
        self.hit()
        self.clock.advance(1)
        self.hit()
        self.ended(self.controller.pause(TENANT, GROUP, actor=ACTOR))
        self.clock.advance(1)
        self.hit()

        refused = [line for line in self.history() if line.kind is ActivityKind.REFUSED]
        self.assertEqual(
            [(line.actor, line.details["error"]) for line in refused],
            [
                (f"webhook {self.webhook.webhook_id}", "CannotExecutePolicyError"),
                (f"webhook {self.webhook.webhook_id}", "GroupPausedError"),
            ],
        )
        self.assertEqual(refused[0].details["retry_after_seconds"], 59)
        self.assertEqual(self.group().desired, 6)

    def test_policy_gone(self) -> None:
        """A policy deleted just after the webhook was found is a refusal like any other."""

        async def delete() -> None:
            await self.store.delete_policy(TENANT, GROUP, POLICY)

        self.store.before_policy.append(delete)
        self.hit()

        self.assertEqual(self.history()[-1].details["error"], "NoSuchPolicyError")

    def test_group_deleting(self) -> None:
        """A group that is being deleted is out of reach, though its webhooks are still stored."""
        self.ended(self.controller.delete_group(TENANT, GROUP, force=True, actor=ACTOR))

        with capturedLogs() as events:
            self.hit()

        self.assertEqual([e["log_format"].split()[0] for e in events], ["capability.orphaned"])
        self.assertEqual(self.group().desired, 0)

    def test_store_down(self) -> None:
        """When it is unknown whether the hit was stored, that must come out: it may be repeated."""
        self.store.before_write.append(failing(StoreUnavailableError("down")))

        self.refused(
            self.controller.execute_capability("1", self.webhook.capability),
            StoreUnavailableError,
        )

    def test_defect(self) -> None:
        """A defect of ours is logged for us and hidden from whoever hit the URL."""
        self.store.before_write.append(failing(ZeroDivisionError("defect")))

        self.hit()

        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cancelled(self) -> None:
        """A sender that hangs up is no defect, and its hit still counts."""
        self.store.delay = timedelta(seconds=1)
        call = Deferred.fromCoroutine(
            self.controller.execute_capability("1", self.webhook.capability)
        )
        call.cancel()
        self.clock.advance(1)
        self.clock.advance(1)

        self.failureResultOf(call, CancelledError)
        self.assertEqual(self.group().desired, 6)

    def test_three_hits(self) -> None:
        """Several near-simultaneous hits are all applied."""
        self.ended(self.controller.set_config(TENANT, GROUP, a_group().config, actor=ACTOR))
        self.store.delay = timedelta(seconds=1)
        calls = [
            Deferred.fromCoroutine(self.controller.execute_capability("1", self.webhook.capability))
            for _ in range(3)
        ]
        for _ in range(4):
            self.clock.advance(1)

        for call in calls:
            self.successResultOf(call)
        self.assertEqual(self.group().desired, 8)
