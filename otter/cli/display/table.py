"""Lay out tables: as wide as they are, or as wide as a terminal. Pure."""

import textwrap
from collections.abc import Sequence

from attrs import frozen

from otter.cli.display.text import pad, shorten, width_of

GAP = "  "
NARROWEST = 6
BOLD, NORMAL = "\x1b[1m", "\x1b[0m"


@frozen
class Heading:
    """
    The top of a column.

    :ivar whole: what is below is useless when shortened: ids, times.
    """

    name: str
    whole: bool = False


@frozen
class Canvas:
    """
    What is written on.

    :ivar width: columns of the terminal, or None where nobody looks and nothing is shortened.
    :ivar bold: whether headings may stand out.
    """

    width: int | None = None
    bold: bool = False


def list_lines(
    headings: Sequence[Heading], rows: Sequence[Sequence[str]], canvas: Canvas
) -> list[str]:
    """Return a table with one line for each row."""
    natural = [
        max(width_of(heading.name), *(width_of(row[index]) for row in rows), 0)
        for index, heading in enumerate(headings)
    ]
    widths = fit(natural, [heading.whole for heading in headings], canvas.width)
    top = _line([heading.name.upper() for heading in headings], widths)
    return [_emphasised(top, canvas), *(_line(row, widths) for row in rows)]


def fit(natural: Sequence[int], whole: Sequence[bool], width: int | None) -> list[int]:
    """
    Return widths of columns that fit, as far as they can.

    The widest gives first, none gives more than down to ``NARROWEST``; what may not be shortened
    stays, even if the lines then wrap.
    """
    widths = list(natural)
    if width is None:
        return widths
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while excess > 0:
        giving = [i for i, keep in enumerate(whole) if not keep and widths[i] > NARROWEST]
        if not giving:
            break
        widest = max(giving, key=lambda index: widths[index])
        widths[widest] -= 1
        excess -= 1
    return widths


def field_lines(fields: Sequence[tuple[str, Sequence[str]]], canvas: Canvas) -> list[str]:
    """Return a table with a field's name and its values, one below the other, on each line."""
    column = max((width_of(name) for name, _ in fields), default=0)
    lines = []
    for name, values in fields:
        shown = [part for value in values for part in _wrapped(value, column, canvas)]
        label = pad(name, column)
        for index, value in enumerate(shown or [""]):
            front = _emphasised(label, canvas) if index == 0 else " " * column
            lines.append(f"{front}{GAP}{value}".rstrip())
    return lines


def _wrapped(value: str, column: int, canvas: Canvas) -> list[str]:
    if canvas.width is None:
        return [value]
    room = max(canvas.width - column - len(GAP), NARROWEST)
    return textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [pad(shorten(text, width), width) for text, width in zip(cells, widths, strict=True)]
    return GAP.join(fitted).rstrip()


def _emphasised(text: str, canvas: Canvas) -> str:
    return f"{BOLD}{text}{NORMAL}" if canvas.bold else text
