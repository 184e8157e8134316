"""Show groups: which servers are in service, and what is wrong."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred, DeferredSemaphore, FirstError, gatherResults

from otter.controller.interface import ActiveServer, GroupView
from otter.models.errors import NoSuchGroupError
from otter.models.group import Group
from otter.models.interface import Store
from otter.models.ledger import EntryState, Ledger

READS_AT_ONCE = 20
"""Ledgers read at the same time for one page of groups."""


def view(group: Group, ledger: Ledger) -> GroupView:
    """Return what is shown of a group, its servers in service in the order they were intended."""
    entries = sorted(ledger.entries.values(), key=lambda entry: (entry.created, entry.instance_id))
    active = [
        ActiveServer(entry.server_id, entry.links)
        for entry in entries
        if entry.state is EntryState.IN_SERVICE and entry.server_id is not None
    ]
    return GroupView(group, tuple(active), ledger.convergence.reasons)


async def read_view(store: Store, group: Group) -> GroupView:
    """
    Return what is shown of a group just read.

    A group that has been removed since shows no servers: it was there when it was read, and a page
    that left it out would look like the last one.
    """
    try:
        ledger = await store.read_ledger(group.tenant_id, group.group_id)
    except NoSuchGroupError:
        return GroupView(group)
    return view(group, ledger)


async def read_views(store: Store, groups: Sequence[Group]) -> Sequence[GroupView]:
    """Return what is shown of each group, in order; if one cannot be read, none is shown."""
    turns = DeferredSemaphore(READS_AT_ONCE)

    def read(group: Group) -> Deferred[GroupView]:
        return Deferred.fromCoroutine(read_view(store, group))

    reading = gatherResults([turns.run(read, group) for group in groups], consumeErrors=True)
    try:
        return await reading
    except FirstError as error:
        error.subFailure.raiseException()
