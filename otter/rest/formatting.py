"""
Turn records into the documents of rest-api.md 3; pure, and the numbers exactly as they came in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from attrs import frozen
from pyrsistent import thaw

from otter.controller.interface import GroupView
from otter.models.activity import Activity
from otter.models.group import Group, GroupConfig, LaunchConfig
from otter.models.policy import At, ChangeBy, ChangePercent, Cron, Policy, SetCapacity, Webhook
from otter.rest.links import Links, as_link, next_links
from otter.rest.queries import MAX_PAGE

Document = dict[str, Any]


def config_document(config: GroupConfig) -> Document:
    """Return a ``groupConfiguration``."""
    return {
        "name": config.name,
        "cooldown": config.cooldown,
        "minEntities": config.min_entities,
        "maxEntities": config.max_entities,
        "metadata": thaw(config.metadata),
    }


def launch_document(launch: LaunchConfig) -> Document:
    """Return a ``launchConfiguration`` as it was sent."""
    return {"type": launch.type.value, "args": thaw(launch.args)}


def state_document(view: GroupView) -> Document:
    """Return a ``GroupState``: active and pending always add up to desired."""
    desired = view.group.desired
    state: Document = {
        "name": view.group.config.name,
        "activeCapacity": len(view.active),
        "pendingCapacity": desired - len(view.active),
        "desiredCapacity": desired,
        "paused": view.group.paused,
        "status": "ERROR" if view.errors else "ACTIVE",
        "active": [
            {
                "id": server.server_id,
                "links": [as_link(rel, href) for rel, href in server.links],
            }
            for server in view.active
        ],
    }
    if view.errors:
        state["errors"] = [{"message": message} for message in view.errors]
    return state


def activity_document(activity: Activity) -> Document:
    """Return one line of a group's history."""
    return {
        "id": activity.activity_id,
        "timestamp": timestamp(activity.at),
        "kind": activity.kind.value,
        "actor": activity.actor,
        "reason": activity.reason,
        "details": thaw(activity.details),
    }


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC to the millisecond, ending in ``Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _adjustment(policy: Policy) -> Document:
    match policy.adjustment:
        case ChangeBy(amount):
            return {"change": amount}
        case ChangePercent(percent):
            return {"changePercent": percent}
        case SetCapacity(capacity):
            return {"desiredCapacity": capacity}
        case other:
            assert_never(other)


def _schedule(policy: Policy) -> Document:
    match policy.schedule:
        case None:
            return {"type": "webhook"}
        case At(text):
            return {"type": "schedule", "args": {"at": text}}
        case Cron(text):
            return {"type": "schedule", "args": {"cron": text}}
        case other:
            assert_never(other)


@frozen
class Formatter:
    """Makes the documents that contain links."""

    links: Links

    def policy(self, policy: Policy) -> Document:
        """Return a policy."""
        return {
            "id": policy.policy_id,
            "name": policy.name,
            "cooldown": policy.cooldown,
            **_adjustment(policy),
            **_schedule(policy),
            "links": [as_link("self", self.links.policy(policy))],
        }

    def policy_with_webhooks(self, policy: Policy, webhooks: Sequence[Webhook]) -> Document:
        """Return a policy as the manifest shows it when asked for webhooks."""
        href = self.links.webhooks(policy.tenant_id, policy.group_id, policy.policy_id)
        return {
            **self.policy(policy),
            "webhooks": [self.webhook(webhook) for webhook in webhooks],
            "webhooks_links": [as_link("webhooks", href)],
        }

    def webhook(self, webhook: Webhook) -> Document:
        """Return a webhook; its capability link is a secret."""
        return {
            "id": webhook.webhook_id,
            "name": webhook.name,
            "metadata": thaw(webhook.metadata),
            "links": [
                as_link("self", self.links.webhook(webhook)),
                as_link("capability", self.links.capability(webhook.capability)),
            ],
        }

    def group_entry(self, view: GroupView) -> Document:
        """Return a group as a list shows it."""
        group = view.group
        return {
            "id": group.group_id,
            "links": [as_link("self", self.links.group(group.tenant_id, group.group_id))],
            "state": state_document(view),
        }

    def manifest(self, view: GroupView, policies: Sequence[Document]) -> Document:
        """Return a group with everything; ``policies`` are documents already."""
        group = view.group
        return {
            **self.group_entry(view),
            "groupConfiguration": config_document(group.config),
            "launchConfiguration": launch_document(group.launch),
            "scalingPolicies": list(policies),
            "scalingPolicies_links": self._policy_links(group, policies),
        }

    def _policy_links(self, group: Group, policies: Sequence[Document]) -> list[Document]:
        href = self.links.policies(group.tenant_id, group.group_id)
        ids = sorted(policy["id"] for policy in policies)[:MAX_PAGE]
        return [as_link("policies", href), *next_links(href, MAX_PAGE, ids)]
