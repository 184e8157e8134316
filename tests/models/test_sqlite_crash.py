"""A process that is killed in the middle loses nothing it promised and leaves nothing by half."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from twisted.internet.threads import deferToThread

from otter.models.group import DirtyMark
from otter.models.ids import GroupId
from otter.models.sqlite import SQLiteStore
from tests.contracts.store_records import INSTANCE, NOW, TENANT
from tests.models.crash_writer import GROUPS
from tests.models.sqlite_fixture import InSQLite, a_store

ROUNDS = 8
ROOT = Path(__file__).parents[2]

Acknowledged = dict[str, int]


def run_and_kill(path: Path, after: int) -> Acknowledged:
    """
    Let a process write to the file, kill it once it has said so many words, and return what it
    was told is stored: the last generation of each group.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.models.crash_writer", str(path.resolve())],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines.extend(_whole_lines(process.stdout))
    words = [line.decode().split() for line in lines]
    return {group_id: int(generation) for group_id, generation in words}


def _whole_lines(output: IO[bytes]) -> list[bytes]:
    """Return what is left to read; the last line may have been cut off."""
    return [line for line in output if line.endswith(b"\n")]


class CrashTests(InSQLite):
    """SIGKILL, at any moment."""

    timeout = 60

    async def test_what_was_acknowledged_is_there_and_nothing_is_half_written(self) -> None:
        """Killed again and again, the same file is opened again each time, by us and by it."""
        path = Path(self.mktemp())
        promised: Acknowledged = {}
        for _ in range(ROUNDS):
            promised |= await deferToThread(run_and_kill, path, random.randrange(1, 400))
            store = a_store(path)
            await store.open()
            try:
                for group_id, generation in promised.items():
                    await self.assert_whole(store, group_id, at_least=generation)
            finally:
                await store.close()

        self.assertEqual(set(promised), set(GROUPS))

    async def assert_whole(self, store: SQLiteStore, group_id: str, *, at_least: int) -> None:
        """Fail unless all that a write changes is of the same write, and of a late enough one."""
        group = await store.get_group(TENANT, GroupId(group_id))
        number = group.generation
        self.assertGreaterEqual(number, at_least)

        ledger = await store.read_ledger(TENANT, group.group_id)
        marks = {mark.group_id: mark for mark in await store.list_dirty()}
        messages = await store.due_notifications(NOW)
        attempts = [m.attempts for m in messages if m.notification_id == group_id]
        newest, *older = await store.list_activities(TENANT, group.group_id, limit=number)
        self.assertEqual(group.desired, number)
        self.assertEqual(ledger.convergence.revision, number - 1)
        self.assertEqual(ledger.entries[INSTANCE].reason, str(number))
        self.assertEqual(marks[group.group_id], DirtyMark(TENANT, group.group_id, number))
        self.assertEqual(attempts, [number])
        self.assertEqual(newest.activity_id, f"{number:08}")
        self.assertEqual(len(older), number - 2)
