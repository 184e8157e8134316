"""Bring every call to an answer, whatever happens, and the answer onto the wire."""

from collections.abc import Awaitable
from datetime import timedelta

from attrs import frozen
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from otter.rest.answers import Answer, error_answer
from otter.rest.errors import INTERNAL, wire_error


@frozen
class Responder:
    """
    Turns what handlers do into answers.

    :ivar retry_after: what callers are told to wait when something is not available.
    """

    retry_after: timedelta
    log = Logger()

    async def outcome(self, work: Awaitable[Answer]) -> Answer:
        """Return what ``work`` returns, or what is said about what it raises."""
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - the one place where an error becomes an answer
            return self.refusal(error)

    def refusal(self, error: Exception) -> Answer:
        """Return what the caller is told; what is our own fault is logged too."""
        if wire_error(error) is INTERNAL:
            self.log.failure("request.failed", failure=Failure(error))
        return error_answer(error, retry_after=self.retry_after)


def prepare(request: Request, answer: Answer) -> bytes:
    """Put status and headers of an answer on the request; return the body."""
    request.setResponseCode(answer.status)
    request.setHeader(b"Content-Type", answer.content_type.encode("ascii"))
    for name, value in answer.headers:
        request.setHeader(name.encode("ascii"), value.encode("ascii"))
    if answer.status != 204:
        request.setHeader(b"Content-Length", b"%d" % len(answer.body))
    return answer.body
