"""
What a load balancer is: frozen records that no API's spelling has entered.

``rules`` says how they may change, ``clb`` shows them as Rackspace's Cloud Load Balancers.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from attrs import field, frozen

LoadBalancerId = NewType("LoadBalancerId", int)
NodeId = NewType("NodeId", int)


class Status(StrEnum):
    """Where a load balancer is in its life; only an ACTIVE one takes changes."""

    ACTIVE = "ACTIVE"
    BUILD = "BUILD"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_DELETE = "PENDING_DELETE"
    DELETED = "DELETED"
    ERROR = "ERROR"
    SUSPENDED = "SUSPENDED"


class Protocol(StrEnum):
    """What clients speak; traffic is forwarded byte by byte either way."""

    TCP = "TCP"
    HTTP = "HTTP"


class Algorithm(StrEnum):
    """How the node of a new connection is chosen; weights count in both."""

    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_CONNECTIONS = "LEAST_CONNECTIONS"


class Condition(StrEnum):
    """What the owner wants of a node."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    DRAINING = "DRAINING"


class NodeStatus(StrEnum):
    """What the health monitor found; ONLINE where there is none."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class NodeType(StrEnum):
    """SECONDARY nodes serve only while no PRIMARY one can."""

    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"


class MonitorType(StrEnum):
    """CONNECT opens a TCP connection, HTTP also asks for a page."""

    CONNECT = "CONNECT"
    HTTP = "HTTP"


class EventType(StrEnum):
    """What happened to a node."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    STATUS = "STATUS"


@frozen
class NewNode:
    """A node somebody asks for."""

    address: str
    port: int
    condition: Condition = Condition.ENABLED
    type: NodeType = NodeType.PRIMARY
    weight: int = 1


@frozen
class Node:
    """One member of a load balancer."""

    node_id: NodeId
    address: str
    port: int
    condition: Condition = Condition.ENABLED
    type: NodeType = NodeType.PRIMARY
    weight: int = 1
    status: NodeStatus = NodeStatus.ONLINE


@frozen
class NodeChange:
    """What to change about a node; None leaves it as it is."""

    condition: Condition | None = None
    type: NodeType | None = None
    weight: int | None = None


@frozen
class NodeEvent:
    """
    One line of a load balancer's history.

    :ivar number: counts up from 1 within the load balancer.
    :ivar node: the node as it was right after the event.
    """

    number: int
    kind: EventType
    node: Node
    when: datetime


@frozen
class HealthMonitor:
    """
    How the nodes are checked.

    :ivar attempts: failures in a row that take a node OFFLINE; one success brings it back.
    :ivar path: the page an HTTP check asks for.
    :ivar status_regex: what an HTTP answer's three digits must match.
    """

    kind: MonitorType
    delay: timedelta
    timeout: timedelta
    attempts: int
    path: str = "/"
    status_regex: str = "^[23][0-9][0-9]$"


@frozen
class NewLoadBalancer:
    """A load balancer somebody asks for."""

    name: str
    protocol: Protocol
    port: int
    algorithm: Algorithm = Algorithm.ROUND_ROBIN
    nodes: tuple[NewNode, ...] = ()
    monitor: HealthMonitor | None = None


@frozen
class LoadBalancer:
    """
    A load balancer with all that belongs to it.

    :ivar address: the virtual IPv4 address clients connect to.
    :ivar fault: why it is in ERROR, else empty.
    :ivar events: the newest part of its history, oldest first.
    :ivar event_count: how many events there ever were.
    """

    lb_id: LoadBalancerId
    project: str
    name: str
    protocol: Protocol
    port: int
    address: str
    algorithm: Algorithm
    status: Status
    created: datetime
    updated: datetime
    nodes: tuple[Node, ...] = ()
    monitor: HealthMonitor | None = None
    fault: str = ""
    events: tuple[NodeEvent, ...] = field(default=(), repr=False)
    event_count: int = 0
