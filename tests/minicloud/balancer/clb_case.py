"""
A cloud without sockets, asked over HTTP.
"""

import json
from datetime import timedelta
from typing import Any, cast

from treq.testing import StubTreq
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IRequest

from minicloud.balancer import Balancers, clb_app

BASE = "http://cloud.test/p1/loadbalancers"


class RefusedError(Exception):
    """What authentication or a fault raises."""

    def __init__(self, status: int, retry_after: timedelta | None = None) -> None:
        super().__init__("refused for a test")
        self.status = status
        self.retry_after = retry_after


class ClbCase(SynchronousTestCase):
    """A cloud without sockets, in which the token is the project's name."""

    def setUp(self) -> None:
        """Start with no load balancer, at a round time."""
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.balancers = Balancers(self.clock, data_plane=False, node_limit=4)
        self.waiting: Deferred[None] = succeed(None)
        self.http: Any = StubTreq(
            clb_app(self.balancers, self._authenticate, self._delay).resource()
        )

    async def _authenticate(self, request: IRequest) -> str:
        token = request.getHeader("x-auth-token")
        if not token:
            raise RefusedError(401)
        return cast("str", token)

    async def _delay(self) -> None:
        await self.waiting

    def start(
        self, method: str, path: str = "", body: object = None, *, token: str = "p1"
    ) -> Deferred[tuple[int, bytes, str]]:
        """Begin a request; the Deferred has the answer's status, body and content type."""

        async def asking() -> tuple[int, bytes, str]:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            response = await self.http.request(
                method, BASE + path, data=data, headers={"X-Auth-Token": token} if token else {}
            )
            [content_type] = response.headers.getRawHeaders("content-type")
            return response.code, await response.content(), content_type

        return Deferred.fromCoroutine(asking())

    def ask(
        self, method: str, path: str = "", body: object = None, *, token: str = "p1"
    ) -> tuple[int, Any]:
        """Return the answer's status and parsed body, None if it is empty."""
        status, content, _ = self.successResultOf(self.start(method, path, body, token=token))
        return status, json.loads(content) if content else None

    def an_lb(self, *nodes: object, **more: object) -> int:
        """Create a load balancer and return its id."""
        wanted = {"name": "web", "port": 8080, "nodes": list(nodes), **more}
        status, answer = self.ask("POST", "", {"loadBalancer": wanted})
        self.assertEqual(202, status)
        lb_id: int = answer["loadBalancer"]["id"]
        return lb_id


def a_node(number: int = 1, **more: object) -> dict[str, object]:
    """Return a node as clients write it."""
    return {"address": f"10.0.0.{number}", "port": 80, **more}
