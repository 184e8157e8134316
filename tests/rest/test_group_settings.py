"""Rows 4 and 5 of the route table: config and launch config; and groups that do not exist."""

from decimal import Decimal

from otter.rest.parsing import SERVICE_NET
from tests.rest.tables import cloud
from tests.rest.world import (
    GROUPS,
    TENANT,
    UNKNOWN,
    RestCase,
    a_config,
    a_group,
    a_launch,
    a_schedule,
    a_server,
)


class ConfigTests(RestCase):
    """rest-api.md 3.7."""

    def test_put_replaces_and_clamps(self) -> None:
        """The new desired capacity is visible as soon as the 204 is there."""
        group = self.make_group(minEntities=2, metadata={"a": "b"})

        raised = self.ask("PUT", f"{group}/config", a_config(minEntities=4))
        after_raising = self.desired(group)
        self.ask("PUT", f"{group}/config", a_config(minEntities=0, maxEntities=3))

        self.assertEqual((raised.status, raised.body), (204, b""))
        self.assertEqual((after_raising, self.desired(group)), (4, 3))
        self.assertEqual(
            self.ask("GET", f"{group}/config").document,
            {"groupConfiguration": a_config(maxEntities=3)},
        )

    def test_every_field_is_required(self) -> None:
        """Leaving one out is an error even when it would stay the same (rest-api.md 6, item 9)."""
        group = self.make_group()

        for name in a_config():
            body = {key: value for key, value in a_config().items() if key != name}
            reply = self.ask("PUT", f"{group}/config", body)
            self.assertEqual((reply.error, reply.message), _required(name))

    def test_order_of_checks(self) -> None:
        """Row PUT config of rest-api.md 1.7: the body is judged before the group is looked for."""
        path = f"{GROUPS}/{UNKNOWN}/config"

        self.check_rows(
            {
                "json": ("400 InvalidJsonError", lambda: self.ask("PUT", path, b"")),
                "schema": ("400 ValidationError", lambda: self.ask("PUT", path, {})),
                "min/max": (
                    "400 InvalidMinEntities",
                    lambda: self.ask("PUT", path, a_config(minEntities=10, maxEntities=0)),
                ),
                "null max": (
                    "400 InvalidMinEntities",
                    lambda: self.ask("PUT", path, a_config(maxEntities=None)),
                ),
                "group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("PUT", path, a_config()),
                ),
            }
        )


def _required(name: str) -> tuple[str, str]:
    return "400 ValidationError", f"body: {name} is required"


class LaunchTests(RestCase):
    """rest-api.md 3.8."""

    def test_launch_config_round_trips(self) -> None:
        """Unknown server keys, id types and fractions come back exactly as sent; nothing merges."""
        group = self.make_group()
        server = a_server(
            name="wéb",
            key_name="k",
            networks=[{"uuid": SERVICE_NET}],
            opaque={"deep": [1, "1", None, True, Decimal("0.10"), {"x": []}]},
        )
        full = a_launch(
            server,
            loadBalancers=[
                cloud(),
                cloud(loadBalancerId="4410"),
                cloud(port=-1),
                {"loadBalancerId": "pool", "type": "RackConnectV3"},
            ],
            draining_timeout=Decimal("30.5"),
            notify=[{"url": "https://example.com/hook", "events": ["server.gone"]}],
        )

        first = self.ask("PUT", f"{group}/launch", full)
        shown = self.ask("GET", f"{group}/launch").document
        self.ask("PUT", f"{group}/launch", a_launch())

        self.assertEqual((first.status, first.body), (204, b""))
        self.assertEqual(shown, {"launchConfiguration": full})
        self.assertEqual(
            self.ask("GET", f"{group}/launch").document, {"launchConfiguration": a_launch()}
        )

    def test_stack(self) -> None:
        """The other type of launch configuration is kept just as well."""
        stack = {"type": "launch_stack", "args": {"stack": {"template": "t", "timeout_mins": 1}}}
        group = self.make_group(a_group(launchConfiguration=stack))

        self.assertEqual(
            self.ask("GET", f"{group}/launch").document, {"launchConfiguration": stack}
        )

    def test_order_of_checks(self) -> None:
        """Row PUT launch of rest-api.md 1.7."""
        path = f"{GROUPS}/{UNKNOWN}/launch"
        networks = a_launch(a_server(networks=[]), loadBalancers=[cloud()])

        self.check_rows(
            {
                "json": ("400 InvalidJsonError", lambda: self.ask("PUT", path)),
                "schema": ("400 ValidationError", lambda: self.ask("PUT", path, [])),
                "ServiceNet": ("400 ValidationError", lambda: self.ask("PUT", path, networks)),
                "group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("PUT", path, a_launch()),
                ),
            }
        )


class UnknownTests(RestCase):
    """Unknown ids of any form are 404 (rest-api.md 1.2 and 6, item 21)."""

    def test_unknown_groups(self) -> None:
        """An id that is no UUID is just unknown, whatever is asked of it."""
        names = (UNKNOWN, "xyz", "13344", "a%20b", "%C3%A9", "..", UNKNOWN.upper(), "%00", "-13")
        calls: list[tuple[str, str, object]] = [
            ("GET", "", None),
            ("GET", "/", None),
            ("DELETE", "", None),
            ("GET", "/state", None),
            ("GET", "/config", None),
            ("GET", "/launch", None),
            ("POST", "/pause", None),
            ("POST", "/resume", None),
            ("POST", "/converge", None),
            ("GET", "/policies", None),
            ("POST", "/policies", [a_schedule()]),
            ("GET", "/activities", None),
            ("GET", "/notify-secret", None),
            ("DELETE", "/servers/s1", None),
        ]
        found = {
            f"{method} {name}{rest}": self.ask(method, f"{GROUPS}/{name}{rest}", body).error
            for name in names
            for method, rest, body in calls
        }

        self.assertEqual(set(found.values()), {"404 NoSuchScalingGroupError"}, found)

    def test_another_tenants_group(self) -> None:
        """A group is found only under its own tenant."""
        group = self.make_group()
        self.tokens.add("other", "autoscale:admin", tenant="other")
        path = group.replace(f"/{TENANT}/", "/other/")

        self.assertEqual(self.ask("GET", path, token="other").error, "404 NoSuchScalingGroupError")
