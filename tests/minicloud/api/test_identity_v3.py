"""Tests of ``minicloud.api.identity.v3`` and discovery."""

from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import CloudClient, Response, a_client

TOKENS = "/identity/v3/auth/tokens"
DEFAULT = {"id": "default"}
DEMO_BY_NAME = {"project": {"name": "demo", "domain": DEFAULT}}


def a_body(
    scope: object = DEMO_BY_NAME, password: str = "demo-password", **user: object
) -> dict[str, Any]:
    """Return a body that asks for a token."""
    named = user or {"name": "demo", "domain": DEFAULT}
    identity = {"methods": ["password"], "password": {"user": {**named, "password": password}}}
    auth: dict[str, Any] = {"identity": identity}
    if scope is not None:
        auth["scope"] = scope
    return {"auth": auth}


class DiscoveryTests(SynchronousTestCase):
    """What clients ask first."""

    def test_root(self) -> None:
        """Several choices at the root, as keystoneauth expects, with or without the slash."""
        client = a_client()
        with_slash, without = client.call("GET", "/identity/"), client.call("GET", "/identity")

        self.assertEqual((with_slash.status, with_slash.body), (300, without.body))
        self.assertEqual(
            [version["id"] for version in with_slash.json["versions"]["values"]], ["v3.14", "v2.0"]
        )

    def test_versions(self) -> None:
        """Each version describes itself, with or without the slash."""
        client = a_client()
        for path, version in (("/identity/v3", "v3.14"), ("/identity/v2.0", "v2.0")):
            for slash in ("", "/"):
                response = client.call("GET", path + slash)
                self.assertEqual((response.status, response.json["version"]["id"]), (200, version))


class IssueTests(SynchronousTestCase):
    """Tokens for passwords."""

    def setUp(self) -> None:
        """Make a cloud."""
        self.client = a_client()

    def issue(self, body: dict[str, Any]) -> Response:
        """Ask for a token."""
        return self.client.call("POST", TOKENS, body)

    def test_scoped(self) -> None:
        """A token for a project tells its project, roles and services."""
        response = self.issue(a_body())
        token = response.json["token"]

        self.assertEqual(response.status, 201)
        self.assertEqual(len(response.headers["x-subject-token"]), 32)
        self.assertEqual(token["methods"], ["password"])
        self.assertEqual(token["project"]["name"], "demo")
        self.assertEqual(token["project"]["domain"], {"id": "default", "name": "Default"})
        self.assertEqual([role["name"] for role in token["roles"]], ["admin", "member"])
        self.assertEqual(token["issued_at"], "2026-01-01T00:00:00.000000Z")
        self.assertEqual(token["expires_at"], "2026-01-02T00:00:00.000000Z")

    def test_catalog(self) -> None:
        """The catalog leads to every service under the URL that the client used."""
        response = self.issue(a_body())
        token = response.json["token"]
        urls = {
            service["type"]: endpoint["url"]
            for service in token["catalog"]
            for endpoint in service["endpoints"]
            if endpoint["interface"] == "public" and endpoint["region_id"] == "RegionOne"
        }
        project = token["project"]["id"]

        self.assertEqual(
            urls,
            {
                "identity": "http://minicloud.test/identity/v3",
                "compute": "http://minicloud.test/compute/v2.1",
                "image": "http://minicloud.test/image",
                "rax:load-balancer": f"http://minicloud.test/clb/v1.0/{project}",
            },
        )

    def test_by_ids(self) -> None:
        """Users and projects may be named by id."""
        user = self.issue(a_body()).json["token"]["user"]["id"]
        scope = {"project": {"id": self.client.cloud.project_id("other")}}
        response = self.issue(a_body(scope, id=user))

        self.assertEqual(response.status, 201)
        self.assertEqual(response.json["token"]["project"]["name"], "other")

    def test_unscoped(self) -> None:
        """A token for no project has no catalog and no roles."""
        scopes: tuple[Any, ...] = (None, "unscoped", {"unscoped": {}})
        for scope in scopes:
            token = self.issue(a_body(scope)).json["token"]
            self.assertEqual({"catalog", "project", "roles"} & set(token), set())

    def test_refused(self) -> None:
        """Whatever is wrong with the credentials, the answer is the same 401."""
        elsewhere = {"project": {"name": "nowhere", "domain": DEFAULT}}
        bodies = (
            a_body(password="wrong"),
            a_body(elsewhere),
            a_body(name="demo", domain={"name": "Other"}),
            a_body({"domain": DEFAULT}),
        )
        for response in map(self.issue, bodies):
            self.assertEqual(response.status, 401)
            self.assertEqual(response.json["error"]["code"], 401)

    def test_malformed(self) -> None:
        """A body that is no such request is 400."""
        bodies: tuple[Any, ...] = (
            {},
            {"auth": []},
            {"auth": {"identity": {"methods": ["password"]}}},
            a_body(name="demo"),
            a_body({"project": {}}),
            a_body(7),
        )
        for body in bodies:
            self.assertEqual(self.issue(body).status, 400, body)
        self.assertEqual(self.client.call("POST", TOKENS, data=b"{").status, 400)
        self.assertEqual(self.client.call("POST", TOKENS, data=b"[]").status, 400)

    def test_foreign_role(self) -> None:
        """Without a role on a project there is no token for it."""
        body = a_body(
            {"project": {"name": "other", "domain": DEFAULT}},
            "observer-password",
            name="observer",
            domain=DEFAULT,
        )

        self.assertEqual(self.issue(body).status, 401)


class ValidateTests(SynchronousTestCase):
    """Whose token is this, and the end of a token."""

    def setUp(self) -> None:
        """Make a cloud."""
        self.client = a_client()
        self.observer = self.client.cloud.token("observer")

    def ask(self, method: str, subject: str, asking: str = "") -> Response:
        """Ask about a token."""
        headers = {"X-Subject-Token": subject, "X-Auth-Token": asking or self.client.token}
        return self.client.call(method, TOKENS, headers=headers)

    def test_by_admin(self) -> None:
        """An admin learns whose token it is; the answer is as when it was issued."""
        response = self.ask("GET", self.observer)

        self.assertEqual(response.status, 200)
        self.assertEqual(response.json["token"]["user"]["name"], "observer")
        self.assertEqual(response.headers["x-subject-token"], self.observer)
        self.assertIn("catalog", response.json["token"])

    def test_without_catalog(self) -> None:
        """Who validates at every request may leave the catalog out."""
        headers = {"X-Subject-Token": self.observer}
        response = self.client.call("GET", f"{TOKENS}?nocatalog", headers=headers)

        self.assertNotIn("catalog", response.json["token"])

    def test_head(self) -> None:
        """HEAD answers with the status only."""
        response = self.ask("HEAD", self.observer)

        self.assertEqual((response.status, response.body), (200, b""))

    def test_own(self) -> None:
        """Everybody may ask about their own token, but about nobody else's."""
        self.assertEqual(self.ask("GET", self.observer, self.observer).status, 200)
        self.assertEqual(self.ask("GET", self.client.token, self.observer).status, 403)

    def test_unknown(self) -> None:
        """A worthless subject is 404, a worthless asker 401."""
        self.assertEqual(self.ask("GET", "worthless").status, 404)
        self.assertEqual(self.ask("GET", self.observer, "worthless").status, 401)

    def test_expired(self) -> None:
        """An expired token is unknown."""
        self.client.cloud.advance(timedelta(hours=23).total_seconds())
        fresh = self.client.cloud.token()
        self.client.cloud.advance(timedelta(hours=1).total_seconds())

        self.assertEqual(self.ask("GET", self.observer, fresh).status, 404)

    def test_revoke(self) -> None:
        """A revoked token opens nothing any more."""
        self.assertEqual(self.ask("DELETE", self.observer).status, 204)
        self.assertEqual(self.ask("GET", self.observer).status, 404)


class OtherAnswersTests(SynchronousTestCase):
    """What is not there."""

    def test_unknown_path(self) -> None:
        """Unknown paths and methods are errors in Keystone's shape, not pages."""
        client: CloudClient = a_client()
        absent = client.call("GET", "/identity/v3/nothing")
        wrong = client.call("PATCH", TOKENS)

        self.assertEqual((absent.status, absent.json["error"]["code"]), (404, 404))
        self.assertEqual((wrong.status, wrong.json["error"]["code"]), (405, 405))

    def test_too_large(self) -> None:
        """A body beyond all reason is refused unread."""
        response = a_client().call("POST", TOKENS, data=b" " * 1_048_577)

        self.assertEqual(response.status, 413)
