"""
Answer for what a server is made from and what a project may have: flavors, images, limits.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from minicloud.api.compute.common import Call, Desk
from minicloud.api.compute.creation import MAX_PERSONALITY, MAX_PERSONALITY_BYTES
from minicloud.api.compute.microversion import Microversion
from minicloud.api.compute.views import flavor_brief, flavor_full, image_brief, image_full
from minicloud.api.errors import BadRequestError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer
from minicloud.config import Flavor, Image
from minicloud.controller.interface import (
    MAX_METADATA_ITEMS,
    UNLIMITED,
    GetUsage,
    ListFlavors,
    ListImages,
    Usage,
)

_PROXIES_GONE = 36
_IMAGE_META_GONE = 39
_PERSONALITY_GONE = 57

T = TypeVar("T")


class Catalogue:
    """The routes of ``/flavors``, ``/images`` and ``/limits``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        route = self._desk.route
        return (
            route("GET", "/flavors", self._flavors_brief),
            route("GET", "/flavors/detail", self._flavors_full),
            route("GET", "/flavors/<flavor_id>", self._flavor),
            route("GET", "/images", self._images_brief),
            route("GET", "/images/detail", self._images_full),
            route("GET", "/images/<image_id>", self._image),
            route("GET", "/limits", self._limits),
        )

    async def _flavors_brief(self, call: Call) -> Answer:
        return await self._flavors(call, flavor_brief)

    async def _flavors_full(self, call: Call) -> Answer:
        return await self._flavors(call, flavor_full)

    async def _flavors(
        self, call: Call, show: Callable[[Flavor, str, Microversion], dict[str, Any]]
    ) -> Answer:
        flavors = await self._desk.ask(ListFlavors())
        wanted = _from_marker(call, flavors, lambda flavor: flavor.flavor_id)
        return json_answer({"flavors": [show(f, call.root, call.version) for f in wanted]})

    async def _flavor(self, call: Call, flavor_id: str) -> Answer:
        for flavor in await self._desk.ask(ListFlavors()):
            if flavor.flavor_id == flavor_id:
                return json_answer({"flavor": flavor_full(flavor, call.root, call.version)})
        raise NotFoundError(f"Flavor {flavor_id} could not be found.")

    async def _images_brief(self, call: Call) -> Answer:
        return await self._images(call, image_brief)

    async def _images_full(self, call: Call) -> Answer:
        return await self._images(call, image_full)

    async def _images(self, call: Call, show: Callable[[Image, str], dict[str, Any]]) -> Answer:
        _check_proxied(call)
        images = await self._desk.ask(ListImages())
        wanted = _from_marker(call, images, lambda image: image.image_id)
        return json_answer({"images": [show(image, call.root) for image in wanted]})

    async def _image(self, call: Call, image_id: str) -> Answer:
        _check_proxied(call)
        for image in await self._desk.ask(ListImages()):
            if image.image_id == image_id:
                return json_answer({"image": image_full(image, call.root)})
        raise NotFoundError("Image not found.")

    async def _limits(self, call: Call) -> Answer:
        usage = await self._desk.ask(GetUsage(call.project_id))
        return json_answer({"limits": {"rate": [], "absolute": absolute_limits(usage, call)}})


def absolute_limits(usage: Usage, call: Call) -> dict[str, int]:
    """Return limits and what is used of them, as the call's microversion has them."""
    limits = {
        "maxTotalInstances": usage.max_instances,
        "maxTotalCores": UNLIMITED,
        "maxTotalRAMSize": UNLIMITED,
        "maxServerMeta": MAX_METADATA_ITEMS,
        "maxTotalKeypairs": UNLIMITED,
        "maxServerGroups": 0,
        "maxServerGroupMembers": 0,
        "totalInstancesUsed": usage.instances,
        "totalCoresUsed": usage.cores,
        "totalRAMUsed": usage.ram_mb,
        "totalServerGroupsUsed": 0,
    }
    if not call.at_least(_PROXIES_GONE):
        limits |= {
            "maxSecurityGroups": UNLIMITED,
            "maxSecurityGroupRules": UNLIMITED,
            "maxTotalFloatingIps": UNLIMITED,
            "totalSecurityGroupsUsed": 0,
            "totalFloatingIpsUsed": 0,
        }
    if not call.at_least(_IMAGE_META_GONE):
        limits["maxImageMeta"] = MAX_METADATA_ITEMS
    if not call.at_least(_PERSONALITY_GONE):
        limits["maxPersonality"] = MAX_PERSONALITY
        limits["maxPersonalitySize"] = MAX_PERSONALITY_BYTES
    return limits


def _check_proxied(call: Call) -> None:
    """Images have a service of their own since 2.36; asked here, they are not found."""
    if call.at_least(_PROXIES_GONE):
        raise NotFoundError


def _from_marker(call: Call, things: Sequence[T], id_of: Callable[[T], str]) -> Sequence[T]:
    """Return what follows the marker; these lists are short and come in one page."""
    marker = call.query.get("marker", ("",))[-1]
    if not marker:
        return things
    ids = [id_of(thing) for thing in things]
    if marker not in ids:
        raise BadRequestError(f"marker [{marker[:80]}] not found")
    return things[ids.index(marker) + 1 :]
