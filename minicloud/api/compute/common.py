"""
What all routes of Compute share: who calls, in which version, and how errors look.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from attrs import frozen
from pyrsistent import PMap
from twisted.web.server import Request

from minicloud.api.acting import Act, with_faults
from minicloud.api.authentication import Gate
from minicloud.api.compute.microversion import (
    HEADER,
    LEGACY_HEADER,
    MINIMUM,
    Microversion,
    negotiate,
    version_headers,
)
from minicloud.api.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from minicloud.api.http import Answer, Route, json_answer, query_of, read_object, root_of
from minicloud.api.identity.common import render_error as render_identity_error
from minicloud.bus import Message, MessageBus
from minicloud.controller.interface import (
    CONTROLLER,
    GetServer,
    QuotaExceededError,
    StateConflictError,
    UnknownKeyError,
    UnknownMarkerError,
    UnknownReferenceError,
    UnknownServerError,
)
from minicloud.controller.records import Server
from minicloud.faults import Faults, Operation, Service, Subject
from minicloud.users.interface import Token

Reply = TypeVar("Reply")

_FAULT_NAMES: Mapping[int, str] = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
_OVER_LIMIT = frozenset({413, 429})


def render_error(error: ApiError) -> Answer:
    """Return an error in Nova's shape; a 401 comes from the identity middleware before it."""
    if error.status == 401:
        return render_identity_error(error)
    inside: dict[str, Any] = {"code": error.status, "message": error.message}
    headers: tuple[tuple[str, str], ...] = ()
    if error.retry_after is not None:
        seconds = str(int(error.retry_after.total_seconds()))
        headers = (("Retry-After", seconds),)
        if error.status in _OVER_LIMIT:
            inside["retryAfter"] = seconds
    name = _FAULT_NAMES.get(error.status, "computeFault")
    return json_answer({name: inside}, error.status).with_headers(*headers)


@frozen
class Call:
    """An authenticated request."""

    request: Request
    token: Token
    project_id: str
    version: Microversion

    @property
    def root(self) -> str:
        """Return the cloud's URL as the client sees it."""
        return root_of(self.request)

    @property
    def query(self) -> Mapping[str, Sequence[str]]:
        """Return the query's parameters."""
        return query_of(self.request)

    def document(self) -> Mapping[str, Any]:
        """
        Return the body's JSON object.

        :raises BadRequestError: it is something else.
        """
        return read_object(self.request)

    def at_least(self, minor: int) -> bool:
        """Return whether the request is of 2.``minor`` or later."""
        return self.version >= Microversion(2, minor)


class Desk:
    """
    What the routes work with.

    :ivar maximum: the latest microversion on offer.
    """

    def __init__(self, bus: MessageBus, faults: Faults, maximum: Microversion) -> None:
        self.bus = bus
        self.faults = faults
        self.maximum = maximum
        self._gate = Gate(bus)

    def route(self, method: str, path: str, handle: Callable[..., Awaitable[Answer]]) -> Route:
        """Return a route under ``/v2.1`` whose handler is given a ``Call``."""

        async def respond(request: Request, **parameters: str) -> Answer:
            version = MINIMUM
            try:
                await self.faults.delay(Service.COMPUTE)
                token, project = await self._gate.scoped(request)
                version = negotiate(
                    request.getHeader(HEADER), request.getHeader(LEGACY_HEADER), self.maximum
                )
                call = Call(request, token, project.project_id, version)
                answer = await handle(call, **parameters)
            except ApiError as error:
                answer = render_error(error)
            return answer.with_headers(*version_headers(version))

        return Route(method, f"/v2.1{path}", respond)

    async def ask(self, message: Message[Reply]) -> Reply:
        """
        Ask the controller; what it refuses becomes an answer.

        :raises ApiError: in Nova's words.
        """
        try:
            return await self.bus.call(CONTROLLER, message)
        except UnknownServerError as error:
            raise NotFoundError(str(error)) from None
        except UnknownKeyError:
            raise NotFoundError("Metadata item was not found") from None
        except UnknownMarkerError as error:
            raise BadRequestError(f"marker [{error}] not found") from None
        except UnknownReferenceError as error:
            raise BadRequestError(str(error)) from None
        except QuotaExceededError as error:
            raise ForbiddenError(str(error)) from None
        except StateConflictError as error:
            raise ConflictError(str(error)) from None

    async def server(self, call: Call, server_id: str) -> Server:
        """
        Return one of the project's servers.

        :raises NotFoundError: it has none of that id.
        """
        return await self.ask(GetServer(call.project_id, server_id))

    async def with_faults(
        self, call: Call, operation: Operation, server_id: str, act: Act
    ) -> Answer:
        """
        Do something to one server, with what was commanded to go wrong.

        :raises ApiError: what the act raises, or what was commanded.
        """
        subject = Subject(project=call.project_id)
        if self.faults.armed(operation):
            server = await self.server(call, server_id)
            subject = subject_of(server.name, server.metadata, call.project_id)
        return await with_faults(self.faults, operation, subject, act)


def subject_of(name: str, metadata: PMap[str, str], project_id: str) -> Subject:
    """Return what faults match."""
    return Subject(name, metadata, project_id)


def iso(when: datetime) -> str:
    """Return a time as Nova writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
