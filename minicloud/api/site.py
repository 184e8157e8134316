"""
Put every face where it belongs.
"""

from klein.resource import KleinResource
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from minicloud.api.authentication import Gate
from minicloud.api.compute.face import compute_app
from minicloud.api.compute.microversion import parse
from minicloud.api.control import control_app
from minicloud.api.identity.face import identity_app
from minicloud.api.image import image_app
from minicloud.api.page import pages_app
from minicloud.balancer import clb_app
from minicloud.control import Control
from minicloud.faults import Service


class _Root(Resource):
    """Answers with the cloud's own pages what no face is mounted for."""

    def __init__(self, pages: KleinResource) -> None:
        super().__init__()
        self._pages = pages

    def getChild(self, path: bytes, request: Request) -> IResource:
        """Return the pages, which route by the whole path."""
        request.postpath = [path, *(request.postpath or [])]
        request.prepath = (request.prepath or [])[:-1]
        return self._pages


def make_root(control: Control) -> Resource:
    """Return the cloud's resource tree."""
    bus, faults, config = control.bus, control.faults, control.config

    async def delay_balancers() -> None:
        await faults.delay(Service.LOAD_BALANCER)

    balancers = clb_app(control.balancers, Gate(bus).project_in_path, delay_balancers)
    versions = Resource()
    versions.putChild(b"v1.0", balancers.resource())
    root = _Root(pages_app(control).resource())
    root.putChild(b"identity", identity_app(bus, faults, config.region).resource())
    maximum = parse(config.max_microversion)
    root.putChild(b"compute", compute_app(bus, faults, maximum).resource())
    root.putChild(b"image", image_app(bus).resource())
    root.putChild(b"clb", versions)
    root.putChild(b"control", control_app(control).resource())
    return root
