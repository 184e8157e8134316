"""
What a command reads and writes: streams, their width, and the clock it waits by.

Results go to standard output and everything else to standard error, so a pipe gets only results.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from attrs import frozen

from otter.cli.display.table import Canvas
from otter.cli.display.text import one_line
from otter.cli.exits import UsageError
from otter.cli.remote.redaction import redact

FILE_MAX_BYTES = 4 * 1024 * 1024


@frozen
class Clock:
    """
    Real time, or a test's.

    :ivar now: seconds since some moment.
    :ivar sleep: returns after so many seconds.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@frozen
class Terminal:
    """
    Where a command runs.

    :ivar columns: how wide the terminal is.
    """

    out: TextIO
    err: TextIO
    stdin: BinaryIO
    columns: int
    environment: Mapping[str, str]
    clock: Clock = Clock()

    @classmethod
    def real(cls) -> "Terminal":
        """Return the one this process was started in."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # What the terminal's encoding lacks is written as an escape, not as a traceback.
                stream.reconfigure(errors="backslashreplace")
        stdin = sys.stdin.buffer if sys.stdin else BytesIO()
        columns = shutil.get_terminal_size().columns
        return cls(sys.stdout, sys.stderr, stdin, columns, os.environ)

    @property
    def canvas(self) -> Canvas:
        """What tables are written on: as wide as a terminal, or without end where nobody looks."""
        if not self.out.isatty():
            return Canvas()
        plain = self.environment.get("NO_COLOR") or self.environment.get("TERM") == "dumb"
        return Canvas(self.columns, bold=not plain)

    def write(self, text: str) -> None:
        """Write a result."""
        self.out.write(text)
        self.out.flush()

    def say(self, text: str) -> None:
        """Write one line beside the results, without anything secret in it."""
        self.err.write(one_line(redact(text)) + "\n")
        self.err.flush()

    def read(self, name: str) -> str:
        """
        Return a text file; ``-`` is standard input.

        :raises UsageError: it cannot be read.
        """
        try:
            return self.read_bytes(name).decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{name} is not text in UTF-8") from None

    def read_bytes(self, name: str) -> bytes:
        """
        Return a file as it is; ``-`` is standard input.

        :raises UsageError: it cannot be read, or is no file that makes sense here.
        """
        try:
            if name == "-":
                return _bounded(self.stdin, name)
            with Path(name).open("rb") as file:
                return _bounded(file, name)
        except OSError as error:
            raise UsageError(f"{name}: {error.strerror}") from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    found = file.read(FILE_MAX_BYTES + 1)
    if len(found) > FILE_MAX_BYTES:
        raise UsageError(f"{name} is larger than {FILE_MAX_BYTES} bytes")
    return found
