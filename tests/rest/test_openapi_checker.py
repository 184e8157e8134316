"""The checker that holds answers to the document sees what it is there to see."""

from collections.abc import Mapping

import simplejson
from twisted.trial.unittest import SynchronousTestCase

from tests.openapi import Reply, checker
from tests.rest.world import GROUPS, UNKNOWN

GROUP = f"{GROUPS}/{UNKNOWN}"
HEADERS = {
    "content-type": "application/json",
    "x-response-id": UNKNOWN,
    "date": "Sat, 01 Mar 2031 08:00:00 GMT",
    "server": "otter",
}
EMPTY_PAGE = b'{"groups": [], "groups_links": []}'


def an_error(status: int, name: str) -> bytes:
    """Return the body of an error."""
    error = {"type": name, "code": status, "message": "", "details": ""}
    return simplejson.dumps({"error": error}).encode()


class CheckerTests(SynchronousTestCase):
    """One answer at a time."""

    def problems(
        self,
        method: str,
        url: str,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] = HEADERS,
    ) -> str:
        """Return what the checker says of an answer."""
        return "; ".join(checker().problems(method, url, Reply(status, headers, body)))

    def test_good(self) -> None:
        """Answers as they are to be pass: bodies, empty ones, HEAD, errors, other paths."""
        refused = an_error(404, "NotFound")
        good = [
            self.problems("GET", GROUPS, 200, EMPTY_PAGE),
            self.problems("GET", f"https://api.example.com{GROUPS}/?limit=1", 200, EMPTY_PAGE),
            self.problems("HEAD", GROUPS, 200),
            self.problems("POST", f"{GROUP}/pause", 204),
            self.problems("GET", GROUP, 404, an_error(404, "NoSuchScalingGroupError")),
            self.problems("GET", "/v1.0/7042/nothing", 404, refused),
            self.problems("POST", "/v1.0/execute/1/abc/", 202),
            self.problems("POST", "/v1.0/execute/groups/abc", 202),
            self.problems(
                "PUT", GROUPS, 405, an_error(405, "InvalidMethod"), _with("allow", "GET")
            ),
        ]

        self.assertEqual(good, [""] * len(good))

    def test_status(self) -> None:
        """A status that the operation does not have."""
        self.assertIn("status 202 is not one of", self.problems("GET", GROUPS, 202))

    def test_body(self) -> None:
        """A body that breaks its schema, is no JSON, or stands where there is none."""
        self.assertIn(
            "'groups_links' is a required", self.problems("GET", GROUPS, 200, b'{"groups": []}')
        )
        self.assertIn("not JSON", self.problems("GET", GROUPS, 200, b"{"))
        self.assertIn("there is a body", self.problems("POST", f"{GROUP}/pause", 204, b"{}"))

    def test_error_type(self) -> None:
        """An error that this operation never gives, though others do."""
        body = an_error(404, "NoSuchWebhookError")

        self.assertEqual(self.problems("GET", GROUPS + "/x/policies/y/webhooks/z", 404, body), "")
        self.assertIn("not valid", self.problems("GET", GROUP, 404, body))

    def test_headers(self) -> None:
        """A header that is missing or malformed, and another content type."""
        without = {name: value for name, value in HEADERS.items() if name != "x-response-id"}
        html = _with("content-type", "text/html")
        relative = _with("location", "/groups/")

        self.assertIn(
            "X-Response-Id is missing", self.problems("GET", GROUPS, 200, EMPTY_PAGE, without)
        )
        self.assertIn(
            "'text/html' is not one of", self.problems("GET", GROUPS, 200, EMPTY_PAGE, html)
        )
        self.assertIn("header Location", self.problems("POST", GROUPS, 201, b"{}", relative))

    def test_elsewhere(self) -> None:
        """What is not in the document must be refused, and as all refusals are."""
        self.assertIn("status 200 for what", self.problems("GET", "/secret", 200))
        self.assertIn("status 200 for what", self.problems("PATCH", GROUPS, 200))
        self.assertIn("is a required", self.problems("GET", "/secret", 404, b"{}"))

    def test_check(self) -> None:
        """In tests a problem is a failure that shows the answer."""
        reply = Reply(202, HEADERS, b"surprise")

        error = self.assertRaises(AssertionError, checker().check, "GET", GROUPS, reply)
        self.assertIn("surprise", str(error))
        checker().check("GET", GROUPS, Reply(200, HEADERS, EMPTY_PAGE))


def _with(name: str, value: str) -> Mapping[str, str]:
    return {**HEADERS, name: value}
