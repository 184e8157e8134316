"""Write the API reference from the API's OpenAPI document."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import simplejson

from tools.openapi import document

HEAD = """\
This page is made from the OpenAPI document of the API, which is made from its routes and schemas.
A running service shows it, to everybody, at ``/v1.0/openapi.json``.
In the repository it is ``schema/openapi/otter.json``.
"""

ARGUMENTS = ("launch.server_args", "launch.stack_args")
"""Bodies within bodies that depend on a type."""

BODIES = """\
Fields of objects in objects are listed with a dot, those of objects in arrays after ``[]``.
The ``args`` of a launch configuration are ``launch.server_args`` or ``launch.stack_args``.
"""

METHODS = ("get", "post", "put", "delete")
COMPOSED = ("allOf", "anyOf", "oneOf")
DEPTH = 4
"""How far down fields of fields are listed."""

Document = Mapping[str, Any]


def reference() -> str:
    """Return the page, in reStructuredText."""
    found = document()
    parts = [title("API reference", "="), HEAD, *routes(found)]
    for tag in found["tags"]:
        parts += section(found, tag["name"])
    return "\n".join([*parts, *bodies(found), *errors(found), ""])


# --- operations -------------------------------------------------------------------------------


def operations(found: Document) -> Iterable[tuple[str, str, Document, Document]]:
    """Return method, path, path item and operation of everything that can be asked."""
    for path, item in found["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item, item[method]


def routes(found: Document) -> list[str]:
    """Return the overview."""
    rows = [
        (f"``{method} {path}``", prose(operation["summary"]))
        for method, path, _, operation in operations(found)
    ]
    return [title("Routes", "-"), table(("Route", "Does"), rows, (50, 50))]


def section(found: Document, tag: str) -> list[str]:
    """Return what there is to say of the operations with this tag."""
    parts = [title(tag, "-")]
    for method, path, item, operation in operations(found):
        if tag in operation["tags"]:
            parts += [title(f"{method} {path}", "~"), prose(operation["summary"]), ""]
            parts += describe(found, item, operation)
    return parts


def describe(found: Document, item: Document, operation: Document) -> list[str]:
    """Return all but the summary of one operation."""
    parts = [prose(operation["description"]), ""] if "description" in operation else []
    if operation.get("security") == []:
        parts += ["Needs no token.", ""]
    references = [*item.get("parameters", []), *operation.get("parameters", [])]
    known = [resolve(found, reference) for reference in references]
    if known:
        rows = [(f"``{p['name']}``", p["in"], prose(p["description"])) for p in known]
        parts.append(table(("Parameter", "In", "Meaning"), rows, (20, 12, 68)))
    if "requestBody" in operation:
        media = operation["requestBody"]["content"]["application/json"]
        parts += [f"The body is a {link(media['schema'])}, for example:", ""]
        parts += [code(media["example"])]
    return [*parts, table(("Status", "Answer"), answers(operation), (12, 88))]


def answers(operation: Document) -> list[tuple[str, str]]:
    """Return what an operation can answer, without what all of them can."""
    rows: list[tuple[str, str]] = []
    for status, described in operation["responses"].items():
        if "$ref" in described:
            continue
        if int(status) < 400:
            content = described.get("content", {})
            kinds = [link(media["schema"]) for media in content.values() if media]
            rows.append((status, ", ".join(kinds) or "nothing"))
        else:
            rows.append((status, ", ".join(f"``{name}``" for name in types(described))))
    return rows or [("any", "see Errors_")]


def types(described: Document) -> list[str]:
    """Return the error types of a response."""
    schema = described["content"]["application/json"]["schema"]
    return [one["$ref"].rpartition("error.")[2] for one in schema.get("oneOf", [schema])]


# --- bodies -----------------------------------------------------------------------------------


def bodies(found: Document) -> list[str]:
    """Return the fields of every body that is sent or answered."""
    parts = [title("Bodies", "-"), BODIES]
    for name in sorted({*used(found), *ARGUMENTS}):
        schema = found["components"]["schemas"][name]
        rows = list(fields(found, schema))
        parts += [f".. _body-{anchor(name)}:", "", title(name, "~")]
        parts += [table(("Field", "Type", "Rules"), rows, (36, 22, 42))] if rows else ["Empty.", ""]
    return parts


def used(found: Document) -> set[str]:
    """Return the names of the schemas that operations refer to."""
    names = set()
    for *_, operation in operations(found):
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [
            response.get("content", {})
            for status, response in operation["responses"].items()
            if int(status) < 400
        ]
        names |= {
            media["schema"]["$ref"].rpartition("/")[2]
            for content in contents
            for media in content.values()
            if media
        }
    return names


def fields(
    found: Document, schema: Document, prefix: str = "", depth: int = DEPTH
) -> Iterable[tuple[str, str, str]]:
    """Return name, type and rules of the fields of an object, or of an array's items."""
    whole = merged(found, schema)
    if "items" in whole:
        yield from fields(found, whole["items"], f"{prefix}[]", depth)
    for name, part in whole.get("properties", {}).items():
        inner = merged(found, part)
        path = f"{prefix}.{name}".lstrip(".")
        needed = "required" if name in whole.get("required", []) else "optional"
        yield f"``{path}``", kind(inner), "; ".join([needed, *rules(inner)])
        if depth > 1:
            yield from fields(found, part, path, depth - 1)


def merged(found: Document, schema: Document) -> dict[str, Any]:
    """Return a schema with what it is composed of in one, as far as that helps a reader."""
    whole = dict(resolve(found, schema))
    for keyword in COMPOSED:
        for part in whole.pop(keyword, []):
            for name, value in merged(found, part).items():
                if name == "properties":
                    whole[name] = combined(whole.get(name, {}), value)
                elif name == "required" and keyword != "allOf":
                    continue  # one of several need not be the one
                elif name == "required":
                    whole[name] = [*whole.get(name, []), *value]
                else:
                    whole.setdefault(name, value)
    return whole


def combined(first: Document, second: Document) -> dict[str, Any]:
    """Return the properties of both; where both know one, the one that says more."""
    both = dict(first)
    for name, schema in second.items():
        if not both.get(name):
            both[name] = schema
        elif "enum" in schema and "enum" in both[name]:
            values = dict.fromkeys([*both[name]["enum"], *schema["enum"]])
            both[name] = {**both[name], "enum": list(values)}
    return both


def kind(schema: Document) -> str:
    """Return the type in words."""
    found = schema.get("type", "one of" if "enum" in schema else "any")
    return " or ".join(found) if isinstance(found, list) else str(found)


RULES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def rules(schema: Document) -> list[str]:
    """Return what else must hold, in words."""
    told = [text.format(schema[name]) for name, text in RULES.items() if name in schema]
    if "enum" in schema:
        told.append(", ".join(f"``{simplejson.dumps(value)}``" for value in schema["enum"]))
    if "description" in schema:
        told.append(schema["description"])
    return told


# --- errors -----------------------------------------------------------------------------------


def errors(found: Document) -> list[str]:
    """Return the table of everything that can be refused."""
    rows = []
    for name, schema in found["components"]["schemas"].items():
        if name.startswith("error."):
            exact = schema["allOf"][1]["properties"]["error"]["properties"]
            row = (str(exact["code"]["const"]), f"``{exact['type']['const']}``")
            rows.append((*row, prose(schema["description"])))
    text = (
        "An error is a JSON object with the one key ``error``.\n"
        "Any operation may answer 400 ``BadRequest``, 408, 413, 414, 431, 500 and 503, "
        "and any that needs a token 401 and 403 ``Forbidden``.\n"
        "413 for a rate and 503 say in ``Retry-After`` when to come again.\n"
    )
    return [
        title("Errors", "-"),
        text,
        table(("Status", "Type", "When"), sorted(rows), (10, 36, 54)),
    ]


# --- reStructuredText -------------------------------------------------------------------------


def resolve(found: Document, part: Document) -> Document:
    """Follow a reference."""
    if "$ref" not in part:
        return part
    target: Any = found
    for name in part["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return resolve(found, target)


def anchor(name: str) -> str:
    """Return the name of a schema as a label may be spelled."""
    return name.replace(".", "-").replace("_", "-")


def link(schema: Document) -> str:
    """Return a link to where the schema is described."""
    name = schema["$ref"].rpartition("/")[2]
    return f":ref:`{name} <body-{anchor(name)}>`"


def prose(text: str) -> str:
    """Return Markdown's code as reStructuredText's."""
    return text.replace("`", "``")


def title(text: str, line: str) -> str:
    """Return a heading."""
    return f"{text}\n{line * len(text)}\n"


def code(value: object) -> str:
    """Return an example."""
    text = simplejson.dumps(value, indent=2).replace("\n", "\n   ")
    return f".. code-block:: json\n\n   {text}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table."""
    lines = [".. list-table::", "   :header-rows: 1"]
    lines += [f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (head, *rows):
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(reference())
