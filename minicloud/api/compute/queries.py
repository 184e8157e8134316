"""
Read what a list of servers is to show from a query string. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from attrs import frozen

from minicloud.api.compute.microversion import Microversion
from minicloud.api.errors import BadRequestError
from minicloud.controller.interface import Criteria

MAX_LIMIT = 1000
_TAGS_SINCE = Microversion(2, 26)
_CHANGES_BEFORE_SINCE = Microversion(2, 66)
_STRICT_SINCE = Microversion(2, 75)
# What Nova takes from 2.75 on; earlier it ignores what it does not know.
_KNOWN = frozenset(
    [
        "access_ip_v4",
        "access_ip_v6",
        "all_tenants",
        "auto_disk_config",
        "availability_zone",
        "block_device_mapping",
        "changes-before",
        "changes-since",
        "config_drive",
        "created_at",
        "deleted",
        "description",
        "display_description",
        "display_name",
        "flavor",
        "host",
        "hostname",
        "image",
        "image_ref",
        "info_cache",
        "instance_type_id",
        "ip",
        "ip6",
        "kernel_id",
        "key_name",
        "launch_index",
        "launched_at",
        "limit",
        "locked",
        "locked_by",
        "marker",
        "metadata",
        "name",
        "node",
        "not-tags",
        "not-tags-any",
        "pci_devices",
        "power_state",
        "progress",
        "project_id",
        "ramdisk_id",
        "reservation_id",
        "root_device_name",
        "security_groups",
        "services",
        "soft_deleted",
        "sort_dir",
        "sort_key",
        "status",
        "system_metadata",
        "tags",
        "tags-any",
        "task_state",
        "tenant_id",
        "terminated_at",
        "updated_at",
        "user_id",
        "uuid",
        "vm_state",
    ]
)

Query = Mapping[str, Sequence[str]]


@frozen
class ListQuery:
    """What a list is asked for."""

    criteria: Criteria
    limit: int
    marker: str
    all_projects: bool


def parse_list(query: Query, version: Microversion) -> ListQuery:
    """
    Return what the query asks for.

    :raises BadRequestError: it cannot be understood.
    """
    unknown = sorted(set(query) - _KNOWN)
    if unknown and version >= _STRICT_SINCE:
        raise BadRequestError(
            f"Additional properties are not allowed ('{unknown[0][:40]}' was unexpected)"
        )
    return ListQuery(
        _criteria(query, version),
        _limit(query),
        _last(query, "marker"),
        _last(query, "all_tenants").lower() in {"1", "true", "t", "yes", "on"},
    )


def next_link(url: str, query: Query, last_id: str) -> list[dict[str, str]]:
    """Return the link to the page after the one that ends with ``last_id``."""
    kept = [(name, value) for name, values in query.items() for value in values]
    parameters = [(name, value) for name, value in kept if name != "marker"]
    return [{"rel": "next", "href": f"{url}?{urlencode([*parameters, ('marker', last_id)])}"}]


def _criteria(query: Query, version: Microversion) -> Criteria:
    tagged = query if version >= _TAGS_SINCE else {}
    dated = query if version >= _CHANGES_BEFORE_SINCE else {}
    return Criteria(
        name=_pattern(_last(query, "name")),
        statuses=frozenset(status.upper() for status in query.get("status", ()) if status),
        image_id=_last(query, "image").rpartition("/")[2],
        flavor_id=_last(query, "flavor").rpartition("/")[2],
        tags=_tags(tagged, "tags"),
        tags_any=_tags(tagged, "tags-any"),
        not_tags=_tags(tagged, "not-tags"),
        not_tags_any=_tags(tagged, "not-tags-any"),
        changes_since=_time(query, "changes-since"),
        changes_before=_time(dated, "changes-before"),
    )


def _last(query: Query, name: str) -> str:
    return query.get(name, ("",))[-1]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        raise BadRequestError(f"Invalid regular expression in name: {text[:80]}") from None
    return text


def _tags(query: Query, name: str) -> frozenset[str]:
    return frozenset(tag for value in query.get(name, ()) for tag in value.split(",") if tag)


def _limit(query: Query) -> int:
    text = _last(query, "limit")
    if not text:
        return MAX_LIMIT
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise BadRequestError(f"Invalid input for query parameters limit. Value: {text[:40]}")
    return min(int(text), MAX_LIMIT)


def _time(query: Query, name: str) -> datetime | None:
    text = _last(query, name)
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise BadRequestError(f"Invalid filter field: {name}.") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
