"""Names of things: one ``NewType`` per kind of id, and how new ones are made."""

import secrets
import time
import uuid
from typing import NewType

TenantId = NewType("TenantId", str)
"""The project that owns a group; any non-empty string."""

GroupId = NewType("GroupId", str)
PolicyId = NewType("PolicyId", str)
WebhookId = NewType("WebhookId", str)
CapabilityHash = NewType("CapabilityHash", str)
"""The secret in a capability URL: 64 lowercase hex characters from 256 random bits."""

InstanceId = NewType("InstanceId", str)
"""
Our own id of a server we intend; written before the cloud is asked, carried in the server's
metadata.
"""

ServerId = NewType("ServerId", str)
"""The cloud's id of a server."""

LoadBalancerId = NewType("LoadBalancerId", str)
"""The cloud's id of a load balancer, always as text (the wire allows integers too)."""

NodeId = NewType("NodeId", str)
"""The cloud's id of one member of a load balancer, always as text."""

ActivityId = NewType("ActivityId", str)
"""Sorts by time as plain text."""

NotificationId = NewType("NotificationId", str)
DeploymentId = NewType("DeploymentId", str)
"""Tells one installation of Otter from another that uses the same cloud account."""


def new_uuid() -> str:
    """Return a random lowercase hyphenated UUID."""
    return str(uuid.uuid4())


def new_capability_hash() -> CapabilityHash:
    """Return a fresh capability secret (rest-api.md 3.12)."""
    return CapabilityHash(secrets.token_hex(32))


def new_activity_id(milliseconds: int | None = None) -> ActivityId:
    """Return an id whose text order is the order of time, to the millisecond."""
    stamp = int(time.time() * 1000) if milliseconds is None else milliseconds
    return ActivityId(f"{stamp:013x}-{secrets.token_hex(8)}")
