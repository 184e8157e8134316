"""
The ``otter`` command: reads its arguments, runs what they name, and says how that ended.

Whatever a command needs that takes long to import is imported when it runs.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from otter.cli.commands import groups, options, others, policies, webhooks
from otter.cli.commands.options import HelpFormatter
from otter.cli.context import Context
from otter.cli.display.formats import choose_columns
from otter.cli.exits import CommandError, Exit, RefusedError
from otter.cli.remote.interface import Connection, Opener, Options, Trace, Wire
from otter.cli.terminal import Terminal

EPILOG = """\
The service runs as 'twistd otter', a cloud to try it on as 'twistd minicloud'.

Credentials are those of every OpenStack program: clouds.yaml with --os-cloud or OS_CLOUD, or
the OS_ variables, or options. 'otter COMMAND --help' has examples.

exit status:
  0  done                        4  not allowed, or bad credentials
  1  the service refused         5  the service does not answer
  2  wrong usage                 6  waiting was in vain, or the group is in ERROR
  3  there is no such thing      130  interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        return run(arguments, Terminal.real(), LazyOpener())
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED


def run(arguments: Sequence[str] | None, terminal: Terminal, opener: Opener) -> int:
    """
    Run one command and return its exit status.

    :raises SystemExit: the arguments make no sense, or ask for help.
    """
    parsed = make_parser().parse_args(arguments)
    try:
        context = Context(vars(parsed), terminal, opener)
        # A misspelt column must not come to light after something was created.
        choose_columns(context["columns"] or (), context["column"] or ())
        parsed.run(context)
    except CommandError as error:
        terminal.say(f"otter: {error}")
        return error.status
    return Exit.DONE


def make_parser() -> ArgumentParser:
    """Return what knows all commands."""
    parser = ArgumentParser(
        prog="otter",
        usage="otter [options] COMMAND ...",
        description="Autoscaling for OpenStack-style clouds.",
        epilog=EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"otter {version('otter')}")
    options.add_connection_options(parser, credentials=True, full=True)
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", prog=parser.prog
    )
    for family in (groups, policies, webhooks, others):
        family.add_to(commands)
    _add_demo(commands)
    _add_check_config(commands)
    return parser


def _add_demo(commands: options.Group) -> None:
    playing = commands.add_parser(
        "demo",
        help="start a cloud and Otter on this machine and play the whole story against them",
        description="Starts a minicloud with real server processes and an Otter that works on it, "
        "then creates, grows, heals, shrinks and deletes a group of servers.",
        epilog="examples:\n  otter demo\n  otter demo --story-only",
        formatter_class=HelpFormatter,
    )
    playing.add_argument(
        "--story-only",
        action="store_true",
        help="end after the story; status 1 if a step was wrong",
    )
    playing.set_defaults(run=_demo)


def _add_check_config(commands: options.Group) -> None:
    checking = commands.add_parser(
        "check-config",
        help="read a configuration file and say what is wrong with it",
        description="Reads a configuration file as 'twistd otter' would; status 1 if it is wrong.",
        epilog="examples:\n  otter check-config otter.toml",
        formatter_class=HelpFormatter,
    )
    checking.add_argument("file", type=Path, help="for example otter.toml")
    checking.set_defaults(run=_check_config)


def _demo(context: Context) -> None:
    # Twisted and both services take long to import, and only this command needs them.
    from twisted.internet.task import react  # noqa: PLC0415 - see above

    from otter.cli.demo import demo  # noqa: PLC0415 - see above

    try:
        react(demo, (context.terminal.out, context["story_only"]))
    except SystemExit as end:
        if end.code:
            raise


def _check_config(context: Context) -> None:
    from otter.config import ConfigError, load  # noqa: PLC0415 - imports half of Otter

    file = context["file"]
    try:
        load(file)
    except ConfigError as error:
        raise RefusedError(f"{file}: {error}") from None
    context.terminal.write(f"{file}: fine\n")


class LazyOpener:
    """Opens ways to clouds with the OpenStack SDK, imported when the first is opened."""

    def connect(self, options: Options, environment: Mapping[str, str], trace: Trace) -> Connection:
        """
        Return a connection.

        :raises CommandError: there is none to be had.
        """
        from otter.cli.remote.credentials import SdkOpener  # noqa: PLC0415 - takes long

        return SdkOpener().connect(options, environment, trace)

    def anonymous(self, options: Options, trace: Trace) -> Wire:
        """Return a way to whoever asks for no credentials."""
        from otter.cli.remote.credentials import SdkOpener  # noqa: PLC0415 - takes long

        return SdkOpener().anonymous(options, trace)
