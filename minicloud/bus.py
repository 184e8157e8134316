"""
The message bus between the components: typed messages with one reply each.

No component reads another's tables or objects: it calls one by name. A message names the type of
its reply, so that callers stay type checked. ``LocalBus`` delivers inside this process; anything
that passes the same tests may deliver further.

Note [Detached receivers]: the receiver runs apart from its caller. A caller that is cancelled (its
HTTP client hung up) stops waiting, but what it asked for is carried out, as it would be behind a
real broker.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, NewType, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

Reply = TypeVar("Reply")
ComponentName = NewType("ComponentName", str)


class Message(Generic[Reply]):
    """Something asked of a component; subclasses are frozen records that name their reply."""


Receiver = Callable[[Any], Coroutine[Any, Any, Any]]
Receivers = Mapping[type[Message[Any]], Receiver]


@frozen
class CheckHealth(Message[Mapping[str, int]]):
    """Asked of every component: do real work and say in numbers what you hold."""


class UnreachableComponentError(Exception):
    """No component of that name is attached, or it does not understand the message."""


class MessageBus(Protocol):
    """Carries messages between components."""

    def attach(self, component: ComponentName, receivers: Receivers) -> None:
        """Let ``component`` receive: one coroutine function per message class."""

    async def call(self, component: ComponentName, message: Message[Reply]) -> Reply:
        """
        Deliver a message and wait for the reply; what the receiver raises is raised here.

        :raises UnreachableComponentError: nobody is there to receive it.
        """


class LocalBus:
    """Delivers within this process, at once, in the caller's turn of the reactor."""

    def __init__(self) -> None:
        self._components: dict[ComponentName, Receivers] = {}

    def attach(self, component: ComponentName, receivers: Receivers) -> None:
        """See ``MessageBus.attach``; a second component of one name is a mistake in composing."""
        if component in self._components:
            raise ValueError(f"component {component} is attached already")
        self._components[component] = receivers

    async def call(self, component: ComponentName, message: Message[Reply]) -> Reply:
        """See ``MessageBus.call`` and Note [Detached receivers]."""
        receive = self._components.get(component, {}).get(type(message))
        if receive is None:
            raise UnreachableComponentError(f"{component} does not take {type(message).__name__}")
        waiting: Deferred[Reply] = Deferred()

        def settle(result: Any) -> None:
            # a caller that was cancelled has been answered already; nobody waits for this result
            if not waiting.called:
                waiting.callback(result)

        _ = Deferred.fromCoroutine(receive(message)).addBoth(settle)
        return await waiting
