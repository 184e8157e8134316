"""
Compose the face of Compute and its version documents.
"""

from typing import Any

from klein import Klein
from twisted.web.server import Request

from minicloud.api.compute.actions import Actions
from minicloud.api.compute.catalogue import Catalogue
from minicloud.api.compute.common import Desk, render_error
from minicloud.api.compute.metadata import Metadata
from minicloud.api.compute.microversion import MINIMUM, Microversion
from minicloud.api.compute.servers import Servers
from minicloud.api.http import Answer, Route, json_answer, make_app, root_of
from minicloud.bus import MessageBus
from minicloud.faults import Faults


class Versions:
    """Discovery; needs no token."""

    def __init__(self, maximum: Microversion) -> None:
        self._maximum = maximum

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered."""
        return (Route("GET", "/", self._list), Route("GET", "/v2.1", self._show))

    async def _list(self, request: Request) -> Answer:
        root = root_of(request)
        oldest = {
            "id": "v2.0",
            "status": "SUPPORTED",
            "version": "",
            "min_version": "",
            "updated": "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": f"{root}/compute/v2/"}],
        }
        return json_answer({"versions": [oldest, self._document(root)]})

    async def _show(self, request: Request) -> Answer:
        document = self._document(root_of(request))
        document["media-types"] = [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.compute+json;version=2.1",
            }
        ]
        return json_answer({"version": document})

    def _document(self, root: str) -> dict[str, Any]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": str(self._maximum),
            "min_version": str(MINIMUM),
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{root}/compute/v2.1/"}],
        }


def compute_app(bus: MessageBus, faults: Faults, maximum: Microversion) -> Klein:
    """Return what is mounted at ``/compute``."""
    desk = Desk(bus, faults, maximum)
    parts = (Servers(desk), Metadata(desk), Actions(desk), Catalogue(desk))
    routes = [route for part in parts for route in part.routes()]
    return make_app((*Versions(maximum).routes(), *routes), render_error)
