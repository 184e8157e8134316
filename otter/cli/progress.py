"""
Show how a wait is going.

On a terminal it is one line that is written over; elsewhere a line for each change, so that a log
tells the story and no more.
"""

from typing import TextIO

from otter.cli.display.text import plain, shorten
from otter.cli.remote.redaction import redact

CLEAR = "\r\x1b[K"


class Progress:
    """
    Writes to a stream beside the results.

    :param columns: how wide the terminal is.
    """

    def __init__(self, out: TextIO, columns: int) -> None:
        self._out = out
        self._columns = columns
        self._live = out.isatty()
        self._last = ""

    def show(self, text: str, elapsed_seconds: float) -> None:
        """Say how it is now."""
        text = plain(redact(text))
        if self._live:
            line = f"{text} ({elapsed_seconds:.0f} s)"
            self._out.write(CLEAR + shorten(line, self._columns - 1))
        elif text != self._last:
            self._out.write(f"{text}\n")
        self._last = text
        self._out.flush()

    def end(self) -> None:
        """Leave the last line where it is."""
        if self._live and self._last:
            self._out.write("\n")
            self._out.flush()
        self._last = ""
