"""
Nova's documents: what a create request looks like, what a listed server says. Pure.

Note [Only one server]
    ``min_count`` and ``max_count`` in an owner's configuration would let one call create several
    servers under names that are not ours, past any maximum. They are the one thing taken out.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pyrsistent import thaw

from otter.cloud.errors import TransientError
from otter.cloud.http import reading
from otter.cloud.interface import CreateServer, Server
from otter.models.ids import ServerId

Microversion = tuple[int, int]

WANTED: Microversion = (2, 52)
"""Tags on create appear; personality files are still there (they end with 2.57)."""

NETWORKS_AUTO: Microversion = (2, 37)
TAGS_ON_CREATE: Microversion = (2, 52)
BASE: Microversion = (2, 1)

_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_COUNTS = ("min_count", "max_count", "return_reservation_id")


def chosen_microversion(document: Any) -> Microversion:
    """
    Return the microversion to speak to an endpoint whose version document this is.

    ``BASE`` stands for speaking none; that of an endpoint which has none to offer.

    :raises TransientError: it is not a version document.
    """
    with reading("version document"):
        offered = _microversion(document["version"].get("version"))
        least = _microversion(document["version"].get("min_version"))
    wanted = min(WANTED, offered)
    return wanted if wanted >= max(least, BASE) else BASE


def _microversion(text: object) -> Microversion:
    match = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})", text) if isinstance(text, str) else None
    return (int(match[1]), int(match[2])) if match else BASE


def microversion_headers(microversion: Microversion) -> dict[str, str]:
    """Return the headers that choose a microversion: the current one and the one before it."""
    if microversion <= BASE:
        return {}
    text = f"{microversion[0]}.{microversion[1]}"
    return {"OpenStack-API-Version": f"compute {text}", "X-OpenStack-Nova-API-Version": text}


def create_document(request: CreateServer, microversion: Microversion) -> dict[str, Any]:
    """Return the body of a create: the owner's ``server`` with our name, marks and tag."""
    server: dict[str, Any] = dict(thaw(request.body))
    for key in _COUNTS:
        server.pop(key, None)
    owners = server.get("metadata")
    server["metadata"] = {**(owners if isinstance(owners, dict) else {}), **request.metadata}
    server["name"] = request.name
    if request.tag and microversion >= TAGS_ON_CREATE:
        tags = server.get("tags")
        others = tags if isinstance(tags, list) else []
        server["tags"] = [*(tag for tag in others if tag != request.tag), request.tag]
    if server.get("networks") is None:
        server.pop("networks", None)
        if microversion >= NETWORKS_AUTO:
            server["networks"] = "auto"
    return {"server": server}


def created_server(document: Any, request: CreateServer, *, now: datetime) -> Server:
    """
    Return the server that a create's answer tells of.

    :raises TransientError: the answer tells of none.
    """
    with reading("answer to a create"):
        server = document["server"]
        return Server(
            server_id=ServerId(_text(server["id"])),
            name=request.name,
            status="BUILD",
            created=now,
            metadata=create_document(request, BASE)["server"]["metadata"],
            links=_links(server.get("links") or []),
        )


def listed_server(document: Any) -> Server:
    """
    Return the server that a listing or a show tells of.

    :raises TransientError: it is not shaped like a server.
    """
    with reading("server"):
        return Server(
            server_id=ServerId(_text(document["id"])),
            name=_text(document["name"]),
            status=_text(document["status"]).upper(),
            created=_time(document["created"]),
            metadata=_metadata(document.get("metadata")),
            task_state=document.get("OS-EXT-STS:task_state") or None,
            addresses=_addresses(document.get("addresses") or {}),
            fault=str((document.get("fault") or {}).get("message") or ""),
            links=_links(document.get("links") or []),
        )


def page_of(document: Any) -> tuple[list[Server], str | None]:
    """
    Return the servers of one page, and the link to the next one if there is one.

    Servers that are shown as deleted are left out.

    :raises TransientError: it is not a page of servers.
    """
    with reading("page of servers"):
        servers = [listed_server(one) for one in _list(document["servers"])]
        links = document.get("servers_links") or []
        following = next((_text(link["href"]) for link in links if link["rel"] == "next"), None)
    return [server for server in servers if server.status != "DELETED"], following


def next_params(href: str, given: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """
    Return the query of a link to a next page.

    Only the query: a link can name a host that the cloud knows and we do not, and our token is sent
    nowhere but to the endpoint of the catalog.

    :param given: the query of the first page; filters that the link forgets are kept.
    :raises TransientError: the link has no marker.
    """
    with reading("link to the next page"):
        query = dict(parse_qsl(urlsplit(href).query, keep_blank_values=True))
    if not query.get("marker"):
        raise TransientError("the link to the next page has no marker")
    return tuple({**dict(given), **query}.items())


def exact_name(name: str) -> str:
    """Return the regular expression that Nova's name filter needs to find ``name`` and no other."""
    return f"^{_SPECIAL.sub(lambda match: chr(92) + match[0], name)}$"


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _metadata(value: object) -> Mapping[str, str]:
    """Return metadata; anything that is not text to text belongs to nobody."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def _addresses(networks: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (label, _text(one["addr"]))
        for label, several in networks.items()
        for one in several
        if one.get("version") == 4 and one.get("OS-EXT-IPS:type", "fixed") == "fixed"
    )


def _links(links: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(link["rel"]), _text(link["href"])) for link in links)
