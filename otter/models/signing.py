"""How a group's key for signing messages to its owner follows from the deployment's secret."""

import base64
import hashlib
import hmac

from otter.models.ids import GroupId

PREFIX = "whsec_"
"""Says that the rest is a base64 webhook key (the spelling of standardwebhooks.com)."""


def notify_key(secret: str, group_id: GroupId) -> str:
    """
    Return the key that signs what ``group_id`` sends to its owner's own webhooks.

    Derived, so that nothing more is stored, and one group's key tells nothing about another's.
    """
    digest = hmac.new(secret.encode(), f"notify:{group_id}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(digest).decode()
