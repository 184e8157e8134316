"""The rows of rest-api.md 3.1 to 3.10: groups."""

from typing import Any

from otter.models.ledger import EntryState
from tests.rest.rows import RowCase, Rows
from tests.rest.world import BASE, UNKNOWN, a_config, a_group, a_launch, a_policy

GONE = "404 NoSuchScalingGroupError"
BAD_QUERY = "400 InvalidQueryArgument"
NOT_EMPTY = "403 GroupNotEmptyError"
PAUSED = "403 GroupPausedError"


def _with_servers(w: RowCase) -> object:
    w.make_group(minEntities=3)
    w.add_server("s1")
    w.add_server("s2", EntryState.BUILDING)
    state = w.get("{g}/state")
    return [state[f"{kind}Capacity"] for kind in ("active", "pending", "desired")]


def _shrinking(w: RowCase) -> object:
    for server in ("s1", "s2"):
        w.add_server(server)
    return w.get("{g}/state")["pendingCapacity"]


COMMON: Rows = {
    "3.1 name": ("new", lambda w: _renamed(w)["name"]),
    "3.1 activeCapacity": ([1, 2, 3], _with_servers),
    "3.1 pendingCapacity: growing": ([1, 2, 3], _with_servers),
    "3.1 pendingCapacity: shrinking": (-2, _shrinking),
    "3.1 desiredCapacity": (2, lambda w: w.desired(w.make_group(minEntities=2))),
    "3.1 paused": (
        [False, True],
        lambda w: [
            w.get("{g}/state")["paused"],
            w.do("POST {g}/pause") and w.get("{g}/state")["paused"],
        ],
    ),
    "3.1 status: ACTIVE": ("ACTIVE", lambda w: w.get("{g}/state")["status"]),
    "3.1 status: ERROR": ("ERROR", lambda w: _failed(w)["status"]),
    "3.1 active": (
        [
            {
                "id": "s1",
                "links": [
                    {"rel": "self", "href": "http://nova/s1"},
                    {"rel": "bookmark", "href": "http://b/s1"},
                ],
            }
        ],
        lambda w: w.add_server("s1") or w.get("{g}/state")["active"],
    ),
    "3.1 errors: ERROR": ([{"message": "no"}], lambda w: _failed(w)["errors"]),
    "3.1 errors: ACTIVE": (False, lambda w: "errors" in w.get("{g}/state")),
}


class CommonRows(RowCase, rows=COMMON):
    """rest-api.md 3.1."""


def _renamed(w: RowCase) -> dict[str, object]:
    w.do("PUT {g}/config", a_config(name="new"))
    return dict(w.get("{g}/state"))


def _failed(w: RowCase) -> dict[str, object]:
    w.set_reasons("no")
    return dict(w.get("{g}/state"))


def _created(w: RowCase, **changes: object) -> Any:
    return dict(w.do("POST {t}/groups", a_group(**changes)).document["group"])


def _listed(w: RowCase) -> object:
    path = w.at("{g}")
    entry = w.get("{t}/groups")[0]
    return sorted(entry), entry["links"] == [{"rel": "self", "href": f"{BASE}{path}/"}]


LIST_AND_CREATE: Rows = {
    "3.2 list: entry": ((["id", "links", "state"], True), _listed),
    "3.2 list: no groups": (
        {"groups": [], "groups_links": []},
        lambda w: w.do("GET {t}/groups").document,
    ),
    "3.2 list: deleting": ([], lambda w: w.do("DELETE {g}") and w.ids("{t}/groups")),
    "3.2 list: bad limit": (BAD_QUERY, "GET {t}/groups?limit=x"),
    "3.3 groupConfiguration: required": (
        "400 ValidationError",
        "POST {t}/groups",
        {"launchConfiguration": a_launch()},
    ),
    "3.3 groupConfiguration: defaults": (
        a_config(maxEntities=1000),
        lambda w: _created(w, groupConfiguration={"name": "web", "cooldown": 0, "minEntities": 0})[
            "groupConfiguration"
        ],
    ),
    "3.3 launchConfiguration: required": (
        "400 ValidationError",
        "POST {t}/groups",
        {"groupConfiguration": a_config()},
    ),
    "3.3 launchConfiguration: as sent": (
        a_launch(),
        lambda w: _created(w)["launchConfiguration"],
    ),
    "3.3 scalingPolicies: absent": ([], lambda w: _created(w)["scalingPolicies"]),
    "3.3 scalingPolicies: empty": (
        "201",
        "POST {t}/groups",
        a_group(scalingPolicies=[]),
    ),
    "3.3 scalingPolicies: 100": (
        "201",
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy()] * 100),
    ),
    "3.3 scalingPolicies: 101": (
        "400 ValidationError",
        "POST {t}/groups",
        a_group(scalingPolicies=[a_policy()] * 101),
    ),
    "3.3 scalingPolicies: null": (
        "400 ValidationError",
        "POST {t}/groups",
        a_group(scalingPolicies=None),
    ),
    "3.3 scalingPolicies: in request order": (
        ["z", "a"],
        lambda w: [
            policy["name"]
            for policy in _created(w, scalingPolicies=[a_policy(name="z"), a_policy(name="a")])[
                "scalingPolicies"
            ]
        ],
    ),
    "3.3 unknown key": ("400 ValidationError", "POST {t}/groups", a_group(x=1)),
    "3.3 id, links": (True, lambda w: _is_linked(w, _created(w))),
    "3.3 scalingPolicies_links": (
        ["policies"],
        lambda w: [link["rel"] for link in _created(w)["scalingPolicies_links"]],
    ),
    "3.3 state": (
        {
            "name": "web",
            "activeCapacity": 0,
            "pendingCapacity": 0,
            "desiredCapacity": 0,
            "paused": False,
            "status": "ACTIVE",
            "active": [],
        },
        lambda w: _created(w, groupConfiguration=a_config(minEntities=3))["state"],
    ),
    "3.3 state: the very next read": (3, lambda w: w.desired(w.make_group(minEntities=3))),
}


class ListAndCreateRows(RowCase, rows=LIST_AND_CREATE):
    """rest-api.md 3.2 and 3.3."""


def _is_linked(w: RowCase, group: dict[str, object]) -> bool:
    return group["links"] == [{"rel": "self", "href": f"{BASE}{w.at('{t}')}/groups/{group['id']}/"}]


def _webhook_counts(w: RowCase, query: str) -> object:
    w.at("{w}")
    policies = w.get(f"{{g}}?{query}")["scalingPolicies"]
    return [len(policy["webhooks"]) for policy in policies if "webhooks" in policy]


SHOW_AND_DELETE: Rows = {
    "3.4 true in any letter case (tRuE, True): true": (
        [1],
        lambda w: _webhook_counts(w, "webhooks=true"),
    ),
    "3.4 true in any letter case (tRuE, True): tRuE": (
        [1],
        lambda w: _webhook_counts(w, "webhooks=tRuE"),
    ),
    "3.4 absent, False, 15, Tr@%, anything else: absent": (
        [],
        lambda w: _webhook_counts(w, ""),
    ),
    "3.4 absent, False, 15, Tr@%, anything else: False": (
        [],
        lambda w: _webhook_counts(w, "webhooks=False"),
    ),
    "3.4 absent, False, 15, Tr@%, anything else: 15": (
        [],
        lambda w: _webhook_counts(w, "webhooks=15"),
    ),
    "3.4 absent, False, 15, Tr@%, anything else: Tr@%": (
        [],
        lambda w: _webhook_counts(w, "webhooks=Tr@%25"),
    ),
    "3.4 absent, False, 15, Tr@%, anything else: name in capitals": (
        [],
        lambda w: _webhook_counts(w, "WEBHOOKS=true"),
    ),
    "3.4 unknown group": (GONE, "GET {t}/groups/{u}?webhooks=true"),
    "3.5 absent or false (any case): absent, desired 0": ("204", "DELETE {g}"),
    "3.5 absent or false (any case): absent, desired 1": (
        NOT_EMPTY,
        lambda w: w.ask("DELETE", w.make_group(minEntities=1)).error,
    ),
    "3.5 absent or false (any case): FaLsE": (
        NOT_EMPTY,
        lambda w: w.ask("DELETE", w.make_group(minEntities=1) + "?force=FaLsE").error,
    ),
    "3.5 absent or false (any case): servers still there": (
        "204",
        lambda w: w.add_server("s1") or w.do("DELETE {g}").error,
    ),
    "3.5 true (any case): TrUe": (
        "204",
        lambda w: w.ask("DELETE", w.make_group(minEntities=1) + "?force=TrUe").error,
    ),
    "3.5 true (any case): paused": (
        ["204", "204"],
        lambda w: w.all("POST {g}/pause", "DELETE {g}?force=true"),
    ),
    "3.5 anything else, incl. empty, 0, truee: force=truee": (
        BAD_QUERY,
        "DELETE {g}?force=truee",
    ),
    "3.5 anything else, incl. empty, 0, truee: force=0": (BAD_QUERY, "DELETE {g}?force=0"),
    "3.5 anything else, incl. empty, 0, truee: force=": (BAD_QUERY, "DELETE {g}?force="),
    "3.5 anything else, incl. empty, 0, truee: with servers": (
        BAD_QUERY,
        lambda w: w.ask("DELETE", w.make_group(minEntities=1) + "?force=yes").error,
    ),
    "3.5 gone from the 204 on": (
        ["204", GONE, GONE, GONE],
        lambda w: w.all("DELETE {g}", "GET {g}", "DELETE {g}", "GET {g}/policies"),
    ),
}


class ShowAndDeleteRows(RowCase, rows=SHOW_AND_DELETE):
    """rest-api.md 3.4 and 3.5."""


def _resized(w: RowCase, before: dict[str, int], after: dict[str, int], desired: int) -> object:
    w.make_group(**before)
    policy = w.make_policy(w.at("{g}"), change=None, desiredCapacity=desired)
    w.ask("POST", f"{policy}/execute")
    status = w.do("PUT {g}/config", a_config(**{**before, **after})).error
    return status, w.wants()


def _cooled(w: RowCase) -> object:
    w.make_group(cooldown=86400)
    found = w.all("POST {p}/execute", "POST {p}/execute")
    w.do("PUT {g}/config", a_config(cooldown=0))
    return [*found, *w.all("POST {p}/execute")]


ROOM = {"minEntities": 2, "maxEntities": 8}


STATE_AND_CONFIG: Rows = {
    "3.6 shape": (["group"], lambda w: list(w.do("GET {g}/state").document)),
    "3.6 errors[].message: each once, sorted": (
        [{"message": "Balancer 1 is gone"}, {"message": "bad key_name"}],
        lambda w: (
            w.set_reasons("bad key_name", "Balancer 1 is gone", "bad key_name")
            or w.get("{g}/state")["errors"]
        ),
    ),
    "3.6 ERROR does not block: execute": (
        "202",
        lambda w: _failed(w) and w.do("POST {p}/execute").error,
    ),
    "3.6 ERROR does not block: config": (
        "204",
        lambda w: _failed(w) and w.do("PUT {g}/config", a_config()).error,
    ),
    "3.6 ERROR does not block: launch": (
        "204",
        lambda w: _failed(w) and w.do("PUT {g}/launch", a_launch()).error,
    ),
    "3.7 min raised above desired": (
        ("204", 5),
        lambda w: _resized(w, ROOM, {"minEntities": 5}, 3),
    ),
    "3.7 min lowered": (("204", 3), lambda w: _resized(w, ROOM, {"minEntities": 0}, 3)),
    "3.7 max lowered below desired": (
        ("204", 4),
        lambda w: _resized(w, ROOM, {"maxEntities": 4}, 7),
    ),
    "3.7 max raised": (("204", 7), lambda w: _resized(w, ROOM, {"maxEntities": 9}, 7)),
    "3.7 cooldown changed": (["202", "403 CannotExecutePolicyError", "202"], _cooled),
}


class StateAndConfigRows(RowCase, rows=STATE_AND_CONFIG):
    """rest-api.md 3.6 and 3.7; how a group gets into ERROR is the supervisor's."""


def _while_paused(w: RowCase, request: str, body: object = None) -> object:
    w.at("{w}")
    w.do("POST {g}/pause")
    return w.do(request, body).error


SWITCH: Rows = {
    "3.9 state": (True, lambda w: w.do("POST {g}/pause") and w.get("{g}/state")["paused"]),
    "3.9 authenticated execute": (PAUSED, lambda w: _while_paused(w, "POST {p}/execute")),
    "3.9 capability execute": (
        ("202", 0),
        lambda w: (_while_paused(w, "POST {c}"), w.wants()),
    ),
    "3.9 converge": (PAUSED, lambda w: _while_paused(w, "POST {g}/converge")),
    "3.9 create policies and webhooks: policies": (
        "201",
        lambda w: _while_paused(w, "POST {g}/policies", [a_policy()]),
    ),
    "3.9 create policies and webhooks: webhooks": (
        "201",
        lambda w: _while_paused(w, "POST {p}/webhooks", [{"name": "w"}]),
    ),
    "3.9 create policies and webhooks: update": (
        "204",
        lambda w: _while_paused(w, "PUT {p}", a_policy()),
    ),
    "3.9 create policies and webhooks: delete": (
        "204",
        lambda w: _while_paused(w, "DELETE {w}"),
    ),
    "3.9 PUT config / PUT launch: config": (
        ("204", 4),
        lambda w: (
            _while_paused(w, "PUT {g}/config", a_config(minEntities=4)),
            w.wants(),
        ),
    ),
    "3.9 PUT config / PUT launch: launch": (
        "204",
        lambda w: _while_paused(w, "PUT {g}/launch", a_launch()),
    ),
    "3.9 DELETE group / DELETE server: group": (
        "204",
        lambda w: _while_paused(w, "DELETE {g}"),
    ),
    "3.9 DELETE group / DELETE server: server": (
        "202",
        lambda w: w.add_server("s1") or _while_paused(w, "DELETE {g}/servers/s1"),
    ),
    "3.9 idempotent": (
        ["204"] * 4,
        lambda w: w.all("POST {g}/pause", "POST {g}/pause", "POST {g}/resume", "POST {g}/resume"),
    ),
    "3.9 unknown group: pause": (GONE, f"POST {{t}}/groups/{UNKNOWN}/pause"),
    "3.9 unknown group: resume": (GONE, f"POST {{t}}/groups/{UNKNOWN}/resume"),
    "3.10 converge": ("204", "POST {g}/converge"),
    "3.10 converge: unknown": (GONE, "POST {t}/groups/{u}/converge"),
    "3.10 converge: suspended": (
        "403 TenantSuspendedError",
        lambda w: w.suspend() or w.do("POST {g}/converge").error,
    ),
    "3.10 converge: no cooldown": (
        ["204", "202", "204"],
        lambda w: w.all("POST {g}/converge", "POST {p}/execute", "POST {g}/converge"),
    ),
}


class SwitchRows(RowCase, rows=SWITCH):
    """rest-api.md 3.9 and 3.10."""
