"""
Show servers, flavors and images as each microversion has them. Pure.
"""

import hashlib
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from minicloud.api.compute.common import iso
from minicloud.api.compute.microversion import Microversion
from minicloud.config import Flavor, Image
from minicloud.controller.records import Server
from minicloud.controller.states import power_state_of, status_of

_PROGRESS = {"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}
_FAULTY = {"ERROR", "DELETED"}
NETWORK_LABEL = "private"
_IMAGE_CREATED = "2020-01-01T00:00:00Z"


def links(root: str, kind: str, identifier: str) -> list[dict[str, str]]:
    """Return where something is found."""
    return [
        {"rel": "self", "href": f"{root}/compute/v2.1/{kind}/{identifier}"},
        {"rel": "bookmark", "href": f"{root}/compute/{kind}/{identifier}"},
    ]


def server_brief(server: Server, root: str) -> dict[str, Any]:
    """Return what short lists show."""
    return {
        "id": server.server_id,
        "name": server.name,
        "links": links(root, "servers", server.server_id),
    }


def server_full(
    server: Server, root: str, version: Microversion, *, listed: bool = False
) -> dict[str, Any]:
    """Return everything; ``listed`` leaves out what only a server's own page shows."""
    status = status_of(server.vm_state, server.task_state)
    document = {
        **server_brief(server, root),
        "status": status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": dict(server.metadata),
        "hostId": _host_id(server),
        "image": _image_link(server, root),
        "flavor": _flavor_of_server(server, root, version),
        "created": iso(server.created),
        "updated": iso(server.updated),
        "addresses": _addresses(server),
        "accessIPv4": "",
        "accessIPv6": "",
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "nova" if server.host else "",
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": power_state_of(server.vm_state),
        "OS-SRV-USG:launched_at": _usage_time(server.launched),
        "OS-SRV-USG:terminated_at": _usage_time(server.terminated),
        "os-extended-volumes:volumes_attached": [],
        "config_drive": "True" if server.new.config_drive else "",
        "key_name": server.new.key_name,
        "security_groups": [{"name": name} for name in server.new.security_groups],
    }
    if status in _PROGRESS:
        document["progress"] = 0
    if server.fault is not None and status in _FAULTY:
        document["fault"] = {
            "code": server.fault.code,
            "created": iso(server.fault.created),
            "message": server.fault.message,
        }
    return {**document, **_newer_fields(server, version, listed=listed)}


def _newer_fields(server: Server, version: Microversion, *, listed: bool) -> dict[str, Any]:
    brought: Mapping[str, tuple[int, Any]] = {
        "locked": (9, False),
        "description": (19, server.new.description),
        "tags": (26, list(server.new.tags)),
        "trusted_image_certificates": (63, None),
        "locked_reason": (73, None),
        "OS-EXT-SRV-ATTR:hostname": (90, hostname(server.name)),
        "pinned_availability_zone": (96, None),
    }
    fields = {
        name: value for name, (minor, value) in brought.items() if version >= Microversion(2, minor)
    }
    if not listed and version >= Microversion(2, 71):
        fields["server_groups"] = []
    return fields


def hostname(name: str) -> str:
    """Return what a server calls itself."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return kept.strip("-")[:63] or "server"


def _usage_time(when: Any) -> str | None:
    return None if when is None else str(when.strftime("%Y-%m-%dT%H:%M:%S.%f"))


def _host_id(server: Server) -> str:
    if not server.host:
        return ""
    return hashlib.sha224(f"{server.project_id}{server.host}".encode()).hexdigest()


def _image_link(server: Server, root: str) -> Any:
    if not server.image_id:
        return ""
    return {
        "id": server.image_id,
        "links": [
            {"rel": "bookmark", "href": f"{root}/compute/images/{server.image_id}"},
        ],
    }


def _flavor_of_server(server: Server, root: str, version: Microversion) -> dict[str, Any]:
    flavor = server.flavor
    if version < Microversion(2, 47):
        href = f"{root}/compute/flavors/{flavor.flavor_id}"
        return {"id": flavor.flavor_id, "links": [{"rel": "bookmark", "href": href}]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram_mb,
        "disk": flavor.disk_gb,
        "ephemeral": 0,
        "swap": 0,
        "original_name": flavor.name,
        "extra_specs": {},
    }


def _addresses(server: Server) -> dict[str, Any]:
    if not server.address or not server.new.networked:
        return {}
    low = int(IPv4Address(server.address)).to_bytes(4, "big")[1:]
    return {
        NETWORK_LABEL: [
            {
                "addr": server.address,
                "version": 4,
                "OS-EXT-IPS:type": "fixed",
                "OS-EXT-IPS-MAC:mac_addr": f"fa:16:3e:{low.hex(':')}",
            }
        ]
    }


def flavor_brief(flavor: Flavor, root: str, version: Microversion) -> dict[str, Any]:
    """Return what short lists show."""
    document: dict[str, Any] = {
        "id": flavor.flavor_id,
        "name": flavor.name,
        "links": links(root, "flavors", flavor.flavor_id),
    }
    if version >= Microversion(2, 55):
        document["description"] = None
    return document


def flavor_full(flavor: Flavor, root: str, version: Microversion) -> dict[str, Any]:
    """Return everything about a flavor."""
    document = {
        **flavor_brief(flavor, root, version),
        "ram": flavor.ram_mb,
        "disk": flavor.disk_gb,
        "vcpus": flavor.vcpus,
        "swap": 0 if version >= Microversion(2, 75) else "",
        "rxtx_factor": 1.0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
    }
    if version >= Microversion(2, 61):
        document["extra_specs"] = {}
    return document


def image_brief(image: Image, root: str) -> dict[str, Any]:
    """Return what short lists show."""
    return {
        "id": image.image_id,
        "name": image.name,
        "links": links(root, "images", image.image_id),
    }


def image_full(image: Image, root: str) -> dict[str, Any]:
    """Return everything about an image."""
    return {
        **image_brief(image, root),
        "status": "ACTIVE",
        "progress": 100,
        "minDisk": image.min_disk_gb,
        "minRam": image.min_ram_mb,
        "created": _IMAGE_CREATED,
        "updated": _IMAGE_CREATED,
        "metadata": {},
        "OS-EXT-IMG-SIZE:size": image.size_bytes,
    }
