"""
Say on whose behalf a request is made: the one place where faces look at tokens.
"""

from twisted.web.iweb import IRequest

from minicloud.api.errors import ForbiddenError, UnauthorizedError
from minicloud.bus import MessageBus
from minicloud.users.interface import USERS, FindToken, Project, Token, UnknownTokenError

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  the name of a header
ADMIN_ROLES = frozenset({"admin", "service"})


class Gate:
    """Lets requests with good tokens pass."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    async def token_of(self, request: IRequest) -> Token:
        """
        Return the request's token.

        :raises UnauthorizedError: it has none, or a worthless one.
        """
        try:
            token = await self._bus.call(USERS, FindToken(request.getHeader(TOKEN_HEADER) or ""))
        except UnknownTokenError:
            raise UnauthorizedError from None
        return token

    async def scoped(self, request: IRequest) -> tuple[Token, Project]:
        """
        Return the request's token and its project.

        :raises UnauthorizedError: there is no such.
        """
        token = await self.token_of(request)
        if token.project is None:
            raise UnauthorizedError
        return token, token.project

    async def project_in_path(self, request: IRequest) -> str:
        """
        Return the project that the path names, ``/SERVICE/VERSION/PROJECT/…``, if the token is
        its.

        :raises UnauthorizedError: there is no good token.
        :raises ForbiddenError: the token is another project's.
        """
        _, project = await self.scoped(request)
        segments = request.path.decode("utf-8", "replace").split("/")
        named = segments[3] if len(segments) > 3 else ""
        if named != project.project_id:
            raise ForbiddenError("The token does not belong to this project.")
        return project.project_id


def is_admin(token: Token) -> bool:
    """Return whether the token's roles allow what concerns other users."""
    return bool(ADMIN_ROLES & set(token.roles))
