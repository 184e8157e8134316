"""
Which services a project is offered, in the shapes of both versions. Pure.
"""

from typing import Any

from attrs import frozen

from minicloud.config import stable_id


@frozen
class Offer:
    """A service of this cloud."""

    kind: str
    name: str
    url: str


def offers(root: str, project_id: str) -> tuple[Offer, ...]:
    """Return the services with their URLs for a project."""
    return (
        Offer("identity", "keystone", f"{root}/identity/v3"),
        Offer("compute", "nova", f"{root}/compute/v2.1"),
        Offer("image", "glance", f"{root}/image"),
        Offer("rax:load-balancer", "cloudLoadBalancers", f"{root}/clb/v1.0/{project_id}"),
    )


def v3_catalog(root: str, project_id: str, region: str) -> list[dict[str, Any]]:
    """Return the catalog as Identity v3 has it."""
    return [
        {
            "id": stable_id("service", offer.kind),
            "type": offer.kind,
            "name": offer.name,
            "endpoints": [
                {
                    "id": stable_id("endpoint", f"{offer.kind} {interface}"),
                    "interface": interface,
                    "region": region,
                    "region_id": region,
                    "url": offer.url,
                }
                for interface in ("public", "internal", "admin")
            ],
        }
        for offer in offers(root, project_id)
    ]


def v2_catalog(root: str, project_id: str, region: str) -> list[dict[str, Any]]:
    """Return the catalog as Identity v2.0 has it."""
    return [
        {
            "type": offer.kind,
            "name": offer.name,
            "endpoints_links": [],
            "endpoints": [
                {
                    "id": stable_id("endpoint", f"{offer.kind} public"),
                    "region": region,
                    "tenantId": project_id,
                    "publicURL": _v2_url(root, offer),
                    "internalURL": _v2_url(root, offer),
                    "adminURL": _v2_url(root, offer),
                }
            ],
        }
        for offer in offers(root, project_id)
    ]


def _v2_url(root: str, offer: Offer) -> str:
    return f"{root}/identity/v2.0" if offer.kind == "identity" else offer.url
