"""
Decide what a cloud would refuse about a launch config, given what it told (rest-api.md 4.6). Pure.

A rule returns problems, one sentence each. Whatever has to be asked for is named by ``wanted_of``.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import frozen
from pyrsistent import thaw

from otter.cloud.http import reading

ID_SIZE_MAX = 255
PREVIEW_NAME = "otter-launch-check"

NO_STACKS = "Stacks need an orchestration service, and the catalog has none."

_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")


@frozen
class FileLimits:
    """How many personality files a server may have and how large each may be; None is no limit."""

    count_max: int | None = None
    size_max_bytes: int | None = None


@frozen
class PersonalityFile:
    """A file to be put on the server, as the owner sent it."""

    path: str
    contents: str


@frozen
class Wanted:
    """
    What a ``launch_server`` config names.

    :ivar image: None where the server boots from a volume.
    """

    image: str | None
    flavor: str
    files: tuple[PersonalityFile, ...] = ()


def wanted_of(args: Mapping[str, object]) -> Wanted:
    """Return what the ``args`` of a ``launch_server`` config name; the schema has seen them."""
    server = cast("Mapping[str, Any]", args["server"])
    image = server.get("imageRef")
    files = cast("Sequence[Mapping[str, str]]", server.get("personality") or ())
    return Wanted(
        image=_id_of(image) if image else None,
        flavor=_id_of(server["flavorRef"]),
        files=tuple(PersonalityFile(one["path"], one["contents"]) for one in files),
    )


def _id_of(reference: str) -> str:
    """Return the id that a reference ends with: like Nova, we take links for ids."""
    return reference.rstrip("/").rpartition("/")[2]


def may_be_id(text: str) -> bool:
    """Return whether it makes sense to ask for something of this id: it goes into a path."""
    return 0 < len(text) <= ID_SIZE_MAX and text not in {".", ".."} and text.isprintable()


def unknown_problem(kind: str, name: str, words: str = "") -> str:
    """Return the problem of an image or a flavor that the cloud does not know, in its ``words``."""
    return f"The {kind} {name!r} cannot be used: {words or 'there is none of this id.'}"


def status_problem(image: str, status: str) -> str | None:
    """Return the problem of an image that is not ready, None if it is."""
    if status.upper() == "ACTIVE":
        return None
    return f"The image {image!r} cannot be used: it is {status.upper()}, not ACTIVE."


def file_limits(document: Any) -> FileLimits:
    """
    Return what the answer to ``GET /limits`` says of personality files.

    :raises TransientError: it is not such an answer.
    """
    with reading("limits"):
        absolute = document["limits"]["absolute"]
        return FileLimits(
            _limit(absolute.get("maxPersonality")), _limit(absolute.get("maxPersonalitySize"))
        )


def _limit(value: object) -> int | None:
    """Return a limit; a cloud that does not tell, or says -1, has none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a whole number")
    return value if value >= 0 else None


def personality_problems(files: Sequence[PersonalityFile], limits: FileLimits) -> tuple[str, ...]:
    """Return the problems of personality files."""
    problems = [problem for one in files for problem in _file_problems(one, limits)]
    if limits.count_max is not None and len(files) > limits.count_max:
        problems.insert(
            0,
            f"There are {len(files)} personality files, more than the cloud's "
            f"limit of {limits.count_max}.",
        )
    return tuple(problems)


def _file_problems(file: PersonalityFile, limits: FileLimits) -> tuple[str, ...]:
    decoded = _decoded(file.contents)
    where = f"The contents of the personality file {file.path!r}"
    if decoded is None:
        return (f"{where} are not base64.",)
    if limits.size_max_bytes is not None and len(decoded) > limits.size_max_bytes:
        limit = f"the cloud's limit of {limits.size_max_bytes}"
        return (f"{where} have {len(decoded)} bytes, more than {limit}.",)
    return ()


def _decoded(contents: str) -> bytes | None:
    """Return the bytes that base64 text stands for; None if it is empty or not base64."""
    if not _BASE64.fullmatch(contents):
        return None
    try:
        return base64.b64decode(contents, validate=True)
    except binascii.Error:
        return None


def preview_document(args: Mapping[str, object]) -> dict[str, Any]:
    """Return the body that asks orchestration what it would make of a ``launch_stack`` config."""
    stack = cast("dict[str, Any]", thaw(args["stack"]))
    return {**stack, "stack_name": PREVIEW_NAME}


def preview_problems(status: int | None, words: str) -> tuple[str, ...]:
    """Return what the failure of a preview tells: statuses other than these tell nothing."""
    if status not in {400, 404, 409}:
        return ()
    return (f"The stack cannot be created: {words}",)
