"""The rows of rest-api.md 3.8 and 3.14 to 3.17: launch configs, executions, servers, limits."""

from decimal import Decimal
from xml.etree import ElementTree as ET

from otter.models.ledger import Removal
from tests.rest.rows import RowCase, Rows
from tests.rest.world import a_config, a_launch, a_server

GROUP = "404 NoSuchScalingGroupError"
COOLDOWN = "403 CannotExecutePolicyError"
SUSPENDED = "403 TenantSuspendedError"
QUERY = "400 InvalidQueryArgument"
MAPPING = [{"device_name": "vda"}]


def _round_trip(w: RowCase, launch: dict[str, object]) -> bool:
    status = w.do("PUT {g}/launch", launch).error
    return status == "204" and w.do("GET {g}/launch").document == {"launchConfiguration": launch}


LAUNCH: Rows = {
    "3.8 GET: null image": (
        True,
        lambda w: _round_trip(w, a_launch(a_server(imageRef=None, block_device_mapping=MAPPING))),
    ),
    "3.8 GET: unknown keys": (True, lambda w: _round_trip(w, a_launch(a_server(x=[{"y": None}])))),
    "3.8 GET: id types": (
        True,
        lambda w: _round_trip(
            w,
            a_launch(
                loadBalancers=[
                    {"loadBalancerId": 1, "port": 80},
                    {"loadBalancerId": "1", "port": 80},
                ],
                draining_timeout=Decimal("30.5"),
            ),
        ),
    ),
    "3.8 PUT: no merging": (
        [True, True],
        lambda w: [
            _round_trip(w, a_launch(draining_timeout=60)),
            _round_trip(w, a_launch()),
        ],
    ),
    "3.8 PUT: desired unchanged": (
        ("204", 2),
        lambda w: (
            w.make_group(minEntities=2) and w.do("PUT {g}/launch", a_launch()).error,
            w.wants(),
        ),
    ),
}


class LaunchRows(RowCase, rows=LAUNCH):
    """rest-api.md 3.8."""


def _executed(w: RowCase, **policy: object) -> object:
    w.make_policy(w.at("{g}"), **policy)
    return w.do("POST {p}/execute").error, w.wants()


CLAMPED = (
    "3.14 clamped result equals current desired "
    "(at max, at min, 0-size percent, same desiredCapacity)"
)


def _twice(w: RowCase, **policy: object) -> list[str]:
    w.make_policy(w.at("{g}"), **policy)
    return w.all("POST {p}/execute", "POST {p}/execute")


EXECUTE: Rows = {
    "3.14 success": (("202", 2), _executed),
    "3.14 success: body": ({}, lambda w: w.do("POST {p}/execute").document),
    "3.14 unknown group / policy: group": (GROUP, "POST {t}/groups/{u}/policies/{u}/execute"),
    "3.14 unknown group / policy: policy": (
        "404 NoSuchPolicyError",
        "POST {g}/policies/{u}/execute",
    ),
    "3.14 paused": (
        ["204", "403 GroupPausedError"],
        lambda w: w.all("POST {g}/pause", "POST {p}/execute"),
    ),
    "3.14 policy or group cooldown running: policy": (
        ["202", COOLDOWN],
        lambda w: _twice(w, cooldown=Decimal("0.5")),
    ),
    "3.14 policy or group cooldown running: group": (
        ["202", COOLDOWN],
        lambda w: w.make_group(cooldown=1) and _twice(w),
    ),
    f"{CLAMPED}: at max": (
        (COOLDOWN, 10),
        lambda w: w.make_group(minEntities=10) and _executed(w),
    ),
    f"{CLAMPED}: at min": ((COOLDOWN, 0), lambda w: _executed(w, change=-1)),
    f"{CLAMPED}: 0-size percent": (
        (COOLDOWN, 0),
        lambda w: _executed(w, change=None, changePercent=50),
    ),
    f"{CLAMPED}: same desiredCapacity": (
        (COOLDOWN, 0),
        lambda w: _executed(w, change=None, desiredCapacity=0),
    ),
    f"{CLAMPED}: asks for a cycle": (
        True,
        lambda w: w.make_policy(w.at("{g}"), change=-1) and w.asks_for_cycle("POST {p}/execute"),
    ),
    "3.14 suspended": (SUSPENDED, lambda w: w.suspend() or w.do("POST {p}/execute").error),
}


class ExecuteRows(RowCase, rows=EXECUTE):
    """rest-api.md 3.14."""


def _hit(w: RowCase, change: str = "{c}", **options: object) -> object:
    reply = w.do(f"POST {change}", **options)
    return reply.status, reply.body


def _after(w: RowCase, *requests: str) -> object:
    w.at("{c}")
    w.all(*requests)
    return _hit(w)


def _version(w: RowCase, version: str) -> object:
    path = w.at("{c}").replace("/execute/1/", f"/execute/{version}/")
    return w.do(f"POST {path}").status, w.wants()


TAKEN = (202, b"")

CAPABILITY: Rows = {
    "3.15 Auth": (TAKEN, lambda w: _hit(w, token=None)),
    "3.15 Response: success": ((TAKEN, 2), lambda w: (_hit(w), w.wants())),
    "3.15 Response: unknown": (TAKEN, lambda w: _hit(w, f"/v1.0/execute/1/{'0' * 64}/")),
    "3.15 Response: webhook deleted": (TAKEN, lambda w: _after(w, "DELETE {w}")),
    "3.15 Response: policy deleted": (TAKEN, lambda w: _after(w, "DELETE {p}")),
    "3.15 Response: group deleted": (TAKEN, lambda w: _after(w, "DELETE {g}")),
    "3.15 Response: paused": (TAKEN, lambda w: _after(w, "POST {g}/pause")),
    "3.15 Response: no change": (
        (TAKEN, 0),
        lambda w: (w.make_policy(w.at("{g}"), change=-1) and _hit(w), w.wants()),
    ),
    "3.15 Response: cooldown": (
        (TAKEN, 2),
        lambda w: (w.make_policy(w.at("{g}"), cooldown=9) and _hit(w) and _hit(w), w.wants()),
    ),
    "3.15 Response: suspended": (TAKEN, lambda w: (w.at("{c}") and w.suspend()) or _hit(w)),
    "3.15 Response: headers like any other": (
        True,
        lambda w: (
            set(w.do("POST {c}").headers.keys())
            == set(w.do(f"POST /v1.0/execute/1/{'0' * 64}").headers.keys())
        ),
    ),
    "3.15 Timing: three hits": (
        [TAKEN, TAKEN, TAKEN, 6],
        lambda w: [*(_hit(w) for _ in range(3)), w.wants()],
    ),
    "3.15 Body / content type": (
        TAKEN,
        lambda w: _hit(w, body=b"a=%FF", headers={"Content-Type": "application/x-junk"}),
    ),
    "3.15 {version}: 1": ((202, 2), lambda w: _version(w, "1")),
    "3.15 {version}: 2": ((202, 0), lambda w: _version(w, "2")),
    "3.15 {version}: 1.0": ((202, 0), lambda w: _version(w, "1.0")),
    "3.15 Non-POST": (
        [(405, "POST")] * 3,
        lambda w: [
            (reply.status, reply.headers["Allow"])
            for reply in (w.do(f"{method} {{c}}") for method in ("GET", "PUT", "DELETE"))
        ],
    ),
}


class CapabilityRows(RowCase, rows=CAPABILITY):
    """rest-api.md 3.15; its rate is in 7."""


def _removed(w: RowCase, query: str) -> object:
    """Return the answer, the new desired capacity and how the server is to leave."""
    w.make_group(minEntities=1)
    w.make_policy(w.at("{g}"), change=1)
    w.do("POST {p}/execute")
    w.add_server("s1")
    reply = w.do(f"DELETE {{g}}/servers/s1{query}")
    return reply.status, reply.body, w.wants(), w.removal_of("s1")


def _refusal(w: RowCase, query: str = "", server: str = "s1") -> str:
    w.add_server("s1")
    return w.do(f"DELETE {{g}}/servers/{server}{query}").error


def _foreign(w: RowCase) -> str:
    w.add_server("s1")
    other = w.make_group()
    return w.ask("DELETE", f"{other}/servers/s1").error


SERVERS: Rows = {
    "3.16 GET": (
        ["501 NotImplementedError"] * 4,
        lambda w: w.all(
            "GET {g}/servers",
            "GET {g}/servers/s1",
            "GET {t}/groups/{u}/servers",
            "GET {t}/groups/{u}/servers/s1",
        ),
    ),
    "3.16 GET: bad limit": (QUERY, "GET {t}/groups/{u}/servers?limit=x"),
    "3.16 replace: any case": ("202", lambda w: _refusal(w, "?replace=tRuE")),
    "3.16 replace: else": (QUERY, lambda w: _refusal(w, "?replace=bad")),
    "3.16 replace: empty": (QUERY, lambda w: _refusal(w, "?replace=")),
    "3.16 purge: any case": ("202", lambda w: _refusal(w, "?purge=FALSE")),
    "3.16 purge: else": (QUERY, lambda w: _refusal(w, "?purge=1")),
    "3.16 replace=true purge=true": ((202, b"", 2, Removal.DELETE), lambda w: _removed(w, "")),
    "3.16 replace=false purge=true": (
        (202, b"", 1, Removal.DELETE),
        lambda w: _removed(w, "?replace=false"),
    ),
    "3.16 replace=true purge=false": (
        (202, b"", 2, Removal.RELEASE),
        lambda w: _removed(w, "?purge=false"),
    ),
    "3.16 replace=false purge=false": (
        (202, b"", 1, Removal.RELEASE),
        lambda w: _removed(w, "?replace=false&purge=false"),
    ),
    "3.16 404 NoSuchScalingGroupError": (GROUP, "DELETE {t}/groups/{u}/servers/s1"),
    "3.16 404 ServerNotFoundError: unknown": (
        "404 ServerNotFoundError",
        lambda w: _refusal(w, server="s2"),
    ),
    "3.16 404 ServerNotFoundError: of another group": ("404 ServerNotFoundError", _foreign),
    "3.16 404 ServerNotFoundError: before below-min": (
        "404 ServerNotFoundError",
        lambda w: _refusal(w, "?replace=false", "s2"),
    ),
    "3.16 403 CannotDeleteServerBelowMinError": (
        "403 CannotDeleteServerBelowMinError",
        lambda w: _refusal(w, "?replace=false"),
    ),
    "3.16 403 TenantSuspendedError": (SUSPENDED, lambda w: w.suspend() or _refusal(w)),
}


class ServerRows(RowCase, rows=SERVERS):
    """rest-api.md 3.16."""


def _rates(w: RowCase) -> object:
    rates = w.get("{t}/limits")["rate"]
    return [(rate["uri"], rate["regex"]) for rate in rates]


def _xml(w: RowCase) -> object:
    root = ET.fromstring(w.do("GET {t}/limits", headers={"Accept": "application/xml"}).body)
    names = [one.tag.rpartition("}")[2] for one in (root, root[0], root[0][0])]
    return names, root.tag[1:].partition("}")[0], [dict(one.attrib) for one in root[0]]


def _suspended(w: RowCase, *requests: str) -> list[str]:
    w.at("{w}")
    w.suspend()
    return w.all(*requests)


LIMITS: Rows = {
    "3.17 limits": (
        ["absolute", "rate"],
        lambda w: sorted(w.get("{t}/limits")),
    ),
    "3.17 limits: absolute": (
        {"maxGroups": 1000, "maxPoliciesPerGroup": 100, "maxWebhooksPerPolicy": 25},
        lambda w: w.get("{t}/limits")["absolute"],
    ),
    "3.17 limits: rate": (
        [
            ("/v1.0/tenantId/*", r"/v1\.0/([A-Za-z0-9:]+)/.+"),
            ("/v1.0/execute/*", r"/v1\.0/execute/(.*)"),
        ],
        _rates,
    ),
    "3.17 limits: other methods": (
        ["405 InvalidMethod"] * 3,
        lambda w: w.all("POST {t}/limits", "PUT {t}/limits/", "DELETE {t}/limits"),
    ),
    "3.17 limits: XML": (
        (
            ["limits", "absolute", "limit"],
            "http://docs.openstack.org/common/api/v1.0",
            [
                {"name": "maxGroups", "value": "1000"},
                {"name": "maxPoliciesPerGroup", "value": "100"},
                {"name": "maxWebhooksPerPolicy", "value": "25"},
            ],
        ),
        _xml,
    ),
    "3.17 suspended: refused": (
        [SUSPENDED] * 3,
        lambda w: _suspended(w, "POST {p}/execute", "POST {g}/converge", "DELETE {g}/servers/s"),
    ),
    "3.17 suspended: config": (
        (SUSPENDED, a_config()),
        lambda w: (
            w.suspend() or w.do("PUT {g}/config", a_config(name="new")).error,
            w.get("{g}/config"),
        ),
    ),
    "3.17 suspended: works": (
        ["200", "200", "204", "204", "204"],
        lambda w: _suspended(
            w, "GET {g}", "GET {g}/state", "POST {g}/pause", "POST {g}/resume", "DELETE {g}"
        ),
    ),
    "3.17 suspended: capability": (
        (["202"], 0),
        lambda w: (_suspended(w, "POST {c}"), w.wants()),
    ),
    "3.10 converge: asks for a cycle": (True, lambda w: w.asks_for_cycle("POST {g}/converge")),
    "3.7 PUT: asks for a cycle": (
        True,
        lambda w: w.asks_for_cycle("PUT {g}/config", a_config()),
    ),
    "3.9 resume: asks for a cycle": (
        True,
        lambda w: w.do("POST {g}/pause") and w.asks_for_cycle("POST {g}/resume"),
    ),
    "3.8 PUT: asks for no cycle": (
        False,
        lambda w: w.asks_for_cycle("PUT {g}/launch", a_launch()),
    ),
}


class LimitsRows(RowCase, rows=LIMITS):
    """rest-api.md 3.17."""
