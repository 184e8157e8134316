"""Who asks is judged before what is asked (rest-api.md 1.7): 401, then 403, then the rest."""

from collections.abc import Mapping

from tests.roles.contract import CALLERS, Standing
from tests.roles.world import Resources, RolesCase

UNKNOWN = "00000000-0000-4000-8000-000000000000"
NOT_JSON = b'{"name": '
Request = tuple[str, str, object]


def faulty(there: Resources) -> Mapping[str, tuple[Request, str]]:
    """Return requests with something wrong with them, and what an owner gets for each."""
    tenant = f"/v1.0/{there.t}"
    groups, group = f"{tenant}/groups", f"{tenant}/groups/{there.g}"
    nowhere, policy = f"{groups}/{UNKNOWN}", f"{group}/policies/{there.p}"
    no_group, no_route = "404 NoSuchScalingGroupError", "404 NotFound"
    bad_json, no_method = "400 InvalidJsonError", "405 InvalidMethod"
    bad_query, invalid = "400 InvalidQueryArgument", "400 ValidationError"
    return {
        "unknown group": (("GET", nowhere, None), no_group),
        "state of an unknown group": (("GET", f"{nowhere}/state", None), no_group),
        "unknown group deleted": (("DELETE", nowhere, None), no_group),
        "unknown group paused": (("POST", f"{nowhere}/pause", None), no_group),
        "unknown policy": (("GET", f"{group}/policies/x", None), "404 NoSuchPolicyError"),
        "unknown webhook": (("GET", f"{policy}/webhooks/x", None), "404 NoSuchWebhookError"),
        "unknown server": (("DELETE", f"{group}/servers/x", None), "404 ServerNotFoundError"),
        "unknown route": (("GET", f"{tenant}/nothing", None), no_route),
        "nothing but a tenant": (("GET", tenant, None), no_route),
        "a route too far": (("GET", f"{group}/state/of/affairs", None), no_route),
        "doubled slash": (("GET", f"{groups}//", None), no_route),
        "not UTF-8": (("GET", f"{groups}/%FF", None), no_route),
        "wrong method": (("PATCH", groups, None), no_method),
        "wrong method with a body": (("PUT", groups, NOT_JSON), no_method),
        "method of nobody's": (("BREW", group, None), no_method),
        "not JSON": (("POST", groups, NOT_JSON), bad_json),
        "no body": (("PUT", f"{group}/config", None), bad_json),
        "not JSON, unknown group": (("PUT", f"{nowhere}/launch", NOT_JSON), bad_json),
        "not valid": (("POST", f"{group}/policies", [{"name": 1}]), invalid),
        "not valid, unknown policy": (("PUT", f"{group}/policies/x", {"name": 1}), invalid),
        "bad limit": (("GET", f"{groups}?limit=ab", None), bad_query),
        "bad limit of webhooks": (("GET", f"{policy}/webhooks?limit=3.0", None), bad_query),
        "bad force": (("DELETE", f"{group}?force=maybe", None), bad_query),
        "not empty": (("DELETE", group, None), "403 GroupNotEmptyError"),
    }


class PrecedenceTests(RolesCase):
    """The same faulty requests from callers of every kind."""

    def setUp(self) -> None:
        """Make one of everything."""
        super().setUp()
        self.requests = faulty(self.make_resources())

    def answers(self, token: str | None) -> dict[str, str]:
        """Return what every faulty request gets."""
        return {
            name: self.ask(*request, token=token).error
            for name, (request, _) in self.requests.items()
        }

    def test_owner(self) -> None:
        """Owners learn what is wrong; so each row below has something wrong with it."""
        wanted = {name: error for name, (_, error) in self.requests.items()}

        self.assertEqual(self.answers(self.token_named("owner")), wanted)

    def test_unknown_callers(self) -> None:
        """Without a good token it is 401, whatever else is wrong."""
        for name, token in self.bad_tokens().items():
            found = set(self.answers(token).values())
            self.assertEqual(found, {"401 InvalidCredentials"}, name)

    def test_callers_without_rights(self) -> None:
        """With a good token that gives no right it is 403, whatever else is wrong: never 404."""
        for caller in CALLERS:
            if caller.standing is Standing.NOBODY:
                found = set(self.answers(self.token_of(caller)).values())
                self.assertEqual(found, {"403 Forbidden"}, caller.name)

    def test_observers(self) -> None:
        """Observers learn what is wrong with what they may do; the rest is 403 first."""
        found = self.answers(self.token_named("observer"))
        reading = {
            name
            for name, ((method, path, _), _) in self.requests.items()
            if method == "GET" and "/webhooks" not in path
        }
        wanted = {
            name: error if name in reading else "403 Forbidden"
            for name, (_, error) in self.requests.items()
        }

        self.assertEqual(found, wanted)

    def test_unknown_tenant(self) -> None:
        """A tenant that does not exist is as forbidden as one that does."""
        for name in ("owner", "observer", "other admin"):
            reply = self.ask("GET", "/v1.0/nobody/groups", token=self.token_named(name))
            self.assertEqual(reply.error, "403 Forbidden", name)


class DisguiseTests(RolesCase):
    """Secrets stay closed to observers however the request is spelt."""

    def statuses(self, token: str) -> dict[str, int]:
        """Return what spellings of requests that reveal a secret get."""
        there = self.make_resources()
        group = there.path("/v1.0/{t}/groups/{g}")
        policy = f"{group}/policies/{there.p}"
        paths = (
            f"{group}?webhooks=true",
            f"{group}/?webhooks=TRUE",
            f"{group}?webhooks=true&webhooks=no",
            f"{group}?a=b&web%68ooks=true",
            f"{group}?webhooks=tru%65",
            f"{policy}/%77ebhooks",
            f"{policy}/webhooks/",
            f"{policy}/webhooks/{there.w}/",
            f"{policy}/%77%65%62%68ooks/{there.w}",
            f"{group}/notify%2Dsecret",
            f"{group}/notify-secret/",
        )
        return {
            f"{method} {path}".replace(there.g, "g").replace(there.p, "p").replace(there.w, "w"): (
                self.ask(method, path, token=token).status
            )
            for path in paths
            for method in ("GET", "HEAD")
        }

    def test_observer(self) -> None:
        """Every spelling is 403."""
        for name in ("observer", "autoscale observer"):
            found = self.statuses(self.token_named(name))
            self.assertEqual({key: one for key, one in found.items() if one != 403}, {})

    def test_owner(self) -> None:
        """And every one of them would have shown something, so none of this is in vain."""
        found = self.statuses(self.token_named("owner"))

        self.assertEqual({key: one for key, one in found.items() if one != 200}, {})

    def test_harmless_spellings(self) -> None:
        """What asks for no webhooks is a manifest like any other."""
        group = self.make_resources().path("/v1.0/{t}/groups/{g}")
        token = self.token_named("observer")
        for query in ("webhooks=no", "webhooks=", "WEBHOOKS=true", "webhooks=no&webhooks=true"):
            reply = self.ask("GET", f"{group}?{query}", token=token)
            self.assertEqual(reply.status, 200, query)
            self.assertNotIn("capability", reply.body.decode(), query)

    def test_method_in_a_header(self) -> None:
        """A read stays a read, whatever a header says it is; and a POST stays a POST."""
        there = self.make_resources()
        token = self.token_named("observer")
        override = {"X-HTTP-Method-Override": "GET"}
        execute = there.path("/v1.0/{t}/groups/{g}/policies/{p}/execute")

        self.assertEqual(self.ask("POST", execute, token=token, headers=override).status, 403)
        override = {"X-HTTP-Method-Override": "DELETE"}
        group = there.path("/v1.0/{t}/groups/{g}")
        self.assertEqual(self.ask("GET", group, token=token, headers=override).status, 200)
        self.assertEqual(self.ask("GET", group, token=token).status, 200)
