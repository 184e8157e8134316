"""
Put one process together from its configuration.

``make_service`` only constructs; starting the service opens the store, learns the deployment's
identity and then starts the roles. What keeps it from starting, such as a store that cannot be
opened, ends the process with status 1, because whoever supervises it must notice; a store that
fails later is waited for.
"""

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from random import SystemRandom

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorCore,
    IReactorThreads,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Site

from otter.app.cloud import CloudAccess, make_cloud_access
from otter.app.health import store_health
from otter.app.metering import MeteredController, MeteredMessenger
from otter.bus.interface import Bus
from otter.bus.local import LocalBus
from otter.cloud.guard import ClientReactor
from otter.config import Config, ConfigError
from otter.controller.interface import Controller
from otter.metrics import Metrics, Watched
from otter.models.activity import Deployment
from otter.models.ids import DeploymentId, new_uuid
from otter.models.interface import Store
from otter.models.memory.store import MemoryStore
from otter.models.sqlite.store import SQLiteStore
from otter.rest.app import make_site
from otter.rest.auth import RoleNames
from otter.rest.config import RestConfig
from otter.rest.health import HealthCheck
from otter.rest.operator.app import Operated, make_operator_site
from otter.rest.operator.census import CensusTaker
from otter.rest.site import ApiSite
from otter.supervisor.service import SupervisorService
from otter.timing import sleep, utc_now
from otter.worker.notifier import Notifier
from otter.worker.service import WorkerService

DRAIN = timedelta(seconds=5)
"""How long calls that were taken may take to be answered when the process is to end."""
LOOK_EVERY = timedelta(milliseconds=20)


class Reactor(ClientReactor, IReactorCore, IReactorThreads):
    """What a process needs of its reactor."""


class OtterService(MultiService):
    """One process of Otter, with the roles its configuration names."""

    log = Logger()

    def __init__(self, config: Config, reactor: Reactor) -> None:
        super().__init__()
        self._config = config
        self._reactor = reactor
        self._metrics = Metrics()
        self._ports: list[IListeningPort] = []
        self._api: ApiSite | None = None
        self._close_store: Callable[[], Awaitable[None]] | None = None
        self._starting: Deferred[None] | None = None
        self._stopping = False

    def startService(self) -> None:
        """Open the store, then start the roles."""
        super().startService()
        self._starting = Deferred.fromCoroutine(self._start())
        _ = self._starting.addErrback(self._cannot_start)

    async def _start(self) -> None:
        store = await self._open_store()
        candidate = Deployment(DeploymentId(new_uuid()), secrets.token_hex(32))
        deployment = await store.deployment(candidate)
        access = make_cloud_access(self._config, self._reactor, deployment.secret, self._metrics)
        bus = LocalBus(self._reactor)
        if "worker" in self._config.roles:
            self._start_worker(store, bus, access)
        if "supervisor" in self._config.roles:
            SupervisorService(
                store,
                bus,
                access.provider,
                self._reactor,
                self._config.supervisor,
                deployment.deployment_id,
                self._metrics,
            ).setServiceParent(self)
        controller = MeteredController(
            store, bus, self._reactor, self._config.limits, deployment, self._metrics
        )
        health = {"store": store_health(store), "identity": access.identity_health}
        if "api" in self._config.roles:
            self._api = site = self._make_site(controller, access, health)
            await self._listen("api.listen", self._config.api.listen, site)
        if self._config.operator.listen:
            operators = self._make_operator_site(store, controller, health)
            await self._listen("operator.listen", self._config.operator.listen, operators)
        self.log.info(
            "otter.ready {roles} {deployment}",
            roles=",".join(self._config.roles),
            deployment=deployment.deployment_id,
        )

    async def _open_store(self) -> Store:
        if self._config.store.kind == "memory":
            return MemoryStore()
        store = SQLiteStore(
            Path(self._config.store.path), self._reactor, committed=self._metrics.commit
        )
        await store.open()
        self._close_store = store.close
        self._metrics.watch(Watched.WRITES_WAITING, lambda: store.writes_waiting)
        return store

    def _start_worker(self, store: Store, bus: Bus, access: CloudAccess) -> None:
        settings = self._config.worker
        worker = WorkerService(
            bus, access.provider, self._reactor, settings, SystemRandom(), self._metrics
        )
        worker.setServiceParent(self)
        messenger = MeteredMessenger(access.messenger, self._metrics)
        Notifier(store, messenger, self._reactor, settings).setServiceParent(self)

    def _make_site(
        self, controller: Controller, access: CloudAccess, health: Mapping[str, HealthCheck]
    ) -> ApiSite:
        api = self._config.api
        rest = RestConfig(
            api.base_url.rstrip("/"),
            roles=RoleNames(
                frozenset(api.full_roles),
                frozenset(api.read_roles),
                frozenset(api.cross_tenant_roles),
            ),
            rates=self._config.rates,
            bounds=self._config.bounds,
        )
        validator = access.validator if api.authenticate else None
        return make_site(
            rest,
            controller,
            validator,
            health,
            self._reactor,
            checker=access.checker,
            metrics=self._metrics,
        )

    def _make_operator_site(
        self, store: Store, controller: Controller, health: Mapping[str, HealthCheck]
    ) -> Site:
        census = CensusTaker(store, self._reactor, self._config.operator.census)
        census.setServiceParent(self)
        self._metrics.watch_census(lambda: census.last)
        operated = Operated(controller, health, self._metrics, lambda: census.last)
        return make_operator_site(operated, self._reactor)

    async def _listen(self, key: str, where: str, site: Site) -> None:
        try:
            endpoint = serverFromString(self._reactor, where)
            self._ports.append(await endpoint.listen(site))
        except (ValueError, LookupError, OverflowError, TypeError, CannotListenError) as error:
            raise ConfigError(key, str(error)) from error

    def _cannot_start(self, failure: Failure) -> None:
        if self._stopping:
            return
        self.log.critical("otter.cannot_start: {error}", error=failure.getErrorMessage())
        self.log.debug("{trace}", trace=failure.getTraceback())
        # twistd has no way to end with a status of our own once the reactor runs.
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        # What fails at once does so before the reactor runs, when it cannot be stopped yet.
        self._reactor.callWhenRunning(self._reactor.stop)

    def stopService(self) -> Deferred[None]:
        """Take no more calls, let what is under way end or cut it short, close the store."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._stopping = True
        if self._starting is not None:
            self._starting.cancel()
        try:
            while self._ports:
                stopped = self._ports.pop().stopListening()
                if stopped is not None:
                    await stopped
            await self._drain()
            stopping = super().stopService()
            if stopping is not None:
                await stopping
        finally:
            if self._close_store is not None:
                await self._close_store()

    async def _drain(self) -> None:
        """Let calls that were taken be answered, for a while, before the store closes."""
        deadline = utc_now(self._reactor) + DRAIN
        while self._api is not None and self._api.admission.at_work:
            if utc_now(self._reactor) >= deadline:
                return
            await sleep(self._reactor, LOOK_EVERY)


def make_service(config: Config, reactor: Reactor) -> OtterService:
    """Return the process's service; nothing happens before it is started."""
    return OtterService(config, reactor)
