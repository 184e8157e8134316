"""What ``twistd otter`` is told on its command line."""

from pathlib import Path

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from otter.app.plugin import Options

IDENTITY = """
[identity]
auth_url = "http://127.0.0.1:9/v3"
user_name = "otter"
password = "p"
"""


class OptionsTests(SynchronousTestCase):
    """Options."""

    def setUp(self) -> None:
        """Write a configuration."""
        self.path = Path(self.mktemp())
        self.path.write_text(IDENTITY)

    def test_roles(self) -> None:
        """They win over the file's."""
        options = Options()

        options.parseOptions(["--config", str(self.path), "--roles", "worker, supervisor"])

        self.assertEqual(options["parsed"].roles, ("worker", "supervisor"))

    def test_no_role(self) -> None:
        """An empty variable in somebody's unit file does not make a process play all roles."""
        for roles in ("", "api,", "api,king"):
            with self.assertRaisesRegex(UsageError, "^roles: must name some of api"):
                Options().parseOptions(["--config", str(self.path), "--roles", roles])
