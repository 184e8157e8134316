"""Tests of ``minicloud.api.identity.applications``, and of authenticating with what it makes."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from minicloud.config import stable_id
from tests.minicloud.client import CloudClient, Response, a_client

TOKENS = "/identity/v3/auth/tokens"
DEMO = stable_id("user", "demo")
SECRET = "an-application-secret"


def path(user_id: str = DEMO, application_id: str = "") -> str:
    """Return the path of a user's credentials, or of one of them."""
    rest = f"/{application_id}" if application_id else ""
    return f"/identity/v3/users/{user_id}/application_credentials{rest}"


class ApplicationCredentialTests(SynchronousTestCase):
    """What an owner can do with credentials, and a program with one."""

    def setUp(self) -> None:
        """Make a cloud."""
        self.client = a_client()

    def create(self, client: CloudClient | None = None, /, **fields: object) -> Response:
        """Ask for a credential."""
        body = {"application_credential": {"name": "otter", "secret": SECRET, **fields}}
        return (client or self.client).call("POST", path(), body)

    def made(self, **fields: object) -> Any:
        """Return a new credential."""
        response = self.create(**fields)

        self.assertEqual(response.status, 201)
        return response.json["application_credential"]

    def authenticate(self, **given: object) -> Response:
        """Ask for a token."""
        method = "application_credential"
        identity = {"methods": [method], method: {"secret": SECRET, **given}}
        return self.client.call("POST", TOKENS, {"auth": {"identity": identity}})

    def as_program(self, application_id: str) -> CloudClient:
        """Return a client with a token for a credential."""
        token = self.authenticate(id=application_id).headers["x-subject-token"]
        client = CloudClient(self.client.cloud)
        client.token = token
        return client

    def test_created(self) -> None:
        """It is for the project of the token it was asked with, and shows its secret once."""
        made = self.made(description="for scaling")
        shown = self.client.call("GET", path(application_id=made["id"])).json

        self.assertEqual(made["secret"], SECRET)
        self.assertEqual(made["project_id"], self.client.cloud.project_id("demo"))
        self.assertEqual([role["name"] for role in made["roles"]], ["admin", "member"])
        self.assertEqual((made["expires_at"], made["unrestricted"]), (None, False))
        self.assertEqual(made["links"]["self"], f"http://minicloud.test{path()}/{made['id']}")
        del made["secret"]
        self.assertEqual(shown, {"application_credential": made})

    def test_secret_is_chosen_if_none_is_given(self) -> None:
        """Long, and another one each time."""
        secrets = {self.made(name=name, secret=None)["secret"] for name in ("a", "b")}

        self.assertEqual([86, 86], [len(secret) for secret in secrets])

    def test_listed(self) -> None:
        """An owner sees what is its own, by name if wanted."""
        ids = [self.made(name=name)["id"] for name in ("a", "b")]
        everything = self.client.call("GET", path()).json
        named = self.client.call("GET", f"{path()}?name=b").json["application_credentials"]

        self.assertEqual([one["id"] for one in everything["application_credentials"]], ids)
        self.assertEqual([one["id"] for one in named], ids[1:])
        self.assertIsNone(everything["links"]["next"])

    def test_authenticates(self) -> None:
        """Its token is the owner's, for the project, with the credential's roles and a catalog."""
        made = self.made(roles=[{"name": "member"}])
        owner = {"name": "demo", "domain": {"id": "default"}}
        for given in (
            {"id": made["id"]},
            {"name": "otter", "user": {"id": DEMO}},
            {"name": "otter", "user": owner},
        ):
            token = self.authenticate(**given).json["token"]

            self.assertEqual(token["methods"], ["application_credential"])
            self.assertEqual(token["user"]["name"], "demo")
            self.assertEqual(token["project"]["name"], "demo")
            self.assertEqual([role["name"] for role in token["roles"]], ["member"])
            self.assertTrue(token["catalog"])
            self.assertEqual(
                token["application_credential"],
                {"id": made["id"], "name": "otter", "restricted": True},
            )

    def test_token_works(self) -> None:
        """The services take it like any other."""
        program = self.as_program(self.made()["id"])

        self.assertEqual(program.compute("GET", "/servers").status, 200)

    def test_refused(self) -> None:
        """Whatever is wrong with it, the answer is the same 401."""
        made = self.made()
        domain = {"id": "elsewhere"}
        for given in (
            {"id": "unknown"},
            {"id": made["id"], "secret": "wrong"},
            {"name": "unknown", "user": {"id": DEMO}},
            {"name": "otter", "user": {"name": "demo", "domain": domain}},
        ):
            self.assertEqual(self.authenticate(**given).status, 401)

    def test_brings_its_scope(self) -> None:
        """Another one cannot be asked for."""
        method = "application_credential"
        given = {"id": self.made()["id"], "secret": SECRET}
        identity = {"methods": [method], method: given}
        scope = {"project": {"id": self.client.cloud.project_id("other")}}
        response = self.client.call(
            "POST", TOKENS, {"auth": {"identity": identity, "scope": scope}}
        )

        self.assertEqual(response.status, 401)

    def test_expires(self) -> None:
        """No token for it lives longer than it does, and then there is none."""
        made = self.made(expires_at="2026-01-01T01:00:00")
        token = self.authenticate(id=made["id"]).json["token"]
        self.client.cloud.advance(3600)

        self.assertEqual(token["expires_at"], "2026-01-01T01:00:00.000000Z")
        self.assertEqual(self.authenticate(id=made["id"]).status, 401)

    def test_deleted(self) -> None:
        """Its tokens are worthless at once, and nothing else is."""
        made = self.made()
        program = self.as_program(made["id"])
        deleted = self.client.call("DELETE", path(application_id=made["id"]))

        self.assertEqual(deleted.status, 204)
        self.assertEqual(program.compute("GET", "/servers").status, 401)
        self.assertEqual(self.client.compute("GET", "/servers").status, 200)
        self.assertEqual(self.authenticate(id=made["id"]).status, 401)
        for method in ("GET", "DELETE"):
            again = self.client.call(method, path(application_id=made["id"]))
            self.assertEqual(again.status, 404)

    def test_program_makes_none(self) -> None:
        """A restricted credential cannot make itself immortal."""
        made = self.made()
        program = self.as_program(made["id"])

        self.assertEqual(self.create(program, name="more").status, 403)
        self.assertEqual(program.call("DELETE", path(application_id=made["id"])).status, 403)
        self.assertEqual(program.call("GET", path()).status, 200)

    def test_whose(self) -> None:
        """Somebody else's credentials are nobody's business but an admin's; none makes them."""
        observer = CloudClient(self.client.cloud, "observer")
        admin = CloudClient(self.client.cloud, "otter")

        self.assertEqual(observer.call("GET", path()).status, 403)
        self.assertEqual(self.create(observer).status, 403)
        self.assertEqual(admin.call("GET", path()).status, 200)
        self.assertEqual(self.create(admin).status, 403)

    def test_name_is_taken(self) -> None:
        """Per owner; a credential is found by its name."""
        self.made()

        self.assertEqual(self.create().status, 409)

    def test_malformed(self) -> None:
        """A body that is no such request is 400, and so are roles that the owner has not."""
        odd: tuple[dict[str, Any], ...] = (
            {"name": ""},
            {"name": "x" * 256},
            {"name": 7},
            {"secret": 7},
            {"roles": "admin"},
            {"roles": [{}]},
            {"roles": [{"name": "service"}]},
            {"expires_at": "tomorrow"},
            {"expires_at": 7},
        )
        for fields in odd:
            self.assertEqual(self.create(**fields).status, 400, fields)
        self.assertEqual(self.client.call("POST", path(), {}).status, 400)
        self.assertEqual(self.authenticate().status, 400)

    def test_gone_after_reset(self) -> None:
        """A reset cloud is as it was at the start."""
        made = self.made()
        self.client.control("POST", "/reset")

        self.assertEqual(self.authenticate(id=made["id"]).status, 401)
