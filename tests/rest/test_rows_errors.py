"""The rows of rest-api.md 1.6 to 1.8: errors, the order of checks, who may do what."""

from otter.cloud.errors import NotSentError
from otter.controller.interface import Limits
from tests.rest.rows import RowCase, Rows
from tests.rest.tables import cloud
from tests.rest.world import a_config, a_group, a_launch, a_policy, a_server

GROUP = "404 NoSuchScalingGroupError"
POLICY = "404 NoSuchPolicyError"
WEBHOOK = "404 NoSuchWebhookError"
JSON = "400 InvalidJsonError"
SCHEMA = "400 ValidationError"
MIN_MAX = "400 InvalidMinEntities"
QUERY = "400 InvalidQueryArgument"
SUSPENDED = "403 TenantSuspendedError"
PAUSED = "403 GroupPausedError"
COOLDOWN = "403 CannotExecutePolicyError"
FORBIDDEN = "403 Forbidden"
UNAUTHORISED = "401 InvalidCredentials"

PAST = a_policy(type="schedule", args={"at": "2001-01-01T00:00:00Z"})
HOOK = {"name": "w", "metadata": {}}
NOWHERE = "{t}/groups/{u}"
NETWORKS = a_launch(a_server(networks=[]), loadBalancers=[cloud()])
CROSSED = a_config(minEntities=9, maxEntities=1)


def _at_min(w: RowCase) -> str:
    w.add_server("s1")
    return w.do("DELETE {g}/servers/s1?replace=false").error


def _suspended(w: RowCase, request: str, body: object = None) -> str:
    w.at("{p}")
    w.suspend()
    return w.do(request, body).error


def _paused(w: RowCase, *requests: str) -> list[str]:
    w.do("POST {g}/pause")
    return w.all(*requests)


def _no_identity(w: RowCase) -> str:
    w.tokens.error = NotSentError("refused")
    try:
        return w.do("GET {t}/groups").error
    finally:
        w.tokens.error = None


ERRORS: Rows = {
    "1.6 InvalidJsonError: missing": (JSON, "POST {t}/groups"),
    "1.6 InvalidJsonError: empty": (JSON, "PUT {g}/config", b""),
    "1.6 InvalidJsonError: not JSON": (JSON, "PUT {g}/launch", b"{'a': 1}"),
    "1.6 InvalidJsonError: not UTF-8": (JSON, "PUT {p}", b'"\xff"'),
    "1.6 InvalidJsonError: PUT webhook": (JSON, "PUT {w}", b"["),
    "1.6 InvalidJsonError: POST policies": (JSON, "POST {g}/policies", b"nul"),
    "1.6 InvalidJsonError: POST webhooks": (JSON, "POST {p}/webhooks", b" "),
    "1.6 ValidationError: schema": (SCHEMA, "POST {t}/groups", {}),
    "1.6 ValidationError: at": (SCHEMA, "POST {g}/policies", [PAST]),
    "1.6 ValidationError: ServiceNet": (SCHEMA, "PUT {g}/launch", NETWORKS),
    "1.6 ValidationError: type change": (SCHEMA, "PUT {s}", a_policy()),
    "1.6 InvalidMinEntities: crossed": (MIN_MAX, "PUT {g}/config", CROSSED),
    "1.6 InvalidMinEntities: null": (MIN_MAX, "PUT {g}/config", a_config(maxEntities=None)),
    "1.6 InvalidQueryArgument: limit": (QUERY, "GET {t}/groups?limit=ab"),
    "1.6 InvalidQueryArgument: force": (QUERY, "DELETE {g}?force=x"),
    "1.6 InvalidQueryArgument: replace": (QUERY, "DELETE {g}/servers/s?replace=x"),
    "1.6 InvalidQueryArgument: purge": (QUERY, "DELETE {g}/servers/s?purge=x"),
    "1.6 InvalidCredentials": (UNAUTHORISED, lambda w: w.do("GET {t}/groups", token="x").error),
    "1.6 Forbidden": (FORBIDDEN, "GET /v1.0/somebody-else/groups"),
    "1.6 GroupNotEmptyError": (
        "403 GroupNotEmptyError",
        lambda w: w.ask("DELETE", w.make_group(minEntities=1)).error,
    ),
    "1.6 GroupPausedError": (
        [PAUSED, PAUSED],
        lambda w: _paused(w, "POST {p}/execute", "POST {g}/converge"),
    ),
    "1.6 CannotExecutePolicyError: cooldown": (
        ["202", COOLDOWN],
        lambda w: (
            w.make_policy(w.at("{g}"), cooldown=9) and w.all("POST {p}/execute", "POST {p}/execute")
        ),
    ),
    "1.6 CannotExecutePolicyError: no change": (
        COOLDOWN,
        lambda w: w.make_policy(w.at("{g}"), change=-1) and w.do("POST {p}/execute").error,
    ),
    "1.6 CannotDeleteServerBelowMinError": ("403 CannotDeleteServerBelowMinError", _at_min),
    "1.6 TenantSuspendedError": (SUSPENDED, lambda w: _suspended(w, "POST {p}/execute")),
    "1.6 NoSuchScalingGroupError: unknown": (GROUP, f"GET {NOWHERE}"),
    "1.6 NoSuchScalingGroupError: deleted": (
        ["204", GROUP],
        lambda w: w.all("DELETE {g}", "GET {g}"),
    ),
    "1.6 NoSuchPolicyError": (POLICY, "GET {g}/policies/{u}"),
    "1.6 NoSuchWebhookError": (WEBHOOK, "GET {p}/webhooks/{u}"),
    "1.6 NoSuchWebhookError: policy unknown": (WEBHOOK, "GET {g}/policies/{u}/webhooks/{u}"),
    "1.6 ServerNotFoundError": ("404 ServerNotFoundError", "DELETE {g}/servers/s1"),
    "1.6 404 no such route": ("404 NotFound", "GET {g}/nothing"),
    "1.6 InvalidMethod": ("405 InvalidMethod", "PATCH {g}"),
    "1.6 UnsupportedMediaType: never sent": (
        "204",
        lambda w: w.do("PUT {w}", HOOK, headers={"Content-Type": "a/b"}).error,
    ),
    "1.6 NotImplementedError": ("501 NotImplementedError", "GET {g}/servers"),
    "1.6 ServiceUnavailable": ("503 ServiceUnavailable", _no_identity),
}


class ErrorRows(RowCase, rows=ERRORS):
    """rest-api.md 1.6."""


def _over(w: RowCase, request: str, body: object) -> str:
    for path in ("{g}", "{p}", "{w}"):
        w.at(path)
    return w.do(request, body).error


def _order(w: RowCase, request: str, *bodies: object) -> list[str]:
    return [w.do(request, body).error for body in bodies]


def _roles(w: RowCase, request: str) -> list[str]:
    w.tokens.add("reader", "observer", tenant=w.tenant)
    w.tokens.add("stranger", "autoscale:admin", tenant="other")
    return [w.do(request, token=token).error for token in (None, "stranger", "reader", w.token)]


FULL: Rows = {
    "1.6 ScalingGroupOverLimitError": (
        "422 ScalingGroupOverLimitError",
        lambda w: _over(w, "POST {t}/groups", a_group()),
    ),
    "1.6 PoliciesOverLimitError": (
        "422 PoliciesOverLimitError",
        lambda w: _over(w, "POST {g}/policies", [a_policy()]),
    ),
    "1.6 WebhooksOverLimitError": (
        "422 WebhooksOverLimitError",
        lambda w: _over(w, "POST {p}/webhooks", [HOOK]),
    ),
    "1.7 any authenticated call: unknown route": (
        [UNAUTHORISED, FORBIDDEN, "404 NotFound", "404 NotFound"],
        lambda w: _roles(w, "GET {g}/nothing"),
    ),
    "1.7 any authenticated call: unknown group": (
        [UNAUTHORISED, FORBIDDEN, GROUP, GROUP],
        lambda w: _roles(w, f"GET {NOWHERE}"),
    ),
    "1.7 any authenticated call: wrong method": (
        [UNAUTHORISED, FORBIDDEN, FORBIDDEN, "405 InvalidMethod"],
        lambda w: _roles(w, "PATCH {g}"),
    ),
    "1.7 POST groups": (
        [JSON, SCHEMA, MIN_MAX, SCHEMA, "422 ScalingGroupOverLimitError"],
        lambda w: (
            w.at("{g}")
            and _order(
                w,
                "POST {t}/groups",
                b"{",
                {"groupConfiguration": CROSSED},
                a_group(groupConfiguration=CROSSED, launchConfiguration=NETWORKS),
                a_group(launchConfiguration=NETWORKS),
                a_group(),
            )
        ),
    ),
    "1.7 PUT config": (
        [JSON, SCHEMA, MIN_MAX, GROUP],
        lambda w: _order(w, f"PUT {NOWHERE}/config", b"", {}, CROSSED, a_config()),
    ),
    "1.7 PUT config: suspended": (
        SUSPENDED,
        lambda w: _suspended(w, "PUT {g}/config", a_config()),
    ),
    "1.7 PUT launch": (
        [JSON, SCHEMA, SCHEMA, GROUP],
        lambda w: _order(w, f"PUT {NOWHERE}/launch", b"x", {}, NETWORKS, a_launch()),
    ),
    "1.7 POST policies": (
        [JSON, SCHEMA, SCHEMA, GROUP],
        lambda w: _order(w, f"POST {NOWHERE}/policies", b"[", {}, [PAST], [a_policy()] * 9),
    ),
    "1.7 PUT policy": (
        [JSON, SCHEMA, GROUP, POLICY],
        lambda w: [
            *_order(w, f"PUT {NOWHERE}/policies/{{u}}", b"[", {}, a_policy()),
            *_order(w, "PUT {g}/policies/{u}", a_policy()),
        ],
    ),
    "1.7 PUT policy: type change last": (
        SCHEMA,
        lambda w: w.do("PUT {p}", a_policy(type="schedule", args={"cron": "* * * * *"})).error,
    ),
    "1.7 POST webhooks": (
        [JSON, SCHEMA, GROUP, POLICY],
        lambda w: [
            *_order(w, f"POST {NOWHERE}/policies/{{u}}/webhooks", b"[", {}, [HOOK]),
            *_order(w, "POST {g}/policies/{u}/webhooks", [HOOK] * 9),
        ],
    ),
    "1.7 PUT webhook": (
        [JSON, SCHEMA, GROUP, WEBHOOK, WEBHOOK],
        lambda w: [
            *_order(w, f"PUT {NOWHERE}/policies/{{u}}/webhooks/{{u}}", b"[", {}, HOOK),
            *_order(w, "PUT {g}/policies/{u}/webhooks/{u}", HOOK),
            *_order(w, "PUT {p}/webhooks/{u}", HOOK),
        ],
    ),
    "1.7 DELETE group": (
        [QUERY, GROUP, "403 GroupNotEmptyError"],
        lambda w: [
            *w.all(f"DELETE {NOWHERE}?force=x", f"DELETE {NOWHERE}"),
            w.ask("DELETE", w.make_group(minEntities=1)).error,
        ],
    ),
    "1.7 DELETE server": (
        [QUERY, QUERY, GROUP, SUSPENDED, SUSPENDED],
        lambda w: [
            *w.all(
                f"DELETE {NOWHERE}/servers/s?replace=x",
                f"DELETE {NOWHERE}/servers/s?purge=x",
                f"DELETE {NOWHERE}/servers/s",
            ),
            _suspended(w, "DELETE {g}/servers/s"),
            *w.all("DELETE {g}/servers/s?replace=false"),
        ],
    ),
    "1.7 DELETE server: unknown before below-min": (
        "404 ServerNotFoundError",
        "DELETE {g}/servers/s?replace=false",
    ),
    "1.7 execute policy: group": (GROUP, f"POST {NOWHERE}/policies/{{u}}/execute"),
    "1.7 execute policy: suspended before paused": (
        SUSPENDED,
        lambda w: _paused(w) or _suspended(w, "POST {g}/policies/{u}/execute"),
    ),
    "1.7 execute policy: paused before policy": (
        [PAUSED],
        lambda w: _paused(w, "POST {g}/policies/{u}/execute"),
    ),
    "1.7 execute policy: policy": (POLICY, "POST {g}/policies/{u}/execute"),
    "1.7 converge: group": (GROUP, f"POST {NOWHERE}/converge"),
    "1.7 converge: suspended before paused": (
        SUSPENDED,
        lambda w: _paused(w) or _suspended(w, "POST {g}/converge"),
    ),
    "1.7 converge: paused": ([PAUSED], lambda w: _paused(w, "POST {g}/converge")),
    "1.7 list groups/policies/webhooks/servers": (
        [QUERY, QUERY, QUERY, QUERY, GROUP, POLICY, "501 NotImplementedError"],
        lambda w: w.all(
            "GET {t}/groups?limit=x",
            f"GET {NOWHERE}/policies?limit=x",
            f"GET {NOWHERE}/policies/{{u}}/webhooks?limit=x",
            f"GET {NOWHERE}/servers?limit=x",
            f"GET {NOWHERE}/policies",
            "GET {g}/policies/{u}/webhooks",
            f"GET {NOWHERE}/servers",
        ),
    ),
}


class OrderRows(RowCase, rows=FULL):
    """rest-api.md 1.6 and 1.7, where there is room for one of each; the cloud's part is in 4.6."""

    limits = Limits(max_groups=1, max_policies_per_group=1, max_webhooks_per_policy=1)


READS = ("{t}/groups", "{g}", "{g}/state", "{g}/config", "{g}/launch", "{g}/policies", "{p}")
SECRETS = ("{p}/webhooks", "{w}", "{g}?webhooks=true")
WRITES = (
    "POST {t}/groups",
    "DELETE {g}",
    "PUT {g}/config",
    "PUT {g}/launch",
    "POST {g}/pause",
    "POST {g}/resume",
    "POST {g}/converge",
    "DELETE {g}/servers/s",
    "POST {g}/policies",
    "PUT {p}",
    "DELETE {p}",
    "POST {p}/execute",
    "POST {p}/webhooks",
    "PUT {w}",
    "DELETE {w}",
)
EVERYTHING = (*(f"GET {path}" for path in (*READS, *SECRETS)), *WRITES)
ROUTES = ("GET {t}/groups", f"GET {NOWHERE}", "GET {t}/limits", "GET {t}/limits/")


def _as(w: RowCase, *roles: str, tenant: str = "", requests: tuple[str, ...]) -> set[str]:
    for path in ("{g}", "{p}", "{w}"):
        w.at(path)
    w.tokens.add("caller", *roles, tenant=tenant or w.tenant)
    return {w.do(request, b"{", token="caller").error for request in requests}


def _refused(w: RowCase, *roles: str) -> set[str]:
    return _as(w, *roles, requests=EVERYTHING) & {FORBIDDEN, UNAUTHORISED}


def _capability(w: RowCase, token: str | None) -> str:
    return w.do("POST {c}", token=token).error


READS_ONLY = tuple(f"GET {path}" for path in READS)
SECRETS_ONLY = tuple(f"GET {path}" for path in SECRETS)
STRANGER = "1.8 Valid token, tenant has no access to the service, or token for another tenant"
OWNER = "1.8 Full access: account owner identity:user-admin, admin, autoscale:admin"
READER = "1.8 Read access: observer, autoscale:observer"
NOBODY = "1.8 No Autoscale role (even if admin of compute/LB)"
ANYBODY = "1.8 Anyone, any or no token"

ROLES: Rows = {
    "1.8 No/invalid token: none": (
        {UNAUTHORISED},
        lambda w: {w.do(request, token=None).error for request in ROUTES},
    ),
    "1.8 No/invalid token: invalid": (
        {UNAUTHORISED},
        lambda w: {w.do(request, token="x").error for request in ROUTES},
    ),
    f"{STRANGER}: another tenant": (
        {FORBIDDEN},
        lambda w: _as(w, "autoscale:admin", tenant="other", requests=ROUTES),
    ),
    f"{STRANGER}: no access": ({FORBIDDEN}, lambda w: _as(w, requests=ROUTES)),
    f"{OWNER}: identity:user-admin": (set(), lambda w: _refused(w, "identity:user-admin")),
    f"{OWNER}: admin": (set(), lambda w: _refused(w, "admin")),
    f"{OWNER}: autoscale:admin": (set(), lambda w: _refused(w, "autoscale:admin")),
    f"{OWNER}: most permissive wins": (
        set(),
        lambda w: _refused(w, "observer", "autoscale:admin", "nova:creator"),
    ),
    f"{READER}: observer reads": ({"200"}, lambda w: _as(w, "observer", requests=READS_ONLY)),
    f"{READER}: autoscale:observer reads": (
        {"200"},
        lambda w: _as(w, "autoscale:observer", requests=READS_ONLY),
    ),
    f"{READER}: no webhooks": (
        {FORBIDDEN},
        lambda w: _as(w, "observer", requests=SECRETS_ONLY),
    ),
    f"{READER}: no mutation": ({FORBIDDEN}, lambda w: _as(w, "observer", requests=WRITES)),
    f"{NOBODY}: compute admin": (
        {FORBIDDEN},
        lambda w: _as(w, "nova:admin", "lbaas:admin", requests=EVERYTHING),
    ),
    f"{NOBODY}: creator": ({FORBIDDEN}, lambda w: _as(w, "creator", requests=EVERYTHING)),
    f"{ANYBODY}: none": ("202", lambda w: _capability(w, None)),
    f"{ANYBODY}: foreign": (
        "202",
        lambda w: w.tokens.add("caller", "observer", tenant="other") or _capability(w, "caller"),
    ),
    f"{ANYBODY}: invalid": ("202", lambda w: _capability(w, "x")),
}


class RoleRows(RowCase, rows=ROLES):
    """rest-api.md 1.8."""
