"""The rows of rest-api.md 6: what black-box suites assert and nobody would guess."""

from decimal import Decimal

from otter.models.ledger import EntryState
from tests.rest.rows import RowCase, Rows
from tests.rest.world import a_config, a_group, a_launch, a_policy, a_server, local

BAD = "400 ValidationError"
QUERY = "400 InvalidQueryArgument"
COOLDOWN = "403 CannotExecutePolicyError"
GROUP = "404 NoSuchScalingGroupError"
HOOK = {"name": "w", "metadata": {}}
JSON = "application/json"
MAPPING = {"block_device_mapping": [{"device_name": "vda"}]}


def _headers(w: RowCase, request: str) -> object:
    reply = w.do(request)
    return (
        reply.body,
        reply.headers["Content-Type"],
        all(reply.headers[name] for name in ("X-Response-Id", "Date", "Server")),
    )


def _zero_with_servers(w: RowCase) -> str:
    w.make_group(minEntities=0, maxEntities=0)
    w.add_server("s1", EntryState.BUILDING)
    return w.do("DELETE {g}").error


def _at_bound(w: RowCase) -> object:
    w.make_group(minEntities=10)
    w.at("{p}")
    return w.asks_for_cycle("POST {p}/execute"), w.do("POST {p}/execute").error, w.wants()


def _lost_servers(w: RowCase) -> int:
    """Return the desired capacity of a group that lost a server, after an execution."""
    w.make_group(minEntities=3)
    w.add_server("s1", EntryState.GONE)
    w.do("POST {p}/execute")
    return w.wants()


def _created_twice(w: RowCase) -> object:
    return [w.do("POST {t}/groups", a_group()).status for _ in range(2)], len(w.ids("{t}/groups"))


def _sorted(w: RowCase) -> bool:
    for name in "cab":
        w.make_group(name=name)
    ids = w.ids("{t}/groups")
    return ids == sorted(ids)


def _without(name: str) -> dict[str, object]:
    return {key: value for key, value in a_config().items() if key != name}


def _dropped(w: RowCase) -> object:
    w.do("PUT {g}/launch", a_launch(draining_timeout=60, loadBalancers=[]))
    status = w.do("PUT {g}/launch", a_launch()).error
    return status, w.get("{g}/launch")["args"] == a_launch()["args"]


def _bounds(w: RowCase) -> object:
    w.make_group(minEntities=4)
    found = []
    for least, most in ((1, 10), (1, 3)):
        w.do("PUT {g}/config", a_config(minEntities=least, maxEntities=most))
        found.append(w.wants())
    return found


def _config_and_cooldown(w: RowCase) -> object:
    w.make_group(cooldown=600)
    w.do("POST {p}/execute")
    first = w.do("PUT {g}/config", a_config(cooldown=600, minEntities=5)).error, w.wants()
    other = w.make_group(cooldown=600)
    policy = w.make_policy(other)
    w.ask("PUT", f"{other}/config", a_config(cooldown=600, minEntities=5))
    return first, w.ask("POST", f"{policy}/execute").error


def _group_cooldown(w: RowCase) -> object:
    w.make_group(cooldown=600)
    return w.all("POST {p}/execute", "POST {s}/execute")


def _duplicates(w: RowCase) -> object:
    return [
        w.do("POST {g}/policies", [a_policy(), a_policy()]).error,
        w.do("POST {g}/policies", [a_policy()]).error,
        w.do("POST {p}/webhooks", [HOOK, HOOK]).error,
        *(w.do("POST {t}/groups", a_group()).error for _ in range(2)),
    ]


def _unknown(w: RowCase) -> set[int]:
    w.at("{w}")
    requests = []
    for name in ("00000000-0000-4000-8000-000000000000", "xyz", "13344", "%20"):
        paths = [f"{{t}}/groups/{name}/state", f"{{g}}/policies/{name}", f"{{p}}/webhooks/{name}"]
        requests += [f"{method} {path}" for path in paths[1:] for method in ("GET", "DELETE")]
        requests += [f"GET {paths[0]}", f"DELETE {{t}}/groups/{name}"]
    return {w.do(request).status for request in requests}


def _just_deleted(w: RowCase) -> object:
    w.at("{w}")
    return [
        (w.do(f"DELETE {path}").status, w.do(f"GET {path}").status, w.do(f"DELETE {path}").status)
        for path in ("{w}", "{p}", "{g}")
    ]


def _capability_for_ever(w: RowCase) -> object:
    before = w.at("{c}")
    w.do("PUT {w}", {"name": "new", "metadata": {}})
    w.do("PUT {p}", a_policy(name="new"))
    after = local(w.get("{w}")["links"][1]["href"])
    return before == after, w.all("DELETE {w}", "POST {c}", "DELETE {g}", "POST {c}")


def _executed_then_deleted(w: RowCase) -> object:
    return w.all("POST {p}/execute", "DELETE {p}"), w.wants()


def _sums(w: RowCase) -> list[object]:
    found: list[object] = []
    w.make_group(minEntities=1)
    w.add_server("s1")
    for request, body in (
        ("POST {p}/execute", None),
        ("PUT {g}/config", a_config(minEntities=7)),
        ("DELETE {g}/servers/s1", None),
    ):
        w.do(request, body)
        state = w.get("{g}/state")
        total = state["activeCapacity"] + state["pendingCapacity"]
        found.append((total == state["desiredCapacity"], state["desiredCapacity"]))
    return found


def _images(w: RowCase) -> object:
    found = []
    for server in (
        {"flavorRef": "3", **MAPPING},
        a_server(imageRef="", **MAPPING),
        a_server(imageRef=None, **MAPPING),
    ):
        w.do("PUT {g}/launch", a_launch(server))
        found.append(w.get("{g}/launch")["args"]["server"].get("imageRef", "absent"))
    return found


def _balancer_ids(w: RowCase) -> object:
    items = [{"loadBalancerId": name, "port": 80} for name in (1, "1", 2)]
    w.do("PUT {g}/launch", a_launch(loadBalancers=items))
    return [item["loadBalancerId"] for item in w.get("{g}/launch")["args"]["loadBalancers"]]


def _as_observer(w: RowCase) -> object:
    w.tokens.add("reader", "observer", tenant=w.tenant)
    w.at("{w}")
    return [w.do(f"GET {path}", token="reader").status for path in ("{p}", "{w}", "{p}/webhooks")]


def _foreign_capability(w: RowCase) -> object:
    w.tokens.add("foreign", "autoscale:admin", tenant="other")
    return [w.do("POST {c}", token=token).status for token in ("foreign", None)], w.wants()


SURPRISES: Rows = {
    "6 #1: 202": ((b"", JSON, True), lambda w: _headers(w, "POST {c}")),
    "6 #1: 204": ((b"", JSON, True), lambda w: _headers(w, "POST {g}/pause")),
    "6 #2": (
        "403 GroupNotEmptyError",
        lambda w: w.ask("DELETE", w.make_group(minEntities=1)).error,
    ),
    "6 #3": ("204", _zero_with_servers),
    "6 #4: any casing": ("204", "DELETE {g}?force=TRUE"),
    "6 #4: else, although empty": (QUERY, "DELETE {g}?force=1"),
    "6 #5: any casing": ("200", "GET {g}?webhooks=TRUE"),
    "6 #5: else": ("200", "GET {g}?webhooks=nonsense"),
    "6 #6: at a bound": ((True, COOLDOWN, 10), _at_bound),
    "6 #6: based on desired": (5, _lost_servers),
    "6 #7: exactly full page": (
        1,
        lambda w: w.at("{g}") and len(w.do("GET {t}/groups?limit=1").document["groups_links"]),
    ),
    "6 #7: junk marker": ("200", "GET {t}/groups?marker=%FFjunk"),
    "6 #7: limit=3.0": (QUERY, "GET {t}/groups?limit=3.0"),
    "6 #7: limit=-1": (
        1,
        lambda w: w.make_group() and w.make_group() and len(w.ids("{t}/groups?limit=-1")),
    ),
    "6 #8": (True, _sorted),
    **{f"6 #9: {name}": (BAD, "PUT {g}/config", _without(name)) for name in a_config()},
    "6 #10": (BAD, "PUT {w}", {"name": "w"}),
    "6 #11": (("204", True), _dropped),
    "6 #12": ([4, 3], _bounds),
    "6 #13": ((("204", 5), "202"), _config_and_cooldown),
    "6 #14": (["202", COOLDOWN], _group_cooldown),
    "6 #15: type": (BAD, "PUT {s}", a_policy()),
    "6 #15: change kind": ("204", "PUT {p}", a_policy(change=None, changePercent=10)),
    "6 #16: webhooks": ("201", "POST {s}/webhooks", [HOOK]),
    "6 #16: by hand": ("202", "POST {s}/execute"),
    "6 #17": (["201"] * 5, _duplicates),
    "6 #17: groups": (([201, 201], 2), _created_twice),
    "6 #18": (
        ("202", 10),
        lambda w: (
            w.make_policy(w.at("{g}"), change=2**63 - 1) and w.do("POST {p}/execute").error,
            w.wants(),
        ),
    ),
    "6 #19: desiredCapacity": (
        BAD,
        "POST {g}/policies",
        [a_policy(change=None, desiredCapacity=Decimal("0.0001"))],
    ),
    "6 #19: change": (BAD, "POST {g}/policies", [a_policy(change=Decimal("-0.01"))]),
    "6 #19: changePercent": (
        "201",
        "POST {g}/policies",
        [a_policy(change=None, changePercent=Decimal("0.0001"))],
    ),
    **{
        f"6 #20: {text}": (BAD, "POST {g}/policies", [a_policy(**{"change": None, kind: text})])
        for kind, text in (
            ("changePercent", "-100"),
            ("change", "-0.01"),
            ("changePercent", "-00.01"),
            ("desiredCapacity", "0.001"),
        )
    },
    "6 #21: unknown": ({404}, _unknown),
    "6 #21: just deleted": ([(204, 404, 404)] * 3, _just_deleted),
    "6 #22": ((True, ["204", "202", "204", "202"]), _capability_for_ever),
    "6 #23": (([202, 202], 4), _foreign_capability),
    "6 #24": ([200, 403, 403], _as_observer),
    "6 #25": ((["202", "204"], 2), _executed_then_deleted),
    "6 #26": ([(True, 3), (True, 7), (True, 7)], _sums),
    "6 #27": (
        [0, 0, 0],
        lambda w: [
            w.do("POST {t}/groups", a_group(groupConfiguration=a_config(minEntities=3))).document[
                "group"
            ]["state"][f"{kind}Capacity"]
            for kind in ("active", "pending", "desired")
        ],
    ),
    "6 #28": (["absent", "", None], _images),
    "6 #29": ([1, "1", 2], _balancer_ids),
    "6 #34": (["200", "200"], lambda w: w.all("GET {t}/limits", "GET {t}/limits/")),
    "6 #35": (
        ("202", 1),
        lambda w: (
            w.make_group(minEntities=1)
            and (w.add_server("s1") or w.do("DELETE {g}/servers/s1").error),
            w.wants(),
        ),
    ),
}


class SurpriseRows(RowCase, rows=SURPRISES):
    """rest-api.md 6; what concerns servers themselves is the supervisor's."""
