"""
Answer as Image v2 does, for reading: the images that servers boot from.

Clients look their image up here before they ask Compute for a server.
"""

from collections.abc import Sequence
from typing import Any

from klein import Klein
from twisted.web.server import Request

from minicloud.api.authentication import Gate
from minicloud.api.errors import ApiError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer, make_app, query_of, root_of
from minicloud.bus import MessageBus
from minicloud.config import Image
from minicloud.controller.interface import CONTROLLER, ListImages

_CREATED = "2020-01-01T00:00:00Z"


def show_image(image: Image) -> dict[str, Any]:
    """Return an image as this service has it."""
    path = f"/v2/images/{image.image_id}"
    return {
        "id": image.image_id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "protected": False,
        "owner": None,
        "tags": [],
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": image.min_disk_gb,
        "min_ram": image.min_ram_mb,
        "size": image.size_bytes,
        "virtual_size": None,
        "checksum": None,
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
    }


class Images:
    """The routes under ``/image``."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._gate = Gate(bus)

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (
            Route("GET", "/", self._versions),
            Route("GET", "/versions", self._versions),
            Route("GET", "/v2/images", self._list),
            Route("GET", "/v2/images/<image_id>", self._show),
        )

    async def _versions(self, request: Request) -> Answer:
        link = {"rel": "self", "href": f"{root_of(request)}/image/v2/"}
        version = {"id": "v2.9", "status": "CURRENT", "links": [link]}
        return json_answer({"versions": [version]}, 300)

    async def _list(self, request: Request) -> Answer:
        await self._gate.scoped(request)
        query = query_of(request)
        images = [
            show_image(image)
            for image in await self._bus.call(CONTROLLER, ListImages())
            if all(_matches(wanted, image.image_id) for wanted in query.get("id", ()))
            and all(_matches(wanted, image.name) for wanted in query.get("name", ()))
        ]
        marker = query.get("marker", ("",))[-1]
        ids = [image["id"] for image in images]
        rest = images[ids.index(marker) + 1 :] if marker in ids else images
        return json_answer({"images": rest, "first": "/v2/images", "schema": "/v2/schemas/images"})

    async def _show(self, request: Request, image_id: str) -> Answer:
        await self._gate.scoped(request)
        for image in await self._bus.call(CONTROLLER, ListImages()):
            if image.image_id == image_id:
                return json_answer(show_image(image))
        raise NotFoundError(f"No image found with ID {image_id[:80]}")


def _matches(wanted: str, value: str) -> bool:
    """Return whether a filter, which may be ``in:`` a list, lets a value pass."""
    if wanted.startswith("in:"):
        return value in wanted.removeprefix("in:").replace('"', "").split(",")
    return value == wanted


def _render(error: ApiError) -> Answer:
    document = {"code": error.status, "message": error.message, "title": type(error).__name__}
    return json_answer(document, error.status)


def image_app(bus: MessageBus) -> Klein:
    """Return what is mounted at ``/image``."""
    return make_app(Images(bus).routes(), _render)
