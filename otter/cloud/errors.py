"""
Why a call to the cloud did not succeed: a total taxonomy, one class per way to react.

``definite`` says whether the call certainly changed nothing. A create that failed otherwise may
have worked, and is looked up by its instance id instead of being repeated.
"""

from datetime import timedelta


class CloudError(Exception):
    """
    A call to the provider failed.

    :ivar status: the HTTP status, or None when there was no answer.
    :ivar message: the provider's own words where it gave some; presentable to the owner, no
    secrets.
    """

    definite = True

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class AuthenticationError(CloudError):
    """Identity or the service refuses our token even after a fresh one (401)."""


class AccessDeniedError(CloudError):
    """We may not do this (403 that is not about quota)."""


class QuotaError(CloudError):
    """The tenant's quota is used up (403 with quota prose, or 413 that names no time to wait)."""


class InvalidRequestError(CloudError):
    """
    The provider rejects the request as such (400, 415, 422 and the like); repeating is useless.
    """


class ThrottledError(CloudError):
    """Too many requests (429, or 413 with ``Retry-After``)."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class ConflictingRequestError(CloudError):
    """The resource is busy or immutable just now (409, or a load balancer's 422 while pending)."""


class NotFoundError(CloudError):
    """
    The resource does not exist (404), or is deleted or being deleted (410, CLB's 422 deleted).
    """


class NodeLimitError(CloudError):
    """The load balancer takes no more nodes (413 of a node limit)."""


class EndpointMissingError(CloudError):
    """
    The tenant's catalog has no such service in the region: the account is suspended or closed.
    """


class NotSentError(CloudError):
    """The request never left: connection refused, name not found, no identity to send it with."""


class TransientError(CloudError):
    """Server error, lost connection, timeout, unreadable answer: the outcome is unknown."""

    definite = False
