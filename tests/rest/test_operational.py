"""Rows 17 and 18 of the route table, our own additions, and the error catalogue."""

from xml.etree import ElementTree as ET

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.controller import errors as refused
from otter.rest import errors
from otter.rest.detaching import detached
from otter.rest.errors import CATALOGUE, wire_error
from otter.rest.health import Health
from tests.rest.wire import Connection, parse_reply, request_bytes
from tests.rest.world import GROUPS, TENANT, RestCase

LIMITS = f"/v1.0/{TENANT}/limits"


class LimitsTests(RestCase):
    """rest-api.md 3.17."""

    def test_json(self) -> None:
        """Absolute limits as configured, and rate limits with the expressions clients look for."""
        limits = self.ask("GET", LIMITS).document["limits"]

        self.assertEqual(
            limits["absolute"],
            {"maxGroups": 3, "maxPoliciesPerGroup": 5, "maxWebhooksPerPolicy": 3},
        )
        self.assertEqual(
            [(rate["uri"], rate["regex"]) for rate in limits["rate"]],
            [
                ("/v1.0/tenantId/*", r"/v1\.0/([A-Za-z0-9:]+)/.+"),
                ("/v1.0/execute/*", r"/v1\.0/execute/(.*)"),
            ],
        )
        self.assertEqual(
            limits["rate"][0]["limit"],
            [
                {
                    "verb": "ALL",
                    "unit": "MINUTE",
                    "value": 1000,
                    "remaining": 999,
                    "next-available": "2031-03-01T08:00:00.000Z",
                }
            ],
        )

    def test_xml(self) -> None:
        """For whoever mentions xml in Accept, absolute limits only."""
        reply = self.ask("GET", LIMITS, headers={"Accept": "text/html, application/xml;q=0.9"})

        root = ET.fromstring(reply.body)
        name = "{http://docs.openstack.org/common/api/v1.0}"
        self.assertEqual(reply.headers["Content-Type"], "application/xml")
        self.assertEqual((root.tag, root[0].tag), (f"{name}limits", f"{name}absolute"))
        self.assertEqual(
            [(one.tag, one.get("name"), one.get("value")) for one in root[0]],
            [
                (f"{name}limit", "maxGroups", "3"),
                (f"{name}limit", "maxPoliciesPerGroup", "5"),
                (f"{name}limit", "maxWebhooksPerPolicy", "3"),
            ],
        )

    def test_xml_is_for_limits_only(self) -> None:
        """Elsewhere Accept is ignored."""
        reply = self.ask("GET", GROUPS, headers={"Accept": "application/xml"})

        self.assertEqual(reply.headers["Content-Type"], "application/json")


class HealthTests(RestCase):
    """rest-api.md 3.17."""

    def test_without_components(self) -> None:
        """The process answers, which is all there is to say; its id is a fixed one."""
        reply = self.ask("GET", "/health", token=None)

        self.assertEqual((reply.status, reply.document), (200, {"healthy": True}))
        self.assertEqual(reply.headers["X-Response-Id"], "health_check")
        self.assertEqual(self.ask("GET", "/", token=None).body, b"")

    def test_components(self) -> None:
        """One that is not well makes the whole unhealthy, still with 200."""

        async def well() -> Health:
            return Health(healthy=True, details={"lag": 3})

        async def unwell() -> Health:
            return Health(healthy=False)

        self.health.update(store=well, bus=unwell)

        self.assertEqual(
            self.ask("GET", "/health").document,
            {
                "healthy": False,
                "store": {"healthy": True, "details": {"lag": 3}},
                "bus": {"healthy": False, "details": {}},
            },
        )

    def test_component_that_breaks(self) -> None:
        """The kind of error is told, not its text, which may hold addresses."""

        async def broken() -> Health:
            raise ZeroDivisionError("secret")

        self.health["store"] = broken

        document = self.ask("GET", "/health").document

        self.assertEqual(
            document["store"], {"healthy": False, "details": {"error": "ZeroDivisionError"}}
        )
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_component_that_does_not_answer(self) -> None:
        """It is given a bounded time, all components the same one."""

        async def silent() -> Health:
            return await Deferred[Health]()

        self.health.update(store=silent, bus=silent)
        connection = Connection(self.site)
        connection.send(request_bytes("GET", "/health"))
        early = connection.received()

        self.clock.advance(5)

        document = parse_reply(connection.received(), "GET").document
        late = {"healthy": False, "details": {"error": "no answer in time"}}
        self.assertEqual(early, b"")
        self.assertEqual(document, {"healthy": False, "store": late, "bus": late})


class ActivityTests(RestCase):
    """The history of a group."""

    def test_newest_first_in_pages(self) -> None:
        """The marker is the last one seen; every page but the last has a next."""
        group = self.make_group()
        for seconds in range(1, 4):
            self.clock.advance(seconds)
            self.ask("POST", f"{group}/pause")
            self.ask("POST", f"{group}/resume")
        whole = self.ask("GET", f"{group}/activities").document["activities"]

        seen, path = [], f"{group}/activities?limit=3"
        while path:
            page = self.ask("GET", path).document
            seen += page["activities"]
            links = page["activities_links"]
            path = links[0]["href"].removeprefix(self.config.base_url) if links else ""

        self.assertEqual(seen, whole)
        self.assertEqual(len(whole), 7)
        self.assertEqual(
            [one["id"] for one in whole], sorted((o["id"] for o in whole), reverse=True)
        )
        self.assertEqual(whole[-1]["kind"], "group.created")
        self.assertEqual(whole[-1]["timestamp"], "2031-03-01T08:00:00.000Z")

    def test_notify_secret(self) -> None:
        """It is the group's own, and the same each time."""
        one, two = self.make_group(), self.make_group()
        secrets = [self.ask("GET", f"{g}/notify-secret").document for g in (one, one, two)]

        self.assertEqual(secrets[0], secrets[1])
        self.assertNotEqual(secrets[0], secrets[2])


class CatalogueTests(SynchronousTestCase):
    """rest-api.md 1.6."""

    def test_catalogue(self) -> None:
        """The whole table, status by status."""
        self.assertEqual(
            sorted({(wire.status, wire.type) for wire in CATALOGUE.values()}),
            [
                (400, "BadRequest"),
                (400, "InvalidJsonError"),
                (400, "InvalidLaunchConfiguration"),
                (400, "InvalidMinEntities"),
                (400, "InvalidQueryArgument"),
                (400, "ValidationError"),
                (401, "InvalidCredentials"),
                (403, "CannotDeleteServerBelowMinError"),
                (403, "CannotExecutePolicyError"),
                (403, "Forbidden"),
                (403, "GroupNotEmptyError"),
                (403, "GroupPausedError"),
                (403, "TenantSuspendedError"),
                (404, "NoSuchPolicyError"),
                (404, "NoSuchScalingGroupError"),
                (404, "NoSuchWebhookError"),
                (404, "NotFound"),
                (404, "ServerNotFoundError"),
                (405, "InvalidMethod"),
                (408, "RequestTimeout"),
                (413, "RateLimitError"),
                (413, "RequestEntityTooLarge"),
                (414, "RequestUriTooLong"),
                (422, "PoliciesOverLimitError"),
                (422, "ScalingGroupOverLimitError"),
                (422, "WebhooksOverLimitError"),
                (431, "RequestHeaderFieldsTooLarge"),
                (501, "NotImplementedError"),
                (503, "ServiceUnavailable"),
            ],
        )

    def test_every_refusal_is_in_it(self) -> None:
        """A refusal the controller learns must not come out as a fault of ours."""
        kinds = [*refused.RefusedError.__subclasses__(), *errors.ApiError.__subclasses__()]

        self.assertGreater(len(kinds), 15)
        self.assertEqual([kind for kind in kinds if kind not in CATALOGUE], [])

    def test_subclasses_look_like_their_base(self) -> None:
        """And what nobody knows is a fault of ours."""

        class NarrowerError(refused.GroupPausedError):
            pass

        self.assertEqual(wire_error(NarrowerError()).type, "GroupPausedError")
        self.assertEqual(wire_error(ZeroDivisionError()).status, 500)


class DetachedTests(SynchronousTestCase):
    """Work that nobody can cancel by not waiting for it."""

    def test_result_and_failure_pass(self) -> None:
        """As long as somebody waits."""
        good, bad = Deferred[int](), Deferred[int]()
        first, second = detached(good), detached(bad)

        good.callback(1)
        bad.errback(ZeroDivisionError())

        self.assertEqual(self.successResultOf(first), 1)
        self.failureResultOf(second, ZeroDivisionError)

    def test_cancelling_leaves_the_work_alone(self) -> None:
        """It goes on, and its late result or failure disturbs nobody."""
        good, bad = Deferred[int](), Deferred[int]()
        for work in (good, bad):
            waiting = detached(work)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            self.assertNoResult(work)

        good.callback(1)
        bad.errback(ZeroDivisionError())

        self.assertIsNone(self.successResultOf(good))
        self.assertIsNone(self.successResultOf(bad))
