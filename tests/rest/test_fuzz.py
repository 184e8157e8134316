"""Nothing that is sent makes the API fault: no answer of 500 or above, whatever comes."""

from typing import Any

import simplejson
from hypothesis import given
from hypothesis import strategies as st

from otter.controller.interface import Limits
from otter.rest.config import Rates, RestConfig
from tests.fuzzing import bounded
from tests.rest.wire import Connection, request_bytes
from tests.rest.world import (
    BASE,
    GROUPS,
    RestCase,
    a_config,
    a_group,
    a_launch,
    a_policy,
    a_schedule,
)

FEW = bounded(60)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
VALID: list[Any] = [
    a_group(scalingPolicies=[a_policy(), a_schedule()]),
    a_config(),
    a_launch(loadBalancers=[{"loadBalancerId": 1, "port": 80}], draining_timeout=30),
    [a_policy(), a_schedule()],
    a_policy(),
    a_schedule(),
    [{"name": "w", "metadata": {}}],
    {"name": "w", "metadata": {}},
]


def mutated(document: Any, path: list[int], value: object, *, drop: bool) -> Any:
    """Return a copy with one thing somewhere inside replaced or dropped."""
    if not path or not isinstance(document, dict | list) or not document:
        return value
    if isinstance(document, list):
        at = path[0] % len(document)
        inner = mutated(document[at], path[1:], value, drop=drop)
        return [*document[:at], inner, *document[at + 1 :]]
    name = sorted(document)[path[0] % len(document)]
    if drop and len(path) == 1:
        return {key: item for key, item in document.items() if key != name}
    return {**document, name: mutated(document[name], path[1:], value, drop=drop)}


class FuzzTests(RestCase):
    """Every route that takes a body, and every query."""

    config = RestConfig(BASE, rates=Rates(enabled=False))
    limits = Limits(max_groups=1000, max_policies_per_group=1000, max_webhooks_per_policy=1000)

    def bodies(self) -> list[tuple[str, str]]:
        """Return method and path of every route that reads a body."""
        group = self.make_group()
        policy = self.make_policy(group)
        schedule = self.make_policy(group, type="schedule", args={"cron": "* * * * *"})
        webhook, _ = self.make_webhook(policy)
        return [
            ("POST", GROUPS),
            ("PUT", f"{group}/config"),
            ("PUT", f"{group}/launch"),
            ("POST", f"{group}/policies"),
            ("PUT", policy),
            ("PUT", schedule),
            ("POST", f"{policy}/webhooks"),
            ("PUT", webhook),
        ]

    def hold(self, body: bytes) -> None:
        """Send the body everywhere."""
        for method, path in self.routes:
            reply = self.ask(method, path, body)
            self.assertLess(reply.status, 500, (method, path, body))
        for path in self.shown:
            self.assertEqual(self.ask("GET", path).status, 200, body)

    def setUp(self) -> None:
        """Build one of everything."""
        super().setUp()
        self.routes = self.bodies()
        group = self.routes[1][1].removesuffix("/config")
        policies = f"{group}/policies"
        self.shown = [group, f"{group}?webhooks=true", GROUPS, policies, f"{group}/activities"]

    @FEW
    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        """Bytes that are mostly not JSON."""
        self.hold(body)

    @FEW
    @given(DOCUMENTS)
    def test_any_document(self, document: object) -> None:
        """JSON that is mostly not valid."""
        self.hold(simplejson.dumps(document, use_decimal=True).encode())

    @FEW
    @given(
        st.sampled_from(VALID),
        st.lists(st.integers(0, 20), min_size=1, max_size=6),
        DOCUMENTS,
        st.booleans(),
    )
    def test_nearly_valid_documents(
        self, document: object, path: list[int], value: object, drop: bool
    ) -> None:
        """Valid but for one thing; what is accepted can be shown afterwards."""
        changed = mutated(document, path, value, drop=drop)

        self.hold(simplejson.dumps(changed, use_decimal=True).encode())

    @FEW
    @given(
        st.sampled_from(["limit", "marker", "force", "replace", "purge", "webhooks", "x"]),
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#")),
    )
    def test_any_query(self, name: str, value: str) -> None:
        """Arguments of every kind on everything that reads them."""
        for path in (*self.shown, f"{GROUPS}/x/servers"):
            reply = self.ask("GET", f"{path.partition('?')[0]}?{name}={value}")
            self.assertIn(reply.status, {200, 400, 501}, path)
        for path in (f"{GROUPS}/x", f"{GROUPS}/x/servers/s"):
            self.assertIn(self.ask("DELETE", f"{path}?{name}={value}").status, {400, 404}, path)

    @FEW
    @given(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
        st.text(
            st.characters(min_codepoint=0x21, max_codepoint=0xB0),
            max_size=40,
        ),
    )
    def test_any_path(self, method: str, path: str) -> None:
        """Paths below the groups and beside them."""
        for prefix in ("/", "/v1.0/", f"{GROUPS}/", f"{self.shown[0]}/"):
            reply = self.ask(method, prefix + path)
            self.assertTrue(reply.status < 500 or reply.status == 501, prefix + path)

    @FEW
    @given(st.binary(max_size=300), st.integers(1, 20))
    def test_any_stream(self, data: bytes, size: int) -> None:
        """What is not even HTTP costs nobody but its sender."""
        for beginning in (b"", request_bytes("GET", GROUPS), b"POST / HTTP/1.1\r\n"):
            connection = Connection(self.site)
            stream = beginning + data
            for start in range(0, len(stream), size):
                connection.send(stream[start : start + size])
            connection.hang_up()

            self.assertNotIn(b" 500 ", connection.received())
