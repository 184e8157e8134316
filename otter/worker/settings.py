"""The worker's times and bounds, in one frozen record."""

from datetime import timedelta

from attrs import frozen


@frozen
class WorkerSettings:
    """
    Times and bounds of performing jobs.

    :ivar concurrency: jobs performed at the same time.
    :ivar tenant_concurrency: of these, jobs of one tenant.
    :ivar queue_limit: jobs waiting; further ones are answered ``TRANSIENT`` at once.
    :ivar creates_per_second: rate budget for creates in the region.
    :ivar create_burst: creates that may be made at once after a quiet time.
    :ivar attempts: tries of one idempotent call within a job.
    :ivar retry_first: wait before the second try; doubled with each further one.
    :ivar retry_max: the longest such wait, and the longest a throttling provider is believed.
    :ivar notify_attempts: tries to deliver one message to a customer.
    :ivar notify_retry: wait before the second try; doubled with each further one, an hour at most.
    :ivar notify_concurrency: messages being delivered at the same time.
    :ivar notify_poll: how often messages are looked for.
    """

    concurrency: int = 64
    tenant_concurrency: int = 32
    queue_limit: int = 20_000
    creates_per_second: float = 50.0
    create_burst: int = 50
    attempts: int = 6
    retry_first: timedelta = timedelta(seconds=0.25)
    retry_max: timedelta = timedelta(seconds=30)
    notify_attempts: int = 10
    notify_retry: timedelta = timedelta(seconds=5)
    notify_concurrency: int = 20
    notify_poll: timedelta = timedelta(seconds=1)
