"""A cloud small enough to see through, to which plans are applied."""

from collections.abc import Callable
from datetime import datetime
from itertools import count

from attrs import define, evolve, field

from otter.bus.interface import (
    CreateServerJob,
    DeleteServerJob,
    JobResult,
    Outcome,
    ReleaseServerJob,
    SetMembersJob,
    Step,
)
from otter.cloud.interface import Node, NodeCondition, Server
from otter.models.group import Group
from otter.models.ids import InstanceId, NodeId, ServerId
from otter.models.ledger import TERMINAL, Convergence, LedgerEntry
from otter.supervisor.observing import Observer, apply_results
from otter.supervisor.pacing import after_attempts
from otter.supervisor.planning import Plan, Planner
from otter.supervisor.settings import SupervisorSettings
from otter.supervisor.world import World
from tests.supervisor.world import DEPLOYMENT, LB, NOW, a_balancer, a_job, a_record, names, secs

Fate = Callable[[Step], Outcome]
STEP = secs(5)
PACE = SupervisorSettings(retry_first=secs(1), retry_max=secs(10), build_timeout=secs(60))


def success(_: Step) -> Outcome:
    """Let every step work."""
    return Outcome.DONE


@define
class Model:
    """One group, its ledger, and a cloud in which everything happens at once."""

    group: Group
    entries: dict[InstanceId, LedgerEntry] = field(factory=dict)
    servers: dict[ServerId, Server] = field(factory=dict)
    nodes: dict[NodeId, Node] = field(factory=dict)
    record: Convergence = field(factory=a_record)
    now: datetime = NOW
    results: list[JobResult] = field(factory=list)
    most: int = 0
    _numbers: "count[int]" = field(factory=lambda: count(1))
    _names: Callable[[], InstanceId] = field(factory=names)

    def ours(self) -> dict[ServerId, Server]:
        """Return the servers that bear our marks; released ones do not."""
        return {key: server for key, server in self.servers.items() if server.metadata}

    def world(self) -> World:
        """Return the cloud as it is, with confirmed absences."""
        known = {e.server_id for e in self.entries.values() if e.server_id is not None}
        return World(
            self.now,
            servers=self.servers,
            absent=frozenset(known - set(self.servers)),
            balancers={LB: a_balancer(*self.nodes.values())},
        )

    def cycle(self, fate: Fate = success) -> Plan:
        """Perform one cycle: observe, plan, record, carry out; return the plan."""
        world = self.world()
        reported = apply_results(self.entries, self.results, self.now)
        seen = Observer(world, DEPLOYMENT, PACE, self.now).observe(reported.entries)
        record = after_attempts(
            self.record,
            self.group,
            (*reported.failures, *seen.failures),
            reported.recovered | seen.recovered,
            now=self.now,
            settings=PACE,
        )
        planner = Planner(self.group, world, DEPLOYMENT, PACE, self.now, self._names)
        plan = planner.plan(record, seen.entries, {})
        self.record = plan.convergence
        self.entries = {e.instance_id: e for e in plan.entries if e.state not in TERMINAL}
        self.results = [self.perform(step, fate(step)) for step in plan.steps]
        self.most = max(self.most, len(self.ours()))
        self.now += STEP
        return plan

    def settle(self, cycles: int = 60) -> Plan:
        """Perform cycles in which everything works until one changes nothing; return its plan."""
        for _ in range(cycles):
            before = self.entries
            plan = self.cycle()
            if not plan.steps and plan.look_in is None and self.entries == before:
                return plan
        raise AssertionError(f"no fixed point after {cycles} cycles: {self.entries}")

    def perform(self, step: Step, outcome: Outcome) -> JobResult:
        """Carry out a step with this outcome; an unknown one has happened, and MISSING is true."""
        result = JobResult(a_job(step), outcome, "" if outcome is Outcome.DONE else "trouble")
        if outcome is Outcome.MISSING and isinstance(step, DeleteServerJob | ReleaseServerJob):
            self.servers.pop(step.server_id, None)
        if outcome in {Outcome.DONE, Outcome.UNKNOWN}:
            server_id = self.carry_out(step)
            if outcome is Outcome.DONE:
                result = evolve(result, server_id=server_id)
        return result

    def carry_out(self, step: Step) -> ServerId | None:
        """Change the cloud."""
        match step:
            case CreateServerJob():
                number = next(self._numbers)
                server_id = ServerId(f"s{number}")
                self.servers[server_id] = Server(
                    server_id,
                    step.name,
                    "ACTIVE",
                    self.now,
                    step.metadata,
                    addresses=(("private", f"10.0.0.{number}"),),
                )
                return server_id
            case DeleteServerJob():
                self.servers.pop(step.server_id, None)
            case ReleaseServerJob():
                server = self.servers[step.server_id]
                self.servers[step.server_id] = evolve(server, metadata={})
            case SetMembersJob():
                self.set_members(step)
        return None

    def set_members(self, step: SetMembersJob) -> None:
        """Change the load balancer."""
        for node_id in step.remove:
            self.nodes.pop(node_id, None)
        for node_id, condition in (
            *((n, NodeCondition.DRAINING) for n in step.drain),
            *((n, NodeCondition.ENABLED) for n in step.enable),
        ):
            if node_id in self.nodes:
                self.nodes[node_id] = evolve(self.nodes[node_id], condition=condition, plain=True)
        for address, port in step.add:
            node_id = NodeId(f"n{next(self._numbers)}")
            self.nodes[node_id] = Node(node_id, address, port)
