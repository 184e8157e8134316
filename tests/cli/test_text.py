"""Text that a terminal shows as it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.display import text


class PlainTests(SynchronousTestCase):
    """Other people's text on one's own terminal."""

    def test_escape_sequences(self) -> None:
        """A group's name must not clear the screen of whoever lists it."""
        self.assertEqual(r"a\x1b[2Jb\nc", text.plain("a\x1b[2Jb\nc"))

    def test_bidirectional_marks(self) -> None:
        """Nor must it write backwards over what stands beside it."""
        self.assertEqual(r"a\u202eb", text.plain("a\u202eb"))

    @given(some.text())
    def test_one_line(self, anything: str) -> None:
        """Whatever it is, it stays on its line."""
        self.assertEqual(1, len((text.plain(anything) + ".").splitlines()))

    def test_letters_stay(self) -> None:
        """Umlauts and ideographs are letters, not dangers."""
        self.assertEqual("Fähre 船 🚀", text.plain("Fähre 船 🚀"))

    def test_message_of_several_lines(self) -> None:
        """An error with one problem per line becomes one line."""
        self.assertEqual("image; flavor", text.one_line("image\n\n  flavor\n"))


class CellTests(SynchronousTestCase):
    """Values of JSON documents as text."""

    def test_kinds(self) -> None:
        """Each kind of value in the way its reader expects."""
        rows: tuple[tuple[Any, str], ...] = (
            (None, ""),
            (True, "true"),
            (False, "false"),
            (0, "0"),
            ("a", "a"),
            ([], ""),
        )

        self.assertEqual([shown for _, shown in rows], [text.cell(value) for value, _ in rows])

    def test_nested(self) -> None:
        """Lists and objects are flattened, keys included."""
        self.assertEqual("a=1, b=x, y", text.cell({"a": 1, "b": ["x", "y"]}))

    def test_lines(self) -> None:
        """Where there is room, each item has its line; nothing is still a line."""
        self.assertEqual(["x", "y"], text.lines_of(["x", "y"]))
        self.assertEqual([""], text.lines_of([]))


class ShortenTests(SynchronousTestCase):
    """Text in a column that is too narrow for it."""

    def test_shortened(self) -> None:
        """An ellipsis says that there is more."""
        self.assertEqual(["abc", "ab…"], [text.shorten("abc", 3), text.shorten("abcd", 3)])

    @given(some.text(), some.integers(min_value=0, max_value=20))
    def test_never_wider(self, anything: str, width: int) -> None:
        """Ideographs take two columns; counting characters would break the table."""
        self.assertLessEqual(text.width_of(text.shorten(anything, width)), width)

    def test_wide_letters(self) -> None:
        """Padding counts columns too."""
        self.assertEqual("船 ", text.pad("船", 3))
