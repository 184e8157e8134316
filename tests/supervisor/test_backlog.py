"""How many groups wait, and for how long."""

from datetime import timedelta

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.models.ids import GroupId
from otter.supervisor.backlog import Backlog

MINUTE = timedelta(minutes=1)


class BacklogTests(SynchronousTestCase):
    """Marks as one look after the other finds them."""

    def setUp(self) -> None:
        """Start with none."""
        self.clock = Clock()
        self.backlog = Backlog(self.clock)

    def look(self, *groups: str) -> None:
        """Find these marks, and let a minute pass."""
        with self.backlog.reading() as found:
            for group in groups:
                found(GroupId(group))
        self.clock.advance(MINUTE.total_seconds())

    def told(self) -> tuple[int, float]:
        """Return what operators are told."""
        return self.backlog.count(), self.backlog.oldest_seconds()

    def test_nothing(self) -> None:
        """No marks, no age."""
        self.assertEqual(self.told(), (0, 0))

    def test_age(self) -> None:
        """A mark ages as long as every look finds it; the oldest one counts."""
        self.look("a")
        self.look("a", "b")
        self.assertEqual(self.told(), (2, 120))

        self.look("b")
        self.assertEqual(self.told(), (1, 120))

    def test_comes_back(self) -> None:
        """A mark that was gone is a new one."""
        self.look("a")
        self.look()
        self.look("a")

        self.assertEqual(self.told(), (1, 60))

    def test_failed_look(self) -> None:
        """Half a look tells nothing: the last whole one stays."""
        self.look("a", "b")
        try:
            with self.backlog.reading() as found:
                found(GroupId("a"))
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

        self.assertEqual(self.told(), (2, 60))
