"""Take secrets out of what is printed: tokens, and the hashes of capability URLs. Pure."""

import re
from collections.abc import Mapping

HIDDEN = "***"
SECRET_HEADERS = frozenset({"x-auth-token", "x-subject-token", "authorization", "set-cookie"})

_CAPABILITY = re.compile(r"(/execute/[^/\s\"']+/)[^/\s\"'?#:,)]+")
_HASH = re.compile(r"\b[0-9A-Fa-f]{64}\b")
_SIGNING_KEY = re.compile(r"whsec_[A-Za-z0-9+/=_-]+")


def redact(text: str) -> str:
    """Return ``text`` without anything that lets its reader act for somebody."""
    hidden = _CAPABILITY.sub(rf"\1{HIDDEN}", text)
    hidden = _HASH.sub(HIDDEN, hidden)
    return _SIGNING_KEY.sub(f"whsec_{HIDDEN}", hidden)


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that may be shown."""
    return {
        name: HIDDEN if name.lower() in SECRET_HEADERS else redact(value)
        for name, value in headers.items()
    }
