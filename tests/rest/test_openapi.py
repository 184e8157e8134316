"""The OpenAPI document: whole, valid, current, and served to everybody."""

import re
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator
from twisted.trial.unittest import SynchronousTestCase

from otter.rest.calls import GROUPS, POLICIES, WEBHOOKS, Route
from otter.rest.errors import CATALOGUE, INTERNAL
from otter.rest.openapi import PARAMETERS, make_document
from otter.rest.openapi_operations import CAPABILITY, DOCUMENT, OPERATIONS
from otter.rest.validation import Schemas
from tests.rest.world import BASE, TOKEN, RestCase
from tools import openapi as tool

METHODS = ("get", "put", "post", "delete")


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """Return every operation of a document by method and path, spelled as in routes."""
    return {
        (method.upper(), re.sub(r"\{(\w+)\}", r"<\1>", path)): item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


class DocumentTests(SynchronousTestCase):
    """What the document says."""

    def setUp(self) -> None:
        """Make the document from the routes of the code."""
        self.routes = tool.routes()
        self.document = tool.document()
        self.operations = operations(self.document)

    def test_every_route(self) -> None:
        """Every route of the code is in the document, and the reverse."""
        known = {(route.method, route.path) for route in self.routes} | {("POST", CAPABILITY)}

        self.assertEqual(set(self.operations), known)
        self.assertEqual(set(OPERATIONS), known)

    def test_route_nobody_described(self) -> None:
        """A new route cannot be left out: there is no document then."""
        novel = Route("GET", "/v1.0/<tenant>/novel", self.routes[0].handler)

        self.assertRaises(KeyError, make_document, [*self.routes, novel], BASE)

    def test_valid(self) -> None:
        """Everybody's tools can read it: it follows the specification of OpenAPI 3.1."""
        self.assertTrue(self.document["openapi"].startswith("3.1."))
        self.assertEqual(list(OpenAPIV31SpecValidator(self.document).iter_errors()), [])

    def test_current(self) -> None:
        """The file in the repository is the document of this code: run python -m tools.openapi."""
        self.assertTrue(tool.PATH.read_text("utf-8") == tool.text(), f"{tool.PATH} is old")

    def test_names(self) -> None:
        """Generated clients need a name for each operation, and no two the same."""
        names = [operation["operationId"] for operation in self.operations.values()]

        self.assertEqual(len(names), len(set(names)))

    def test_parameters(self) -> None:
        """Each variable of a path is described, and no parameter that nothing uses."""
        used = set()
        for path, item in self.document["paths"].items():
            named = [ref["$ref"].rpartition("/")[2] for ref in item.get("parameters", [])]
            self.assertEqual(named, re.findall(r"\{(\w+)\}", path))
            used.update(named)
        for operation in self.operations.values():
            used.update(ref["$ref"].rpartition("/")[2] for ref in operation.get("parameters", []))

        self.assertEqual(used, set(PARAMETERS))

    def test_security(self) -> None:
        """A token is needed by default, and not for what rest-api.md 1.3 leaves open to all."""
        public = {
            key for key, operation in self.operations.items() if operation.get("security") == []
        }

        self.assertEqual(self.document["security"], [{"token": []}])
        self.assertEqual(
            public,
            {("POST", CAPABILITY), ("GET", "/"), ("GET", "/health"), ("GET", DOCUMENT)},
        )
        for key in set(self.operations) - public:
            self.assertIn("401", self.operations[key]["responses"], key)

    def test_errors(self) -> None:
        """Every type that the code can answer with is described, with its status."""
        schemas = self.document["components"]["schemas"]
        for wire in {*CATALOGUE.values(), INTERNAL}:
            exact = schemas[f"error.{wire.type}"]["allOf"][1]["properties"]["error"]["properties"]

            self.assertEqual(
                (exact["type"]["const"], exact["code"]["const"]), (wire.type, wire.status)
            )

    def test_errors_are_used(self) -> None:
        """Every type is an answer of some operation, or of a path with another method."""
        text = tool.text()
        types = {wire.type for wire in (*CATALOGUE.values(), INTERNAL)}
        unused = {name for name in types if f'"#/components/schemas/error.{name}"' not in text}

        self.assertEqual(unused, set())

    def test_examples(self) -> None:
        """The code itself takes the examples."""
        judge = Schemas.load()
        for operation in OPERATIONS.values():
            if operation.body is not None:
                judge.check(*operation.body)

    def test_links(self) -> None:
        """Tools that follow links get from what they created to all that can be done with it."""
        created = {
            ("POST", GROUPS): ("path.group", {"showGroup", "deleteGroup", "createPolicies"}),
            ("POST", POLICIES): ("path.policy", {"showPolicy", "executePolicy", "listWebhooks"}),
            ("POST", WEBHOOKS): ("path.webhook", {"showWebhook", "deleteWebhook"}),
        }
        names = {operation["operationId"] for operation in self.operations.values()}
        for key, (variable, some) in created.items():
            links = self.operations[key]["responses"]["201"]["links"]

            self.assertLessEqual(some, set(links))
            for link in links.values():
                self.assertIn(link["operationId"], names)
                self.assertIn(variable, link["parameters"])
                self.assertEqual(link["parameters"]["path.tenant"], "$request.path.tenant")

    def test_headers(self) -> None:
        """Every answer has the headers of rest-api.md 1.4; 201 says where, 413 and 503 when."""
        responses = self.document["components"]["responses"]
        for key, operation in self.operations.items():
            for status, described in operation["responses"].items():
                response = described
                if "$ref" in described:
                    response = responses[described["$ref"].rpartition("/")[2]]
                headers = set(response["headers"])

                self.assertLessEqual({"X-Response-Id", "Date", "Server"}, headers, key)
                self.assertEqual("Location" in headers, status == "201", key)
                self.assertLessEqual(status in {"413", "503"}, "Retry-After" in headers, key)


class ServedTests(RestCase):
    """The document of a running service."""

    path = "/v1.0/openapi.json"

    def test_public(self) -> None:
        """Nobody needs a token to learn how to call, with or without a slash at the end."""
        reply = self.ask("GET", self.path, token=None)

        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(reply.document["servers"], [{"url": BASE}])
        self.assertEqual(reply.document["paths"], tool.document()["paths"])
        self.assertEqual(self.ask("GET", f"{self.path}/", token=None).body, reply.body)
        self.assertEqual(self.ask("HEAD", self.path, token=None).status, 200)

    def test_other_methods(self) -> None:
        """It can only be read."""
        reply = self.ask("POST", self.path, b"{}", token=None)

        self.assertEqual(reply.error, "405 InvalidMethod")
        self.assertEqual(reply.headers["Allow"], "GET, HEAD")

    def test_tenant_of_that_name(self) -> None:
        """A tenant who is called like the document is a tenant like any other."""
        self.tokens.add("of-the-document", "autoscale:admin", tenant="openapi.json")

        self.check_rows(
            {
                "no token": (
                    "401 InvalidCredentials",
                    lambda: self.ask("GET", f"{self.path}/groups", token=None),
                ),
                "another's token": (
                    "403 Forbidden",
                    lambda: self.ask("GET", f"{self.path}/groups", token=TOKEN),
                ),
                "its own": (
                    "200",
                    lambda: self.ask("GET", f"{self.path}/groups", token="of-the-document"),
                ),
            }
        )
