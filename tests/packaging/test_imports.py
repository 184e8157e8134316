"""
Imports point inward, and only ``otter/app`` names concrete classes.

The table says what each package may import of ours, itself apart. A package that is not in the
table fails, so a new one gets its line when it is born.
"""

import ast
import sys
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.packaging import sources

RECORDS = (
    "otter.models.activity",
    "otter.models.errors",
    "otter.models.frozen",
    "otter.models.group",
    "otter.models.ids",
    "otter.models.interface",
    "otter.models.ledger",
    "otter.models.policy",
    "otter.models.signing",
)
"""What everybody sees of ``otter/models``: records and promises, no implementation."""

CLOUD = ("otter.cloud.interface", "otter.cloud.errors", "otter.cloud.address")
BUS = ("otter.bus.interface",)
CONTROLLER = ("otter.controller.interface", "otter.controller.errors")
SETTINGS = ("otter.supervisor.settings", "otter.worker.settings", "otter.rest.config")

ALLOWED: dict[str, tuple[str, ...]] = {
    "otter": (),
    "otter.models": (),
    "otter.timing": RECORDS,
    "otter.metrics": (),
    "otter.bus": RECORDS,
    "otter.cloud": (*RECORDS, "otter.metrics", "otter.timing"),
    "otter.controller": (*RECORDS, *BUS, "otter.timing"),
    "otter.rest": (*RECORDS, *CONTROLLER, *CLOUD, "otter.metrics", "otter.timing"),
    "otter.supervisor": (*RECORDS, *BUS, *CLOUD, "otter.metrics", "otter.timing"),
    "otter.worker": (*RECORDS, *BUS, *CLOUD, "otter.metrics", "otter.timing"),
    "otter.testing": ("otter.timing",),  # it drives programs from outside
    "otter.config": (*RECORDS, *CONTROLLER, *SETTINGS),
    "otter.app": ("otter",),
    "otter.cli": ("otter.app", "otter.config", "otter.testing", "otter.timing"),
}

ONLY_IN = {
    "treq": ("otter.cloud", "otter.testing", "minicloud.testing"),
    "prometheus_client": ("otter.metrics",),
    "klein": ("otter.rest", "minicloud"),
    "keystoneauth1": ("otter.cli.remote",),
    "openstack": ("otter.cli.remote.credentials",),
    "requests": ("otter.cli.remote",),
    "jsonschema": ("otter.rest", "minicloud"),
    "sqlite3": ("otter.models.sqlite",),
    "threading": ("otter.models.sqlite", "minicloud.node.guest"),
    "twisted.internet.threads": ("otter.models.sqlite",),
}
"""What only some packages may use, because the others must not speak HTTP, or block, or thread."""

DISTRIBUTIONS = {"zope": "zope.interface", "yaml": "pyyaml"}
"""Where a package is installed under another name than it is imported by."""

ENTRY_POINTS = {"plugin", "tap", "main", "__main__"}
"""Names of modules in which a process begins, by command or by twistd."""


def find_package(module: str) -> str:
    """Return the line of the table that a module of ours belongs to."""
    return ".".join(module.split(".")[:2])


def find_offences(module: str, tree: ast.AST) -> Iterator[str]:
    """Say which imports of ours in ``tree`` the table does not allow for ``module``."""
    package = find_package(module)
    if package not in ALLOWED:
        yield f"{package} has no line in the table"
    for found in sources.find_imports(tree):
        ours = (
            found.within("otter", "minicloud", "tests", "bench", "tools") or "." in found.name[:1]
        )
        if ours and not found.within(package, *ALLOWED.get(package, ())):
            yield f"{module}:{found.line} imports {found.name}"


class TableTests(SynchronousTestCase):
    """The rules of the table, over the code as it is."""

    def test_otter(self) -> None:
        """Every package of Otter imports what its line allows, nothing else of ours."""
        modules = sources.read_modules("otter")
        offences = [text for module in modules for text in find_offences(module.name, module.tree)]

        self.assertEqual([], offences)

    def test_minicloud(self) -> None:
        """Minicloud stands for somebody else's cloud, so it shares no code with Otter."""
        offences = [
            f"{module.name}:{found.line} imports {found.name}"
            for module in sources.read_modules("minicloud")
            for found in sources.find_imports(module.tree)
            if found.within("otter", "tests", "bench", "tools")
        ]

        self.assertEqual([], offences)

    def test_reserved_packages(self) -> None:
        """HTTP to a provider, threads and SQL each have one home."""
        offences = [
            f"{module.name}:{found.line} imports {found.name}"
            for module in sources.read_modules("otter", "minicloud")
            for found in sources.find_imports(module.tree)
            for reserved, homes in ONLY_IN.items()
            if found.within(reserved) and not sources.Import(module.name, 0).within(*homes)
        ]

        self.assertEqual([], offences)

    def test_no_global_reactor(self) -> None:
        """The reactor is an argument; only where a process begins may it be fetched."""
        offences = [
            f"{module.name}:{found.line}"
            for module in sources.read_modules("otter", "minicloud", "twisted")
            for found in sources.find_imports(module.tree)
            if found.within("twisted.internet.reactor")
            and module.name.rpartition(".")[2] not in ENTRY_POINTS
        ]

        self.assertEqual([], offences)


class DeclaredTests(SynchronousTestCase):
    """What is imported is also installed."""

    def test_third_parties_are_declared(self) -> None:
        """An import that works only because somebody else depends on it breaks some day."""
        setup = (sources.ROOT / "setup.py").read_text()
        required = setup.split("install_requires")[1].split("extras_require")[0].lower()
        known = {"otter", "minicloud", "schema", *sys.stdlib_module_names}
        undeclared = {
            f"{module.name} imports {found.name}"
            for module in sources.read_modules("otter", "minicloud", "twisted")
            for found in sources.find_imports(module.tree)
            if (top := found.name.split(".")[0]) not in known
            and f'"{DISTRIBUTIONS.get(top, top.lower())}' not in required
        }

        self.assertEqual(set(), undeclared)


class FindOffencesTests(SynchronousTestCase):
    """The lint itself sees what it is there to see."""

    def offences(self, module: str, code: str) -> list[str]:
        """Return the offences of ``code`` in ``module``."""
        return list(find_offences(module, ast.parse(code)))

    def test_allowed(self) -> None:
        """Interfaces further in, the package itself and other people's code are all fine."""
        code = (
            "from otter.models.ids import GroupId\n"
            "from otter.supervisor import planning\n"
            "import attrs"
        )

        self.assertEqual([], self.offences("otter.supervisor.cycle", code))

    def test_outward(self) -> None:
        """An import from further out is named with its line."""
        found = self.offences("otter.models.ids", "\nfrom otter.rest.links import link")

        self.assertEqual(["otter.models.ids:2 imports otter.rest.links.link"], found)

    def test_concrete_class(self) -> None:
        """A package names promises, never the class that keeps them."""
        found = self.offences("otter.rest.groups", "import otter.models.sqlite.store")

        self.assertEqual(["otter.rest.groups:1 imports otter.models.sqlite.store"], found)

    def test_hidden_in_a_function(self) -> None:
        """Importing late is still importing."""
        found = self.offences("otter.bus.local", "def late():\n    from otter import app")

        self.assertEqual(["otter.bus.local:2 imports otter.app"], found)

    def test_unknown_package(self) -> None:
        """A new package says what it may import before it imports anything."""
        self.assertEqual(
            ["otter.novel has no line in the table"], self.offences("otter.novel.thing", "")
        )

    def test_longer_name_is_another_package(self) -> None:
        """A prefix ends at a dot, or ``otter.application`` would pass for ``otter.app``."""
        found = self.offences("otter.cli.main", "import otter.application")

        self.assertEqual(["otter.cli.main:1 imports otter.application"], found)

    def test_relative(self) -> None:
        """Relative imports are not house style, and would slip past the prefixes."""
        found = self.offences("otter.models.group", "from ..rest import links")

        self.assertEqual(["otter.models.group:1 imports ..rest.links"], found)
