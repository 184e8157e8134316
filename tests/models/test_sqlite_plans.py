"""No statement looks at rows that do not matter to it, however full the tables are."""

import sqlite3
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from inspect import isfunction
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from otter.models.activity import Deployment
from otter.models.group import DirtyMark
from otter.models.ids import DeploymentId
from otter.models.interface import Store
from tests.contracts.store_records import (
    GROUP,
    INSTANCE,
    NOW,
    OTHER_GROUP,
    POLICY,
    TENANT,
    WEBHOOK,
    StoreContract,
    a_group,
    a_ledger_write,
    a_notification,
    a_policy,
    a_schedule,
    a_webhook,
    an_activity,
    an_entry,
    secret_of,
)
from tests.models.sqlite_fixture import InSQLite

Call = Coroutine[Deferred[Any], Any, Any]


def writes(store: Store) -> Sequence[Call]:
    """Return one call of each method that adds or changes."""
    schedule = a_schedule()
    return [
        store.create_group(a_group(), [a_policy()], max_groups=9, activities=[an_activity("1")]),
        store.create_policies([a_policy("policy-2")], max_policies=9),
        store.update_policy(a_policy()),
        store.create_webhooks([a_webhook(), a_webhook("w2")], max_webhooks=9),
        store.update_webhook(a_webhook()),
        store.put_schedule(schedule),
        store.put_schedule(schedule),
        store.replace_schedule(evolve(schedule, version=2), schedule),
        store.update_group(a_group(), mark=True, ledger=a_ledger_write(an_entry())),
        store.write_ledger(a_ledger_write(an_entry(), revision=1)),
        store.adopt_orphan(an_entry("orphan", OTHER_GROUP)),
        store.put_orphan(an_entry("orphan", OTHER_GROUP)),
        store.put_notification(a_notification()),
        store.add_activities([an_activity("2"), an_activity("3")]),
        store.deployment(Deployment(DeploymentId("d"), "s")),
    ]


def reads(store: Store) -> Sequence[Call]:
    """Return one call of each method that looks."""
    return [
        store.get_group(TENANT, GROUP),
        store.list_groups(TENANT),
        store.list_tenants(),
        store.list_group_ids(TENANT),
        store.get_policy(TENANT, GROUP, POLICY),
        store.list_policies(TENANT, GROUP),
        store.get_webhook(TENANT, GROUP, POLICY, WEBHOOK),
        store.list_webhooks(TENANT, GROUP, POLICY),
        store.find_capability(secret_of(WEBHOOK)),
        store.find_execution(secret_of(WEBHOOK)),
        store.list_dirty(),
        store.read_ledger(TENANT, GROUP),
        store.get_entry(TENANT, GROUP, INSTANCE),
        store.list_orphans(TENANT),
        store.list_activities(TENANT, GROUP),
        store.list_activities(TENANT, GROUP, before="9"),
        store.due_notifications(NOW),
        store.due_schedules(NOW),
    ]


async def removals(store: Store) -> None:
    """Call each method that removes."""
    await store.release_lease(
        await store.take_lease("shard", "a", now=NOW, expires=NOW + timedelta(seconds=1))
    )
    await store.clear_dirty(DirtyMark(TENANT, GROUP, 9))
    await store.remove_notification(a_notification().notification_id)
    await store.prune(before=NOW, keep_activities=0)
    await store.delete_webhook(TENANT, GROUP, POLICY, WEBHOOK)
    await store.delete_policy(TENANT, GROUP, POLICY)
    await store.create_group(a_group("drained"), [], max_groups=9)
    drained = await store.update_group(a_group("drained", deleting=True), mark=False)
    await store.remove_group(drained)


class PlanTests(InSQLite, StoreContract):
    """What SQLite means to do for each statement."""

    async def test_no_statement_scans_a_table(self) -> None:
        """The cost of a call does not grow with what others have stored."""
        path = Path(self.mktemp())
        store = await self.open_store(path, readers=1)
        statements: list[str] = []
        await store._read(lambda connection: connection.set_trace_callback(statements.append))
        await store._write(lambda connection: connection.set_trace_callback(statements.append))

        for call in (*writes(store), *reads(store)):
            await call
        await removals(store)

        verbs = ("SELECT", "INSERT", "UPDATE", "DELETE")
        explained = {sql for sql in statements if sql.startswith(verbs)}
        scans = [line for sql in explained for line in plan(path, sql) if line.startswith("SCAN")]
        self.assertGreater(len(explained), 50)
        self.assertEqual([scan for scan in scans if "CONSTANT ROW" not in scan], [])

    def test_every_method_is_among_them(self) -> None:
        """A method that is added to the interface is added to this test."""
        names = {name for name, value in vars(Store).items() if isfunction(value)}
        source = Path(__file__).read_text(encoding="utf-8")

        missing = [name for name in names if not name.startswith("_") and name not in source]

        self.assertEqual(missing, [])


def plan(path: Path, sql: str) -> list[str]:
    """Return the lines of SQLite's plan for a statement."""
    connection = sqlite3.connect(path)
    try:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    finally:
        connection.close()
