"""Builders of what the supervisor decides on: groups, entries, servers, worlds; literals in."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from attrs import evolve
from pyrsistent import freeze, pmap

from otter.bus.interface import (
    CreateServerJob,
    DeleteServerJob,
    Job,
    JobResult,
    Outcome,
    ReleaseServerJob,
    SetMembersJob,
    Step,
)
from otter.cloud.interface import LoadBalancer, Node, NodeCondition, Server
from otter.models.group import Group, GroupConfig, LaunchConfig, LaunchType, LoadBalancerTarget
from otter.models.ids import (
    DeploymentId,
    GroupId,
    InstanceId,
    LoadBalancerId,
    NodeId,
    ServerId,
    TenantId,
)
from otter.models.ledger import Convergence, EntryState, LedgerEntry, Membership
from otter.supervisor.flight import key_of
from otter.supervisor.marks import Marks, marks_for, metadata_for
from otter.supervisor.observing import Observation, Observer
from otter.supervisor.planning import Plan, Planner
from otter.supervisor.settings import SupervisorSettings
from otter.supervisor.world import Stranger, World

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TENANT = TenantId("7042")
GROUP = GroupId("group")
DEPLOYMENT = DeploymentId("deployment")
LB = LoadBalancerId("lb")
SETTINGS = SupervisorSettings()
MARKS_OF = Marks(DEPLOYMENT, GROUP, InstanceId("i"))
SERVED_STATES = frozenset({EntryState.IN_SERVICE, EntryState.DRAINING})
SEEN_STATES = SERVED_STATES | {EntryState.BUILDING, EntryState.JOINING, EntryState.DELETING}


def ago(seconds: float) -> datetime:
    """Return a time before ``NOW``."""
    return NOW - timedelta(seconds=seconds)


def secs(seconds: float) -> timedelta:
    """Spell a duration."""
    return timedelta(seconds=seconds)


def a_group(
    desired: int = 1,
    *,
    max_entities: int = 10,
    args: Mapping[str, object] | None = None,
    kind: LaunchType = LaunchType.SERVER,
    **changes: object,
) -> Group:
    """Return a group; ``args`` replaces the arguments of its launch config."""
    document = args or {"server": {"name": "web", "flavorRef": "1"}}
    group = Group(
        TENANT,
        GROUP,
        GroupConfig("a group", 0, 0, max_entities),
        LaunchConfig(3, kind, freeze(document)),
        ago(10_000),
        desired,
    )
    return evolve(group, **changes)  # type: ignore[arg-type]


def with_balancer(
    port: int | None = 80, *, draining: int = 0, kind: str = "CloudLoadBalancer"
) -> dict[str, object]:
    """Return launch arguments that name one load balancer."""
    item = {"loadBalancerId": LB, "type": kind, **({"port": port} if port is not None else {})}
    args: dict[str, object] = {"server": {"flavorRef": "1"}, "loadBalancers": [item]}
    return {**args, "draining_timeout": draining} if draining else args


def an_entry(
    name: str = "i",
    state: EntryState = EntryState.IN_SERVICE,
    *,
    age: float = 1000,
    **changes: object,
) -> LedgerEntry:
    """
    Return an entry that has been in its state for ``age`` seconds.

    Its server, where its state knows one, is ``s-{name}``.
    """
    entry = LedgerEntry(
        TENANT,
        GROUP,
        InstanceId(name),
        launch_version=3,
        created=ago(age),
        changed=ago(age),
        state=state,
        name=f"web-{name}",
        server_id=ServerId(f"s-{name}") if state in SEEN_STATES else None,
        address=f"10.0.0.{name}" if state in SERVED_STATES else None,
        served=ago(age) if state in SERVED_STATES else None,
    )
    return evolve(entry, **changes)  # type: ignore[arg-type]


TARGET = LoadBalancerTarget(LB, 80)
DEADLINE = NOW + timedelta(seconds=60)


def balanced(entry: LedgerEntry, *, asked: bool = True) -> LedgerEntry:
    """Return the entry with a place on the load balancer, and its member asked for."""
    address = entry.address or f"10.0.0.{entry.instance_id}"
    member = (Membership(LB, 80, address),) if asked else ()
    return evolve(entry, address=address, targets=(TARGET,), memberships=member)


def a_server(entry: LedgerEntry, status: str = "ACTIVE", **changes: object) -> Server:
    """Return the server of an entry, with all marks."""
    server = Server(
        ServerId(f"s-{entry.instance_id}"),
        entry.name,
        status,
        entry.created,
        metadata_for(marks_for(entry, DEPLOYMENT)),
        addresses=(("private", f"10.0.0.{entry.instance_id}"),),
        links=(("self", f"http://cloud.invalid/s-{entry.instance_id}"),),
    )
    return evolve(server, **changes)  # type: ignore[arg-type]


def a_node(
    name: str,
    address: str,
    condition: NodeCondition = NodeCondition.ENABLED,
    **changes: object,
) -> Node:
    """Return a member at port 80."""
    return evolve(Node(NodeId(name), address, 80, condition), **changes)  # type: ignore[arg-type]


def node_of(entry: LedgerEntry, condition: NodeCondition = NodeCondition.ENABLED) -> Node:
    """Return the member of an entry."""
    return a_node(f"n-{entry.instance_id}", entry.address or "", condition)


def a_balancer(*nodes: Node, status: str = "ACTIVE") -> LoadBalancer:
    """Return the load balancer."""
    return LoadBalancer(LB, status, nodes)


def a_world(
    *servers: Server,
    absent: Iterable[str] = (),
    balancers: Mapping[LoadBalancerId, LoadBalancer | None] | None = None,
    strangers: Iterable[Stranger] = (),
    at: datetime = NOW,
) -> World:
    """Return a world with these servers."""
    return World(
        at,
        servers={s.server_id: s for s in servers},
        absent=frozenset(ServerId(name) for name in absent),
        balancers=pmap(balancers or {}),
        strangers=tuple(strangers),
    )


def a_record(**changes: object) -> Convergence:
    """Return a convergence record."""
    return evolve(Convergence(TENANT, GROUP), **changes)  # type: ignore[arg-type]


def names() -> Callable[[], InstanceId]:
    """Return a source of instance ids ``new-1``, ``new-2``, …."""
    numbers = count(1)
    return lambda: InstanceId(f"new-{next(numbers)}")


def create_step(name: str = "i") -> CreateServerJob:
    """Return the step that creates an entry's server."""
    return CreateServerJob(InstanceId(name), f"web-{name}", {}, {})


def delete_step(name: str = "i") -> DeleteServerJob:
    """Return the step that deletes an entry's server."""
    return DeleteServerJob(InstanceId(name), ServerId(f"s-{name}"))


def release_step(name: str = "i") -> ReleaseServerJob:
    """Return the step that releases an entry's server."""
    return ReleaseServerJob(InstanceId(name), ServerId(f"s-{name}"))


def a_job(step: Step, name: str = "job", *, deadline: datetime = DEADLINE) -> Job:
    """Return a step as a job."""
    return Job(name, TENANT, GROUP, key_of(step), step, deadline)


def a_result(step: Step, outcome: Outcome = Outcome.DONE, reason: str = "") -> JobResult:
    """Return how a job ended."""
    server_id = None
    if isinstance(step, CreateServerJob) and outcome is Outcome.DONE:
        server_id = ServerId(f"s-{step.instance_id}")
    return JobResult(a_job(step), outcome, reason, server_id)


def observe(
    world: World, *entries: LedgerEntry, settings: SupervisorSettings = SETTINGS, **more: object
) -> Observation:
    """Look at entries now."""
    observer = Observer(world, DEPLOYMENT, settings, NOW)
    return evolve(observer, **more).observe(entries)  # type: ignore[arg-type]


def look(world: World, entry: LedgerEntry, **more: object) -> LedgerEntry:
    """Look at one entry now and return it as it is afterwards."""
    return observe(world, entry, **more).entries[0]  # type: ignore[arg-type]


def a_planner(
    group: Group, world: World, settings: SupervisorSettings = SETTINGS, **more: object
) -> Planner:
    """Return a planner for now."""
    planner = Planner(group, world, DEPLOYMENT, settings, NOW, names())
    return evolve(planner, **more)  # type: ignore[arg-type]


def plan(
    group: Group,
    world: World,
    *entries: LedgerEntry,
    record: Convergence | None = None,
    refusals: Mapping[LoadBalancerId, str] | None = None,
    settings: SupervisorSettings = SETTINGS,
    changing: Iterable[LoadBalancerId] = (),
    creating: Iterable[LedgerEntry] = (),
) -> Plan:
    """Plan for a group now; ``creating`` are entries whose create job is under way."""
    planner = evolve(
        a_planner(group, world, settings, changing=frozenset(changing)),
        creating=frozenset(entry.instance_id for entry in creating),
    )
    return planner.plan(record or a_record(), entries, refusals or {})


def states(entries: Iterable[LedgerEntry]) -> list[str]:
    """Return the states of entries, sorted."""
    return sorted(entry.state.value for entry in entries)


def members(
    *,
    add: Iterable[tuple[str, int]] = (),
    enable: Iterable[str] = (),
    drain: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> SetMembersJob:
    """Return a visit to the load balancer."""
    return SetMembersJob(
        LB,
        tuple(add),
        tuple(NodeId(n) for n in enable),
        tuple(NodeId(n) for n in drain),
        tuple(NodeId(n) for n in remove),
    )
