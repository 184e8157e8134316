"""Read our own source files, for the tests that judge their shape and their imports."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]


@frozen
class Module:
    """
    One source file, parsed.

    :ivar name: as imported, ``otter.models.ids``; a package goes by its own name.
    """

    name: str
    path: Path
    line_count: int
    tree: ast.Module

    @property
    def where(self) -> str:
        """Return the path below the repository, for messages."""
        return self.path.relative_to(ROOT).as_posix()


@frozen
class Import:
    """One imported name, absolute: ``from a.b import c`` imports ``a.b.c``."""

    name: str
    line: int

    def within(self, *prefixes: str) -> bool:
        """Return whether the name is one of ``prefixes`` or lies inside one."""
        return any(self.name == prefix or self.name.startswith(f"{prefix}.") for prefix in prefixes)


def read_modules(*folders: str) -> Iterator[Module]:
    """Read every module below the folders named, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, path, len(text.splitlines()), ast.parse(text))


def find_imports(tree: ast.AST) -> Sequence[Import]:
    """
    Return what the code imports, in functions and type checking blocks too.

    Relative imports come out with their dots, so no rule allows them.
    """
    return tuple(_walk(tree))


def _walk(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (Import(f"{base}.{alias.name}", node.lineno) for alias in node.names)
