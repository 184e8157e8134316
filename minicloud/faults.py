"""
Decide which requests go wrong, and how: the faults somebody has commanded.

Faults live in the faces of the cloud, so its inside stays honest: a face takes the first fault that
matches a request, and acts it out before, instead of or after asking the components. What shall
happen to a server later on travels with its creation, as its fate.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from attrs import evolve, field, frozen
from pyrsistent import PMap, pmap

from minicloud.api.errors import ApiError
from minicloud.clock import CloudTime
from minicloud.controller.interface import Fate, FateKind
from minicloud.node.interface import as_metadata

MAX_FAULTS = 1000


class Operation(StrEnum):
    """What a request wants."""

    CREATE = "create"
    DELETE = "delete"
    LIST = "list"
    SHOW = "show"
    UPDATE = "update"
    ACTION = "action"
    AUTHENTICATE = "authenticate"
    VALIDATE = "validate"


class Effect(StrEnum):
    """What goes wrong. The last four are for creations only."""

    REFUSE = "refuse"  # nothing is done, an error is answered
    ANSWER_ERROR = "answer-error"  # it is done, and yet an error is answered
    CUT = "cut"  # it is done, and the connection closes without an answer
    STUCK = "stuck"  # in BUILD for ever
    ERROR = "error"  # to ERROR, after a while if wanted
    ACTIVE_THEN_ERROR = "active-then-error"  # to ERROR, a while after it was ACTIVE
    SLOW = "slow"  # boots as long as commanded


class Service(StrEnum):
    """A face whose answers can be delayed."""

    IDENTITY = "identity"
    COMPUTE = "compute"
    LOAD_BALANCER = "load-balancer"


_FATES: Mapping[Effect, FateKind] = {
    Effect.STUCK: FateKind.STUCK,
    Effect.ERROR: FateKind.ERROR,
    Effect.ACTIVE_THEN_ERROR: FateKind.ACTIVE_THEN_ERROR,
    Effect.SLOW: FateKind.SLOW,
}


@frozen
class Subject:
    """
    What a request is about, for faults to match.

    :ivar name: the server's name; for tokens the user's.
    :ivar project: the project's id; for new tokens what the request named.
    """

    name: str = ""
    metadata: PMap[str, str] = field(converter=as_metadata, factory=pmap)
    project: str = ""


@frozen
class Fault:
    """
    Something commanded to go wrong.

    :ivar remaining: how often it will happen; None for as long as it is there.
    :ivar name: a regular expression that the subject's name has to match somewhere.
    :ivar metadata: items the subject must have, the values as regular expressions.
    :ivar project: the only project that meets it, or empty.
    :ivar retry_after: what the answer's ``Retry-After`` says.
    :ivar after: how long until a server's fate happens.
    """

    operation: Operation = Operation.CREATE
    effect: Effect = Effect.REFUSE
    remaining: int | None = 1
    name: str = ""
    metadata: PMap[str, str] = field(converter=as_metadata, factory=pmap)
    project: str = ""
    status: int = 500
    message: str = "The server has either erred or is incapable of performing the operation."
    retry_after: timedelta | None = None
    after: timedelta = timedelta(0)
    fault_id: str = ""

    def matches(self, operation: Operation, subject: Subject) -> bool:
        """Return whether it happens to a request."""
        return (
            operation is self.operation
            and self.project in {"", subject.project}
            and re.search(self.name, subject.name) is not None
            and all(
                key in subject.metadata and re.search(value, subject.metadata[key])
                for key, value in self.metadata.items()
            )
        )

    def error(self) -> ApiError:
        """Return what the client is told."""
        return ApiError(self.message, status=self.status, retry_after=self.retry_after)

    def fate(self) -> Fate | None:
        """Return what shall happen to the server that is created, if it is that kind of fault."""
        kind = _FATES.get(self.effect)
        return None if kind is None else Fate(kind, self.message, self.after)


class TooManyFaultsError(Exception):
    """There are ``MAX_FAULTS`` already."""


class Faults:
    """
    The commanded faults and delays.

    :ivar lag_new: how long lists leave out a new server.
    :ivar lag_deleted: how long lists go on showing a deleted one.
    """

    def __init__(self, time: CloudTime) -> None:
        self._time = time
        self._last_id = 0
        self.clear()

    def clear(self) -> None:
        """Let everything go right again."""
        self._faults: dict[str, Fault] = {}
        self.delays: dict[Service, timedelta] = {}
        self.lag_new = timedelta(0)
        self.lag_deleted = timedelta(0)

    def add(self, fault: Fault) -> Fault:
        """
        Command a fault and return it with its id; those commanded first happen first.

        :raises TooManyFaultsError: there are as many as there can be.
        """
        if len(self._faults) >= MAX_FAULTS:
            raise TooManyFaultsError
        self._last_id += 1
        known = evolve(fault, fault_id=str(self._last_id))
        self._faults[known.fault_id] = known
        return known

    def remove(self, fault_id: str) -> bool:
        """Take a fault back; return whether it was there."""
        return self._faults.pop(fault_id, None) is not None

    def commanded(self) -> Sequence[Fault]:
        """Return the faults that wait, in the order they will be tried."""
        return tuple(self._faults.values())

    def armed(self, operation: Operation) -> bool:
        """Return whether any fault waits for such requests."""
        return any(fault.operation is operation for fault in self._faults.values())

    def take(self, operation: Operation, subject: Subject) -> Fault | None:
        """Return the fault that happens to a request, counted as having happened."""
        for fault in self._faults.values():
            if fault.matches(operation, subject):
                self._count(fault)
                return fault
        return None

    def _count(self, fault: Fault) -> None:
        if fault.remaining is None:
            return
        if fault.remaining <= 1:
            del self._faults[fault.fault_id]
        else:
            left = evolve(fault, remaining=fault.remaining - 1)
            self._faults[fault.fault_id] = left

    async def delay(self, service: Service) -> None:
        """Wait as long as the service's answers are commanded to take."""
        await self._time.sleep(self.delays.get(service, timedelta(0)))
