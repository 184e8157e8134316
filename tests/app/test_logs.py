"""What a line of the log says."""

from io import StringIO
from typing import Any

import simplejson
from twisted.logger import Logger, LogPublisher
from twisted.trial.unittest import SynchronousTestCase

from otter.app.logs import json_log


class JsonLogTests(SynchronousTestCase):
    """Operators feed these lines to other programs."""

    def logged(self, namespace: str = "otter.supervisor.loop") -> tuple[Logger, StringIO]:
        """Return a logger and where its lines go."""
        out = StringIO()
        return Logger(namespace, observer=LogPublisher(json_log(out))), out

    def parsed(self, out: StringIO) -> list[dict[str, Any]]:
        """Return the lines as objects."""
        return [simplejson.loads(text) for text in out.getvalue().splitlines()]

    def test_event_and_fields(self) -> None:
        """The name of the event and what it is bound to are keys, so that they can be searched."""
        log, out = self.logged()

        log.warn("cycle.postponed {tenant_id}: {error}", tenant_id="7042", error=ValueError("no"))

        (found,) = self.parsed(out)
        self.assertEqual(found["event"], "cycle.postponed")
        self.assertEqual(found["level"], "warn")
        self.assertEqual(found["tenant_id"], "7042")
        self.assertEqual(found["text"], "cycle.postponed 7042: no")

    def test_failure(self) -> None:
        """A failure brings its traceback along, in the same line."""
        log, out = self.logged()

        try:
            raise ValueError("broken")
        except ValueError:
            log.failure("cycle.failed {tenant_id}", tenant_id="7042")

        (found,) = self.parsed(out)
        self.assertIn("ValueError: broken", found["traceback"])

    def test_chatter_is_left_out(self) -> None:
        """Every connection of the HTTP client would be two lines that nobody wants."""
        log, out = self.logged("twisted.web.client._HTTP11ClientFactory")

        log.info("Starting factory")
        log.warn("something is wrong")

        self.assertEqual([entry["text"] for entry in self.parsed(out)], ["something is wrong"])

    def test_one_line_each(self) -> None:
        """Line breaks in a text do not break the line."""
        log, out = self.logged()

        log.info("first\nsecond")

        self.assertEqual(len(out.getvalue().splitlines()), 1)
