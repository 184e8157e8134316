"""Tests of the clients against minicloud, which nobody wrote with them in mind."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from minicloud.testing import ROOT, InMemoryCloud, make_minicloud
from otter.app import cloud as composition
from otter.app.cloud import CloudAccess, make_cloud_access
from otter.cloud.errors import AccessDeniedError, CloudError
from otter.config import parse
from otter.metrics import Metrics
from otter.models.group import LaunchType
from otter.models.ids import TenantId
from tests.contracts.cloud import a_request
from tests.contracts.launch import a_file, server_args
from tests.minicloud.client import CloudClient


class MinicloudCase(SynchronousTestCase):
    """A cloud in memory, and the clients that a configuration makes."""

    def setUp(self) -> None:
        """Put the cloud where the network would be."""
        self.reactor: Any = MemoryReactorClock()
        self.cloud: InMemoryCloud = make_minicloud(self.reactor)
        self.patch(composition, "provider_requests", lambda _reactor: self.cloud.client())
        self.tenant_id = TenantId(self.cloud.project_id("demo"))

    def access(self, **identity: str) -> CloudAccess:
        """Return the clients for a configuration."""
        known = self.cloud.credentials["service_user"]
        who = {"user_name": known["name"], "password": known["password"]}
        service = {"project": self.cloud.project_id("service")}
        document = {"identity": {"auth_url": f"{ROOT}/identity", **who, **service, **identity}}
        return make_cloud_access(parse(document), self.reactor, "secret", Metrics())

    def ways(self) -> list[CloudAccess]:
        """Return the clients of every way to act for the tenant."""
        path = Path(self.mktemp() + ".json")
        wish = {"application_credential": {"name": "otter"}}
        client = CloudClient(self.cloud)
        user_id = client.call("GET", f"/identity/v2.0/tokens/{client.token}").json["access"]["user"]
        made = client.call(
            "POST", f"/identity/v3/users/{user_id['id']}/application_credentials", wish
        ).json["application_credential"]
        entry = {"id": made["id"], "secret": made["secret"]}
        path.write_text(json.dumps({self.tenant_id: entry}), encoding="utf-8")
        return [
            self.access(version="v3"),
            self.access(version="v2.0"),
            self.access(version="v2.0", acting="impersonation"),
            self.access(acting="application-credential", application_credentials_file=str(path)),
        ]


class ActingTests(MinicloudCase):
    """Every way to act for a tenant."""

    def test_servers_are_created_and_seen(self) -> None:
        """The token of each way does what a group needs."""
        image = self.cloud.credentials["images"][0]["id"]
        for number, access in enumerate(self.ways()):
            cloud = access.provider.cloud_for(self.tenant_id)
            request = a_request(f"web-{number}", imageRef=image)
            made = self.successResultOf(Deferred.fromCoroutine(cloud.create_server(request)))
            listed = self.successResultOf(Deferred.fromCoroutine(cloud.list_servers()))

            self.assertEqual(number + 1, len(listed))
            self.assertIn(made.server_id, [server.server_id for server in listed])

    def test_unknown_tenant_is_denied(self) -> None:
        """With a reason to show, whichever way; never as trouble of the cloud."""
        for access in self.ways():
            listing = access.provider.cloud_for(TenantId("unknown")).list_servers()
            error = self.failureResultOf(Deferred.fromCoroutine(listing), AccessDeniedError).value

            assert isinstance(error, CloudError)
            self.assertIn("unknown", error.message)

    def test_callers_are_known(self) -> None:
        """Whose token it is, whichever version."""
        token = self.cloud.token("observer")
        for access in self.ways():
            caller = self.successResultOf(Deferred.fromCoroutine(access.validator.validate(token)))

            self.assertEqual(
                ("observer", self.tenant_id, frozenset({"observer"})),
                (caller.user_name, caller.tenant_id, caller.roles),
            )


class LaunchTests(MinicloudCase):
    """What the cloud says of launch configs."""

    def check(self, args: Any, kind: LaunchType = LaunchType.SERVER) -> tuple[str, ...]:
        """Return the problems."""
        work = self.access().checker.check_launch(self.tenant_id, kind, args)
        return self.successResultOf(Deferred.fromCoroutine(work))

    def test_good_config(self) -> None:
        """Image and flavor of the cloud, a file within its limits."""
        image = self.cloud.credentials["images"][0]["id"]
        flavor = self.cloud.credentials["flavors"][0]["id"]
        args = server_args(imageRef=image, flavorRef=flavor, personality=[a_file()])

        self.assertEqual((), self.check(args))

    def test_bad_config(self) -> None:
        """Every problem that suites provoke, at once."""
        files = [a_file("not base64", "/1"), a_file(b"x" * 100_000, "/2"), *[a_file()] * 20]
        args = server_args(imageRef="INVALID-IMAGE", flavorRef="8888", personality=files)
        problems = self.check(args)

        self.assertEqual(5, len(problems), problems)

    def test_stack(self) -> None:
        """This cloud has none."""
        (problem,) = self.check(server_args(), LaunchType.STACK)

        self.assertIn("orchestration", problem)
