"""
Answer as Identity v2.0 does: tokens for a password, and their validation by an admin.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.web.server import Request

from minicloud.api.acting import with_faults
from minicloud.api.authentication import is_admin
from minicloud.api.errors import BadRequestError, ForbiddenError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer, query_of, read_object, root_of
from minicloud.api.identity.catalog import v2_catalog
from minicloud.api.identity.common import MEDIA_TYPES, TokenDesk, seconds, text_of
from minicloud.controller.interface import Fate
from minicloud.faults import Operation, Subject
from minicloud.users.interface import (
    USERS,
    Authenticate,
    FindToken,
    RevokeToken,
    Scope,
    Token,
    UnknownTokenError,
)


def version_document(root: str) -> dict[str, Any]:
    """Return what this version says of itself."""
    return {
        "id": "v2.0",
        "status": "deprecated",
        "updated": "2016-08-04T00:00:00Z",
        "links": [{"rel": "self", "href": f"{root}/identity/v2.0/"}],
        "media-types": [{"base": "application/json", "type": MEDIA_TYPES.format("v2.0")}],
    }


class IdentityV2:
    """The routes under ``/identity/v2.0``."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (
            Route("GET", "/v2.0", self._version),
            Route("POST", "/v2.0/tokens", self._issue),
            Route("GET", "/v2.0/tokens/<token_id>", self._validate),
            Route("DELETE", "/v2.0/tokens/<token_id>", self._revoke),
        )

    async def _version(self, request: Request) -> Answer:
        return json_answer({"version": version_document(root_of(request))})

    async def _issue(self, request: Request) -> Answer:
        await self._desk.delay()
        wish = parse_authentication(read_object(request))
        scope = wish.scope or Scope()
        subject = Subject(wish.user_name, project=scope.project_id or scope.project_name)

        async def issue(_: Fate | None) -> Answer:
            token = await self._desk.issue(wish)
            access = access_document(token)
            access["serviceCatalog"] = (
                []
                if token.project is None
                else v2_catalog(root_of(request), token.project.project_id, self._desk.region)
            )
            return json_answer({"access": access})

        return await with_faults(self._desk.faults, Operation.AUTHENTICATE, subject, issue)

    async def _validate(self, request: Request, token_id: str) -> Answer:
        await self._desk.delay()

        async def validate(_: Fate | None) -> Answer:
            token = await self._subject(request, token_id)
            wanted = query_of(request).get("belongsTo", [""])[-1]
            if wanted and (token.project is None or token.project.project_id != wanted):
                raise NotFoundError("Could not find token.")
            return json_answer({"access": access_document(token)})

        return await with_faults(self._desk.faults, Operation.VALIDATE, Subject(), validate)

    async def _revoke(self, request: Request, token_id: str) -> Answer:
        await self._desk.delay()
        token = await self._subject(request, token_id)
        await self._desk.bus.call(USERS, RevokeToken(token.token_id))
        return Answer(204)

    async def _subject(self, request: Request, token_id: str) -> Token:
        """Return the token that the request is about, if an admin asks."""
        if not is_admin(await self._desk.gate.token_of(request)):
            raise ForbiddenError("You are not authorized to perform the requested action.")
        try:
            return await self._desk.bus.call(USERS, FindToken(token_id))
        except UnknownTokenError:
            raise NotFoundError("Could not find token.") from None


def access_document(token: Token) -> dict[str, Any]:
    """Return a token and its user, without the catalog."""
    shown: dict[str, Any] = {
        "id": token.token_id,
        "issued_at": seconds(token.issued),
        "expires": seconds(token.expires),
    }
    if token.project is not None:
        shown["tenant"] = {
            "id": token.project.project_id,
            "name": token.project.name,
            "description": "",
            "enabled": True,
        }
    return {
        "token": shown,
        "user": {
            "id": token.user_id,
            "name": token.user_name,
            "username": token.user_name,
            "roles": [{"id": role, "name": role} for role in token.roles],
            "roles_links": [],
        },
    }


def parse_authentication(document: Mapping[str, Any]) -> Authenticate:
    """
    Return what the body asks for.

    :raises BadRequestError: it is not such a body.
    """
    auth = document.get("auth")
    credentials = auth.get("passwordCredentials") if isinstance(auth, dict) else None
    if not isinstance(auth, dict) or not isinstance(credentials, dict):
        raise BadRequestError("Expecting to find passwordCredentials in auth.")
    scope = Scope(text_of(auth, "tenantId", ""), text_of(auth, "tenantName", ""))
    return Authenticate(
        text_of(credentials, "username"),
        text_of(credentials, "password"),
        scope if scope != Scope() else None,
    )
