"""Scaling policies, the webhooks that run them and the schedules that will."""

from datetime import datetime
from decimal import Decimal

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.models.frozen import frozen_map
from otter.models.ids import CapabilityHash, GroupId, PolicyId, TenantId, WebhookId


@frozen
class ChangeBy:
    """Add ``amount`` servers, or remove them when negative."""

    amount: int


@frozen
class ChangePercent:
    """Change by ``percent`` of the desired capacity; the literal is kept exactly."""

    percent: Decimal


@frozen
class SetCapacity:
    """Set the desired capacity to ``capacity``."""

    capacity: int


Adjustment = ChangeBy | ChangePercent | SetCapacity


@frozen
class At:
    """Run once; ``text`` is the owner's own spelling (rest-api.md 5.5)."""

    text: str


@frozen
class Cron:
    """Run repeatedly; ``text`` is the owner's own spelling (rest-api.md 5.6)."""

    text: str


@frozen
class Policy:
    """One way to change a group's desired capacity; ``cooldown`` in seconds, kept exactly."""

    tenant_id: TenantId
    group_id: GroupId
    policy_id: PolicyId
    name: str
    cooldown: Decimal
    adjustment: Adjustment
    schedule: At | Cron | None = None


@frozen
class Webhook:
    """A capability URL that executes one policy. ``capability`` is a secret."""

    tenant_id: TenantId
    group_id: GroupId
    policy_id: PolicyId
    webhook_id: WebhookId
    name: str
    capability: CapabilityHash = field(repr=False)
    metadata: PMap[str, str] = field(converter=frozen_map, factory=pmap)


@frozen
class Schedule:
    """The next time a schedule policy is due; ``version`` is what conditional writes compare."""

    tenant_id: TenantId
    group_id: GroupId
    policy_id: PolicyId
    due: datetime
    version: int = 1
