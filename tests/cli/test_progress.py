"""How a wait looks."""

from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.progress import CLEAR, Progress
from tests.cli.scene import HASH, Screen


class ProgressTests(SynchronousTestCase):
    """Lines beside the results."""

    def test_terminal(self) -> None:
        """One line is written over, and at the end the cursor leaves it."""
        screen = Screen()
        progress = Progress(screen, 80)
        progress.show("1 active", 0.4)
        progress.show("2 active", 1.6)
        progress.end()

        self.assertEqual(f"{CLEAR}1 active (0 s){CLEAR}2 active (2 s)\n", screen.getvalue())

    def test_narrow_terminal(self) -> None:
        """A line that wraps could not be written over."""
        screen = Screen()
        Progress(screen, 10).show("a long story", 0)

        self.assertEqual(f"{CLEAR}a long s…", screen.getvalue())

    def test_log(self) -> None:
        """In a log each change has its line, and time alone is no change."""
        log = StringIO()
        progress = Progress(log, 80)
        for text in ("1 active", "1 active", "2 active"):
            progress.show(text, 1.0)
        progress.end()

        self.assertEqual("1 active\n2 active\n", log.getvalue())

    def test_nothing_shown(self) -> None:
        """A wait that never began leaves no empty line."""
        screen = Screen()
        Progress(screen, 80).end()

        self.assertEqual("", screen.getvalue())

    def test_other_peoples_text(self) -> None:
        """Errors of clouds are shown here too: no control characters, no secrets."""
        log = StringIO()
        Progress(log, 80).show(f"bad\x1b[2J\n{HASH}", 0)

        self.assertEqual("bad\\x1b[2J\\n***\n", log.getvalue())
