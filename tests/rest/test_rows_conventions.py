"""The rows of rest-api.md 1.1 to 1.5: routes, URLs, headers, the body of an error."""

import re
from typing import Any

from tests.rest.rows import RowCase, Rows
from tests.rest.wire import Connection, request_bytes
from tests.rest.world import BASE, UNKNOWN, a_config, a_group, a_launch, a_policy

GONE = "404 NoSuchScalingGroupError"
WEBHOOK = {"name": "w", "metadata": {}}

ROUTES: Rows = {
    "1.1 #1: GET": ("200", "GET {t}/groups"),
    "1.1 #1: POST": ("201", "POST {t}/groups", a_group()),
    "1.1 #2: GET": ("200", "GET {g}"),
    "1.1 #2: DELETE": ("204", "DELETE {g}"),
    "1.1 #3: GET": ("200", "GET {g}/state"),
    "1.1 #4: GET": ("200", "GET {g}/config"),
    "1.1 #4: PUT": ("204", "PUT {g}/config", a_config()),
    "1.1 #5: GET": ("200", "GET {g}/launch"),
    "1.1 #5: PUT": ("204", "PUT {g}/launch", a_launch()),
    "1.1 #6: POST": ("204", "POST {g}/pause"),
    "1.1 #7: POST": ("204", "POST {g}/resume"),
    "1.1 #8: POST": ("204", "POST {g}/converge"),
    "1.1 #9: GET": ("501 NotImplementedError", "GET {g}/servers"),
    "1.1 #10: GET": ("501 NotImplementedError", "GET {g}/servers/s1"),
    "1.1 #10: DELETE": ("202", lambda w: w.add_server("s1") or w.do("DELETE {g}/servers/s1").error),
    "1.1 #11: GET": ("200", "GET {g}/policies"),
    "1.1 #11: POST": ("201", "POST {g}/policies", [a_policy()]),
    "1.1 #12: GET": ("200", "GET {p}"),
    "1.1 #12: PUT": ("204", "PUT {p}", a_policy()),
    "1.1 #12: DELETE": ("204", "DELETE {p}"),
    "1.1 #13: POST": ("202", "POST {p}/execute"),
    "1.1 #14: GET": ("200", "GET {p}/webhooks"),
    "1.1 #14: POST": ("201", "POST {p}/webhooks", [WEBHOOK]),
    "1.1 #15: GET": ("200", "GET {w}"),
    "1.1 #15: PUT": ("204", "PUT {w}", WEBHOOK),
    "1.1 #15: DELETE": ("204", "DELETE {w}"),
    "1.1 #16: POST": ("202", "POST {c}"),
    "1.1 #17: GET": ("200", "GET {t}/limits"),
}
ABSENT = {
    "all tenants": "GET /v1.0",
    "group-level PUT": "PUT {g}",
    "history": "GET {t}/history",
    "audit": "GET {g}/audit",
    "suspend": "POST {g}/suspend",
    "unsuspend": "POST {g}/unsuspend",
    "bobby": "POST {g}/bobby",
}


class RouteRows(RowCase, rows=ROUTES):
    """rest-api.md 1.1."""

    def test_absent_routes(self) -> None:
        """What never was there answers 404, or 405 where there is something else."""
        found = {name: self.do(request).status for name, request in ABSENT.items()}

        expected = dict.fromkeys(ABSENT, 404) | {"group-level PUT": 405}
        self.assertEqual(found, expected)


def _same(w: RowCase, path: str) -> bool:
    plain, slashed = w.do(f"GET {path}"), w.do(f"GET {path}/")
    return plain.status == slashed.status == 200 and plain.body == slashed.body


def _hrefs(document: Any) -> list[str]:
    if isinstance(document, list):
        return [href for item in document for href in _hrefs(item)]
    if isinstance(document, dict):
        own = [document["href"]] if "href" in document else []
        return own + [href for item in document.values() for href in _hrefs(item)]
    return []


def _links(w: RowCase) -> list[str]:
    w.at("{w}")
    return _hrefs(w.get("{g}?webhooks=true"))


def _heads(w: RowCase, path: str) -> object:
    get, head = w.do(f"GET {path}"), w.do(f"HEAD {path}")
    names = ("Content-Type", "Content-Length", "Server")
    same = [get.headers[name] == head.headers[name] for name in names]
    return head.status == get.status, head.body, same


UNUSUAL = "%C3%A9%20b"

URLS: Rows = {
    "1.2 Version: v1.0": ("200", "GET {t}/groups"),
    "1.2 Version: v1": ("404", lambda w: str(w.do(f"GET /v1/{w.tenant}/groups").status)),
    "1.2 Version: v2.0": ("404", lambda w: str(w.do(f"GET /v2.0/{w.tenant}/groups").status)),
    "1.2 Version: of links": (
        True,
        lambda w: all(re.match(r"/v\d", href.removeprefix(BASE)) for href in _links(w)),
    ),
    "1.2 Tenant: any string": (
        "200",
        lambda w: (
            w.tokens.add("odd", "admin", tenant="é b")
            or w.ask("GET", f"/v1.0/{UNUSUAL}/groups", token="odd").error
        ),
    ),
    "1.2 Tenant: tied to the token": ("403 Forbidden", "GET /v1.0/somebody-else/groups"),
    "1.2 Trailing slash: groups": (True, lambda w: _same(w, "{t}/groups")),
    "1.2 Trailing slash: group": (True, lambda w: _same(w, "{g}")),
    "1.2 Trailing slash: state": (True, lambda w: _same(w, "{g}/state")),
    "1.2 Trailing slash: limits": (True, lambda w: _same(w, "{t}/limits")),
    "1.2 Trailing slash: webhooks": (True, lambda w: _same(w, "{p}/webhooks")),
    "1.2 Trailing slash: execute": ("202", "POST {p}/execute/"),
    "1.2 Doubled slash: end": ("404 NotFound", "GET {t}/groups//"),
    "1.2 Doubled slash: middle": ("404 NotFound", "GET {t}//groups"),
    "1.2 Ids: no UUID": (
        [GONE, GONE, "404 NoSuchPolicyError", "404 NoSuchWebhookError"],
        lambda w: w.all(
            "GET {t}/groups/xyz",
            "GET {t}/groups/13344",
            "GET {g}/policies/xyz",
            "GET {p}/webhooks/xyz",
        ),
    ),
    "1.2 Ids: form": (
        True,
        lambda w: all(
            re.fullmatch(
                r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", w.at(path).rpartition("/")[2]
            )
            for path in ("{g}", "{p}", "{w}")
        ),
    ),
    "1.2 Links: absolute, with a slash": (
        True,
        lambda w: all(
            href.startswith(f"{BASE}/v1.0/") and href.endswith("/") for href in _links(w)
        ),
    ),
    "1.2 Links: can be got verbatim": (
        {200},
        lambda w: {
            w.ask("GET", href.removeprefix(BASE)).status
            for href in _links(w)
            if "/execute/" not in href
        },
    ),
    "1.2 Links: not from the Host header": (
        True,
        lambda w: (
            w.at("{g}")
            and f"{BASE}/v1.0/" in w.do("GET {t}/groups", headers={"Host": "evil"}).body.decode()
        ),
    ),
    "1.2 HEAD: 200": ((True, b"", [True] * 3), lambda w: _heads(w, "{g}")),
    "1.2 HEAD: 404": ((True, b"", [True] * 3), lambda w: _heads(w, "{t}/groups/{u}")),
}


class UrlRows(RowCase, rows=URLS):
    """rest-api.md 1.2."""


def _typed(kind: str) -> dict[str, str]:
    return {"Content-Type": kind}


def _posted(w: RowCase, kind: str, request: str = "POST {t}/groups") -> str:
    body = b"--x" if request != "POST {t}/groups" else a_group()
    return w.do(request, body, headers=_typed(kind)).error


JSON = "application/json"

REQUEST_HEADERS: Rows = {
    "1.3 X-Auth-Token: missing": (
        "401 InvalidCredentials",
        lambda w: w.do("GET {t}/groups", token=None).error,
    ),
    "1.3 X-Auth-Token: not for capabilities": (
        "202",
        lambda w: w.do("POST {c}", token=None).error,
    ),
    "1.3 Content-Type: none": ("201", "POST {t}/groups", a_group()),
    "1.3 Content-Type: JSON": ("201", lambda w: _posted(w, JSON)),
    "1.3 Content-Type: JSON, parameters": (
        "201",
        lambda w: _posted(w, "application/json; charset=utf-8"),
    ),
    "1.3 Content-Type: other, lenient": ("201", lambda w: _posted(w, "text/plain")),
    "1.3 Content-Type: form on a capability": (
        "202",
        lambda w: _posted(w, "multipart/form-data; boundary=x", "POST {c}"),
    ),
    "1.3 Content-Type: form on a bodyless POST": (
        ["204", "204", "204", "202"],
        lambda w: [
            _posted(w, "application/x-www-form-urlencoded", request)
            for request in (
                "POST {g}/pause",
                "POST {g}/resume",
                "POST {g}/converge",
                "POST {p}/execute",
            )
        ],
    ),
    "1.3 Accept: ignored": (
        JSON,
        lambda w: w.do("GET {g}", headers={"Accept": "text/xml"}).headers["Content-Type"],
    ),
    "1.3 Accept: xml for limits": (
        "application/xml",
        lambda w: w.do("GET {t}/limits", headers={"Accept": "a/xml"}).headers["Content-Type"],
    ),
    "1.3 Body on bodyless operations": (
        ["204", "204", "204", "202", "202"],
        lambda w: [
            w.do(request, b"{junk").error
            for request in (
                "POST {g}/pause",
                "POST {g}/resume",
                "POST {g}/converge",
                "POST {p}/execute",
                "POST {c}",
            )
        ],
    ),
}


class RequestHeaderRows(RowCase, rows=REQUEST_HEADERS):
    """rest-api.md 1.3."""


def _header(w: RowCase, name: str, *requests: str) -> set[str]:
    return {str(w.do(request).headers[name]) for request in requests}


def _location(w: RowCase, request: str, body: object) -> object:
    locations = w.do(request, body).headers.get_all("Location") or []
    return [location.removeprefix(BASE) for location in locations]


def _raw(w: RowCase, path: str) -> bytes:
    connection = Connection(w.site)
    connection.send(request_bytes("GET", w.at(path), headers={"X-Auth-Token": w.token}))
    data = connection.received()
    connection.hang_up()
    return data


EVERY_KIND = (
    "GET {g}",
    "POST {g}/pause",
    "POST {c}",
    "DELETE {p}",
    f"GET {{t}}/groups/{UNKNOWN}",
    "GET {t}/nothing",
    "PATCH {t}/groups",
    "POST {t}/groups",
    "GET {g}/servers",
    "GET /v1.0/somebody-else/groups",
)

RESPONSE_HEADERS: Rows = {
    "1.4 Content-Type": ({JSON}, lambda w: _header(w, "Content-Type", *EVERY_KIND)),
    "1.4 X-Response-Id": (
        len(EVERY_KIND),
        lambda w: len(_header(w, "X-Response-Id", *EVERY_KIND) - {"None"}),
    ),
    "1.4 Date, Server: Server": ({"otter"}, lambda w: _header(w, "Server", *EVERY_KIND)),
    "1.4 Date, Server: Date": (False, lambda w: "None" in _header(w, "Date", *EVERY_KIND)),
    "1.4 Transfer-Encoding": (
        True,
        lambda w: _header(w, "Transfer-Encoding", *EVERY_KIND) <= {"None", "chunked"},
    ),
    "1.4 Location: #1": (
        True,
        lambda w: (
            _location(w, "POST {t}/groups", a_group())
            == [f"{w.at('{t}')}/groups/{w.ids('{t}/groups')[0]}/"]
        ),
    ),
    "1.4 Location: #11": (
        True,
        lambda w: _location(w, "POST {g}/policies", [a_policy()]) == [w.at("{g}/policies/")],
    ),
    "1.4 Location: #14": (
        True,
        lambda w: _location(w, "POST {p}/webhooks", [WEBHOOK]) == [w.at("{p}/webhooks/")],
    ),
    "1.4 Location: only on 201": (
        {"None"},
        lambda w: _header(w, "Location", *EVERY_KIND),
    ),
    "1.4 Allow": ({"GET, HEAD, POST"}, lambda w: _header(w, "Allow", "PATCH {t}/groups")),
    "1.4 Retry-After: cooldown": (
        ["None", "600"],
        lambda w: (
            w.make_policy(w.at("{g}"), cooldown=600)
            and [str(w.do("POST {p}/execute").headers["Retry-After"]) for _ in range(2)]
        ),
    ),
    "1.4 Retry-After: no cooldown": (
        "None",
        lambda w: str(_no_change(w).headers["Retry-After"]),
    ),
    "1.4 escapes": (
        True,
        lambda w: (
            w.make_group(name="\u00e9\u20ac")
            and b'"name": "\\u00e9\\u20ac"' in _raw(w, "{g}/config")
        ),
    ),
}


def _no_change(w: RowCase) -> Any:
    w.make_policy(w.at("{g}"), change=None, desiredCapacity=0)
    return w.do("POST {p}/execute")


class ResponseHeaderRows(RowCase, rows=RESPONSE_HEADERS):
    """rest-api.md 1.4; 413 is in 7."""


def _error(w: RowCase, request: str = f"GET {{t}}/groups/{UNKNOWN}") -> Any:
    return w.do(request).document["error"]


ENTITIES = {"group", "groups", "policy", "policies", "webhook", "webhooks"}
ENTITIES |= {"groupConfiguration", "launchConfiguration"}

ERROR_BODY: Rows = {
    "1.5 type": ("NoSuchScalingGroupError", lambda w: _error(w)["type"]),
    "1.5 code": (404, lambda w: _error(w)["code"]),
    "1.5 message: names the ids": (True, lambda w: UNKNOWN in _error(w)["message"]),
    "1.5 message: InvalidJsonError": ("", lambda w: _error(w, "POST {t}/groups")["message"]),
    "1.5 message: NotImplementedError": ("", lambda w: _error(w, "GET {g}/servers")["message"]),
    "1.5 details": ("", lambda w: _error(w)["details"]),
    "1.5 no entity": (
        set(),
        lambda w: {
            key for request in EVERY_KIND[4:] for key in w.do(request).document if key in ENTITIES
        },
    ),
}


class ErrorBodyRows(RowCase, rows=ERROR_BODY):
    """rest-api.md 1.5."""
