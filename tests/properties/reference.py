"""
The contract as a model: rest-api.md section 5, and what it leans on of 1.7, 3.7 and 3.9 to 3.17.

Written from that text alone, with fractions, and with clocks of its own. ``what_happens`` returns
the type of the error that a call has to end with, or ``None`` when it succeeds.
"""

from fractions import Fraction
from math import ceil, floor
from typing import assert_never

from attrs import define, field

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

Refusal = str | None


@define
class PolicyModel:
    """A policy, and when it last succeeded (5.2: never executed is not blocked)."""

    kind: str
    amount: Fraction
    cooldown: Fraction
    succeeded: Fraction | None = None


def whole_servers(change: Fraction) -> int:
    """Round away from zero (5.1: any fraction rounds the change to a whole server)."""
    return ceil(change) if change > 0 else floor(change)


@define
class Reference:
    """
    One group.

    :ivar policies: by the number of their addition; None for a deleted one.
    :ivar succeeded: when any policy last succeeded.
    """

    config: SetConfig
    desired: int
    now: Fraction = Fraction(0)
    paused: bool = False
    suspended: bool = False
    succeeded: Fraction | None = None
    policies: list[PolicyModel | None] = field(factory=list)

    @classmethod
    def created(cls, config: SetConfig) -> "Reference":
        """Return a group as it is created: it wants its minimum (3.3)."""
        return cls(config, config.low)

    def what_happens(self, step: Step) -> Refusal:
        """Take a step; return what refuses it."""
        match step:
            case Wait(ticks):
                self.now += Fraction(ticks, TICKS_PER_SECOND)
            case AddPolicy(kind, amount, cooldown):
                self.policies.append(PolicyModel(kind, Fraction(amount), Fraction(cooldown)))
            case SetPolicy() | DeletePolicy():
                return self._change_policy(step)
            case SetConfig():
                return self._set_config(step)
            case Execute(which):
                return self._execute(which)
            case HitWebhook(which):
                self._execute(which)  # 3.15: whatever comes of it, nobody is told
            case Suspend(flag):
                self.suspended = flag
            case Pause() | Resume():
                self.paused = isinstance(step, Pause)
            case Converge():
                return self._refuse_scaling()
            case _:
                assert_never(step)
        return None

    def _change_policy(self, step: SetPolicy | DeletePolicy) -> Refusal:
        policy = self._policy(step.which)
        if policy is None:
            return "NoSuchPolicyError"
        if isinstance(step, DeletePolicy):
            self.policies[step.which % len(self.policies)] = None
            return None
        # 3.11: full replacement; 5.2: the cooldown clock survives it.
        policy.kind = step.kind
        policy.amount, policy.cooldown = Fraction(step.amount), Fraction(step.cooldown)
        return None

    def _set_config(self, config: SetConfig) -> Refusal:
        if config.low > config.high:
            return "InvalidMinEntities"
        if self.suspended:
            return "TenantSuspendedError"
        self.config = config
        self.desired = self._within_bounds(self.desired)
        return None

    def _refuse_scaling(self) -> Refusal:
        if self.suspended:
            return "TenantSuspendedError"
        return "GroupPausedError" if self.paused else None

    def _execute(self, which: int) -> Refusal:
        refusal = self._refuse_scaling()
        if refusal is not None:
            return refusal
        policy = self._policy(which)
        if policy is None:
            return "NoSuchPolicyError"
        if self._cooling(policy.succeeded, policy.cooldown):
            return "CannotExecutePolicyError"
        if self._cooling(self.succeeded, Fraction(self.config.cooldown)):
            return "CannotExecutePolicyError"
        desired = self._within_bounds(self._raw_target(policy))
        if desired == self.desired:
            return "CannotExecutePolicyError"
        self.desired = desired
        self.succeeded = policy.succeeded = self.now
        return None

    def _policy(self, which: int) -> PolicyModel | None:
        return self.policies[which % len(self.policies)] if self.policies else None

    def _cooling(self, last: Fraction | None, cooldown: Fraction) -> bool:
        return last is not None and self.now - last < cooldown

    def _within_bounds(self, capacity: int) -> int:
        return max(min(capacity, self.config.high), self.config.low)

    def _raw_target(self, policy: PolicyModel) -> int:
        if policy.kind == "desiredCapacity":
            return int(policy.amount)
        if policy.kind == "change":
            return self.desired + int(policy.amount)
        return self.desired + whole_servers(self.desired * policy.amount / 100)
