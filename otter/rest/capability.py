"""
Row 16 of the route table: executing a webhook by its URL.

Stands in front of the router, because this is the path that alarms hit by the thousand. The caller
learns nothing but that the hit was taken: 202 whatever becomes of it. Two exceptions: hits that
come too fast (413), and a store that cannot be reached, because what cannot be kept must not be
acknowledged (promise S4). Neither tells a right hash from a wrong one; see also
Note [Rates of webhooks] in ``rates``.
"""

from attrs import frozen
from twisted.logger import Logger

from otter.controller.interface import Controller
from otter.models.errors import StoreUnavailableError
from otter.models.ids import CapabilityHash
from otter.rest.answers import Answer
from otter.rest.errors import InvalidMethodError, RateLimitError
from otter.rest.rates import RateLimiter
from otter.rest.responding import Responder


@frozen
class Capability:
    """Answers for capability URLs."""

    controller: Controller
    limiter: RateLimiter
    responder: Responder
    log = Logger()

    async def answer(self, method: str, version: str, capability: str) -> Answer:
        """Execute, and say no more than that."""
        if method != "POST":
            return self.responder.refusal(InvalidMethodError(("POST",)))
        try:
            self.limiter.count_execution(capability)
            await self.controller.execute_capability(version, CapabilityHash(capability))
        except (RateLimitError, StoreUnavailableError) as error:
            return self.responder.refusal(error)
        except Exception:  # noqa: BLE001 - nothing else is told to the caller (rest-api.md 3.15)
            self.log.failure("capability.failed")
        return Answer(202)
