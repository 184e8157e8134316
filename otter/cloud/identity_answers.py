"""Decide what an answer of identity means, whatever its version and whatever it was asked."""

from twisted.internet.interfaces import IReactorTime

from otter.cloud.classify import Service, classify
from otter.cloud.errors import TransientError
from otter.cloud.http import Answer
from otter.timing import utc_now


def refuse_unless_well(answer: Answer, clock: IReactorTime) -> None:
    """
    Raise what an answer of identity means, in our own words: its own may quote a token.

    :raises CloudError: it is anything but 2xx.
    """
    body = b"{}" if is_absent(answer) else b""
    error = classify(Service.IDENTITY, answer.status, answer.headers, body, now=utc_now(clock))
    if error is not None:
        raise error


def is_absent(answer: Answer) -> bool:
    """
    Return whether identity says that there is no such thing.

    :raises TransientError: somebody says so who is not identity: a proxy's page for what is not
        there just now must not pass for "your token is bad".
    """
    if answer.status != 404:
        return False
    if not isinstance(answer.json(), dict):
        raise TransientError("the answer is not identity's", status=answer.status)
    return True
