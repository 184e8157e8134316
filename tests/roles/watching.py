"""Watch everything that is logged, for what must never be."""

from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher
from zope.interface import implementer


@implementer(ILogObserver)
class LogWatch:
    """
    Keeps what was logged at any level since ``begin``: the sentence, and all that it is bound to.

    :ivar texts: one for each event.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []

    def begin(self) -> None:
        """Listen."""
        globalLogPublisher.addObserver(self)

    def end(self) -> None:
        """Listen no longer."""
        globalLogPublisher.removeObserver(self)

    def __call__(self, event: LogEvent) -> None:
        """Take an event."""
        bound = " ".join(f"{key}={value!r}" for key, value in event.items())
        self.texts.append(f"{eventAsText(event, includeTraceback=True)} {bound}")

    def telling(self, secret: str) -> list[str]:
        """Return what was logged with a secret in it."""
        return [text for text in self.texts if secret in text]
