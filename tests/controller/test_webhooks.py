"""Calls on webhooks."""

from collections.abc import Coroutine, Sequence
from typing import Any

from pyrsistent import freeze

from otter.controller.errors import (
    NoSuchPolicyError,
    NoSuchWebhookError,
    WebhooksOverLimitError,
)
from otter.controller.interface import NewWebhook
from otter.models.activity import ActivityKind
from otter.models.ids import PolicyId, WebhookId
from otter.models.policy import Webhook
from tests.controller.world import (
    ACTOR,
    GROUP,
    POLICY,
    TENANT,
    ControllerCase,
    a_policy,
)

MISSING = WebhookId("missing")
OTHER = PolicyId("other")
Call = Coroutine[Any, Any, object]


def a_webhook(name: str, **metadata: str) -> NewWebhook:
    """Return a webhook as sent."""
    sent: Any = freeze(metadata)
    return NewWebhook(name, sent)


class WebhookTests(ControllerCase):
    """Adding, looking at, renaming and removing webhooks."""

    def setUp(self) -> None:
        """Build a group with one policy."""
        super().setUp()
        self.put_group(None, a_policy())

    def create(
        self, *names: str, policy_id: PolicyId = POLICY
    ) -> Coroutine[Any, Any, Sequence[Webhook]]:
        """Return the call that adds webhooks."""
        webhooks = [NewWebhook(name) for name in names]
        return self.controller.create_webhooks(TENANT, GROUP, policy_id, webhooks, actor=ACTOR)

    def stored(self) -> list[Webhook]:
        """Return the policy's webhooks."""
        return list(self.ended(self.store.list_webhooks(TENANT, GROUP, POLICY)))

    def calls_on(self, policy_id: PolicyId, webhook_id: WebhookId) -> list[Call]:
        """Return one call of each method on one webhook."""
        at = (TENANT, GROUP, policy_id, webhook_id)
        return [
            self.controller.get_webhook(*at),
            self.controller.set_webhook(*at, NewWebhook("n"), actor=ACTOR),
            self.controller.delete_webhook(*at, actor=ACTOR),
        ]

    def test_create(self) -> None:
        """Webhooks come back in the order given, each with an id and a secret of its own."""
        made = self.ended(self.create("b", "a"))

        self.assertEqual([webhook.name for webhook in made], ["b", "a"])
        self.assertEqual(self.stored(), sorted(made, key=lambda webhook: webhook.webhook_id))
        self.assertEqual(len({webhook.capability for webhook in made}), 2)
        for webhook in made:
            self.assertRegex(webhook.capability, "^[0-9a-f]{64}$")
            self.assertEqual(self.ended(self.store.find_capability(webhook.capability)), webhook)

    def test_metadata(self) -> None:
        """Metadata is kept as sent."""
        sent = a_webhook("w", team="ops")

        made = self.ended(
            self.controller.create_webhooks(TENANT, GROUP, POLICY, [sent], actor=ACTOR)
        )

        self.assertEqual(dict(made[0].metadata), {"team": "ops"})

    def test_limit(self) -> None:
        """All are added or none; the limit counts those that exist."""
        self.ended(self.create("a"))

        self.refused(self.create("b", "c"), WebhooksOverLimitError)

        self.assertEqual([webhook.name for webhook in self.stored()], ["a"])

    def test_none(self) -> None:
        """Adding nothing adds nothing."""
        self.assertEqual(self.ended(self.create()), [])
        self.assertEqual(self.kinds(), [])

    def test_page(self) -> None:
        """A page is ascending by id, strictly after the given one."""
        made = sorted(webhook.webhook_id for webhook in self.ended(self.create("a", "b")))

        page = self.ended(
            self.controller.list_webhooks(TENANT, GROUP, POLICY, after=made[0], limit=9)
        )

        self.assertEqual([webhook.webhook_id for webhook in page], made[1:])

    def test_unknown_policy(self) -> None:
        """Lists and additions under an unknown policy miss the policy."""
        listing = self.controller.list_webhooks(TENANT, GROUP, OTHER, after="", limit=9)

        self.refused(listing, NoSuchPolicyError)
        self.refused(self.create("a", policy_id=OTHER), NoSuchPolicyError)

    def test_unknown_webhook(self) -> None:
        """Calls on one webhook miss the webhook, also where the policy is unknown or another's."""
        made = self.ended(self.create("a"))[0]
        for policy_id, webhook_id in ((POLICY, MISSING), (OTHER, made.webhook_id)):
            for call in self.calls_on(policy_id, webhook_id):
                self.assertIn(webhook_id, self.refused(call, NoSuchWebhookError))

    def test_set(self) -> None:
        """Name and metadata are replaced, the capability stays."""
        made = self.ended(self.create("a"))[0]
        at = (TENANT, GROUP, POLICY, made.webhook_id)

        self.ended(self.controller.set_webhook(*at, a_webhook("b", x="y"), actor=ACTOR))

        stored = self.ended(self.controller.get_webhook(*at))
        self.assertEqual((stored.name, dict(stored.metadata)), ("b", {"x": "y"}))
        self.assertEqual(stored.capability, made.capability)

    def test_delete(self) -> None:
        """A deleted webhook's URL does nothing; its sister's works on."""
        first, second = self.ended(self.create("a", "b"))

        self.ended(
            self.controller.delete_webhook(TENANT, GROUP, POLICY, first.webhook_id, actor=ACTOR)
        )

        self.assertEqual(self.stored(), [second])
        self.ended(self.controller.execute_capability("1", first.capability))
        self.assertEqual(self.group().desired, 5)
        self.ended(self.controller.execute_capability("1", second.capability))
        self.assertEqual(self.group().desired, 6)

    def test_history(self) -> None:
        """The history tells who did what to which webhook, and never its secret."""
        made = self.ended(self.create("a"))[0]
        for call in self.calls_on(POLICY, made.webhook_id):
            self.clock.advance(1)
            self.ended(call)

        self.assertEqual(
            self.kinds(),
            [
                ActivityKind.WEBHOOK_CREATED,
                ActivityKind.WEBHOOK_CHANGED,
                ActivityKind.WEBHOOK_DELETED,
            ],
        )
        for line in self.history():
            self.assertEqual(line.details["webhook_id"], made.webhook_id)
            self.assertNotIn(made.capability, repr(line))
