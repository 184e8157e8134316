"""Launch configs are checked against the cloud (rest-api.md 1.7 and 4.6)."""

from pyrsistent import PMap

from otter.cloud.errors import AccessDeniedError, NotSentError, ThrottledError, TransientError
from otter.models.group import LaunchType
from otter.models.ids import TenantId
from otter.rest.app import make_site
from tests.rest.tables import cloud
from tests.rest.world import (
    GROUPS,
    TENANT,
    UNKNOWN,
    RestCase,
    a_config,
    a_group,
    a_launch,
    a_server,
)


class Checker:
    """Says what it is told to say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.problems: tuple[str, ...] = ()
        self.error: Exception | None = None
        self.asked: list[tuple[TenantId, LaunchType, PMap[str, object]]] = []

    async def check_launch(
        self, tenant_id: TenantId, kind: LaunchType, args: PMap[str, object]
    ) -> tuple[str, ...]:
        """Return the problems."""
        self.asked.append((tenant_id, kind, args))
        if self.error is not None:
            raise self.error
        return self.problems


class LaunchCheckTests(RestCase):
    """POST of a group and PUT of a launch config."""

    def setUp(self) -> None:
        """Put a checker behind the API."""
        super().setUp()
        self.checker = Checker()
        self.site = make_site(
            self.config, self.controller, self.tokens, {}, self.clock, checker=self.checker
        )

    def test_good_config(self) -> None:
        """The cloud is asked for the tenant of the path, with the config as sent."""
        group = self.make_group()
        stack = {"type": "launch_stack", "args": {"stack": {"template": "t"}}}

        self.assertEqual(self.ask("PUT", f"{group}/launch", stack).error, "204")
        self.assertEqual(
            [(tenant, kind.value) for tenant, kind, _ in self.checker.asked],
            [(TENANT, "launch_server"), (TENANT, "launch_stack")],
        )
        self.assertEqual(self.checker.asked[1][2]["stack"]["template"], "t")  # type: ignore[index]

    def test_bad_config(self) -> None:
        """All problems are told, one line each, and nothing is stored."""
        group = self.make_group()
        self.checker.problems = ("image x is unknown", "flavor y is unknown")
        changed = a_launch(a_server(name="changed"))
        replies = [
            self.ask("POST", GROUPS, a_group()),
            self.ask("PUT", f"{group}/launch", changed),
        ]

        for reply in replies:
            self.assertEqual(reply.error, "400 InvalidLaunchConfiguration")
            self.assertEqual(reply.message, "image x is unknown\nflavor y is unknown")
        self.assertEqual(len(self.ask("GET", GROUPS).document["groups"]), 1)
        shown = self.ask("GET", f"{group}/launch").document["launchConfiguration"]
        self.assertEqual(shown, a_launch())

    def test_cloud_that_cannot_be_asked(self) -> None:
        """503 and when to come again: an unchecked config is not let through."""
        for error in (
            NotSentError("secret host"),
            TransientError("secret"),
            ThrottledError("secret", status=429),
            AccessDeniedError("secret", status=403),
        ):
            self.checker.error = error
            reply = self.ask("POST", GROUPS, a_group())

            self.assertEqual(reply.error, "503 ServiceUnavailable")
            self.assertEqual(reply.headers["Retry-After"], "5")
            self.assertNotIn(b"secret", reply.body)

    def test_fault_of_the_checker(self) -> None:
        """It is ours, not the caller's."""
        self.checker.error = ZeroDivisionError()

        self.assertEqual(self.ask("POST", GROUPS, a_group()).error, "500 InternalError")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_order_of_checks(self) -> None:
        """After everything the body alone can show, before the group limit and the group."""
        for _ in range(self.limits.max_groups):
            self.make_group()
        self.checker.asked.clear()
        self.checker.problems = ("no",)
        networks = a_launch(a_server(networks=[]), loadBalancers=[cloud()])
        crossed = a_config(minEntities=9, maxEntities=1)
        nowhere = f"{GROUPS}/{UNKNOWN}/launch"
        refused = "400 InvalidLaunchConfiguration"
        before = {
            "POST json": ("400 InvalidJsonError", lambda: self.ask("POST", GROUPS, b"{")),
            "POST schema": ("400 ValidationError", lambda: self.ask("POST", GROUPS, {})),
            "POST min/max": (
                "400 InvalidMinEntities",
                lambda: self.ask("POST", GROUPS, a_group(groupConfiguration=crossed)),
            ),
            "POST ServiceNet": (
                "400 ValidationError",
                lambda: self.ask("POST", GROUPS, a_group(launchConfiguration=networks)),
            ),
            "PUT ServiceNet": ("400 ValidationError", lambda: self.ask("PUT", nowhere, networks)),
        }
        self.check_rows(before)
        self.assertEqual(self.checker.asked, [])

        self.check_rows(
            {
                "POST launch": (refused, lambda: self.ask("POST", GROUPS, a_group())),
                "PUT launch": (refused, lambda: self.ask("PUT", nowhere, a_launch())),
            }
        )
        self.checker.problems = ()
        self.check_rows(
            {
                "POST limit": (
                    "422 ScalingGroupOverLimitError",
                    lambda: self.ask("POST", GROUPS, a_group()),
                ),
                "PUT group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("PUT", nowhere, a_launch()),
                ),
            }
        )
