"""
Act out commanded faults around a request.
"""

from collections.abc import Awaitable, Callable

from minicloud.api.http import Answer, ConnectionCutError
from minicloud.controller.interface import Fate
from minicloud.faults import Effect, Faults, Operation, Subject

Act = Callable[[Fate | None], Awaitable[Answer]]


async def with_faults(faults: Faults, operation: Operation, subject: Subject, act: Act) -> Answer:
    """
    Do what a request wants, or what was commanded to happen instead.

    :param act: does it; takes the fate of the server that is created.
    :raises ApiError: the commanded one.
    :raises ConnectionCutError: the client is to get no answer.
    """
    fault = faults.take(operation, subject)
    if fault is None:
        return await act(None)
    if fault.effect is Effect.REFUSE:
        raise fault.error()
    answer = await act(fault.fate())
    if fault.effect is Effect.ANSWER_ERROR:
        raise fault.error()
    if fault.effect is Effect.CUT:
        raise ConnectionCutError
    return answer
