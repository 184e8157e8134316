"""Read what the service, or something in front of it, says when it says no. Pure."""

from http import HTTPStatus

from otter.cli.documents import read_json
from otter.cli.exits import CommandError, error_for

TEXT_MAX = 300


def refusal(status: int, text: str) -> CommandError:
    """
    Return the error that an answer means.

    :param status: of HTTP, not 2xx.
    :param text: the answer's body.
    """
    kind, message = _read(text)
    label = kind or _phrase(status)
    said = f"{label}: {message}" if message else label
    return error_for(status, kind)(f"{said} (HTTP {status})")


def _read(text: str) -> tuple[str, str]:
    """Return type and message, as far as there are any."""
    try:
        document = read_json(text)
    except ValueError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", ""
    kind, message = error.get("type"), error.get("message")
    return (
        kind if isinstance(kind, str) else "",
        message[:TEXT_MAX] if isinstance(message, str) else "",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unexpected answer"
