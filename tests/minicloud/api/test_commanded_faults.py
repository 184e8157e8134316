"""Every fault that can be commanded, seen by a client of the cloud's faces."""

from datetime import timedelta

from twisted.web.client import ResponseNeverReceived

from tests.minicloud.api import fault_case
from tests.minicloud.client import Pending

V3 = "/identity/v3/auth/tokens"
V2 = "/identity/v2.0/tokens"


class CreationFaultTests(fault_case.FaultCase):
    """Creations that go wrong."""

    def test_refused(self) -> None:
        """Creations fail as commanded, with nothing created; the next one works."""
        self.command(count=2, status=503, message="come back later")
        answers = [self.create() for _ in range(3)]

        self.assertEqual([answer.status for answer in answers], [503, 503, 202])
        self.assertEqual(
            answers[0].json, {"serviceUnavailable": {"code": 503, "message": "come back later"}}
        )
        self.assertEqual(self.truth(), ["web"])

    def test_rate_limited(self) -> None:
        """A rate limit says how long to wait, in the header and in Nova's body."""
        for status in (413, 429):
            self.command(status=status, message="slow down", retry_after=7)
            answer = self.create()

            self.assertEqual((answer.status, answer.headers["retry-after"]), (status, "7"))
            self.assertEqual(
                answer.json["overLimit"],
                {"code": status, "message": "slow down", "retryAfter": "7"},
            )

    def test_created_but_failed(self) -> None:
        """The answer says failure, and yet the server is there."""
        self.command(effect="answer-error", status=500)

        self.assertEqual(self.create().status, 500)
        self.assertEqual(self.truth(), ["web"])

    def test_cut(self) -> None:
        """The connection closes without an answer, and yet the server is there."""
        self.command(effect="cut")
        pending = self.client.send("POST", "/compute/v2.1/servers", self.client.a_server_body())

        self.assertRaises(ResponseNeverReceived, lambda: pending.response)
        self.assertEqual(self.truth(), ["web"])

    def test_stuck(self) -> None:
        """A server stays in BUILD for ever, until it is deleted."""
        self.command(effect="stuck")
        server = self.client.create()
        self.cloud.advance(timedelta(days=365).total_seconds())
        self.client.token = self.cloud.token()
        stuck = self.status(server)
        self.client.compute("DELETE", f"/servers/{server}")

        self.assertEqual(stuck, "BUILD")
        self.assertEqual(self.truth(), [])

    def test_error(self) -> None:
        """A server builds for a while and goes to ERROR with the commanded words."""
        self.command(effect="error", after=5, message="disk on fire")
        server = self.client.create()
        self.cloud.advance(4)
        before = self.status(server)
        self.cloud.advance(1)
        shown = self.client.show(server)

        self.assertEqual((before, shown["status"]), ("BUILD", "ERROR"))
        self.assertEqual(shown["fault"]["message"], "disk on fire")

    def test_active_then_error(self) -> None:
        """A server is ACTIVE for a while before it fails."""
        self.command(effect="active-then-error", after=5, message="late")
        server = self.client.create()
        seen = []
        for _ in range(3):
            seen.append(self.status(server))
            self.cloud.advance(10 if len(seen) == 1 else 5)

        self.assertEqual(seen, ["BUILD", "ACTIVE", "ERROR"])

    def test_slow(self) -> None:
        """One server boots for longer than the rest."""
        self.command(effect="slow", after=3600)
        slow, normal = self.client.create(), self.client.create()
        self.cloud.advance(3599)
        self.client.token = self.cloud.token()
        before = (self.status(slow), self.status(normal))
        self.cloud.advance(1)

        self.assertEqual(before, ("BUILD", "ACTIVE"))
        self.assertEqual(self.status(slow), "ACTIVE")

    def test_matched(self) -> None:
        """A fault may be for some servers only."""
        self.command(name="^bad", metadata={"group": "g1"}, status=500)

        self.assertEqual(self.create("good", metadata={"group": "g1"}).status, 202)
        self.assertEqual(self.create("bad", metadata={"group": "g2"}).status, 202)
        self.assertEqual(self.create("bad", metadata={"group": "g1"}).status, 500)


class OtherFaultTests(fault_case.FaultCase):
    """Everything else that goes wrong."""

    def test_other_operations(self) -> None:
        """Deleting, listing, showing, metadata and actions fail as commanded."""
        server = self.client.create("web")
        self.cloud.advance(10)
        for operation, method, path, body in (
            ("delete", "DELETE", f"/servers/{server}", None),
            ("list", "GET", "/servers/detail", None),
            ("show", "GET", f"/servers/{server}", None),
            ("update", "DELETE", f"/servers/{server}/metadata/x", None),
            ("update", "POST", f"/servers/{server}/metadata", {"metadata": {}}),
            ("action", "POST", f"/servers/{server}/action", {"os-stop": None}),
        ):
            self.command(operation=operation, status=500, name="" if operation == "list" else "web")
            self.assertEqual(self.client.compute(method, path, body).status, 500, operation)

        self.assertEqual(self.status(server), "ACTIVE")

    def test_deleted_but_failed(self) -> None:
        """A deletion that answers failure may have worked."""
        server = self.client.create()
        self.command(operation="delete", effect="answer-error", status=502)

        self.assertEqual(self.client.compute("DELETE", f"/servers/{server}").status, 502)
        self.assertEqual(self.truth(), [])

    def test_identity(self) -> None:
        """Issuing and validating fail each by itself, in both versions."""
        v2 = {"username": "otter", "password": "otter-password"}
        user = {"name": "otter", "password": "otter-password", "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        v2_body = {"auth": {"passwordCredentials": v2}}
        v3_body = {"auth": {"identity": identity}}
        subject = {"X-Subject-Token": self.client.token}

        self.command(operation="authenticate", count=2, status=503)
        self.assertEqual(self.client.call("POST", V2, v2_body).status, 503)
        self.assertEqual(self.client.call("GET", V3, headers=subject).status, 200)
        self.assertEqual(self.client.call("POST", V3, v3_body).status, 503)
        self.assertEqual(self.client.call("POST", V3, v3_body).status, 201)

        self.command(operation="validate", count=2, status=500)
        self.assertEqual(self.client.call("GET", V3, headers=subject).status, 500)
        self.assertEqual(self.client.call("GET", f"{V2}/{self.client.token}").status, 500)
        self.assertEqual(self.client.call("GET", V3, headers=subject).status, 200)

    def test_compute_survives_identity(self) -> None:
        """Faults of Identity's face do not reach the tokens that Compute checks by itself."""
        self.command(operation="validate", count=None)

        self.assertEqual(self.client.names(), [])

    def test_revoked(self) -> None:
        """All tokens may be made worthless at once; a new one works."""
        response = self.client.control("DELETE", "/tokens")

        self.assertEqual(response.json, {"revoked": 1})
        self.assertEqual(self.client.compute("GET", "/servers").status, 401)
        self.client.token = self.cloud.token()
        self.assertEqual(self.client.compute("GET", "/servers").status, 200)

    def test_list_lags(self) -> None:
        """Lists miss new servers and keep deleted ones for a while; show tells the truth."""
        self.set(lag_new=5, lag_deleted=5)
        server = self.client.create()
        fresh = (self.client.names(), self.status(server))
        self.cloud.advance(5)
        settled = self.client.names()
        self.client.compute("DELETE", f"/servers/{server}")
        gone = (self.client.names(), self.client.compute("GET", f"/servers/{server}").status)
        self.cloud.advance(5)

        self.assertEqual(fresh, ([], "BUILD"))
        self.assertEqual(settled, ["web"])
        self.assertEqual(gone, (["web"], 404))
        self.assertEqual(self.client.names(), [])

    def test_delays(self) -> None:
        """Each face answers as late as commanded, the others at once."""
        project = self.cloud.project_id()
        paths = {
            "compute": "/compute/v2.1/servers",
            "identity": V3,
            "load-balancer": f"/clb/v1.0/{project}/loadbalancers",
        }
        for late in paths:
            self.set(delay={name: 5 if name == late else 0 for name in paths})
            sent: dict[str, Pending] = {
                name: self.client.send("GET", path, headers={"X-Subject-Token": self.client.token})
                for name, path in paths.items()
            }
            answered = {name for name, pending in sent.items() if pending.answered}
            self.cloud.advance(5)

            self.assertEqual(answered, set(paths) - {late})
            self.assertEqual(sent[late].response.status, 200)

    def test_hang_up_while_delayed(self) -> None:
        """A client that hangs up before its request was carried out changes nothing."""
        self.set(delay={"compute": 5})
        body = self.client.a_server_body()
        patient = self.client.send("POST", "/compute/v2.1/servers", body)
        hasty = self.client.send("POST", "/compute/v2.1/servers", body)
        hasty.hang_up()
        self.cloud.advance(5)

        self.assertEqual(patient.response.status, 202)
        self.assertEqual(self.truth(), ["web"])

    def test_quota(self) -> None:
        """A project's quota is set and lifted."""
        path = f"/quotas/{self.cloud.project_id()}"
        self.assertEqual(self.client.control("PUT", path, {"instances": 0}).status, 204)
        refused = self.create()
        self.client.control("PUT", path, {"instances": -1})

        self.assertEqual(refused.status, 403)
        self.assertEqual(self.create().status, 202)

    def test_set_status(self) -> None:
        """A server looks as commanded, with the words of its fault."""
        server = self.client.create()
        for status in ("ERROR", "PAUSED", "UNKNOWN", "ACTIVE"):
            body = {"status": status, "message": "says the operator"}
            self.client.control("PATCH", f"/servers/{server}", body)
            self.assertEqual(self.status(server), status)
        self.client.control("PATCH", f"/servers/{server}", {"status": "ERROR", "message": "why"})

        self.assertEqual(self.client.show(server)["fault"]["message"], "why")

    def test_bad_status(self) -> None:
        """A status that does not exist is 400, a server that does not 404."""
        server = self.client.create()
        for path, status, answer in (
            (server, "PURPLE", 400),
            (server, "DELETED", 400),
            ("nothing", "ERROR", 404),
        ):
            response = self.client.control("PATCH", f"/servers/{path}", {"status": status})
            self.assertEqual(response.status, answer)

    def test_out_of_band(self) -> None:
        """A server is deleted behind its owner's back, at once, even while it lingers."""
        self.set(delete_time=60)
        servers = [self.client.create(name) for name in ("a", "b")]
        self.client.compute("DELETE", f"/servers/{servers[0]}")
        for server in servers:
            self.assertEqual(self.client.control("DELETE", f"/servers/{server}").status, 204)

        self.assertEqual(self.truth(), [])
        self.assertEqual(self.client.control("DELETE", f"/servers/{servers[0]}").status, 404)
        self.cloud.advance(60)

    def test_token_lifetime(self) -> None:
        """Tokens may be made short-lived."""
        self.set(token_lifetime=5)
        self.client.token = self.cloud.token()
        self.cloud.advance(5)

        self.assertEqual(self.client.compute("GET", "/servers").status, 401)

    def test_boot_time(self) -> None:
        """Booting takes as long as set from then on."""
        self.set(boot_time=0)

        self.assertEqual(self.status(self.client.create()), "ACTIVE")
