"""What is told of a cycle, and to whom."""

from collections.abc import Iterable
from itertools import count, pairwise

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from otter.models.activity import ActivityKind, Notification
from otter.models.group import Group
from otter.models.ids import NotificationId
from otter.models.ledger import Convergence, EntryState, LedgerEntry, Removal
from otter.supervisor.narrating import Narrator, Story
from tests.supervisor.world import NOW, a_group, a_record, ago, an_entry, balanced

URL = "https://owner.invalid/hook"
State = EntryState


def telling(events: Iterable[str] | None = None) -> Group:
    """Return a group whose owner wants to be told of these events, or of all."""
    target: dict[str, object] = {"url": URL}
    if events is not None:
        target["events"] = list(events)
    return a_group(args={"server": {}, "notify": [target]})


def tell(
    old: LedgerEntry | None,
    new: LedgerEntry | None,
    *,
    group: Group | None = None,
    records: tuple[Convergence, Convergence] | None = None,
) -> Story:
    """Return the story of one entry that changed."""
    numbers = count(1)
    narrator = Narrator(group or telling(), NOW, lambda: NotificationId(f"m{next(numbers)}"))
    before, after = records or (a_record(), a_record())
    known = {} if old is None else {old.instance_id: old}
    return narrator.tell((before, known), (after, [] if new is None else [new]))


class HistoryTests(SynchronousTestCase):
    """Lines of the group's history."""

    def kinds(self, old: LedgerEntry | None, new: LedgerEntry) -> list[ActivityKind]:
        """Return the kinds of lines a change makes."""
        return [a.kind for a in tell(old, new).activities]

    def test_the_life_of_a_server(self) -> None:
        """One line for each thing an owner would ask about."""
        for old, new, kind in (
            (None, State.REQUESTED, ActivityKind.SERVER_CREATING),
            (State.INTENDED, State.REQUESTED, ActivityKind.SERVER_CREATING),
            (State.JOINING, State.IN_SERVICE, ActivityKind.SERVER_IN_SERVICE),
            (State.IN_SERVICE, State.DRAINING, ActivityKind.SERVER_DELETING),
            (State.IN_SERVICE, State.DELETING, ActivityKind.SERVER_DELETING),
            (State.DELETING, State.GONE, ActivityKind.SERVER_GONE),
            (State.REQUESTED, State.LOST, ActivityKind.SERVER_FAILED),
        ):
            before = None if old is None else an_entry(state=old)

            self.assertEqual(self.kinds(before, an_entry(state=new)), [kind], (old, new))

    def test_what_is_of_no_interest(self) -> None:
        """Intents, building, joining, and every change that is not one of state."""
        for old, new in (
            (None, State.INTENDED),
            (State.REQUESTED, State.BUILDING),
            (State.BUILDING, State.JOINING),
            (State.IN_SERVICE, State.JOINING),
            (State.DRAINING, State.DELETING),
        ):
            before = None if old is None else an_entry(state=old)

            self.assertEqual(self.kinds(before, an_entry(state=new)), [], (old, new))
        self.assertEqual(tell(an_entry(), balanced(an_entry())), Story())

    def test_a_replacement_is_told_as_such(self) -> None:
        """Nobody asked for this server's end: the group healed itself, and says why."""
        new = an_entry(state=State.DELETING, removal=Removal.DELETE, reason="stuck")
        story = tell(an_entry(state=State.BUILDING), new)

        self.assertEqual(
            [(a.kind, a.reason) for a in story.activities],
            [(ActivityKind.SERVER_REPLACED, "stuck")],
        )

    def test_a_server_somebody_removed_is_not_replaced(self) -> None:
        """A call asked for it; whatever reason the entry still carries is an old one."""
        old = an_entry(removal=Removal.DELETE, reason="adopted")
        new = evolve(old, state=State.DELETING)

        self.assertEqual(self.kinds(old, new), [ActivityKind.SERVER_DELETING])

    def test_an_adopted_server_is_told_as_such(self) -> None:
        """The owner sees a server appear that no line announced."""
        self.assertEqual(
            self.kinds(None, an_entry(state=State.BUILDING)), [ActivityKind.SERVER_ADOPTED]
        )

    def test_a_late_server_that_is_deleted(self) -> None:
        """It has no live entry before; nothing was replaced."""
        late = an_entry(state=State.DELETING, reason="appeared after it was given up")

        self.assertEqual(self.kinds(None, late), [ActivityKind.SERVER_DELETING])

    def test_a_refused_create_failed(self) -> None:
        """There never was a server; the reason is the cloud's."""
        refused = an_entry(state=State.GONE, reason="Quota exceeded")
        story = tell(an_entry(state=State.REQUESTED), refused)

        self.assertEqual(
            [(a.kind, a.reason) for a in story.activities],
            [(ActivityKind.SERVER_FAILED, "Quota exceeded")],
        )

    def test_a_line_says_which_server_and_when(self) -> None:
        """Enough to find it in the cloud; a line without a reason says what happened."""
        line = tell(an_entry(state=State.JOINING), an_entry()).activities[0]

        self.assertEqual(
            (line.at, line.actor, line.reason), (NOW, "supervisor", "server in service")
        )
        self.assertEqual(
            line.details, {"id": "s-i", "instance": "i", "name": "web-i", "address": "10.0.0.i"}
        )

    def test_trouble_is_told_when_it_changes(self) -> None:
        """Not in every cycle it lasts."""
        well, ill = a_record(), a_record(create_reasons=("a",), balancer_reasons=("b",))
        worse = a_record(create_reasons=("c",))
        for before, after, told in (
            (well, ill, [(ActivityKind.ERROR, "a; b")]),
            (ill, ill, []),
            (ill, worse, [(ActivityKind.ERROR, "c")]),
            (ill, well, [(ActivityKind.RECOVERED, "converging works again")]),
            (well, a_record(failures=3), []),
        ):
            story = tell(None, None, records=(before, after))

            self.assertEqual([(a.kind, a.reason) for a in story.activities], told)


class MessageTests(SynchronousTestCase):
    """Messages to the owner's own webhook."""

    def events(
        self, old: LedgerEntry | None, new: LedgerEntry, group: Group | None = None
    ) -> list[str]:
        """Return the events a change tells the owner of."""
        return [m.event for m in tell(old, new, group=group).notifications]

    def test_entering_and_leaving_service(self) -> None:
        """In, leaving, gone: once each along a server's life."""
        joining = an_entry(state=State.JOINING)
        serving = an_entry()
        draining = evolve(serving, state=State.DRAINING, removal=Removal.DELETE)
        deleting = evolve(draining, state=State.DELETING)
        gone = evolve(deleting, state=State.GONE)
        life = [joining, serving, draining, deleting, gone]
        told = [self.events(old, new) for old, new in pairwise(life)]

        self.assertEqual(told, [["server.in_service"], ["server.leaving"], [], ["server.gone"]])

    def test_leaving_is_told_when_it_begins(self) -> None:
        """A call only marked the server before this cycle; the message is owed now."""
        marked = an_entry(removal=Removal.DELETE)

        self.assertEqual(
            self.events(marked, evolve(marked, state=State.DELETING)), ["server.leaving"]
        )

    def test_coming_back_into_service_is_not_told_again(self) -> None:
        """A load balancer lost it for a moment."""
        back = an_entry(state=State.JOINING, served=ago(100))

        self.assertEqual(self.events(back, evolve(back, state=State.IN_SERVICE)), [])

    def test_a_server_that_vanished_is_told_once(self) -> None:
        """It had no time to leave."""
        serving = an_entry()

        self.assertEqual(self.events(serving, evolve(serving, state=State.GONE)), ["server.gone"])

    def test_a_server_that_never_served_is_not_told_of(self) -> None:
        """Its owner never heard of it."""
        building = an_entry(state=State.BUILDING)
        deleting = an_entry(state=State.DELETING)

        self.assertEqual(self.events(building, deleting), [])
        self.assertEqual(self.events(deleting, evolve(deleting, state=State.GONE)), [])

    def test_only_what_was_asked_for_is_told(self) -> None:
        """No events named means all of them."""
        joining, serving = an_entry(state=State.JOINING), an_entry()
        for events, told in (
            (None, ["server.in_service"]),
            ([], ["server.in_service"]),
            (["server.in_service", "server.gone"], ["server.in_service"]),
            (["server.gone"], []),
        ):
            self.assertEqual(self.events(joining, serving, telling(events)), told)
        self.assertEqual(self.events(joining, serving, a_group()), [])

    def test_every_target_gets_its_own_message(self) -> None:
        """Each is retried and given up on its own."""
        both: list[dict[str, object]] = [{"url": "https://a.invalid"}, {"url": "https://b.invalid"}]
        group = a_group(args={"server": {}, "notify": both})
        told = tell(an_entry(state=State.JOINING), an_entry(), group=group).notifications

        self.assertEqual([m.url for m in told], ["https://a.invalid", "https://b.invalid"])
        self.assertEqual(len({m.notification_id for m in told}), 2)

    def test_a_message_says_what_happened(self) -> None:
        """Due at once; the body names group and server and nothing secret."""
        told = tell(an_entry(state=State.JOINING), an_entry()).notifications

        self.assertEqual(
            told,
            (
                Notification(
                    NotificationId("m1"),
                    a_group().tenant_id,
                    a_group().group_id,
                    URL,
                    "server.in_service",
                    {
                        "event": "server.in_service",
                        "at": "2026-05-04T12:00:00+00:00",
                        "tenant": "7042",
                        "group": {"id": "group", "name": "a group"},
                        "server": {
                            "id": "s-i",
                            "instance": "i",
                            "name": "web-i",
                            "address": "10.0.0.i",
                        },
                        "reason": "",
                    },
                    created=NOW,
                    due=NOW,
                ),
            ),
        )
