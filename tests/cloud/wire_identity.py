"""The identity half of the provider on the wire: tokens, catalogs, both versions of the API."""

from datetime import UTC, datetime, timedelta
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
    :ivar broken: the status every call answers, while it is not None.
    :ivar issued: how many tokens were issued to the service user.
    """

    def __init__(self, clock: Clock, base: str) -> None:
        self._clock = clock
        self._base = base
        self._tokens: dict[str, Issued] = {}
        self.life = timedelta(hours=1)
        self.suspended: set[TenantId] = set()
        self.broken: int | None = None
        self.issued = 0

    def issue(self, user: str, tenant_id: TenantId | None, *roles: str) -> Issued:
        """Issue a token to anybody."""
        expires = datetime.fromtimestamp(self._clock.seconds(), UTC) + self.life
        token = f"token-{len(self._tokens)}-of-{user}"
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
            return self.broken, {}, {"error": {"message": "broken"}}
        version, _, rest = path.partition("/")
        body = simplejson.loads(content) if content else None
        if body is not None:
            return self._authenticate_v3(body) if version == "v3" else self._authenticate_v2(body)
        if self.find(request.getHeader("x-auth-token") or "") is None:
            return 401, {}, {"error": {"message": "not you"}}
        subject = request.getHeader("x-subject-token") if version == "v3" else rest.split("/")[-1]
        issued = self.find(subject or "")
        if issued is None:
            return 404, {}, {"error": {"message": f"no token {subject}"}}
        show = self._shown_v3 if version == "v3" else self._shown_v2
        return 200, {}, show(issued)

    def _authenticate_v3(self, body: Any) -> Reply:
        user = body["auth"]["identity"]["password"]["user"]
        right = user["domain"] == {"name": "Default"} and self._knows(user["name"], user)
        if not right:
            return 401, {}, {"error": {"message": f"wrong password {user['password']}"}}
        scope = body["auth"].get("scope", {}).get("project", {}).get("id")
        issued = self._issue_ours(scope)
        return 201, {"x-subject-token": issued.token}, self._shown_v3(issued)

    def _authenticate_v2(self, body: Any) -> Reply:
        credentials = body["auth"]["passwordCredentials"]
        if not self._knows(credentials["username"], credentials):
            return 401, {}, {"error": {"message": "wrong password"}}
        return 200, {}, self._shown_v2(self._issue_ours(body["auth"].get("tenantId")))

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
        ]
