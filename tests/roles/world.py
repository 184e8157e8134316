"""
Otter's API in front of minicloud's identity, all of it in memory: real tokens, really validated.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import simplejson
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.config import DEFAULT_USERS, UserConfig
from minicloud.testing import START, finish, make_minicloud
from minicloud.users.interface import USERS, Authenticate, RevokeToken, Scope
from otter.bus.local import LocalBus
from otter.cloud.http import HttpClient
from otter.cloud.openstack import make_identity
from otter.cloud.tokens import IdentityConfig, IdentityVersion, TokenCache
from otter.cloud.validator import CachingValidator
from otter.controller.interface import Limits, NewLaunch, NewPolicy, NewWebhook
from otter.controller.service import OtterController
from otter.models.activity import Deployment
from otter.models.group import GroupConfig, LaunchType
from otter.models.ids import DeploymentId, InstanceId, PolicyId, ServerId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import EntryState, LedgerEntry
from otter.models.memory.store import MemoryStore
from otter.models.policy import ChangeBy
from otter.rest.app import make_site
from otter.rest.auth import RoleNames
from otter.rest.config import Rates, RestConfig
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes
from tests.roles.contract import CALLERS, CROSS_TENANT, Caller, Operation
from tests.roles.watching import LogWatch

PASSWORD = "a password of somebody's"
SERVICE_PASSWORD = "otter-password"
DEPLOYMENT_SECRET = "the secret of the deployment"
STALENESS = timedelta(seconds=60)
REFUSAL = timedelta(seconds=5)
ARGS: Any = {"server": {"flavorRef": "1", "imageRef": "image"}}
SERVICE_USER = next(user for user in DEFAULT_USERS if user.name == "otter")


class Line:
    """
    The way to the cloud.

    :ivar trouble: what happens to requests instead of arriving, while it is set.
    :ivar sent: how many requests there were.
    """

    def __init__(self, requests: Any) -> None:
        self._requests = requests
        self.trouble: Callable[[], Deferred[Any]] | None = None
        self.sent = 0

    def request(self, *arguments: Any, **settings: Any) -> Deferred[Any]:
        """See ``treq.request``."""
        self.sent += 1
        if self.trouble is not None:
            return self.trouble()
        answer: Deferred[Any] = self._requests.request(*arguments, **settings)
        return answer


@frozen
class Resources:
    """One of everything, of the tenant ``t``; ``capability`` is the hash."""

    t: str
    g: str
    p: str
    w: str
    s: str
    hash: str

    def path(self, template: str) -> str:
        """Return the path that a template of the contract stands for."""
        return template.format(t=self.t, g=self.g, p=self.p, w=self.w, s=self.s, hash=self.hash)


class RolesCase(SynchronousTestCase):
    """
    A cloud, an API, and a caller of every kind.

    At the end of every test all that was logged is searched for every secret there was.

    :cvar version: of identity.
    """

    version = IdentityVersion.V3

    def setUp(self) -> None:
        """Build everything."""
        self.watch = LogWatch()
        self.watch.begin()
        self.addCleanup(self.assert_secrets_kept)
        self.secrets: set[str] = {PASSWORD, SERVICE_PASSWORD, DEPLOYMENT_SECRET}
        self.clock = Clock()
        self.clock.rightNow = START.timestamp()
        users = [
            UserConfig(one.name, PASSWORD, {one.project or "demo": one.roles}) for one in CALLERS
        ]
        self.cloud = make_minicloud(self.clock, users=(SERVICE_USER, *users))
        self.tenant = self.cloud.project_id("demo")
        self.line = Line(self.cloud.client())
        self.store = MemoryStore()
        limits = Limits(max_groups=100_000)
        deployment = Deployment(DeploymentId("d"), DEPLOYMENT_SECRET)
        bus = LocalBus(self.clock)
        self.controller = OtterController(self.store, bus, self.clock, limits, deployment)
        self.serve()

    def serve(self, password: str = SERVICE_PASSWORD) -> None:
        """
        Start an API that knows nobody yet.

        :param password: of Otter's own user at identity.
        """
        config = IdentityConfig(
            auth_url=self.cloud.credentials["auth_url"],
            version=self.version,
            user_name="otter",
            password=password,
            project=TenantId(self.cloud.project_id("service")),
        )
        http = HttpClient(self.line, self.clock, timeout=timedelta(seconds=30))
        identity = make_identity(config, http, self.clock)
        own: TokenCache[TenantId | None] = TokenCache(identity, self.clock)
        validator = CachingValidator(
            identity,
            own,
            self.clock,
            own_scope=config.project,
            staleness_max=STALENESS,
            refusal_time=REFUSAL,
        )
        roles = RoleNames(cross_tenant=frozenset({CROSS_TENANT}))
        rest = RestConfig("https://otter.example.com", roles=roles, rates=Rates(enabled=False))
        self.site = make_site(rest, self.controller, validator, {}, self.clock)

    # --- callers ------------------------------------------------------------------------------

    def token_of(self, caller: Caller) -> str:
        """Return a new token."""
        scope = Scope(project_name=caller.project) if caller.project else None
        wish = Authenticate(caller.name, PASSWORD, scope)
        return self.secret(finish(self.cloud.control.bus.call(USERS, wish)).token_id)

    def token_named(self, name: str) -> str:
        """Return a new token of the caller of that name."""
        return self.token_of(next(one for one in CALLERS if one.name == name))

    def short_lived_token(self, name: str, lifetime: timedelta) -> str:
        """Return a new token that expires early."""
        control = self.cloud.control
        before = control.settings.token_lifetime
        finish(control.change(token_lifetime=lifetime))
        token = self.token_named(name)
        finish(control.change(token_lifetime=before))
        return token

    def revoke(self, token: str) -> None:
        """Make a token worthless at identity."""
        finish(self.cloud.control.bus.call(USERS, RevokeToken(token)))

    def bad_tokens(self) -> Mapping[str, str | None]:
        """Return what is sent by those whom identity does not know; all were owners, if at all."""
        expired = self.short_lived_token("owner", timedelta(seconds=1))
        self.clock.advance(2)
        revoked = self.token_named("owner")
        self.revoke(revoked)
        good = self.token_named("owner")
        return {
            "none": None,
            "empty": "",
            "expired": expired,
            "revoked": revoked,
            "garbage": self.secret("0123456789abcdef0123456789abcdef"),
            "long garbage": self.secret("gAAAAAB" + "x" * 500),
            "cut": good[:-1],
            "with a path": self.secret("../../v3/users"),
            "two": f"{good} {good}",
            "beyond ASCII": self.secret("tök€n-of-nobody".encode().decode("latin-1")),
        }

    def secret(self, text: str) -> str:
        """Remember what nobody may read in a log."""
        self.secrets.add(text)
        return text

    # --- resources ----------------------------------------------------------------------------

    def make_resources(self) -> Resources:
        """Make one of everything, without asking the API."""
        return finish(self._make_resources())

    async def _make_resources(self) -> Resources:
        call, tenant = self.controller, TenantId(self.tenant)
        config = GroupConfig("web", 0, 1, 9)
        launch = NewLaunch(LaunchType.SERVER, ARGS)
        new = NewPolicy("grow", Decimal(0), ChangeBy(1))
        group, [policy] = await call.create_group(tenant, config, launch, [new], actor="test")
        webhook = await self._make_webhook(group.group_id, policy.policy_id)
        ledger = await self.store.read_ledger(tenant, group.group_id)
        entry = LedgerEntry(
            tenant,
            group.group_id,
            InstanceId("i-1"),
            launch_version=1,
            created=group.created,
            changed=group.created,
            state=EntryState.IN_SERVICE,
            server_id=ServerId("server-1"),
        )
        await self.store.write_ledger(LedgerWrite(ledger.convergence, (entry,)))
        self.secret(await call.notify_secret(tenant, group.group_id))
        return Resources(
            tenant, group.group_id, policy.policy_id, *webhook[:1], "server-1", webhook[1]
        )

    async def _make_webhook(self, group: Any, policy: PolicyId) -> tuple[str, str]:
        tenant = TenantId(self.tenant)
        new = [NewWebhook("pager")]
        [webhook] = await self.controller.create_webhooks(tenant, group, policy, new, actor="test")
        return webhook.webhook_id, self.secret(webhook.capability)

    def stored(self) -> dict[str, Any]:
        """Return a copy of everything in the store."""
        return {name: _copied(table) for name, table in vars(self.store).items()}

    # --- asking -------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the reply to a request; a body that is not bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else simplejson.dumps(body).encode()
        auth = {} if token is None else {"X-Auth-Token": token}
        connection = Connection(self.site)
        connection.send(request_bytes(method, path, raw, {**auth, **(headers or {})}))
        return parse_reply(connection.received(), method)

    def do(self, operation: Operation, token: str | None, resources: Resources) -> Reply:
        """Return the reply to an operation on these resources."""
        path = resources.path(operation.path)
        return self.ask(operation.method, path, operation.body, token=token)

    # --- judging ------------------------------------------------------------------------------

    def assert_secrets_kept(self) -> None:
        """Nothing that was logged since the beginning of the test has a secret in it."""
        self.watch.end()
        told = [text for one in self.secrets if one for text in self.watch.telling(one)]
        assert self.watch.texts, "nothing was logged, so this proves nothing"

        self.assertEqual(told, [])


def _copied(table: Any) -> Any:
    if isinstance(table, dict):
        return {key: _copied(value) for key, value in table.items() if value != {}}
    return table
