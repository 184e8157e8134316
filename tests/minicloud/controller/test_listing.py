"""Tests of ``minicloud.controller.listing`` and the table it reads."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.config import DEFAULT_FLAVORS
from minicloud.controller import states, table
from minicloud.controller.interface import Criteria, ListServers, UnknownMarkerError
from minicloud.controller.listing import page
from minicloud.controller.records import NewServer, Server
from minicloud.controller.table import ServerTable

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_table(count: int = 0) -> ServerTable:
    """Return a table with servers ``s1``, ``s2``, … of one project, a second apart."""
    made = ServerTable()
    for number in range(1, count + 1):
        add(made, f"s{number}", created=START + timedelta(seconds=number))
    return made


def add(
    to: ServerTable,
    server_id: str,
    project: str = "p",
    created: datetime = START,
    tags: tuple[str, ...] = (),
    **fields: Any,
) -> Server:
    """Add a server."""
    new = NewServer(server_id, "image", "1", tags=tags)
    server = Server(
        server_id,
        to.next_sequence(),
        project,
        "u",
        new,
        DEFAULT_FLAVORS[0],
        created,
        created,
        {},
        server_id,
        "image",
    )
    server = evolve(server, vm_state="active", task_state=None, **fields)
    to.put(server)
    return server


def remove(from_: ServerTable, server_id: str, when: datetime = START) -> None:
    """Delete a server."""
    server = from_.find(server_id)
    assert server is not None
    from_.retire(states.deleted(states.deletion_asked(server, when), when))


def ids(of: ServerTable, now: datetime = START, **query: Any) -> list[str]:
    """Return the ids that a list shows."""
    return [s.server_id for s in page(of, ListServers("p", **query), now).servers]


class PagingTests(SynchronousTestCase):
    """Pages."""

    def test_newest_first(self) -> None:
        """Nova lists the newest servers first."""
        self.assertEqual(ids(a_table(3)), ["s3", "s2", "s1"])

    def test_marker(self) -> None:
        """A page starts after its marker and tells whether more follows."""
        servers = a_table(5)
        found = page(servers, ListServers("p", marker="s4", limit=2), START)
        last = page(servers, ListServers("p", marker="s2", limit=2), START)

        self.assertEqual([s.server_id for s in found.servers], ["s3", "s2"])
        self.assertEqual((found.more, last.more), (True, False))

    def test_deleted_marker(self) -> None:
        """A server that is deleted between two pages does not break the walk."""
        servers = a_table(3)
        remove(servers, "s2")

        self.assertEqual(ids(servers, marker="s2"), ["s1"])

    def test_unknown_marker(self) -> None:
        """A marker that names nothing, or another project's server, is an error."""
        servers = a_table(1)
        add(servers, "theirs", "q")
        for marker in ("nothing", "theirs"):
            self.assertRaises(
                UnknownMarkerError, page, servers, ListServers("p", marker=marker), START
            )

    def test_projects_apart(self) -> None:
        """A project sees its own servers; whoever may see all sees all."""
        servers = a_table(1)
        add(servers, "theirs", "q")

        self.assertEqual(ids(servers), ["s1"])
        self.assertEqual(len(page(servers, ListServers(None), START).servers), 2)

    @given(
        st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=40),
        st.integers(1, 5),
    )
    def test_walk(self, steps: list[tuple[bool, int]], limit: int) -> None:
        """Walking all pages shows every server once, newest first, after any history."""
        servers, expected, made = ServerTable(), list[str](), 0
        for create, number in steps:
            if create or not expected:
                made += 1
                expected.insert(0, add(servers, f"s{made}").server_id)
            else:
                remove(servers, expected.pop(number % len(expected)))

        seen, marker, more = list[str](), "", True
        while more:
            found = page(servers, ListServers("p", marker=marker, limit=limit), START)
            seen += [s.server_id for s in found.servers]
            marker, more = (seen[-1] if seen else ""), found.more
        self.assertEqual(seen, expected)
        self.assertEqual(servers.count("p"), len(expected))


class CriteriaTests(SynchronousTestCase):
    """What a list is limited to."""

    def test_name(self) -> None:
        """A name is a regular expression that may match anywhere."""
        servers = a_table(12)

        self.assertEqual(ids(servers, criteria=Criteria(name="s1$")), ["s1"])
        self.assertEqual(ids(servers, criteria=Criteria(name="1")), ["s12", "s11", "s10", "s1"])

    def test_status(self) -> None:
        """A status limits to servers that clients see in it."""
        servers = a_table(1)
        broken = add(servers, "broken")
        servers.put(states.failed(broken, "", START))

        self.assertEqual(ids(servers, criteria=Criteria(statuses=frozenset({"ERROR"}))), ["broken"])

    def test_tags(self) -> None:
        """Tags are wanted all, any, not all, or not any."""
        servers = ServerTable()
        for server_id, tags in (("none", ()), ("a", ("a",)), ("ab", ("a", "b"))):
            add(servers, server_id, tags=tags)
        both = frozenset({"a", "b"})

        self.assertEqual(ids(servers, criteria=Criteria(tags=both)), ["ab"])
        self.assertEqual(ids(servers, criteria=Criteria(tags_any=both)), ["ab", "a"])
        self.assertEqual(ids(servers, criteria=Criteria(not_tags=both)), ["a", "none"])
        self.assertEqual(ids(servers, criteria=Criteria(not_tags_any=both)), ["none"])

    def test_changes(self) -> None:
        """Asked for changes, a list also shows deleted servers; otherwise never."""
        servers = a_table(3)
        remove(servers, "s1", START + timedelta(seconds=10))
        since = Criteria(changes_since=START + timedelta(seconds=3))

        self.assertEqual(ids(servers), ["s3", "s2"])
        self.assertEqual(ids(servers, criteria=since), ["s3", "s1"])

    def test_changes_before(self) -> None:
        """Changes are limited to both sides."""
        before = Criteria(changes_before=START + timedelta(seconds=2))

        self.assertEqual(ids(a_table(3), criteria=before), ["s2", "s1"])


class LagTests(SynchronousTestCase):
    """A list that lags behind the truth, as those of large clouds do."""

    def test_new(self) -> None:
        """A new server is missing until it is old enough."""
        servers, lag = a_table(3), timedelta(seconds=5)

        self.assertEqual(ids(servers, START + timedelta(seconds=7), lag_new=lag), ["s2", "s1"])
        self.assertEqual(len(ids(servers, START + timedelta(seconds=8), lag_new=lag)), 3)

    def test_deleted(self) -> None:
        """A deleted server goes on being shown as it was, in its place, for a while."""
        servers, lag = a_table(3), timedelta(seconds=5)
        remove(servers, "s2", START)
        query = ListServers("p", lag_deleted=lag)
        found = page(servers, query, START + timedelta(seconds=4)).servers

        self.assertEqual([s.server_id for s in found], ["s3", "s2", "s1"])
        self.assertEqual([s.vm_state for s in found], ["active"] * 3)
        self.assertEqual(ids(servers, START + timedelta(seconds=5), lag_deleted=lag), ["s3", "s1"])


class TableTests(SynchronousTestCase):
    """The records behind the lists."""

    def test_forgets(self) -> None:
        """Only so many deleted servers are remembered, the latest."""
        self.patch(table, "MAX_DELETED", 2)
        servers = a_table(3)
        for server_id in ("s1", "s2", "s3"):
            remove(servers, server_id)
        since = Criteria(changes_since=START - timedelta(days=1))

        self.assertEqual(ids(servers, criteria=since), ["s3", "s2"])

    def test_load(self) -> None:
        """The table knows how many servers each host has, through moves and ends."""
        servers = a_table(2)
        for server_id in ("s1", "s2"):
            server = servers.find(server_id)
            assert server is not None
            servers.put(evolve(server, host="h"))
        remove(servers, "s1")

        self.assertEqual(servers.per_host["h"], 1)
