"""
Read single arguments of the command line into values. Pure.

What these refuse, argparse tells with the option's name.
"""

from argparse import ArgumentTypeError
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any


def number(text: str) -> int | Decimal:
    """
    Return a number exactly as it was typed: whole ones stay whole.

    :raises ArgumentTypeError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not found.is_finite():
        raise ArgumentTypeError(f"{text!r} is not a number")
    return found


def whole(text: str) -> int:
    """
    Return a whole number.

    :raises ArgumentTypeError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive(text: str) -> int:
    """
    Return a whole number above zero.

    :raises ArgumentTypeError: it is none.
    """
    found = whole(text)
    if found < 1:
        raise ArgumentTypeError(f"{text} is not above 0")
    return found


def duration(text: str) -> timedelta:
    """
    Return a duration that is given in seconds.

    :raises ArgumentTypeError: it is no number, negative, or longer than any wait.
    """
    seconds = number(text)
    if not 0 <= seconds <= 10**7:
        raise ArgumentTypeError(f"{text} is not between 0 and 10000000 seconds")
    return timedelta(seconds=float(seconds))


def key_value(text: str) -> tuple[str, str]:
    """
    Return the two sides of ``k=v``; the value may hold more equals signs, or nothing.

    :raises ArgumentTypeError: there is no equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def load_balancer(text: str) -> dict[str, Any]:
    """
    Return a load balancer item from ``ID:PORT``; an id of digits is a number, as clouds have it.

    :raises ArgumentTypeError: it is not of that form.
    """
    name, _, port = text.rpartition(":")
    if not name or not port.isascii() or not port.isdigit():
        raise ArgumentTypeError(f"{text!r} is not ID:PORT")
    identity: int | str = int(name) if name.isascii() and name.isdigit() else name
    return {"loadBalancerId": identity, "port": int(port)}
