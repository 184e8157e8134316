"""The supervisor's times and bounds, in one frozen record."""

from datetime import timedelta

from attrs import frozen


@frozen
class SupervisorSettings:
    """
    Times and bounds of converging.

    :ivar build_timeout: a server in BUILD this long after it was asked for is replaced.
    :ivar settle: how long a create answered with an unknown outcome may take to show up in a
        listing; more than the worst lag of the cloud's listings, or a server may be made twice.
    :ivar abandon: the same for a create whose answer we never got (our process died); longer than a
        job can live (its deadline and one call's timeout) plus ``settle``.
    :ivar job_deadline: workers no longer start a job this long after it was planned.
    :ivar retry_first: wait after the first failed attempt to create; doubled with each further one.
    :ivar retry_max: the longest such wait.
    :ivar probe_after: after so many failures in a row only one create at a time is tried.
    :ivar creates_in_flight: creates of one group handed out and not answered.
    :ivar replacements_per_hour: so many servers of a group may be replaced in one hour; never less
        than three times its desired capacity.
    :ivar drain_patience: how long beyond its draining timeout a server waits for a load balancer
        that cannot be changed.
    :ivar look_first: the soonest look at something under way; later looks grow with its age.
    :ivar look_max: the latest.
    :ivar confirm_limit: servers missing from a listing that are asked for one by one in one cycle.
    :ivar cycle_gap: the least time between two cycles of a tenant.
    :ivar cycles: tenants converging at the same time in one process.
    :ivar sweep: every group is looked at this often whether or not something announced a change.
    :ivar mark_poll: how often dirty marks are read, in case a notice got lost.
    :ivar retention: how long the history and closed ledger entries are kept.
    :ivar keep_activities: so many activities of a group at most.
    """

    build_timeout: timedelta = timedelta(hours=1)
    settle: timedelta = timedelta(seconds=30)
    abandon: timedelta = timedelta(seconds=120)
    job_deadline: timedelta = timedelta(seconds=60)
    retry_first: timedelta = timedelta(seconds=5)
    retry_max: timedelta = timedelta(minutes=10)
    probe_after: int = 3
    creates_in_flight: int = 50
    replacements_per_hour: int = 30
    drain_patience: timedelta = timedelta(minutes=15)
    look_first: timedelta = timedelta(seconds=1)
    look_max: timedelta = timedelta(seconds=15)
    confirm_limit: int = 50
    cycle_gap: timedelta = timedelta(milliseconds=50)
    cycles: int = 32
    sweep: timedelta = timedelta(seconds=60)
    mark_poll: timedelta = timedelta(seconds=5)
    retention: timedelta = timedelta(days=30)
    keep_activities: int = 1000
