"""
Write documents of the API in the format that was asked for. Pure.

JSON and YAML hold the documents as the service sent them, so a script sees everything; with
columns named, they hold just those. ``value`` is for shells: tabs between cells, no heading.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import yaml
from attrs import field, frozen

from otter.cli.display.table import Canvas, Heading, field_lines, list_lines
from otter.cli.display.text import cell, lines_of
from otter.cli.documents import write_json
from otter.cli.exits import UsageError

Document = Mapping[str, Any]


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    VALUE = "value"


@frozen
class Column:
    """
    One piece of a document.

    :ivar find: finds it; what a document lacks is None.
    :ivar whole: useless when shortened.
    :ivar extra: shown only to those who name it.
    """

    name: str
    find: Callable[[Document], Any]
    whole: bool = False
    extra: bool = False


@frozen
class Style:
    """
    What was asked for.

    :ivar chosen: names of columns in the order wanted; empty for the usual ones.
    """

    format: Format = Format.TABLE
    chosen: tuple[str, ...] = ()
    canvas: Canvas = field(factory=Canvas)


def write_list(documents: Sequence[Document], columns: Sequence[Column], style: Style) -> str:
    """
    Return a collection as text.

    :raises UsageError: a chosen column does not exist.
    """
    shown = choose_columns(columns, style.chosen)
    if style.format in {Format.JSON, Format.YAML}:
        plain = [dict(d) for d in documents]
        chosen = [_pick(d, shown) for d in documents]
        return _structured(chosen if style.chosen else plain, style.format)
    rows = [[cell(column.find(document)) for column in shown] for document in documents]
    if style.format is Format.VALUE:
        return _text(["\t".join(row) for row in rows])
    headings = [Heading(column.name, column.whole) for column in shown]
    return _text(list_lines(headings, rows, style.canvas))


def write_one(document: Document, columns: Sequence[Column], style: Style) -> str:
    """
    Return one resource as text.

    :raises UsageError: a chosen column does not exist.
    """
    shown = choose_columns(columns, style.chosen)
    if style.format in {Format.JSON, Format.YAML}:
        whole = _pick(document, shown) if style.chosen else dict(document)
        return _structured(whole, style.format)
    if style.format is Format.VALUE:
        return _text([cell(column.find(document)) for column in shown])
    found = ((column.name, column.find(document)) for column in shown)
    # What a resource does not have takes no line, unless it was asked for.
    fields = [(name, lines_of(v)) for name, v in found if style.chosen or v not in (None, [], {})]
    return _text(field_lines(fields, style.canvas))


def choose_columns(columns: Sequence[Column], chosen: Sequence[str]) -> list[Column]:
    """
    Return the columns that were named, or else the usual ones.

    :raises UsageError: one does not exist.
    """
    known = {column.name: column for column in columns}
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise UsageError(f"no column {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in chosen] or [c for c in columns if not c.extra]


def _pick(document: Document, columns: Sequence[Column]) -> dict[str, Any]:
    return {column.name: column.find(document) for column in columns}


def _structured(document: Any, wanted: Format) -> str:
    if wanted is Format.JSON:
        return write_json(document, indent=2) + "\n"
    # Beyond ASCII everything is escaped, as in JSON: some of it would move a terminal's cursor,
    # and some YAML itself takes for the end of a line.
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False)
    return text


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Writes exact numbers as they are, and never a reference to an earlier part."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_number(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", str(number))


_Dumper.add_representer(Decimal, _represent_number)
