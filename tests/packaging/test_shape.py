"""Modules open by saying what they do, and stay short enough to read."""

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.packaging import sources

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PRODUCT = ("otter", "minicloud", "twisted", "schema")
TOOLS = ("bench", "tools")


def find_long_functions(tree: ast.AST, *, longest: int) -> Iterator[str]:
    """Name the functions longer than ``longest``, signature and docstring included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > longest:
                yield f"{node.name} ({length} lines)"


class ShapeTests(SynchronousTestCase):
    """The sizes of the house, over the code as it is."""

    def test_every_module_opens_with_a_docstring(self) -> None:
        """A reader learns from the first line what the module decides or does."""
        silent = [
            module.where
            for module in sources.read_modules(*PRODUCT, *TOOLS, "tests")
            if not ast.get_docstring(module.tree)
        ]

        self.assertEqual([], silent)

    def test_modules_are_short(self) -> None:
        """A module that grows past the limit holds more than one idea."""
        long = [
            f"{module.where} ({module.line_count} lines)"
            for module in sources.read_modules(*PRODUCT, *TOOLS)
            if module.line_count > MODULE_LINES_MAX
        ]

        self.assertEqual([], long)

    def test_functions_are_short(self) -> None:
        """A function fits on a screen."""
        long = [
            f"{module.where}: {name}"
            for module in sources.read_modules(*PRODUCT, *TOOLS)
            for name in find_long_functions(module.tree, longest=FUNCTION_LINES_MAX)
        ]

        self.assertEqual([], long)

    def test_every_package_can_be_found(self) -> None:
        """A folder without ``__init__.py`` is neither installed nor tested, and nobody is told."""
        folders = {
            module.path.parent
            for module in sources.read_modules("otter", "minicloud", "schema", "tests")
        }
        hidden = [
            folder.relative_to(sources.ROOT).as_posix()
            for folder in sorted(folders)
            if not (folder / "__init__.py").exists()
        ]

        self.assertEqual([], hidden)

    def test_plugins_leave_twisted_alone(self) -> None:
        """An ``__init__.py`` of ours in ``twisted/`` would hide Twisted itself."""
        found = list((sources.ROOT / "twisted").rglob("__init__.py"))

        self.assertEqual([], found)


class FindLongFunctionsTests(SynchronousTestCase):
    """The measure itself."""

    def test_counts_the_whole_function(self) -> None:
        """Methods and coroutines count too; exactly the limit is allowed."""
        code = (
            "class A:\n"
            "    async def long(self):\n"
            "        '''Text.'''\n"
            "        return 1\n"
            "def short():\n"
            "    return 2\n"
        )

        self.assertEqual(["long (3 lines)"], list(find_long_functions(ast.parse(code), longest=2)))
