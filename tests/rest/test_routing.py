"""Paths, methods and headers (rest-api.md 1.2 to 1.4)."""

from otter.rest.paths import loggable, read_path
from tests.rest.world import GROUPS, TENANT, RestCase


class PathTests(RestCase):
    """Which paths lead where."""

    def test_trailing_slash(self) -> None:
        """With and without are the same resource, served and not redirected."""
        group = self.make_group()
        policy = self.make_policy(group)
        webhook, _ = self.make_webhook(policy)
        paths = [GROUPS, group, policy, f"{policy}/webhooks", webhook]
        paths += [f"{group}/{part}" for part in ("state", "config", "launch", "policies")]
        paths += [f"{group}/activities", f"{group}/notify-secret", "/health"]
        for path in paths:
            plain, slashed = self.ask("GET", path), self.ask("GET", f"{path}/")

            self.assertEqual((plain.status, slashed.status), (200, 200), path)
            self.assertEqual(plain.body, slashed.body)
        for slash in ("", "/"):  # where each call is counted
            self.assertEqual(self.ask("GET", f"/v1.0/{TENANT}/limits{slash}").status, 200)

        for switch in ("pause/", "resume/", "converge/"):
            self.assertEqual(self.ask("POST", f"{group}/{switch}").status, 204)
        self.assertEqual(self.ask("POST", f"{policy}/execute/").status, 202)

    def test_paths_that_lead_nowhere(self) -> None:
        """Doubled and encoded slashes, case, other versions and what is not UTF-8."""
        group = self.make_group()
        _, _, name = group.rpartition("/")
        paths = [
            f"/{GROUPS}",
            f"{GROUPS}//",
            f"{GROUPS}//{name}",
            f"/v1.0//{TENANT}/groups",
            f"//v1.0/{TENANT}/groups",
            "//",
            "/v1.0",
            "/v1.0/",
            "/v1.0//groups",
            f"/v1.0/{TENANT}",
            f"/v1.0/{TENANT}/",
            f"{group}%2Fstate",
            f"{group}/state/%2F",
            f"{group}/%2e%2e/x",
            f"{group}/State",
            f"{group}/state/x",
            f"{group}/%FF",
            f"{GROUPS}/%FF",
            f"{GROUPS}/%C0%AF/state",
            f"/v2.0/{TENANT}/groups",
            f"/v1/{TENANT}/groups",
            f"/v1.0/{TENANT}/groups;x",
            "/metrics",
            "/scheduler/stop",
            f"http://api.example.com{GROUPS}",
        ]
        found = {path: self.ask("GET", path).error for path in paths}

        self.assertEqual(found, dict.fromkeys(paths, "404 NotFound"))

    def test_encoded_paths(self) -> None:
        """What needs no encoding may be encoded all the same."""
        group = self.make_group()

        self.assertEqual(self.ask("GET", group.replace("groups", "%67roups")).status, 200)
        self.assertEqual(self.ask("GET", group.replace("-", "%2D")).status, 200)

    def test_links_of_a_tenant_with_a_strange_name(self) -> None:
        """They begin as the client's own URL does, and can be got verbatim (rest-api.md 1.2)."""
        for name, tenant in (("a:b@c", "a:b@c"), ("%C3%A9%20%3F", "é ?"), ("..", "..")):
            self.tokens.add("strange", "autoscale:admin", tenant=tenant)
            self.ask("POST", f"/v1.0/{name}/groups", _A_GROUP, token="strange")
            listed = self.ask("GET", f"/v1.0/{name}/groups", token="strange").document["groups"]
            href = listed[0]["links"][0]["href"].removeprefix(self.config.base_url)

            self.assertTrue(href.startswith(f"/v1.0/{name}/groups/"), href)
            self.assertEqual(self.ask("GET", href, token="strange").status, 200)

    def test_methods(self) -> None:
        """405 names what is allowed; every path knows HEAD where it knows GET."""
        group = self.make_group()
        policy = self.make_policy(group)
        allowed = {
            GROUPS: "GET, HEAD, POST",
            group: "DELETE, GET, HEAD",
            f"{group}/state": "GET, HEAD",
            f"{group}/config": "GET, HEAD, PUT",
            f"{group}/launch/": "GET, HEAD, PUT",
            f"{group}/pause": "POST",
            f"{group}/resume": "POST",
            f"{group}/converge": "POST",
            f"{group}/servers": "GET, HEAD",
            f"{group}/servers/s": "DELETE, GET, HEAD",
            f"{group}/policies": "GET, HEAD, POST",
            policy: "DELETE, GET, HEAD, PUT",
            f"{policy}/execute": "POST",
            f"{policy}/webhooks": "GET, HEAD, POST",
            f"{policy}/webhooks/x": "DELETE, GET, HEAD, PUT",
            f"{group}/activities": "GET, HEAD",
            f"{group}/notify-secret": "GET, HEAD",
            f"/v1.0/{TENANT}/limits": "GET, HEAD",
            "/": "GET, HEAD",
            "/health": "GET, HEAD",
        }
        for method in ("PATCH", "OPTIONS", "TRACE", "BREW"):
            replies = {path: self.ask(method, path) for path in allowed}

            self.assertEqual(
                {path: reply.headers["Allow"] for path, reply in replies.items()}, allowed
            )
            self.assertEqual({r.error for r in replies.values()}, {"405 InvalidMethod"})

    def test_head(self) -> None:
        """Same status and headers as GET, no body."""
        group = self.make_group()
        for path in (GROUPS, group, f"{group}/state", f"{GROUPS}/xyz", f"{group}/servers", "/"):
            get, head = self.ask("GET", path), self.ask("HEAD", path)

            self.assertEqual((head.status, head.body), (get.status, b""), path)
            self.assertEqual(head.headers["Content-Length"], get.headers["Content-Length"])
            self.assertEqual(head.headers["Content-Type"], "application/json")


_A_GROUP = {
    "groupConfiguration": {"name": "web", "cooldown": 0, "minEntities": 0},
    "launchConfiguration": {
        "type": "launch_server",
        "args": {"server": {"flavorRef": "3", "imageRef": "i"}},
    },
}


class HeaderTests(RestCase):
    """What every response carries; ``RestCase.ask`` checks the rest of it each time."""

    def test_empty_answers(self) -> None:
        """They say application/json too (rest-api.md 6, item 1)."""
        group = self.make_group()
        replies = [self.ask("POST", f"{group}/pause"), self.ask("DELETE", group)]

        for reply in replies:
            self.assertEqual((reply.status, reply.body), (204, b""))
            self.assertEqual(reply.headers.get_all("Content-Type"), ["application/json"])
            self.assertIsNone(reply.headers["Content-Length"])

    def test_response_ids_are_fresh(self) -> None:
        """Each request has its own."""
        ids = {self.ask("GET", GROUPS).headers["X-Response-Id"] for _ in range(5)}

        self.assertEqual(len(ids), 5)

    def test_content_type_of_a_request_means_nothing(self) -> None:
        """Bodies are JSON whatever they are called (rest-api.md 1.3 and 8)."""
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml", "junk"):
            reply = self.ask("POST", GROUPS, _A_GROUP, headers={"Content-Type": kind})
            self.assertIn(reply.status, (201, 422), kind)

    def test_malformed_host(self) -> None:
        """Nothing depends on the Host header."""
        for host in ("", "é", "a..b", "[::1", "x" * 300):
            self.assertEqual(self.ask("GET", GROUPS, headers={"Host": host}).status, 200, host)


class LoggedPathTests(RestCase):
    """What a log says of a path."""

    def test_hashes_are_never_logged(self) -> None:
        """Not where they belong, nor where a confused client puts them."""
        secret = "5f" * 32
        expected = {
            f"/v1.0/execute/1/{secret}/": "/v1.0/execute/1/-",
            f"/v1.0/execute/1/{secret}": "/v1.0/execute/1/-",
            f"/v1.0/execute/1/{secret}/x": "/v1.0/execute/1/-/-",
            "/v1.0/execute/1/short": "/v1.0/execute/1/-",
            f"/v1.0//execute/1/{secret}": "/v1.0//execute/1/-",
            f"/execute/{secret.upper()}": "/execute/-",
            f"/v1.0/%65xecute/1/%35{secret[1:]}": "/v1.0/execute/1/-",
            "/v1.0/7042/groups/": "/v1.0/7042/groups",
        }

        found = {path: loggable(read_path(path.encode())) for path in expected}

        self.assertEqual(found, expected)
