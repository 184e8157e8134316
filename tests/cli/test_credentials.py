"""Credentials as every OpenStack program finds them, with an identity in memory."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import requests
import simplejson
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.documents import write_json
from otter.cli.exits import NotAllowedError, UnavailableError, UsageError
from otter.cli.remote.credentials import SdkOpener
from otter.cli.remote.interface import Connection
from tests.cli.test_wire import MemoryAdapter

IDENTITY = "http://identity.test/v3"
VERSION = {
    "version": {
        "id": "v3.14",
        "status": "stable",
        "links": [{"rel": "self", "href": f"{IDENTITY}/"}],
    }
}

CLOUDS = """\
clouds:
  local:
    auth: {auth_url: "http://identity.test/v3", username: demo, password: from-file,
           project_name: demo, user_domain_name: Default, project_domain_name: Default}
    region_name: RegionOne
  stated:
    auth: {auth_url: "http://identity.test/v3", username: demo, password: from-file,
           project_name: demo, user_domain_name: Default, project_domain_name: Default}
    autoscale_endpoint_override: http://stated.test
  elsewhere:
    auth: {auth_url: "http://identity.test/v3", username: demo, password: from-file,
           project_name: demo, user_domain_name: Default, project_domain_name: Default}
    region_name: RegionTwo
"""

VARIABLES = {
    "OS_AUTH_URL": IDENTITY,
    "OS_USERNAME": "demo",
    "OS_PASSWORD": "from-variable",
    "OS_PROJECT_NAME": "demo",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
}


class Identity:
    """Gives whoever asks a token, and remembers how they asked."""

    def __init__(self) -> None:
        self.status = 201
        self.offers = {"rax:autoscale": "http://catalog.test/v1.0/7042"}
        self.methods: list[dict[str, Any]] = []

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        """Answer a request."""
        if request.method == "GET":
            return 200, {"Content-Type": "application/json"}, write_json(VERSION).encode()
        if self.status != 201:
            return self.status, {}, b""
        body = request.body or b""
        self.methods.append(simplejson.loads(body)["auth"]["identity"])
        headers = {"X-Subject-Token": "issued", "Content-Type": "application/json"}
        return 201, headers, write_json({"token": self._token()}).encode()

    def _token(self) -> dict[str, Any]:
        catalog = [
            {
                "type": kind,
                "name": kind,
                "endpoints": [
                    {"interface": "public", "region": "RegionOne", "id": kind, "url": url}
                ],
            }
            for kind, url in self.offers.items()
        ]
        return {
            "methods": ["password"],
            "issued_at": "2031-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "user": {"id": "u", "name": "demo", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "7042", "name": "demo", "domain": {"id": "d", "name": "Default"}},
            "roles": [],
            "catalog": catalog,
        }

    @property
    def password(self) -> str:
        """The password that was last used."""
        found: str = self.methods[-1]["password"]["user"]["password"]
        return found


class ConnectTests(SynchronousTestCase):
    """Where the way leads, and who it says is coming."""

    def setUp(self) -> None:
        """Have an identity, a folder with ``clouds.yaml``, and none of this shell's variables."""
        self.identity = Identity()
        self.adapter = MemoryAdapter(self.identity.answer)
        self.patch(requests.Session, "get_adapter", lambda *_, **__: self.adapter)
        for name in [name for name in os.environ if name.startswith(("OS_", "OTTER_"))]:
            self.setenv(name, None)
        folder = Path(tempfile.mkdtemp(prefix="otter-clouds-"))
        self.addCleanup(shutil.rmtree, folder)
        (folder / "clouds.yaml").write_text(CLOUDS, "utf-8")
        self.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "clouds.yaml"))

    def setenv(self, name: str, value: str | None) -> None:
        """Set a variable, or take it away, until the end of the test."""
        before = os.environ.get(name)
        self.addCleanup(self._put, name, before)
        self._put(name, value)

    @staticmethod
    def _put(name: str, value: str | None) -> None:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

    def connect(self, variables: dict[str, str] | None = None, **options: Any) -> Connection:
        """Connect with these variables and options."""
        for name, value in (variables or {}).items():
            self.setenv(name, value)
        return SdkOpener().connect(options, os.environ, lambda _: None)

    def test_cloud_and_catalog(self) -> None:
        """A named cloud and its catalog are all it takes."""
        self.identity.offers["compute"] = "http://compute.test/v2.1"
        found = self.connect(os_cloud="local")

        self.assertEqual("http://catalog.test/v1.0/7042", found.endpoint)
        self.assertEqual("http://compute.test/v2.1", found.compute)
        self.assertEqual("from-file", self.identity.password)

    def test_cloud_by_variable(self) -> None:
        """``OS_CLOUD`` names it as well."""
        self.setenv("OS_CLOUD", "local")

        self.assertEqual("http://catalog.test/v1.0/7042", self.connect().endpoint)

    def test_other_name_of_the_service(self) -> None:
        """Some catalogs know it without the prefix."""
        self.identity.offers = {"autoscale": "http://catalog.test/v1.0"}

        self.assertEqual("http://catalog.test/v1.0/7042", self.connect(os_cloud="local").endpoint)

    def test_variables(self) -> None:
        """Without a cloud the variables speak."""
        self.connect(VARIABLES)

        self.assertEqual("from-variable", self.identity.password)

    def test_options_win(self) -> None:
        """Options win over a file, piece by piece."""
        self.connect(os_cloud="local", os_password="from-option")

        self.assertEqual("from-option", self.identity.password)

    def test_endpoint_in_the_file(self) -> None:
        """A cloud whose catalog does not know us can still be configured once and for all."""
        self.identity.offers = {}

        self.assertEqual("http://stated.test/v1.0/7042", self.connect(os_cloud="stated").endpoint)

    def test_endpoint_by_option_or_variable(self) -> None:
        """The option wins over the variable, and both over the file."""
        variable = {"OTTER_ENDPOINT": "http://variable.test"}
        self.connect(os_cloud="stated")
        by_variable = self.connect(variable, os_cloud="stated")
        by_option = self.connect(os_cloud="stated", endpoint="http://option.test/v1.0/1")

        self.assertEqual("http://variable.test/v1.0/7042", by_variable.endpoint)
        self.assertEqual("http://option.test/v1.0/1", by_option.endpoint)

    def test_region(self) -> None:
        """A catalog offers us in some regions only; the others are named."""
        with self.assertRaisesRegex(UsageError, "in region RegionTwo: give --endpoint"):
            self.connect(os_cloud="elsewhere")

    def test_no_such_cloud(self) -> None:
        """A typing error is told as such."""
        with self.assertRaisesRegex(UsageError, "nowhere"):
            self.connect(os_cloud="nowhere")

    def test_no_credentials(self) -> None:
        """Whoever has set up nothing is told what to set up."""
        with self.assertRaisesRegex(UsageError, "--os-cloud"):
            self.connect()

    def test_wrong_password(self) -> None:
        """Identity's no is about who is asking."""
        self.identity.status = 401
        with self.assertRaises(NotAllowedError):
            self.connect(os_cloud="local")

    def test_identity_down(self) -> None:
        """That identity is ill says nothing about the password."""
        self.identity.status = 503
        with self.assertRaises(UnavailableError):
            self.connect(os_cloud="local")

    def test_token_instead_of_password(self) -> None:
        """A token is exchanged for one of the project; the password in the file stays there."""
        self.connect(os_cloud="local", os_token="mine")

        self.assertEqual([{"methods": ["token"], "token": {"id": "mine"}}], self.identity.methods)

    def test_token_by_variable(self) -> None:
        """Also without saying which kind of authentication it is."""
        without = {name: text for name, text in VARIABLES.items() if name != "OS_PASSWORD"}
        self.connect({**without, "OS_TOKEN": "mine"})

        self.assertEqual(["token"], self.identity.methods[-1]["methods"])

    def test_token_and_endpoint(self) -> None:
        """With both, nobody has to be asked."""
        found = self.connect(
            {"OS_TOKEN": "mine", "OTTER_ENDPOINT": "http://a.test"}, os_project_id="7042"
        )
        self.adapter.answer = lambda _: (200, {}, b"{}")
        found.wire.send("GET", "http://a.test/x")
        [seen] = self.adapter.seen

        self.assertEqual(("http://a.test/v1.0/7042", None), (found.endpoint, found.compute))
        self.assertEqual("mine", seen.headers["X-Auth-Token"])

    def test_application_credential(self) -> None:
        """Scripts should not have a person's password."""
        self.connect(
            os_auth_url=IDENTITY,
            os_auth_type="v3applicationcredential",
            os_application_credential_id="a",
            os_application_credential_secret="s",
        )

        self.assertEqual(["application_credential"], self.identity.methods[-1]["methods"])
