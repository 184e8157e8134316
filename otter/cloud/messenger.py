"""
Deliver a signed message to a customer's own URL, once.

The signature is that of standardwebhooks.com: an HMAC over id, time and body, with a key that the
group's owner can read from the API, so that the receiver knows who speaks and that it is not old.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from twisted.internet.interfaces import IReactorTime

from otter.cloud.classify import retry_after
from otter.cloud.errors import (
    CloudError,
    InvalidRequestError,
    NotFoundError,
    ThrottledError,
    TransientError,
)
from otter.cloud.http import Answer, HttpClient
from otter.models.ids import GroupId
from otter.models.signing import PREFIX, notify_key
from otter.timing import utc_now

SCHEMES = frozenset({"http", "https"})
GONE = frozenset({404, 410})
TOO_MANY = 429


class SignedMessenger:
    """
    See ``Messenger``.

    :param http: on ``customer_requests``, which keeps it away from private addresses.
    :param secret: the deployment's, from which each group's key follows.
    """

    def __init__(self, http: HttpClient, secret: str, clock: IReactorTime) -> None:
        self._http = http
        self._secret = secret
        self._clock = clock

    async def deliver(
        self, url: str, *, message_id: str, event: str, body: bytes, group_id: GroupId
    ) -> None:
        """See ``Messenger``; any answer other than success and "gone" may be another one later."""
        refuse_unless_web(url)
        timestamp = int(self._clock.seconds())
        key = notify_key(self._secret, group_id)
        answer = await self._http.exchange(
            "POST",
            url,
            headers={
                "content-type": "application/json",
                "user-agent": "Otter",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(key, message_id, timestamp, body),
                "otter-event": event,
            },
            body=body,
            discard=True,
        )
        error = self._refusal(answer)
        if error is not None:
            raise error

    def _refusal(self, answer: Answer) -> CloudError | None:
        if 200 <= answer.status <= 299:
            return None
        text = f"the receiver answered HTTP {answer.status}"
        if answer.status in GONE:
            return NotFoundError(text, status=answer.status)
        if answer.status == TOO_MANY:
            now = utc_now(self._clock)
            wait = retry_after(answer.headers.get("retry-after", ""), now=now)
            return ThrottledError(text, status=answer.status, retry_after=wait)
        return TransientError(text, status=answer.status)


def signature(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a message, for a key as ``notify_key`` spells it."""
    secret = base64.b64decode(key.removeprefix(PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def refuse_unless_web(url: str) -> None:
    """
    Refuse a URL that is not a plain web address; where its host may lie is checked on connecting.

    :raises InvalidRequestError: another scheme, no host, an impossible port, or user and password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc:
        raise InvalidRequestError("not a web address that messages can be sent to")
