"""Tables of documents and of what the parser says of them."""

from collections.abc import Mapping
from typing import Any

import simplejson
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import InvalidMinEntities, ValidationError
from otter.rest.parsing import SERVICE_NET, Parser
from tests.rest.world import NOW, SCHEMAS, a_launch, a_server

PARSER = Parser(SCHEMAS)
OK = "accepted"
LONG = "x" * 257
NO_SERVICE_NET = (
    f"args.server.networks: must contain ServiceNet ({SERVICE_NET}) when servers go on a cloud "
    "load balancer"
)


def outcome(reader: str, document: object) -> str:
    """Return what a parser's method says of a document."""
    body = simplejson.dumps(document, use_decimal=True).encode()
    times = {"now": NOW} if reader in {"group", "policies", "policy"} else {}
    try:
        getattr(PARSER, reader)(body, **times)
    except ValidationError as error:
        return str(error)
    except InvalidMinEntities as error:
        return f"InvalidMinEntities {error}"
    return OK


def with_server(**changes: object) -> dict[str, Any]:
    """Return a launch config with a changed server."""
    return a_launch(a_server(**changes))


def with_balancers(*balancers: object, **server: object) -> dict[str, Any]:
    """Return a launch config with load balancers."""
    return a_launch(a_server(**server), loadBalancers=list(balancers))


def cloud(**changes: object) -> dict[str, Any]:
    """Return a cloud load balancer; a change to ``...`` takes a field away."""
    item = {"loadBalancerId": 4410, "port": 80, **changes}
    return {key: value for key, value in item.items() if value is not ...}


def pool(**changes: object) -> dict[str, Any]:
    """Return a RackConnect pool."""
    return {"loadBalancerId": "pool", "type": "RackConnectV3", **changes}


class TableCase(SynchronousTestCase):
    """Holds tables of ``row -> (document, words)`` against a parser."""

    maxDiff = None

    def check(self, reader: str, rows: Mapping[str, tuple[object, str]]) -> None:
        """Compare what is said of each document with what the table says."""
        found = {row: outcome(reader, document) for row, (document, _) in rows.items()}

        self.assertEqual(found, {row: words for row, (_, words) in rows.items()})
