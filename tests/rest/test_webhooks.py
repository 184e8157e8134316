"""Rows 14 to 16 of the route table: webhooks and their capabilities."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from twisted.internet.defer import Deferred

from otter.controller.interface import Controller
from otter.models.errors import StoreUnavailableError
from otter.models.ids import CapabilityHash
from tests.rest.wire import Connection, parse_reply, request_bytes
from tests.rest.world import BASE, GROUPS, UNKNOWN, RestCase, local


class WebhookTests(RestCase):
    """rest-api.md 3.12 and 3.13."""

    def setUp(self) -> None:
        """Begin with a policy."""
        super().setUp()
        self.group = self.make_group()
        self.policy = self.make_policy(self.group)
        self.path = f"{self.policy}/webhooks"

    def test_created_webhooks(self) -> None:
        """In request order, with metadata filled in, and two links each."""
        metadata = {"team": "ops", "": "empty key"}
        sent = [{"name": "pager", "metadata": metadata}, {"name": "cli"}]

        reply = self.ask("POST", self.path, sent)

        shown = reply.document["webhooks"]
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers.get_all("Location"), [f"{BASE}{self.path}/"])
        self.assertEqual([one["name"] for one in shown], ["pager", "cli"])
        self.assertEqual([one["metadata"] for one in shown], [metadata, {}])
        for one in shown:
            href = one["links"][0]["href"]
            self.assertEqual(href, f"{BASE}{self.path}/{one['id']}/")
            self.assertEqual(self.ask("GET", local(href)).document, {"webhook": one})

    def test_replacing_keeps_the_capability(self) -> None:
        """The URL may be configured in places nobody remembers."""
        webhook, _ = self.make_webhook(self.policy)
        before = self.ask("GET", webhook).document["webhook"]

        reply = self.ask("PUT", webhook, {"name": "new", "metadata": {"a": "b"}})

        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(
            self.ask("GET", webhook).document["webhook"],
            {**before, "name": "new", "metadata": {"a": "b"}},
        )

    def test_put_needs_metadata(self) -> None:
        """Even if the webhook never had any (rest-api.md 6, item 10)."""
        webhook, _ = self.make_webhook(self.policy)

        reply = self.ask("PUT", webhook, {"name": "new"})

        self.assertEqual(reply.error, "400 ValidationError")
        self.assertEqual(reply.message, "body: metadata is required")

    def test_deleted_webhook(self) -> None:
        """It is gone, and its URL answers 202 and does nothing."""
        webhook, capability = self.make_webhook(self.policy)

        reply = self.ask("DELETE", webhook)

        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(self.ask("DELETE", webhook).error, "404 NoSuchWebhookError")
        self.assertEqual(self.ask("POST", capability, token=None).status, 202)
        self.assertEqual(self.desired(self.group), 0)

    def test_which_404(self) -> None:
        """The table of rest-api.md 3.13."""
        body = [{"name": "w"}]
        put = {"name": "w", "metadata": {}}
        group, policy = "404 NoSuchScalingGroupError", "404 NoSuchPolicyError"
        webhook = "404 NoSuchWebhookError"
        no_group = f"{GROUPS}/{UNKNOWN}/policies/{UNKNOWN}/webhooks"
        no_policy = f"{self.group}/policies/{UNKNOWN}/webhooks"

        self.check_rows(
            {
                "list/group": (group, lambda: self.ask("GET", no_group)),
                "list/policy": (policy, lambda: self.ask("GET", no_policy)),
                "create/group": (group, lambda: self.ask("POST", no_group, body)),
                "create/policy": (policy, lambda: self.ask("POST", no_policy, body)),
                "get/group": (group, lambda: self.ask("GET", f"{no_group}/{UNKNOWN}")),
                "get/policy": (webhook, lambda: self.ask("GET", f"{no_policy}/{UNKNOWN}")),
                "get/webhook": (webhook, lambda: self.ask("GET", f"{self.path}/xyz")),
                "put/group": (group, lambda: self.ask("PUT", f"{no_group}/xyz", put)),
                "put/policy": (webhook, lambda: self.ask("PUT", f"{no_policy}/xyz", put)),
                "put/webhook": (webhook, lambda: self.ask("PUT", f"{self.path}/xyz", put)),
                "delete/group": (group, lambda: self.ask("DELETE", f"{no_group}/xyz")),
                "delete/policy": (webhook, lambda: self.ask("DELETE", f"{no_policy}/xyz")),
                "delete/webhook": (webhook, lambda: self.ask("DELETE", f"{self.path}/xyz")),
                "create/json before group": (
                    "400 InvalidJsonError",
                    lambda: self.ask("POST", no_group, b"\xff"),
                ),
                "put/schema before group": (
                    "400 ValidationError",
                    lambda: self.ask("PUT", f"{no_group}/xyz", {**put, "url": "x"}),
                ),
            }
        )

    def test_too_many(self) -> None:
        """Up to a page it is the tenant's limit that is exceeded, above it the schema's."""
        self.check_rows(
            {
                "422": (
                    "422 WebhooksOverLimitError",
                    lambda: self.ask("POST", self.path, [{"name": "w"}] * 100),
                ),
                "400": (
                    "400 ValidationError",
                    lambda: self.ask("POST", self.path, [{"name": "w"}] * 101),
                ),
            }
        )
        self.assertEqual(
            self.ask("GET", self.path).document, {"webhooks": [], "webhooks_links": []}
        )


class Executor:
    """Stands for a controller of which only the execution of capabilities is wanted."""

    def __init__(self, answer: Callable[[], Awaitable[None]]) -> None:
        self.answer = answer
        self.hits: list[tuple[str, str]] = []

    async def execute_capability(self, version: str, capability: CapabilityHash) -> None:
        """Remember the hit and do as told."""
        self.hits.append((version, capability))
        await self.answer()


class CapabilityTests(RestCase):
    """rest-api.md 3.15."""

    def setUp(self) -> None:
        """Begin with a capability."""
        super().setUp()
        self.group = self.make_group()
        self.policy = self.make_policy(self.group)
        _, self.capability = self.make_webhook(self.policy)

    def test_execution(self) -> None:
        """Three hits of +2 are six servers; the answer is empty and needs no token."""
        replies = [self.ask("POST", self.capability, token=None) for _ in range(3)]

        self.assertEqual([(reply.status, reply.body) for reply in replies], [(202, b"")] * 3)
        self.assertEqual(replies[0].headers["Content-Length"], "0")
        self.assertEqual(self.desired(self.group), 6)

    def test_always_202(self) -> None:
        """The caller learns nothing: not what exists, not what happened, whatever he sends."""
        paused = self.make_group()
        _, capability = self.make_webhook(self.make_policy(paused))
        self.ask("POST", f"{paused}/pause")
        form = {"Content-Type": "multipart/form-data"}
        version_2 = self.capability.replace("/execute/1/", "/execute/2/")

        self.check_rows(
            {
                "foreign token": ("202", lambda: self.ask("POST", self.capability, token="bad")),
                "no slash": ("202", lambda: self.ask("POST", self.capability.rstrip("/"))),
                "broken form": (
                    "202",
                    lambda: self.ask("POST", self.capability, b"--x", headers=form),
                ),
                "paused": ("202", lambda: self.ask("POST", capability)),
                "wrong version": ("202", lambda: self.ask("POST", version_2)),
                "unknown": ("202", lambda: self.ask("POST", f"/v1.0/execute/1/{'0' * 64}/")),
                "no hash at all": ("202", lambda: self.ask("POST", "/v1.0/execute/1/junk")),
                "not UTF-8": ("202", lambda: self.ask("POST", "/v1.0/execute/1/%FF%2F")),
                "NUL": ("202", lambda: self.ask("POST", "/v1.0/execute/1/%00")),
            }
        )
        self.assertEqual((self.desired(self.group), self.desired(paused)), (6, 0))

    def test_other_methods(self) -> None:
        """Looking at a capability does not execute it."""
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
            reply = self.ask(method, self.capability, token=None)
            self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST"), method)

        self.assertEqual(self.desired(self.group), 0)

    def test_store_that_is_away(self) -> None:
        """What cannot be kept is not acknowledged (promise S4)."""

        async def fail() -> None:
            raise StoreUnavailableError("away")

        self.serve(cast("Controller", Executor(fail)))

        reply = self.ask("POST", self.capability, token=None)

        self.assertEqual(reply.error, "503 ServiceUnavailable")
        self.assertEqual(reply.headers["Retry-After"], "5")

    def test_fault_of_ours(self) -> None:
        """It is logged without the hash, and the caller is none the wiser."""

        async def fail() -> None:
            raise ZeroDivisionError

        self.serve(cast("Controller", Executor(fail)))

        self.assertEqual(self.ask("POST", self.capability, token=None).status, 202)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_client_that_hangs_up(self) -> None:
        """The hit was taken, so it is carried out; nobody is left to answer."""
        going = Deferred[None]()
        done: list[Any] = []

        async def slow() -> None:
            await going
            done.append(True)

        executor = Executor(slow)
        self.serve(cast("Controller", executor))
        connection = Connection(self.site)
        connection.send(request_bytes("POST", self.capability))
        connection.hang_up()

        going.callback(None)

        self.assertEqual((done, connection.received()), ([True], b""))
        version, capability = executor.hits[0]
        self.assertEqual((version, len(capability)), ("1", 64))

    def test_answer_waits_for_the_store(self) -> None:
        """202 means kept, so it is not said before."""
        going = Deferred[None]()

        async def slow() -> None:
            await going

        self.serve(cast("Controller", Executor(slow)))
        connection = Connection(self.site)
        connection.send(request_bytes("POST", self.capability))
        early = connection.received()

        going.callback(None)

        self.assertEqual(early, b"")
        self.assertEqual(parse_reply(connection.received(), "POST").status, 202)
