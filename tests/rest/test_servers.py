"""Rows 9 and 10 of the route table: servers of a group."""

from datetime import timedelta
from typing import Any

from attrs import evolve

from otter.models.ids import GroupId, InstanceId, ServerId, TenantId
from otter.models.interface import LedgerWrite
from otter.models.ledger import EntryState, LedgerEntry
from tests.rest.world import GROUPS, NOW, TENANT, UNKNOWN, RestCase


class ServerCase(RestCase):
    """A group of two with a server in service."""

    def setUp(self) -> None:
        """Build the group and its ledger."""
        super().setUp()
        self.group = self.make_group(minEntities=1)
        policy = self.make_policy(self.group, change=1)
        self.ask("POST", f"{policy}/execute")
        self.add_server("s1", links=(("self", "http://nova/s1"), ("bookmark", "http://nova/b")))

    def add_server(self, server: str, **changes: Any) -> None:
        """Write a server in service into the ledger."""
        tenant_id, group_id = TenantId(TENANT), GroupId(self.group.rpartition("/")[2])
        entry = LedgerEntry(
            tenant_id,
            group_id,
            InstanceId(f"i-{server}"),
            launch_version=1,
            created=NOW - timedelta(hours=1),
            changed=NOW,
            state=EntryState.IN_SERVICE,
            server_id=ServerId(server),
        )
        ledger = self.ended(self.store.read_ledger(tenant_id, group_id))
        entries = (evolve(entry, **changes),)
        self.ended(self.store.write_ledger(LedgerWrite(ledger.convergence, entries)))

    def set_reasons(self, *reasons: str) -> None:
        """Put the group into ERROR."""
        tenant_id, group_id = TenantId(TENANT), GroupId(self.group.rpartition("/")[2])
        convergence = self.ended(self.store.read_ledger(tenant_id, group_id)).convergence
        failed = evolve(convergence, create_reasons=reasons)
        self.ended(self.store.write_ledger(LedgerWrite(failed)))


class ServerTests(ServerCase):
    """rest-api.md 3.16, and servers in the state of 3.6."""

    def test_servers_in_service_are_shown(self) -> None:
        """With the cloud's own links, and counted as active."""
        state = self.state(self.group)

        self.assertEqual((state["activeCapacity"], state["pendingCapacity"]), (1, 1))
        self.assertEqual(
            state["active"],
            [
                {
                    "id": "s1",
                    "links": [
                        {"rel": "self", "href": "http://nova/s1"},
                        {"rel": "bookmark", "href": "http://nova/b"},
                    ],
                }
            ],
        )

    def test_pending_is_negative_while_surplus_servers_remain(self) -> None:
        """Active and pending add up to desired on every read (rest-api.md 3.1)."""
        for number in range(2, 5):
            self.add_server(f"s{number}")

        state = self.state(self.group)

        self.assertEqual(
            (state["activeCapacity"], state["pendingCapacity"], state["desiredCapacity"]),
            (4, -2, 2),
        )

    def test_errors_are_told(self) -> None:
        """A group in ERROR says why, in every view of it."""
        self.set_reasons("bad key_name")
        expected = [{"message": "bad key_name"}]

        listed = self.ask("GET", GROUPS).document["groups"][0]["state"]
        manifest = self.ask("GET", self.group).document["group"]["state"]

        for state in (self.state(self.group), listed, manifest):
            self.assertEqual((state["status"], state["errors"]), ("ERROR", expected))

    def test_reading_was_never_offered(self) -> None:
        """501 for any group, existing or not, but a bad limit is told first."""
        offered = "501 NotImplementedError"
        self.check_rows(
            {
                "list": (offered, lambda: self.ask("GET", f"{self.group}/servers")),
                "list unknown": (offered, lambda: self.ask("GET", f"{GROUPS}/xyz/servers/")),
                "list bad limit": (
                    "400 InvalidQueryArgument",
                    lambda: self.ask("GET", f"{self.group}/servers?limit=ab"),
                ),
                "show": (offered, lambda: self.ask("GET", f"{self.group}/servers/s1")),
                "show unknown": (offered, lambda: self.ask("GET", f"{GROUPS}/xyz/servers/s1")),
            }
        )
        self.assertEqual(self.ask("GET", f"{self.group}/servers").message, "")

    def test_arguments(self) -> None:
        """Both are true or false in any case; they are judged before the group."""
        nowhere = f"{GROUPS}/{UNKNOWN}/servers/s1"
        bad = "400 InvalidQueryArgument"
        expected = {
            "?replace=bad": bad,
            "?replace=": bad,
            "?purge=1": bad,
            "?replace=true&purge=x": bad,
            "?replace=TRUE&purge=False": "404 NoSuchScalingGroupError",
            "": "404 NoSuchScalingGroupError",
        }

        found = {query: self.ask("DELETE", nowhere + query).error for query in expected}

        self.assertEqual(found, expected)

    def test_removing(self) -> None:
        """Replaced by default; not replaced the group wants one less, down to its minimum."""
        self.add_server("s2")
        self.add_server("s3")
        servers = f"{self.group}/servers"
        replaced = self.ask("DELETE", f"{servers}/s1")

        self.assertEqual((replaced.status, replaced.body), (202, b""))
        self.assertEqual(self.desired(self.group), 2)
        self.check_rows(
            {
                "smaller": ("202", lambda: self.ask("DELETE", f"{servers}/s2?replace=false")),
                "below min": (
                    "403 CannotDeleteServerBelowMinError",
                    lambda: self.ask("DELETE", f"{servers}/s3?replace=false"),
                ),
                "foreign below min": (
                    "404 ServerNotFoundError",
                    lambda: self.ask("DELETE", f"{servers}/foreign?replace=false"),
                ),
                "at min": ("202", lambda: self.ask("DELETE", f"{servers}/s3?purge=false")),
            }
        )
        self.assertEqual(self.desired(self.group), 1)
