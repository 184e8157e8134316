"""
Answer whose token this is, asking identity once for all who want to know at the same time.

A caller that was valid is believed for a stated time, never past the token's expiry; so is, for a
shorter one, that a token is no good. Refused tokens are kept apart: whoever tries many of them
pushes no good caller out.
"""

import hashlib
import re
from datetime import datetime, timedelta

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.cloud.errors import AuthenticationError, NotSentError
from otter.cloud.flight import Recent, SingleFlight
from otter.cloud.interface import Caller
from otter.cloud.tokens import Identity, TokenCache
from otter.models.ids import TenantId
from otter.timing import utc_now

STALENESS_MAX = timedelta(seconds=60)
REFUSAL_TIME = timedelta(seconds=5)
CALLERS_MAX = 10_000
REFUSED_MAX = 10_000

# What tokens are made of. Anything else could break out of a header or a path.
_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=:~.]{1,8192}")


@frozen
class _Known:
    """A caller that was valid, and until when that is believed."""

    caller: Caller
    until: datetime


class CachingValidator:
    """
    See ``TokenValidator``.

    :param own_scope: the project of our own token that gives the right to ask.
    :param staleness_max: for how long a revoked token may still be taken for good.
    :param refusal_time: for how long a refused token is refused without asking again.
    """

    def __init__(
        self,
        identity: Identity,
        tokens: TokenCache[TenantId | None],
        clock: IReactorTime,
        *,
        own_scope: TenantId | None = None,
        staleness_max: timedelta = STALENESS_MAX,
        refusal_time: timedelta = REFUSAL_TIME,
        size_max: int = CALLERS_MAX,
        refused_max: int = REFUSED_MAX,
    ) -> None:
        self._identity = identity
        self._tokens = tokens
        self._clock = clock
        self._own_scope = own_scope
        self._staleness_max = staleness_max
        self._refusal_time = refusal_time
        self._known: Recent[bytes, _Known] = Recent(size_max)
        self._refused: Recent[bytes, datetime] = Recent(refused_max)
        self._flights: SingleFlight[bytes, Caller] = SingleFlight()

    async def validate(self, token: str) -> Caller:
        """See ``TokenValidator``."""
        if not _TOKEN.fullmatch(token) or not token.strip("."):
            raise AuthenticationError("this is not a token", status=401)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and self._now() < known.until:
            return known.caller
        self._known.drop(digest)
        refused_until = self._refused.get(digest)
        if refused_until is not None and self._now() < refused_until:
            raise _no_good()
        self._refused.drop(digest)
        return await self._flights.run(digest, lambda: self._look_up(token, digest))

    async def _look_up(self, token: str, digest: bytes) -> Caller:
        asked = self._now()
        caller = await self._ask(token)
        if caller is None or caller.expires <= self._now():
            self._refused.put(digest, asked + self._refusal_time)
            raise _no_good()
        until = min(asked + self._staleness_max, caller.expires)
        self._known.put(digest, _Known(caller, until))
        return caller

    async def _ask(self, token: str) -> Caller | None:
        """Ask identity; if it refuses our own token, once more with a fresh one."""
        try:
            return await self._tokens.use(
                self._own_scope, lambda own: self._identity.validate(token, own=own.value)
            )
        except AuthenticationError as error:
            # It is us who are refused; the caller's token may be perfectly good.
            raise NotSentError("identity refuses the service user", status=error.status) from None

    def _now(self) -> datetime:
        return utc_now(self._clock)


def _no_good() -> AuthenticationError:
    return AuthenticationError("the token is not valid", status=401)
