"""
Answer as Rackspace's Identity v2.0 does to those who may be somebody else: who a tenant's users
are, a token of one of them, and where a token leads.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from twisted.web.server import Request

from minicloud.api.acting import with_faults
from minicloud.api.authentication import ADMIN_ROLES, is_admin
from minicloud.api.errors import BadRequestError, ForbiddenError, NotFoundError
from minicloud.api.http import Answer, Route, json_answer, query_of, read_object, root_of
from minicloud.api.identity.catalog import v2_catalog
from minicloud.api.identity.common import TokenDesk, seconds, text_of
from minicloud.controller.interface import Fate
from minicloud.faults import Operation, Subject
from minicloud.users.interface import (
    USERS,
    FindToken,
    Impersonate,
    ListMembers,
    Token,
    UnknownProjectError,
    UnknownTokenError,
    UnknownUserError,
)

_KEY = "RAX-AUTH:impersonation"
MAX_SECONDS = 86_400
_OWNER_ROLES = ADMIN_ROLES | {"identity:user-admin"}


class Impersonation:
    """The routes of impersonation under ``/identity/v2.0``; all of them are for admins."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Return what is answered."""
        return (
            Route("POST", "/v2.0/RAX-AUTH/impersonation-tokens", self._impersonate),
            Route("GET", "/v2.0/tenants/<tenant_id>/users", self._list_users),
            Route("GET", "/v2.0/tokens/<token_id>/endpoints", self._list_endpoints),
        )

    async def _impersonate(self, request: Request) -> Answer:
        await self._require_admin(request)
        wish = parse_impersonation(read_object(request))

        async def issue(_: Fate | None) -> Answer:
            try:
                token = await self._desk.bus.call(USERS, wish)
            except UnknownUserError:
                raise NotFoundError(f"User {wish.user_name[:80]} not found.") from None
            shown = {"id": token.token_id, "expires": seconds(token.expires)}
            return json_answer({"access": {"token": shown}})

        subject = Subject(wish.user_name)
        return await with_faults(self._desk.faults, Operation.AUTHENTICATE, subject, issue)

    async def _list_users(self, request: Request, tenant_id: str) -> Answer:
        await self._require_admin(request)
        try:
            members = await self._desk.bus.call(USERS, ListMembers(tenant_id))
        except UnknownProjectError as error:
            raise NotFoundError(str(error)) from None
        owners_only = query_of(request).get("admin", [""])[-1] == "true"
        users = [
            {"id": member.user_id, "username": member.name, "enabled": True}
            for member in members
            if not owners_only or _OWNER_ROLES & set(member.roles)
        ]
        return json_answer({"users": users})

    async def _list_endpoints(self, request: Request, token_id: str) -> Answer:
        await self._require_admin(request)
        try:
            token = await self._desk.bus.call(USERS, FindToken(token_id))
        except UnknownTokenError:
            raise NotFoundError("Could not find token.") from None
        shown = _endpoints(token, root_of(request), self._desk.region)
        return json_answer({"endpoints": shown, "endpoints_links": []})

    async def _require_admin(self, request: Request) -> None:
        """
        Let admins pass.

        :raises ForbiddenError: it is nobody of that kind.
        """
        await self._desk.delay()
        if not is_admin(await self._desk.gate.token_of(request)):
            raise ForbiddenError("You are not authorized to perform the requested action.")


def parse_impersonation(document: Mapping[str, Any]) -> Impersonate:
    """
    Return what the body asks for.

    :raises BadRequestError: it is not such a body.
    """
    wish = document.get(_KEY)
    user = wish.get("user") if isinstance(wish, dict) else None
    if not isinstance(wish, dict) or not isinstance(user, dict):
        raise BadRequestError(f"Expecting to find {_KEY} with a user in the request body.")
    life = wish.get("expire-in-seconds", MAX_SECONDS)
    if isinstance(life, bool) or not isinstance(life, int) or not 0 < life <= MAX_SECONDS:
        raise BadRequestError(f"expire-in-seconds must be from 1 to {MAX_SECONDS}.")
    return Impersonate(text_of(user, "username"), timedelta(seconds=life))


def _endpoints(token: Token, root: str, region: str) -> list[dict[str, Any]]:
    """Return the catalog as one list, each entry with the type and name of its service."""
    if token.project is None:
        return []
    catalog = v2_catalog(root, token.project.project_id, region)
    return [
        {**endpoint, "type": service["type"], "name": service["name"]}
        for service in catalog
        for endpoint in service["endpoints"]
    ]
