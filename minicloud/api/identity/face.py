"""
Compose the faces of Identity and their discovery.
"""

from klein import Klein
from twisted.web.server import Request

from minicloud.api.http import Answer, Route, json_answer, make_app, root_of
from minicloud.api.identity import v2, v3
from minicloud.api.identity.applications import ApplicationCredentials
from minicloud.api.identity.common import TokenDesk, render_error
from minicloud.api.identity.impersonation import Impersonation
from minicloud.bus import MessageBus
from minicloud.faults import Faults


async def _versions(request: Request) -> Answer:
    root = root_of(request)
    values = [v3.version_document(root), v2.version_document(root)]
    return json_answer({"versions": {"values": values}}, 300)


def identity_app(bus: MessageBus, faults: Faults, region: str) -> Klein:
    """Return what is mounted at ``/identity``."""
    desk = TokenDesk(bus, faults, region)
    discovery = (Route("GET", "/", _versions),)
    faces = (
        v3.IdentityV3(desk),
        v2.IdentityV2(desk),
        ApplicationCredentials(desk),
        Impersonation(desk),
    )
    return make_app((*discovery, *(r for face in faces for r in face.routes())), render_error)
