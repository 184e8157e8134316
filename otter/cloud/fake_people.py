"""The people around a fake cloud: callers who come with tokens, owners who receive messages."""

from collections import deque
from copy import copy
from datetime import UTC, datetime, timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import AuthenticationError, CloudError
from otter.cloud.interface import Caller
from otter.models.ids import GroupId, TenantId

HISTORY_SIZE = 100_000


class FakeValidator:
    """
    A ``TokenValidator`` that knows the tokens it was told of.

    :ivar error: raised instead of any answer while it is not None: identity cannot be asked.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self.error: CloudError | None = None

    def admit(
        self,
        token: str,
        tenant_id: TenantId | None,
        *roles: str,
        expires_in: timedelta = timedelta(days=1),
    ) -> Caller:
        """Make a token good for a while; return whose it is."""
        now = datetime.fromtimestamp(self._clock.seconds(), UTC)
        caller = Caller("user-id", "user", tenant_id, frozenset(roles), now + expires_in)
        self._callers[token] = caller
        return caller

    def revoke(self, token: str) -> None:
        """Make a token bad."""
        self._callers.pop(token, None)

    async def validate(self, token: str) -> Caller:
        """See ``TokenValidator``."""
        if self.error is not None:
            raise copy(self.error)
        caller = self._callers.get(token)
        if caller is None or caller.expires.timestamp() <= self._clock.seconds():
            raise AuthenticationError("the token is not valid", status=401)
        return caller


@frozen
class Delivery:
    """One message that reached its owner."""

    url: str
    message_id: str
    event: str
    body: bytes
    group_id: GroupId


class FakeMessenger:
    """
    A ``Messenger`` that keeps what it delivers.

    :ivar deliveries: what was accepted, oldest first, bounded.
    :ivar attempts: how many messages were handed in, accepted or not.
    """

    def __init__(self) -> None:
        self._faults: deque[CloudError] = deque()
        self.deliveries: deque[Delivery] = deque(maxlen=HISTORY_SIZE)
        self.attempts = 0

    def fail(self, error: CloudError, times: int = 1) -> None:
        """Let the next ``times`` messages be refused with a copy of ``error``."""
        self._faults.extend([error] * times)

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """See ``Messenger``."""
        self.attempts += 1
        if self._faults:
            raise copy(self._faults.popleft())
        self.deliveries.append(Delivery(url, message_id, event, body, group_id))
