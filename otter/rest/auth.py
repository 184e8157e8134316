"""
Decide who may do what: token, then tenant, then role (rest-api.md 1.7 and 1.8).

The right a request needs follows from its method and path alone, so that callers are judged before
anybody looks whether the path leads anywhere.
"""

from collections.abc import Sequence
from enum import Enum, auto

from attrs import frozen

from otter.cloud.errors import AuthenticationError, CloudError
from otter.cloud.interface import Caller, TokenValidator
from otter.rest.errors import ForbiddenError, InvalidCredentialsError, UnavailableError

ANYBODY = "user anonymous"
"""Who acts when nobody is asked for a token."""

_SECRETS = ("webhooks", "notify-secret")
"""Parts of a path behind which lie secrets that reading alone does not entitle to."""


class Right(Enum):
    """What a request needs."""

    READ = auto()
    FULL = auto()


@frozen
class RoleNames:
    """
    Which of identity's roles mean what; when several apply the most permissive wins.

    :ivar full: may do everything on the tenant of the token.
    :ivar read: may look at everything but secrets.
    :ivar cross_tenant: may do everything on every tenant.
    """

    full: frozenset[str] = frozenset({"admin", "identity:user-admin", "autoscale:admin"})
    read: frozenset[str] = frozenset({"observer", "autoscale:observer"})
    cross_tenant: frozenset[str] = frozenset({"cloud_admin"})


def right_for(method: str, segments: Sequence[str], *, webhooks: bool) -> Right:
    """
    Return the right a request needs.

    :param segments: the path below the tenant.
    :param webhooks: the query asks a manifest for its webhooks.
    """
    reading = method in {"GET", "HEAD"} and not any(part in _SECRETS for part in segments)
    manifest = len(segments) == 2 and segments[0] == "groups"
    return Right.READ if reading and not (manifest and webhooks) else Right.FULL


def check_right(caller: Caller, tenant: str, right: Right, roles: RoleNames) -> None:
    """
    Judge a caller whose token is good.

    :raises ForbiddenError: the tenant is not the caller's, or the roles do not suffice.
    """
    if caller.roles & roles.cross_tenant:
        return
    granting = roles.full if right is Right.FULL else roles.full | roles.read
    if caller.tenant_id != tenant or not caller.roles & granting:
        raise ForbiddenError("the token gives no right to do this on this tenant")


@frozen
class Gate:
    """
    Lets requests in.

    :ivar validator: knows tokens; None lets everybody do everything.
    """

    validator: TokenValidator | None
    roles: RoleNames

    async def admit(self, token: bytes | None, tenant: str, right: Right) -> str:
        """
        Return who acts, as the history names them.

        :raises InvalidCredentialsError: no token, or a bad one.
        :raises ForbiddenError: a good token without the right.
        :raises UnavailableError: identity cannot be asked now.
        """
        if self.validator is None:
            return ANYBODY
        caller = await _identify(self.validator, token)
        check_right(caller, tenant, right, self.roles)
        return f"user {caller.user_name}"


async def _identify(validator: TokenValidator, token: bytes | None) -> Caller:
    text = (token or b"").decode("ascii", "replace").strip()
    if not text or not text.isprintable() or not text.isascii():
        raise InvalidCredentialsError("X-Auth-Token is missing or malformed")
    try:
        return await validator.validate(text)
    except AuthenticationError as error:
        raise InvalidCredentialsError("the token is not valid") from error
    except CloudError as error:
        raise UnavailableError("identity cannot be asked") from error
