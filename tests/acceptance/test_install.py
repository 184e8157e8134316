"""
``pip install .`` into an empty environment gives the commands, the plugins and the data files.

The tree is copied first, so that building leaves nothing behind in the repository.
"""

import os
import shutil
import subprocess
import tempfile
import venv
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("otter", "minicloud", "schema", "twisted", "setup.py", "pyproject.toml", "LICENSE")
PROBE_SECONDS = 30
INSTALL_SECONDS = 300
COMMAND_SECONDS = 60

LIST_DATA = """\
from importlib.resources import files
for folder in ("api", "openapi", "sqlite"):
    for found in files("schema").joinpath(folder).iterdir():
        print(f"{folder}/{found.name}")
"""


class InstallTests(SynchronousTestCase):
    """What somebody has who installed Otter with pip and nothing else."""

    def setUp(self) -> None:
        """Copy what is shipped, and make an empty environment."""
        self.scratch = Path(tempfile.mkdtemp(prefix="otter-install-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.source = self.scratch / "source"
        self.source.mkdir()
        for name in SHIPPED:
            self.copy(ROOT / name, self.source / name)
        self.bin = self.scratch / "venv" / "bin"
        venv.create(self.scratch / "venv", with_pip=True)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file, or a folder without what Python left in it."""
        if source.is_dir():
            leftovers = shutil.ignore_patterns("__pycache__", "dropin.cache")
            shutil.copytree(source, target, ignore=leftovers)
        else:
            shutil.copy(source, target)

    def run_command(self, *command: str | Path, seconds: int) -> subprocess.CompletedProcess[str]:
        """Run a command far from the repository, so that only what is installed can be found."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.scratch,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def output_of(self, *command: str | Path, seconds: int = COMMAND_SECONDS) -> str:
        """Run a command that succeeds, and return what it printed."""
        done = self.run_command(*command, seconds=seconds)
        self.assertEqual(0, done.returncode, f"{command}: {done.stdout}\n{done.stderr}")
        return done.stdout

    def require_index(self) -> None:
        """Skip where pip reaches no package index: nothing can be installed there at all."""
        download = (self.bin / "python", "-m", "pip", "download", "--quiet", "--no-deps")
        options = ("--retries", "0", "--dest", self.scratch / "probe", "setuptools>=77")
        try:
            done = self.run_command(*download, *options, seconds=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            raise SkipTest("engine missing: the package index does not answer") from None
        if done.returncode:
            raise SkipTest("engine missing: pip reaches no package index")

    def test_clean_install(self) -> None:
        """A stranger's first step: both plugins, the command and the schema files are there."""
        self.require_index()
        install = (self.bin / "python", "-m", "pip", "install", "--quiet")
        constraints = ("--constraint", ROOT / "constraints.txt")
        self.output_of(*install, *constraints, self.source, seconds=INSTALL_SECONDS)
        plugins = self.output_of(self.bin / "twistd", "--help")
        listed = {line.split()[0] for line in plugins.splitlines() if line.strip()}
        data = self.output_of(self.bin / "python", "-c", LIST_DATA).split()
        usage = self.output_of(self.bin / "otter", "--help")
        shipped = [
            path.relative_to(ROOT / "schema").as_posix()
            for path in (ROOT / "schema").glob("*/*.*")
            if path.suffix in {".json", ".sql"}
        ]

        self.assertLessEqual({"otter", "minicloud", "web"}, listed)
        self.assertIn("demo", usage)
        self.assertEqual(sorted(shipped), sorted(data))
        self.output_of(self.bin / "python", "-m", "pip", "check")
