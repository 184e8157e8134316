"""
The ledger: one entry per server we ever intended, written before the cloud is asked.

Note [Two counters]
    A group's partition has two owners. Calls own ``Group`` and compare its ``generation``; the
    supervisor owns ``Convergence`` and the entries and compares ``revision``. A burst of webhooks
    therefore never starves the supervisor, and two supervisors that both believe to hold the
    group cannot both record an intent: the second write conflicts before any call is made.
"""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen
from pyrsistent import PMap, pmap

from otter.models.frozen import frozen_map
from otter.models.group import LoadBalancerTarget
from otter.models.ids import GroupId, InstanceId, LoadBalancerId, ServerId, TenantId


class EntryState(StrEnum):
    """
    Where a server is on its way, in order.

    A later state is never followed by an earlier one, with two exceptions: a server leaves
    ``IN_SERVICE`` for ``JOINING`` when a load balancer loses it, and a ``LOST`` one that shows up
    after all goes to ``DELETING``.
    """

    INTENDED = "intended"
    """Recorded; the cloud has certainly not been asked."""
    REQUESTED = "requested"
    """The create call was handed out; until an answer is recorded the outcome is unknown."""
    BUILDING = "building"
    """The cloud told us the server's id; it is not ready."""
    JOINING = "joining"
    """The server runs; it is not yet on all of its load balancers."""
    IN_SERVICE = "in service"
    STANDBY = "standby"
    """Kept out of service on request (used by a later issue)."""
    DRAINING = "draining"
    """Chosen to go; takes no new connections."""
    DELETING = "deleting"
    """Being taken off its load balancers and deleted, or released."""
    GONE = "gone"
    """The cloud confirmed that the server is no more (or it was released or disowned)."""
    LOST = "lost"
    """Requested, never seen, given up. If it ever shows up it is deleted."""


TERMINAL = frozenset({EntryState.GONE, EntryState.LOST})
"""States that no longer occupy a place in the group."""

LEAVING = frozenset({EntryState.DRAINING, EntryState.DELETING}) | TERMINAL
"""States from which a server never comes back into service."""


class Removal(StrEnum):
    """What leaving the group means for the server itself."""

    DELETE = "delete"
    RELEASE = "release"
    """Our marks and memberships are taken off; the server stays on the account."""


@frozen
class Membership:
    """A load balancer member we asked for, recorded before we asked."""

    load_balancer_id: LoadBalancerId
    port: int
    address: str


@frozen
class LedgerEntry:
    """
    One server we intend or intended.

    :ivar changed: when ``state`` last changed; deadlines count from here.
    :ivar removal: set once the server is to leave for good, and how.
    :ivar reason: why it is in this state when that is not obvious (``stuck in BUILD``, ``HTTP 400
    …``).
    :ivar links: the cloud's own links of the server, as ``(rel, href)``.
    :ivar served: when it first entered service.
    :ivar draining_since: when all of its members were first seen to take no new connections.
    :ivar absent: the cloud confirmed that the server is no more; what is left to do is to take its
        members off the load balancers.
    :ivar unsettled: it was sent away while it was joining, so that a member asked for may yet
        appear.
    """

    tenant_id: TenantId
    group_id: GroupId
    instance_id: InstanceId
    launch_version: int
    created: datetime
    changed: datetime
    state: EntryState = EntryState.INTENDED
    name: str = ""
    server_id: ServerId | None = None
    address: str | None = None
    targets: tuple[LoadBalancerTarget, ...] = ()
    memberships: tuple[Membership, ...] = ()
    removal: Removal | None = None
    reason: str = ""
    links: tuple[tuple[str, str], ...] = ()
    served: datetime | None = None
    draining_since: datetime | None = None
    absent: bool = False
    unsettled: bool = False

    @property
    def occupies(self) -> bool:
        """Whether a server for this entry exists or may exist (promise S1 counts these)."""
        return self.state not in TERMINAL and not self.absent

    @property
    def leaving(self) -> bool:
        """Whether it no longer counts towards the desired capacity."""
        return self.removal is not None or self.state in LEAVING


class Failing(StrEnum):
    """What kind of attempt failed last; decides what counts as recovery."""

    CREATE = "create"
    """The cloud refused to create; an accepted create is recovery."""
    BUILD = "build"
    """Servers were accepted but never became ready; a ready one is recovery."""


@frozen
class Convergence:
    """
    What the supervisor knows of a group beyond its entries.

    :ivar revision: grows by one with every write to this record or an entry; compared by writes.
    :ivar seen_generation: the group generation the last finished cycle looked at.
    :ivar failures: failed attempts in a row; 0 when all is well.
    :ivar retry_at: no create before this time.
    :ivar create_reasons: why creates fail, presentable to the owner; kept until recovery.
    :ivar balancer_reasons: what is wrong with load balancers, looked at anew in every cycle.
    :ivar replaced_at: when servers were last replaced, oldest first; bounds replacement loops.
    """

    tenant_id: TenantId
    group_id: GroupId
    revision: int = 0
    seen_generation: int = 0
    failures: int = 0
    failing: Failing | None = None
    retry_at: datetime | None = None
    create_reasons: tuple[str, ...] = ()
    balancer_reasons: tuple[str, ...] = ()
    replaced_at: tuple[datetime, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """
        Why the group is in ERROR: distinct and sorted, empty when it is not (rest-api.md 3.6).
        """
        return tuple(sorted({*self.create_reasons, *self.balancer_reasons}))


@frozen
class Ledger:
    """
    The supervisor's half of a group: its convergence record and its entries that are not terminal.
    """

    convergence: Convergence
    entries: PMap[InstanceId, LedgerEntry] = field(converter=frozen_map, factory=pmap)
