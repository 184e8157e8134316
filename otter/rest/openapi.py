"""
Make the OpenAPI 3.1 document of the API: from its routes, its JSON Schemas and its error table.

Pure. What each route means in words stands in ``openapi_operations``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from otter.rest import errors
from otter.rest.calls import Route
from otter.rest.errors import CATALOGUE, INTERNAL, WireError
from otter.rest.openapi_operations import CAPABILITY, OPERATIONS, Operation, Refusal
from otter.rest.openapi_schemas import SCHEMAS, component_schemas

VERSION = "3.1.0"
JSON = "application/json"
XML = "application/xml"

ABOUT = """\
Otter keeps the right number of healthy servers running.

A trailing slash makes no difference anywhere, and HEAD is answered wherever GET is.
Where a schema says `integer`, the token must be one: `1.0` is refused.
Unknown query arguments are ignored; of a repeated one the first counts.
"""

EVERYWHERE: tuple[Refusal, ...] = (
    errors.MalformedRequestError,
    errors.NoSuchRouteError,
    errors.RequestTimeoutError,
    errors.BodyTooLargeError,
    errors.RateLimitError,
    errors.UriTooLongError,
    errors.HeadersTooLargeError,
    errors.UnavailableError,
)
"""What every operation may answer; faults of ours apart."""

WITH_TOKEN: tuple[Refusal, ...] = (errors.InvalidCredentialsError, errors.ForbiddenError)
"""What every operation that needs a token may answer."""

PARAMETERS: Mapping[str, Any] = {
    "tenant": ("path", {"type": "string", "minLength": 1}, "The project the token is for."),
    "group": ("path", {"type": "string", "minLength": 1}, "The group's id, a UUID."),
    "policy": ("path", {"type": "string", "minLength": 1}, "The policy's id, a UUID."),
    "webhook": ("path", {"type": "string", "minLength": 1}, "The webhook's id, a UUID."),
    "server": ("path", {"type": "string", "minLength": 1}, "The id compute gave the server."),
    "version": ("path", {"type": "string", "minLength": 1}, "1; others do nothing."),
    "hash": ("path", {"type": "string", "minLength": 1}, "The secret of the webhook."),
    "limit": (
        "query",
        {"type": "integer", "default": 100},
        "How many items at most; brought into 1 to 100.",
    ),
    "marker": (
        "query",
        {"type": "string"},
        "The id of the last item seen; any text is taken.",
    ),
    "webhooks": (
        "query",
        {"type": "string"},
        "`true` shows webhooks too, which takes full rights; anything else is ignored.",
    ),
    "force": (
        "query",
        {"type": "boolean", "default": False},
        "Delete the group whatever it wants.",
    ),
    "replace": (
        "query",
        {"type": "boolean", "default": True},
        "Build another in its place; otherwise one less is wanted.",
    ),
    "purge": (
        "query",
        {"type": "boolean", "default": True},
        "Delete the server; otherwise it is let go and runs on.",
    ),
}
"""Where each stands, its schema, its meaning."""

HEADERS: Mapping[str, Any] = {
    "X-Response-Id": (True, {"type": "string", "minLength": 1}, "Names this answer in our log."),
    "Date": (True, {"type": "string", "minLength": 1}, "When it was answered."),
    "Server": (True, {"type": "string", "minLength": 1}, "Who answered."),
    "Location": (
        True,
        {"type": "string", "pattern": "^https?://[!-~]+/$"},
        "Where what was created is found.",
    ),
    "Allow": (True, {"type": "string", "minLength": 1}, "The methods there are."),
    "Retry-After": (False, {"type": "string", "pattern": "^[0-9]+$"}, "Seconds to wait."),
}
"""Whether each is always there, its schema, its meaning."""

METHODS = ("get", "put", "post", "delete")

CREATED: Mapping[str, tuple[str, str, str]] = {
    "/v1.0/{tenant}/groups": ("post", "group", "$response.body#/group/id"),
    "/v1.0/{tenant}/groups/{group}/policies": ("post", "policy", "$response.body#/policies/0/id"),
    "/v1.0/{tenant}/groups/{group}/policies/{policy}/webhooks": (
        "post",
        "webhook",
        "$response.body#/webhooks/0/id",
    ),
}
"""What the operations that create something give to others: the variable, and where it is found."""

ALWAYS = ("X-Response-Id", "Date", "Server")
WAITING = {403, 413, 503}
"""Statuses that may say when to come again."""


@frozen
class Fault:
    """One line of the error table: how it looks on the wire, and when it comes."""

    wire: WireError
    meaning: str


def faults() -> Mapping[str, Fault]:
    """Return what may be refused, and why, by the type that the wire gives it."""
    table = {INTERNAL.type: Fault(INTERNAL, "A fault of ours.")}
    for kind, wire in CATALOGUE.items():
        meaning = (kind.__doc__ or "").strip().partition("\n\n")[0]
        plain = re.sub(r" \(rest-api\.md [^)]*\)", "", " ".join(meaning.split()))
        table.setdefault(wire.type, Fault(wire, plain))
    return table


def make_document(routes: Iterable[Route], base_url: str) -> dict[str, Any]:
    """
    Return the document.

    :param routes: the route table; capability URLs, which no route leads to, are added here.
    :param base_url: the public root URL.
    :raises KeyError: nobody has described one of the routes.
    """
    paths: dict[str, dict[str, Any]] = {}
    for method, path in (*((r.method, r.path) for r in routes), ("POST", CAPABILITY)):
        template = re.sub(r"<(\w+)>", r"{\1}", path)
        names = _variables(template)
        item = paths.setdefault(template, {})
        if names:
            item["parameters"] = [_ref("parameters", name) for name in names]
        item[method.lower()] = _operation(OPERATIONS[method, path])
    _link(paths)
    return {
        "openapi": VERSION,
        "info": {"title": "Otter", "version": "1.0", "description": ABOUT},
        "servers": [{"url": base_url}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(o.tag for o in OPERATIONS.values())],
        "paths": paths,
        "components": _components(),
    }


# --- operations -------------------------------------------------------------------------------


def _operation(described: Operation) -> dict[str, Any]:
    result: dict[str, Any] = {
        "tags": [described.tag],
        "operationId": described.name,
        "summary": described.summary,
        "responses": _responses(described),
    }
    if described.details:
        result["description"] = described.details
    if described.query:
        result["parameters"] = [_ref("parameters", name) for name in described.query]
    if described.body is not None:
        definition, example = described.body
        media = {"schema": _ref("schemas", definition), "example": example}
        result["requestBody"] = {"required": True, "content": {JSON: media}}
    if described.public:
        result["security"] = []
    return result


def _responses(described: Operation) -> dict[str, Any]:
    token = () if described.public else WITH_TOKEN
    general = _by_status((*EVERYWHERE, *token))
    special = _by_status((*EVERYWHERE, *token, *described.refusals))
    responses: dict[str, Any] = {}
    if described.status < 400:
        responses[str(described.status)] = _success(described)
    for status, types in special.items():
        shared = types == general.get(status)
        responses[str(status)] = (
            _ref("responses", f"refused.{status}") if shared else _refusal(status, types)
        )
    return dict(sorted(responses.items()))


def _success(described: Operation) -> dict[str, Any]:
    headers = (*ALWAYS, "Location") if described.status == 201 else ALWAYS
    response: dict[str, Any] = {"description": described.summary, "headers": _headers(headers)}
    if described.answer is not None:
        response["content"] = {JSON: {"schema": _ref("schemas", described.answer)}}
        if described.answer == "common.limits":
            response["content"][XML] = {}
    return response


def _by_status(refusals: Iterable[Refusal]) -> dict[int, list[str]]:
    """Return the types of refusals on the wire, by status; faults of ours are always possible."""
    found: dict[int, list[str]] = {INTERNAL.status: [INTERNAL.type]}
    for kind in refusals:
        wire = CATALOGUE[kind]
        types = found.setdefault(wire.status, [])
        if wire.type not in types:
            types.append(wire.type)
    return found


def _refusal(status: int, types: Sequence[str]) -> dict[str, Any]:
    table = faults()
    schemas = [_ref("schemas", f"error.{name}") for name in types]
    headers = (*ALWAYS, *(["Retry-After"] if status in WAITING else ()))
    return {
        "description": "\n".join(f"- `{name}`: {table[name].meaning}" for name in types),
        "headers": _headers(headers),
        "content": {JSON: {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}},
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: _ref("headers", name) for name in names}


def _link(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Tell tools which operations work on what another one has created."""
    for source, (method, variable, found) in CREATED.items():
        names = _variables(source)
        given = {f"path.{name}": f"$request.path.{name}" for name in names}
        targets = [
            operation["operationId"]
            for path, item in paths.items()
            if _variables(path) == [*names, variable]
            for operation in (item[verb] for verb in METHODS if verb in item)
        ]
        paths[source][method]["responses"]["201"]["links"] = {
            name: {"operationId": name, "parameters": {**given, f"path.{variable}": found}}
            for name in targets
        }


def _variables(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


# --- what operations refer to -----------------------------------------------------------------


def _components() -> dict[str, Any]:
    shared = _by_status((*EVERYWHERE, *WITH_TOKEN))
    responses = {f"refused.{status}": _refusal(status, t) for status, t in sorted(shared.items())}
    responses["refused.405"] = _refusal(405, ["InvalidMethod"])
    responses["refused.405"]["headers"].update(_headers(["Allow"]))
    return {
        "securitySchemes": {
            "token": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Auth-Token",
                "description": "A token of identity for the tenant's project.",
            }
        },
        "parameters": {name: _parameter(name) for name in PARAMETERS},
        "headers": {
            name: {"description": meaning, "required": required, "schema": schema}
            for name, (required, schema, meaning) in HEADERS.items()
        },
        "responses": responses,
        "schemas": {
            **component_schemas(),
            **{f"error.{name}": _error_schema(fault) for name, fault in faults().items()},
        },
    }


def _parameter(name: str) -> dict[str, Any]:
    where, schema, meaning = PARAMETERS[name]
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, **required, "description": meaning, "schema": schema}


def _error_schema(fault: Fault) -> dict[str, Any]:
    exact = {"type": {"const": fault.wire.type}, "code": {"const": fault.wire.status}}
    return {
        "description": fault.meaning,
        "allOf": [
            {"$ref": f"{SCHEMAS}common.error"},
            {"properties": {"error": {"properties": exact}}},
        ],
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
