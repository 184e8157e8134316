"""
A process that writes as fast as it can and says what was acknowledged; made to be killed.

``python -m tests.models.crash_writer PATH`` prints ``GROUP GENERATION`` after each write that it
was told is stored, and goes on where the last one of its kind was killed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, cast

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.task import react

from otter.models.errors import NoSuchGroupError
from otter.models.group import Group
from otter.models.ids import GroupId
from otter.models.sqlite import SQLiteStore
from tests.contracts.store_records import (
    TENANT,
    a_group,
    a_ledger_write,
    a_notification,
    an_activity,
    an_entry,
)

GROUPS = [f"group-{number}" for number in range(16)]


async def find_or_create(store: SQLiteStore, group_id: str) -> Group:
    """Return the group as the last process left it."""
    try:
        return await store.get_group(TENANT, GroupId(group_id))
    except NoSuchGroupError:
        await store.create_group(a_group(group_id), [], max_groups=len(GROUPS))
        return a_group(group_id)


async def write_on_and_on(store: SQLiteStore, group_id: str) -> NoReturn:
    """
    Write to one group for ever.

    Every write says its generation in each of the places that it changes.
    """
    group = await find_or_create(store, group_id)
    while True:
        number = group.generation + 1
        group = await store.update_group(
            evolve(group, desired=number),
            mark=True,
            ledger=a_ledger_write(
                evolve(an_entry(group_id=group_id), reason=str(number)),
                revision=group.generation - 1,
                group_id=group_id,
                notifications=(a_notification(group_id, attempts=number),),
            ),
            activities=[an_activity(f"{number:08}", group_id)],
        )
        sys.stdout.write(f"{group_id} {group.generation}\n")
        sys.stdout.flush()


async def main(reactor: IReactorThreads, path: str) -> None:
    """Open the store and write to all groups at once."""
    store = SQLiteStore(Path(path), reactor)
    await store.open()
    await gatherResults(
        [Deferred.fromCoroutine(write_on_and_on(store, group_id)) for group_id in GROUPS]
    )


def start(reactor: object, *arguments: str) -> Deferred[None]:
    """Begin, at Twisted's edge."""
    return Deferred.fromCoroutine(main(cast("IReactorThreads", reactor), *arguments))


def run(arguments: Sequence[str]) -> None:
    """Run the reactor until killed."""
    react(start, arguments)


if __name__ == "__main__":
    run(sys.argv[1:])
