"""Suspending tenants and groups (rest-api.md 3.17)."""

from typing import NoReturn

from otter.controller.errors import NoSuchScalingGroupError
from otter.controller.interface import Limits
from otter.models.errors import StoreUnavailableError
from otter.rest.operator import suspension
from tests.rest.operator.world import OperatorCase
from tests.rest.world import GROUPS, TENANT, UNKNOWN, a_config, a_group

ALL = f"/tenants/{TENANT}/suspension"


async def failing(error: Exception) -> NoReturn:
    """Fail, as a store or a controller does."""
    raise error


class SuspensionTests(OperatorCase):
    """Flags, and what the owner sees of them."""

    limits = Limits(max_groups=1000)

    def one(self, group: str) -> str:
        """Return the operators' path for a group's path."""
        return f"/tenants/{TENANT}/groups/{group.rpartition('/')[2]}/suspension"

    def suspended(self, group: str) -> bool:
        """Return whether a group is suspended."""
        return bool(self.operate("GET", self.one(group)).document["suspended"])

    def test_tenant(self) -> None:
        """Every group gets the flag, and loses it again; the answer says how many."""
        groups = [self.make_group() for _ in range(3)]

        reply = self.operate("PUT", ALL)
        self.assertEqual(
            reply.document, {"tenant": TENANT, "groups": 3, "suspended": 3, "changed": 3}
        )
        self.assertTrue(all(map(self.suspended, groups)))
        self.assertEqual(
            self.operate("GET", ALL).document, {"tenant": TENANT, "groups": 3, "suspended": 3}
        )

        reply = self.operate("DELETE", ALL)
        self.assertEqual(
            reply.document, {"tenant": TENANT, "groups": 3, "suspended": 0, "changed": 3}
        )
        self.assertFalse(any(map(self.suspended, groups)))

    def test_more_than_a_page(self) -> None:
        """However many groups there are, none is left out."""
        count = 2 * suspension.PAGE
        for _ in range(count):
            self.make_group()

        self.assertEqual(self.operate("PUT", ALL).document["changed"], count)
        self.assertEqual(self.operate("GET", ALL).document["suspended"], count)

    def test_again(self) -> None:
        """Repeating changes nothing more, so that a call that failed half-way can be repeated."""
        self.make_group()
        self.operate("PUT", ALL)
        self.make_group()

        self.assertEqual(
            self.operate("PUT", ALL).document,
            {"tenant": TENANT, "groups": 2, "suspended": 2, "changed": 1},
        )

    def test_one_group(self) -> None:
        """One group can be flagged alone."""
        group, other = self.make_group(), self.make_group()
        name = group.rpartition("/")[2]

        self.assertEqual(
            self.operate("PUT", self.one(group)).document,
            {"tenant": TENANT, "group": name, "suspended": True, "changed": True},
        )
        self.assertEqual((self.suspended(group), self.suspended(other)), (True, False))
        self.assertEqual(self.operate("GET", ALL).document["suspended"], 1)
        self.assertFalse(self.operate("DELETE", self.one(other)).document["changed"])
        self.assertTrue(self.operate("DELETE", self.one(group)).document["changed"])

    def test_nobody(self) -> None:
        """An unknown group is told as such; an unknown tenant has no groups."""
        self.assertEqual(
            self.operate("PUT", self.one(UNKNOWN)).error, "404 NoSuchScalingGroupError"
        )
        self.assertEqual(
            self.operate("PUT", "/tenants/nobody/suspension").document,
            {"tenant": "nobody", "groups": 0, "suspended": 0, "changed": 0},
        )

    def test_what_the_owner_sees(self) -> None:
        """State-changing calls are refused, the rest goes on, and the history tells of it."""
        group = self.make_group(minEntities=0)
        policy = self.make_policy(group)
        _, capability = self.make_webhook(policy)
        self.operate("PUT", ALL)

        self.check_rows(
            {
                "execute": (
                    "403 TenantSuspendedError",
                    lambda: self.ask("POST", f"{policy}/execute"),
                ),
                "converge": (
                    "403 TenantSuspendedError",
                    lambda: self.ask("POST", f"{group}/converge"),
                ),
                "config": (
                    "403 TenantSuspendedError",
                    lambda: self.ask("PUT", f"{group}/config", a_config()),
                ),
                "server": (
                    "403 TenantSuspendedError",
                    lambda: self.ask("DELETE", f"{group}/servers/s1"),
                ),
                "capability": ("202", lambda: self.ask("POST", capability, token=None)),
                "read": ("200", lambda: self.ask("GET", group)),
                "pause": ("204", lambda: self.ask("POST", f"{group}/pause")),
                "resume": ("204", lambda: self.ask("POST", f"{group}/resume")),
                "another": ("201", lambda: self.ask("POST", GROUPS, a_group())),
            }
        )
        self.assertEqual(self.desired(group), 0)
        told = self.ask("GET", f"{group}/activities").document["activities"]
        self.assertIn(("group.suspended", "operator"), [(a["kind"], a["actor"]) for a in told])
        self.assertEqual(self.ask("DELETE", group).status, 204)

    def test_store_down(self) -> None:
        """What cannot be stored is not acknowledged."""
        self.make_group()

        self.patch(
            self.store, "update_group", lambda *_, **__: failing(StoreUnavailableError("down"))
        )

        self.assertEqual(self.operate("PUT", ALL).error, "503 ServiceUnavailable")

    def test_deleted_meanwhile(self) -> None:
        """A group that goes while its tenant is suspended stops nobody."""
        self.make_group()

        self.patch(
            self.controller,
            "set_suspended",
            lambda *_, **__: failing(NoSuchScalingGroupError("gone")),
        )

        self.assertEqual(
            self.operate("PUT", ALL).document,
            {"tenant": TENANT, "groups": 1, "suspended": 1, "changed": 0},
        )
