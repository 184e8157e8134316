"""The command line as a whole: help, examples, how it ends."""

import argparse
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from otter.cli import main
from otter.cli.exits import Exit
from tests.cli.scene import Desk

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "cli.rst"

HEAVY = ("openstack", "keystoneauth1", "twisted", "jsonschema", "treq")

GOOD = """\
[identity]
auth_url = "http://127.0.0.1:5000/v3"
user_name = "otter"
password = "secret"
"""

PROBE = f"""\
import sys
from otter.cli.main import make_parser
make_parser().format_help()
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def leaves(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Yield each command with the words that lead to it."""
    families = [
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    ]
    if not families:
        yield path, parser
    for family in families:
        for name, below in family.choices.items():
            yield from leaves(below, (*path, name))


class HelpTests(SynchronousTestCase):
    """What a stranger learns from ``--help``."""

    def setUp(self) -> None:
        """Collect all commands."""
        self.commands = dict(leaves(main.make_parser()))

    def test_all_commands(self) -> None:
        """The commands are a promise to scripts: none disappears unnoticed."""
        self.assertEqual(
            {
                *(f"group {verb}" for verb in ("list", "show", "state", "create", "update")),
                *(f"group {verb}" for verb in ("delete", "pause", "resume", "converge")),
                *(f"policy {verb}" for verb in ("list", "show", "create", "update", "delete")),
                "policy execute",
                *(f"webhook {verb}" for verb in ("list", "show", "create", "update", "delete")),
                "activity list",
                "server delete",
                "limits",
                "execute",
                "demo",
                "check-config",
            },
            {" ".join(path) for path in self.commands},
        )

    def test_every_command_has_examples(self) -> None:
        """An example says more than a list of options, if it is true: each can be parsed."""
        for path, parser in self.commands.items():
            epilog = parser.epilog or ""
            self.assertTrue(epilog.startswith("examples:\n"), path)
            for line in epilog.splitlines()[1:]:
                words = shlex.split(line.partition(" <")[0])
                parsed = main.make_parser().parse_args(words[1:])
                self.assertEqual("otter", words[0])
                self.assertEqual(parser.get_default("run"), parsed.run, line)

    def test_help_can_be_printed(self) -> None:
        """A stray percent sign in a help text would be a traceback."""
        for path, parser in self.commands.items():
            self.assertIn(f"usage: otter {' '.join(path)}", parser.format_help())

    def test_documented_statuses(self) -> None:
        """Help and the code agree on the exit statuses."""
        text = main.make_parser().format_help()
        for status in (s for s in Exit if s is not Exit.PIPE_CLOSED):
            self.assertRegex(text, rf"(^|\s){status.value}  +[a-z]")

    def test_documentation(self) -> None:
        """The page in the documentation knows every command and every status."""
        page = DOCUMENTATION.read_text("utf-8")
        missing = [
            " ".join(path)
            for path in self.commands
            if f"``{' '.join(path)}``" not in page and f"``otter {' '.join(path)}``" not in page
        ]

        self.assertEqual([], missing)
        for status in Exit:
            self.assertIn(f"\n   * - {status.value}\n", page)

    def test_help_is_quick(self) -> None:
        """Help does not wait for libraries that only some commands need."""
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True
        )

        self.assertEqual("[]\n", done.stdout)


class EndTests(SynchronousTestCase):
    """How commands end."""

    def parse(self, *arguments: str) -> tuple[object, str]:
        """Return status and message of arguments that argparse refuses."""
        message = StringIO()
        with (
            redirect_stderr(message),
            redirect_stdout(message),
            self.assertRaises(SystemExit) as ended,
        ):
            Desk().type(*arguments)
        return ended.exception.code, message.getvalue()

    def test_wrong_usage(self) -> None:
        """Unknown commands and options, missing ones, and half-written ones are wrong usage."""
        for arguments in (
            (),
            ("group",),
            ("group", "shov"),
            ("group", "show"),
            ("group", "list", "--lim", "3"),
            ("group", "list", "--limit", "0"),
            ("group", "list", "--format", "xml"),
            ("group", "create", "web", "--load-balancer", "4410"),
        ):
            status, message = self.parse(*arguments)
            self.assertEqual(2, status, arguments)
            self.assertIn("usage: otter", message)

    def test_version(self) -> None:
        """The version can be asked for."""
        status, message = self.parse("--version")

        self.assertEqual(0, status)
        self.assertRegex(message, r"^otter \d")

    def test_interrupted(self) -> None:
        """Ctrl-C says nothing: whoever pressed it knows."""

        def interrupt(*_: object) -> int:
            raise KeyboardInterrupt

        self.patch(main, "run", interrupt)

        self.assertEqual(130, main.main(("limits",)))


class CheckConfigTests(SynchronousTestCase):
    """``otter check-config``."""

    def check(self, text: str) -> tuple[int, Desk]:
        """Check a file that holds this text."""
        desk = Desk()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "otter.toml"
            file.touch(mode=0o600)
            file.write_text(text, "utf-8")
            return desk.type("check-config", str(file)), desk

    def test_fine(self) -> None:
        """A good file is called fine."""
        status, desk = self.check(GOOD)

        self.assertEqual((0, ""), (status, desk.err.getvalue()))
        self.assertTrue(desk.out.getvalue().endswith("otter.toml: fine\n"))

    def test_wrong(self) -> None:
        """What is wrong is named, and the status says so."""
        status, desk = self.check(f"{GOOD}nonsense = 1\n")

        self.assertEqual(1, status)
        self.assertIn("nonsense", desk.err.getvalue())
        self.assertEqual("", desk.out.getvalue())
