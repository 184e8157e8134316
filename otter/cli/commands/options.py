"""
The arguments that commands share, and how a command is added to the parser.

Shared options may stand before the command or behind it. They have no defaults of their own, so
that the part of the line that says nothing does not overrule the part that does.
"""

import textwrap
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from attrs import frozen

from otter.cli import values
from otter.cli.context import Context
from otter.cli.display.formats import Column

TIMEOUT = timedelta(minutes=10)
DESCRIPTION_WIDTH = 80

Run = Callable[[Context], None]
Group = Any
"""What argparse adds commands to; its class has no public name."""

IDENTITY_OPTIONS = (
    ("--os-auth-url", "URL", "where identity is"),
    ("--os-auth-type", "TYPE", "how to ask it: password, token, v3applicationcredential, …"),
    ("--os-identity-api-version", "VERSION", "of identity: 3 or 2"),
    ("--os-username", "NAME", "who asks"),
    ("--os-user-id", "ID", "the same, by id"),
    ("--os-password", "PASSWORD", "better kept in clouds.yaml or OS_PASSWORD"),
    ("--os-token", "TOKEN", "instead of a password; better kept in OS_TOKEN"),
    ("--os-project-id", "ID", "for which project"),
    ("--os-project-name", "NAME", "the same, by name"),
    ("--os-user-domain-id", "ID", "the user's domain"),
    ("--os-user-domain-name", "NAME", "the same, by name"),
    ("--os-project-domain-id", "ID", "the project's domain"),
    ("--os-project-domain-name", "NAME", "the same, by name"),
    ("--os-application-credential-id", "ID", "an application credential"),
    ("--os-application-credential-name", "NAME", "the same, by name"),
    ("--os-application-credential-secret", "SECRET", "of the application credential"),
    ("--os-region-name", "REGION", "which region of the catalog"),
    ("--os-interface", "INTERFACE", "which endpoints of the catalog: public, internal, admin"),
)


class HelpFormatter(RawDescriptionHelpFormatter):
    """Keeps the lines of examples, and leaves options room."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)


def no_arguments(parser: ArgumentParser) -> None:
    """Add nothing, for commands that take nothing of their own."""


@frozen
class Command:
    """
    One command, and how it is told about.

    :ivar examples: lines to type, without ``otter`` at their front.
    :ivar arguments: adds what only this command takes.
    :ivar columns: of its results; empty if it has none.
    :ivar credentials: whether it uses any.
    """

    name: str
    summary: str
    run: Run
    examples: Sequence[str]
    arguments: Callable[[ArgumentParser], None] = no_arguments
    details: str = ""
    columns: Sequence[Column] = ()
    credentials: bool = True

    def add_to(self, commands: Group) -> None:
        """Add the command; the shared options come behind its own."""
        parser: ArgumentParser = commands.add_parser(
            self.name,
            help=self.summary,
            description=self._description(),
            epilog="examples:\n" + "\n".join(f"  otter {line}" for line in self.examples),
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )
        self.arguments(parser)
        if self.columns:
            add_output_options(parser)
        add_connection_options(parser, credentials=self.credentials, full=False)
        parser.set_defaults(run=self.run, columns=self.columns)

    def _description(self) -> str:
        told = [_sentence(self.summary)]
        if self.details:
            told.append(self.details)
        if self.columns:
            told.append(f"Columns: {', '.join(column.name for column in self.columns)}.")
        return "\n".join(textwrap.fill(text, DESCRIPTION_WIDTH) for text in told)


def add_family(commands: Group, name: str, summary: str) -> Group:
    """Return what the commands of one kind of thing are added to."""
    family: ArgumentParser = commands.add_parser(
        name, help=summary, description=_sentence(summary), allow_abbrev=False
    )
    return family.add_subparsers(title="commands", required=True, metavar="COMMAND")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def add_output_options(parser: ArgumentParser) -> None:
    """Let the caller say how results look."""
    output = parser.add_argument_group("output")
    output.add_argument(
        "-f",
        "--format",
        choices=("table", "json", "yaml", "value"),
        default=SUPPRESS,
        help="table for people (the default); json or yaml with all that the service says; "
        "value for shells, with tabs between cells and no heading",
    )
    output.add_argument(
        "-c",
        "--column",
        action="append",
        metavar="NAME",
        default=SUPPRESS,
        help="only this column; may be given several times",
    )


def add_connection_options(parser: ArgumentParser, *, credentials: bool, full: bool) -> None:
    """
    Let the caller say which cloud, and who asks.

    :param credentials: whether any are used.
    :param full: whether help lists every option; where not, it points to ``otter --help``.
    """
    group = parser.add_argument_group(
        "connection" if full else "connection (otter --help lists all)"
    )

    def add(name: str, text: str, *, shown: bool = full, **how: Any) -> None:
        group.add_argument(name, default=SUPPRESS, help=text if shown else SUPPRESS, **how)

    if credentials:
        text = "a cloud of clouds.yaml; also OS_CLOUD"
        add("--os-cloud", text, shown=True, metavar="NAME")
        text = "where Otter is, instead of what the catalog says; also OTTER_ENDPOINT"
        add("--endpoint", text, shown=True, metavar="URL")
        for name, metavar, text in IDENTITY_OPTIONS:
            add(name, text, metavar=metavar)
    add("--os-cacert", "certificates to trust", metavar="FILE")
    add("--insecure", "do not check certificates", action="store_true")
    text = "show requests and answers, without tokens and capability hashes"
    add("--debug", text, shown=True, action="store_true")


def add_waiting(parser: ArgumentParser, until: str) -> None:
    """Let the caller wait."""
    group = parser.add_argument_group("waiting")
    group.add_argument("--wait", action="store_true", help=f"return when {until}")
    group.add_argument(
        "--timeout",
        type=values.duration,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"how long to wait at most, {TIMEOUT.total_seconds():g} if not given",
    )


def add_limit(parser: ArgumentParser, usual: int | None = None) -> None:
    """Let the caller take fewer than all."""
    parser.add_argument(
        "--limit",
        type=values.positive,
        metavar="N",
        default=usual,
        help=f"at most so many, {usual or 'all'} if not given; pages are followed automatically",
    )


def add_metadata(parser: ArgumentParser, *, exists: bool) -> None:
    """
    Let the caller set metadata.

    :param exists: whether there may be some already.
    """
    parser.add_argument(
        "--metadata",
        type=values.key_value,
        action="append",
        metavar="KEY=VALUE",
        help="may be given several times" + ("; what is there stays" if exists else ""),
    )
    if exists:
        parser.add_argument(
            "--no-metadata", action="store_true", help="forget the metadata that is there"
        )
