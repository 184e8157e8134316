"""
Read the path of a request strictly, because what stands behind reads it leniently.

Twisted decodes ``%2F`` before anybody routes, and werkzeug takes ``//a`` for ``/a``; neither may
lead to a resource (rest-api.md 1.2).
"""

import re
from urllib.parse import unquote_to_bytes

from attrs import frozen

VERSION = "v1.0"
OPENAPI = (VERSION, "openapi.json")
"""The description of the API stands where a tenant would, and is for everybody."""

_SECRET = re.compile(r"[0-9A-Fa-f]{32,}")


@frozen
class Path:
    """
    A path without its optional trailing slash.

    :ivar segments: decoded, with U+FFFD for what is not UTF-8.
    :ivar routable: whether any resource may have this path.
    """

    segments: tuple[str, ...]
    routable: bool

    @property
    def tenant(self) -> str | None:
        """The tenant whose resources are meant, or None outside of ``/v1.0/``."""
        named = len(self.segments) > 1 and self.segments[0] == VERSION
        if self.segments == OPENAPI:
            return None
        return (self.segments[1] or None) if named else None

    @property
    def capability(self) -> tuple[str, str] | None:
        """Version and hash of a capability URL, or None when it is none."""
        named = len(self.segments) == 4 and self.segments[:2] == (VERSION, "execute")
        return (self.segments[2], self.segments[3]) if named and all(self.segments) else None


def read_path(path: bytes) -> Path:
    """Return the path in pieces."""
    parts = path.split(b"/")[1:]
    if parts and not parts[-1]:
        parts.pop()
    decoded = [unquote_to_bytes(part) for part in parts]
    return Path(
        tuple(part.decode("utf-8", "replace") for part in decoded),
        path.startswith(b"/") and all(map(_plain, decoded)),
    )


def _plain(part: bytes) -> bool:
    try:
        part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(part) and b"/" not in part


def loggable(path: Path) -> str:
    """Return the path for a log: without the hash of a capability, and without anything like it."""
    segments = path.segments
    if segments[:2] == (VERSION, "execute"):
        segments = (*segments[:3], *("-" for _ in segments[3:]))
    return _SECRET.sub("-", "/" + "/".join(segments))
