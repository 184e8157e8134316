"""
Answer for application credentials as Identity v3 does: a user makes, sees and removes its own.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from twisted.web.server import Request

from minicloud.api.authentication import is_admin
from minicloud.api.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer, query_of, read_object, root_of
from minicloud.api.identity.common import TokenDesk, microseconds, text_of
from minicloud.users.interface import (
    USERS,
    Application,
    CreateApplication,
    DeleteApplication,
    ListApplications,
    NameTakenError,
    RolesNotHeldError,
    Token,
    UnknownApplicationError,
)

_PATH = "/v3/users/<user_id>/application_credentials"
_KEY = "application_credential"
_MAX_NAME = 255


class ApplicationCredentials:
    """The routes under ``/identity/v3/users/USER/application_credentials``."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (
            Route("POST", _PATH, self._create),
            Route("GET", _PATH, self._list),
            Route("GET", f"{_PATH}/<application_id>", self._show),
            Route("DELETE", f"{_PATH}/<application_id>", self._delete),
        )

    async def _create(self, request: Request, user_id: str) -> Answer:
        token = await self._owner(request, user_id, writes=True)
        if token.user_id != user_id or token.project is None:
            raise ForbiddenError(_FORBIDDEN)
        wish = parse_creation(read_object(request), user_id, token.project.project_id)
        try:
            made = await self._desk.bus.call(USERS, wish)
        except NameTakenError:
            raise ConflictError(f"Application credential {wish.name} exists already.") from None
        except RolesNotHeldError:
            raise BadRequestError("Invalid application credential: roles not held.") from None
        document = _document(made, root_of(request))
        return json_answer({_KEY: {**document, "secret": wish.secret}}, 201)

    async def _list(self, request: Request, user_id: str) -> Answer:
        _ = await self._owner(request, user_id)
        root = root_of(request)
        name = query_of(request).get("name", [""])[-1]
        found = await self._desk.bus.call(USERS, ListApplications(user_id))
        shown = [_document(one, root) for one in found if name in {"", one.name}]
        links = {"self": _url(root, user_id), "previous": None, "next": None}
        return json_answer({"application_credentials": shown, "links": links})

    async def _show(self, request: Request, user_id: str, application_id: str) -> Answer:
        _ = await self._owner(request, user_id)
        for one in await self._desk.bus.call(USERS, ListApplications(user_id)):
            if one.application_id == application_id:
                return json_answer({_KEY: _document(one, root_of(request))})
        raise _unknown(application_id)

    async def _delete(self, request: Request, user_id: str, application_id: str) -> Answer:
        _ = await self._owner(request, user_id, writes=True)
        try:
            await self._desk.bus.call(USERS, DeleteApplication(user_id, application_id))
        except UnknownApplicationError:
            raise _unknown(application_id) from None
        return Answer(204)

    async def _owner(self, request: Request, user_id: str, *, writes: bool = False) -> Token:
        """
        Return the token of whoever asks: the user itself, or an admin.

        :param writes: whether something is to change, which no program may that itself came with
            an application credential.
        :raises ForbiddenError: it is somebody else, or such a program.
        """
        await self._desk.delay()
        token = await self._desk.gate.token_of(request)
        if token.user_id != user_id and not is_admin(token):
            raise ForbiddenError(_FORBIDDEN)
        if writes and token.application is not None:
            raise ForbiddenError(_FORBIDDEN)
        return token


_FORBIDDEN = "You are not authorized to perform the requested action."


def _unknown(application_id: str) -> NotFoundError:
    return NotFoundError(f"Could not find Application Credential: {application_id[:80]}.")


def parse_creation(document: Mapping[str, Any], user_id: str, project_id: str) -> CreateApplication:
    """
    Return what the body asks for; a secret that is not given is chosen.

    :raises BadRequestError: it is not such a body.
    """
    given = document.get(_KEY)
    if not isinstance(given, dict):
        raise BadRequestError(f"Expecting to find {_KEY} in the request body.")
    name = text_of(given, "name")
    if not name.strip() or len(name) > _MAX_NAME:
        raise BadRequestError("Invalid input for field 'name'.")
    return CreateApplication(
        user_id,
        project_id,
        name,
        text_of(given, "secret", "") or secrets.token_urlsafe(64),
        _roles(given.get("roles") or []),
        text_of(given, "description", ""),
        _expiry(given.get("expires_at")),
    )


def _roles(roles: object) -> tuple[str, ...]:
    """Return the names of roles; here a role's id is its name."""
    if not isinstance(roles, list) or not all(isinstance(role, dict) for role in roles):
        raise BadRequestError("Invalid input for field 'roles'.")
    return tuple(text_of(role, "name" if "name" in role else "id") for role in roles)


def _expiry(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        when = None
    if when is None:
        raise BadRequestError("Invalid input for field 'expires_at'.")
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _url(root: str, user_id: str) -> str:
    return f"{root}/identity/v3/users/{user_id}/application_credentials"


def _document(one: Application, root: str) -> dict[str, Any]:
    """Return a credential without its secret, which is shown once only."""
    return {
        "id": one.application_id,
        "name": one.name,
        "description": one.description,
        "project_id": one.project.project_id,
        "roles": [{"id": role, "name": role, "domain_id": None} for role in one.roles],
        "expires_at": None if one.expires is None else microseconds(one.expires),
        "unrestricted": False,
        "links": {"self": f"{_url(root, one.user_id)}/{one.application_id}"},
    }
