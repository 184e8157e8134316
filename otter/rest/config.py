"""What an operator decides about the REST API."""

from datetime import timedelta

from attrs import field, frozen

from otter.rest.auth import RoleNames


@frozen
class RateLimit:
    """One rate limit as ``/limits`` tells it; ``value`` calls per ``unit``."""

    uri: str
    regex: str
    unit: str
    value: int


DEFAULT_RATES = (
    RateLimit("/v1.0/tenantId/*", r"/v1\.0/([A-Za-z0-9:]+)/.+", "MINUTE", 1000),
    RateLimit("/v1.0/execute/*", r"/v1\.0/execute/(.*)", "SECOND", 10),
)


@frozen
class RestConfig:
    """
    How the API presents itself.

    :ivar base_url: the public root URL that links start with.
    :ivar retry_after: what callers are told to wait when something is not available.
    :ivar health_timeout: how long one component may take to say how it is.
    """

    base_url: str
    roles: RoleNames = field(factory=RoleNames)
    max_body_bytes: int = 1024 * 1024
    retry_after: timedelta = timedelta(seconds=5)
    health_timeout: timedelta = timedelta(seconds=5)
    rates: tuple[RateLimit, ...] = DEFAULT_RATES
