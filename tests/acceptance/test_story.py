"""``make run`` as its users see it: the whole story with real server processes, and a clean end."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from otter.testing.processes import RunningService, eventually


class StoryTests(TestCase):
    """The demo is the first thing anybody sees of us."""

    timeout = 120

    def start(self, *arguments: str) -> RunningService:
        """Start ``otter demo`` with its scratch files in a folder of our own."""
        folder = tempfile.TemporaryDirectory(prefix="otter-story-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        script = str(Path(sys.executable).with_name("otter"))
        command = ["env", f"TMPDIR={self.folder}", sys.executable, script, "demo", *arguments]
        demo = RunningService(reactor, "demo", command, self.folder / "demo.log")
        self.addCleanup(demo.end_at_once)
        return demo

    def left_behind(self) -> list[str]:
        """Return the command lines of processes that work in our folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if entry.name.isdigit() and str(self.folder) in command:
                found.append(command)
        return found

    def test_story_only(self) -> Deferred[None]:
        """Every step ends well, the status says so, and no process is left."""
        return Deferred.fromCoroutine(self._story_only())

    async def _story_only(self) -> None:
        demo = self.start("--story-only")
        await self._until(lambda: demo.ended, "the end of the story")
        log = demo.log.read_text("utf-8")

        self.assertEqual(demo.status, 0, log)
        self.assertIn("The story ends well.", log)
        for step in ("2 servers in service", "webhook hit", "replaced", "drained", "no server"):
            self.assertIn(step, log)
        self.assertEqual(self.left_behind(), [])

    def test_interrupted(self) -> Deferred[None]:
        """Ctrl-C ends everything that was started, servers included."""
        return Deferred.fromCoroutine(self._interrupted())

    async def _interrupted(self) -> None:
        demo = self.start()
        await self._until(
            lambda: demo.ended or "Try, in another terminal" in demo.log.read_text("utf-8"),
            "the guide",
        )
        self.assertFalse(demo.ended, demo.tail())
        self.assertNotEqual(self.left_behind(), [])

        os.kill(demo.pid, signal.SIGINT)
        await self._until(lambda: demo.ended, "the end")

        self.assertEqual(self.left_behind(), [])

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        async def look() -> bool:
            return condition()

        await eventually(reactor, what, look, timeout=timedelta(seconds=60))
