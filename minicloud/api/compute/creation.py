"""
Read a request for a server: what may be in it in which microversion. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from minicloud.api.compute import checks
from minicloud.api.compute.microversion import Microversion
from minicloud.api.errors import BadRequestError, ForbiddenError
from minicloud.controller.records import NewServer

MAX_PERSONALITY = 5
MAX_PERSONALITY_BYTES = 1000
MAX_TAGS = 50
MAX_TAG_LENGTH = 60
MAX_USER_DATA = 65535
_TAG = re.compile(r"[^,/]+\Z")

_ALWAYS = frozenset(
    {
        "name",
        "imageRef",
        "flavorRef",
        "adminPass",
        "metadata",
        "networks",
        "OS-DCF:diskConfig",
        "accessIPv4",
        "accessIPv6",
        "availability_zone",
        "block_device_mapping",
        "block_device_mapping_v2",
        "config_drive",
        "key_name",
        "min_count",
        "max_count",
        "return_reservation_id",
        "security_groups",
        "user_data",
    }
)
# Fields with the microversion that brought them, and the one that took personality away.
_SINCE = {
    "description": 19,
    "tags": 52,
    "trusted_image_certificates": 63,
    "host": 74,
    "hypervisor_hostname": 74,
    "hostname": 90,
}
_PERSONALITY_GONE = 57
_NETWORKS_REQUIRED = 37


def parse_creation(document: Mapping[str, Any], version: Microversion) -> NewServer:
    """
    Return the server that the body asks for.

    :raises BadRequestError: it may not be asked for like this.
    :raises ForbiddenError: it has more or larger files than allowed.
    """
    body = checks.mapping("server", checks.required("body", document, "server"))
    checks.only("server", body, _allowed(version))
    _check_personality(body.get("personality"))
    _check_counts(body)
    return NewServer(
        name=checks.text("name", checks.required("server", body, "name")).strip(),
        image_id=_image(body),
        flavor_id=_flavor(checks.required("server", body, "flavorRef")),
        metadata=checks.metadata("metadata", body.get("metadata", {})),
        tags=_tags(body.get("tags", [])),
        key_name=_optional("key_name", body.get("key_name")),
        description=_optional("description", body.get("description")),
        user_data=_user_data(body.get("user_data")),
        security_groups=_security_groups(body.get("security_groups", [{"name": "default"}])),
        config_drive=body.get("config_drive") in (True, "true", "True", "1"),
        networked=_networked(body, version),
    )


def _allowed(version: Microversion) -> frozenset[str]:
    newer = {field for field, minor in _SINCE.items() if version >= Microversion(2, minor)}
    older = {"personality"} if version < Microversion(2, _PERSONALITY_GONE) else set()
    return _ALWAYS | newer | older


def _optional(field: str, value: object) -> str | None:
    return None if value is None else checks.text(field, value)


def _last_segment(reference: str) -> str:
    """Return the id, which older clients give as the end of a URL."""
    return reference.rstrip("/").rpartition("/")[2]


def _flavor(reference: object) -> str:
    if isinstance(reference, int) and not isinstance(reference, bool):
        return str(reference)
    return _last_segment(checks.text("flavorRef", reference, most=1024))


def _image(body: Mapping[str, Any]) -> str:
    """Return the image; clients name it directly, or as the disk to boot from, or both."""
    reference = body.get("imageRef")
    if reference:
        return _last_segment(checks.text("imageRef", reference, most=1024))
    for device in checks.array("block_device_mapping_v2", body.get("block_device_mapping_v2", [])):
        disk = checks.mapping("block_device_mapping_v2", device)
        if disk.get("source_type") == "image" and disk.get("uuid"):
            return checks.text("uuid", disk["uuid"])
    raise BadRequestError("Invalid imageRef provided.")


def _tags(value: object) -> tuple[str, ...]:
    tags = checks.array("tags", value)
    if len(tags) > MAX_TAGS:
        raise checks.invalid("tags", len(tags), f"more than {MAX_TAGS} tags")
    for tag in tags:
        checks.text("tags", tag, most=MAX_TAG_LENGTH)
        if _TAG.match(tag) is None:
            raise checks.invalid("tags", tag, "a tag has neither commas nor slashes")
    return tuple(tags)


def _user_data(value: object) -> str | None:
    if value is None:
        return None
    checks.base64_bytes("user_data", value, most=MAX_USER_DATA)
    return str(value)


def _security_groups(value: object) -> tuple[str, ...]:
    groups = [checks.mapping("security_groups", group) for group in checks.array("groups", value)]
    return tuple(checks.text("security_groups", group.get("name")) for group in groups)


def _networked(body: Mapping[str, Any], version: Microversion) -> bool:
    networks = body.get("networks")
    if version >= Microversion(2, _NETWORKS_REQUIRED):
        networks = checks.required("server", body, "networks")
        if networks in ("auto", "none"):
            return bool(networks == "auto")
    if networks is None:
        return True
    for network in checks.array("networks", networks):
        _check_network(checks.mapping("networks", network))
    return True


def _check_network(network: Mapping[str, Any]) -> None:
    named = network.get("uuid") or network.get("port")
    try:
        UUID(checks.text("networks", named))
    except ValueError:
        raise BadRequestError(
            f"Bad networks format: network uuid is not in proper format ({str(named)[:80]})"
        ) from None


def _check_personality(value: object) -> None:
    if value is None:
        return
    files = checks.array("personality", value)
    if len(files) > MAX_PERSONALITY:
        raise ForbiddenError("Personality file limit exceeded")
    for item in files:
        file = checks.mapping("personality", item)
        checks.text("path", checks.required("personality", file, "path"))
        contents = checks.required("personality", file, "contents")
        decoded = checks.base64_bytes("contents", contents, most=MAX_PERSONALITY_BYTES * 2)
        if len(decoded) > MAX_PERSONALITY_BYTES:
            raise ForbiddenError("Personality file content exceeds maximum")


def _check_counts(body: Mapping[str, Any]) -> None:
    for field in ("min_count", "max_count"):
        if str(body.get(field, 1)) != "1":
            raise checks.invalid(field, body[field], "this cloud makes one server per request")
