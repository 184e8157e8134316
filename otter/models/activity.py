"""What happened to a group, what is to be told to its owner, and who may act."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.models.frozen import frozen_object
from otter.models.ids import ActivityId, DeploymentId, GroupId, NotificationId, TenantId


class ActivityKind(StrEnum):
    """What sort of thing happened."""

    CREATED = "group.created"
    DELETED = "group.deleted"
    CONFIG = "config.changed"
    LAUNCH = "launch.changed"
    PAUSED = "group.paused"
    RESUMED = "group.resumed"
    SUSPENDED = "group.suspended"
    UNSUSPENDED = "group.unsuspended"
    CONVERGE = "converge.requested"
    POLICY_CREATED = "policy.created"
    POLICY_CHANGED = "policy.changed"
    POLICY_DELETED = "policy.deleted"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    EXECUTED = "policy.executed"
    REFUSED = "policy.refused"
    SERVER_REMOVED = "server.removed"
    SERVER_CREATING = "server.creating"
    SERVER_IN_SERVICE = "server.in_service"
    SERVER_DELETING = "server.deleting"
    SERVER_GONE = "server.gone"
    SERVER_REPLACED = "server.replaced"
    SERVER_ADOPTED = "server.adopted"
    SERVER_FAILED = "server.failed"
    ERROR = "group.error"
    RECOVERED = "group.recovered"


@frozen
class Activity:
    """
    One line of a group's history.

    :ivar actor: who or what caused it: ``user``, ``webhook {webhook id}``, ``supervisor``.
    :ivar reason: one sentence for a person, never a secret.
    :ivar details: small JSON object: ids, capacities before and after.
    """

    tenant_id: TenantId
    group_id: GroupId
    activity_id: ActivityId
    at: datetime
    kind: ActivityKind
    actor: str
    reason: str
    details: PMap[str, object] = field(converter=frozen_object, factory=pmap)


@frozen
class Notification:
    """A message owed to a customer's own webhook; removed when delivered or given up."""

    notification_id: NotificationId
    tenant_id: TenantId
    group_id: GroupId
    url: str
    event: str
    payload: PMap[str, object] = field(converter=frozen_object)
    created: datetime
    due: datetime
    attempts: int = 0


@frozen
class Lease:
    """Sole right to do something until ``expires``; ``epoch`` grows with every new owner."""

    name: str
    owner: str
    epoch: int
    expires: datetime


@frozen
class Deployment:
    """The identity of this installation, made once; ``secret`` signs what we send to customers."""

    deployment_id: DeploymentId
    secret: str = field(repr=False)
