"""A REST API on the real controller and the memory store; every reply is held to the document."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import simplejson
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.local import LocalBus
from otter.cloud.errors import AuthenticationError
from otter.cloud.interface import Caller, TokenValidator
from otter.controller.interface import Controller, Limits
from otter.controller.service import OtterController
from otter.models.activity import Deployment
from otter.models.ids import DeploymentId, GroupId, TenantId
from otter.models.memory import MemoryStore
from otter.rest.app import make_site
from otter.rest.config import RestConfig
from otter.rest.health import HealthCheck
from otter.rest.validation import Schemas
from tests import openapi
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes

NOW = datetime(2031, 3, 1, 8, 0, tzinfo=UTC)
BASE = "https://autoscale.example.com"
TENANT = "7042"
GROUPS = f"/v1.0/{TENANT}/groups"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
TOKEN = "token-of-ada"
SCHEMAS = Schemas.load()

T = TypeVar("T")


def a_config(**changes: object) -> dict[str, Any]:
    """Return a valid ``groupConfiguration`` with room from 0 to 10."""
    config = {"name": "web", "cooldown": 0, "minEntities": 0, "maxEntities": 10, "metadata": {}}
    return {**config, **changes}


def a_server(**changes: object) -> dict[str, Any]:
    """Return a valid ``server``."""
    return {"flavorRef": "3", "imageRef": "image-1", **changes}


def a_launch(server: object = None, **args: object) -> dict[str, Any]:
    """Return a valid ``launchConfiguration``."""
    return {"type": "launch_server", "args": {"server": server or a_server(), **args}}


def a_group(**changes: object) -> dict[str, Any]:
    """Return a valid body for a POST of a group."""
    return {"groupConfiguration": a_config(), "launchConfiguration": a_launch(), **changes}


def a_policy(**changes: object) -> dict[str, Any]:
    """Return a valid webhook policy that adds two; a change of None takes a field away."""
    policy = {"name": "grow", "type": "webhook", "cooldown": 0, "change": 2, **changes}
    return {name: value for name, value in policy.items() if value is not None}


def a_schedule(**changes: object) -> dict[str, Any]:
    """Return a valid schedule policy."""
    return a_policy(type="schedule", args={"cron": "0 8 * * *"}, **changes)


class Tokens:
    """Knows the tokens it is given; can be made to fail."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}
        self.error: Exception | None = None

    def add(self, token: str, *roles: str, tenant: str | None = TENANT) -> None:
        """Let a token be good."""
        tenant_id = None if tenant is None else TenantId(tenant)
        self.callers[token] = Caller(
            "u1", "ada", tenant_id, frozenset(roles), NOW + timedelta(days=1)
        )

    async def validate(self, token: str) -> Caller:
        """Return whose token it is."""
        if self.error is not None:
            raise self.error
        if token not in self.callers:
            raise AuthenticationError("unknown token", status=401)
        return self.callers[token]


class RestCase(SynchronousTestCase):
    """
    A site, and a client that looks at every reply.

    :cvar limits: small enough that a test can reach them.
    """

    limits = Limits(max_groups=3, max_policies_per_group=5, max_webhooks_per_policy=3)
    config = RestConfig(BASE)

    def setUp(self) -> None:
        """Build the world."""
        self.clock = Clock()
        self.clock.advance(NOW.timestamp())
        self.store = MemoryStore()
        self.tokens = Tokens()
        self.tokens.add(TOKEN, "autoscale:admin")
        self.health: dict[str, HealthCheck] = {}
        self.controller = self.make_controller(self.limits)
        self.serve(self.controller)

    def make_controller(self, limits: Limits) -> OtterController:
        """Return a controller on the store."""
        deployment = Deployment(DeploymentId("d"), "a secret of the deployment")
        return OtterController(self.store, LocalBus(self.clock), self.clock, limits, deployment)

    def serve(self, controller: Controller, *, auth: bool = True) -> None:
        """Put a fresh site on a controller."""
        validator: TokenValidator | None = self.tokens if auth else None
        self.site = make_site(self.config, controller, validator, self.health, self.clock)

    def ended(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what finishes without waiting."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    # --- asking -----------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the reply to a request; a body that is not bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else _json(body)
        auth = {} if token is None else {"X-Auth-Token": token}
        connection = Connection(self.site)
        connection.send(request_bytes(method, path, raw, {**auth, **(headers or {})}))
        reply = parse_reply(connection.received(), method)
        connection.hang_up()
        self._check_headers(reply)
        self._check_body(method, path, reply)
        return reply

    def _check_headers(self, reply: Reply) -> None:
        """Hold a reply to rest-api.md 1.4."""
        self.assertIn(reply.headers["Content-Type"], {"application/json", "application/xml"})
        self.assertEqual(reply.headers["Server"], "otter")
        self.assertTrue(reply.headers["Date"])
        if reply.headers["X-Response-Id"] != "health_check":
            self.assertEqual(
                str(UUID(reply.headers["X-Response-Id"])), reply.headers["X-Response-Id"]
            )

    def _check_body(self, method: str, path: str, reply: Reply) -> None:
        """Hold the reply to what the OpenAPI document says of it."""
        headers = {name.lower(): value for name, value in reply.headers.items()}
        openapi.checker().check(method, path, openapi.Reply(reply.status, headers, reply.body))

    def check_rows(self, rows: Mapping[str, tuple[str, Callable[[], Reply]]]) -> None:
        """Hold a table of ``row -> (expected status and type, request)`` against the site."""
        found = {row: ask().error for row, (_, ask) in rows.items()}
        expected = {row: expected for row, (expected, _) in rows.items()}

        self.assertEqual(found, expected)

    # --- building ---------------------------------------------------------------------------

    def make_group(self, body: object = None, **config: object) -> str:
        """Create a group; return its path."""
        reply = self.ask("POST", GROUPS, body or a_group(groupConfiguration=a_config(**config)))
        assert reply.status == 201, reply.body
        return f"{GROUPS}/{reply.document['group']['id']}"

    def make_policy(self, group: str, **changes: object) -> str:
        """Create a policy; return its path."""
        reply = self.ask("POST", f"{group}/policies", [a_policy(**changes)])
        assert reply.status == 201, reply.body
        return f"{group}/policies/{reply.document['policies'][0]['id']}"

    def make_webhook(self, policy: str) -> tuple[str, str]:
        """Create a webhook; return its path and the path of its capability."""
        reply = self.ask("POST", f"{policy}/webhooks", [{"name": "pager"}])
        assert reply.status == 201, reply.body
        webhook = reply.document["webhooks"][0]
        return f"{policy}/webhooks/{webhook['id']}", local(webhook["links"][1]["href"])

    def state(self, group: str) -> Any:
        """Return the group's state."""
        return self.ask("GET", f"{group}/state").document["group"]

    def desired(self, group: str) -> int:
        """Return how many servers the group wants."""
        return int(self.state(group)["desiredCapacity"])

    def change_stored(self, group: str, **changes: Any) -> None:
        """Change the stored group behind the API's back."""
        group_id = GroupId(group.rpartition("/")[2])
        stored = self.ended(self.store.get_group(TenantId(TENANT), group_id))
        self.ended(self.store.update_group(evolve(stored, **changes), mark=False))


def local(href: str) -> str:
    """Return the path of an absolute link."""
    assert href.startswith(BASE + "/")

    return href.removeprefix(BASE)


def _json(document: object) -> bytes:
    return simplejson.dumps(document, use_decimal=True).encode("utf-8")
