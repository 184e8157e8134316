"""The page that lists all configuration keys."""

from twisted.trial.unittest import SynchronousTestCase

from otter.config import parse
from tools.config_reference import reference


class ConfigReferenceTests(SynchronousTestCase):
    """It is made from the code, and making it fails for a key without an explanation."""

    def test_every_section(self) -> None:
        """Keys of every section are there, durations with their unit."""
        page = reference()

        for key in ("identity.auth_url", "api.listen", "store.path", "worker.concurrency"):
            self.assertIn(f"``{key}``", page)
        self.assertIn("``supervisor.build_timeout_seconds``", page)

    def test_defaults_are_accepted(self) -> None:
        """What is required is what the page says, and nothing else."""
        identity = {"auth_url": "http://i", "user_name": "u", "password": "p"}

        self.assertEqual(parse({"identity": identity}).identity.user_name, "u")
        self.assertEqual(reference().count("- required"), 3)
