"""Tests of asking the cloud about launch configs: the contract, what is asked, what is kept."""

from datetime import timedelta
from typing import Any

import simplejson
from pyrsistent import freeze
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from otter.cloud.errors import (
    AuthenticationError,
    EndpointMissingError,
    NotSentError,
    ThrottledError,
    TransientError,
)
from otter.cloud.fake_launch import FakeLaunchChecker
from otter.cloud.launch import OpenStackLaunchChecker
from otter.cloud.session import Place
from otter.cloud.tokens import IdentityVersion
from otter.models.group import LaunchType
from otter.models.ids import TenantId
from tests.cloud import wire
from tests.cloud.scene import TENANT, Scene
from tests.cloud.wire import BASE
from tests.contracts import launch as contract
from tests.contracts.launch import IMAGE, a_file, server_args

HEAT = ("orchestration", f"{BASE}/orchestration/v1/{{tenant}}")


class FakeLaunchTests(contract.LaunchContract):
    """The fake keeps every promise, so that tests against it mean something."""

    def setUp(self) -> None:
        """Make a fake."""
        self.checker = self.world = FakeLaunchChecker()


class OpenStackLaunchTests(contract.LaunchContract):
    """Nova alone, with identity v3."""

    version = IdentityVersion.V3
    services: tuple[tuple[str, str], ...] = ()

    def setUp(self) -> None:
        """Wire the checker to a provider in memory."""
        self.scene = Scene(self.version)
        self.scene.wire.identity.offered.extend(self.services)
        self.world = self.scene.wire.launches
        self.forget()

    def forget(self) -> None:
        """Make a new checker."""
        place = Place(self.scene.config.region, self.scene.config.interface)
        self.checker = OpenStackLaunchChecker(
            place, self.scene.http, self.scene.tokens, self.scene.clock, facts_max=3
        )

    def offer_stacks(self, *, offered: bool) -> None:
        """Put Heat into the catalog, or leave it out."""
        if offered:
            self.scene.wire.identity.offered.append(HEAT)

    def asked(self, path: str) -> int:
        """Return how often something was asked for."""
        return sum(path in uri for _, uri, _, _ in self.scene.wire.requests)

    def failing(self, *errors: type[Exception], tenant: str = TENANT) -> Exception:
        """Return the error of a check that cannot be made."""
        work = self.checker.check_launch(TenantId(tenant), LaunchType.SERVER, server_args())
        error = self.failureResultOf(Deferred.fromCoroutine(work), *errors).value
        assert isinstance(error, Exception)
        return error

    def test_what_exists_is_believed_for_a_minute(self) -> None:
        """A script that makes a hundred groups asks once."""
        args = server_args(personality=[a_file()])
        for _ in range(3):
            self.check(args)
        before = [self.asked(path) for path in ("/images/", "/flavors/", "/limits")]
        self.scene.clock.advance(60)
        self.check(args)
        after = [self.asked(path) for path in ("/images/", "/flavors/", "/limits")]

        self.assertEqual(([1, 1, 1], [2, 2, 2]), (before, after))

    def test_what_does_not_exist_is_asked_about_again(self) -> None:
        """Its owner puts it right and tries again at once."""
        self.world.missing[IMAGE] = "no"
        self.world.image_statuses["saving"] = "SAVING"
        first = [self.check(server_args()), self.check(server_args(imageRef="saving"))]
        self.world.missing.clear()
        self.world.image_statuses.clear()
        second = [self.check(server_args()), self.check(server_args(imageRef="saving"))]

        self.assertEqual([1, 1], [len(problems) for problems in first])
        self.assertEqual([(), ()], second)

    def test_what_one_tenant_sees_is_not_believed_for_another(self) -> None:
        """Images can be private."""
        self.check(server_args())
        work = self.checker.check_launch(TenantId("t-2"), LaunchType.SERVER, server_args())
        self.successResultOf(Deferred.fromCoroutine(work))

        self.assertEqual(2, self.asked(f"/images/{IMAGE}"))

    def test_number_of_facts_is_bounded(self) -> None:
        """Tenants can make up as many names as they like."""
        for number in range(5):
            self.check(server_args(imageRef=f"i{number}"))
        self.check(server_args(imageRef="i0"))

        self.assertEqual(2, self.asked("/images/i0"))

    def test_limits_are_asked_for_only_with_files(self) -> None:
        """Most launch configs have none."""
        self.check(server_args())

        self.assertEqual(0, self.asked("/limits"))

    def test_our_token_that_is_refused_is_no_problem_of_the_config(self) -> None:
        """A fresh one is tried; after that, the cloud cannot be asked."""
        self.check(server_args())
        self.forget()
        self.scene.wire.refuse = 1
        self.check(server_args())
        self.forget()
        self.scene.wire.refuse = 10
        error = self.failing(AuthenticationError)

        self.assertNotIn("token-", f"{error!r}")

    def test_identity_that_cannot_be_asked(self) -> None:
        """Neither a problem nor a leave."""
        self.scene.wire.identity.broken = 503

        self.failing(NotSentError)

    def test_suspended_account(self) -> None:
        """Nothing can be asked where there is no service."""
        self.scene.wire.identity.suspended.add(TENANT)

        self.failing(EndpointMissingError)

    def test_throttling_and_odd_answers(self) -> None:
        """Whatever else goes wrong is an error of the cloud."""
        self.world.error = ThrottledError("slow down", status=429)
        self.failing(ThrottledError)
        self.world.error = None
        real = wire._reply
        documents: list[Any] = [None, [], {"image": {"status": 7}}, {"status": {}}]
        for odd in documents:

            def reply(request: Request, status: int, document: object, odd: Any = odd) -> bytes:
                return real(request, status, odd if b"/images/" in request.path else document)

            self.patch(wire, "_reply", reply)

            self.failing(TransientError)

    def test_check_is_bounded_in_time(self) -> None:
        """Three slow services do not add up."""
        hanging: Deferred[object] = Deferred()

        async def authenticate(_tenant_id: TenantId, /) -> object:
            return await hanging

        self.patch(self.scene.source, "authenticate", authenticate)
        work = Deferred.fromCoroutine(
            self.checker.check_launch(TENANT, LaunchType.SERVER, server_args())
        )
        self.scene.clock.advance(timedelta(seconds=60).total_seconds())

        self.failureResultOf(work, TransientError)

    def test_preview_is_sent_as_the_owner_wrote_it(self) -> None:
        """With a name, which Heat insists on and the config has not."""
        self.offer_stacks(offered=True)
        stack = {"template_url": "http://x", "parameters": {"a": [1]}, "timeout_mins": 5}
        self.check(freeze({"stack": stack}), LaunchType.STACK)
        (_, _, _, body) = self.scene.wire.asked("POST", "/stacks/preview")[0]

        self.assertEqual({**stack, "stack_name": "otter-launch-check"}, simplejson.loads(body))

    def test_heat_that_cannot_be_reached_is_an_error(self) -> None:
        """Only an answer counts as an answer."""
        self.scene.wire.identity.offered.append(HEAT)
        self.check_stack()
        self.scene.wire.refuse = 10
        work = Deferred.fromCoroutine(
            self.checker.check_launch(TENANT, LaunchType.STACK, freeze({"stack": {}}))
        )

        self.failureResultOf(work, AuthenticationError)


class GlanceLaunchTests(OpenStackLaunchTests):
    """With an image service in the catalog, and identity v2.0."""

    version = IdentityVersion.V2
    services = (("image", f"{BASE}/image"),)

    def test_image_service_is_asked_where_there_is_one(self) -> None:
        """Nova's proxy is gone from newer versions of it."""
        self.check(server_args())

        self.assertEqual((0, 1), (self.asked("/compute/v2.1/t-1/images"), self.asked("/image/v2")))


class VersionedGlanceLaunchTests(GlanceLaunchTests):
    """With an image service whose endpoint names its version."""

    services = (("image", f"{BASE}/image/v2/"),)
