"""
Tell what a cycle did: lines for the group's history and messages to the customer's own webhooks.

Pure: entries before and after go in, records come out; the store writes them with the entries.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from attrs import field, frozen
from pyrsistent import freeze, pmap

from otter.models.activity import Activity, ActivityKind, Notification
from otter.models.group import Group, NotifyTarget
from otter.models.ids import InstanceId, NotificationId, new_activity_id
from otter.models.ledger import Convergence, EntryState, LedgerEntry
from otter.supervisor.planning import launch_document

# What a customer can be told of; schema/api/launch.json names the same events.
IN_SERVICE = "server.in_service"
LEAVING = "server.leaving"
GONE = "server.gone"

KINDS = {
    EntryState.REQUESTED: ActivityKind.SERVER_CREATING,
    EntryState.IN_SERVICE: ActivityKind.SERVER_IN_SERVICE,
    EntryState.DRAINING: ActivityKind.SERVER_DELETING,
    EntryState.DELETING: ActivityKind.SERVER_DELETING,
    EntryState.GONE: ActivityKind.SERVER_GONE,
    EntryState.LOST: ActivityKind.SERVER_FAILED,
}


@frozen
class Story:
    """What is to be remembered and what is to be told."""

    activities: tuple[Activity, ...] = ()
    notifications: tuple[Notification, ...] = ()


@frozen
class Narrator:
    """Compares a group before and after one cycle."""

    group: Group
    now: datetime
    new_notification_id: Callable[[], NotificationId]
    targets: tuple[NotifyTarget, ...] = field(init=False)

    @targets.default
    def _targets(self) -> tuple[NotifyTarget, ...]:
        items = launch_document(self.group).get("notify", [])
        return tuple(NotifyTarget(i["url"], tuple(i.get("events", ()))) for i in items)

    def tell(
        self,
        before: tuple[Convergence, Mapping[InstanceId, LedgerEntry]],
        after: tuple[Convergence, Iterable[LedgerEntry]],
    ) -> Story:
        """Return what changed from ``before`` to ``after``."""
        activities: list[Activity] = []
        notifications: list[Notification] = []
        for entry in after[1]:
            old = before[1].get(entry.instance_id)
            if old is not None and old.state is entry.state:
                continue
            activities.extend(self._activity(old, entry))
            if event := self._event(old, entry):
                notifications.extend(self._notify(event, entry))
        activities.extend(self._trouble(before[0], after[0]))
        return Story(tuple(activities), tuple(notifications))

    def _activity(self, old: LedgerEntry | None, entry: LedgerEntry) -> Iterable[Activity]:
        kind = KINDS.get(entry.state)
        if old is None and entry.state is EntryState.BUILDING:
            kind = ActivityKind.SERVER_ADOPTED
        elif entry.state is EntryState.DELETING and entry.reason:
            kind = ActivityKind.SERVER_REPLACED if self._heals(old) else kind
        elif entry.state is EntryState.GONE and entry.server_id is None and entry.reason:
            kind = ActivityKind.SERVER_FAILED
        if kind is None or (entry.state is EntryState.DELETING and self._told(old)):
            return
        yield self._line(
            kind, entry.reason or kind.value.replace(".", " ").replace("_", " "), _describe(entry)
        )

    @staticmethod
    def _told(old: LedgerEntry | None) -> bool:
        return old is not None and old.state is EntryState.DRAINING

    @staticmethod
    def _heals(old: LedgerEntry | None) -> bool:
        return old is not None and old.removal is None

    @staticmethod
    def _event(old: LedgerEntry | None, entry: LedgerEntry) -> str:
        """Return what the customer is told, once per server: in, leaving, gone."""
        if entry.state is EntryState.IN_SERVICE and (old is None or old.served is None):
            return IN_SERVICE
        if entry.served is None:
            return ""
        if entry.state is EntryState.GONE:
            return GONE
        return LEAVING if entry.leaving and (old is None or not _on_the_way(old)) else ""

    def _notify(self, event: str, entry: LedgerEntry) -> Iterable[Notification]:
        for target in self.targets:
            if not target.events or event in target.events:
                yield Notification(
                    self.new_notification_id(),
                    self.group.tenant_id,
                    self.group.group_id,
                    target.url,
                    event,
                    {
                        "event": event,
                        "at": self.now.isoformat(),
                        "tenant": self.group.tenant_id,
                        "group": {"id": self.group.group_id, "name": self.group.config.name},
                        "server": _describe(entry),
                        "reason": entry.reason,
                    },
                    created=self.now,
                    due=self.now,
                )

    def _trouble(self, before: Convergence, after: Convergence) -> Iterable[Activity]:
        if before.reasons == after.reasons:
            return
        if after.reasons:
            yield self._line(ActivityKind.ERROR, "; ".join(after.reasons), {})
        else:
            yield self._line(ActivityKind.RECOVERED, "converging works again", {})

    def _line(self, kind: ActivityKind, reason: str, details: Mapping[str, object]) -> Activity:
        return Activity(
            self.group.tenant_id,
            self.group.group_id,
            new_activity_id(int(self.now.timestamp() * 1000)),
            self.now,
            kind,
            "supervisor",
            reason,
            pmap(freeze(dict(details))),
        )


def _on_the_way(entry: LedgerEntry) -> bool:
    return entry.state in {EntryState.DRAINING, EntryState.DELETING}


def _describe(entry: LedgerEntry) -> dict[str, object]:
    return {
        "id": entry.server_id,
        "instance": entry.instance_id,
        "name": entry.name,
        "address": entry.address,
    }
