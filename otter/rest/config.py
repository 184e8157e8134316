"""What an operator decides about the REST API."""

from datetime import timedelta

from attrs import field, frozen

from otter.rest.auth import RoleNames

EXECUTE_SCOPES = ("webhook", "all")


@frozen
class Rates:
    """
    How fast callers may call (rest-api.md 7); above it they get 413 and when to come again.

    Each API process counts for itself.

    :ivar enabled: refuse what comes too fast; off lets everything pass.
    :ivar tenant_per_minute: calls on one tenant's resources; 0 for no limit.
    :ivar execute_per_second: hits on one webhook URL; 0 for no limit.
    :ivar execute_scope: ``webhook`` counts each webhook URL by itself, ``all`` counts the hits on
        all of them together.
    :ivar remembered: tenants, and webhook URLs, whose calls are remembered.
    """

    enabled: bool = True
    tenant_per_minute: int = 1000
    execute_per_second: int = 10
    execute_scope: str = "webhook"
    remembered: int = 50_000

    @property
    def in_force(self) -> tuple[int, int]:
        """Return calls per minute and executions per second as enforced, 0 for no limit."""
        return (self.tenant_per_minute, self.execute_per_second) if self.enabled else (0, 0)


@frozen
class Bounds:
    """
    What one process takes on at once, and what one request may be.

    :ivar requests: at work at once; above it the answer is 503.
    :ivar tenant_requests: of one tenant at work at once, so that one leaves room for others.
    :ivar connections: open at once; a new one takes the place of the one idle for longest.
    :ivar idle: how long a connection may be open without a request.
    :ivar receive: how long a request may take to arrive, from its first byte to its last.
    :ivar body_bytes: of one request.
    :ivar bodies_bytes: of all requests that are arriving or at work.
    :ivar uri_bytes: of path and query.
    :ivar header_bytes: of the request line and all headers.
    :ivar headers: how many.
    """

    requests: int = 1000
    tenant_requests: int = 250
    connections: int = 800
    idle: timedelta = timedelta(seconds=60)
    receive: timedelta = timedelta(seconds=30)
    body_bytes: int = 1_048_576
    bodies_bytes: int = 134_217_728
    uri_bytes: int = 8192
    header_bytes: int = 16_384
    headers: int = 100


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
    retry_after: timedelta = timedelta(seconds=5)
    health_timeout: timedelta = timedelta(seconds=5)
    rates: Rates = Rates()
    bounds: Bounds = Bounds()
