"""
Speak to Nova v2.1: servers of one tenant.

Note [Refused creates]
    A create that was refused with 401 is not simply repeated with a fresh token: compute services
    have been seen to create the server all the same (the token ran out half way). So the server is
    looked for by its name and instance id first.
"""

from collections.abc import Sequence
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    NotSentError,
    TransientError,
)
from otter.cloud.flight import Recent, SingleFlight
from otter.cloud.http import Answer, reading
from otter.cloud.interface import INSTANCE_KEY, CreateServer, Server
from otter.cloud.nova_wire import (
    BASE,
    Microversion,
    chosen_microversion,
    create_document,
    created_server,
    exact_name,
    listed_server,
    microversion_headers,
    next_params,
    page_of,
)
from otter.cloud.session import Session
from otter.models.ids import ServerId
from otter.timing import utc_now

PAGE_SIZE = 500
PAGES_MAX = 200
ENDPOINTS_MAX = 1000
NOT_ACCEPTABLE = 406


class Microversions:
    """What each compute service was found to speak; found out once for all of its tenants."""

    def __init__(self) -> None:
        self._known: Recent[str, Microversion] = Recent(ENDPOINTS_MAX)
        self._flights: SingleFlight[tuple[str, str], Microversion] = SingleFlight()

    async def of(self, session: Session) -> Microversion:
        """
        Return the microversion to speak to a tenant's compute service.

        :raises CloudError: it cannot be found out; whatever it was wanted for has not been sent.
        """
        root = await session.root()
        known = self._known.get(root)
        if known is not None:
            return known
        # Not shared between tenants: one's refused token is no concern of another's.
        return await self._flights.run((root, session.tenant_id), lambda: self._ask(root, session))

    async def forget(self, session: Session) -> None:
        """Ask anew next time: the service does not speak what it said it spoke."""
        self._known.drop(await session.root())

    async def _ask(self, root: str, session: Session) -> Microversion:
        try:
            answer = await session.call("GET", "/", at_root=True)
            found = chosen_microversion(answer.json())
        except NotFoundError:
            found = BASE
        except TransientError as error:
            raise NotSentError(f"compute: {error.message}", status=error.status) from error
        self._known.put(root, found)
        return found


class Nova:
    """The servers of one tenant; see ``Cloud`` for what each method promises."""

    def __init__(
        self,
        session: Session,
        microversions: Microversions,
        clock: IReactorTime,
        *,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._session = session
        self._microversions = microversions
        self._clock = clock
        self._page_size = page_size

    async def list_servers(self) -> Sequence[Server]:
        """See ``Cloud``."""
        return await self._pages(())

    async def find_servers(self, name: str) -> Sequence[Server]:
        """See ``Cloud``; the filter is checked again here, a cloud may not know it."""
        servers = await self._pages((("name", exact_name(name)),))
        return [server for server in servers if server.name == name]

    async def get_server(self, server_id: ServerId) -> Server:
        """See ``Cloud``."""
        answer = await self._call("GET", _path(server_id))
        with reading("server"):
            server = listed_server(answer.json()["server"])
        if server.status == "DELETED":
            raise NotFoundError("the server is deleted", status=answer.status)
        return server

    async def create_server(self, request: CreateServer) -> Server:
        """See ``Cloud`` and Note [Refused creates]."""
        try:
            return await self._create(request)
        except AuthenticationError:
            found = await self.find_servers(request.name)
        made = [one for one in found if one.metadata.get(INSTANCE_KEY) == request.instance_id]
        return made[0] if made else await self._create(request)

    async def delete_server(self, server_id: ServerId) -> None:
        """See ``Cloud``."""
        try:
            await self._call("DELETE", _path(server_id))
        except NotFoundError:
            return

    async def remove_server_metadata(self, server_id: ServerId, keys: Sequence[str]) -> None:
        """See ``Cloud``."""
        for key in keys:
            try:
                await self._call("DELETE", f"{_path(server_id)}/metadata/{quote(key, safe='')}")
            except NotFoundError:
                continue

    async def _create(self, request: CreateServer) -> Server:
        microversion = await self._microversions.of(self._session)
        document = create_document(request, microversion)
        answer = await self._call("POST", "/servers", document=document, repeat=False)
        now = utc_now(self._clock)
        return created_server(answer.json(), request, now=now)

    async def _pages(self, filters: Sequence[tuple[str, str]]) -> list[Server]:
        """
        Return the servers of all pages.

        :raises TransientError: the pages lead nowhere.
        """
        first = (("limit", str(self._page_size)), *filters)
        servers, following = await self._page(first)
        for _ in range(PAGES_MAX):
            if following is None:
                return servers
            link = following
            try:
                more, following = await self._page(next_params(link, first))
            except InvalidRequestError as error:
                # The server that marks where the page begins was deleted meanwhile.
                text = f"the listing changed under us: {error.message}"
                raise TransientError(text, status=error.status) from error
            if following == link:
                raise TransientError("the same next page twice in a row")
            servers += more
        raise TransientError(f"more than {PAGES_MAX} pages of servers")

    async def _page(self, params: Sequence[tuple[str, str]]) -> tuple[list[Server], str | None]:
        answer = await self._call("GET", "/servers/detail", params=params)
        return page_of(answer.json())

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        document: object = None,
        repeat: bool = True,
    ) -> Answer:
        microversion = await self._microversions.of(self._session)
        try:
            return await self._session.call(
                method,
                path,
                params=params,
                document=document,
                headers=microversion_headers(microversion),
                repeat=repeat,
            )
        except InvalidRequestError as error:
            if error.status == NOT_ACCEPTABLE:
                await self._microversions.forget(self._session)
            raise


def _path(server_id: ServerId) -> str:
    return f"/servers/{quote(server_id, safe='')}"
