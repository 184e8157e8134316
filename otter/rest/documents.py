"""
Turn bytes into JSON documents and back, so that whatever passes is safe for everything behind.

Note [What a document may be]
    JSON allows more than the rest of the house can carry: nesting that exhausts the stack, numbers
    whose expansion exhausts the memory, halves of surrogate pairs that no encoding can store, and
    so many values that judging them delays everybody. All of that is refused here, once.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import simplejson

from otter.controller.errors import ValidationError
from otter.rest.errors import InvalidJsonError

MAX_DEPTH = 50
MAX_VALUES = 50_000
MAX_DIGITS = 1000
MAX_EXPONENT = 400


def read_document(body: bytes) -> Any:
    """
    Return the JSON document in ``body``; numbers with a fraction are ``Decimal``, exactly as sent.

    :raises InvalidJsonError: it is not JSON in UTF-8, or not JSON that can be carried.
    :raises ValidationError: it is JSON with too many values or a number out of all proportion.
    """
    try:
        document = simplejson.loads(
            body.decode("utf-8"), parse_float=_read_fraction, parse_int=_read_integer
        )
        _inspect(document)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise InvalidJsonError from error
    return document


def write_document(document: object) -> bytes:
    """Return the document as JSON with everything but ASCII escaped."""
    return simplejson.dumps(document, use_decimal=True).encode("ascii")


def _read_integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _check_length(text: str) -> None:
    if len(text.removeprefix("-")) > MAX_DIGITS:
        raise ValidationError(f"a number has more than {MAX_DIGITS} digits")


def _read_fraction(text: str) -> Decimal:
    _check_length(text)
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise ValidationError(f"a number has an exponent beyond {MAX_EXPONENT}")
    return number


def _inspect(document: object) -> None:
    """Walk the document without recursion; refuse what is too deep, too much or not encodable."""
    level: list[object] = [document]
    seen = 0
    for _ in range(MAX_DEPTH):
        seen += len(level)
        if seen > MAX_VALUES:
            raise ValidationError(f"the document has more than {MAX_VALUES} values")
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise InvalidJsonError


def _children(value: object) -> Iterable[object]:
    """Return what ``value`` is made of."""
    if isinstance(value, str):
        if not value.isascii():
            value.encode("utf-8")  # raises for a lone surrogate
        return ()
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()
