"""Read and write JSON with numbers exactly as they are. Pure."""

from typing import Any

import simplejson


def read_json(text: str) -> Any:
    """
    Return a JSON document.

    :raises ValueError: it is none.
    """
    return simplejson.loads(text, use_decimal=True)


def write_json(document: Any, *, indent: int | None = None) -> str:
    """Return a document as JSON."""
    return simplejson.dumps(document, use_decimal=True, indent=indent)
