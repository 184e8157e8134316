"""Requests are counted by the route they meant, under names that callers cannot make up."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.metrics import Metrics
from otter.rest.app import make_site
from otter.rest.metering import RouteNames
from otter.rest.openapi_operations import OPERATIONS
from tests.rest.wire import Connection, request_bytes
from tests.rest.world import GROUPS, UNKNOWN, RestCase

NAMES = RouteNames.of(path for _, path in OPERATIONS)
GROUP = "/v1.0/<tenant>/groups/<group>"


class RouteNamesTests(SynchronousTestCase):
    """From segments to templates."""

    def test_names(self) -> None:
        """Every path goes by the template it fits, the more literal one first."""
        rows = {
            (): "/",
            ("health",): "/health",
            ("v1.0", "7042", "groups", "g"): GROUP,
            ("v1.0", "7042", "groups", "g", "state"): f"{GROUP}/state",
            ("v1.0", "execute", "1", "abc"): "/v1.0/execute/<version>/<hash>",
            ("v1.0", "execute", "groups", "abc"): "/v1.0/execute/<version>/<hash>",
            ("v1.0", "openapi.json"): "/v1.0/openapi.json",
            ("v1.0", "7042", "secrets"): "other",
        }

        self.assertEqual({segments: NAMES.name(segments) for segments in rows}, rows)

    @given(
        st.lists(st.text(max_size=5) | st.sampled_from(["v1.0", "groups", "execute", "policies"]))
    )
    def test_bounded(self, segments: list[str]) -> None:
        """Nobody can make up a name."""
        known = {path for _, path in OPERATIONS} | {"other"}

        self.assertIn(NAMES.name(segments), known)


class RequestMeterTests(RestCase):
    """What a site tells the metrics."""

    def setUp(self) -> None:
        """Build a site with metrics that somebody reads."""
        super().setUp()
        self.metrics = Metrics()
        self.site = make_site(
            self.config,
            self.controller,
            self.tokens,
            self.health,
            self.clock,
            metrics=self.metrics,
        )

    def count(self, method: str, route: str, status: str) -> float:
        """Return how many such requests were counted."""
        return self.metrics.value("otter_requests_total", method=method, route=route, status=status)

    def test_counted(self) -> None:
        """Answers of every kind, by route; those that were turned away at the door too."""
        self.ask("GET", GROUPS)
        self.ask("GET", GROUPS, token=None)
        self.ask("GET", f"{GROUPS}/{UNKNOWN}")
        self.ask("BREW", GROUPS)
        self.ask("GET", "/nothing")
        self.ask("POST", f"/v1.0/execute/1/{64 * 'a'}", token=None)

        self.assertEqual(
            [
                self.count("GET", "/v1.0/<tenant>/groups", "2xx"),
                self.count("GET", "/v1.0/<tenant>/groups", "4xx"),
                self.count("GET", GROUP, "4xx"),
                self.count("other", "/v1.0/<tenant>/groups", "4xx"),
                self.count("GET", "other", "4xx"),
                self.count("POST", "/v1.0/execute/<version>/<hash>", "2xx"),
            ],
            [1, 1, 1, 1, 1, 1],
        )

    def test_not_whole(self) -> None:
        """What is refused before it is a request has no route."""
        Connection(self.site).send(b"nonsense\r\n\r\n")

        self.assertEqual(self.count("other", "other", "4xx"), 1)

    def test_latency(self) -> None:
        """The time to answer is the time until the answer is out."""
        connection = Connection(self.site)
        connection.send(request_bytes("GET", "/health"))

        self.assertEqual(
            self.metrics.value(
                "otter_request_duration_seconds_count", method="GET", route="/health"
            ),
            1,
        )

    def test_nothing_secret(self) -> None:
        """No path, tenant or capability is ever a label."""
        self.ask("POST", f"/v1.0/execute/1/{64 * 'a'}", token=None)
        self.ask("GET", GROUPS)
        text = self.metrics.exposition("")[0]

        self.assertNotIn(b"aaaa", text)
        self.assertNotIn(b"7042", text)
