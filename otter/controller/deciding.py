"""
Decide what a call makes of a group: arithmetic, cooldowns, bounds, and who may do what when.

Pure: the group as it is and the time go in; the group as it is to be comes out, or a typed
refusal. The order of the checks is part of the contract (rest-api.md 1.7).
"""

from datetime import datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_CEILING, ROUND_UP, Context, Decimal
from typing import assert_never

from attrs import evolve
from pyrsistent import PMap

from otter.controller.errors import (
    CannotDeleteServerBelowMinError,
    CannotExecutePolicyError,
    GroupNotEmptyError,
    GroupPausedError,
    InvalidMinEntities,
    ServerNotFoundError,
    TenantSuspendedError,
    ValidationError,
)
from otter.controller.interface import NewLaunch, NewPolicy
from otter.controller.wording import name_group, no_such_policy
from otter.models.group import Group, GroupConfig, LaunchConfig
from otter.models.ids import PolicyId, ServerId
from otter.models.ledger import EntryState, Ledger, LedgerEntry, Removal
from otter.models.policy import Adjustment, ChangeBy, ChangePercent, Policy, SetCapacity

LONGEST_COOLDOWN = timedelta(days=36525)
"""Any cooldown beyond this counts as this; keeps absurd literals within what a timedelta holds."""

REMOVABLE = frozenset({EntryState.BUILDING, EntryState.JOINING, EntryState.IN_SERVICE})
"""States in which the cloud told us the server's id and nobody has chosen it to go yet."""


# --- capacity ---------------------------------------------------------------------------------


def clamp(capacity: int, config: GroupConfig) -> int:
    """Return the capacity nearest to ``capacity`` within the bounds."""
    return max(min(capacity, config.max_entities), config.min_entities)


def percent_change(current: int, percent: Decimal, *, reach: int) -> int:
    """
    Return ``percent`` of ``current``, any fraction rounded away from zero, exactly.

    A percentage that alone exceeds ``reach`` servers is cut to it before it is written out in
    full: ``1e999999999`` is a valid number of few characters and very many digits.
    """
    if current == 0:
        return 0
    if percent.copy_abs() > 100 * reach:
        return reach if percent > 0 else -reach
    hundredths = _exactly().multiply(percent, current).to_integral_value(ROUND_UP)
    size = -(-abs(int(hundredths)) // 100)
    return size if percent > 0 else -size


def target_capacity(group: Group, adjustment: Adjustment) -> int:
    """Return the desired capacity after ``adjustment``, within the group's bounds."""
    match adjustment:
        case ChangeBy(amount):
            raw = group.desired + amount
        case ChangePercent(percent):
            reach = group.desired + group.config.max_entities
            raw = group.desired + percent_change(group.desired, percent, reach=reach)
        case SetCapacity(capacity):
            raw = capacity
        case _:
            assert_never(adjustment)
    return clamp(raw, group.config)


# --- cooldowns --------------------------------------------------------------------------------


def cooldown_span(seconds: Decimal | int) -> timedelta:
    """
    Return a cooldown as a duration, rounded up to the microsecond.

    Clocks tell whole microseconds, so comparing with the rounded value is comparing exactly.
    """
    if seconds >= LONGEST_COOLDOWN.total_seconds():
        return LONGEST_COOLDOWN
    micros = _exactly().multiply(Decimal(seconds), 1_000_000).to_integral_value(ROUND_CEILING)
    return timedelta(microseconds=int(micros))


def remaining_cooldown(
    cooldown: Decimal | int, last: datetime | None, now: datetime
) -> timedelta | None:
    """
    Return how long a cooldown still blocks; None when it does not.

    A ``last`` in the future (another machine's clock is ahead) counts as now, so that a cooldown
    of 0 never blocks.
    """
    if last is None:
        return None
    left = cooldown_span(cooldown) - max(now - last, timedelta())
    return left if left > timedelta() else None


def check_cooldowns(group: Group, policy: Policy, now: datetime) -> None:
    """
    Refuse while the policy's cooldown runs, then while the group's does.

    :raises CannotExecutePolicyError: one of them runs.
    """
    own = remaining_cooldown(policy.cooldown, group.policy_touched.get(policy.policy_id), now)
    whole = remaining_cooldown(group.config.cooldown, group.group_touched, now)
    left = own or whole
    if left is None:
        return
    whose = "policy" if own else "group"
    raise CannotExecutePolicyError(
        f"{whose} cooldown runs for another {left.total_seconds():.3f} s: policy "
        f"{policy.policy_id} of {_name(group)} not executed",
        retry_after=left,
    )


# --- calls ------------------------------------------------------------------------------------


def check_bounds(config: GroupConfig) -> None:
    """
    Refuse bounds that contradict each other.

    :raises InvalidMinEntities: min above max.
    """
    if config.min_entities > config.max_entities:
        raise InvalidMinEntities(
            f"minEntities {config.min_entities} is above maxEntities {config.max_entities}"
        )


def check_not_suspended(group: Group) -> None:
    """
    Refuse what a suspended group may not do.

    :raises TenantSuspendedError: it is suspended.
    """
    if group.suspended:
        raise TenantSuspendedError(f"{_name(group)} is suspended")


def check_may_converge(group: Group) -> None:
    """
    Refuse what a suspended or paused group may not do.

    :raises TenantSuspendedError: it is suspended.
    :raises GroupPausedError: it is paused.
    """
    check_not_suspended(group)
    if group.paused:
        raise GroupPausedError(f"{_name(group)} is paused")


def execute(group: Group, policy_id: PolicyId, policy: Policy | None, now: datetime) -> Group:
    """
    Return the group after executing the policy, both cooldown clocks started.

    ``policy`` is None when there is no such policy, because a paused group is told first.

    :raises TenantSuspendedError: suspended.
    :raises GroupPausedError: paused.
    :raises NoSuchPolicyError: no such policy.
    :raises CannotExecutePolicyError: a cooldown runs, or nothing would change.
    """
    check_may_converge(group)
    if policy is None:
        raise no_such_policy(group.tenant_id, group.group_id, policy_id)
    check_cooldowns(group, policy, now)
    desired = target_capacity(group, policy.adjustment)
    if desired == group.desired:
        raise CannotExecutePolicyError(
            f"policy {policy_id} would not change the desired capacity {desired} of {_name(group)}"
        )
    return evolve(
        group,
        desired=desired,
        group_touched=now,
        policy_touched=group.policy_touched.set(policy_id, now),
    )


def apply_config(group: Group, config: GroupConfig) -> Group:
    """
    Return the group with a new config and its desired capacity within the new bounds.

    :raises TenantSuspendedError: suspended.
    """
    check_not_suspended(group)
    return evolve(group, config=config, desired=clamp(group.desired, config))


def apply_launch(group: Group, launch: NewLaunch) -> Group:
    """Return the group with a new launch config of the next version."""
    return evolve(group, launch=storable_launch(launch, group.launch.version + 1))


def storable_launch(launch: NewLaunch, version: int) -> LaunchConfig:
    """Return the launch config as it is kept: as sent, but a ``null`` server metadata dropped."""
    args = launch.args
    server = args.get("server")
    if isinstance(server, PMap) and server.get("metadata", server) is None:
        args = args.set("server", server.discard("metadata"))
    return LaunchConfig(version, launch.type, args)


def delete(group: Group, *, force: bool) -> Group:
    """
    Return the group marked deleting, with nothing desired.

    :raises GroupNotEmptyError: something is desired, and not forced.
    """
    if group.desired and not force:
        raise GroupNotEmptyError(f"{_name(group)} still wants {group.desired} servers")
    return evolve(group, deleting=True, desired=0)


def remove_server(
    group: Group, ledger: Ledger, server_id: ServerId, *, replace: bool, purge: bool
) -> tuple[Group, LedgerEntry]:
    """
    Return the group and the server's entry once it is decided that the server leaves.

    The entry keeps its state: the supervisor takes it from there.

    :raises TenantSuspendedError: suspended.
    :raises ServerNotFoundError: not a member, or already leaving.
    :raises CannotDeleteServerBelowMinError: not replaced, and desired is at the minimum.
    """
    check_not_suspended(group)
    entry = _find_member(ledger, server_id)
    if entry is None:
        raise ServerNotFoundError(f"server {server_id} not found in {_name(group)}")
    if not replace and group.desired <= group.config.min_entities:
        raise CannotDeleteServerBelowMinError(
            f"server {server_id} not removed from {_name(group)}: the desired capacity "
            f"{group.desired} is at the minimum"
        )
    removal = Removal.DELETE if purge else Removal.RELEASE
    desired = group.desired if replace else group.desired - 1
    return evolve(group, desired=desired), evolve(entry, removal=removal)


def apply_policy(policy: Policy, new: NewPolicy) -> Policy:
    """
    Return the policy with everything replaced but its ids.

    :raises ValidationError: it would turn from a schedule policy into a webhook policy or back.
    """
    if (policy.schedule is None) != (new.schedule is None):
        raise ValidationError(f"the type of policy {policy.policy_id} cannot change")
    return evolve(
        policy,
        name=new.name,
        cooldown=new.cooldown,
        adjustment=new.adjustment,
        schedule=new.schedule,
    )


def _find_member(ledger: Ledger, server_id: ServerId) -> LedgerEntry | None:
    for entry in ledger.entries.values():
        if entry.server_id == server_id and entry.state in REMOVABLE and entry.removal is None:
            return entry
    return None


def _name(group: Group) -> str:
    return name_group(group.tenant_id, group.group_id)


def _exactly() -> Context:
    """Return a context in which a product of any two numbers is exact."""
    return Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
