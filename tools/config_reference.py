"""Write the configuration reference from the records that parse the configuration."""

import re
from datetime import timedelta
from typing import Any, get_type_hints

import attrs

from otter.config import Config

HEAD = """Configuration reference
=======================

One TOML file; this page is made from the code that reads it.
A key without a default is required.
A text may be given as ``<key>_file`` instead, the path of a file that holds it: for secrets.

"""


def reference() -> str:
    """Return the page, in reStructuredText."""
    top = [row(Config, attribute, "") for attribute in plain(Config)]
    sections = [HEAD, table("Top level", top)]
    hints = get_type_hints(Config)
    for attribute in attrs.fields(Config):
        kind = hints[attribute.name]
        if attrs.has(kind):
            rows = [row(kind, inner, f"{attribute.name}.") for inner in attrs.fields(kind)]
            sections.append(table(f"[{attribute.name}]", rows))
    return "\n".join(sections)


def plain(record: Any) -> list[Any]:
    """Return the attributes of a record that are not records themselves."""
    hints = get_type_hints(record)
    return [a for a in attrs.fields(record) if not attrs.has(hints[a.name])]


def row(record: Any, attribute: Any, prefix: str) -> tuple[str, str, str]:
    """
    Return key, default and meaning.

    :raises KeyError: the record's docstring says nothing about the attribute.
    """
    timed = get_type_hints(record)[attribute.name] is timedelta
    key = f"{prefix}{attribute.name}" + ("_seconds" if timed else "")
    default = attribute.default
    if default is attrs.NOTHING:
        shown = "required"
    elif timed:
        seconds = default.total_seconds()
        shown = f"``{int(seconds) if seconds == int(seconds) else seconds}``"
    else:
        shown = f"``{list(default) if isinstance(default, tuple) else default!r}``"
    return key, shown, meanings(record)[attribute.name]


def meanings(record: Any) -> dict[str, str]:
    """Return what a record's docstring says of each attribute."""
    text = record.__doc__ or ""
    found = re.findall(r":ivar (\w+): (.*?)(?=\n\s*:ivar|\Z)", text, re.DOTALL)
    return {name: " ".join(meaning.split()) for name, meaning in found}


def table(title: str, rows: list[tuple[str, str, str]]) -> str:
    """Return a section with a table."""
    lines = [title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1", ""]
    for key, default, meaning in [("Key", "Default", "Meaning"), *rows]:
        shown = key if key == "Key" else f"``{key}``"
        lines += [f"   * - {shown}", f"     - {default}", f"     - {meaning}"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(reference())
