"""The rows of rest-api.md 2 and 3.11 to 3.13: pages, policies, webhooks."""

import re
from decimal import Decimal

from tests.rest.rows import RowCase, Rows
from tests.rest.world import BASE, a_policy, a_schedule

QUERY = "400 InvalidQueryArgument"
GROUP = "404 NoSuchScalingGroupError"
POLICY = "404 NoSuchPolicyError"
WEBHOOK = "404 NoSuchWebhookError"
SCHEMA = "400 ValidationError"
HOOK = {"name": "w", "metadata": {}}
NOWHERE = "{t}/groups/{u}"


def _three(w: RowCase) -> list[str]:
    w.do("POST {g}/policies", [a_policy()] * 3)
    return w.ids("{g}/policies")


def _page(w: RowCase, query: str) -> int:
    _three(w)
    return len(w.ids(f"{{g}}/policies?{query}"))


def _next(w: RowCase, query: str) -> object:
    ids = _three(w)
    links = w.do(f"GET {{g}}/policies?{query}").document["policies_links"]
    hrefs = [link["href"].removeprefix(BASE + w.at("{g}/policies/")) for link in links]
    return [href.replace(ids[1], "#2").replace(ids[2], "#3") for href in hrefs]


def _rels(w: RowCase, *paths: str) -> object:
    w.at("{w}")
    links = [
        next(v for k, v in w.do(f"GET {p}").document.items() if k[-6:] == "_links") for p in paths
    ]
    return [link["rel"] for page in links for link in page]


LISTS = ("{t}/groups", "{g}/policies", "{p}/webhooks")

PAGES: Rows = {
    "2 limit: 0": (1, lambda w: _page(w, "limit=0")),
    "2 limit: -1": (1, lambda w: _page(w, "limit=-1")),
    "2 limit: 2": (2, lambda w: _page(w, "limit=2")),
    "2 limit: sign and blanks": (2, lambda w: _page(w, "limit=%20%2B2%20")),
    "2 limit: missing": (3, lambda w: _page(w, "")),
    "2 limit: 101": (
        ["?limit=100&marker="],
        lambda w: (
            w.do("POST {g}/policies", [a_policy()] * 100)
            and [
                re.sub("marker=.*", "marker=", link["href"].rpartition("/")[2])
                for link in w.do("GET {g}/policies?limit=101").document["policies_links"]
            ]
        ),
    ),
    "2 limit: 1000": ("200", "GET {t}/groups?limit=1000"),
    "2 limit: 100000": ("200", "GET {t}/groups?limit=100000"),
    "2 limit: ab": (QUERY, "GET {t}/groups?limit=ab"),
    "2 limit: &": (QUERY, "GET {t}/groups?limit=&"),
    "2 limit: 3.0": (QUERY, "GET {t}/groups?limit=3.0"),
    "2 limit: empty": (QUERY, "GET {t}/groups?limit="),
    "2 limit: empty, without a sign": ("200", "GET {t}/groups?limit"),
    "2 marker: an id": (
        True,
        lambda w: (ids := _three(w))[1:] == w.ids(f"{{g}}/policies?marker={ids[0]}"),
    ),
    "2 marker: invalid": (0, lambda w: _page(w, "marker=invalid")),
    "2 marker: -13": (3, lambda w: _page(w, "marker=-13")),
    "2 marker: empty": (3, lambda w: _page(w, "marker=")),
    "2 repeats / unknown args: repeats": (1, lambda w: _page(w, "limit=1&limit=junk")),
    "2 repeats / unknown args: unknown": (3, lambda w: _page(w, "limits=1&x=%FF")),
    "2 order": (True, lambda w: (ids := _three(w)) == sorted(ids)),
    "2 page shorter than the effective limit": ([], lambda w: _next(w, "limit=4")),
    "2 page has ≥ effective-limit items: more to come": (
        ["?limit=2&marker=#2"],
        lambda w: _next(w, "marker=&limit=2"),
    ),
    "2 page has ≥ effective-limit items: exactly the last": (
        ["?limit=3&marker=#3"],
        lambda w: _next(w, "limit=3"),
    ),
    "2 page has ≥ effective-limit items: every collection": (
        ["next", "next", "next"],
        lambda w: _rels(w, *(f"{path}?limit=1" for path in LISTS)),
    ),
    "2 no self, no prev": ([], lambda w: _rels(w, *LISTS)),
    "2 manifest": (
        ["policies", "next"],
        lambda w: (
            w.do("POST {g}/policies", [a_policy()] * 100)
            and [link["rel"] for link in w.get("{g}")["scalingPolicies_links"]]
        ),
    ),
    "2 manifest: webhooks": (
        ["webhooks"],
        lambda w: (
            w.at("{w}")
            and [
                link["rel"]
                for link in w.get("{g}?webhooks=true")["scalingPolicies"][0]["webhooks_links"]
            ]
        ),
    ),
}


class PageRows(RowCase, rows=PAGES):
    """rest-api.md 2."""


def _stored(w: RowCase, policy: dict[str, object]) -> object:
    shown = w.do("POST {g}/policies", [policy]).document["policies"][0]
    return {name: value for name, value in shown.items() if name not in {"id", "links"}}


def _put(w: RowCase, path: str, *bodies: object) -> list[str]:
    return [w.do(f"PUT {path}", body).error for body in bodies]


def _survives(w: RowCase) -> object:
    w.make_policy(w.at("{g}"), cooldown=100)
    before = w.do("GET {w}").document, w.get("{p}")["links"]
    w.do("POST {p}/execute")
    w.do("PUT {p}", a_policy(name="new", cooldown=100))
    return (w.do("GET {w}").document, w.get("{p}")["links"]) == before, w.do(
        "POST {p}/execute"
    ).error


def _deleted(w: RowCase) -> object:
    w.at("{w}")
    found = w.all("POST {p}/execute", "DELETE {p}", "GET {p}", "GET {w}", "POST {c}")
    return [*found, str(w.wants())]


AT = {"at": "2031-03-01T09:00:00Z"}
CHANGED = [
    a_policy(change=None, changePercent=Decimal("12.5")),
    a_policy(change=None, desiredCapacity=0),
    a_policy(change=-1),
]

POLICIES: Rows = {
    "3.11 GET G/policies (limit,marker): new group": (
        {"policies": [], "policies_links": []},
        lambda w: w.do("GET {g}/policies").document,
    ),
    "3.11 GET G/policies (limit,marker): bad limit": (QUERY, "GET {g}/policies?limit=x"),
    "3.11 POST G/policies: as sent": (a_policy(), lambda w: _stored(w, a_policy())),
    "3.11 POST G/policies: schedule": (a_schedule(), lambda w: _stored(w, a_schedule())),
    "3.11 POST G/policies: in request order": (
        (["policies"], ["b", "a", "b"]),
        lambda w: (
            list(
                document := w.do(
                    "POST {g}/policies", [a_policy(name=name) for name in ("b", "a", "b")]
                ).document
            ),
            [policy["name"] for policy in document["policies"]],
        ),
    ),
    "3.11 POST G/policies: all or nothing": (
        (SCHEMA, []),
        lambda w: (
            w.do("POST {g}/policies", [a_policy(), a_policy(change=0)]).error,
            w.ids("{g}/policies"),
        ),
    ),
    "3.11 POST G/policies: one object": (SCHEMA, "POST {g}/policies", a_policy()),
    "3.11 POST G/policies: empty": (SCHEMA, "POST {g}/policies", []),
    "3.11 GET P": (["policy"], lambda w: list(w.do("GET {p}").document)),
    "3.11 GET P: unknown": (POLICY, "GET {g}/policies/{u}"),
    "3.11 PUT P: change kind": (["204"] * 3, lambda w: _put(w, "{p}", *CHANGED)),
    "3.11 PUT P: webhook to schedule": ([SCHEMA], lambda w: _put(w, "{p}", a_schedule())),
    "3.11 PUT P: schedule to webhook": ([SCHEMA], lambda w: _put(w, "{s}", a_policy())),
    "3.11 PUT P: at and cron": (
        ["204", "204"],
        lambda w: _put(w, "{s}", a_policy(type="schedule", args=AT), a_schedule()),
    ),
    "3.11 PUT P: at in the past, only the name changes": (
        (["204"], [SCHEMA]),
        lambda w: (
            _put(w, "{s}", a_policy(type="schedule", args=AT)),
            w.clock.advance(3600) or _put(w, "{s}", a_policy(name="n", type="schedule", args=AT)),
        ),
    ),
    "3.11 PUT P: what survives": ((True, "403 CannotExecutePolicyError"), _survives),
    "3.11 PUT P: an array": ([SCHEMA], lambda w: _put(w, "{p}", [a_policy()])),
    "3.11 DELETE P": (["202", "204", POLICY, WEBHOOK, "202", "2"], _deleted),
    "3.11 schedule policies: webhooks and by hand": (
        (["202", "201"], 2),
        lambda w: (
            [w.do("POST {s}/execute").error, w.do("POST {s}/webhooks", [HOOK]).error],
            w.wants(),
        ),
    ),
}


class PolicyRows(RowCase, rows=POLICIES):
    """rest-api.md 3.11."""


def _webhooks(w: RowCase) -> object:
    sent = [{"name": "b", "metadata": {"a": "b"}}, {"name": "a"}, {"name": "b"}]
    document = w.do("POST {p}/webhooks", sent).document
    shown = [(hook["name"], hook["metadata"]) for hook in document["webhooks"]]
    return list(document), shown, [link["rel"] for link in document["webhooks"][0]["links"]]


def _updated(w: RowCase) -> object:
    before = w.get("{w}")["links"]
    status = w.do("PUT {w}", {"name": "new", "metadata": {"k": "v"}}).error
    after = w.get("{w}")
    return status, after["name"], after["metadata"], after["links"] == before


WEBHOOKS: Rows = {
    "3.12 GET P/webhooks (limit,marker)": (
        {"webhooks": [], "webhooks_links": []},
        lambda w: w.do("GET {p}/webhooks").document,
    ),
    "3.12 GET P/webhooks (limit,marker): bad limit": (QUERY, "GET {p}/webhooks?limit=x"),
    "3.12 POST P/webhooks": (
        (["webhooks"], [("b", {"a": "b"}), ("a", {}), ("b", {})], ["self", "capability"]),
        _webhooks,
    ),
    "3.12 POST P/webhooks: hash": (
        True,
        lambda w: bool(re.fullmatch(r"/v1\.0/execute/1/[0-9a-f]{64}/", w.at("{c}"))),
    ),
    "3.12 POST P/webhooks: 26 is a limit": (
        "422 WebhooksOverLimitError",
        "POST {p}/webhooks",
        [HOOK] * 26,
    ),
    "3.12 POST P/webhooks: 101 is a schema": (SCHEMA, "POST {p}/webhooks", [HOOK] * 101),
    "3.12 GET W": (["webhook"], lambda w: list(w.do("GET {w}").document)),
    "3.12 PUT W": (("204", "new", {"k": "v"}, True), _updated),
    "3.12 PUT W: no metadata": (SCHEMA, "PUT {w}", {"name": "w"}),
    "3.12 PUT W: no name": (SCHEMA, "PUT {w}", {"metadata": {}}),
    "3.12 DELETE W": (
        (["204", WEBHOOK, "202"], 0),
        lambda w: (w.all("DELETE {w}", "GET {w}", "POST {c}"), w.wants()),
    ),
    "3.13 list/create webhooks: group": (
        [GROUP, GROUP],
        lambda w: [
            w.do(f"GET {NOWHERE}/policies/{{u}}/webhooks").error,
            w.do(f"POST {NOWHERE}/policies/{{u}}/webhooks", [HOOK]).error,
        ],
    ),
    "3.13 list/create webhooks: policy": (
        [POLICY, POLICY],
        lambda w: [
            w.do("GET {g}/policies/{u}/webhooks").error,
            w.do("POST {g}/policies/{u}/webhooks", [HOOK]).error,
        ],
    ),
    "3.13 get/update/delete webhook: group": (
        [GROUP] * 3,
        lambda w: [
            w.do(f"{method} {NOWHERE}/policies/{{u}}/webhooks/{{u}}", HOOK).error
            for method in ("GET", "PUT", "DELETE")
        ],
    ),
    "3.13 get/update/delete webhook: policy": (
        [WEBHOOK] * 3,
        lambda w: [
            w.do(f"{method} {{g}}/policies/{{u}}/webhooks/{{u}}", HOOK).error
            for method in ("GET", "PUT", "DELETE")
        ],
    ),
    "3.13 get/update/delete webhook: webhook": (
        [WEBHOOK] * 3,
        lambda w: [
            w.do(f"{method} {{p}}/webhooks/{{u}}", HOOK).error
            for method in ("GET", "PUT", "DELETE")
        ],
    ),
    "3.13 policy ops, execute: group": (
        [GROUP] * 4,
        lambda w: [
            w.do(f"{method} {NOWHERE}/policies/{{u}}{rest}", a_policy()).error
            for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/execute"))
        ],
    ),
    "3.13 policy ops, execute: policy": (
        [POLICY] * 4,
        lambda w: [
            w.do(f"{method} {{g}}/policies/{{u}}{rest}", a_policy()).error
            for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/execute"))
        ],
    ),
}


class WebhookRows(RowCase, rows=WEBHOOKS):
    """rest-api.md 3.12 and 3.13."""
