"""
Read Cloud Load Balancers' JSON into our records, and write our records as its JSON.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import islice
from typing import Any

import jsonschema

from minicloud.balancer.model import (
    Algorithm,
    Condition,
    HealthMonitor,
    LoadBalancer,
    MonitorType,
    NewLoadBalancer,
    NewNode,
    Node,
    NodeChange,
    NodeType,
    Protocol,
)

MESSAGES_SHOWN = 10
DEFAULT_PORT = 80

_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_NAME = {"type": "string", "minLength": 1, "maxLength": 128}
_CONDITION = {"enum": [str(condition) for condition in Condition]}
_TYPE = {"enum": [str(kind) for kind in NodeType]}
_WEIGHT = {"type": "integer", "minimum": 1, "maximum": 100}
_ALGORITHM = {"enum": [str(algorithm) for algorithm in Algorithm]}
_NODE = {
    "type": "object",
    "required": ["address", "port"],
    "properties": {
        "address": {"type": "string", "format": "ip"},
        "port": _PORT,
        "condition": _CONDITION,
        "type": _TYPE,
        "weight": _WEIGHT,
    },
}
_MONITOR = {
    "type": "object",
    "required": ["type", "delay", "timeout", "attemptsBeforeDeactivation"],
    "properties": {
        "type": {"enum": [str(kind) for kind in MonitorType]},
        "delay": {"type": "integer", "minimum": 1, "maximum": 3600},
        "timeout": {"type": "integer", "minimum": 1, "maximum": 300},
        "attemptsBeforeDeactivation": {"type": "integer", "minimum": 1, "maximum": 10},
        "path": {"type": "string", "pattern": r"^/[!-~]*\Z", "maxLength": 1024},
        # Enough to name status codes, and nothing that could take long to match or compile.
        "statusRegex": {"type": "string", "pattern": r"^[0-9\[\]|^$.()-]*\Z", "maxLength": 128},
        "bodyRegex": {"enum": ["", ".*", "^.*$"]},
    },
}


def _wrapped(key: str, schema: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "required": [key], "properties": {key: schema}}


_NEW_LOAD_BALANCER = _wrapped(
    "loadBalancer",
    {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": _NAME,
            "protocol": {"enum": [str(protocol) for protocol in Protocol]},
            "port": _PORT,
            "algorithm": _ALGORITHM,
            "nodes": {"type": "array", "items": _NODE},
            "healthMonitor": _MONITOR,
        },
    },
)
_CONFIGURED = _wrapped(
    "loadBalancer",
    {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {"name": _NAME, "algorithm": _ALGORITHM},
    },
)
_NEW_NODES = _wrapped("nodes", {"type": "array", "minItems": 1, "items": _NODE})
_CHANGED_NODE = _wrapped(
    "node",
    {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {"condition": _CONDITION, "type": _TYPE, "weight": _WEIGHT},
    },
)


class InvalidDocumentError(Exception):
    """
    The request cannot be understood.

    :ivar messages: what is wrong, one sentence each.
    """

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def parse_new_load_balancer(document: Any) -> NewLoadBalancer:
    """
    Return the load balancer a create call asks for.

    :raises InvalidDocumentError: it does not ask for one.
    """
    body = _checked(document, _NEW_LOAD_BALANCER)["loadBalancer"]
    monitor = body.get("healthMonitor")
    return NewLoadBalancer(
        name=body["name"],
        protocol=Protocol(body.get("protocol", "HTTP")),
        port=body.get("port", DEFAULT_PORT),
        algorithm=Algorithm(body.get("algorithm", "ROUND_ROBIN")),
        nodes=tuple(_node(node) for node in body.get("nodes", [])),
        monitor=None if monitor is None else _monitor(monitor),
    )


def parse_configured(document: Any) -> tuple[str | None, Algorithm | None]:
    """
    Return the new name and algorithm; None for what stays.

    :raises InvalidDocumentError: it names neither, or something that cannot change.
    """
    body = _checked(document, _CONFIGURED)["loadBalancer"]
    algorithm = body.get("algorithm")
    return body.get("name"), None if algorithm is None else Algorithm(algorithm)


def parse_new_nodes(document: Any) -> list[NewNode]:
    """
    Return the nodes to add.

    :raises InvalidDocumentError: one of them is none.
    """
    return [_node(node) for node in _checked(document, _NEW_NODES)["nodes"]]


def parse_node_change(document: Any) -> NodeChange:
    """
    Return what to change about a node.

    :raises InvalidDocumentError: it names nothing, or something that cannot change.
    """
    body = _checked(document, _CHANGED_NODE)["node"]
    return NodeChange(
        condition=Condition(body["condition"]) if "condition" in body else None,
        type=NodeType(body["type"]) if "type" in body else None,
        weight=body.get("weight"),
    )


def parse_monitor(document: Any) -> HealthMonitor:
    """
    Return the health monitor; real clients send it with and without its wrapper.

    :raises InvalidDocumentError: it is none.
    """
    if isinstance(document, dict) and "healthMonitor" not in document:
        document = {"healthMonitor": document}
    return _monitor(_checked(document, _wrapped("healthMonitor", _MONITOR))["healthMonitor"])


def _node(body: Mapping[str, Any]) -> NewNode:
    return NewNode(
        address=body["address"],
        port=body["port"],
        condition=Condition(body.get("condition", "ENABLED")),
        type=NodeType(body.get("type", "PRIMARY")),
        weight=body.get("weight", 1),
    )


def _monitor(body: Mapping[str, Any]) -> HealthMonitor:
    monitor = HealthMonitor(
        kind=MonitorType(body["type"]),
        delay=timedelta(seconds=body["delay"]),
        timeout=timedelta(seconds=body["timeout"]),
        attempts=body["attemptsBeforeDeactivation"],
        path=body.get("path", "/"),
        status_regex=body.get("statusRegex", "^[23][0-9][0-9]$"),
    )
    try:
        re.compile(monitor.status_regex)
    except re.error as error:
        raise InvalidDocumentError([f"statusRegex is not a regular expression: {error}"]) from None
    return monitor


_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("ip", raises=ValueError)
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(ip_address(value))


def _checked(document: Any, schema: Mapping[str, object]) -> Any:
    validator = jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)
    messages = [
        f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:200]}"
        for error in islice(validator.iter_errors(document), MESSAGES_SHOWN)
    ]
    if messages:
        raise InvalidDocumentError(messages)
    return document


def node_document(node: Node, connections: int | None) -> dict[str, object]:
    """Return a node; its open connections only where there is traffic to count."""
    document: dict[str, object] = {
        "id": node.node_id,
        "address": node.address,
        "port": node.port,
        "condition": node.condition,
        "status": node.status,
        "weight": node.weight,
        "type": node.type,
    }
    if connections is not None:
        document["connections"] = connections
    return document


def monitor_document(monitor: HealthMonitor | None) -> dict[str, object]:
    """Return a health monitor, or the empty object where there is none."""
    if monitor is None:
        return {}
    document: dict[str, object] = {
        "type": monitor.kind,
        "delay": int(monitor.delay.total_seconds()),
        "timeout": int(monitor.timeout.total_seconds()),
        "attemptsBeforeDeactivation": monitor.attempts,
    }
    if monitor.kind is MonitorType.HTTP:
        document |= {"path": monitor.path, "statusRegex": monitor.status_regex}
    return document


def summary_document(lb: LoadBalancer) -> dict[str, object]:
    """Return a load balancer as lists show it: its nodes are only counted."""
    return {
        "id": lb.lb_id,
        "name": lb.name,
        "protocol": lb.protocol,
        "port": lb.port,
        "algorithm": lb.algorithm,
        "status": lb.status,
        "nodeCount": len(lb.nodes),
        "virtualIps": [
            {"id": lb.lb_id, "address": lb.address, "type": "PUBLIC", "ipVersion": "IPV4"}
        ],
        "created": {"time": time_text(lb.created)},
        "updated": {"time": time_text(lb.updated)},
    }


def time_text(moment: datetime) -> str:
    """Return the moment as this API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
