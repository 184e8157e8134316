"""Say which pieces of each resource are shown, and under which names. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from otter.cli.display.formats import Column, Document


def at(*path: str) -> Callable[[Document], Any]:
    """Return what finds a value by the keys that lead to it."""

    def find(document: Document) -> Any:
        found: Any = document
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    return find


def action(policy: Document) -> str:
    """Return what a policy does to the desired capacity: ``+2``, ``-25%``, ``=10``."""
    if "change" in policy:
        return f"{policy['change']:+}"
    if "changePercent" in policy:
        return f"{policy['changePercent']:+}%"
    return f"={policy['desiredCapacity']}" if "desiredCapacity" in policy else ""


def timing(policy: Document) -> str | None:
    """Return when a policy runs by itself."""
    args = policy.get("args") or {}
    return next((f"{kind} {args[kind]}" for kind in ("at", "cron") if kind in args), None)


def capability(webhook: Document) -> str | None:
    """Return the URL that executes a webhook's policy."""
    links = webhook.get("links") or []
    return next((link["href"] for link in links if link["rel"] == "capability"), None)


def _server_ids(*path: str) -> Callable[[Document], list[str]]:
    find = at(*path, "active")
    return lambda document: [server["id"] for server in find(document) or []]


def _errors(*path: str) -> Callable[[Document], list[str]]:
    find = at(*path, "errors")
    return lambda document: [error["message"] for error in find(document) or []]


def _load_balancers(group: Document) -> list[str]:
    items = at("launchConfiguration", "args", "loadBalancers")(group) or []
    return [
        f"{item['loadBalancerId']}:{item['port']}"
        if "port" in item
        else f"{item['loadBalancerId']} ({item.get('type')})"
        for item in items
    ]


def _told(group: Document) -> list[str]:
    return [item["url"] for item in at("launchConfiguration", "args", "notify")(group) or []]


def _policies(group: Document) -> list[str]:
    return [
        f"{policy['id']} {policy['name']} ({action(policy)})"
        for policy in group.get("scalingPolicies") or []
    ]


def _capacity(*path: str) -> tuple[Column, ...]:
    return (
        Column("status", at(*path, "status"), whole=True),
        Column("desired", at(*path, "desiredCapacity"), whole=True),
        Column("active", at(*path, "activeCapacity"), whole=True),
        Column("pending", at(*path, "pendingCapacity"), whole=True),
        Column("paused", at(*path, "paused"), whole=True),
    )


def _config(name: str, key: str) -> Column:
    return Column(name, at("groupConfiguration", key))


def _launch(name: str, *path: str) -> Column:
    return Column(name, at("launchConfiguration", "args", *path))


GROUPS: Sequence[Column] = (
    Column("id", at("id"), whole=True),
    Column("name", at("state", "name")),
    *_capacity("state"),
    Column("servers", _server_ids("state"), extra=True),
    Column("errors", _errors("state"), extra=True),
)

GROUP: Sequence[Column] = (
    Column("id", at("id"), whole=True),
    _config("name", "name"),
    *_capacity("state"),
    _config("min", "minEntities"),
    _config("max", "maxEntities"),
    _config("cooldown", "cooldown"),
    _config("metadata", "metadata"),
    Column("launch_type", at("launchConfiguration", "type")),
    _launch("server_name", "server", "name"),
    _launch("image", "server", "imageRef"),
    _launch("flavor", "server", "flavorRef"),
    _launch("key_name", "server", "key_name"),
    Column("load_balancers", _load_balancers),
    _launch("draining_timeout", "draining_timeout"),
    Column("notify", _told),
    Column("policies", _policies),
    Column("servers", _server_ids("state")),
    Column("errors", _errors("state")),
)

STATE: Sequence[Column] = (
    Column("name", at("name")),
    *_capacity(),
    Column("servers", _server_ids()),
    Column("errors", _errors()),
)

POLICIES: Sequence[Column] = (
    Column("id", at("id"), whole=True),
    Column("name", at("name")),
    Column("type", at("type"), whole=True),
    Column("action", action, whole=True),
    Column("cooldown", at("cooldown"), whole=True),
    Column("when", timing),
)

WEBHOOKS: Sequence[Column] = (
    Column("id", at("id"), whole=True),
    Column("name", at("name")),
    Column("url", capability, whole=True),
    Column("metadata", at("metadata")),
)

ACTIVITIES: Sequence[Column] = (
    Column("id", at("id"), whole=True, extra=True),
    Column("time", at("timestamp"), whole=True),
    Column("kind", at("kind"), whole=True),
    Column("actor", at("actor")),
    Column("reason", at("reason")),
    Column("details", at("details"), extra=True),
)

LIMITS: Sequence[Column] = (
    Column("limit", at("limit"), whole=True),
    Column("value", at("value"), whole=True),
    Column("remaining", at("remaining"), whole=True),
    Column("unit", at("unit"), whole=True),
)


def limit_rows(limits: Document) -> list[dict[str, Any]]:
    """Return one row for each limit, absolute ones first."""
    absolute = limits.get("absolute") or {}
    rows = [{"limit": name, "value": value} for name, value in absolute.items()]
    for rate in limits.get("rate") or []:
        rows += [
            {
                "limit": f"{item['verb']} {rate['uri']}",
                "value": item["value"],
                "remaining": item["remaining"],
                "unit": f"per {item['unit'].lower()}",
            }
            for item in rate["limit"]
        ]
    return rows
