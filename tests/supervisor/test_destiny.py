"""What is intended for a server, state by state."""

from twisted.trial.unittest import SynchronousTestCase

from otter.supervisor.destiny import DESTINIES, Destiny, destiny_of
from tests.supervisor.world import a_server, an_entry

NOVA = {
    "serve": {"ACTIVE"},
    "build": {"BUILD"},
    "wait": {
        "REBOOT",
        "HARD_REBOOT",
        "MIGRATING",
        "PASSWORD",
        "REBUILD",
        "RESIZE",
        "REVERT_RESIZE",
        "UNKNOWN",
    },
    "leave": {
        "RESCUE",
        "VERIFY_RESIZE",
        "SUSPENDED",
        "PAUSED",
        "SHELVED",
        "SHELVED_OFFLOADED",
    },
    "replace": {"ERROR", "SHUTOFF"},
    "gone": {"SOFT_DELETED", "DELETED"},
}
"""Every value of ``status`` in Nova's API reference, by what is to be done."""


class DestinyTests(SynchronousTestCase):
    """The table."""

    def test_every_state_of_nova(self) -> None:
        """Each documented status has the destiny that was decided for it."""
        for destiny, statuses in NOVA.items():
            for status in statuses:
                server = a_server(an_entry(), status)

                self.assertEqual(destiny_of(server), Destiny(destiny), status)

    def test_nothing_else_is_in_the_table(self) -> None:
        """A new row needs a decision, and a line above; UNKNOWN falls through on purpose."""
        documented = set().union(*NOVA.values())

        self.assertEqual(set(DESTINIES), documented - {"UNKNOWN"})

    def test_an_unknown_state_counts_and_waits(self) -> None:
        """A status some future Nova invents neither creates nor deletes anything."""
        self.assertEqual(destiny_of(a_server(an_entry(), "TELEPORTING")), Destiny.WAIT)

    def test_a_server_being_deleted_is_going_whatever_its_status(self) -> None:
        """Nova says ACTIVE with the task ``deleting`` for as long as a deletion takes."""
        for status in ("ACTIVE", "BUILD", "ERROR", "TELEPORTING"):
            server = a_server(an_entry(), status, task_state="deleting")

            self.assertEqual(destiny_of(server), Destiny.GOING)

    def test_another_task_changes_nothing(self) -> None:
        """Only deletion is read from the task; everything else is in the status."""
        server = a_server(an_entry(), "ACTIVE", task_state="image_snapshot")

        self.assertEqual(destiny_of(server), Destiny.SERVE)
