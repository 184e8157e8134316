"""The OpenStack clients keep the contract of ``Cloud``, against a provider on the wire."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import Cloud, CloudProvider
from otter.cloud.openstack import OpenStackProvider
from otter.cloud.tokens import IdentityVersion
from otter.models.ids import TenantId
from tests.cloud.scene import TENANT, Scene
from tests.contracts import cloud as contract


class OpenStackV3Tests(contract.CloudContract):
    """The clients keep every promise, with identity v3."""

    version = IdentityVersion.V3

    def setUp(self) -> None:
        """Wire the clients to a provider in memory."""
        scene = Scene(self.version)
        self.clock = scene.clock
        self.world = scene.world
        self.cloud = scene.cloud
        self.provider = scene.provider

    def test_provider_keeps_one_cloud_per_tenant(self) -> None:
        """Looking a cloud up is cheap and does no I/O; tenants do not share one."""
        provider: CloudProvider = self.provider
        cloud: Cloud = provider.cloud_for(TENANT)

        self.assertIs(cloud, provider.cloud_for(TENANT))
        self.assertIsNot(cloud, provider.cloud_for(TenantId("other")))


class OpenStackV2Tests(OpenStackV3Tests):
    """The clients keep every promise, with identity v2.0."""

    version = IdentityVersion.V2


class OpenStackProviderTests(SynchronousTestCase):
    """What the provider keeps is bounded."""

    def test_tenants_not_seen_for_longest_are_forgotten(self) -> None:
        """A hundred thousand tenants do not stay in memory for ever."""
        scene = Scene()
        provider = OpenStackProvider(
            scene.config, scene.http, scene.tokens, scene.clock, clouds_max=1
        )
        first = provider.cloud_for(TENANT)
        provider.cloud_for(TenantId("other"))

        self.assertIsNot(first, provider.cloud_for(TENANT))
