"""What commands need of the network: somebody who sends requests, and somebody who logs in."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

Trace = Callable[[str], None]
"""Is told what happens on the wire; gets no secrets."""

Options = Mapping[str, Any]


@frozen
class Reply:
    """What came back; ``text`` is all of the body."""

    status: int
    text: str


class Wire(Protocol):
    """Sends one request and returns whatever is answered."""

    def send(self, method: str, url: str, body: Any = None, *, anonymous: bool = False) -> Reply:
        """
        Send a request, its body as JSON, with the token unless it is anonymous.

        :raises UnavailableError: nobody answers.
        :raises NotAllowedError: identity refuses to give a token.
        """


@frozen
class Connection:
    """
    A way to the services of one cloud.

    :ivar endpoint: of autoscaling, with the project.
    :ivar compute: of compute, or None where nobody says where it is.
    """

    wire: Wire = field(repr=False)
    endpoint: str
    compute: str | None = None


class Opener(Protocol):
    """Opens ways to clouds."""

    def connect(self, options: Options, environment: Mapping[str, str], trace: Trace) -> Connection:
        """
        Return a connection; identity is asked only for what nobody said.

        :param options: by their ``os_…`` names, ``insecure`` and ``endpoint``.
        :raises UsageError: there are no credentials, or nobody says where the service is.
        :raises CommandError: identity says no, or nothing.
        """

    def anonymous(self, options: Options, trace: Trace) -> Wire:
        """Return a way to whoever asks for no credentials."""
