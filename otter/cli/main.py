"""The ``otter`` command: reads its arguments and runs what they name."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from twisted.internet.task import react

from otter.cli.demo import demo
from otter.config import ConfigError, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parsed = _parser().parse_args(arguments)
    status: int = parsed.run(parsed)
    return status


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="otter",
        description="Autoscaling for OpenStack-style clouds.",
        epilog="The service runs as 'twistd otter', a cloud to try it on as 'twistd minicloud'.",
    )
    parser.add_argument("--version", action="version", version=f"otter {version('otter')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    playing = commands.add_parser(
        "demo",
        help="start a cloud and Otter on this machine and play the whole story against them",
        description="Starts a minicloud with real server processes and an Otter that works on it, "
        "then creates, grows, heals, shrinks and deletes a group of servers.",
    )
    playing.add_argument(
        "--story-only",
        action="store_true",
        help="end after the story; status 1 if a step was wrong",
    )
    playing.set_defaults(run=_demo)
    checking = commands.add_parser(
        "check-config", help="read a configuration file and say what is wrong with it"
    )
    checking.add_argument("file", type=Path, help="for example otter.toml")
    checking.set_defaults(run=_check_config)
    return parser


def _demo(parsed: Namespace) -> int:
    try:
        react(demo, (sys.stdout, parsed.story_only))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _check_config(parsed: Namespace) -> int:
    try:
        load(parsed.file)
    except ConfigError as error:
        sys.stderr.write(f"{parsed.file}: {error}\n")
        return 1
    sys.stdout.write(f"{parsed.file}: fine\n")
    return 0
