"""
Turn the JSON Schemas of ``schema/api`` (draft 4) into what OpenAPI 3.1 speaks (draft 2020-12).

Pure. One thing is lost on the way: to draft 4 the token ``1.0`` is no integer, and to us neither,
while 2020-12 has no way to say so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from otter.rest.validation import FILES, read_schema

SCHEMAS = "#/components/schemas/"

_MAPS = frozenset({"properties", "patternProperties"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_SINGLE = frozenset({"additionalProperties", "not"})
_ITEMS = frozenset({"items", "additionalItems"})
_BOUNDS = frozenset({"minimum", "maximum"})
_GONE = frozenset({"$schema", "exclusiveMinimum", "exclusiveMaximum"})

Refer = Callable[[str], str]
"""Says where something is found that was found elsewhere before."""


def component_schemas() -> dict[str, Any]:
    """Return every definition of every file, named ``file.definition`` as the code names them."""
    components: dict[str, Any] = {}
    for name in FILES:
        for definition, schema in read_schema(f"{name}.json")["definitions"].items():
            components[f"{name}.{definition}"] = modernised(schema, _refer_from(name))
    _refine(components)
    return components


def _refine(components: Mapping[str, Any]) -> None:
    """Say what our own schemas leave to the code, which has other words for it than they have."""
    config, policy = components["group.config_fields"], components["policy.fields"]
    config["properties"]["maxEntities"]["type"] = "integer"  # null is always refused
    policy["properties"]["type"]["enum"] = ["webhook", "schedule"]  # monitoring is not offered


def _refer_from(name: str) -> Refer:
    """Return what becomes of references in the file called ``name``."""

    def refer(reference: str) -> str:
        file, _, definition = reference.partition("#/definitions/")
        return f"{SCHEMAS}{file.removesuffix('.json') or name}.{definition}"

    return refer


def modernised(schema: Any, refer: Refer) -> Any:
    """
    Return a draft 4 schema in the words of draft 2020-12.

    :param refer: says what becomes of a ``$ref``.
    """
    if not isinstance(schema, Mapping):
        return schema  # additionalProperties may be a boolean
    if "$ref" in schema:
        return {"$ref": refer(schema["$ref"])}  # draft 4 ignores whatever stands beside it
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        result.update(_converted(keyword, value, schema, refer))
    return result


def _converted(
    keyword: str, value: Any, schema: Mapping[str, Any], refer: Refer
) -> Mapping[str, Any]:
    """Return what one keyword of ``schema`` becomes."""
    result: Mapping[str, Any] = {keyword: value}
    if keyword in _MAPS:
        result = {keyword: {name: modernised(part, refer) for name, part in value.items()}}
    elif keyword in _LISTS:
        result = {keyword: [modernised(part, refer) for part in value]}
    elif keyword in _SINGLE:
        result = {keyword: modernised(value, refer)}
    elif keyword in _ITEMS:
        result = _items(keyword, value, schema, refer)
    elif keyword in _BOUNDS:
        result = _bound(keyword, value, schema)
    elif keyword == "dependencies":
        result = _dependencies(value, refer)
    elif keyword == "id":
        result = {"$id": value}
    elif keyword in _GONE:
        result = {}
    return result


def _items(keyword: str, value: Any, schema: Mapping[str, Any], refer: Refer) -> Mapping[str, Any]:
    """Return what becomes of items: a list of them has a name of its own today."""
    listed = isinstance(schema.get("items"), list)
    if keyword == "items" and listed:
        return {"prefixItems": [modernised(part, refer) for part in value]}
    return {"items": modernised(value, refer)} if listed or keyword == "items" else {}


def _dependencies(value: Mapping[str, Any], refer: Refer) -> Mapping[str, Any]:
    names = {name: part for name, part in value.items() if isinstance(part, list)}
    schemas = {name: modernised(part, refer) for name, part in value.items() if name not in names}
    return {
        **({"dependentRequired": names} if names else {}),
        **({"dependentSchemas": schemas} if schemas else {}),
    }


def _bound(keyword: str, value: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what becomes of a bound, which draft 4 makes exclusive by a boolean beside it."""
    exclusive = f"exclusive{keyword.capitalize()}"
    return {exclusive if schema.get(exclusive) is True else keyword: value}
