"""Who may do what (rest-api.md 1.7 and 1.8)."""

import re
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import NotSentError, ThrottledError, TransientError
from otter.rest.app import make_routes
from otter.rest.auth import Right, right_for
from otter.rest.calls import TENANT as TENANT_PATH
from otter.rest.rates import RateLimiter
from tests.rest.wire import Connection, request_bytes
from tests.rest.world import (
    GROUPS,
    TENANT,
    UNKNOWN,
    RestCase,
    a_config,
    a_group,
    a_launch,
    a_policy,
)


class TokenTests(RestCase):
    """The token comes first."""

    def test_without_a_good_token(self) -> None:
        """401 wherever the path leads, known or not (the first column of rest-api.md 1.7)."""
        group = self.make_group()
        paths = [GROUPS, f"{GROUPS}/", group, f"{GROUPS}/{UNKNOWN}", f"/v1.0/{TENANT}/limits"]
        paths += [f"/v1.0/{TENANT}/limits/", f"/v1.0/{TENANT}/nothing", f"/v1.0/{TENANT}"]
        paths += [f"{GROUPS}//", f"{GROUPS}/%FF", "/v1.0/execute", "/v1.0/other/groups"]
        for token in (None, "", "unknown", "tök€n".encode().decode("latin-1"), "a\tb", " "):
            for path in paths:
                for method in ("GET", "PATCH"):
                    reply = self.ask(method, path, token=token)
                    self.assertEqual(reply.error, "401 InvalidCredentials", (token, path))

    def test_identity_that_cannot_be_asked(self) -> None:
        """Nobody is let in, and nobody is called an intruder either."""
        for error in (NotSentError("refused"), TransientError("500"), ThrottledError("429")):
            self.tokens.error = error
            reply = self.ask("GET", GROUPS)

            self.assertEqual(reply.error, "503 ServiceUnavailable", error)
            self.assertEqual(reply.headers["Retry-After"], "5")

    def test_fault_of_the_validator(self) -> None:
        """An unexpected error lets nobody in, and is logged."""
        self.tokens.error = ZeroDivisionError()

        self.assertEqual(self.ask("GET", GROUPS).error, "500 InternalError")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_operational_paths_need_no_token(self) -> None:
        """Watchers have none."""
        self.check_rows(
            {
                "/": ("200", lambda: self.ask("GET", "/", token=None)),
                "/health": ("200", lambda: self.ask("GET", "/health", token=None)),
                "nowhere": ("404 NotFound", lambda: self.ask("GET", "/nowhere", token=None)),
            }
        )

    def test_authentication_switched_off(self) -> None:
        """For development everybody may do everything, and the history says so."""
        self.serve(self.controller, auth=False)
        group = self.make_group()

        activities = self.ask("GET", f"{group}/activities", token=None).document["activities"]

        self.assertEqual([one["actor"] for one in activities], ["user anonymous"])

    def test_actor(self) -> None:
        """The history names who asked."""
        activities = self.ask("GET", f"{self.make_group()}/activities").document["activities"]

        self.assertEqual([one["actor"] for one in activities], ["user ada"])

    def test_client_that_hangs_up_before_it_is_let_in(self) -> None:
        """Nothing was begun, so nothing is done."""
        slow = Deferred[None]()
        validate = self.tokens.validate

        class Slow:
            async def validate(self, token: str) -> object:
                await slow
                return await validate(token)

        self.tokens.validate = Slow().validate  # type: ignore[method-assign,assignment]
        self.serve(self.controller)
        connection = Connection(self.site)
        body = b'{"groupConfiguration": {}}'
        headers = {"X-Auth-Token": "token-of-ada"}
        connection.send(request_bytes("POST", f"{GROUPS}/x/pause", body, headers))
        connection.hang_up()

        slow.callback(None)

        self.assertEqual(connection.received(), b"")


class RoleTests(RestCase):
    """Then tenant and role, and only then the route."""

    def setUp(self) -> None:
        """Build one of everything, and callers of every kind."""
        super().setUp()
        self.group = self.make_group()
        self.policy = self.make_policy(self.group)
        self.webhook, self.capability = self.make_webhook(self.policy)
        self.tokens.add("observer", "observer")
        self.tokens.add("as-observer", "autoscale:observer", "nova:admin")
        self.tokens.add("owner", "identity:user-admin")
        self.tokens.add("both", "observer", "autoscale:admin")
        self.tokens.add("nobody", "creator", "member", "compute:admin")
        self.tokens.add("stranger", "autoscale:admin", "observer", tenant="other")
        self.tokens.add("unscoped", "autoscale:admin", tenant=None)
        self.tokens.add("operator", "cloud_admin", tenant="operators")

    def statuses(self, token: str) -> Mapping[str, int]:
        """Return what a caller gets for one of everything; bodies are bad so nothing is done."""
        return {
            f"{method} {name}": self.ask(method, path, b"{", token=token).status
            for name, methods, path in self.everything()
            for method in methods
        }

    def everything(self) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        """Return name, methods and path of every resource of a tenant."""
        group, policy = self.group, self.policy
        return (
            ("groups", ("GET", "POST"), GROUPS),
            ("group", ("GET", "DELETE"), f"{group}?force=junk"),
            ("manifest", ("GET",), f"{group}?webhooks=True"),
            ("state", ("GET",), f"{group}/state"),
            ("config", ("GET", "PUT"), f"{group}/config"),
            ("launch", ("GET", "PUT"), f"{group}/launch"),
            ("pause", ("POST",), f"{group}/pause"),
            ("resume", ("POST",), f"{group}/resume"),
            ("converge", ("POST",), f"{group}/converge"),
            ("servers", ("GET",), f"{group}/servers"),
            ("server", ("GET", "DELETE"), f"{group}/servers/s1"),
            ("policies", ("GET", "POST"), f"{group}/policies?webhooks=true"),
            ("policy", ("GET", "PUT"), policy),
            ("no policy", ("DELETE",), f"{group}/policies/{UNKNOWN}"),
            ("execute", ("POST",), f"{group}/policies/{UNKNOWN}/execute"),
            ("webhooks", ("GET", "POST"), f"{policy}/webhooks"),
            ("webhook", ("GET", "HEAD", "PUT"), self.webhook),
            ("no webhook", ("DELETE",), f"{policy}/webhooks/{UNKNOWN}"),
            ("hidden webhook", ("GET",), self.webhook.replace("webhooks", "%77ebhooks")),
            ("activities", ("GET",), f"{group}/activities"),
            ("secret", ("GET",), f"{group}/notify-secret"),
            ("limits", ("GET",), f"/v1.0/{TENANT}/limits"),
        )

    def test_full_access(self) -> None:
        """Each of the roles gives everything, and the most permissive wins."""
        expected = self.statuses("token-of-ada")

        self.assertNotIn(403, expected.values())
        self.assertNotIn(401, expected.values())
        for token in ("owner", "both", "operator"):
            self.assertEqual(self.statuses(token), expected, token)

    def test_observers(self) -> None:
        """They read everything but what reveals a secret, and change nothing."""
        readable = {"groups", "group", "state", "config", "launch", "policies", "policy"}
        readable |= {"activities", "limits"}
        expected = {
            f"{method} {name}": 200 if method == "GET" and name in readable else 403
            for name, methods, _ in self.everything()
            for method in methods
        }
        expected |= {"GET servers": 501, "GET server": 501}

        for token in ("observer", "as-observer"):
            self.assertEqual(self.statuses(token), expected, token)

    def test_everybody_else(self) -> None:
        """No role, another tenant or no tenant: 403 on everything, never 404."""
        for token in ("nobody", "stranger", "unscoped"):
            self.assertEqual(set(self.statuses(token).values()), {403}, token)
            for path in (f"{GROUPS}/{UNKNOWN}", f"/v1.0/{TENANT}/nothing", f"{GROUPS}//"):
                self.assertEqual(self.ask("GET", path, token=token).error, "403 Forbidden")
            self.assertEqual(self.ask("POST", self.capability, token=token).status, 202)

    def test_observers_before_the_route(self) -> None:
        """A mutation is 403 even where there is nothing to mutate; reading nothing is 404."""
        self.check_rows(
            {
                "method": ("403 Forbidden", lambda: self.ask("PUT", GROUPS, token="observer")),
                "route": (
                    "404 NotFound",
                    lambda: self.ask("GET", f"{self.group}/nothing", token="observer"),
                ),
            }
        )

    def test_mutations_reach_the_right_tenant(self) -> None:
        """An operator works on the tenant of the path, not on the one of the token."""
        self.check_rows(
            {
                "create": ("201", lambda: self.ask("POST", GROUPS, a_group(), token="operator")),
                "config": (
                    "204",
                    lambda: self.ask("PUT", f"{self.group}/config", a_config(), token="operator"),
                ),
                "launch": (
                    "204",
                    lambda: self.ask("PUT", f"{self.group}/launch", a_launch(), token="operator"),
                ),
                "policy": (
                    "204",
                    lambda: self.ask("PUT", self.policy, a_policy(), token="operator"),
                ),
            }
        )
        self.assertEqual(len(self.ask("GET", GROUPS).document["groups"]), 2)

    def test_every_route_is_listed_here(self) -> None:
        """A route that is added and not in the table above would go unjudged."""
        limiter = RateLimiter(self.config.rates, self.clock)
        routes = make_routes(self.config, self.controller, {}, self.clock, limiter)
        listed = [
            f"{method} {path.partition('?')[0]}"
            for _, methods, path in self.everything()
            for method in methods
        ]
        patterns = [
            f"{route.method} {re.sub('<[a-z]+>', '[^/]+', route.path)}"
            for route in routes
            if route.path.startswith(TENANT_PATH)
        ]

        self.assertEqual(
            [one for one in patterns if not any(re.fullmatch(one, text) for text in listed)], []
        )


class RightTests(SynchronousTestCase):
    """The pure decision."""

    @given(
        st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "get", "OPTIONS", "X"]),
        st.lists(st.text(max_size=3), max_size=4),
        st.booleans(),
    )
    def test_all_but_reading_needs_everything(
        self, method: str, segments: list[str], webhooks: bool
    ) -> None:
        """Also methods nobody has heard of, and ``get``, which routers take for ``GET``."""
        self.assertIs(right_for(method, segments, webhooks=webhooks), Right.FULL)

    def test_the_webhooks_argument_counts_only_for_a_manifest(self) -> None:
        """Elsewhere it is unknown and ignored."""
        needs = {
            path: right_for("GET", path.split("/"), webhooks=True)
            for path in ("groups/g", "groups", "groups/g/policies", "limits")
        }

        self.assertEqual(
            needs,
            {
                "groups/g": Right.FULL,
                "groups": Right.READ,
                "groups/g/policies": Right.READ,
                "limits": Right.READ,
            },
        )
