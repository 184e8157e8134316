"""
Decide what each load balancer needs so that our servers are on it, draining, or off it.

Pure. Only members that the ledger says we asked for are ever drained or removed (promise S3); a
member that was there before we looked counts as being on the load balancer and stays its owner's.
"""

from collections.abc import Container, Iterable
from datetime import datetime, timedelta

from attrs import evolve, frozen

from otter.bus.interface import SetMembersJob
from otter.cloud.interface import LoadBalancer, Node, NodeCondition
from otter.models.group import LoadBalancerKind, LoadBalancerTarget
from otter.models.ids import LoadBalancerId
from otter.models.ledger import LedgerEntry, Membership
from otter.supervisor.world import World, node_at


@frozen
class Members:
    """
    What is to happen on load balancers for one server; ``settled`` when nothing is left to do.
    """

    entry: LedgerEntry
    work: tuple[SetMembersJob, ...] = ()
    reasons: tuple[str, ...] = ()
    settled: bool = True


def join(entry: LedgerEntry, world: World) -> Members:
    """Put a running server on every load balancer it was made for."""
    work: list[SetMembersJob] = []
    reasons: list[str] = []
    settled = True
    for target in entry.targets:
        wanted, reason = _joinable(target, world)
        if wanted is None or target.port is None or entry.address is None:
            reasons.append(reason or f"server {entry.server_id} has no address to balance to")
            settled = False
            continue
        membership = Membership(wanted.load_balancer_id, target.port, entry.address)
        node = node_at(wanted, membership.address, membership.port)
        if node is not None and _serving(node):
            continue
        settled = False
        if wanted.status == "ACTIVE":
            entry = _remember(entry, membership, known=node is not None)
            work.extend(_joining(wanted, membership, node))
        elif wanted.status == "ERROR":
            reasons.append(f"Load Balancer {wanted.load_balancer_id} is in ERROR")
    return Members(entry, tuple(work), tuple(reasons), settled)


def _joinable(target: LoadBalancerTarget, world: World) -> tuple[LoadBalancer | None, str]:
    name = target.load_balancer_id
    if target.kind is not LoadBalancerKind.CLOUD:
        return None, f"Load Balancer pool {name}: {target.kind} pools are not served by this cloud"
    known = world.balancers.get(name)
    if known is None:
        return None, f"Load Balancer {name} does not exist"
    if known.leaving:
        return None, f"Load Balancer {name} is being deleted"
    return known, ""


def _serving(node: Node) -> bool:
    return node.condition is NodeCondition.ENABLED and node.plain and node.online is not False


def _joining(
    balancer: LoadBalancer, membership: Membership, node: Node | None
) -> Iterable[SetMembersJob]:
    lb = balancer.load_balancer_id
    if node is None:
        yield SetMembersJob(lb, add=((membership.address, membership.port),))
    elif node.condition is not NodeCondition.ENABLED or not node.plain:
        yield SetMembersJob(lb, enable=(node.node_id,))


def _remember(entry: LedgerEntry, membership: Membership, *, known: bool) -> LedgerEntry:
    """Record that we ask for a member, before we do; one that was there before is not ours."""
    if known or membership in entry.memberships:
        return entry
    return evolve(entry, memberships=(*entry.memberships, membership))


def drain(entry: LedgerEntry, world: World) -> Members:
    """Let every member of the server finish what it has and take nothing new."""
    work: list[SetMembersJob] = []
    settled = True
    for balancer, node in _members(entry, world):
        if node.condition is NodeCondition.ENABLED:
            settled = False
            if balancer.status == "ACTIVE":
                work.append(SetMembersJob(balancer.load_balancer_id, drain=(node.node_id,)))
    return Members(entry, tuple(work), settled=settled)


def drained(entry: LedgerEntry, world: World, now: datetime, timeout: timedelta) -> bool:
    """Whether a draining server may go: its time is up, or nobody is connected any more."""
    idle = all(node.connections == 0 for _, node in _members(entry, world))
    since = entry.draining_since
    return since is not None and (idle or now - since >= timeout)


def leave(entry: LedgerEntry, world: World, doubtful: Container[LoadBalancerId]) -> Members:
    """
    Take the server off every load balancer we put it on; forget what is off.

    :param doubtful: load balancers on which a member of ours may yet appear, because an answer to
        adding it is still awaited; a member that is not there is not forgotten yet.
    """
    work: list[SetMembersJob] = []
    kept: list[Membership] = []
    settled = True
    for membership in entry.memberships:
        balancer = world.balancer(membership.load_balancer_id)
        if balancer is None:
            continue
        node = node_at(balancer, membership.address, membership.port)
        if node is not None or membership.load_balancer_id in doubtful:
            kept.append(membership)
        if node is not None:
            settled = False
            if balancer.status == "ACTIVE":
                work.append(SetMembersJob(balancer.load_balancer_id, remove=(node.node_id,)))
    return Members(evolve(entry, memberships=tuple(kept)), tuple(work), settled=settled)


def _members(entry: LedgerEntry, world: World) -> Iterable[tuple[LoadBalancer, Node]]:
    for membership in entry.memberships:
        balancer = world.balancer(membership.load_balancer_id)
        node = node_at(balancer, membership.address, membership.port) if balancer else None
        if balancer is not None and node is not None:
            yield balancer, node


def merge(work: Iterable[SetMembersJob]) -> tuple[SetMembersJob, ...]:
    """Return one visit per load balancer, in a stable order."""
    merged: dict[LoadBalancerId, SetMembersJob] = {}
    for job in work:
        seen = merged.get(job.load_balancer_id, SetMembersJob(job.load_balancer_id))
        merged[job.load_balancer_id] = evolve(
            seen,
            add=tuple(dict.fromkeys(seen.add + job.add)),
            enable=tuple(dict.fromkeys(seen.enable + job.enable)),
            drain=tuple(dict.fromkeys(seen.drain + job.drain)),
            remove=tuple(dict.fromkeys(seen.remove + job.remove)),
        )
    return tuple(merged[key] for key in sorted(merged))


def balancers_used(entries: Iterable[LedgerEntry]) -> frozenset[LoadBalancerId]:
    """Return the load balancers that must be looked at to plan for these entries."""
    found: set[LoadBalancerId] = set()
    for entry in entries:
        found.update(m.load_balancer_id for m in entry.memberships)
        if not entry.leaving:
            cloud = (t for t in entry.targets if t.kind is LoadBalancerKind.CLOUD)
            found.update(t.load_balancer_id for t in cloud)
    return frozenset(found)
