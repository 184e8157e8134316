"""The real clients in front of the provider on the wire, for tests."""

from collections.abc import Callable
from typing import Any

from treq.testing import StubTreq
from twisted.internet.task import Clock

from otter.cloud.acting import ServiceUser
from otter.cloud.fake import FakeCloud
from otter.cloud.http import HttpClient
from otter.cloud.openstack import OpenStackProvider, make_identity
from otter.cloud.tokens import IdentityConfig, IdentityVersion, TokenCache, TokenSource
from otter.cloud.validator import CachingValidator
from otter.models.ids import TenantId
from tests.cloud.wire import BASE, Wire
from tests.cloud.wire_identity import PASSWORD, REGION, USER

TENANT = TenantId("t-1")


def a_config(version: IdentityVersion = IdentityVersion.V3, **changes: Any) -> IdentityConfig:
    """Return the configuration that fits the wire."""
    fields: dict[str, Any] = {
        "auth_url": f"{BASE}/identity/v3/",
        "version": version,
        "user_name": USER,
        "password": PASSWORD,
        "region": REGION,
        "project": TenantId("service"),
    }
    return IdentityConfig(**{**fields, **changes})


def as_service_user(scene: "Scene") -> ServiceUser:
    """Return the strategy that needs nothing else."""
    return ServiceUser(scene.identity, scene.clock, own_scope=scene.config.project)


class Scene:
    """Everything wired as it is in earnest, save the network."""

    def __init__(
        self,
        version: IdentityVersion = IdentityVersion.V3,
        *,
        page_size: int = 2,
        acting: Callable[["Scene"], TokenSource[TenantId]] | None = None,
        **changes: Any,
    ) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock)
        config = self.config = a_config(version, **changes)
        requests: Any = StubTreq(self.wire.resource())
        self.http = HttpClient(requests, self.clock)
        self.identity = make_identity(config, self.http, self.clock)
        self.own: TokenCache[TenantId | None] = TokenCache(self.identity, self.clock)
        self.source = (acting or as_service_user)(self)
        self.tokens: TokenCache[TenantId] = TokenCache(self.source, self.clock)
        self.provider = OpenStackProvider(
            config, self.http, self.tokens, self.clock, page_size=page_size
        )
        self.validator = CachingValidator(
            self.identity, self.own, self.clock, own_scope=config.project, size_max=3, refused_max=2
        )
        self.cloud = self.provider.cloud_for(TENANT)

    @property
    def world(self) -> FakeCloud:
        """The fake behind the wire."""
        return self.wire.provider.cloud_for(TENANT)
