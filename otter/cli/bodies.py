"""
Make request bodies out of what was typed. Pure.

Each function lays what was given over a base: nothing, a file, or the resource as it is now. What
the service checks (bounds, grammar, ids) is left to it, so that there is one truth.
"""

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from attrs import fields, frozen

from otter.cli.documents import read_json
from otter.cli.exits import UsageError

Body = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]

CHANGE_KEYS = ("change", "changePercent", "desiredCapacity")
READ_ONLY = ("id", "links", "webhooks", "webhooks_links")


@frozen
class GroupWish:
    """
    What was said about a group; None where nothing was.

    :ivar no_metadata: forget what is there before adding.
    """

    name: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    cooldown: int | None = None
    metadata: Pairs | None = None
    no_metadata: bool | None = None
    image: str | None = None
    flavor: str | None = None
    server_name: str | None = None
    key_name: str | None = None
    network: tuple[str, ...] | None = None
    user_data: bytes | None = None
    load_balancer: tuple[Mapping[str, Any], ...] | None = None
    draining_timeout: int | Decimal | None = None
    notify: tuple[str, ...] | None = None


@frozen
class PolicyWish:
    """What was said about a policy; None where nothing was."""

    name: str | None = None
    cooldown: int | Decimal | None = None
    change: int | None = None
    percent: int | Decimal | None = None
    desired: int | None = None
    at: str | None = None
    cron: str | None = None


@frozen
class WebhookWish:
    """What was said about a webhook; None where nothing was."""

    name: str | None = None
    metadata: Pairs | None = None
    no_metadata: bool | None = None


Wish = TypeVar("Wish", GroupWish, PolicyWish, WebhookWish)


def wish_of(kind: type[Wish], options: Mapping[str, Any]) -> Wish:
    """Return what parsed options say, by the names of the fields."""
    given: dict[str, Any] = {}
    for known in fields(kind):
        value = options.get(known.name)
        given[known.name] = tuple(value) if isinstance(value, list) else value
    return kind(**given)


def read_body(text: str) -> Body:
    """
    Return the object a file holds.

    :raises UsageError: it holds none.
    """
    try:
        document = read_json(text)
    except ValueError as error:
        raise UsageError(f"the file is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UsageError("the file holds no JSON object")
    return document


def new_group(wish: GroupWish, base: Mapping[str, Any]) -> Body:
    """
    Return the body that creates a group.

    :param base: a body from a file, or nothing.
    :raises UsageError: something is missing that no service could guess.
    """
    config = group_config(wish, _part(base, "groupConfiguration"))
    config.setdefault("cooldown", 0)
    config.setdefault("minEntities", 0)
    launch = launch_config(wish, _part(base, "launchConfiguration"))
    if not config.get("name"):
        raise UsageError("the group needs a NAME, or --from-file with one in it")
    if launch["type"] == "launch_server" and not _part(launch["args"], "server").get("flavorRef"):
        raise UsageError("servers need a --flavor, or --from-file with a launchConfiguration")
    return {**base, "groupConfiguration": config, "launchConfiguration": launch}


def group_config(wish: GroupWish, base: Mapping[str, Any]) -> Body:
    """Return a group's configuration."""
    given = {
        "name": wish.name,
        "cooldown": wish.cooldown,
        "minEntities": wish.minimum,
        "maxEntities": wish.maximum,
    }
    return {**base, **_said(given), **_metadata(wish, base)}


def launch_config(wish: GroupWish, base: Mapping[str, Any]) -> Body:
    """
    Return a launch configuration; lists are replaced, not added to.

    :raises UsageError: options for servers, and the group launches something else.
    """
    kind = base.get("type", "launch_server")
    args = dict(_part(base, "args"))
    server = _server(wish)
    given = _said(
        {
            "loadBalancers": _listed(wish.load_balancer),
            "draining_timeout": wish.draining_timeout,
            "notify": None if wish.notify is None else [{"url": url} for url in wish.notify],
        }
    )
    if (server or given) and kind != "launch_server":
        raise UsageError(f"the group's launch configuration is a {kind}: only a file can change it")
    if server:
        args["server"] = {**_part(args, "server"), **server}
    return {**base, "type": kind, "args": {**args, **given}}


def _server(wish: GroupWish) -> Body:
    networks = None if wish.network is None else [{"uuid": uuid} for uuid in wish.network]
    encoded = None if wish.user_data is None else base64.b64encode(wish.user_data).decode("ascii")
    return _said(
        {
            "name": wish.server_name,
            "imageRef": wish.image,
            "flavorRef": wish.flavor,
            "key_name": wish.key_name,
            "networks": networks,
            "user_data": encoded,
        }
    )


def policy_body(wish: PolicyWish, base: Mapping[str, Any]) -> Body:
    """
    Return a policy; what says how much to change, or when, replaces what said it before.

    :param base: the policy as it is, or nothing for a new one.
    """
    body = {key: value for key, value in base.items() if key not in READ_ONLY}
    change = _said(
        {"change": wish.change, "changePercent": wish.percent, "desiredCapacity": wish.desired}
    )
    if change:
        body = {key: value for key, value in body.items() if key not in CHANGE_KEYS}
    timing = _said({"at": wish.at, "cron": wish.cron})
    if timing:
        body |= {"type": "schedule", "args": timing}
    body |= {**_said({"name": wish.name, "cooldown": wish.cooldown}), **change}
    body.setdefault("type", "webhook")
    body.setdefault("cooldown", 0)
    return body


def webhook_body(wish: WebhookWish, base: Mapping[str, Any]) -> Body:
    """
    Return a webhook.

    :param base: the webhook as it is, or nothing for a new one.
    """
    body = {key: value for key, value in base.items() if key not in READ_ONLY}
    return {**body, **_said({"name": wish.name}), **_metadata(wish, base)}


def _metadata(wish: GroupWish | WebhookWish, base: Mapping[str, Any]) -> Body:
    """Return new metadata, if any was said."""
    if wish.metadata is None and not wish.no_metadata:
        return {}
    before = {} if wish.no_metadata else _part(base, "metadata")
    return {"metadata": {**before, **dict(wish.metadata or ())}}


def _said(given: Mapping[str, Any]) -> Body:
    return {key: value for key, value in given.items() if value is not None}


def _listed(items: tuple[Mapping[str, Any], ...] | None) -> list[Body] | None:
    return None if items is None else [dict(item) for item in items]


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """
    Return an object within an object; absent is empty.

    :raises UsageError: it is something else.
    """
    part = document.get(key, {})
    if not isinstance(part, Mapping):
        raise UsageError(f"{key} in the file is not a JSON object")
    return part
