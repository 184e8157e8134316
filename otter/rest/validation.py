"""
Judge documents by the JSON Schemas in ``schema/api`` and say what is wrong in our own words.

jsonschema's messages repeat the whole document; ours name the field and the rule. A rule that no
keyword can explain (``oneOf``, ``pattern`` …) carries its explanation in the schema's own
``description``.

Note [Bounded judging]
    jsonschema looks at every item of an array that is too long anyway, compares them all with each
    other for ``uniqueItems``, and collects every error inside ``oneOf`` before it tells the first:
    seconds for a body of 100 KB, during which nobody else is served. The keywords that do so are
    replaced by ones that stop early.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import islice
from types import MappingProxyType
from typing import Any

import simplejson
from attrs import frozen
from jsonschema import Draft4Validator, validators
from jsonschema.exceptions import ValidationError as SchemaError

from otter.controller.errors import ValidationError

FILES = ("common", "group", "launch", "policy", "webhook")
MAX_ERRORS = 20
"""How many errors are looked at before the most telling one is chosen."""

_COMPOSITE = frozenset({"anyOf", "oneOf", "not", "dependencies"})


def _too_long(instance: Any, schema: Mapping[str, Any]) -> bool:
    """Return whether ``maxItems`` of the same schema refuses an array whatever is in it."""
    return isinstance(instance, list) and len(instance) > schema.get("maxItems", len(instance))


def _items(
    validator: Any, items: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[SchemaError]:
    if not _too_long(instance, schema):
        yield from Draft4Validator.VALIDATORS["items"](validator, items, instance, schema)


def _unique_items(
    validator: Any, unique: bool, instance: Any, schema: Mapping[str, Any]
) -> Iterator[SchemaError]:
    if not _too_long(instance, schema):
        yield from Draft4Validator.VALIDATORS["uniqueItems"](validator, unique, instance, schema)


def _one_of(
    validator: Any, branches: Sequence[Any], instance: Any, _: Mapping[str, Any]
) -> Iterator[SchemaError]:
    valid, context = _try(validator, branches, instance)
    if valid != 1:
        yield SchemaError("", context=() if valid else context)


def _any_of(
    validator: Any, branches: Sequence[Any], instance: Any, _: Mapping[str, Any]
) -> Iterator[SchemaError]:
    valid, context = _try(validator, branches, instance)
    if not valid:
        yield SchemaError("", context=context)


def _try(
    validator: Any, branches: Sequence[Any], instance: Any
) -> tuple[int, Sequence[SchemaError]]:
    """Return how many branches an instance follows, and some of what speaks against the others."""
    valid, context = 0, list[SchemaError]()
    for index, branch in enumerate(branches):
        errors = validator.descend(instance, branch, schema_path=index)
        found = list(islice(errors, MAX_ERRORS))
        context.extend(found)
        valid += not found
    return valid, context


_Validator = validators.extend(
    Draft4Validator,
    {"items": _items, "uniqueItems": _unique_items, "oneOf": _one_of, "anyOf": _any_of},
)
"""See Note [Bounded judging]."""


@frozen
class Schemas:
    """Every definition of every file, ready to judge; named ``file.definition``."""

    _validators: Mapping[str, Any]

    @classmethod
    def load(cls) -> "Schemas":
        """Read and compile the packaged schemas; once per process is enough."""
        files = {f"{name}.json": read_schema(f"{name}.json") for name in FILES}
        return cls(
            MappingProxyType(
                {
                    f"{file.removesuffix('.json')}.{name}": _Validator(_inline(part, file, files))
                    for file, schema in files.items()
                    for name, part in schema["definitions"].items()
                }
            )
        )

    def check(self, name: str, document: object) -> None:
        """
        Judge a document by the definition called ``name``.

        :raises ValidationError: it does not conform; the text names the field.
        """
        errors = list(islice(self._validators[name].iter_errors(document), MAX_ERRORS))
        if errors:
            raise ValidationError(explain(min(errors, key=_order)))


def read_schema(file: str) -> Any:
    """Return one packaged schema file."""
    return simplejson.loads(resources.files("schema").joinpath("api", file).read_text("utf-8"))


def _inline(part: Any, file: str, files: Mapping[str, Any]) -> Any:
    """Replace every reference by what it refers to: resolving while judging costs too much."""
    if isinstance(part, list):
        return [_inline(item, file, files) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target, _, pointer = part["$ref"].partition("#/definitions/")
        return _inline(files[target or file]["definitions"][pointer], target or file, files)
    return {key: _inline(value, file, files) for key, value in part.items()}


@frozen
class _Fault:
    """What matters of a schema error: which rule of which schema which value breaks, and where."""

    keyword: str
    rule: Any
    value: Any
    schema: Mapping[str, Any]
    path: tuple[str | int, ...]

    @classmethod
    def of(cls, error: SchemaError) -> "_Fault":
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        return cls(
            str(error.validator),
            error.validator_value,
            error.instance,
            schema,
            tuple(error.absolute_path),
        )


def _order(error: SchemaError) -> tuple[bool, int]:
    """Return how early an error is to be told: plain before composite, outer before inner."""
    return error.validator in _COMPOSITE, len(error.absolute_path)


def explain(error: SchemaError) -> str:
    """Return one sentence that names the field and says what is wrong with it."""
    fault = _Fault.of(_chosen_branch(error))
    return f"{_field(fault.path)}: {_EXPLANATIONS.get(fault.keyword, _described)(fault)}"


def _chosen_branch(error: SchemaError) -> SchemaError:
    """Follow a ``oneOf`` that has no words of its own into the branch its ``type`` names."""
    while error.context and "description" not in _Fault.of(error).schema:
        branches: dict[str | int, list[SchemaError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        named = [branch for branch in branches.values() if not any(map(_misnamed, branch))]
        if len(named) != 1:
            return error
        error = min(named[0], key=_order)
    return error


def _misnamed(error: SchemaError) -> bool:
    return error.validator == "enum" and list(error.path) == ["type"]


def _field(path: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in path)
    return text.lstrip(".") or "body"


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _described(fault: _Fault) -> str:
    return str(fault.schema.get("description", "does not have the right form"))


def _missing(fault: _Fault) -> str:
    missing = [name for name in fault.rule if name not in fault.value]
    return f"{missing[0]} is required"


def _unknown(fault: _Fault) -> str:
    if "patternProperties" in fault.schema:
        return _described(fault)
    unknown = [name for name in fault.value if name not in fault.schema.get("properties", {})]
    return f"{_shown(unknown[0])} is not known here"


def _types(fault: _Fault) -> str:
    kinds = [fault.rule] if isinstance(fault.rule, str) else fault.rule
    return f"must be of type {' or '.join(kinds)}"


def _choices(fault: _Fault) -> str:
    return f"must be one of {', '.join(map(str, fault.rule))}"


_EXPLANATIONS: Mapping[str, Callable[[_Fault], str]] = MappingProxyType(
    {
        "type": _types,
        "enum": _choices,
        "required": _missing,
        "additionalProperties": _unknown,
        "minimum": lambda f: f"{_shown(f.value)} is less than the minimum of {f.rule}",
        "maximum": lambda f: f"{_shown(f.value)} is more than the maximum of {f.rule}",
        "minLength": lambda f: f"must have at least {f.rule} characters",
        "maxLength": lambda f: f"must have at most {f.rule} characters",
        "minItems": lambda f: f"must have at least {f.rule} items",
        "maxItems": lambda f: f"must have at most {f.rule} items",
        "uniqueItems": lambda _: "must not have the same item twice",
    }
)
"""How to word a broken rule; every other one is described by the schema itself."""
