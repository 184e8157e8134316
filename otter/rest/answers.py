"""What is sent back: pure records, made from documents and from errors."""

from datetime import timedelta

from attrs import frozen

from otter.rest.documents import write_document
from otter.rest.errors import InvalidMethodError, wire_error

JSON = "application/json"
XML = "application/xml"


@frozen
class Answer:
    """A response without the headers that every response has."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON


def json_answer(status: int, document: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an answer that carries a JSON document."""
    return Answer(status, write_document(document), headers)


def created(document: object, location: str) -> Answer:
    """Return the 201 for something that can now be found at ``location``."""
    return json_answer(201, document, (("Location", location),))


def error_answer(error: Exception, *, retry_after: timedelta) -> Answer:
    """Return what the caller is told about ``error`` (rest-api.md 1.5)."""
    wire = wire_error(error)
    text = str(error) if wire.text is None else wire.text
    headers: tuple[tuple[str, str], ...] = ()
    if wire.retry:
        headers = (("Retry-After", str(max(1, round(retry_after.total_seconds())))),)
    if isinstance(error, InvalidMethodError):
        headers = (("Allow", ", ".join(error.allowed)),)
    details = {"type": wire.type, "code": wire.status, "message": text, "details": ""}
    return json_answer(wire.status, {"error": details}, headers)
