"""The rows of rest-api.md 4, 4.1 and 4.7 to 4.10: schemas of groups, policies and webhooks."""

from collections.abc import Iterable
from decimal import Decimal

from tests.rest.rows import RowCase, Rows
from tests.rest.world import a_config, a_group, a_policy, a_schedule

BAD = "400 ValidationError"
HALF = Decimal("0.5")
LONG = "é" * 256
MONITORING: dict[str, object] = {"check": {}, "alarm_criteria": {}}
AT = {"at": "2031-03-02T08:00:00Z"}
CRON = {"cron": "* * * * *"}


def _configs(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {row: (expected, "PUT {g}/config", a_config(**changes)) for row, changes in rows}


def _policies(expected: str, rows: Iterable[tuple[str, dict[str, object]]]) -> Rows:
    return {row: (expected, "POST {g}/policies", [a_policy(**changes)]) for row, changes in rows}


def _schedules(expected: str, rows: Iterable[tuple[str, object]]) -> Rows:
    return {
        row: (expected, "POST {g}/policies", [a_policy(type="schedule") | {"args": args}])
        for row, args in rows
    }


GENERAL: Rows = {
    **_configs(
        BAD,
        (
            ("4 integer: 1.0", {"cooldown": Decimal("1.0")}),
            ("4 integer: text", {"cooldown": "1"}),
            ("4 integer: true", {"cooldown": True}),
            ("4 null: name", {"name": None}),
            ("4 null: cooldown", {"cooldown": None}),
            ("4 unknown keys: config", {"extra": 1}),
            ("4 string length: 257 characters", {"name": LONG + "é"}),
            ("4 name pattern: blanks", {"name": " \t "}),
        ),
    ),
    **_configs("204", (("4 string length: 256 characters", {"name": LONG}),)),
    **_policies(
        BAD,
        (
            ("4 number: text", {"cooldown": "1"}),
            ("4 number: true", {"cooldown": True}),
            ("4 unknown keys: policy", {"extra": 1}),
        ),
    ),
    **_policies(
        "201",
        (
            ("4 integer: arbitrary size", {"change": 10**500}),
            ("4 number: integer", {"cooldown": 1}),
            ("4 number: fraction", {"cooldown": HALF}),
        ),
    ),
    "4 name pattern: kept as is": (
        " \u3000wéb\n ",
        lambda w: (
            w.do("PUT {g}/config", a_config(name=" \u3000wéb\n ")) and w.get("{g}/config")["name"]
        ),
    ),
}

CONFIG: Rows = {
    **_configs(
        BAD,
        (
            ("4.1 name: empty", {"name": ""}),
            ("4.1 name: blank", {"name": " "}),
            ("4.1 name: long", {"name": "x" * 257}),
            ("4.1 cooldown: -1", {"cooldown": -1}),
            ("4.1 cooldown: 86401", {"cooldown": 86401}),
            ("4.1 minEntities: -1", {"minEntities": -1}),
            ("4.1 minEntities: 1001", {"minEntities": 1001, "maxEntities": 1000}),
            ("4.1 maxEntities: -1", {"maxEntities": -1}),
            ("4.1 maxEntities: 1001", {"maxEntities": 1001}),
        ),
    ),
    **_configs(
        "400 InvalidMinEntities",
        (
            ("4.1 minEntities: above max", {"minEntities": 2, "maxEntities": 1}),
            ("4.1 maxEntities: null", {"maxEntities": None}),
        ),
    ),
    **_configs(
        "204",
        (
            ("4.1 name: one character", {"name": "x"}),
            ("4.1 cooldown: 0", {"cooldown": 0}),
            ("4.1 cooldown: 86400", {"cooldown": 86400}),
            ("4.1 minEntities: 0", {"minEntities": 0}),
            ("4.1 minEntities: equal to max", {"minEntities": 10, "maxEntities": 10}),
            ("4.1 maxEntities: 1000", {"maxEntities": 1000}),
            ("4.1 maxEntities: 0", {"maxEntities": 0}),
            ("4.1 metadata", {"metadata": {"a": "b"}}),
        ),
    ),
    **{
        f"4.1 {name}: required in PUT": (
            BAD,
            "PUT {g}/config",
            {key: value for key, value in a_config().items() if key != name},
        )
        for name in a_config()
    },
    **{
        f"4.1 {name}: in POST": (
            expected,
            "POST {t}/groups",
            a_group(groupConfiguration={k: v for k, v in a_config().items() if k != name}),
        )
        for name, expected in (
            ("name", BAD),
            ("cooldown", BAD),
            ("minEntities", BAD),
            ("maxEntities", "201"),
            ("metadata", "201"),
        )
    },
}

METADATA: Rows = {
    **_configs(
        BAD,
        (
            ("4.8 metadata: null", {"metadata": None}),
            ("4.8 metadata: array", {"metadata": []}),
            ("4.8 metadata: text", {"metadata": "{}"}),
            ("4.8 metadata: number value", {"metadata": {"a": 1}}),
            ("4.8 metadata: null value", {"metadata": {"a": None}}),
            ("4.8 metadata: nested", {"metadata": {"a": {"b": "c"}}}),
            ("4.8 metadata: long key", {"metadata": {LONG + "é": ""}}),
            ("4.8 metadata: long value", {"metadata": {"a": LONG + "é"}}),
            ("4.8 metadata: line break in a key", {"metadata": {"a\nb": ""}}),
        ),
    ),
    **_configs(
        "204",
        (
            ("4.8 metadata: longest", {"metadata": {LONG: LONG}}),
            ("4.8 metadata: empty key", {"metadata": {"": ""}}),
            ("4.8 metadata: many", {"metadata": {str(n): "" for n in range(500)}}),
        ),
    ),
}


class ConfigRows(RowCase, rows={**GENERAL, **CONFIG, **METADATA}):
    """rest-api.md 4, 4.1 and 4.8."""


POLICY: Rows = {
    **_policies(
        BAD,
        (
            ("4.7 name: missing", {"name": None}),
            ("4.7 name: empty", {"name": ""}),
            ("4.7 name: long", {"name": "x" * 257}),
            ("4.7 type: missing", {"type": None}),
            ("4.7 type: case", {"type": "Webhook"}),
            ("4.7 type: other", {"type": "myowntype"}),
            ("4.7 cooldown: missing", {"cooldown": None}),
            ("4.7 cooldown: -0.1", {"cooldown": Decimal("-0.1")}),
            ("4.7 cooldown: 86401", {"cooldown": 86401}),
            ("4.7 change: 0", {"change": 0}),
            ("4.7 change: fraction", {"change": HALF}),
            ("4.7 change: and desiredCapacity", {"desiredCapacity": 1}),
            ("4.7 change: and changePercent", {"changePercent": 1}),
            ("4.7 change: none of the three", {"change": None}),
            ("4.7 changePercent: 0", {"change": None, "changePercent": 0}),
            ("4.7 changePercent: 0.0", {"change": None, "changePercent": Decimal("0.0")}),
            ("4.7 desiredCapacity: -1", {"change": None, "desiredCapacity": -1}),
            ("4.7 desiredCapacity: fraction", {"change": None, "desiredCapacity": HALF}),
            ("4.7 args: unknown", {"type": "schedule", "args": {"every": "day"}}),
            ("4.7 webhook: with args", {"args": {}}),
            ("4.7 schedule: without args", {"type": "schedule"}),
            ("4.7 cloud_monitoring", {"type": "cloud_monitoring", "args": MONITORING}),
            ("4.7 id", {"id": "x"}),
            ("4.7 links", {"links": []}),
        ),
    ),
    **_policies(
        "201",
        (
            ("4.7 name: 256", {"name": LONG}),
            ("4.7 type: webhook", {}),
            ("4.7 cooldown: fraction", {"cooldown": HALF}),
            ("4.7 cooldown: 86400", {"cooldown": 86400}),
            ("4.7 change: negative", {"change": -1}),
            ("4.7 change: 2^63-1", {"change": 2**63 - 1}),
            (
                "4.7 changePercent: 0.0001",
                {"change": None, "changePercent": Decimal("0.0001")},
            ),
            ("4.7 desiredCapacity: 0", {"change": None, "desiredCapacity": 0}),
            ("4.7 desiredCapacity: huge", {"change": None, "desiredCapacity": 10**30}),
        ),
    ),
    **_schedules("201", (("4.7 schedule: at", AT), ("4.7 schedule: cron", CRON))),
    **_schedules(
        BAD,
        (
            ("4.7 schedule: both", AT | CRON),
            ("4.7 schedule: empty", {}),
            ("4.7 schedule: null", None),
            ("4.7 schedule: text", "* * * * *"),
            ("4.7 schedule: monitoring arguments", MONITORING),
            ("4.7 args: closed", {**CRON, "x": 1}),
        ),
    ),
    "4.7 webhook: null args": (BAD, "POST {g}/policies", [a_policy() | {"args": None}]),
    "4.7 schedule: monitoring arguments, PUT": (
        BAD,
        "PUT {s}",
        a_policy(type="schedule", args=MONITORING),
    ),
    "4.7 schedule: monitoring arguments, POST groups": (
        BAD,
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy(type="schedule", args=MONITORING)]),
    ),
    "4.7 cloud_monitoring: PUT": (
        BAD,
        "PUT {p}",
        a_policy(type="cloud_monitoring", args=MONITORING),
    ),
    "4.7 cloud_monitoring: POST groups": (
        BAD,
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy(type="cloud_monitoring", args=MONITORING)]),
    ),
}

HOOK = {"name": "w", "metadata": {}}

WEBHOOK: Rows = {
    "4.9 name: POST": (BAD, "POST {p}/webhooks", [{"metadata": {}}]),
    "4.9 name: empty": (BAD, "POST {p}/webhooks", [{"name": ""}]),
    "4.9 name: blank": (BAD, "PUT {w}", {"name": " ", "metadata": {}}),
    "4.9 name: long": (BAD, "POST {p}/webhooks", [{"name": "x" * 257}]),
    "4.9 name: 256": ("201", "POST {p}/webhooks", [{"name": LONG}]),
    "4.9 metadata: POST default": ("201", "POST {p}/webhooks", [{"name": "w"}]),
    "4.9 metadata: PUT required": (BAD, "PUT {w}", {"name": "w"}),
    "4.9 metadata: text": (BAD, "POST {p}/webhooks", [{"name": "w", "metadata": "{}"}]),
    "4.9 metadata: number value": (BAD, "PUT {w}", {"name": "w", "metadata": {"a": 1}}),
    "4.9 closed": (BAD, "PUT {w}", {**HOOK, "url": "x"}),
    "4.10 POST policies: 0": (BAD, "POST {g}/policies", []),
    "4.10 POST policies: 100": ("201", "POST {g}/policies", [a_policy()] * 100),
    "4.10 POST policies: 101": (BAD, "POST {g}/policies", [a_policy()] * 101),
    "4.10 POST policies: one invalid": (BAD, "POST {g}/policies", [a_policy(), a_schedule(x=1)]),
    "4.10 POST webhooks: 0": (BAD, "POST {p}/webhooks", []),
    "4.10 POST webhooks: 100": ("422 WebhooksOverLimitError", "POST {p}/webhooks", [HOOK] * 100),
    "4.10 POST webhooks: 101": (BAD, "POST {p}/webhooks", [HOOK] * 101),
    "4.10 scalingPolicies in POST group: 0": (
        "201",
        "POST {t}/groups",
        a_group(scalingPolicies=[]),
    ),
    "4.10 scalingPolicies in POST group: 100": (
        "201",
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy()] * 100),
    ),
    "4.10 scalingPolicies in POST group: 101": (
        BAD,
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy()] * 101),
    ),
}


class PolicyRows(RowCase, rows={**POLICY, **WEBHOOK}):
    """rest-api.md 4.7, 4.9 and 4.10."""
