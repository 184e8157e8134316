"""The identity half of the provider on the wire: tokens, catalogs, both versions of the API."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import simplejson
from attrs import frozen
from twisted.internet.task import Clock
from twisted.web.server import Request

from otter.models.ids import TenantId

USER = "otter"
PASSWORD = "the-service-password"
REGION = "RegionOne"

Reply = tuple[int, dict[str, str], Any]


@frozen
class Issued:
    """A token that was issued, to whom and for what."""

    token: str
    user: str
    tenant_id: TenantId | None
    roles: tuple[str, ...]
    expires: datetime


class WireIdentity:
    """
    Identity on the wire.

    :ivar life: how long a token is good for.
    :ivar suspended: tenants whose catalog is empty.
    :ivar strangers: tenants that the service user may not act for, in whatever way.
    :ivar broken: the status every call answers, while it is not None.
    :ivar page: whether broken calls are answered with a page instead of a document.
    :ivar refusals: how many of the next calls answer 401.
    :ivar issued: how many tokens were issued to the service user.
    :ivar offered: types and URLs of further services in every catalog; ``{tenant}`` is the tenant.
    :ivar users: the users of tenants, where they are not one admin; see ``admin_of``.
    :ivar applications: application credentials by id: secret and tenant.
    """

    def __init__(self, clock: Clock, base: str) -> None:
        self._clock = clock
        self._base = base
        self._tokens: dict[str, Issued] = {}
        self._numbers = count()
        self.life = timedelta(hours=1)
        self.suspended: set[TenantId] = set()
        self.strangers: set[TenantId] = set()
        self.broken: int | None = None
        self.page = False
        self.refusals = 0
        self.issued = 0
        self.offered: list[tuple[str, str]] = []
        self.users: dict[TenantId, list[dict[str, Any]]] = {}
        self.applications: dict[str, tuple[str, TenantId]] = {}

    def issue(self, user: str, tenant_id: TenantId | None, *roles: str) -> Issued:
        """Issue a token to anybody."""
        expires = datetime.fromtimestamp(self._clock.seconds(), UTC) + self.life
        token = f"token-{next(self._numbers)}-of-{user}"
        issued = Issued(token, user, tenant_id, roles, expires)
        self._tokens[token] = issued
        return issued

    def revoke(self, token: str) -> None:
        """Make a token bad."""
        del self._tokens[token]

    def find(self, token: str) -> Issued | None:
        """Return a token that is good now."""
        issued = self._tokens.get(token)
        good = issued is not None and issued.expires.timestamp() > self._clock.seconds()
        return issued if good else None

    def admits(self, token: str, tenant_id: TenantId) -> bool:
        """Return whether a token gives access to a tenant's resources."""
        issued = self.find(token)
        return issued is not None and issued.tenant_id == tenant_id

    def answer(self, request: Request, path: str, content: bytes) -> Reply:
        """Answer a call of either version."""
        if self.broken is not None:
            return self.broken, {}, "a page" if self.page else {"error": {"message": "broken"}}
        if self.refusals:
            self.refusals -= 1
            return 401, {}, {"error": {"message": "not now"}}
        version, _, rest = path.partition("/")
        body = simplejson.loads(content) if content else None
        if body is not None and "auth" in body:
            return self._authenticate_v3(body) if version == "v3" else self._authenticate_v2(body)
        if self.find(request.getHeader("x-auth-token") or "") is None:
            return 401, {}, {"error": {"message": "not you"}}
        if body is not None:
            return self._impersonate(body["RAX-AUTH:impersonation"])
        return self._look_up(request, version, rest)

    def _look_up(self, request: Request, version: str, rest: str) -> Reply:
        match rest.split("/"):
            case ["tenants", tenant, "users"]:
                return self._tenant_users(TenantId(tenant))
            case ["tokens", token, "endpoints"]:
                return self._endpoints(token)
        in_path = rest.rsplit("/", maxsplit=1)[-1]
        subject = request.getHeader("x-subject-token") if version == "v3" else in_path
        issued = self.find(subject or "")
        if issued is None:
            return 404, {}, {"error": {"message": f"no token {subject}"}}
        show = self._shown_v3 if version == "v3" else self._shown_v2
        return 200, {}, show(issued)

    # --- impersonation ----------------------------------------------------------------------

    @staticmethod
    def admin_of(tenant_id: TenantId) -> str:
        """Return the name of a tenant's admin user, where nothing else was ordered."""
        return f"admin-of-{tenant_id}"

    def _tenant_users(self, tenant_id: TenantId) -> Reply:
        if tenant_id in self.strangers:
            return 404, {}, {"itemNotFound": {"code": 404, "message": "no tenant"}}
        admin = {"id": "1", "username": self.admin_of(tenant_id), "enabled": True}
        return 200, {}, {"users": self.users.get(tenant_id, [admin])}

    def _impersonate(self, wish: Any) -> Reply:
        user = wish["user"]["username"]
        tenant_id = TenantId(user.removeprefix(self.admin_of(TenantId(""))))
        if tenant_id in self.strangers:
            return 403, {}, {"forbidden": {"code": 403, "message": f"not {user}"}}
        life, self.life = self.life, timedelta(seconds=wish["expire-in-seconds"])
        issued = self.issue(user, tenant_id)
        self.life = life
        token = {"id": issued.token, "expires": issued.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return 200, {}, {"access": {"token": token}}

    def _endpoints(self, token: str) -> Reply:
        issued = self.find(token)
        if issued is None or issued.tenant_id is None:
            return 404, {}, {"itemNotFound": {"code": 404, "message": f"no token {token}"}}
        elsewhere = {
            "type": "compute",
            "region": REGION,
            "tenantId": "another-tenant",
            "publicURL": "http://wrong.invalid",
        }
        # The way Rackspace lists its first generation of servers: in no region.
        first = {"type": "compute", "tenantId": issued.tenant_id, "publicURL": "http://v1.invalid"}
        here = [
            {"type": kind, "region": REGION, "tenantId": issued.tenant_id, "publicURL": url}
            for kind, url in self._services(issued.tenant_id)
        ]
        return 200, {}, {"endpoints": [elsewhere, first, *here] if here else [elsewhere]}

    # --- tokens -----------------------------------------------------------------------------

    def _authenticate_v3(self, body: Any) -> Reply:
        if body["auth"]["identity"]["methods"] == ["application_credential"]:
            return self._authenticate_application(body["auth"])
        user = body["auth"]["identity"]["password"]["user"]
        right = user["domain"] == {"name": "Default"} and self._knows(user["name"], user)
        if not right:
            return 401, {}, {"error": {"message": f"wrong password {user['password']}"}}
        scope = body["auth"].get("scope", {}).get("project", {}).get("id")
        if scope in self.strangers:
            return 401, {}, {"error": {"message": f"no role on {scope}"}}
        issued = self._issue_ours(scope)
        return 201, {"x-subject-token": issued.token}, self._shown_v3(issued)

    def _authenticate_application(self, auth: Any) -> Reply:
        given = auth["identity"]["application_credential"]
        secret, tenant_id = self.applications.get(given["id"], ("", TenantId("")))
        if "scope" in auth or not secret or secret != given["secret"]:
            return 401, {}, {"error": {"message": f"wrong secret {given['secret']}"}}
        issued = self.issue(f"owner-of-{tenant_id}", tenant_id, "member")
        return 201, {"x-subject-token": issued.token}, self._shown_v3(issued)

    def _authenticate_v2(self, body: Any) -> Reply:
        credentials = body["auth"]["passwordCredentials"]
        if not self._knows(credentials["username"], credentials):
            return 401, {}, {"error": {"message": "wrong password"}}
        scope = body["auth"].get("tenantId")
        if scope in self.strangers:
            return 401, {}, {"error": {"message": f"no role on {scope}"}}
        return 200, {}, self._shown_v2(self._issue_ours(scope))

    def _knows(self, name: str, user: Any) -> bool:
        return name == USER and user["password"] == PASSWORD

    def _issue_ours(self, tenant: str | None) -> Issued:
        self.issued += 1
        return self.issue(USER, TenantId(tenant) if tenant else None, "admin")

    def _shown_v3(self, issued: Issued) -> dict[str, Any]:
        document: dict[str, Any] = {
            "expires_at": issued.expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "user": {"id": f"{issued.user}-id", "name": issued.user},
            "roles": [{"name": role} for role in issued.roles],
            "catalog": [],
        }
        if issued.tenant_id is not None:
            document["project"] = {"id": issued.tenant_id, "name": "a project"}
            document["catalog"] = [
                {
                    "type": kind,
                    "endpoints": [
                        {"interface": "internal", "region": REGION, "url": "http://wrong.invalid"},
                        {"interface": "public", "region": "Other", "url": "http://wrong.invalid"},
                        {"interface": "public", "region": REGION, "url": url},
                    ],
                }
                for kind, url in self._services(issued.tenant_id)
            ]
        return {"token": document}

    def _shown_v2(self, issued: Issued) -> dict[str, Any]:
        token: dict[str, Any] = {
            "id": issued.token,
            "expires": issued.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        catalog = []
        if issued.tenant_id is not None:
            token["tenant"] = {"id": issued.tenant_id, "name": "a tenant"}
            catalog = [
                {
                    "type": kind,
                    "endpoints": [
                        {"region": "Other", "publicURL": "http://wrong.invalid"},
                        {"region": REGION, "internalURL": "http://no.invalid", "publicURL": url},
                    ],
                }
                for kind, url in self._services(issued.tenant_id)
            ]
        roles = [{"name": role} for role in issued.roles]
        user = {"id": f"{issued.user}-id", "name": issued.user, "roles": roles}
        return {"access": {"token": token, "user": user, "serviceCatalog": catalog}}

    def _services(self, tenant_id: TenantId) -> list[tuple[str, str]]:
        if tenant_id in self.suspended:
            return []
        return [
            ("compute", f"{self._base}/compute/v2.1/{tenant_id}/"),
            ("rax:load-balancer", f"{self._base}/lb/v1.0/{tenant_id}"),
            *((kind, url.replace("{tenant}", tenant_id)) for kind, url in self.offered),
        ]
