"""Write the lines of a group's history (never a secret among them)."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from otter.models.activity import Activity, ActivityKind
from otter.models.ids import GroupId, TenantId, new_activity_id


def record(
    tenant_id: TenantId,
    group_id: GroupId,
    now: datetime,
    kind: ActivityKind,
    *,
    actor: str,
    reason: str,
    **details: object,
) -> Activity:
    """Return one line of history; ``details`` are small JSON values, None ones left out."""
    return Activity(
        tenant_id=tenant_id,
        group_id=group_id,
        activity_id=new_activity_id(int(now.timestamp() * 1000)),
        at=now,
        kind=kind,
        actor=actor,
        reason=reason,
        details={key: value for key, value in details.items() if value is not None},
    )


def in_order(activities: Sequence[Activity]) -> tuple[Activity, ...]:
    """
    Return lines of the same moment with ids that sort as given.

    An id is random below the millisecond; what was decided in one go shall read in that order.
    """
    ids = sorted(activity.activity_id for activity in activities)
    return tuple(
        evolve(activity, activity_id=activity_id)
        for activity, activity_id in zip(activities, ids, strict=True)
    )
