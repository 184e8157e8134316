"""
The URLs of everything, absolute and with a trailing slash.

Built from the configured root, never from what a request says about its host (rest-api.md 1.2).
"""

from collections.abc import Sequence
from urllib.parse import quote

from attrs import field, frozen

from otter.models.ids import CapabilityHash, GroupId, PolicyId, TenantId
from otter.models.policy import Policy, Webhook

_SAFE = "-._~!$&'()*+,;=:@"
"""What RFC 3986 lets stand in a path segment; a client that wrote it plainly reads it plainly."""

CAPABILITY_VERSION = "1"


def _without_slash(base: str) -> str:
    return base.rstrip("/")


def as_link(rel: str, href: str) -> dict[str, str]:
    """Return one link."""
    return {"rel": rel, "href": href}


@frozen
class Links:
    """
    Makes URLs below ``base``.

    :ivar base: the public root URL; a trailing slash makes no difference.
    """

    base: str = field(converter=_without_slash)

    def _url(self, *segments: str) -> str:
        path = "".join(f"{quote(segment, safe=_SAFE)}/" for segment in segments)
        return f"{self.base}/v1.0/{path}"

    def groups(self, tenant_id: TenantId) -> str:
        """Return the URL of a tenant's groups."""
        return self._url(tenant_id, "groups")

    def group(self, tenant_id: TenantId, group_id: GroupId) -> str:
        """Return the URL of a group."""
        return self._url(tenant_id, "groups", group_id)

    def activities(self, tenant_id: TenantId, group_id: GroupId) -> str:
        """Return the URL of a group's history."""
        return self._url(tenant_id, "groups", group_id, "activities")

    def policies(self, tenant_id: TenantId, group_id: GroupId) -> str:
        """Return the URL of a group's policies."""
        return self._url(tenant_id, "groups", group_id, "policies")

    def policy(self, policy: Policy) -> str:
        """Return the URL of a policy."""
        return self._url(policy.tenant_id, "groups", policy.group_id, "policies", policy.policy_id)

    def webhooks(self, tenant_id: TenantId, group_id: GroupId, policy_id: PolicyId) -> str:
        """Return the URL of a policy's webhooks."""
        return self._url(tenant_id, "groups", group_id, "policies", policy_id, "webhooks")

    def webhook(self, webhook: Webhook) -> str:
        """Return the URL of a webhook."""
        collection = self.webhooks(webhook.tenant_id, webhook.group_id, webhook.policy_id)
        return f"{collection}{webhook.webhook_id}/"

    def capability(self, capability: CapabilityHash) -> str:
        """Return the URL that executes a webhook: a secret."""
        return self._url("execute", CAPABILITY_VERSION, capability)


def next_links(href: str, limit: int, ids: Sequence[str]) -> list[dict[str, str]]:
    """
    Return the ``_links`` of a page: a ``next`` whenever the page is full, even if it is the last.
    """
    if len(ids) < limit:
        return []
    return [as_link("next", f"{href}?limit={limit}&marker={quote(ids[-1], safe='')}")]
