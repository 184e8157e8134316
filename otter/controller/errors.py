"""
Why a call is refused; the names are those of the wire (rest-api.md 1.6), the statuses are not.
"""

from datetime import timedelta


class RefusedError(Exception):
    """A call that is understood and not carried out; the text names the ids involved."""


class NoSuchScalingGroupError(RefusedError):
    """Unknown, deleted or deleting group."""


class NoSuchPolicyError(RefusedError):
    """Unknown policy in an existing group."""


class NoSuchWebhookError(RefusedError):
    """Unknown webhook, or unknown policy in a webhook's path."""


class ServerNotFoundError(RefusedError):
    """Not a member of this group."""


class GroupNotEmptyError(RefusedError):
    """Deleting a group whose desired capacity is not 0, without force."""


class GroupPausedError(RefusedError):
    """Execute or converge on a paused group."""


class CannotExecutePolicyError(RefusedError):
    """
    Cooldown running, or nothing would change.

    :ivar retry_after: how long the cooldown still runs; None when nothing would change.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CannotDeleteServerBelowMinError(RefusedError):
    """Removing a server without replacement at the minimum."""


class TenantSuspendedError(RefusedError):
    """The group is flagged suspended."""


class InvalidMinEntities(RefusedError):  # noqa: N818 - the wire's own name
    """``minEntities`` above ``maxEntities``."""


class InvalidLaunchConfiguration(RefusedError):  # noqa: N818 - the wire's own name
    """The cloud would refuse the launch config; the text has one line per problem."""


class ValidationError(RefusedError):
    """A rule about the content of a body that JSON Schema cannot express."""


class ScalingGroupOverLimitError(RefusedError):
    """The tenant has as many groups as it may."""


class PoliciesOverLimitError(RefusedError):
    """The group would have more policies than it may."""


class WebhooksOverLimitError(RefusedError):
    """The policy would have more webhooks than it may."""
