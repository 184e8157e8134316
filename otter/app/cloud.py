"""Wire the clients of ``otter.cloud`` together: tokens, clouds, validation, checks, messages."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.acting import ActingKind, ServiceUser
from otter.cloud.application_credentials import (
    ApplicationCredentials,
    CredentialsFile,
    CredentialsFileError,
)
from otter.cloud.errors import CloudError
from otter.cloud.guard import ClientReactor
from otter.cloud.http import HttpClient
from otter.cloud.identity_v3 import IdentityV3
from otter.cloud.impersonation import Impersonation
from otter.cloud.interface import CloudProvider, LaunchChecker, Messenger, TokenValidator
from otter.cloud.launch import OpenStackLaunchChecker
from otter.cloud.messenger import SignedMessenger
from otter.cloud.openstack import OpenStackProvider, make_identity
from otter.cloud.session import Place
from otter.cloud.tokens import (
    Identity,
    IdentityConfig,
    IdentityVersion,
    TokenCache,
    TokenSource,
)
from otter.cloud.transport import customer_requests, provider_requests
from otter.cloud.validator import CachingValidator
from otter.config import Config, ConfigError, IdentitySettings
from otter.metrics import Metrics
from otter.models.ids import TenantId
from otter.rest.health import Health


@frozen
class CloudAccess:
    """Everything that speaks to the outside."""

    provider: CloudProvider
    validator: TokenValidator
    checker: LaunchChecker
    messenger: Messenger
    identity_health: Callable[[], Awaitable[Health]]


def make_cloud_access(
    config: Config, reactor: ClientReactor, secret: str, metrics: Metrics
) -> CloudAccess:
    """
    Return the clients for this configuration.

    :param secret: the deployment's, which signs messages to customers.
    :raises ConfigError: the file of application credentials cannot be used.
    """
    identity_config = make_identity_config(config.identity)
    own_project = identity_config.project
    http = HttpClient(
        provider_requests(reactor),
        reactor,
        timeout=config.cloud.timeout,
        metrics=metrics,
        service="identity",
    )
    identity = make_identity(identity_config, http, reactor)
    own: TokenCache[TenantId | None] = TokenCache(identity, reactor, size_max=1)
    acting = make_acting(config.identity, identity_config, http, identity, own, reactor)
    tokens: TokenCache[TenantId] = TokenCache(acting, reactor, size_max=config.cloud.tokens)
    customers = HttpClient(
        customer_requests(reactor, allow_private=config.notify.allow_private),
        reactor,
        timeout=config.notify.timeout,
        body_limit_bytes=65_536,
        metrics=metrics,
        service="customer",
    )

    async def identity_health() -> Health:
        try:
            await own.token_for(own_project)
        except CloudError as error:
            return Health(False, {"error": type(error).__name__})
        return Health(True)

    return CloudAccess(
        OpenStackProvider(identity_config, http, tokens, reactor),
        CachingValidator(
            identity,
            own,
            reactor,
            own_scope=own_project,
            staleness_max=config.api.token_staleness,
            refusal_time=config.api.token_refusal,
        ),
        OpenStackLaunchChecker(
            Place(identity_config.region, identity_config.interface),
            http,
            tokens,
            reactor,
            believed=config.cloud.launch_staleness,
            timeout=config.cloud.timeout,
        ),
        SignedMessenger(customers, secret, reactor),
        identity_health,
    )


def make_identity_config(settings: IdentitySettings) -> IdentityConfig:
    """Return what the clients of identity need to know of the configuration."""
    return IdentityConfig(
        settings.auth_url,
        IdentityVersion(settings.version),
        settings.user_name,
        settings.password,
        settings.user_domain,
        settings.region,
        settings.interface,
        TenantId(settings.project) if settings.project else None,
    )


def make_acting(
    settings: IdentitySettings,
    config: IdentityConfig,
    http: HttpClient,
    identity: Identity,
    own: TokenCache[TenantId | None],
    clock: IReactorTime,
) -> TokenSource[TenantId]:
    """
    Return where tokens for tenants come from, as ``identity.acting`` chooses.

    :raises ConfigError: the file of application credentials cannot be used.
    """
    match ActingKind(settings.acting):
        case ActingKind.SERVICE_USER:
            return ServiceUser(identity, clock, own_scope=config.project)
        case ActingKind.IMPERSONATION:
            return Impersonation(
                config,
                http,
                own,
                clock,
                user_template=settings.impersonated_user,
                life=settings.impersonation_life,
            )
        case ActingKind.APPLICATION_CREDENTIAL:
            file = CredentialsFile(Path(settings.application_credentials_file), clock)
            try:
                file.load()
            except CredentialsFileError as error:
                raise ConfigError("identity.application_credentials_file", str(error)) from None
            return ApplicationCredentials(IdentityV3(config, http, clock), file)
