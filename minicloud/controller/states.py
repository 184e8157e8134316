"""
Decide what state a server is in: tables of Nova's states, and what reports and actions change.

Pure. Nova derives the status that clients see from two states: what the server is (``vm_state``)
and what is being done with it (``task_state``).
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from minicloud.controller.interface import Action, NodeEvent
from minicloud.controller.records import Fault, Server

UNKNOWN = "UNKNOWN"

# vm_state to its status; below, what a task makes of it.
_STATUS: Mapping[str, str] = {
    "active": "ACTIVE",
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "resized": "VERIFY_RESIZE",
    "error": "ERROR",
    "deleted": "DELETED",
    "soft-delete": "SOFT_DELETED",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
}
_STATUS_IN_TASK: Mapping[tuple[str, str], str] = {
    ("active", "rebooting"): "REBOOT",
    ("active", "rebooting_hard"): "HARD_REBOOT",
    ("stopped", "rebooting_hard"): "HARD_REBOOT",
    ("error", "rebooting_hard"): "HARD_REBOOT",
    ("active", "updating_password"): "PASSWORD",
    ("active", "rebuilding"): "REBUILD",
    ("stopped", "rebuilding"): "REBUILD",
    ("error", "rebuilding"): "REBUILD",
    ("active", "migrating"): "MIGRATING",
    ("active", "resize_prep"): "RESIZE",
    ("resized", "resize_reverting"): "REVERT_RESIZE",
}
_POWER_STATE: Mapping[str, int] = {"active": 1, "rescued": 1, "resized": 1, "paused": 3}
_POWER_STATE_OFF = 4
_OFF = {"stopped", "suspended", "shelved", "shelved_offloaded", "soft-delete"}


def status_of(vm_state: str, task_state: str | None) -> str:
    """Return what clients see."""
    in_task = _STATUS_IN_TASK.get((vm_state, task_state or ""))
    return in_task or _STATUS.get(vm_state, UNKNOWN)


def power_state_of(vm_state: str) -> int:
    """Return Nova's number: 0 none, 1 running, 3 paused, 4 shut down."""
    return _POWER_STATE_OFF if vm_state in _OFF else _POWER_STATE.get(vm_state, 0)


# How each status is brought about on command; DELETED has a call of its own.
_STATES_OF: Mapping[str, tuple[str, str | None]] = {
    **{status: (vm_state, None) for vm_state, status in _STATUS.items() if vm_state != "deleted"},
    **{status: states for states, status in reversed(list(_STATUS_IN_TASK.items()))},
    "BUILD": ("building", "spawning"),
    UNKNOWN: ("unknown", None),
}
SETTABLE_STATUSES = frozenset(_STATES_OF)


def with_status(server: Server, status: str, message: str, now: datetime) -> Server:
    """
    Return the server as it looks with a status.

    :raises KeyError: no such status, or one that cannot be set.
    """
    vm_state, task_state = _STATES_OF[status]
    fault = Fault(500, message, now) if status == "ERROR" else None
    return evolve(server, vm_state=vm_state, task_state=task_state, fault=fault, updated=now)


_AWAITING_RUN = {"rebooting", "rebooting_hard", "powering-on", "rebuilding"}


def after_report(server: Server, event: NodeEvent, message: str, now: datetime) -> Server:
    """
    Return the server after its node said something; unchanged when the report means nothing now,
    because it repeats, comes late, or the server is being deleted.
    """
    if server.deleting or event is NodeEvent.DESTROYED:
        return server
    if event is NodeEvent.FAILED:
        return failed(server, message, now)
    if event is NodeEvent.STOPPED:
        return evolve(server, vm_state="stopped", task_state=None, updated=now)
    if server.vm_state == "building" or server.task_state in _AWAITING_RUN:
        return evolve(
            server,
            vm_state="active",
            task_state=None,
            fault=None,
            updated=now,
            launched=server.launched or now,
        )
    return server


def failed(server: Server, message: str, now: datetime) -> Server:
    """Return the server in ERROR, unless it is being deleted."""
    if server.deleting:
        return server
    fault = Fault(500, message, now)
    return evolve(server, vm_state="error", task_state=None, fault=fault, updated=now)


def deletion_asked(server: Server, now: datetime) -> Server:
    """Return the server on its way out; the first time counts."""
    if server.deleting:
        return server
    return evolve(
        server,
        task_state="deleting",
        state_before=(server.vm_state, server.task_state),
        updated=now,
    )


def deleted(server: Server, now: datetime) -> Server:
    """Return the server when nothing of it is left."""
    return evolve(server, vm_state="deleted", task_state=None, updated=now, terminated=now, host="")


def as_before_deletion(server: Server) -> Server:
    """Return the server as a list shows it that has not noticed its deletion."""
    vm_state, task_state = server.state_before
    return evolve(server, vm_state=vm_state, task_state=task_state, terminated=None)


@frozen
class ActionRule:
    """When an action is allowed, and the task it starts."""

    vm_states: frozenset[str]
    task_state: str


_REBUILDABLE = frozenset({"active", "stopped", "error"})
ACTION_RULES: Mapping[Action, ActionRule] = {
    Action.REBOOT_SOFT: ActionRule(frozenset({"active"}), "rebooting"),
    Action.REBOOT_HARD: ActionRule(
        frozenset({"active", "stopped", "paused", "suspended", "error"}), "rebooting_hard"
    ),
    Action.START: ActionRule(frozenset({"stopped"}), "powering-on"),
    Action.STOP: ActionRule(frozenset({"active", "error"}), "powering-off"),
    Action.REBUILD: ActionRule(_REBUILDABLE, "rebuilding"),
}


def refusal(server: Server, action: Action) -> str:
    """Return why the action is not allowed now, in Nova's words, or nothing."""
    verb = action.value
    rule = ACTION_RULES[action]
    if server.vm_state not in rule.vm_states:
        return (
            f"Cannot '{verb}' instance {server.server_id} while it is in vm_state {server.vm_state}"
        )
    hard_over_soft = action is Action.REBOOT_HARD and server.task_state == "rebooting"
    if server.task_state is not None and not hard_over_soft:
        return (
            f"Cannot '{verb}' instance {server.server_id} while it is in "
            f"task_state {server.task_state}"
        )
    if not server.host:
        return f"Instance {server.server_id} is not ready"
    return ""
