"""What is printed lets nobody act for somebody else."""

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.remote.redaction import redact, redact_headers

HEX = "0123456789abcdef"


class RedactTests(SynchronousTestCase):
    """Text that goes to standard error."""

    def test_capability_url(self) -> None:
        """The hash is the secret; where it was sent is what debugging needs."""
        text = "POST http://o/v1.0/execute/1/abcdef/ and http://o/v1.0/execute/1/abc: refused"

        self.assertEqual(
            "POST http://o/v1.0/execute/1/***/ and http://o/v1.0/execute/1/***: refused",
            redact(text),
        )

    @given(some.text(HEX, min_size=64, max_size=64), some.sampled_from(['{"%s"}', "a %s b", "%s"]))
    def test_no_hash_survives(self, secret: str, around: str) -> None:
        """A hash is hidden wherever it stands, also where nobody calls it one."""
        self.assertNotIn(secret, redact(around % secret))

    def test_signing_key(self) -> None:
        """Whoever has the key that signs messages could forge them."""
        self.assertEqual('"whsec_***"', redact('"whsec_AbC+/="'))

    def test_the_rest_stays(self) -> None:
        """Ids and names are what the reader looks for."""
        text = "GET /v1.0/7042/groups/51d2c7be-5b7b-4d53-8b0a-3c1d6f9f7a10/policies/x/execute"

        self.assertEqual(text, redact(text))


class RedactHeadersTests(SynchronousTestCase):
    """Headers in ``--debug``."""

    def test_tokens(self) -> None:
        """Whatever the case of the name, a token is a token."""
        shown = redact_headers({"x-AUTH-token": "t", "X-Subject-Token": "s", "Accept": "json"})

        self.assertEqual({"x-AUTH-token": "***", "X-Subject-Token": "***", "Accept": "json"}, shown)
