"""Wait for what a command has set in motion: a group that settles, servers that go."""

from collections.abc import Callable, Mapping
from typing import Any

from otter.cli.context import Context
from otter.cli.remote.api import Api
from otter.cli.waiting import Stage, Verdict, errors_of, judge

GROUP_MARK = "rax:auto_scaling_group_id"
"""Metadata that every server of a group bears; part of the wire contract."""

EMPTY_LOOKS = 2
"""A server whose creation was on its way may appear after one empty list."""

SERVERS_MAX = 10_000


def read_state(api: Api, path: str) -> Mapping[str, Any]:
    """
    Return a group's state.

    :raises CommandError: it could not be read.
    """
    return api.part(f"{path}/state", "group")


def act(context: Context, path: str, action: str) -> None:
    """
    Post something that moves a group, and wait for it to settle if that was asked for.

    :param path: of the group.
    :param action: the path to post to.
    :raises CommandError: it was refused, or the group does not settle.
    """
    if not context["wait"]:
        context.api.call("POST", action)
        return
    before = errors_of(read_state(context.api, path))
    context.api.call("POST", action)
    wait(context, path, before)


def wait(context: Context, path: str, errors_before: frozenset[str] = frozenset()) -> None:
    """
    Return when the group has the servers it wants.

    :raises NotReachedError: it does not get there.
    """
    context.waiter().wait(lambda: judge(read_state(context.api, path), errors_before))


def servers_gone(compute: Api, path: str) -> Callable[[], Stage]:
    """Return what looks whether the cloud still lists servers of a group."""
    group = path.rpartition("/")[2]
    empty_looks = 0

    def look() -> Stage:
        nonlocal empty_looks
        listed = compute.items("/servers/detail", "servers", SERVERS_MAX)
        left = sum(1 for s in listed if (s.get("metadata") or {}).get(GROUP_MARK) == group)
        empty_looks = 0 if left else empty_looks + 1
        gone = empty_looks >= EMPTY_LOOKS
        return Stage(
            Verdict.REACHED if gone else Verdict.WAITING,
            f"servers left: {left}",
        )

    return look
