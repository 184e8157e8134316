"""
Tables of cases for the tables of rest-api.md, and the world they are tried in.

A case is named by its section and row, and may go on after a colon: ``3.5 absent or false: FALSE``.
It is ``(expected, request)``, ``(expected, request, body)`` or ``(expected, function)``. A request
is a method and a path in which ``{g}`` and its like stand for things that are made when they are
needed; what is found is the status, with the type of an error. A function gets the world and
returns what it finds. Every case has a tenant of its own.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from attrs import evolve

from otter.controller.interface import Limits
from otter.models.group import DirtyMark
from otter.models.ids import GroupId, InstanceId, ServerId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import EntryState, LedgerEntry
from otter.rest.config import Rates, RestConfig
from tests.rest.wire import Reply
from tests.rest.world import BASE, NOW, TOKEN, UNKNOWN, RestCase, a_config, a_group, local

Find = Callable[["RowCase"], object]
Rows = Mapping[str, tuple[object, Find] | tuple[str, str] | tuple[str, str, object]]


class _Places(dict[str, str]):
    """What stands in braces in a path, made on demand."""

    def __init__(self, make: Mapping[str, Callable[[], str]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> str:
        self[name] = self._make[name]()
        return self[name]


class RowCase(RestCase):
    """
    Tries the table that a subclass is made with.

    :cvar rows: the cases by name.
    """

    rows: ClassVar[Rows]
    maxDiff = None
    limits = Limits()
    config = RestConfig(BASE, rates=Rates(enabled=False))

    def setUp(self) -> None:
        """Build the world once for the whole table."""
        super().setUp()
        self._count = 0
        self.fresh()

    def __init_subclass__(cls, *, rows: Rows) -> None:
        """Give the subclass its test; the class without a table has none."""
        cls.rows = rows
        cls.test_rows = _test_rows  # type: ignore[attr-defined]

    def attempt(self, ask: Any, *body: object) -> object:
        """Return what is found in one case."""
        self.fresh()
        try:
            return self.do(ask, *body).error if isinstance(ask, str) else ask(self)
        except Exception as error:  # noqa: BLE001 - one case that breaks must not hide the others
            return f"{type(error).__name__}: {error}"

    def fresh(self) -> None:
        """Begin a new case, as another tenant."""
        self._count += 1
        self.tenant = f"t{self._count}"
        self.token = f"token-{self._count}"
        self.tokens.add(self.token, "autoscale:admin", tenant=self.tenant)
        self.places = _Places(
            {
                "t": lambda: f"/v1.0/{self.tenant}",
                "g": self.make_group,
                "p": lambda: self.make_policy(self.at("{g}")),
                "s": lambda: self.make_policy(
                    self.at("{g}"), type="schedule", args={"cron": "* * * * *"}
                ),
                "w": partial(self._webhook, "w"),
                "c": partial(self._webhook, "c"),
                "u": lambda: UNKNOWN,
            }
        )

    def _webhook(self, name: str) -> str:
        self.places["w"], self.places["c"] = self.make_webhook(self.at("{p}"))
        return self.places[name]

    # --- asking -----------------------------------------------------------------------------

    def at(self, path: str) -> str:
        """Return a path with everything in it made."""
        return path.format_map(self.places)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask as this case's own tenant, unless told otherwise."""
        own = self.token if token == TOKEN else token
        return super().ask(method, path, body, token=own, headers=headers)

    def do(self, request: str, body: object = None, **options: Any) -> Reply:
        """Return the reply to ``METHOD path``."""
        method, _, path = request.partition(" ")
        return self.ask(method, self.at(path), body, **options)

    def all(self, *requests: str) -> list[str]:
        """Return status and type of several requests without bodies."""
        return [self.do(request).error for request in requests]

    def get(self, path: str) -> Any:
        """Return the one thing in an answer."""
        document = self.do(f"GET {path}").document
        return next(iter(document.values()))

    def wants(self) -> int:
        """Return the desired capacity of the case's group."""
        return self.desired(self.at("{g}"))

    def ids(self, path: str) -> list[str]:
        """Return the ids in a list."""
        return [item["id"] for item in self.get(path)]

    # --- building ---------------------------------------------------------------------------

    def make_group(self, body: object = None, **config: object) -> str:
        """Create a group of this tenant; return its path. The first one made is the case's own."""
        new = body or a_group(groupConfiguration=a_config(**config))
        reply = self.do("POST {t}/groups", new)
        assert reply.status == 201, reply.body
        path = local(reply.headers["Location"]).rstrip("/")
        self.places.setdefault("g", path)
        return path

    def make_policy(self, group: str, **changes: object) -> str:
        """Create a policy; the first one made is the case's own."""
        path = super().make_policy(group, **changes)
        self.places.setdefault("p", path)
        return path

    def suspend(self) -> None:
        """Flag the case's group as suspended, as an operator does."""
        self.change_stored(self.at("{g}"), suspended=True)

    def change_stored(self, group: str, **changes: Any) -> None:
        """Change the stored group behind the API's back."""
        tenant_id, group_id = self._ids(group)
        stored = self.ended(self.store.get_group(tenant_id, group_id))
        self.ended(self.store.update_group(evolve(stored, **changes), mark=False))

    def add_server(self, server: str, state: EntryState = EntryState.IN_SERVICE) -> None:
        """Write a server of the case's group into the ledger."""
        tenant_id, group_id = self._ids(self.at("{g}"))
        entry = LedgerEntry(
            tenant_id,
            group_id,
            InstanceId(f"i-{server}"),
            launch_version=1,
            created=NOW - timedelta(hours=1),
            changed=NOW,
            state=state,
            server_id=ServerId(server),
            links=(("self", f"http://nova/{server}"), ("bookmark", f"http://b/{server}")),
        )
        ledger = self.ended(self.store.read_ledger(tenant_id, group_id))
        self.ended(self.store.write_ledger(LedgerWrite(ledger.convergence, (entry,))))

    def removal_of(self, server: str) -> str | None:
        """Return how a server of the case's group is to leave."""
        ledger = self.ended(self.store.read_ledger(*self._ids(self.at("{g}"))))
        (found,) = (one for one in ledger.entries.values() if one.server_id == server)
        return found.removal

    def set_reasons(self, *reasons: str) -> None:
        """Put the case's group into ERROR."""
        convergence = self.ended(self.store.read_ledger(*self._ids(self.at("{g}")))).convergence
        self.ended(
            self.store.write_ledger(LedgerWrite(evolve(convergence, create_reasons=reasons)))
        )

    def asks_for_cycle(self, request: str, body: object = None) -> bool:
        """Return whether a request leaves the case's group marked for a cycle."""
        self.at("{p}")
        for mark in self._marks():
            self.ended(self.store.clear_dirty(mark))
        assert not self._marks()
        self.do(request, body)
        return bool(self._marks())

    def _marks(self) -> list[DirtyMark]:
        group_id = self._ids(self.at("{g}"))[1]
        marks = self.ended(self.store.list_dirty(limit=100_000))
        return [mark for mark in marks if mark.group_id == group_id]

    def _ids(self, group: str) -> tuple[TenantId, GroupId]:
        return TenantId(self.tenant), GroupId(group.rpartition("/")[2])


def _test_rows(self: RowCase) -> None:
    """What is found agrees with the contract in every case; those that differ are named."""
    tried = {row: (self.attempt(*case[1:]), case[0]) for row, case in self.rows.items()}
    different = {row: pair for row, pair in tried.items() if pair[0] != pair[1]}

    self.assertTrue(tried)
    self.assertEqual(different, {}, "found, expected")
