"""
Why a face of the cloud refuses a request: one class per HTTP status.

Each face renders them in its own service's shape (Nova's, Keystone's, the load balancer's), so an
error carries facts only: a status, a message that may be shown, and how long to wait.
"""

from datetime import timedelta


class ApiError(Exception):
    """
    A request is answered with an error.

    :ivar status: the HTTP status.
    :ivar message: what the client is told.
    :ivar retry_after: how long the client is asked to wait, where the answer says so.
    """

    status = 500

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        if status is not None:
            self.status = status


class BadRequestError(ApiError):
    """The request is malformed or names something that does not exist."""

    status = 400


class UnauthorizedError(ApiError):
    """There is no token, or identity does not know it any more."""

    status = 401

    def __init__(self, message: str = "The request you have made requires authentication.") -> None:
        super().__init__(message)


class ForbiddenError(ApiError):
    """The token is good but does not allow this; also an exhausted quota."""

    status = 403


class NotFoundError(ApiError):
    """The resource does not exist, or not for this project."""

    status = 404

    def __init__(self, message: str = "The resource could not be found.") -> None:
        super().__init__(message)


class NotAllowedError(ApiError):
    """The resource exists but not with this method."""

    status = 405


class NotAcceptableError(ApiError):
    """The asked API version is not on offer."""

    status = 406


class ConflictError(ApiError):
    """The resource is not in a state that allows this."""

    status = 409


class TooLargeError(ApiError):
    """The body is larger than this cloud reads."""

    status = 413
