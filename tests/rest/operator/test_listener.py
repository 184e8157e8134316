"""The operators' routes as a whole: health, metrics, the kill switch, what is not there."""

from otter.metrics import Census
from otter.rest.health import Health
from otter.rest.operator.app import BOUNDS
from tests.rest.operator.world import OperatorCase
from tests.rest.world import GROUPS, TENANT

CENSUS = Census(groups=12, policies=30, webhooks=7, taken=1_900_000_000)


class ListenerTests(OperatorCase):
    """Every route, and every way to miss one."""

    def test_root(self) -> None:
        """Somebody is there, and needs no token to say so (rest-api.md 1.1, row 20)."""
        reply = self.operate("GET", "/")

        self.assertEqual((reply.status, reply.body), (200, b""))

    def test_health(self) -> None:
        """Health is the public document, byte for byte."""

        async def sick() -> Health:
            return Health(False, {"error": "StoreUnavailableError"})

        self.health["store"] = sick
        public = self.ask("GET", "/health", token=None)

        self.assertFalse(public.document["healthy"])
        self.assertEqual(self.operate("GET", "/health").body, public.body)

    def test_what_is_not_there(self) -> None:
        """Wrong paths and methods are refused as everywhere; tenants' resources are elsewhere."""
        found = {
            (method, path): self.operate(method, path).error
            for method, path in (
                ("GET", "/nothing"),
                ("GET", GROUPS),
                ("POST", "/v1.0/execute/1/" + 64 * "a"),
                ("GET", "/tenants//suspension"),
                ("POST", f"/tenants/{TENANT}/suspension"),
                ("PUT", "/metrics"),
            )
        }

        self.assertEqual(
            found,
            {
                ("GET", "/nothing"): "404 NotFound",
                ("GET", GROUPS): "404 NotFound",
                ("POST", "/v1.0/execute/1/" + 64 * "a"): "404 NotFound",
                ("GET", "/tenants//suspension"): "404 NotFound",
                ("POST", f"/tenants/{TENANT}/suspension"): "405 InvalidMethod",
                ("PUT", "/metrics"): "405 InvalidMethod",
            },
        )

    def test_not_public(self) -> None:
        """The public listener has none of these routes, whoever asks."""
        for path in ("/metrics", "/kill-switch", f"/tenants/{TENANT}/suspension"):
            self.assertEqual(self.ask("GET", path).error, "404 NotFound", path)

    def test_bounds(self) -> None:
        """A body that nobody wants is not taken in."""
        body = b"x" * (BOUNDS.body_bytes + 1)

        self.assertEqual(
            self.operate("PUT", f"/tenants/{TENANT}/suspension", body).error,
            "413 RequestEntityTooLarge",
        )

    def test_kill_switch(self) -> None:
        """It is not built, and says so loudly: nobody may believe that he stopped anything."""
        for method in ("GET", "PUT"):
            reply = self.operate(method, "/kill-switch", b'{"on": true}')

            self.assertEqual(reply.error, "501 NotImplementedError")
            self.assertIn("later issue", reply.message)


class MetricsTests(OperatorCase):
    """Both formats (rest-api.md 3.17)."""

    def test_prometheus(self) -> None:
        """Prometheus gets its text format, and whoever does not say what he wants gets it too."""
        self.metrics.execution("webhook", "accepted")
        for accept in ({}, {"Accept": "*/*"}, {"Accept": "text/plain;version=0.0.4;q=0.5"}):
            reply = self.operate("GET", "/metrics", headers=accept)

            self.assertTrue(reply.headers["Content-Type"].startswith("text/plain; version="))
            self.assertIn(
                b'otter_executions_total{outcome="accepted",source="webhook"} 1.0\n', reply.body
            )

    def test_openmetrics(self) -> None:
        """A newer Prometheus asks for OpenMetrics."""
        reply = self.operate(
            "GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        )

        self.assertTrue(reply.headers["Content-Type"].startswith("application/openmetrics-text"))
        self.assertTrue(reply.body.endswith(b"# EOF\n"))

    def test_json(self) -> None:
        """The original's document, for whoever asks for JSON."""
        self.census = CENSUS
        reply = self.operate("GET", "/metrics", headers={"Accept": "application/json"})

        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(
            reply.document,
            {
                "metrics": [
                    {"id": "otter.metrics.groups", "value": 12, "time": 1_900_000_000},
                    {"id": "otter.metrics.policies", "value": 30, "time": 1_900_000_000},
                    {"id": "otter.metrics.webhooks", "value": 7, "time": 1_900_000_000},
                ]
            },
        )

    def test_json_before_the_first_census(self) -> None:
        """Nothing is told rather than zeros, which somebody might believe."""
        reply = self.operate("GET", "/metrics", headers={"Accept": "application/json"})

        self.assertEqual(reply.document, {"metrics": []})
