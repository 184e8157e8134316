"""Make a tenant's endpoint out of what the catalog or a person says it is. Pure."""

import re
from urllib.parse import quote, urlsplit

from otter.cli.exits import UsageError

VERSION = "v1.0"
SERVICE_TYPES = ("rax:autoscale", "autoscale")

_VERSIONED = re.compile(rf"^(?P<root>.*/{re.escape(VERSION)})(?:/(?P<project>[^/]+))?$")


def named_project(endpoint: str) -> str | None:
    """Return the project that an endpoint names, or None if it leaves that to the token."""
    match = _VERSIONED.match(endpoint.rstrip("/"))
    return match["project"] if match else None


def tenant_endpoint(endpoint: str, project: str | None) -> str:
    """
    Return the URL that paths of a tenant are appended to, without a slash at its end.

    :param endpoint: with or without ``/v1.0`` and a project behind it.
    :param project: whose, where the endpoint does not say.
    :raises UsageError: it is no URL, or nobody says which project.
    """
    address = require_url(endpoint).rstrip("/")
    match = _VERSIONED.match(address)
    if match and match["project"]:
        return address
    if not project:
        raise UsageError(
            f"endpoint {address} names no project and neither do the credentials: "
            f"give --os-project-id, or an endpoint that ends in /{VERSION}/PROJECT"
        )
    root = match["root"] if match else f"{address}/{VERSION}"
    return f"{root}/{quote(project, safe='')}"


def require_url(text: str) -> str:
    """
    Return ``text``, which is the URL of something on the web.

    :raises UsageError: it is not; what was given may be half a secret, so it is not repeated.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("a URL begins with http:// or https:// and names a host")
    return text
