"""
The small frame that every face stands in: routes in a table, answers as values, errors as one
exception class that each face renders in its own shape.

Klein would answer a forgotten return with an empty 200, and its own errors in HTML; here only an
``Answer`` passes, and whatever is raised ends in the face's ``render``.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs

from attrs import evolve, frozen
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from minicloud.api.errors import (
    ApiError,
    BadRequestError,
    NotAllowedError,
    NotFoundError,
    TooLargeError,
)

MAX_BODY_BYTES = 1_048_576
MAX_PARAMETERS = 200
JSON_TYPE = "application/json"

log = Logger()


@frozen
class Answer:
    """What a client is sent."""

    status: int = 204
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Answer":
        """Return the same answer with more headers."""
        return evolve(self, headers=(*self.headers, *headers))


def json_answer(document: object, status: int = 200) -> Answer:
    """Return a JSON answer."""
    return Answer(status, json.dumps(document).encode(), JSON_TYPE)


class ConnectionCutError(Exception):
    """The client gets no answer; its connection is closed."""


Handler = Callable[..., Awaitable[Answer]]
Render = Callable[[ApiError], Answer]


@frozen
class Route:
    """
    A handler and what it answers.

    :ivar handler: called with the request and the path's parameters.
    """

    method: str
    path: str
    handler: Handler


def make_app(routes: Sequence[Route], render: Render) -> Klein:
    """Return a Klein application of the routes; a trailing slash means nothing to it."""
    app = Klein()
    for route in routes:
        _add_route(app, route)

    @app.handle_errors(Exception)
    def refuse(request: IRequest, failure: Failure) -> bytes:
        return _write(cast("Request", request), render(_as_api_error(failure)))

    return app


def _add_route(app: Klein, route: Route) -> None:
    @app.route(
        route.path,
        methods=[route.method],
        endpoint=f"{route.method} {route.path}",
        strict_slashes=False,
    )
    async def respond(request: Request, **parameters: str) -> bytes:
        try:
            answer = await route.handler(request, **parameters)
        except ConnectionCutError:
            request.loseConnection()
            await Deferred[None]()  # cancelled as soon as the connection is gone
            raise
        return _write(request, answer)


def _as_api_error(failure: Failure) -> ApiError:
    error = failure.value
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        not_allowed = error.code == HTTPStatus.METHOD_NOT_ALLOWED
        return NotAllowedError("Method not allowed.") if not_allowed else NotFoundError()
    log.failure("request.failed", failure=failure)
    return ApiError("Unexpected API Error. The cloud's log says more.")


def _write(request: Request, answer: Answer) -> bytes:
    request.setResponseCode(answer.status)
    if answer.content_type:
        request.setHeader("Content-Type", answer.content_type)
    else:
        request.responseHeaders.removeHeader("Content-Type")
    for name, value in answer.headers:
        request.setHeader(name, value)
    if answer.status != HTTPStatus.NO_CONTENT:
        request.setHeader("Content-Length", str(len(answer.body)))
    return answer.body


def read_object(request: Request) -> Mapping[str, Any]:
    """
    Return the JSON object that the request's body is.

    :raises TooLargeError: it is larger than this cloud reads.
    :raises BadRequestError: it is something else.
    """
    raw = b"" if request.content is None else request.content.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise TooLargeError("The request body is too large.")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequestError("Malformed request body") from None
    if not isinstance(document, dict):
        raise BadRequestError("Malformed request body")
    return document


def query_of(request: Request) -> Mapping[str, Sequence[str]]:
    """
    Return the query's parameters, also those without a value, which Twisted drops.

    :raises BadRequestError: there are more than anybody needs.
    """
    query = request.uri.partition(b"?")[2].decode("utf-8", "replace")
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise BadRequestError("There are too many parameters.") from None


def root_of(request: Request) -> str:
    """Return the cloud's URL as this client sees it, without a slash at the end."""
    scheme = "https" if request.isSecure() else "http"
    host = request.getHeader("host") or "127.0.0.1"
    return f"{scheme}://{host}"
