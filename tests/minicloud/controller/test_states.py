"""Tests of ``minicloud.controller.states``."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from minicloud.config import DEFAULT_FLAVORS
from minicloud.controller import states
from minicloud.controller.interface import Action, NodeEvent
from minicloud.controller.records import NewServer, Server

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(minutes=1)


def a_server(vm_state: str = "active", task_state: str | None = None, **fields: Any) -> Server:
    """Return a server in a state."""
    new = NewServer("web", "image", "1")
    given = {"host": "node-1", "vm_state": vm_state, "task_state": task_state, **fields}
    server = Server("s", 1, "p", "u", new, DEFAULT_FLAVORS[0], START, START, {}, "web", "image")
    return evolve(server, **given)


class StatusTests(SynchronousTestCase):
    """What clients see."""

    def test_table(self) -> None:
        """The status follows from both states, as in Nova."""
        cases = {
            ("building", "spawning"): "BUILD",
            ("active", None): "ACTIVE",
            ("active", "deleting"): "ACTIVE",
            ("active", "rebooting"): "REBOOT",
            ("stopped", "rebooting_hard"): "HARD_REBOOT",
            ("stopped", None): "SHUTOFF",
            ("error", "rebuilding"): "REBUILD",
            ("error", None): "ERROR",
            ("deleted", None): "DELETED",
            ("something new", None): "UNKNOWN",
        }

        self.assertEqual({pair: states.status_of(*pair) for pair in cases}, cases)

    def test_every_settable_status_is_reached(self) -> None:
        """Setting a status by command makes clients see exactly that one."""
        seen = set()
        for status in states.SETTABLE_STATUSES:
            server = states.with_status(a_server(), status, "", LATER)
            seen.add((status, states.status_of(server.vm_state, server.task_state)))

        self.assertEqual(seen, {(status, status) for status in states.SETTABLE_STATUSES})

    def test_deleted_cannot_be_set(self) -> None:
        """A server is deleted by deleting it, or its address would never come back."""
        self.assertRaises(KeyError, states.with_status, a_server(), "DELETED", "", LATER)

    def test_error_carries_a_fault(self) -> None:
        """A commanded ERROR says why; leaving ERROR forgets it."""
        failed = states.with_status(a_server(), "ERROR", "disk", LATER)
        well = states.with_status(failed, "ACTIVE", "", LATER)

        self.assertEqual(failed.fault and failed.fault.message, "disk")
        self.assertIsNone(well.fault)


class ReportTests(SynchronousTestCase):
    """What a node's word changes."""

    def after(self, server: Server, event: NodeEvent) -> tuple[str, str | None]:
        """Return both states after a report."""
        changed = states.after_report(server, event, "why", LATER)
        return changed.vm_state, changed.task_state

    def test_up(self) -> None:
        """A server that was awaited becomes ACTIVE, whatever it was awaited for."""
        for vm_state, task in (
            ("building", "spawning"),
            ("active", "rebooting"),
            ("error", "rebooting_hard"),
            ("stopped", "powering-on"),
            ("active", "rebuilding"),
        ):
            self.assertEqual(
                self.after(a_server(vm_state, task), NodeEvent.RUNNING), ("active", None)
            )

    def test_launched_once(self) -> None:
        """The launch is the first time up; reboots do not move it."""
        first = states.after_report(a_server("building"), NodeEvent.RUNNING, "", START)
        again = states.after_report(
            evolve(first, task_state="rebooting"), NodeEvent.RUNNING, "", LATER
        )

        self.assertEqual((first.launched, again.launched), (START, START))

    def test_unawaited_up(self) -> None:
        """A late or repeated report of running does not revive a server."""
        for vm_state in ("stopped", "error", "active"):
            server = a_server(vm_state)
            self.assertIs(states.after_report(server, NodeEvent.RUNNING, "", LATER), server)

    def test_ended(self) -> None:
        """An orderly end is SHUTOFF, a violent one ERROR with its reason."""
        failed = states.after_report(a_server(), NodeEvent.FAILED, "killed", LATER)

        self.assertEqual(self.after(a_server(), NodeEvent.STOPPED), ("stopped", None))
        self.assertEqual((failed.vm_state, failed.task_state), ("error", None))
        self.assertEqual(failed.fault and failed.fault.message, "killed")

    def test_being_deleted(self) -> None:
        """Nothing but its end changes a server that is being deleted."""
        server = a_server("active", "deleting")
        for event in (NodeEvent.RUNNING, NodeEvent.STOPPED, NodeEvent.FAILED):
            self.assertIs(states.after_report(server, event, "", LATER), server)


class DeletionTests(SynchronousTestCase):
    """The way out."""

    def test_asked_twice(self) -> None:
        """The first request counts; the second changes nothing."""
        asked = states.deletion_asked(a_server(), START)

        self.assertTrue(asked.deleting)
        self.assertIs(states.deletion_asked(asked, LATER), asked)

    def test_stale_view(self) -> None:
        """A list that lags behind shows a deleted server as it was before."""
        gone = states.deleted(states.deletion_asked(a_server("error"), START), LATER)
        stale = states.as_before_deletion(gone)

        self.assertEqual(states.status_of(gone.vm_state, gone.task_state), "DELETED")
        self.assertEqual(states.status_of(stale.vm_state, stale.task_state), "ERROR")


class ActionTests(SynchronousTestCase):
    """What may be done when."""

    def test_allowed(self) -> None:
        """Actions that make sense are not refused."""
        for server, action in (
            (a_server(), Action.REBOOT_SOFT),
            (a_server("error"), Action.REBOOT_HARD),
            (a_server("active", "rebooting"), Action.REBOOT_HARD),
            (a_server("stopped"), Action.START),
            (a_server(), Action.STOP),
            (a_server("error"), Action.REBUILD),
        ):
            self.assertEqual(states.refusal(server, action), "")

    def test_refused(self) -> None:
        """The refusal names what is in the way: the state, the task, or that it has no host."""
        for server, action, reason in (
            (a_server("building"), Action.STOP, "vm_state building"),
            (a_server(), Action.START, "vm_state active"),
            (a_server("active", "deleting"), Action.REBOOT_HARD, "task_state deleting"),
            (a_server("error", host=""), Action.REBUILD, "not ready"),
        ):
            self.assertIn(reason, states.refusal(server, action))
