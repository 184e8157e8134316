"""What is sent back: pure records, made from documents and from errors."""

from datetime import timedelta
from math import ceil

from attrs import frozen

from otter.rest.documents import write_document
from otter.rest.errors import InvalidMethodError, time_to_wait, wire_error

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
    """
    Return what the caller is told about ``error`` (rest-api.md 1.5).

    :param retry_after: when to come again where the error does not know better.
    """
    wire = wire_error(error)
    text = str(error) if wire.text is None else wire.text
    headers: tuple[tuple[str, str], ...] = ()
    delay = time_to_wait(error, unavailable=retry_after)
    if delay is not None:
        headers = (("Retry-After", str(max(1, ceil(delay.total_seconds())))),)
    if isinstance(error, InvalidMethodError):
        headers = (("Allow", ", ".join(error.allowed)),)
    details = {"type": wire.type, "code": wire.status, "message": text, "details": ""}
    return json_answer(wire.status, {"error": details}, headers)
