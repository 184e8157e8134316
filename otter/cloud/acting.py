"""
Act for tenants as the service user itself, which has a role on each of their projects.

One of three ways to come by a token for a tenant; ``impersonation`` and ``application_credentials``
are the others. Whichever it is, no user's own token is ever kept or used, so that a scaling group
outlives the user who created it.

Note [Which refusal it is]
    Keystone answers 401 to a wrong password and to a project on which the user has no role alike.
    The first concerns everybody and passes when the operator puts it right; the second concerns
    one tenant, whose groups show it. So a refused user asks for a token of its own: if it gets
    that, it is the project, unless a second attempt shows that it was neither.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    NotSentError,
)
from otter.cloud.tokens import Identity, Token
from otter.models.ids import TenantId
from otter.timing import utc_now

PROVEN_TIME = timedelta(minutes=1)

_REFUSALS = (AuthenticationError, AccessDeniedError, NotFoundError)


class ActingKind(StrEnum):
    """How we come by a token for a tenant."""

    SERVICE_USER = "service-user"
    IMPERSONATION = "impersonation"
    APPLICATION_CREDENTIAL = "application-credential"


class ServiceUser:
    """
    See ``TokenSource``: our own password, scoped to the tenant's project.

    :param own_scope: the project on which our credentials are proven, None for none.
    """

    def __init__(
        self, identity: Identity, clock: IReactorTime, *, own_scope: TenantId | None = None
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._own_scope = own_scope
        self._proven: datetime | None = None

    async def authenticate(self, tenant_id: TenantId, /) -> Token:
        """See ``TokenSource`` and Note [Which refusal it is]."""
        try:
            return await self._ask(tenant_id)
        except _REFUSALS:
            await self._prove_ourselves()
        try:
            return await self._ask(tenant_id)
        except _REFUSALS as error:
            text = f"identity gives the service user no token for project {tenant_id}"
            raise AccessDeniedError(f"{text}: it has no role there", status=error.status) from None

    async def _ask(self, tenant_id: TenantId) -> Token:
        token = await self._identity.authenticate(tenant_id)
        self._proven = utc_now(self._clock)
        return token

    async def _prove_ourselves(self) -> None:
        """
        Return if our name and password are good.

        :raises AuthenticationError: they are not.
        :raises NotSentError: that cannot be found out.
        """
        now = utc_now(self._clock)
        proven = self._proven
        if proven is not None and timedelta(0) <= now - proven < PROVEN_TIME:
            return
        try:
            _ = await self._identity.authenticate(self._own_scope)
        except (AccessDeniedError, NotFoundError) as error:
            # Whatever this is, it is not about the tenant.
            text = "identity gives the service user no token"
            raise NotSentError(text, status=error.status) from None
        self._proven = now
