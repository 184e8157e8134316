"""Read query arguments: the first occurrence counts, unknown ones do not (rest-api.md 2)."""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from otter.rest.errors import InvalidQueryArgumentError

MAX_PAGE = 100
_INTEGER = re.compile(r"([+-]?)0*([0-9]+)", re.ASCII)


@frozen
class Query:
    """The arguments after the question mark, as Twisted decodes them."""

    arguments: Mapping[bytes, Sequence[bytes]]

    def text(self, name: str) -> str | None:
        """Return an argument's first value, with U+FFFD for what is not UTF-8."""
        values = self.arguments.get(name.encode("ascii"))
        return values[0].decode("utf-8", "replace") if values else None

    def flag(self, name: str, *, default: bool) -> bool:
        """
        Return whether an argument says ``true`` or ``false``, in any letter case.

        :raises InvalidQueryArgumentError: it says something else.
        """
        text = self.text(name)
        if text is None:
            return default
        if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        raise InvalidQueryArgumentError(f"{name} must be true or false")

    @property
    def webhooks(self) -> bool:
        """Whether a manifest is asked for its webhooks; anything but ``true`` is ignored."""
        return (self.text("webhooks") or "").lower() == "true"


@frozen
class Page:
    """Which part of a collection is wanted."""

    limit: int
    marker: str


def read_page(query: Query) -> Page:
    """
    Return the page asked for, its size brought into 1 to 100.

    :raises InvalidQueryArgumentError: ``limit`` is not an integer.
    """
    text = query.text("limit")
    limit = MAX_PAGE if text is None else _read_limit(text)
    return Page(limit, query.text("marker") or "")


def _read_limit(text: str) -> int:
    match = _INTEGER.fullmatch(text.strip())
    if match is None:
        raise InvalidQueryArgumentError("limit must be an integer")
    sign, digits = match.groups()
    if sign == "-":
        return 1
    # More digits than the maximum has mean more than the maximum; int() refuses the longest ones.
    return MAX_PAGE if len(digits) > 3 else min(MAX_PAGE, max(1, int(digits)))
