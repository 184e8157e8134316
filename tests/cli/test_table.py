"""Tables that fit."""

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.display.table import (
    GAP,
    NARROWEST,
    Canvas,
    Heading,
    field_lines,
    fit,
    list_lines,
)

HEADINGS = (Heading("id", whole=True), Heading("name"))
ROWS = (("51d2", "a long name"), ("e913", "b"))


class ListLinesTests(SynchronousTestCase):
    """Collections."""

    def test_nobody_looks(self) -> None:
        """In a pipe nothing is shortened or emphasised."""
        self.assertEqual(
            ["ID    NAME", "51d2  a long name", "e913  b"], list_lines(HEADINGS, ROWS, Canvas())
        )

    def test_narrow_terminal(self) -> None:
        """Names give way; half an id would be of no use."""
        self.assertEqual(
            ["ID    NAME", "51d2  a long…", "e913  b"], list_lines(HEADINGS, ROWS, Canvas(13))
        )

    def test_bold(self) -> None:
        """Only the heading stands out."""
        lines = list_lines(HEADINGS, ROWS, Canvas(80, bold=True))

        self.assertEqual([True, False, False], ["\x1b" in line for line in lines])

    def test_empty(self) -> None:
        """A heading over nothing says that there is nothing, rather than that something broke."""
        self.assertEqual(["ID  NAME"], list_lines(HEADINGS, (), Canvas(80)))


class FitTests(SynchronousTestCase):
    """How wide columns become."""

    @given(
        some.lists(some.tuples(some.integers(0, 60), some.booleans()), min_size=1, max_size=6),
        some.integers(10, 200),
    )
    def test_bounds(self, columns: list[tuple[int, bool]], width: int) -> None:
        """Columns only shrink, whole ones never, and as far as is needed if it is possible."""
        natural = [size for size, _ in columns]
        whole = [keep for _, keep in columns]
        widths = fit(natural, whole, width)
        least = sum(s if keep else min(s, NARROWEST) for s, keep in columns)
        room = width - len(GAP) * (len(columns) - 1)

        for before, after, keep in zip(natural, widths, whole, strict=True):
            self.assertLessEqual(after, before)
            self.assertGreaterEqual(after, before if keep else min(before, NARROWEST))
        self.assertEqual(sum(widths) <= room, least <= room)
        if sum(natural) <= room:
            self.assertEqual(natural, widths)


class FieldLinesTests(SynchronousTestCase):
    """Single resources."""

    def test_several_values(self) -> None:
        """Each value has its line below the first."""
        fields = (("id", ["51d2"]), ("servers", ["a", "b"]), ("name", [""]))

        self.assertEqual(
            ["id       51d2", "servers  a", "         b", "name"], field_lines(fields, Canvas())
        )

    def test_long_value(self) -> None:
        """A value that is too long goes on below itself; a word longer than that stays whole."""
        lines = field_lines((("why", ["one two three", "https://a.test/long"]),), Canvas(14))

        self.assertEqual(["why  one two", "     three", "     https://a.test/long"], lines)
