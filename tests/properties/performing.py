"""
Take the steps of a sequence for real, on a controller.

What a step ended with is said in the words of the wire, so that one model judges this and what
takes the same steps through the REST API (``calling``).
"""

from collections.abc import Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from otter.controller.errors import RefusedError
from otter.controller.interface import Limits, NewLaunch, NewPolicy, NewWebhook
from otter.controller.service import OtterController
from otter.models.activity import Deployment
from otter.models.group import GroupConfig, LaunchType
from otter.models.ids import CapabilityHash, DeploymentId, PolicyId, TenantId
from otter.models.memory.store import MemoryStore
from otter.models.policy import Adjustment, ChangeBy, ChangePercent, SetCapacity
from tests.controller.world import RecordingBus
from tests.properties.reference import Refusal
from tests.properties.steps import (
    TICKS_PER_SECOND,
    AddPolicy,
    Converge,
    DeletePolicy,
    Execute,
    HitWebhook,
    Pause,
    Resume,
    SetConfig,
    SetPolicy,
    Step,
    Suspend,
    Wait,
)

TENANT = TenantId("7042")
ACTOR = "user ada"
BEGIN = datetime(2031, 3, 1, 8, 0, tzinfo=UTC)
NOBODY = (PolicyId("6c0f9a34-0d1e-4f67-8a3c-5f2a4f1f9d55"), CapabilityHash("0" * 64))
ARGS: Any = {"server": {"flavorRef": "3", "imageRef": "i"}}
LAUNCH = NewLaunch(LaunchType.SERVER, ARGS)

T = TypeVar("T")


@frozen
class Seen:
    """What a group shows of itself."""

    desired: int
    low: int
    high: int
    cooldown: int
    paused: bool


class Performer(Protocol):
    """Takes steps on one group."""

    clock: Clock

    def take(self, step: Step) -> Refusal:
        """Take a step; return the type of the error it ended with."""

    def look(self) -> Seen:
        """Return what the group shows."""


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Return what ends without waiting."""
    results: list[Any] = []
    _ = Deferred.fromCoroutine(work).addBoth(results.append)
    assert results, "nothing in these worlds waits"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    ended: T = results[0]
    return ended


def make_controller(clock: Clock) -> OtterController:
    """Return a controller on a store of its own."""
    limits = Limits(max_policies_per_group=1000)
    deployment = Deployment(DeploymentId("d"), "a secret of the deployment")
    return OtterController(MemoryStore(), RecordingBus(), clock, limits, deployment)


def adjustment_of(kind: str, amount: str) -> Adjustment:
    """Return the record of an adjustment."""
    if kind == "change":
        return ChangeBy(int(amount))
    if kind == "desiredCapacity":
        return SetCapacity(int(amount))
    return ChangePercent(Decimal(amount))


def config_of(step: SetConfig) -> GroupConfig:
    """Return the record of a config."""
    return GroupConfig("web", step.cooldown, step.low, step.high)


def policy_of(step: AddPolicy | SetPolicy) -> NewPolicy:
    """Return the record of a policy."""
    return NewPolicy("p", Decimal(step.cooldown), adjustment_of(step.kind, step.amount))


class ControllerPerformer:
    """Takes steps on a controller."""

    def __init__(self, begin: SetConfig) -> None:
        self.clock = Clock()
        self.clock.rightNow = BEGIN.timestamp()
        self._controller = make_controller(self.clock)
        creating = self._controller.create_group(TENANT, config_of(begin), LAUNCH, [], actor=ACTOR)
        self._group = finished(creating)[0].group_id
        self._policies: list[tuple[PolicyId, CapabilityHash]] = []

    def take(self, step: Step) -> Refusal:
        """See ``Performer``."""
        try:
            finished(self._take(step))
        except RefusedError as refusal:
            return type(refusal).__name__
        return None

    async def _take(self, step: Step) -> None:
        call = self._controller
        match step:
            case Wait(ticks):
                self.clock.advance(ticks / TICKS_PER_SECOND)
            case AddPolicy():
                await self._add(policy_of(step))
            case SetPolicy(which):
                policy, _ = self._pick(which)
                await call.set_policy(TENANT, self._group, policy, policy_of(step), actor=ACTOR)
            case DeletePolicy(which):
                await call.delete_policy(TENANT, self._group, self._pick(which)[0], actor=ACTOR)
            case Execute(which):
                await call.execute_policy(TENANT, self._group, self._pick(which)[0], actor=ACTOR)
            case HitWebhook(which):
                await call.execute_capability("1", self._pick(which)[1])
            case _:
                await self._switch(step)

    async def _switch(self, step: Step) -> None:
        """Take a step on the group as a whole."""
        call = self._controller
        match step:
            case SetConfig():
                await call.set_config(TENANT, self._group, config_of(step), actor=ACTOR)
            case Suspend(flag):
                await call.set_suspended(TENANT, self._group, suspended=flag, actor="operator")
            case Pause():
                await call.pause(TENANT, self._group, actor=ACTOR)
            case Resume():
                await call.resume(TENANT, self._group, actor=ACTOR)
            case Converge():
                await call.converge(TENANT, self._group, actor=ACTOR)
            case _:
                raise AssertionError(step)

    async def _add(self, new: NewPolicy) -> None:
        call = self._controller
        [policy] = await call.create_policies(TENANT, self._group, [new], actor=ACTOR)
        [webhook] = await call.create_webhooks(
            TENANT, self._group, policy.policy_id, [NewWebhook("w")], actor=ACTOR
        )
        self._policies.append((policy.policy_id, webhook.capability))

    def _pick(self, which: int) -> tuple[PolicyId, CapabilityHash]:
        return self._policies[which % len(self._policies)] if self._policies else NOBODY

    def look(self) -> Seen:
        """See ``Performer``."""
        group = finished(self._controller.get_group(TENANT, self._group)).group
        config = group.config
        bounds = (config.min_entities, config.max_entities)
        return Seen(group.desired, *bounds, config.cooldown, group.paused)
