"""
Decide what a list of servers shows. Pure but for the table it reads.
"""

import heapq
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from minicloud.controller.interface import Criteria, ListServers, Page, UnknownMarkerError
from minicloud.controller.records import Server
from minicloud.controller.states import as_before_deletion, status_of
from minicloud.controller.table import ServerTable

_Wanted = Callable[[Server, Criteria], bool]

_CHECKS: Mapping[str, _Wanted] = {
    "name": lambda server, wanted: re.search(wanted.name, server.name) is not None,
    "statuses": lambda server, wanted: (
        status_of(server.vm_state, server.task_state) in wanted.statuses
    ),
    "image_id": lambda server, wanted: server.image_id == wanted.image_id,
    "flavor_id": lambda server, wanted: server.flavor.flavor_id == wanted.flavor_id,
    "tags": lambda server, wanted: wanted.tags <= set(server.new.tags),
    "tags_any": lambda server, wanted: bool(wanted.tags_any & set(server.new.tags)),
    "not_tags": lambda server, wanted: not wanted.not_tags <= set(server.new.tags),
    "not_tags_any": lambda server, wanted: not wanted.not_tags_any & set(server.new.tags),
    "changes_since": lambda server, wanted: (
        wanted.changes_since is None or server.updated >= wanted.changes_since
    ),
    "changes_before": lambda server, wanted: (
        wanted.changes_before is None or server.updated <= wanted.changes_before
    ),
}


def matches(server: Server, criteria: Criteria) -> bool:
    """Return whether a server meets all criteria."""
    return all(
        check(server, criteria) for field, check in _CHECKS.items() if getattr(criteria, field)
    )


def page(table: ServerTable, query: ListServers, now: datetime) -> Page:
    """
    Return what the query asks for.

    :raises UnknownMarkerError: the marker names no server.
    """
    before = None
    if query.marker:
        before = table.sequence_of(query.marker, query.project_id)
        if before is None:
            raise UnknownMarkerError(query.marker)
    shown = (s for s in _visible(table, query, before, now) if matches(s, query.criteria))
    servers = tuple(islice(shown, query.limit + 1))
    return Page(servers[: query.limit], len(servers) > query.limit)


def _visible(
    table: ServerTable, query: ListServers, before: int | None, now: datetime
) -> Iterator[Server]:
    """Yield what the list knows of, newest first."""
    newest = now - query.lag_new
    live: Iterator[Server] = (
        server
        for server in table.live(query.project_id, before)
        if not query.lag_new or server.created <= newest
    )
    sources = [live]
    if query.lag_deleted or query.criteria.changes_since is not None:
        sources.append(_gone(table, query, before, now))
    return heapq.merge(*sources, key=lambda server: server.sequence, reverse=True)


def _gone(
    table: ServerTable, query: ListServers, before: int | None, now: datetime
) -> Iterator[Server]:
    for server in table.deleted(query.project_id, before):
        ended = server.terminated or server.updated
        if query.lag_deleted and ended > now - query.lag_deleted:
            yield as_before_deletion(server)
        elif query.criteria.changes_since is not None:
            yield server
