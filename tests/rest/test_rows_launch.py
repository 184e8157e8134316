"""The rows of rest-api.md 4.2 to 4.5: launch configurations."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from otter.rest.parsing import SERVICE_NET
from tests.rest.rows import RowCase, Rows
from tests.rest.tables import cloud, pool
from tests.rest.world import a_launch, a_server

BAD = "400 ValidationError"
FILE = {"path": "/etc/motd", "contents": "aGk="}
NO_IMAGE = {"flavorRef": "3"}
NET = {"uuid": SERVICE_NET}


def _servers(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {
        row: (expected, "PUT {g}/launch", a_launch(a_server(**changes))) for row, changes in rows
    }


def _imageless(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {
        row: (expected, "PUT {g}/launch", a_launch({**NO_IMAGE, **changes}))
        for row, changes in rows
    }


def _args(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {row: (expected, "PUT {g}/launch", a_launch(**args)) for row, args in rows}


def _balancers(expected: str, rows: Iterable[tuple[str, Any]]) -> Rows:
    return {
        row: (
            expected,
            "PUT {g}/launch",
            a_launch(loadBalancers=item if isinstance(item, list) else [item]),
        )
        for row, item in rows
    }


def _networks(expected: str, rows: Iterable[tuple[str, object, object]]) -> Rows:
    return {
        row: (
            expected,
            "PUT {g}/launch",
            a_launch(a_server(networks=networks), loadBalancers=[balancer]),
        )
        for row, networks, balancer in rows
    }


def _stack(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {
        row: (expected, "PUT {g}/launch", {"type": "launch_stack", "args": args})
        for row, args in rows
    }


SERVER_ARGS = a_launch()["args"]

WRAPPER: Rows = {
    "4.2 type: case": (BAD, "PUT {g}/launch", {"type": "Launch_server", "args": SERVER_ARGS}),
    "4.2 type: missing": (BAD, "PUT {g}/launch", {"args": SERVER_ARGS}),
    "4.2 type: other": (BAD, "PUT {g}/launch", {"type": "x", "args": SERVER_ARGS}),
    "4.2 args: missing": (BAD, "PUT {g}/launch", {"type": "launch_server"}),
    "4.2 args: array": (BAD, "PUT {g}/launch", {"type": "launch_server", "args": []}),
    "4.2 closed": (BAD, "PUT {g}/launch", {**a_launch(), "x": 1}),
    "4.3 closed": (BAD, "PUT {g}/launch", a_launch(x=1)),
    "4.3 server: missing": (BAD, "PUT {g}/launch", {"type": "launch_server", "args": {}}),
    "4.3 server: open": (
        "204",
        "PUT {g}/launch",
        a_launch(a_server(key_name="k", user_data="", config_drive=True)),
    ),
}

SERVER: Rows = {
    **_args(
        BAD,
        (
            ("4.3 loadBalancers: 6", {"loadBalancers": [cloud(port=n) for n in range(6)]}),
            ("4.3 loadBalancers: identical", {"loadBalancers": [cloud(), cloud()]}),
            ("4.3 loadBalancers: object", {"loadBalancers": {}}),
            ("4.3 draining_timeout: 29", {"draining_timeout": 29}),
            ("4.3 draining_timeout: 3600.1", {"draining_timeout": Decimal("3600.1")}),
            ("4.3 draining_timeout: text", {"draining_timeout": "60"}),
        ),
    ),
    **_args(
        "204",
        (
            ("4.3 loadBalancers: 0", {"loadBalancers": []}),
            ("4.3 loadBalancers: 5", {"loadBalancers": [cloud(port=n) for n in range(5)]}),
            ("4.3 draining_timeout: 30", {"draining_timeout": 30}),
            ("4.3 draining_timeout: 3600", {"draining_timeout": 3600}),
            ("4.3 draining_timeout: fraction", {"draining_timeout": Decimal("30.5")}),
        ),
    ),
    **_servers(
        BAD,
        (
            ("4.3 flavorRef: number", {"flavorRef": 3}),
            ("4.3 flavorRef: empty", {"flavorRef": ""}),
            ("4.3 flavorRef: blank inside", {"flavorRef": "a b"}),
            ("4.3 imageRef: blank", {"imageRef": "  "}),
            ("4.3 imageRef: blank, with mapping", {"imageRef": " ", "block_device_mapping": [{}]}),
            ("4.3 imageRef: empty", {"imageRef": ""}),
            ("4.3 imageRef: null", {"imageRef": None}),
            ("4.3 imageRef: number", {"imageRef": 1}),
            ("4.3 block_device_mapping: object", {"block_device_mapping": {}}),
            ("4.3 block_device_mapping: text item", {"block_device_mapping": ["x"]}),
            ("4.3 metadata: array", {"metadata": []}),
            ("4.3 metadata: text", {"metadata": "x"}),
            ("4.3 metadata: key", {"metadata": {"a/b": ""}}),
            ("4.3 metadata: no key", {"metadata": {"": ""}}),
            ("4.3 metadata: long key", {"metadata": {"k" * 256: ""}}),
            ("4.3 metadata: long value", {"metadata": {"k": "v" * 256}}),
            ("4.3 metadata: number", {"metadata": {"k": 1}}),
            ("4.3 personality: null", {"personality": None}),
            ("4.3 personality: text", {"personality": "x"}),
            ("4.3 personality: number", {"personality": 1}),
            ("4.3 personality: object", {"personality": {}}),
            ("4.3 personality: no path", {"personality": [{"contents": ""}]}),
            ("4.3 personality: no contents", {"personality": [{"path": "p"}]}),
            ("4.3 personality: long path", {"personality": [{**FILE, "path": "p" * 256}]}),
            ("4.3 personality: contents number", {"personality": [{**FILE, "contents": 1}]}),
        ),
    ),
    **_servers(
        "204",
        (
            ("4.3 flavorRef: text", {"flavorRef": "general1-2"}),
            ("4.3 imageRef: and mapping", {"block_device_mapping": [{}]}),
            ("4.3 imageRef: empty, with mapping", {"imageRef": "", "block_device_mapping": [{}]}),
            (
                "4.3 block_device_mapping_v2: any shape when not needed",
                {"block_device_mapping_v2": "x"},
            ),
            ("4.3 metadata", {"metadata": {"a_Z:.- 9": "v" * 255, "k" * 255: ""}}),
            ("4.3 metadata: null", {"metadata": None}),
            ("4.3 personality: extra keys", {"personality": [{**FILE, "x": 1}]}),
            ("4.3 personality: longest path", {"personality": [{**FILE, "path": "p" * 255}]}),
            ("4.3 name: number", {"name": 7}),
        ),
    ),
    **_imageless(
        "204",
        (
            ("4.3 imageRef: absent, with mapping", {"block_device_mapping": [{}]}),
            ("4.3 imageRef: null, with mapping", {"imageRef": None, "block_device_mapping_v2": []}),
            ("4.3 block_device_mapping: empty", {"block_device_mapping": []}),
            ("4.3 block_device_mapping_v2: needed", {"block_device_mapping_v2": [{}]}),
        ),
    ),
    **_imageless(
        BAD,
        (
            ("4.3 imageRef: absent", {}),
            ("4.3 block_device_mapping_v2: text", {"block_device_mapping_v2": "x"}),
            ("4.3 block_device_mapping_v2: text item", {"block_device_mapping_v2": ["x"]}),
        ),
    ),
    "4.3 flavorRef: missing": (BAD, "PUT {g}/launch", a_launch({"imageRef": "i"})),
    "4.3 name: absent": ("204", "PUT {g}/launch", a_launch()),
}

SERVICE: Rows = {
    **_networks(
        "204",
        (
            ("4.3 ServiceNet: there", [{"uuid": "x"}, NET], cloud()),
            ("4.3 ServiceNet: null networks", None, cloud()),
            ("4.3 ServiceNet: only RackConnect", [], pool()),
        ),
    ),
    **_networks(
        BAD,
        (
            ("4.3 ServiceNet: missing", [{"uuid": "x"}], cloud()),
            ("4.3 ServiceNet: extra keys", [{**NET, "x": 1}], cloud()),
            ("4.3 ServiceNet: empty", [], cloud(type="CloudLoadBalancer")),
            ("4.3 ServiceNet: no array", "auto", cloud()),
        ),
    ),
    **_args("204", (("4.3 ServiceNet: omitted", {"loadBalancers": [cloud()]}),)),
}

BALANCERS: Rows = {
    **_balancers(
        BAD,
        (
            ("4.4 cloud LB: no id", cloud(loadBalancerId=...)),
            ("4.4 cloud LB: empty id", cloud(loadBalancerId="")),
            ("4.4 cloud LB: blank in id", cloud(loadBalancerId="a b")),
            ("4.4 cloud LB: no port", cloud(port=...)),
            ("4.4 cloud LB: text port", cloud(port="80")),
            ("4.4 cloud LB: cloudloadbalancer", cloud(type="cloudloadbalancer")),
            ("4.4 cloud LB: empty type", cloud(type="")),
            ("4.4 cloud LB: null type", cloud(type=None)),
            ("4.4 cloud LB: other type", cloud(type="x")),
            ("4.4 cloud LB: closed", cloud(weight=1)),
            ("4.4 RackConnect v3 pool: port", pool(port=80)),
            ("4.4 RackConnect v3 pool: integer id", pool(loadBalancerId=1)),
            ("4.4 RackConnect v3 pool: no type", {"loadBalancerId": "x"}),
            ("4.4 RackConnect v3 pool: rackconnectv3", pool(type="rackconnectv3")),
        ),
    ),
    **_balancers(
        "204",
        (
            ("4.4 cloud LB: integer id", cloud()),
            ("4.4 cloud LB: text id", cloud(loadBalancerId="4410")),
            ("4.4 cloud LB: type", cloud(type="CloudLoadBalancer")),
            ("4.4 cloud LB: any port", [cloud(port=port) for port in (0, -1, 99999)]),
            ("4.4 cloud LB: 1 and '1'", [cloud(loadBalancerId=1), cloud(loadBalancerId="1")]),
            ("4.4 RackConnect v3 pool", pool()),
        ),
    ),
}

STACK: Rows = {
    **_stack(
        "204",
        (
            ("4.5 stack: template", {"stack": {"template": "t"}}),
            ("4.5 stack: template object", {"stack": {"template": {}}}),
            ("4.5 stack: template_url", {"stack": {"template_url": "u"}}),
            (
                "4.5 stack: every field",
                {
                    "stack": {
                        "template": "t",
                        "disable_rollback": True,
                        "environment": {},
                        "files": {},
                        "parameters": {},
                        "timeout_mins": Decimal("1.5"),
                    }
                },
            ),
        ),
    ),
    **_stack(
        BAD,
        (
            ("4.5 stack: missing", {}),
            ("4.5 stack: neither template", {"stack": {}}),
            ("4.5 stack: both templates", {"stack": {"template": "t", "template_url": "u"}}),
            ("4.5 stack: stack_name", {"stack": {"template": "t", "stack_name": "n"}}),
            ("4.5 stack: tags", {"stack": {"template": "t", "tags": "x"}}),
            ("4.5 stack: load balancers", {"stack": {"template": "t"}, "loadBalancers": []}),
            ("4.5 stack: draining", {"stack": {"template": "t"}, "draining_timeout": 60}),
            ("4.5 stack: rollback text", {"stack": {"template": "t", "disable_rollback": "no"}}),
        ),
    ),
}


class LaunchRows(RowCase, rows={**WRAPPER, **SERVER, **SERVICE, **BALANCERS, **STACK}):
    """rest-api.md 4.2 to 4.5."""
