"""
Turn values into text that a terminal shows as it is. Pure.

Names and reasons come from other people and from clouds: a control character in one of them must
not move the reader's cursor or end a script's line.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

ELLIPSIS = "…"
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WIDE = frozenset({"W", "F"})


def plain(text: str) -> str:
    """Return ``text`` on one line, with what is not meant to be seen written as an escape."""
    return "".join(_escape(c) if unicodedata.category(c) in _CONTROL else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def one_line(text: str) -> str:
    """Return a message of several lines as one."""
    return plain("; ".join(line.strip() for line in text.splitlines() if line.strip()))


def lines_of(value: Any) -> list[str]:
    """Return a value of a JSON document as lines for a person, at least one."""
    if isinstance(value, Mapping):
        found = [f"{plain(str(k))}={cell(v)}" for k, v in value.items()]
    elif isinstance(value, list | tuple):
        found = [cell(item) for item in value]
    else:
        found = [cell(value)]
    return found or [""]


def cell(value: Any) -> str:
    """Return a value of a JSON document as one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return ", ".join(line for line in lines_of(value) if line)
    return plain(str(value))


def width_of(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    return sum(_width_of_character(character) for character in text)


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def shorten(text: str, width: int) -> str:
    """Return ``text``, its end replaced by an ellipsis if it takes more than ``width`` columns."""
    if width_of(text) <= width:
        return text
    kept = ""
    used = width_of(ELLIPSIS)
    for character in text:
        used += _width_of_character(character)
        if used > width:
            break
        kept += character
    return kept + ELLIPSIS if width > 0 else ""


def pad(text: str, width: int) -> str:
    """Return ``text`` with blanks behind it, up to ``width`` columns."""
    return text + " " * max(0, width - width_of(text))
