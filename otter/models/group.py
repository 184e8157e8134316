"""What the owner of a scaling group says: config, launch config, desired capacity, switches."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.models.frozen import frozen_map, frozen_object
from otter.models.ids import GroupId, LoadBalancerId, PolicyId, TenantId


class LaunchType(StrEnum):
    """How a server comes to be (rest-api.md 4.2)."""

    SERVER = "launch_server"
    STACK = "launch_stack"


class LoadBalancerKind(StrEnum):
    """The ``type`` of a load balancer item (rest-api.md 4.4)."""

    CLOUD = "CloudLoadBalancer"
    RACKCONNECT = "RackConnectV3"


@frozen
class GroupConfig:
    """Bounds and pace of a group; ``cooldown`` in seconds (rest-api.md 4.1)."""

    name: str
    cooldown: int
    min_entities: int
    max_entities: int
    metadata: PMap[str, str] = field(converter=frozen_map, factory=pmap)


@frozen
class LoadBalancerTarget:
    """A place on a load balancer that every server of the group must have."""

    load_balancer_id: LoadBalancerId
    port: int | None
    kind: LoadBalancerKind = LoadBalancerKind.CLOUD


@frozen
class NotifyTarget:
    """A customer's own webhook and the events it asks for; no events named means all of them."""

    url: str
    events: tuple[str, ...] = ()


@frozen
class LaunchConfig:
    """
    How servers are made, exactly as the owner sent it, with the number of its version.

    ``args`` is the JSON object of rest-api.md 4.3 or 4.5, frozen on entry.
    """

    version: int
    type: LaunchType
    args: PMap[str, object] = field(converter=frozen_object)


@frozen
class Group:
    """
    One scaling group as its owner sees it: written by calls, read by everybody.

    ``generation`` grows by one with every write and is what conditional writes compare.
    ``group_touched`` and ``policy_touched`` are the cooldown clocks: the time of the last
    successful execution of any policy, and of each policy.
    """

    tenant_id: TenantId
    group_id: GroupId
    config: GroupConfig
    launch: LaunchConfig
    created: datetime
    desired: int = 0
    paused: bool = False
    suspended: bool = False
    deleting: bool = False
    group_touched: datetime | None = None
    policy_touched: PMap[PolicyId, datetime] = field(converter=frozen_map, factory=pmap)
    generation: int = 1


@frozen
class DirtyMark:
    """
    The group needs converging since ``generation``.

    A mark is durable no later than the state it marks, so it may name a generation that no write
    has reached yet (the writer died in between); see ``Store.clear_dirty``.
    """

    tenant_id: TenantId
    group_id: GroupId
    generation: int
