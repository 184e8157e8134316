"""What a command has to work with: its options, the terminal, and the API once it asks for it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from otter.cli.display.formats import Column, Format, Style, write_list, write_one
from otter.cli.exits import UsageError
from otter.cli.progress import Progress
from otter.cli.remote.api import Api
from otter.cli.remote.finding import Finder
from otter.cli.remote.interface import Connection, Opener, Wire
from otter.cli.terminal import Terminal
from otter.cli.waiting import Waiter

Document = Mapping[str, Any]


class Context:
    """
    One run of one command.

    :param options: what was typed, by the names of arguments.
    :param opener: logs in, when somebody asks for it.
    """

    def __init__(self, options: Mapping[str, Any], terminal: Terminal, opener: Opener) -> None:
        self.options = options
        self.terminal = terminal
        self._opener = opener

    def __getitem__(self, name: str) -> Any:
        """Return an argument; None if it was not typed."""
        return self.options.get(name)

    @cached_property
    def connection(self) -> Connection:
        """
        The way to the cloud, opened when it is first asked for.

        :raises CommandError: it cannot be.
        """
        return self._opener.connect(self.options, self.terminal.environment, self._trace)

    @property
    def api(self) -> Api:
        """
        The tenant's view of Otter.

        :raises CommandError: there is no way to it.
        """
        return Api(self.connection.wire, self.connection.endpoint)

    @property
    def compute(self) -> Api:
        """
        The tenant's view of the cloud's servers.

        :raises UsageError: nobody says where it is.
        """
        if self.connection.compute is None:
            raise UsageError(
                "nobody says where compute is: --wait looks for servers there, which takes "
                "credentials with a catalog"
            )
        return Api(self.connection.wire, self.connection.compute.rstrip("/"))

    @property
    def find(self) -> Finder:
        """Finds things by name."""
        return Finder(self.api)

    def anonymous(self) -> Wire:
        """Return a way to whoever asks for no credentials."""
        return self._opener.anonymous(self.options, self._trace)

    def waiter(self) -> Waiter:
        """Return what waits as long as was asked for."""
        terminal = self.terminal
        progress = Progress(terminal.err, terminal.columns)
        return Waiter(terminal.clock, progress, self["timeout"])

    def show(self, document: Document, columns: Sequence[Column]) -> None:
        """
        Print one resource.

        :raises UsageError: a chosen column does not exist.
        """
        self.terminal.write(write_one(document, columns, self._style()))

    def list(self, documents: Sequence[Document], columns: Sequence[Column]) -> None:
        """
        Print a collection.

        :raises UsageError: a chosen column does not exist.
        """
        self.terminal.write(write_list(documents, columns, self._style()))

    def _style(self) -> Style:
        return Style(
            Format(self["format"] or Format.TABLE),
            tuple(self["column"] or ()),
            self.terminal.canvas,
        )

    def _trace(self, text: str) -> None:
        if self["debug"]:
            self.terminal.say(text)
