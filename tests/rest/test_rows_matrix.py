"""The rows of rest-api.md 6.1, 7 and 8: bad input, limits, choices where sources differ."""

from collections.abc import Iterable

from otter.controller.interface import NewLaunch
from otter.models.group import GroupConfig, LaunchType
from otter.models.ids import TenantId
from otter.rest.config import Rates, RestConfig
from tests.rest.rows import RowCase, Rows
from tests.rest.tables import cloud
from tests.rest.world import BASE, a_config, a_group, a_launch, a_policy, a_schedule, a_server

BAD = "400 ValidationError"
MIN_MAX = "400 InvalidMinEntities"
QUERY = "400 InvalidQueryArgument"
GROUP = "404 NoSuchScalingGroupError"
COOLDOWN = "403 CannotExecutePolicyError"
HOOK = {"name": "w", "metadata": {}}
FILE = {"path": "/etc/motd", "contents": "aGk="}
ODD_FILES: tuple[object, ...] = (
    "x",
    1,
    {},
    [{"path": "p"}],
    [{"contents": ""}],
    [{**FILE, "path": "p" * 256}],
)


def _new_group(row: str, expected: str, cases: Iterable[dict[str, object]]) -> Rows:
    return {
        f"6.1 {row}: {case}": (
            expected,
            "POST {t}/groups",
            a_group(groupConfiguration=a_config(**case)),
        )
        for case in cases
    }


def _new_server(row: str, cases: Iterable[object]) -> Rows:
    return {
        f"6.1 {row}: {case}": (
            BAD,
            "POST {t}/groups",
            a_group(launchConfiguration=a_launch(server=case)),
        )
        for case in cases
    }


def _balancer(w: RowCase, kind: object) -> list[str]:
    launch = a_launch(loadBalancers=[cloud(type=kind)])
    return [
        w.do("POST {t}/groups", a_group(launchConfiguration=launch)).error,
        w.do("PUT {g}/launch", launch).error,
    ]


def _service_net(w: RowCase) -> list[str]:
    launch = a_launch(a_server(networks=[{"uuid": "x"}]), loadBalancers=[cloud()])
    return [
        w.do("POST {t}/groups", a_group(launchConfiguration=launch)).error,
        w.do("PUT {g}/launch", launch).error,
    ]


def _gone(w: RowCase, *, deleted: bool) -> set[int]:
    """Return the answers to GET and PUT of things that are unknown, or were just deleted."""
    w.at("{w}")
    found = set()
    for path, rest, body in (
        ("{w}", "", HOOK),
        ("{p}", "", a_policy()),
        ("{g}", "/config", a_config()),
    ):
        own = w.at(path)
        target = own if deleted else own.rpartition("/")[0] + "/unknown"
        if deleted:
            w.ask("DELETE", own)
        found |= {w.ask("GET", target + rest).status, w.ask("PUT", target + rest, body).status}
    return found


def _run(w: RowCase, times: int = 1, policy: dict[str, object] | None = None, **config: int) -> str:
    w.make_group(**config)
    w.make_policy(w.at("{g}"), **(policy or {}))
    return [w.do("POST {p}/execute").error for _ in range(times)][-1]


FLAVOR = "flavor unknown, -4, missing, '', blanks"
IMAGE = "image unknown, ' ', ''/missing/null without mapping"
PERSONALITY = (
    "personality string, number, object, item without path or contents, not base64, "
    "path > 255, oversize, too many"
)
POLICY = "6.1 policy name ''/blanks, type myowntype, no type, cooldown 86401, cooldown string"
RUN = "6.1 execute during cooldown, at max, at min, min=max"
GET_PUT = "6.1 GET/PUT group, policy, webhook with unknown or deleted id"
NUMBERS = "min -100 (string), max -0.01 (string), cooldown -0.08 (string)"
BOUNDS = "min 1001, max 1001, cooldown 86401, min 22 > max 2"
TYPES = "6.1 LB type wrong case / '' / unknown"
SERVER = "6.1 DELETE server unknown or foreign / below min / replace=bad"

MATRIX: Rows = {
    **_new_group("group name '', ' '", BAD, ({"name": ""}, {"name": " "})),
    **_new_group(
        NUMBERS,
        BAD,
        ({"minEntities": "-100"}, {"maxEntities": "-0.01"}, {"cooldown": "-0.08"}),
    ),
    **_new_group(
        BOUNDS,
        BAD,
        ({"minEntities": 1001}, {"maxEntities": 1001}, {"cooldown": 86401}),
    ),
    **_new_group(BOUNDS, MIN_MAX, ({"minEntities": 22, "maxEntities": 2},)),
    "6.1 PUT config min 1001, or min 10 with max 0: 1001": (
        BAD,
        "PUT {g}/config",
        a_config(minEntities=1001),
    ),
    "6.1 PUT config min 1001, or min 10 with max 0: 10 and 0": (
        MIN_MAX,
        "PUT {g}/config",
        a_config(minEntities=10, maxEntities=0),
    ),
    **_new_server(
        FLAVOR,
        (
            {"imageRef": "i"},
            a_server(flavorRef=""),
            a_server(flavorRef=" "),
            a_server(flavorRef=-4),
        ),
    ),
    **_new_server(
        IMAGE,
        (
            {"flavorRef": "3"},
            a_server(imageRef="  "),
            a_server(imageRef=""),
            a_server(imageRef=None),
        ),
    ),
    "6.1 cloud LB with networks lacking ServiceNet (POST and PUT)": ([BAD, BAD], _service_net),
    **{
        f"{TYPES}: {kind!r}": ([BAD, BAD], lambda w, kind=kind: _balancer(w, kind))
        for kind in ("cloudloadbalancer", "", "unknown")
    },
    **_new_server(
        PERSONALITY,
        (a_server(personality=odd) for odd in ODD_FILES),
    ),
    **{
        f"{POLICY}: {case}": (BAD, "POST {g}/policies", [a_policy(**case)])
        for case in (
            {"name": ""},
            {"name": "  "},
            {"type": "myowntype"},
            {"type": None},
            {"cooldown": 86401},
            {"cooldown": "1"},
        )
    },
    "6.1 webhook name '', metadata string: name": (BAD, "POST {p}/webhooks", [{"name": ""}]),
    "6.1 webhook name '', metadata string: metadata": (
        BAD,
        "POST {p}/webhooks",
        [{"name": "w", "metadata": "{}"}],
    ),
    f"{GET_PUT}: unknown": ({404}, lambda w: _gone(w, deleted=False)),
    f"{GET_PUT}: deleted": ({404}, lambda w: _gone(w, deleted=True)),
    "6.1 delete unknown or deleted group": (
        [GROUP, "204", GROUP],
        lambda w: w.all("DELETE {t}/groups/{u}", "DELETE {g}", "DELETE {g}"),
    ),
    f"{RUN}: cooldown": (COOLDOWN, lambda w: _run(w, 2, {"cooldown": 600})),
    f"{RUN}: at max": (COOLDOWN, lambda w: _run(w, 1, minEntities=10)),
    f"{RUN}: at min": (COOLDOWN, lambda w: _run(w, 1, {"change": -1})),
    f"{RUN}: min=max": (COOLDOWN, lambda w: _run(w, 1, minEntities=3, maxEntities=3)),
    f"{SERVER}: unknown": ("404 ServerNotFoundError", "DELETE {g}/servers/unknown"),
    f"{SERVER}: below min": (
        "403 CannotDeleteServerBelowMinError",
        lambda w: w.add_server("s1") or w.do("DELETE {g}/servers/s1?replace=false").error,
    ),
    f"{SERVER}: replace=bad": (QUERY, "DELETE {g}/servers/s1?replace=bad"),
}


class MatrixRows(RowCase, rows=MATRIX):
    """rest-api.md 6.1, but what only the cloud can know (4.6)."""


def _many_groups(w: RowCase) -> str:
    config = GroupConfig("web", 0, 0, 10, {})
    launch = NewLaunch(LaunchType.SERVER, a_launch()["args"])
    for _ in range(1000):
        w.ended(w.controller.create_group(TenantId(w.tenant), config, launch, (), actor="user a"))
    return w.do("POST {t}/groups", a_group()).error


def _many_policies(w: RowCase, policy: dict[str, object]) -> list[str]:
    return [w.do("POST {g}/policies", [policy] * count).error for count in (100, 1)]


def _many_webhooks(w: RowCase) -> list[str]:
    return [w.do("POST {p}/webhooks", [HOOK] * count).error for count in (25, 1)]


OVER = "422 PoliciesOverLimitError"
HUNDRED_FIRST = "6.1 101st policy (either type), 26th webhook, 1001st group"

LIMITS: Rows = {
    f"{HUNDRED_FIRST}: webhook policy": (["201", OVER], lambda w: _many_policies(w, a_policy())),
    f"{HUNDRED_FIRST}: schedule policy": (
        ["201", OVER],
        lambda w: _many_policies(w, a_schedule()),
    ),
    f"{HUNDRED_FIRST}: webhook": (["201", "422 WebhooksOverLimitError"], _many_webhooks),
    "7 groups per tenant (maxGroups)": ("422 ScalingGroupOverLimitError", _many_groups),
    "7 policies per group (maxPoliciesPerGroup)": (
        ["201", OVER],
        lambda w: _many_policies(w, a_policy()),
    ),
    "7 webhooks per policy (maxWebhooksPerPolicy)": (
        ["201", "422 WebhooksOverLimitError"],
        _many_webhooks,
    ),
    "7 items per create request / page size": (BAD, "POST {g}/policies", [a_policy()] * 101),
    "7 minEntities, maxEntities": (BAD, "PUT {g}/config", a_config(maxEntities=1001)),
    "7 cooldowns": (BAD, "PUT {p}", a_policy(cooldown=86401)),
    "7 names": (BAD, "PUT {w}", {"name": "x" * 257, "metadata": {}}),
    "7 metadata key / value": (BAD, "PUT {g}/config", a_config(metadata={"a": "x" * 257})),
    "7 server metadata key / value": (
        BAD,
        "PUT {g}/launch",
        a_launch(a_server(metadata={"a": "x" * 256})),
    ),
    "7 load balancers per launch config": (
        BAD,
        "PUT {g}/launch",
        a_launch(loadBalancers=[cloud(port=port) for port in range(6)]),
    ),
    "7 draining timeout": (BAD, "PUT {g}/launch", a_launch(draining_timeout=3601)),
    "7 personality path": (
        BAD,
        "PUT {g}/launch",
        a_launch(a_server(personality=[{**FILE, "path": "p" * 256}])),
    ),
}


class LimitRows(RowCase, rows=LIMITS):
    """rest-api.md 7, and the end of 6.1."""


def _spent(w: RowCase, request: str, count: int) -> object:
    w.at("{c}")
    w.clock.advance(60)
    replies = [w.do(request) for _ in range(count + 1)]
    waits = {reply.headers["Retry-After"] for reply in replies[:-1]}
    return {reply.status for reply in replies[:-1]}, waits, replies[-1].error


RATES: Rows = {
    "7 rate: all tenant calls": (
        ({200}, {None}, "413 RateLimitError"),
        lambda w: _spent(w, "GET {g}/state", 1000),
    ),
    "7 rate: /v1.0/execute/*": (
        ({202}, {None}, "413 RateLimitError"),
        lambda w: _spent(w, "POST {c}", 10),
    ),
    "1.6 RateLimitError": (
        ({202}, {None}, "413 RateLimitError"),
        lambda w: _spent(w, "POST {c}", 10),
    ),
    "1.4 Retry-After: 413": (
        "1",
        lambda w: [w.do("POST {c}") for _ in range(11)][-1].headers["Retry-After"],
    ),
    "3.15 Rate": (
        ({202}, {None}, "413 RateLimitError"),
        lambda w: _spent(w, "POST {c}", 10),
    ),
}


class RateRows(RowCase, rows=RATES):
    """rest-api.md 7, with the limits in force."""

    config = RestConfig(BASE, rates=Rates())


def _page(w: RowCase, query: str) -> object:
    w.at("{g}")
    return len(w.ids(f"{{t}}/groups?{query}"))


def _deferred(w: RowCase) -> object:
    w.do("POST {g}/pause")
    asked = w.asks_for_cycle("PUT {g}/config", a_config(minEntities=3))
    return asked, w.wants(), w.asks_for_cycle("POST {g}/resume")


CHOICES: Rows = {
    "8 DELETE non-empty group": (
        403,
        lambda w: w.ask("DELETE", w.make_group(minEntities=1)).status,
    ),
    '8 What "empty" means': ("204", lambda w: w.add_server("s1") or w.do("DELETE {g}").error),
    "8 list limit > 100": (1, lambda w: _page(w, "limit=101")),
    "8 bad marker": (0, lambda w: _page(w, "marker=zzz")),
    "8 list order": (True, lambda w: w.make_group() and (i := w.ids("{t}/groups")) == sorted(i)),
    "8 next on exactly full page": (
        1,
        lambda w: w.at("{g}") and len(w.do("GET {t}/groups?limit=1").document["groups_links"]),
    ),
    "8 percent rounding": (
        ("202", 1),
        lambda w: (
            w.make_group(minEntities=0, maxEntities=5)
            and w.make_policy(w.at("{g}"), change=None, desiredCapacity=5)
            and w.do("POST {p}/execute").error,
            w.do("PUT {p}", a_policy(change=None, changePercent=-75))
            and w.do("POST {p}/execute")
            and w.wants(),
        ),
    ),
    "8 policy names": ("201", "POST {g}/policies", [a_policy(), a_policy()]),
    "8 webhook PUT metadata": (BAD, "PUT {w}", {"name": "w"}),
    "8 webhook PUT unknown id / extra url: id": (
        "404 NoSuchWebhookError",
        "PUT {p}/webhooks/{u}",
        HOOK,
    ),
    "8 webhook PUT unknown id / extra url: url": (BAD, "PUT {w}", {**HOOK, "url": "x"}),
    "8 metadata nesting": (BAD, "PUT {w}", {"name": "w", "metadata": {"a": {}}}),
    "8 maxEntities: null": (MIN_MAX, "PUT {g}/config", a_config(maxEntities=None)),
    "8 capability 202 body": (b"", lambda w: w.do("POST {c}").body),
    "8 execute 202 body": (b"{}", lambda w: w.do("POST {p}/execute").body),
    "8 422 type names": (["201", OVER], lambda w: _many_policies(w, a_policy())),
    "8 group limit": (1000, lambda w: w.get("{t}/limits")["absolute"]["maxGroups"]),
    "8 execute rate": (10, lambda w: w.get("{t}/limits")["rate"][1]["limit"][0]["value"]),
    "8 tenant rate regex": (
        True,
        lambda w: "[A-Za-z0-9:]+" in w.get("{t}/limits")["rate"][0]["regex"],
    ),
    "8 limits content": (["absolute", "rate"], lambda w: sorted(w.get("{t}/limits"))),
    "8 at without seconds": (
        "201",
        "POST {g}/policies",
        [a_policy(type="schedule", args={"at": "2031-03-02T08:00Z"})],
    ),
    "8 cron zeros / day 7": (
        "201",
        "POST {g}/policies",
        [a_policy(type="schedule", args={"cron": "0 0 0 0 7"})],
    ),
    "8 wrong capability version": (
        (202, 0),
        lambda w: (w.ask("POST", w.at("{c}").replace("/1/", "/2/")).status, w.wants()),
    ),
    "8 observer reading webhooks": (
        403,
        lambda w: (
            w.tokens.add("reader", "observer", tenant=w.tenant)
            or w.do("GET {p}/webhooks", token="reader").status
        ),
    ),
    "8 pause/resume": (["204", "204"], lambda w: w.all("POST {g}/pause", "POST {g}/resume")),
    "8 PUT config while paused": ((False, 3, True), _deferred),
    "8 X-Project-ID instead of tenant in path": (
        404,
        lambda w: w.do("GET /v1.0", headers={"X-Project-ID": w.tenant}).status,
    ),
    "8 wrong content type": (
        "204",
        lambda w: w.do("PUT {w}", HOOK, headers={"Content-Type": "text/plain"}).error,
    ),
    "8 launch_stack": (
        "204",
        "PUT {g}/launch",
        {"type": "launch_stack", "args": {"stack": {"template": "t"}}},
    ),
    "8 force-delete values: FALSE": ("204", "DELETE {g}?force=FALSE"),
    "8 force-delete values: junk": (QUERY, "DELETE {g}?force=junk"),
}


class ChoiceRows(RowCase, rows=CHOICES):
    """rest-api.md 8."""
