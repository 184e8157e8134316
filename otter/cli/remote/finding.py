"""
Find what a person means by a name or an id.

An id is used as it is, without asking; a name must belong to exactly one thing.
"""

import re
from collections.abc import Iterable

from attrs import frozen

from otter.cli.exits import NotFoundError, UsageError
from otter.cli.remote.api import Api, path_of

_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
NAMED_MAX = 5


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of our ids."""
    return _ID.fullmatch(text) is not None


def choose(wanted: str, known: Iterable[tuple[str, str]], kind: str) -> str:
    """
    Return the id of the one thing that has this name, or this id.

    :param known: ids and names.
    :param kind: what it is, for people.
    :raises NotFoundError: there is none.
    :raises UsageError: there are several.
    """
    found = [identity for identity, name in known if wanted in (identity, name)]
    if not found:
        raise NotFoundError(f"there is no {kind} {wanted}")
    if len(found) > 1:
        some = ", ".join(found[:NAMED_MAX]) + (", …" if len(found) > NAMED_MAX else "")
        raise UsageError(f"{len(found)} are called {wanted}; say which {kind} by its id: {some}")
    return found[0]


@frozen
class Finder:
    """Looks names up through the API; each method returns the path of what is meant."""

    api: Api

    def group(self, wanted: str) -> str:
        """
        Find a group.

        :raises NotFoundError: there is none.
        :raises UsageError: there are several.
        """
        if is_id(wanted):
            return path_of("groups", wanted)
        groups = self.api.items("/groups", "groups")
        named = ((str(g["id"]), str(g["state"]["name"])) for g in groups)
        return path_of("groups", choose(wanted, named, "group"))

    def policy(self, group: str, wanted: str) -> str:
        """
        Find a policy of a group.

        :raises NotFoundError: there is none.
        :raises UsageError: there are several.
        """
        return self._within(f"{self.group(group)}/policies", "policies", wanted, "policy")

    def webhook(self, group: str, policy: str, wanted: str) -> str:
        """
        Find a webhook of a policy.

        :raises NotFoundError: there is none.
        :raises UsageError: there are several.
        """
        return self._within(f"{self.policy(group, policy)}/webhooks", "webhooks", wanted, "webhook")

    def _within(self, path: str, key: str, wanted: str, kind: str) -> str:
        if is_id(wanted):
            return path + path_of(wanted)
        named = ((str(i["id"]), str(i["name"])) for i in self.api.items(path, key))
        return path + path_of(choose(wanted, named, kind))
