"""
Command the cloud: make it go wrong, move its time, look behind its faces.

The Python half; ``api/control.py`` puts it on HTTP. Everything passes over the bus like everything
else, so what is commanded here also reaches components that run elsewhere.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from attrs import evolve, field, frozen
from pyrsistent import PMap, pmap

from minicloud.balancer import Balancers
from minicloud.bus import CheckHealth, ComponentName, MessageBus
from minicloud.clock import CloudTime
from minicloud.config import CloudConfig
from minicloud.controller.interface import (
    CONTROLLER,
    DeleteServer,
    GetServer,
    ListServers,
    ResetController,
    SetDeleteTime,
    SetQuota,
    SetStatus,
)
from minicloud.controller.records import Server
from minicloud.faults import Faults, Service
from minicloud.network.interface import NETWORK, ResetNetwork
from minicloud.node.interface import (
    GetInstance,
    InstanceInfo,
    ResetNode,
    SetBootTime,
    UnknownInstanceError,
    node_component,
)
from minicloud.users.interface import (
    USERS,
    CreateProject,
    CreateUser,
    ListProjects,
    Project,
    ResetUsers,
    RevokeAllTokens,
    SetTokenLifetime,
)

NODE_LIMIT = 25


@frozen
class Settings:
    """
    What lasts until it is changed again.

    :ivar delays: how long the answers of each face take.
    :ivar lag_new: how long lists leave out a new server.
    :ivar lag_deleted: how long lists go on showing a deleted one.
    :ivar boot_time: how long servers boot at least.
    :ivar delete_time: how long an accepted deletion lingers.
    :ivar balancer_update_time: how long a change keeps a load balancer busy.
    """

    delays: PMap[Service, timedelta] = field(factory=pmap)
    lag_new: timedelta = timedelta(0)
    lag_deleted: timedelta = timedelta(0)
    boot_time: timedelta = timedelta(0)
    delete_time: timedelta = timedelta(0)
    token_lifetime: timedelta = timedelta(hours=24)
    balancer_update_time: timedelta = timedelta(0)
    balancer_node_limit: int = NODE_LIMIT


class Control:
    """
    All that can be commanded.

    :ivar faults: what goes wrong; commanded and taken back there.
    :ivar settings: as they are now; changed by ``apply``.
    :ivar balancers: the load balancers, for what can be done to them behind their owners' backs.
    """

    def __init__(
        self,
        bus: MessageBus,
        time: CloudTime,
        faults: Faults,
        balancers: Balancers,
        config: CloudConfig,
    ) -> None:
        self.bus = bus
        self.time = time
        self.faults = faults
        self.balancers = balancers
        self.config = config
        self._default = Settings(boot_time=config.boot_time, token_lifetime=config.token_lifetime)
        self.settings = self._default

    async def apply(self, settings: Settings) -> None:
        """Let the cloud be as the settings say from now on."""
        self.faults.delays = dict(settings.delays)
        self.faults.lag_new = settings.lag_new
        self.faults.lag_deleted = settings.lag_deleted
        for node in self._nodes():
            await self.bus.call(node, SetBootTime(settings.boot_time))
        await self.bus.call(CONTROLLER, SetDeleteTime(settings.delete_time))
        await self.bus.call(USERS, SetTokenLifetime(settings.token_lifetime))
        self.balancers.set_update_time(settings.balancer_update_time.total_seconds())
        self.balancers.set_node_limit(settings.balancer_node_limit)
        self.settings = settings

    async def change(self, **changes: Any) -> None:
        """Apply the present settings with some of them changed."""
        await self.apply(evolve(self.settings, **changes))

    async def list_servers(self) -> Sequence[Server]:
        """Return all servers of all projects, newest first, whatever faults hide from lists."""
        servers: list[Server] = []
        marker, more = "", True
        while more:
            page = await self.bus.call(CONTROLLER, ListServers(None, marker=marker))
            servers.extend(page.servers)
            marker, more = page.servers[-1].server_id if page.servers else "", page.more
        return servers

    async def get_server(self, server_id: str) -> tuple[Server, InstanceInfo | None]:
        """
        Return a server and how its instance is, if there is one.

        :raises UnknownServerError: there is no such server.
        """
        server = await self.bus.call(CONTROLLER, GetServer(None, server_id))
        if not server.host:
            return server, None
        try:
            info = await self.bus.call(node_component(server.host), GetInstance(server_id))
        except UnknownInstanceError:
            return server, None
        return server, info

    async def set_status(self, server_id: str, status: str, message: str = "") -> Server:
        """
        Make a server look a certain way; its instance is left alone.

        :raises UnknownServerError: there is no such server.
        :raises ValueError: there is no such status.
        """
        return await self.bus.call(CONTROLLER, SetStatus(server_id, status, message))

    async def delete_server(self, server_id: str) -> None:
        """
        Delete a server behind its owner's back, without the commanded lingering.

        :raises UnknownServerError: there is no such server.
        """
        await self.bus.call(CONTROLLER, DeleteServer(None, server_id, at_once=True))

    async def set_quota(self, project_id: str, instances: int) -> None:
        """Limit a project's servers."""
        await self.bus.call(CONTROLLER, SetQuota(project_id, instances))

    async def create_project(self, name: str, project_id: str = "") -> Project:
        """
        Add a project.

        :raises NameTakenError: the name or id is in use.
        """
        return await self.bus.call(USERS, CreateProject(name, project_id))

    async def list_projects(self) -> Sequence[Project]:
        """Return all projects."""
        return await self.bus.call(USERS, ListProjects())

    async def create_user(
        self,
        name: str,
        password: str,
        roles: Mapping[str, tuple[str, ...]],
        service_roles: tuple[str, ...] = (),
    ) -> str:
        """
        Add a user and return the id.

        :param roles: project id to names of roles.
        :raises NameTakenError: the name is in use.
        :raises UnknownProjectError: a project does not exist.
        """
        return await self.bus.call(USERS, CreateUser(name, password, roles, service_roles))

    async def revoke_tokens(self) -> int:
        """Make every token worthless and say how many there were."""
        return await self.bus.call(USERS, RevokeAllTokens())

    async def reset(self) -> None:
        """Take the cloud back to how it started; its time goes on."""
        self.faults.clear()
        await self.bus.call(CONTROLLER, ResetController())
        for node in self._nodes():
            await self.bus.call(node, ResetNode())
        await self.bus.call(NETWORK, ResetNetwork())
        await self.bus.call(USERS, ResetUsers())
        self.balancers.reset()
        await self.apply(self._default)

    async def check_health(self) -> Mapping[str, Mapping[str, int]]:
        """Let every component do some work, and return what each holds."""
        found: dict[str, Mapping[str, int]] = {}
        for component in (USERS, CONTROLLER, NETWORK, *self._nodes()):
            found[component] = await self.bus.call(component, CheckHealth())
        found["balancers"] = {"load_balancers": len(self.balancers.describe())}
        return found

    def _nodes(self) -> Sequence[ComponentName]:
        return [node_component(name) for name in self.config.nodes]
