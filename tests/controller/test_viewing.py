"""Looking at groups."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from attrs import evolve

from otter.controller.interface import ActiveServer, GroupView
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group
from otter.models.ids import GroupId, ServerId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import EntryState
from otter.models.signing import notify_key
from tests.controller.world import (
    ACTOR,
    DEPLOYMENT,
    GROUP,
    NOW,
    TENANT,
    ControllerCase,
    a_group,
    an_entry,
)

Call = Coroutine[Any, Any, object]


class ViewTests(ControllerCase):
    """Looking at groups."""

    def test_active(self) -> None:
        """Shown are the servers in service, in the order they were intended, with their links."""
        links = (("self", "https://compute.example.com/s2"),)
        older = an_entry("s2", created=NOW - timedelta(hours=3), links=links)
        others = [an_entry(f"x{state}", state) for state in EntryState if state != "in service"]
        self.put_group()
        self.put_entries(an_entry("s1"), older, *others)

        view = self.ended(self.controller.get_group(TENANT, GROUP))

        self.assertEqual(
            view,
            GroupView(
                a_group(),
                (ActiveServer(ServerId("s2"), links), ActiveServer(ServerId("s1"))),
            ),
        )

    def test_errors(self) -> None:
        """What keeps the group from converging is shown, each reason once, sorted."""
        self.put_group()
        convergence = evolve(
            self.ledger().convergence,
            create_reasons=("over quota", "no such image"),
            balancer_reasons=("over quota",),
        )
        self.ended(self.store.write_ledger(LedgerWrite(convergence)))

        view = self.ended(self.controller.get_group(TENANT, GROUP))

        self.assertEqual(view.errors, ("no such image", "over quota"))

    def test_list(self) -> None:
        """A page holds groups ascending by id after the given one, those deleting left out."""
        for name in "cadbe":
            group = evolve(a_group(deleting=name == "c"), group_id=GroupId(name))
            self.ended(self.store.create_group(group, (), max_groups=9))
        entry = an_entry(group_id=GroupId("d"))
        convergence = self.ended(self.store.read_ledger(TENANT, GroupId("d"))).convergence
        self.ended(self.store.write_ledger(LedgerWrite(convergence, (entry,))))

        views = self.ended(self.controller.list_groups(TENANT, after="a", limit=2))

        self.assertEqual(
            [(view.group.group_id, len(view.active)) for view in views], [("b", 0), ("d", 1)]
        )

    def test_list_nobodys(self) -> None:
        """A tenant without groups has an empty page."""
        self.assertEqual(
            list(self.ended(self.controller.list_groups(TenantId("none"), after="", limit=9))), []
        )

    def test_list_store_down(self) -> None:
        """A page is whole or the store's failure is told; there is no page with a hole."""
        self.put_group()

        async def fail(tenant_id: TenantId, group_id: GroupId) -> None:
            raise StoreUnavailableError(f"{tenant_id} {group_id}")

        self.patch(self.store, "read_ledger", fail)

        self.refused(self.controller.list_groups(TENANT, after="", limit=9), StoreUnavailableError)

    def test_list_removed_meanwhile(self) -> None:
        """A group removed between listing and looking stays on the page, or it would look short."""
        self.put_group(a_group(deleting=True))
        listed = [a_group()]

        async def list_groups(*_: object, **__: object) -> list[Group]:
            await self.store.remove_group(self.group())
            return listed

        self.patch(self.store, "list_groups", list_groups)

        views = self.ended(self.controller.list_groups(TENANT, after="", limit=9))

        self.assertEqual(list(views), [GroupView(a_group())])

    def test_notify_secret(self) -> None:
        """A group's key follows from the deployment's secret, which itself never comes out."""
        self.put_group()

        key = self.ended(self.controller.notify_secret(TENANT, GROUP))

        self.assertEqual(key, notify_key(DEPLOYMENT.secret, GROUP))

    def test_activities(self) -> None:
        """The history comes newest first, in pages."""
        self.put_group()
        for _ in range(3):
            self.clock.advance(1)
            self.ended(self.controller.converge(TENANT, GROUP, actor=ACTOR))
        newest, *older = reversed(self.history())

        first = self.ended(self.controller.list_activities(TENANT, GROUP, before="", limit=1))
        rest = self.ended(
            self.controller.list_activities(TENANT, GROUP, before=newest.activity_id, limit=9)
        )

        self.assertEqual((list(first), list(rest)), ([newest], older))
