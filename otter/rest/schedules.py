"""
Judge the times of schedule policies: the ``at`` and ``cron`` grammars of rest-api.md 5.5 and 5.6.
"""

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from attrs import frozen

from otter.controller.errors import ValidationError

_AT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]+))?)?Z"
)
MAX_CRON_LENGTH = 1000
"""More than any sensible schedule needs; lists could go on for ever."""

_LEAP_YEAR = 2024
_NO_NAMES: Mapping[str, int] = MappingProxyType({})


def read_at(text: str) -> datetime:
    """
    Return the moment ``text`` names; seconds may be missing, a blank may stand for the ``T``.

    :raises ValidationError: it does not follow the grammar or there is no such moment.
    """
    match = _AT.fullmatch(text)
    if match is None:
        raise ValidationError("at must look like 2031-03-01T08:00:00Z")
    year, month, day, hour, minute, second, fraction = match.groups()
    microsecond = int(((fraction or "") + "000000")[:6])
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            microsecond,
            tzinfo=UTC,
        )
    except ValueError as error:
        raise ValidationError("at names a time that does not exist") from error


def check_at(text: str, *, now: datetime) -> None:
    """
    Judge an ``at``.

    :raises ValidationError: it is malformed or not in the future.
    """
    if read_at(text) <= now:
        raise ValidationError("at must be in the future")


@frozen
class _Field:
    """One of the five fields: what it may hold."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = _NO_NAMES
    zero_is_one: bool = False

    def read(self, text: str) -> frozenset[int]:
        """
        Return the values that ``text`` stands for.

        :raises ValidationError: it stands for none.
        """
        return frozenset().union(*(self._item(item) for item in text.split(",")))

    def _item(self, text: str) -> range:
        body, slash, step_text = text.partition("/")
        low, dash, high = body.partition("-")
        if body == "*":
            first, last = self.low, self.high
        else:
            first = self._value(low, text)
            last = self._value(high, text) if dash else first
        step = 1
        if slash:
            # A step needs something to step through: n/m is refused as it always was.
            spans = body == "*" or dash
            if not (spans and re.fullmatch(r"[0-9]{1,9}", step_text) and int(step_text)):
                raise self._refusal(text)
            step = int(step_text)
        if first > last:
            raise self._refusal(text)
        return range(first, last + 1, step)

    def _value(self, text: str, whole: str) -> int:
        if text.lower() in self.names:
            return self.names[text.lower()]
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise self._refusal(whole)
        value = int(text)
        if self.zero_is_one and value == 0:
            return 1
        if not self.low <= value <= self.high:
            raise self._refusal(whole)
        return value

    def _refusal(self, text: str) -> ValidationError:
        return ValidationError(f"cron: {text[:20]!r} is no {self.name}")


def _numbered(names: str, first: int) -> Mapping[str, int]:
    return MappingProxyType({name: number for number, name in enumerate(names.split(), first)})


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31, zero_is_one=True),
    _Field(
        "month",
        1,
        12,
        _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1),
        zero_is_one=True,
    ),
    _Field("day of week", 0, 7, _numbered("sun mon tue wed thu fri sat", 0)),
)


def check_cron(text: str) -> None:
    """
    Judge a ``cron``.

    :raises ValidationError: it is malformed or names days that never come.
    """
    fields = text.strip(" \t")
    if len(fields) > MAX_CRON_LENGTH:
        raise ValidationError(f"cron must have at most {MAX_CRON_LENGTH} characters")
    parts = re.split(r"[ \t]+", fields)
    if len(parts) != len(_FIELDS):
        raise ValidationError("cron must have five fields: minute, hour, day, month, day of week")
    last_day = parts[2] in {"L", "l"}
    if last_day:
        parts[2] = "*"
    read = [field.read(part) for field, part in zip(_FIELDS, parts, strict=True)]
    if parts[4] == "*" and not _comes(days=read[2], months=read[3]):
        raise ValidationError("cron names a day that never comes")


def _comes(*, days: frozenset[int], months: frozenset[int]) -> bool:
    """Return whether one of the months ever has one of the days."""
    return any(min(days) <= calendar.monthrange(_LEAP_YEAR, month)[1] for month in months)
