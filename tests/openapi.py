"""
Hold answers to the OpenAPI document: any method, path, status, headers and body.

What the document does not offer must be refused, in the shape and with the types that it gives to
refusals.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import simplejson
from attrs import frozen
from jsonschema import Draft202012Validator

from otter.testing.client import Answer, Client
from tools.openapi import document

JSON = "application/json"
ELSEWHERE = frozenset({400, 401, 403, 404, 405, 408, 413, 414, 431, 500, 503})
"""Statuses for what is no operation of the document."""


@frozen
class Reply:
    """
    An answer as it came over the wire.

    :ivar headers: by their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Checker:
    """Knows a document; ``references`` are resolved once, because doing so each time is slow."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, Draft202012Validator] = {}
        self._templates = sorted(
            (tuple(path.strip("/").split("/")), path) for path in document["paths"]
        )

    def problems(self, method: str, url: str, reply: Reply) -> list[str]:
        """Return what is wrong with the answer to ``method`` on ``url``, which may have a query."""
        operation = self.operation("GET" if method == "HEAD" else method, url)
        if operation is None:
            return list(self._elsewhere(reply))
        described = operation["responses"].get(str(reply.status))
        if described is None:
            known = ", ".join(operation["responses"])
            return [f"status {reply.status} is not one of {known}"]
        return list(self._described(self._resolved(described), reply, has_body=method != "HEAD"))

    def operation(self, method: str, url: str) -> Mapping[str, Any] | None:
        """Return what the document says of a method on a path, None if nothing."""
        # Fuzzed paths look like no URL: "//[" is where urlsplit expects the address of a host.
        path = url.partition("?")[0] if url.startswith("/") else urlsplit(url).path
        item = self._item(path)
        found: Mapping[str, Any] | None = item.get(method.lower())
        return found

    def check(self, method: str, url: str, reply: Reply) -> None:
        """
        Look at an answer.

        :raises AssertionError: it is not as the document says.
        """
        problems = self.problems(method, url, reply)
        if problems:
            raise AssertionError(
                f"{method} {url} -> {reply.status} {reply.body[:500]!r}: " + "; ".join(problems)
            )

    def _item(self, path: str) -> Mapping[str, Any]:
        """Return the path item, the most literal one if several fit; empty if none does."""
        segments = path.removesuffix("/").removeprefix("/").split("/")
        fits = [
            ([part.startswith("{") for part in parts], name)
            for parts, name in self._templates
            if len(parts) == len(segments) and all(map(_fits, parts, segments))
        ]
        return self._document["paths"][min(fits)[1]] if fits else {}

    def _elsewhere(self, reply: Reply) -> Iterator[str]:
        if reply.status not in ELSEWHERE:
            yield f"status {reply.status} for what is not in the document"
            return
        described = self._document["components"]["responses"][f"refused.{reply.status}"]
        yield from self._described(self._resolved(described), reply, has_body=bool(reply.body))

    def _described(
        self, described: Mapping[str, Any], reply: Reply, *, has_body: bool
    ) -> Iterator[str]:
        for name, header in described.get("headers", {}).items():
            yield from self._header(name, self._resolved(header), reply)
        content = described.get("content")
        if content is None:
            if reply.body:
                yield "there is a body"
        elif has_body:
            yield from self._content(content, reply)

    def _header(self, name: str, header: Mapping[str, Any], reply: Reply) -> Iterator[str]:
        value = reply.headers.get(name.lower())
        if value is not None:
            yield from self._against(header["schema"], value, f"header {name}")
        elif header.get("required"):
            yield f"header {name} is missing"

    def _content(self, content: Mapping[str, Any], reply: Reply) -> Iterator[str]:
        kind = reply.headers.get("content-type", "")
        if kind not in content:
            yield f"content type {kind!r} is not one of {', '.join(content)}"
        elif kind == JSON:
            try:
                found = simplejson.loads(reply.body, use_decimal=True)
            except ValueError:
                yield "the body is not JSON"
            else:
                yield from self._against(content[kind]["schema"], found, "body")

    def _against(self, schema: Mapping[str, Any], value: object, what: str) -> Iterator[str]:
        key = simplejson.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(self._inlined(schema))
        for error in self._validators[key].iter_errors(value):
            yield f"{what} {error.json_path}: {error.message[:300]}"

    def _resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in part:
            return part
        found: Any = self._document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        resolved: Mapping[str, Any] = found
        return resolved

    def _inlined(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self._inlined(item) for item in part]
        if not isinstance(part, Mapping):
            return part
        if "$ref" in part:
            return self._inlined(self._resolved(part))
        return {name: self._inlined(value) for name, value in part.items()}


def _fits(part: str, segment: str) -> bool:
    """Return whether a segment fits a part of a template; no parameter is empty."""
    return bool(segment) if part.startswith("{") else part == unquote(segment)


@cache
def checker() -> Checker:
    """Return a checker for the API's own document."""
    return Checker(document())


class CheckedClient(Client):
    """A client whose every answer is held to the document of the API."""

    async def call(self, method: str, path: str, *arguments: Any, **settings: Any) -> Answer:
        """
        Call as any client does.

        :raises AssertionError: the answer is not as the document says.
        """
        answer = await super().call(method, path, *arguments, **settings)
        url = path if path.startswith("http") else self.root + path
        headers = {
            name.decode("ascii").lower(): values[0].decode("latin-1")
            for name, values in answer.headers.getAllRawHeaders()
        }
        checker().check(method, url, Reply(answer.status, headers, answer.text.encode()))
        return answer
