"""What a handler gets to see of a request, and how it says which requests are its own."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from otter.rest.answers import Answer
from otter.rest.queries import Query


@frozen
class Call:
    """
    One request that was let in.

    :ivar actor: who asks, as the history names them.
    :ivar accept: the ``Accept`` header.
    """

    actor: str
    query: Query
    body: bytes
    accept: str = ""


Handler = Callable[..., Awaitable[Answer]]
"""Takes the call and, by name, the ids of the path."""


@frozen
class Route:
    """A method of a path and who answers it; ``<name>`` in the path is an id."""

    method: str
    path: str
    handler: Handler


TENANT = "/v1.0/<tenant>"
GROUPS = f"{TENANT}/groups"
GROUP = f"{GROUPS}/<group>"
POLICIES = f"{GROUP}/policies"
POLICY = f"{POLICIES}/<policy>"
WEBHOOKS = f"{POLICY}/webhooks"
WEBHOOK = f"{WEBHOOKS}/<webhook>"
