"""Errors of the service in one clear line, whatever their form."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.documents import write_json
from otter.cli.exits import NotFoundError, RefusedError, UnavailableError
from otter.cli.remote.refusals import TEXT_MAX, refusal


def error(message: object, kind: object = "SomeError") -> str:
    """Return an error document."""
    return write_json({"error": {"type": kind, "code": 400, "message": message, "details": ""}})


class RefusalTests(SynchronousTestCase):
    """What is made of an answer that is no success."""

    def test_error_document(self) -> None:
        """Type and message are what the service has to say, the status what it means."""
        found = refusal(404, error("no group", "NoSuchScalingGroupError"))

        self.assertIsInstance(found, NotFoundError)
        self.assertEqual("NoSuchScalingGroupError: no group (HTTP 404)", str(found))

    def test_no_message(self) -> None:
        """Some types say nothing; then the type has to do."""
        self.assertEqual("SomeError (HTTP 400)", str(refusal(400, error(""))))

    def test_somebody_elses_page(self) -> None:
        """A proxy answers in HTML: its status is told in words, its page is not."""
        found = refusal(502, "<html><body>secret internals</body></html>")

        self.assertIsInstance(found, UnavailableError)
        self.assertEqual("Bad Gateway (HTTP 502)", str(found))

    def test_odd_documents(self) -> None:
        """JSON of another form, or of wrong types, is no reason to fall over."""
        odd = ("[]", "null", '{"error": "x"}', '{"error": {"type": 3, "message": []}}', "{")

        self.assertEqual({"Bad Request (HTTP 400)"}, {str(refusal(400, text)) for text in odd})

    def test_unknown_status(self) -> None:
        """A number that HTTP does not know is still told."""
        self.assertEqual("unexpected answer (HTTP 499)", str(refusal(499, "")))

    def test_long_message(self) -> None:
        """A line is a line: an endless message is cut."""
        found = refusal(400, error("x" * 10_000))

        self.assertIsInstance(found, RefusedError)
        self.assertEqual(TEXT_MAX, str(found).count("x"))
