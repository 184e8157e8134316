"""Tests of ``minicloud.api.identity.v2``."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import Response, a_client

TOKENS = "/identity/v2.0/tokens"


class TokenTests(SynchronousTestCase):
    """Tokens as clients of Rackspace's time ask for them."""

    def setUp(self) -> None:
        """Make a cloud."""
        self.client = a_client()

    def issue(self, password: str = "otter-password", **tenant: object) -> Response:
        """Ask for a token of the service user."""
        credentials = {"username": "otter", "password": password}
        body = {"auth": {"passwordCredentials": credentials, **tenant}}
        return self.client.call("POST", TOKENS, body)

    def test_for_tenant(self) -> None:
        """A tenant is named by name or id; the access says who, where and which services."""
        project = self.client.cloud.project_id("other")
        for tenant in ({"tenantName": "other"}, {"tenantId": project}):
            response = self.issue(**tenant)
            access = response.json["access"]

            self.assertEqual(response.status, 200)
            self.assertEqual(access["token"]["tenant"]["id"], project)
            self.assertEqual(access["token"]["expires"], "2026-01-02T00:00:00Z")
            self.assertIn({"id": "admin", "name": "admin"}, access["user"]["roles"])

    def test_catalog(self) -> None:
        """Every service has a public URL in the region."""
        access = self.issue(tenantName="demo").json["access"]
        project = access["token"]["tenant"]["id"]
        urls = {
            service["type"]: endpoint["publicURL"]
            for service in access["serviceCatalog"]
            for endpoint in service["endpoints"]
            if endpoint["region"] == "RegionOne"
        }

        self.assertEqual(
            urls,
            {
                "identity": "http://minicloud.test/identity/v2.0",
                "compute": "http://minicloud.test/compute/v2.1",
                "image": "http://minicloud.test/image",
                "rax:load-balancer": f"http://minicloud.test/clb/v1.0/{project}",
            },
        )

    def test_without_tenant(self) -> None:
        """A token without tenant offers nothing."""
        access = self.issue().json["access"]

        self.assertEqual(access["serviceCatalog"], [])
        self.assertNotIn("tenant", access["token"])

    def test_refused(self) -> None:
        """A wrong password or tenant is 401."""
        self.assertEqual(self.issue("wrong").status, 401)
        self.assertEqual(self.issue(tenantName="nowhere").status, 401)

    def test_malformed(self) -> None:
        """A body that is no such request is 400."""
        bodies: tuple[Any, ...] = (
            {},
            {"auth": {}},
            {"auth": {"passwordCredentials": {"username": "otter"}}},
            {"auth": {"passwordCredentials": {"username": "otter", "password": 1}}},
        )
        for body in bodies:
            self.assertEqual(self.client.call("POST", TOKENS, body).status, 400)

    def test_validate(self) -> None:
        """An admin learns whose token it is, with roles on its tenant."""
        observer = self.client.cloud.token("observer")
        response = self.client.call("GET", f"{TOKENS}/{observer}")
        access = response.json["access"]

        self.assertEqual(response.status, 200)
        self.assertEqual(access["token"]["tenant"]["name"], "demo")
        self.assertEqual(access["user"]["name"], "observer")
        self.assertEqual([role["name"] for role in access["user"]["roles"]], ["observer"])

    def test_validate_for_tenant(self) -> None:
        """A token that belongs to another tenant than asked is not found."""
        url = f"{TOKENS}/{self.client.token}?belongsTo="
        mine, other = (self.client.cloud.project_id(name) for name in ("demo", "other"))

        self.assertEqual(self.client.call("GET", url + mine).status, 200)
        self.assertEqual(self.client.call("GET", url + other).status, 404)

    def test_who_may_validate(self) -> None:
        """Asking takes an admin's token; a worthless subject is 404."""
        observer = self.client.cloud.token("observer")
        for asking, status in ((observer, 403), ("worthless", 401)):
            response = self.client.call(
                "GET", f"{TOKENS}/{self.client.token}", headers={"X-Auth-Token": asking}
            )
            self.assertEqual(response.status, status)
        self.assertEqual(self.client.call("GET", f"{TOKENS}/worthless").status, 404)

    def test_revoke(self) -> None:
        """A revoked token is not found."""
        observer = self.client.cloud.token("observer")

        self.assertEqual(self.client.call("DELETE", f"{TOKENS}/{observer}").status, 204)
        self.assertEqual(self.client.call("GET", f"{TOKENS}/{observer}").status, 404)
