"""
Read and show what is commanded over HTTP. Pure. Durations are numbers of seconds.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve
from pyrsistent import pmap

from minicloud.api.errors import BadRequestError
from minicloud.control import Settings
from minicloud.controller.records import Server
from minicloud.controller.states import status_of
from minicloud.faults import Effect, Fault, Operation, Service
from minicloud.node.interface import InstanceInfo

_FOR_CREATION = {Effect.STUCK, Effect.ERROR, Effect.ACTIVE_THEN_ERROR, Effect.SLOW}


def text(name: str, value: object) -> str:
    """
    Return a text.

    :raises BadRequestError: it is something else.
    """
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is not a string")
    return value


def whole_number(name: str, value: object, *, least: int) -> int:
    """
    Return a whole number that is large enough.

    :raises BadRequestError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadRequestError(f"{name} is not a whole number from {least} on")
    return value


def duration(name: str, value: object) -> timedelta:
    """
    Return a duration given in seconds.

    :raises BadRequestError: it is something else, or negative, or a thousand years.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError(f"{name} is not a number of seconds")
    if not 0 <= value <= 3e10:
        raise BadRequestError(f"{name} is negative or too long")
    return timedelta(seconds=value)


def texts(name: str, value: object) -> Mapping[str, str]:
    """
    Return an object whose values are texts.

    :raises BadRequestError: it is something else.
    """
    if not isinstance(value, dict):
        raise BadRequestError(f"{name} is not an object")
    return {key: text(f"{name}.{key}", item) for key, item in value.items()}


def _word(name: str, value: object, words: type[Operation] | type[Effect]) -> Any:
    try:
        return words(text(name, value))
    except ValueError:
        raise BadRequestError(f"{name} is none of {', '.join(words)}") from None


def _pattern(name: str, value: object) -> str:
    try:
        return re.compile(text(name, value)).pattern
    except re.error:
        raise BadRequestError(f"{name} is not a regular expression") from None


def _patterns(name: str, value: object) -> Mapping[str, str]:
    return {key: _pattern(f"{name}.{key}", item) for key, item in texts(name, value).items()}


def _status(name: str, value: object) -> int:
    if whole_number(name, value, least=400) > 599:
        raise BadRequestError(f"{name} is no HTTP error")
    return int(str(value))


# JSON name to the record's field and how it is read.
_FAULT_FIELDS: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    "operation": ("operation", lambda name, value: _word(name, value, Operation)),
    "effect": ("effect", lambda name, value: _word(name, value, Effect)),
    "count": ("remaining", lambda name, value: whole_number(name, value, least=1)),
    "name": ("name", _pattern),
    "metadata": ("metadata", _patterns),
    "project": ("project", text),
    "status": ("status", _status),
    "message": ("message", text),
    "retry_after": ("retry_after", duration),
    "after": ("after", duration),
}
_MAY_BE_NULL = {"count", "retry_after"}


def parse_fault(document: Mapping[str, Any]) -> Fault:
    """
    Return the fault that is commanded; what is left out is as in ``Fault``.

    :raises BadRequestError: there is no such fault.
    """
    fields: dict[str, Any] = {}
    for name, value in document.items():
        if name not in _FAULT_FIELDS:
            raise BadRequestError(f"a fault has no {name}")
        field, read = _FAULT_FIELDS[name]
        fields[field] = None if value is None and name in _MAY_BE_NULL else read(name, value)
    fault = Fault(**fields)
    if fault.effect in _FOR_CREATION and fault.operation is not Operation.CREATE:
        raise BadRequestError(f"{fault.effect} happens to creations only")
    return fault


def show_fault(fault: Fault) -> dict[str, Any]:
    """Return a fault with its id."""
    wait = fault.retry_after
    return {
        "id": fault.fault_id,
        "operation": fault.operation,
        "effect": fault.effect,
        "count": fault.remaining,
        "name": fault.name,
        "metadata": dict(fault.metadata),
        "project": fault.project,
        "status": fault.status,
        "message": fault.message,
        "retry_after": None if wait is None else wait.total_seconds(),
        "after": fault.after.total_seconds(),
    }


_DURATIONS = (
    "lag_new",
    "lag_deleted",
    "boot_time",
    "delete_time",
    "token_lifetime",
    "balancer_update_time",
)


def parse_settings(document: Mapping[str, Any], present: Settings) -> Settings:
    """
    Return the present settings with those in the document changed.

    :raises BadRequestError: there is no such setting, or its value is not allowed.
    """
    changes: dict[str, Any] = {}
    for name, value in document.items():
        if name in _DURATIONS:
            changes[name] = duration(name, value)
        elif name == "balancer_node_limit":
            changes[name] = whole_number(name, value, least=1)
        elif name == "delay":
            changes["delays"] = present.delays.update(_delays(value))
        else:
            raise BadRequestError(f"there is no setting {name}")
    return evolve(present, **changes)


def _delays(value: object) -> Mapping[Service, timedelta]:
    if not isinstance(value, dict):
        raise BadRequestError("delay is not an object")
    unknown = set(value) - set(Service)
    if unknown:
        raise BadRequestError(f"delay is for {', '.join(Service)}")
    return pmap({Service(name): duration(name, delay) for name, delay in value.items()})


def show_settings(settings: Settings) -> dict[str, Any]:
    """Return all settings."""
    return {
        "delay": {
            service: settings.delays.get(service, timedelta(0)).total_seconds()
            for service in Service
        },
        **{name: getattr(settings, name).total_seconds() for name in _DURATIONS},
        "balancer_node_limit": settings.balancer_node_limit,
    }


def show_server(server: Server, info: InstanceInfo | None = None) -> dict[str, Any]:
    """Return what judges want to know of a server."""
    document: dict[str, Any] = {
        "id": server.server_id,
        "project_id": server.project_id,
        "name": server.name,
        "status": status_of(server.vm_state, server.task_state),
        "vm_state": server.vm_state,
        "task_state": server.task_state,
        "metadata": dict(server.metadata),
        "tags": list(server.new.tags),
        "flavor": server.flavor.flavor_id,
        "image": server.image_id,
        "address": server.address,
        "host": server.host,
        "created": server.created.isoformat(),
        "fault": None if server.fault is None else server.fault.message,
    }
    if info is not None:
        document["instance"] = {"power": info.power, "pid": info.pid}
    return document
