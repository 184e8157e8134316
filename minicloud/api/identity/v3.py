"""
Answer as Identity v3 does: discovery, and tokens issued, validated and revoked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.web.server import Request

from minicloud.api.acting import with_faults
from minicloud.api.errors import BadRequestError, NotFoundError, UnauthorizedError
from minicloud.api.http import Answer, Route, json_answer, query_of, read_object, root_of
from minicloud.api.identity.catalog import v3_catalog
from minicloud.api.identity.common import MEDIA_TYPES, TokenDesk, microseconds, text_of
from minicloud.config import DOMAIN_ID, DOMAIN_NAME
from minicloud.controller.interface import Fate
from minicloud.faults import Operation, Subject
from minicloud.users.interface import (
    USERS,
    Authenticate,
    AuthenticateApplication,
    FindToken,
    RevokeToken,
    Scope,
    Token,
    UnknownTokenError,
)

SUBJECT_HEADER = "X-Subject-Token"
APPLICATION = "application_credential"
_DOMAIN = {"id": DOMAIN_ID, "name": DOMAIN_NAME}


def version_document(root: str) -> dict[str, Any]:
    """Return what this version says of itself."""
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{root}/identity/v3/"}],
        "media-types": [{"base": "application/json", "type": MEDIA_TYPES.format("v3")}],
    }


class IdentityV3:
    """The routes under ``/identity/v3``."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (
            Route("GET", "/v3", self._version),
            Route("POST", "/v3/auth/tokens", self._issue),
            Route("GET", "/v3/auth/tokens", self._validate),
            Route("DELETE", "/v3/auth/tokens", self._revoke),
        )

    async def _version(self, request: Request) -> Answer:
        return json_answer({"version": version_document(root_of(request))})

    async def _issue(self, request: Request) -> Answer:
        await self._desk.delay()
        wish = parse_authentication(read_object(request))
        subject = _subject_of(wish)

        async def issue(_: Fate | None) -> Answer:
            token = await self._desk.issue(wish)
            return self._answer(request, token, 201)

        return await with_faults(self._desk.faults, Operation.AUTHENTICATE, subject, issue)

    async def _validate(self, request: Request) -> Answer:
        await self._desk.delay()

        async def validate(_: Fate | None) -> Answer:
            return self._answer(request, await self._subject(request), 200)

        return await with_faults(self._desk.faults, Operation.VALIDATE, Subject(), validate)

    async def _revoke(self, request: Request) -> Answer:
        await self._desk.delay()
        token = await self._subject(request)
        await self._desk.bus.call(USERS, RevokeToken(token.token_id))
        return Answer(204)

    async def _subject(self, request: Request) -> Token:
        """Return the token that the request is about, if the asking one may know."""
        token_id = request.getHeader(SUBJECT_HEADER) or ""
        await self._desk.require_reader(request, token_id)
        try:
            return await self._desk.bus.call(USERS, FindToken(token_id))
        except UnknownTokenError:
            raise NotFoundError("Could not find token.") from None

    def _answer(self, request: Request, token: Token, status: int) -> Answer:
        document = token_document(token)
        if token.project is not None and "nocatalog" not in query_of(request):
            document["catalog"] = v3_catalog(
                root_of(request), token.project.project_id, self._desk.region
            )
        return json_answer({"token": document}, status).with_headers(
            (SUBJECT_HEADER, token.token_id), ("Vary", "X-Auth-Token")
        )


def token_document(token: Token) -> dict[str, Any]:
    """Return a token without its catalog."""
    application = token.application
    document: dict[str, Any] = {
        "methods": ["password" if application is None else APPLICATION],
        "user": {
            "id": token.user_id,
            "name": token.user_name,
            "domain": _DOMAIN,
            "password_expires_at": None,
        },
        "audit_ids": [token.user_id[:22]],
        "issued_at": microseconds(token.issued),
        "expires_at": microseconds(token.expires),
    }
    if application is not None:
        document[APPLICATION] = {
            "id": application.application_id,
            "name": application.name,
            "restricted": True,
        }
    if token.project is not None:
        document["project"] = {
            "id": token.project.project_id,
            "name": token.project.name,
            "domain": _DOMAIN,
        }
        document["is_domain"] = False
        document["roles"] = [{"id": role, "name": role} for role in token.roles]
    return document


def _subject_of(wish: Authenticate | AuthenticateApplication) -> Subject:
    """Return what faults see of a wish for a token."""
    name = wish.user_name or wish.user_id
    if isinstance(wish, AuthenticateApplication):
        return Subject(name or wish.application_id)
    scope = wish.scope or Scope()
    return Subject(name, project=scope.project_id or scope.project_name)


def parse_authentication(document: Mapping[str, Any]) -> Authenticate | AuthenticateApplication:
    """
    Return what the body asks for.

    :raises BadRequestError: it is not such a body.
    :raises UnauthorizedError: it asks for a method, domain or scope that is not here.
    """
    auth = _object(document, "auth")
    identity = _object(auth, "identity")
    if identity.get("methods") == [APPLICATION]:
        return _application(auth, _object(identity, APPLICATION))
    if identity.get("methods") != ["password"]:
        raise UnauthorizedError
    user = _object(_object(identity, "password"), "user")
    user_id = text_of(user, "id", "")
    if not user_id:
        _check_domain(user.get("domain"))
    return Authenticate(
        text_of(user, "name", "" if user_id else None),
        text_of(user, "password"),
        _scope(auth.get("scope", "unscoped")),
        user_id,
    )


def _application(auth: Mapping[str, Any], given: Mapping[str, Any]) -> AuthenticateApplication:
    """Return a wish by application credential; it brings its scope and takes no other."""
    if auth.get("scope") is not None:
        raise UnauthorizedError
    application_id, secret = text_of(given, "id", ""), text_of(given, "secret")
    if application_id:
        return AuthenticateApplication(application_id, secret)
    user = _object(given, "user")
    user_id = text_of(user, "id", "")
    if not user_id:
        _check_domain(user.get("domain"))
    name = text_of(user, "name", "" if user_id else None)
    return AuthenticateApplication("", secret, text_of(given, "name"), user_id, name)


def _scope(scope: object) -> Scope | None:
    if scope == "unscoped" or (isinstance(scope, dict) and "unscoped" in scope):
        return None
    if not isinstance(scope, dict):
        raise BadRequestError("Expecting to find an object in scope.")
    if "project" not in scope:
        raise UnauthorizedError
    project = _object(scope, "project")
    named = project.get("id") or project.get("name")
    if not isinstance(named, str) or not named:
        raise BadRequestError("Expecting to find id or name in project.")
    if project.get("id"):
        return Scope(project_id=named)
    _check_domain(project.get("domain"))
    return Scope(project_name=named)


def _check_domain(domain: object) -> None:
    if not isinstance(domain, dict):
        raise BadRequestError("Expecting to find domain.")
    if domain.get("id") != DOMAIN_ID and domain.get("name") != DOMAIN_NAME:
        raise UnauthorizedError


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise BadRequestError(f"Expecting to find {key} in the request body.")
    return value
