"""The operators' listener beside a public API, on the same store."""

from collections.abc import Mapping

from otter.metrics import Census, Metrics
from otter.rest.operator.app import Operated, make_operator_site
from otter.rest.validation import Schemas
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.rest.world import RestCase

SCHEMAS = Schemas.load()


class OperatorCase(RestCase):
    """Gives each test both faces of one process."""

    def setUp(self) -> None:
        """Build the world."""
        super().setUp()
        self.metrics = Metrics()
        self.census: Census | None = None
        operated = Operated(self.controller, self.health, self.metrics, lambda: self.census)
        self.operators = make_operator_site(operated, self.clock)

    def operate(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the reply to an operator, who has no token; errors look as everywhere."""
        connection = Connection(self.operators)
        connection.send(request_bytes(method, path, body, headers or {}))
        reply = parse_reply(connection.received(), method)
        if reply.status >= 400 and reply.body:
            SCHEMAS.check("common.error", reply.document)
        return reply
