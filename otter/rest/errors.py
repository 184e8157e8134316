"""
What the API itself refuses, and the one table that says how each refusal looks on the wire.

The table follows rest-api.md 1.6; an exception that is not in it is a fault of ours (500).
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from attrs import frozen

from otter.controller import errors as refused
from otter.models.errors import ConflictError, StoreUnavailableError


class ApiError(Exception):
    """A request the API answers without asking the controller; the text is for the caller."""


class InvalidJsonError(ApiError):
    """The body is missing or is not JSON; the wire has no text for it."""


class InvalidQueryArgumentError(ApiError):
    """``limit``, ``force``, ``replace`` or ``purge`` has a value that means nothing."""


class InvalidCredentialsError(ApiError):
    """No token, or one that identity does not accept."""


class ForbiddenError(ApiError):
    """A good token without the right to do this here."""


class NoSuchRouteError(ApiError):
    """No resource can have this path."""


class InvalidMethodError(ApiError):
    """
    The resource does not know the method.

    :param allowed: the methods it knows.
    """

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"allowed here: {', '.join(allowed)}")
        self.allowed = allowed


class NotOfferedError(ApiError):
    """A part of the API that never was: listing servers (rest-api.md 3.16)."""


class BodyTooLargeError(ApiError):
    """The body is larger than this installation takes."""


class UriTooLongError(ApiError):
    """Path and query are longer than this installation takes."""


class HeadersTooLargeError(ApiError):
    """The headers are more, or larger, than this installation takes."""


class MalformedRequestError(ApiError):
    """What was sent is not HTTP."""


class RequestTimeoutError(ApiError):
    """The rest of a request did not arrive in time."""


class RateLimitError(ApiError):
    """
    One call too many.

    :ivar retry_after: when the next one fits.
    """

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ApiError):
    """Somebody we depend on does not answer now; trying again later helps."""


@frozen
class WireError:
    """
    How a refusal looks on the wire.

    :ivar text: what is said instead of the exception's own text, or None.
    """

    status: int
    type: str
    text: str | None = None


_UNAVAILABLE = WireError(503, "ServiceUnavailable", "the service is not available now")

INTERNAL = WireError(500, "InternalError", "something went wrong on our side")

CATALOGUE: Mapping[type[Exception], WireError] = MappingProxyType(
    {
        InvalidJsonError: WireError(400, "InvalidJsonError", ""),
        refused.ValidationError: WireError(400, "ValidationError"),
        refused.InvalidMinEntities: WireError(400, "InvalidMinEntities"),
        refused.InvalidLaunchConfiguration: WireError(400, "InvalidLaunchConfiguration"),
        InvalidQueryArgumentError: WireError(400, "InvalidQueryArgument"),
        MalformedRequestError: WireError(400, "BadRequest"),
        InvalidCredentialsError: WireError(401, "InvalidCredentials"),
        ForbiddenError: WireError(403, "Forbidden"),
        refused.GroupNotEmptyError: WireError(403, "GroupNotEmptyError"),
        refused.GroupPausedError: WireError(403, "GroupPausedError"),
        refused.CannotExecutePolicyError: WireError(403, "CannotExecutePolicyError"),
        refused.CannotDeleteServerBelowMinError: WireError(403, "CannotDeleteServerBelowMinError"),
        refused.TenantSuspendedError: WireError(403, "TenantSuspendedError"),
        refused.NoSuchScalingGroupError: WireError(404, "NoSuchScalingGroupError"),
        refused.NoSuchPolicyError: WireError(404, "NoSuchPolicyError"),
        refused.NoSuchWebhookError: WireError(404, "NoSuchWebhookError"),
        refused.ServerNotFoundError: WireError(404, "ServerNotFoundError"),
        NoSuchRouteError: WireError(404, "NotFound"),
        InvalidMethodError: WireError(405, "InvalidMethod"),
        RequestTimeoutError: WireError(408, "RequestTimeout"),
        BodyTooLargeError: WireError(413, "RequestEntityTooLarge"),
        RateLimitError: WireError(413, "RateLimitError"),
        UriTooLongError: WireError(414, "RequestUriTooLong"),
        refused.ScalingGroupOverLimitError: WireError(422, "ScalingGroupOverLimitError"),
        refused.PoliciesOverLimitError: WireError(422, "PoliciesOverLimitError"),
        refused.WebhooksOverLimitError: WireError(422, "WebhooksOverLimitError"),
        HeadersTooLargeError: WireError(431, "RequestHeaderFieldsTooLarge"),
        NotOfferedError: WireError(501, "NotImplementedError", ""),
        UnavailableError: _UNAVAILABLE,
        StoreUnavailableError: _UNAVAILABLE,
        ConflictError: _UNAVAILABLE,
    }
)


def wire_error(error: Exception) -> WireError:
    """Return how ``error``, or the nearest of its base classes, looks on the wire."""
    for kind in type(error).__mro__:
        if kind in CATALOGUE:
            return CATALOGUE[kind]
    return INTERNAL


def time_to_wait(error: Exception, *, unavailable: timedelta) -> timedelta | None:
    """
    Return when it makes sense to come again, or None where that cannot be said.

    :param unavailable: what is said when something does not answer now.
    """
    if isinstance(error, RateLimitError | refused.CannotExecutePolicyError):
        return error.retry_after
    return unavailable if wire_error(error).status == 503 else None
