"""
Check single values of requests, and say in Nova's words what is wrong with them. Pure.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from minicloud.api.errors import BadRequestError

NAME_LENGTH = 255
SHOWN_LENGTH = 80


def invalid(field: str, value: object, why: str) -> BadRequestError:
    """Return the error for a value that is not allowed."""
    shown = repr(value)[:SHOWN_LENGTH]
    return BadRequestError(f"Invalid input for field/attribute {field}. Value: {shown}. {why}")


def text(field: str, value: object, *, least: int = 1, most: int = NAME_LENGTH) -> str:
    """
    Return a text of allowed length.

    :raises BadRequestError: it is something else.
    """
    if not isinstance(value, str):
        raise invalid(field, value, f"{value!r:.40} is not of type 'string'")
    if len(value) < least:
        raise invalid(field, value, f"{value!r} is too short")
    if len(value) > most:
        raise invalid(field, value, f"{value[:40]!r}… is too long")
    return value


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """
    Return an object.

    :raises BadRequestError: it is something else.
    """
    if not isinstance(value, dict):
        raise invalid(field, value, f"{value!r:.40} is not of type 'object'")
    return value


def array(field: str, value: object) -> list[Any]:
    """
    Return a list.

    :raises BadRequestError: it is something else.
    """
    if not isinstance(value, list):
        raise invalid(field, value, f"{value!r:.40} is not of type 'array'")
    return value


def only(field: str, value: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """
    Let pass an object that has no other keys.

    :raises BadRequestError: it has.
    """
    unexpected = sorted(set(value) - allowed)
    if unexpected:
        listed = ", ".join(repr(key) for key in unexpected[:5])
        verb = "was" if len(unexpected) == 1 else "were"
        raise invalid(
            field,
            unexpected[0],
            f"Additional properties are not allowed ({listed} {verb} unexpected)",
        )


def required(field: str, value: Mapping[str, Any], key: str) -> Any:
    """
    Return a value that has to be there.

    :raises BadRequestError: it is not.
    """
    if key not in value:
        raise invalid(field, dict(value), f"{key!r} is a required property")
    return value[key]


def metadata(field: str, value: object) -> Mapping[str, str]:
    """
    Return metadata items.

    :raises BadRequestError: they are something else.
    """
    items = mapping(field, value)
    return {
        text(f"{field} key", key): text(f"{field}/{key[:40]}", item, least=0)
        for key, item in items.items()
    }


def base64_bytes(field: str, value: object, *, most: int) -> bytes:
    """
    Return what a base64 text stands for.

    :raises BadRequestError: it is something else.
    """
    encoded = text(field, value, least=0, most=most)
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(field, value, f"{encoded[:40]!r} is not a 'base64'") from None
