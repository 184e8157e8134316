"""Tests of ``minicloud.api.identity.impersonation``."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import CloudClient, Response, a_client

V2 = "/identity/v2.0"


class ImpersonationTests(SynchronousTestCase):
    """Being somebody else, for those who may."""

    def setUp(self) -> None:
        """Make a cloud, and a client of its service user."""
        self.demo = a_client()
        self.cloud = self.demo.cloud
        self.admin = CloudClient(self.cloud, "otter", "service")

    def impersonate(
        self, name: str = "demo", /, client: CloudClient | None = None, **fields: Any
    ) -> Response:
        """Ask for somebody's token."""
        wish = {"user": {"username": name}, "expire-in-seconds": 10800, **fields}
        body = {"RAX-AUTH:impersonation": wish}
        return (client or self.admin).call("POST", f"{V2}/RAX-AUTH/impersonation-tokens", body)

    def test_token_is_the_users(self) -> None:
        """For its first project, for as long as was asked, and the services take it."""
        token = self.impersonate().json["access"]["token"]
        validated = self.admin.call("GET", f"{V2}/tokens/{token['id']}").json["access"]
        self.demo.token = token["id"]

        self.assertEqual(token["expires"], "2026-01-01T03:00:00Z")
        self.assertEqual(validated["token"]["tenant"]["name"], "demo")
        self.assertEqual(validated["user"]["name"], "demo")
        self.assertEqual(self.demo.compute("GET", "/servers").status, 200)

    def test_nobody_to_be(self) -> None:
        """Neither an unknown user nor one that belongs nowhere."""
        for user in ("nobody", "otter"):
            self.assertEqual(self.impersonate(user).status, 404)

    def test_malformed(self) -> None:
        """A body that is no such request is 400."""
        odd: tuple[dict[str, Any], ...] = (
            {"user": {}},
            {"user": "demo"},
            {"expire-in-seconds": 0},
            {"expire-in-seconds": 86401},
            {"expire-in-seconds": "10"},
            {"expire-in-seconds": True},
        )
        for fields in odd:
            self.assertEqual(self.impersonate(**fields).status, 400, fields)

    def test_admins_only(self) -> None:
        """All three calls ask for an admin's token."""
        observer = CloudClient(self.cloud, "observer")
        project = self.cloud.project_id()
        nobody = CloudClient(self.cloud)
        nobody.token = "worthless"
        for client, status in ((observer, 403), (nobody, 401)):
            self.assertEqual(self.impersonate(client=client).status, status)
            for path in (f"/tenants/{project}/users", f"/tokens/{observer.token}/endpoints"):
                self.assertEqual(client.call("GET", V2 + path).status, status)

    def test_users_of_a_tenant(self) -> None:
        """Those who were given roles there; with ``admin`` only those who own it."""
        path = f"{V2}/tenants/{self.cloud.project_id()}/users"
        everybody = self.admin.call("GET", path).json["users"]
        owners = self.admin.call("GET", f"{path}?admin=true").json["users"]

        self.assertEqual([user["username"] for user in everybody], ["demo", "observer"])
        self.assertEqual([user["username"] for user in owners], ["demo"])
        self.assertTrue(owners[0]["enabled"])
        self.assertEqual(self.admin.call("GET", f"{V2}/tenants/none/users").status, 404)

    def test_endpoints_of_a_token(self) -> None:
        """The catalog of its project as one list; a token without project has none."""
        token = self.impersonate().json["access"]["token"]["id"]
        project = self.cloud.project_id()
        shown = self.admin.call("GET", f"{V2}/tokens/{token}/endpoints").json["endpoints"]
        found = {one["type"]: one for one in shown}
        balancers = found["rax:load-balancer"]

        self.assertEqual(balancers["publicURL"], f"http://minicloud.test/clb/v1.0/{project}")
        self.assertEqual((balancers["tenantId"], balancers["region"]), (project, "RegionOne"))
        self.assertEqual(self.admin.call("GET", f"{V2}/tokens/none/endpoints").status, 404)

    def test_fails_on_command(self) -> None:
        """Faults of authentication are for these tokens too."""
        fault = {"operation": "authenticate", "effect": "refuse", "status": 500, "name": "demo"}
        ordered = self.admin.control("POST", "/faults", fault)

        self.assertEqual(ordered.status, 201, ordered.body)
        self.assertEqual([self.impersonate().status for _ in range(2)], [500, 200])
