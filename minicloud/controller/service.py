"""
The controller: answers for every server's record and decides what may be done.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

from attrs import evolve
from pyrsistent import PMap

from minicloud.bus import CheckHealth, Message, MessageBus
from minicloud.clock import CloudTime
from minicloud.config import CloudConfig, Flavor, Image
from minicloud.controller import states
from minicloud.controller.building import Builder, instance_spec
from minicloud.controller.interface import (
    CONTROLLER,
    MAX_METADATA_ITEMS,
    UNLIMITED,
    Action,
    ActOnServer,
    ChangeMetadata,
    CreateServer,
    DeleteServer,
    GetServer,
    GetUsage,
    ListFlavors,
    ListImages,
    ListServers,
    Page,
    QuotaExceededError,
    RemoveMetadata,
    RenameServer,
    ReportServer,
    ResetController,
    SetDeleteTime,
    SetQuota,
    SetStatus,
    StateConflictError,
    UnknownKeyError,
    UnknownReferenceError,
    UnknownServerError,
    Usage,
)
from minicloud.controller.listing import page
from minicloud.controller.records import NewServer, Server
from minicloud.controller.table import ServerTable
from minicloud.node.interface import (
    PowerOff,
    PowerOn,
    Reboot,
    Rebuild,
    SetInstanceMetadata,
    node_component,
)


class Controller:
    """Holds the servers of every project."""

    def __init__(self, time: CloudTime, config: CloudConfig) -> None:
        self._time = time
        self._config = config
        self._flavors = {flavor.flavor_id: flavor for flavor in config.flavors}
        self._images = {image.image_id: image for image in config.images}
        self._quotas: dict[str, int] = {}
        self._bus: MessageBus
        self._builder: Builder

    def attach(self, bus: MessageBus) -> None:
        """Take messages from the bus, and call the nodes and the network over it."""
        self._bus = bus
        self._start_over()
        bus.attach(
            CONTROLLER,
            {
                CreateServer: self._create,
                GetServer: self._get,
                ListServers: self._list,
                DeleteServer: self._delete,
                ChangeMetadata: self._change_metadata,
                RemoveMetadata: self._remove_metadata,
                RenameServer: self._rename,
                ActOnServer: self._act,
                ReportServer: self._report,
                GetUsage: self._usage,
                ListFlavors: self._list_flavors,
                ListImages: self._list_images,
                SetQuota: self._set_quota,
                SetStatus: self._set_status,
                SetDeleteTime: self._set_delete_time,
                ResetController: self._reset,
                CheckHealth: self._check_health,
            },
        )

    def _start_over(self) -> None:
        self._table = ServerTable()
        self._quotas.clear()
        self._builder = Builder(
            self._bus,
            self._time,
            self._table,
            self._config.nodes,
            self._config.node_capacity,
        )

    async def stop(self) -> None:
        """Start nothing any more."""
        await self._builder.stop()

    async def _create(self, message: CreateServer) -> Server:
        flavor = self._check_references(message.new)
        self._check_quota(message.project_id)
        now = self._time.now()
        server = Server(
            server_id=str(uuid4()),
            sequence=self._table.next_sequence(),
            project_id=message.project_id,
            user_id=message.user_id,
            new=message.new,
            flavor=flavor,
            created=now,
            updated=now,
            metadata=message.new.metadata,
            name=message.new.name,
            image_id=message.new.image_id,
        )
        self._table.put(server)
        self._builder.build(server.server_id, message.fate)
        return server

    def _check_references(self, new: NewServer) -> Flavor:
        if new.flavor_id not in self._flavors:
            raise UnknownReferenceError(f"Flavor {new.flavor_id} could not be found.")
        self._check_image(new.image_id)
        if new.key_name is not None and new.key_name not in self._config.key_names:
            raise UnknownReferenceError("Invalid key_name provided.")
        _check_metadata_count(new.metadata)
        return self._flavors[new.flavor_id]

    def _check_image(self, image_id: str) -> None:
        if image_id and image_id not in self._images:
            raise UnknownReferenceError(f"Can not find requested image {image_id}")

    def _limit(self, project_id: str) -> int:
        return self._quotas.get(project_id, self._config.quota_instances)

    def _check_quota(self, project_id: str) -> None:
        used, limit = self._table.count(project_id), self._limit(project_id)
        if limit != UNLIMITED and used + 1 > limit:
            raise QuotaExceededError(
                f"Quota exceeded for instances: Requested 1, but already used {used} of {limit} "
                "instances"
            )

    def _find(self, server_id: str, project_id: str | None) -> Server:
        server = self._table.find(server_id, project_id)
        if server is None:
            raise UnknownServerError(f"Instance {server_id} could not be found.")
        return server

    async def _get(self, message: GetServer) -> Server:
        return self._find(message.server_id, message.project_id)

    async def _list(self, message: ListServers) -> Page:
        return page(self._table, message, self._time.now())

    async def _delete(self, message: DeleteServer) -> None:
        server = self._find(message.server_id, message.project_id)
        if server.deleting and not message.at_once:
            return
        self._table.put(states.deletion_asked(server, self._time.now()))
        self._builder.remove(server.server_id, at_once=message.at_once)

    async def _change_metadata(self, message: ChangeMetadata) -> Server:
        server = self._find(message.server_id, message.project_id)
        kept: Mapping[str, str] = {} if message.replace else server.metadata
        metadata = {**kept, **message.items}
        _check_metadata_count(metadata)
        return await self._put_metadata(server, metadata)

    async def _remove_metadata(self, message: RemoveMetadata) -> None:
        server = self._find(message.server_id, message.project_id)
        if message.key not in server.metadata:
            raise UnknownKeyError(message.key)
        await self._put_metadata(server, server.metadata.remove(message.key))

    async def _put_metadata(self, server: Server, metadata: Mapping[str, str]) -> Server:
        changed = evolve(server, metadata=metadata, updated=self._time.now())
        self._table.put(changed)
        if server.host:
            order = SetInstanceMetadata(server.server_id, changed.metadata)
            await self._bus.call(node_component(server.host), order)
        return changed

    async def _rename(self, message: RenameServer) -> Server:
        server = self._find(message.server_id, message.project_id)
        renamed = evolve(server, name=message.name, updated=self._time.now())
        self._table.put(renamed)
        return renamed

    async def _act(self, message: ActOnServer) -> Server:
        server = self._find(message.server_id, message.project_id)
        reason = states.refusal(server, message.action)
        if reason:
            raise StateConflictError(reason)
        self._check_image(message.image_id)
        acting = evolve(
            server,
            task_state=states.ACTION_RULES[message.action].task_state,
            image_id=message.image_id or server.image_id,
            updated=self._time.now(),
        )
        self._table.put(acting)
        await self._bus.call(node_component(server.host), _order_for(message.action, acting))
        return acting

    async def _report(self, message: ReportServer) -> None:
        await self._builder.report(message)

    async def _usage(self, message: GetUsage) -> Usage:
        flavors = [server.flavor for server in self._table.live(message.project_id)]
        return Usage(
            len(flavors),
            sum(flavor.vcpus for flavor in flavors),
            sum(flavor.ram_mb for flavor in flavors),
            self._limit(message.project_id),
        )

    async def _list_flavors(self, _: ListFlavors) -> Sequence[Flavor]:
        return tuple(self._flavors.values())

    async def _list_images(self, _: ListImages) -> Sequence[Image]:
        return tuple(self._images.values())

    async def _set_quota(self, message: SetQuota) -> None:
        self._quotas[message.project_id] = message.instances

    async def _set_status(self, message: SetStatus) -> Server:
        server = self._find(message.server_id, None)
        if message.status not in states.SETTABLE_STATUSES:
            raise ValueError(f"cannot set status {message.status}")
        changed = states.with_status(server, message.status, message.message, self._time.now())
        self._table.put(changed)
        return changed

    async def _set_delete_time(self, message: SetDeleteTime) -> None:
        self._builder.delete_time = max(timedelta(0), message.delete_time)

    async def _reset(self, _: ResetController) -> None:
        builder = self._builder
        self._start_over()
        await builder.stop()

    async def _check_health(self, _: CheckHealth) -> Mapping[str, int]:
        return {"servers": self._table.count()}


def _check_metadata_count(metadata: Mapping[str, str] | PMap[str, str]) -> None:
    if len(metadata) > MAX_METADATA_ITEMS:
        raise QuotaExceededError(f"Maximum number of metadata items exceeds {MAX_METADATA_ITEMS}")


def _order_for(action: Action, server: Server) -> Message[None]:
    if action is Action.REBUILD:
        return Rebuild(instance_spec(server))
    if action is Action.START:
        return PowerOn(server.server_id)
    if action is Action.STOP:
        return PowerOff(server.server_id)
    return Reboot(server.server_id)
