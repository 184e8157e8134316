"""
Decide what a provider's answer means: every status is either fine or exactly one ``CloudError``.

Pure. Services differ in how they use a status, so a table of exceptions per service comes first and
the common table second; within a row, the words of the body can decide.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import simplejson
from attrs import frozen

from otter.cloud.errors import (
    AccessDeniedError,
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    InvalidRequestError,
    NodeLimitError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    TransientError,
)

RETRY_AFTER_MAX = timedelta(hours=1)
"""No provider makes us wait longer than this, whatever it says."""

MESSAGE_SIZE_MAX = 500

_QUOTA = re.compile(r"quota|exceed|too many|maximum number", re.IGNORECASE)
_NODE_LIMIT = re.compile(r"node.*(limit|exceed)|(limit|exceed).*node", re.IGNORECASE)
_LEAVING = re.compile(r"deleted|PENDING_DELETE", re.IGNORECASE)
_BUSY = re.compile(r"immutable|pending|not active|duplicate", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


class Service(StrEnum):
    """A service of a provider, by the type its catalog gives it."""

    IDENTITY = "identity"
    COMPUTE = "compute"
    LOAD_BALANCER = "rax:load-balancer"
    IMAGE = "image"
    ORCHESTRATION = "orchestration"


@frozen
class _Reply:
    """
    What a row of the table can look at.

    :ivar foreign: whether the body is not a document, so that somebody else than the service may
        have spoken: a proxy in front of it.
    """

    message: str
    foreign: bool
    retry_after: timedelta | None


_Row = Callable[[_Reply], type[CloudError]]


def _always(error: type[CloudError]) -> _Row:
    return lambda _reply: error


def _absent(reply: _Reply) -> type[CloudError]:
    """A proxy's page for an unknown path must not pass for "your server is gone"."""
    return TransientError if reply.foreign else NotFoundError


def _quota_or(otherwise: type[CloudError]) -> _Row:
    return lambda reply: QuotaError if _QUOTA.search(reply.message) else otherwise


def _compute_over_limit(reply: _Reply) -> type[CloudError]:
    return QuotaError if reply.retry_after is None else ThrottledError


def _balancer_over_limit(reply: _Reply) -> type[CloudError]:
    return NodeLimitError if _NODE_LIMIT.search(reply.message) else ThrottledError


def _balancer_unprocessable(reply: _Reply) -> type[CloudError]:
    if _LEAVING.search(reply.message):
        return NotFoundError
    return ConflictingRequestError if _BUSY.search(reply.message) else InvalidRequestError


_COMMON: Mapping[int, _Row] = {
    401: _always(AuthenticationError),
    403: _always(AccessDeniedError),
    404: _always(NotFoundError),
    408: _always(TransientError),
    409: _always(ConflictingRequestError),
    410: _always(NotFoundError),
    413: _always(ThrottledError),
    423: _always(ConflictingRequestError),
    425: _always(TransientError),
    429: _always(ThrottledError),
}
_BY_SERVICE: Mapping[tuple[Service, int], _Row] = {
    (Service.COMPUTE, 404): _absent,
    (Service.COMPUTE, 403): _quota_or(AccessDeniedError),
    (Service.COMPUTE, 413): _compute_over_limit,
    (Service.LOAD_BALANCER, 403): _quota_or(AccessDeniedError),
    (Service.LOAD_BALANCER, 404): _absent,
    (Service.LOAD_BALANCER, 413): _balancer_over_limit,
    (Service.LOAD_BALANCER, 422): _balancer_unprocessable,
}


def classify(
    service: Service, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> CloudError | None:
    """
    Return what an answer means, or None when it says that all went well (2xx).

    A redirect, and any status nobody has heard of, leaves open what happened.

    :param headers: names in lower case.
    """
    if 200 <= status <= 299:
        return None
    document = _document(body)
    message = message_of(body)
    wait = retry_after(headers.get("retry-after", ""), now=now)
    reply = _Reply(message, foreign=bool(body.strip()) and document is None, retry_after=wait)
    otherwise = InvalidRequestError if 400 <= status <= 499 else TransientError
    row = _BY_SERVICE.get((service, status)) or _COMMON.get(status) or _always(otherwise)
    kind = row(reply)
    text = message or f"{service} answered HTTP {status}"
    if issubclass(kind, ThrottledError):
        return kind(text, status=status, retry_after=reply.retry_after)
    return kind(text, status=status)


def retry_after(value: str, *, now: datetime) -> timedelta | None:
    """
    Return for how long a ``Retry-After`` header asks us to wait: seconds or an HTTP date.

    None if it says nothing intelligible; never negative, never above ``RETRY_AFTER_MAX``.
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait = timedelta(seconds=int(text))
    else:
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), RETRY_AFTER_MAX)


def message_of(body: bytes) -> str:
    """
    Return the provider's own words: one printable line of bounded length, or empty.

    Nova wraps them in an object of one key, load balancers put them at the top with the details
    below ``validationErrors``, Heat puts them in one object of several.
    """
    document = _document(body)
    if document is None:
        return ""
    inner = next(iter(document.values())) if len(document) == 1 else document.get("error")
    document = inner if isinstance(inner, dict) else document
    words = [document.get("message"), *_details(document)]
    text = "; ".join(word for word in words if isinstance(word, str) and word)
    return _UNPRINTABLE.sub(" ", text).strip()[:MESSAGE_SIZE_MAX]


def _document(body: bytes) -> dict[str, object] | None:
    try:
        document = simplejson.loads(body, use_decimal=True)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _details(document: Mapping[str, object]) -> list[object]:
    errors = document.get("validationErrors")
    messages = errors.get("messages") if isinstance(errors, dict) else None
    return messages if isinstance(messages, list) else []
