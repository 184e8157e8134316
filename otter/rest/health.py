"""Row 18 of the route table: ``/`` and ``/health``, for machines that watch this one."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from attrs import field, frozen
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.rest.answers import Answer, json_answer
from otter.rest.calls import Call, Route

RESPONSE_ID = "health_check"
PATHS: tuple[tuple[str, ...], ...] = ((), ("health",))
"""What is answered here, in pieces."""


@frozen
class Health:
    """How a component is; ``details`` is a JSON object without secrets."""

    healthy: bool
    details: Mapping[str, object] = field(factory=dict)


HealthCheck = Callable[[], Awaitable[Health]]
"""Asks one component; whatever it raises means that the component is not well."""


@frozen
class HealthResource:
    """
    Answers for the process as a whole, always with 200.

    :ivar checks: components by name.
    """

    checks: Mapping[str, HealthCheck]
    timeout: timedelta
    clock: IReactorTime
    log = Logger()

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", "/", self.show_root), Route("GET", "/health", self.show_health))

    async def show_root(self, call: Call) -> Answer:
        """Answer with nothing: somebody is there."""
        return Answer(200)

    async def show_health(self, call: Call) -> Answer:
        """Ask all components at once and answer with what they say."""
        asked = {
            name: Deferred.fromCoroutine(self._ask(name, check))
            for name, check in self.checks.items()
        }
        found = {name: await answer for name, answer in asked.items()}
        document: dict[str, object] = {
            name: {"healthy": health.healthy, "details": dict(health.details)}
            for name, health in found.items()
        }
        document["healthy"] = all(health.healthy for health in found.values())
        return json_answer(200, document, (("X-Response-Id", RESPONSE_ID),))

    async def _ask(self, name: str, check: HealthCheck) -> Health:
        async def answer() -> Health:
            return await check()

        asking = Deferred.fromCoroutine(answer())
        try:
            return await asking.addTimeout(self.timeout.total_seconds(), self.clock)
        except defer.TimeoutError:
            return Health(healthy=False, details={"error": "no answer in time"})
        except Exception as error:  # noqa: BLE001 - a check that breaks is an answer, not a fault
            self.log.failure("health.failed {component}", component=name)
            return Health(healthy=False, details={"error": type(error).__name__})
