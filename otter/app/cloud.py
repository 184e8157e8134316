"""Wire the clients of ``otter.cloud`` together: tokens, clouds, validation, messages."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from otter.cloud.errors import CloudError
from otter.cloud.guard import ClientReactor
from otter.cloud.http import HttpClient
from otter.cloud.interface import CloudProvider, Messenger, TokenValidator
from otter.cloud.messenger import SignedMessenger
from otter.cloud.openstack import OpenStackProvider, make_identity
from otter.cloud.tokens import IdentityConfig, IdentityVersion, TokenCache
from otter.cloud.transport import customer_requests, provider_requests
from otter.cloud.validator import CachingValidator
from otter.config import Config
from otter.models.ids import TenantId
from otter.rest.health import Health


@frozen
class CloudAccess:
    """Everything that speaks to the outside."""

    provider: CloudProvider
    validator: TokenValidator
    messenger: Messenger
    identity_health: Callable[[], Awaitable[Health]]


def make_cloud_access(config: Config, reactor: ClientReactor, secret: str) -> CloudAccess:
    """
    Return the clients for this configuration.

    :param secret: the deployment's, which signs messages to customers.
    """
    settings = config.identity
    own_project = TenantId(settings.project) if settings.project else None
    identity_config = IdentityConfig(
        settings.auth_url,
        IdentityVersion(settings.version),
        settings.user_name,
        settings.password,
        settings.user_domain,
        settings.region,
        settings.interface,
        own_project,
    )
    http = HttpClient(provider_requests(reactor), reactor, timeout=config.cloud.timeout)
    identity = make_identity(identity_config, http, reactor)
    tokens = TokenCache(identity, reactor, size_max=config.cloud.tokens)
    customers = HttpClient(
        customer_requests(reactor, allow_private=config.notify.allow_private),
        reactor,
        timeout=config.notify.timeout,
        body_limit_bytes=65_536,
    )

    async def identity_health() -> Health:
        try:
            await tokens.token_for(own_project)
        except CloudError as error:
            return Health(False, {"error": type(error).__name__})
        return Health(True)

    return CloudAccess(
        OpenStackProvider(identity_config, http, tokens, reactor),
        CachingValidator(
            identity,
            tokens,
            reactor,
            own_scope=own_project,
            staleness_max=config.api.token_staleness,
        ),
        SignedMessenger(customers, secret, reactor),
        identity_health,
    )
