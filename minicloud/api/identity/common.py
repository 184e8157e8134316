"""
What both versions of Identity share: the shape of errors, of times, and how tokens are asked for.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from twisted.web.server import Request

from minicloud.api.authentication import Gate, is_admin
from minicloud.api.errors import ApiError, BadRequestError, ForbiddenError, UnauthorizedError
from minicloud.api.http import Answer, json_answer
from minicloud.bus import Message, MessageBus
from minicloud.faults import Faults, Service
from minicloud.users.interface import USERS, NotAuthenticatedError, Token

MEDIA_TYPES = "application/vnd.openstack.identity-{}+json"


def render_error(error: ApiError) -> Answer:
    """Return an error in Keystone's shape."""
    title = HTTPStatus(error.status).phrase if error.status in _KNOWN else "Error"
    document = {"error": {"code": error.status, "title": title, "message": error.message}}
    answer = json_answer(document, error.status)
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer = answer.with_headers(("WWW-Authenticate", 'Keystone uri="/identity"'))
    if error.retry_after is not None:
        seconds = str(int(error.retry_after.total_seconds()))
        answer = answer.with_headers(("Retry-After", seconds))
    return answer


_KNOWN = frozenset(int(status) for status in HTTPStatus)


def microseconds(when: datetime) -> str:
    """Return a time as v3 writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(when: datetime) -> str:
    """Return a time as v2.0 writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(values: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """
    Return a text from a request's body; a null counts as absent.

    :param default: what an absent text is taken for; None where it must be there.
    :raises BadRequestError: it is absent, or something else.
    """
    value = values.get(key)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise BadRequestError(f"Expecting to find {key} as a string in the request body.")
    return value


class TokenDesk:
    """Issues tokens, and finds them for those who may look."""

    def __init__(self, bus: MessageBus, faults: Faults, region: str) -> None:
        self.bus = bus
        self.faults = faults
        self.region = region
        self.gate = Gate(bus)

    async def issue(self, wish: Message[Token]) -> Token:
        """
        Return a new token.

        :raises UnauthorizedError: no.
        """
        try:
            return await self.bus.call(USERS, wish)
        except NotAuthenticatedError:
            raise UnauthorizedError from None

    async def require_reader(self, request: Request, subject_id: str) -> Token:
        """
        Return the token of whoever asks about a token: its owner, or an admin.

        :raises UnauthorizedError: there is no good token.
        :raises ForbiddenError: somebody else's.
        """
        asking = await self.gate.token_of(request)
        if asking.token_id != subject_id and not is_admin(asking):
            raise ForbiddenError("You are not authorized to perform the requested action.")
        return asking

    async def delay(self) -> None:
        """Wait as long as answers are commanded to take."""
        await self.faults.delay(Service.IDENTITY)
