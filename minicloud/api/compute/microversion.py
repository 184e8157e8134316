"""
Decide which microversion a request is answered in. Pure.
"""

import re

from attrs import frozen

from minicloud.api.errors import BadRequestError, NotAcceptableError

HEADER = "OpenStack-API-Version"
LEGACY_HEADER = "X-OpenStack-Nova-API-Version"
SERVICE = "compute"
_FORMAT = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)\Z", re.ASCII)


@frozen(order=True)
class Microversion:
    """A version of the API; later ones are greater."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


MINIMUM = Microversion(2, 1)


def parse(text: str) -> Microversion:
    """
    Return the version that a text names.

    :raises BadRequestError: none.
    """
    match = _FORMAT.match(text)
    if match is None or len(text) > 12:
        raise BadRequestError(
            f"API Version String {text[:40]} is of invalid format. Must be of format "
            "MajorNum.MinorNum."
        )
    return Microversion(int(match[1]), int(match[2]))


def negotiate(header: str | None, legacy: str | None, maximum: Microversion) -> Microversion:
    """
    Return the version that a request asks for in either header; the newer header goes first.

    :raises BadRequestError: what it asks for is no version.
    :raises NotAcceptableError: it is not on offer.
    """
    asked = _asked(header) or (legacy or "").strip()
    if not asked:
        return MINIMUM
    if asked == "latest":
        return maximum
    version = parse(asked)
    if not MINIMUM <= version <= maximum:
        raise NotAcceptableError(
            f"Version {version} is not supported by the API. Minimum is {MINIMUM} and maximum is "
            f"{maximum}."
        )
    return version


def version_headers(version: Microversion) -> tuple[tuple[str, str], ...]:
    """Return what every answer says about its version."""
    return (
        (HEADER, f"{SERVICE} {version}"),
        (LEGACY_HEADER, str(version)),
        ("Vary", f"{HEADER}, {LEGACY_HEADER}"),
    )


def _asked(header: str | None) -> str:
    """Return what the newer header, which may speak to several services, asks of this one."""
    for part in (header or "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == SERVICE:
            return version.strip() or "none"
    return ""
