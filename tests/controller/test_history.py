"""Lines of a group's history."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.history import in_order, record
from otter.models.activity import Activity, ActivityKind
from tests.controller.world import GROUP, NOW, TENANT


def a_line(reason: str = "because", **details: object) -> Activity:
    """Return a line written now."""
    return record(
        TENANT, GROUP, NOW, ActivityKind.CONFIG, actor="user ada", reason=reason, **details
    )


class RecordTests(SynchronousTestCase):
    """Writing a line."""

    def test_line(self) -> None:
        """A line says when, what, who and why; details without a value are left out."""
        line = a_line(desired_before=0, retry_after_seconds=None)

        self.assertEqual(
            (line.at, line.kind, line.actor, line.reason, dict(line.details)),
            (NOW, ActivityKind.CONFIG, "user ada", "because", {"desired_before": 0}),
        )

    def test_id(self) -> None:
        """Ids follow the clock we were given, and no two are the same."""
        milliseconds = int(NOW.timestamp() * 1000)

        ids = {a_line().activity_id for _ in range(100)}

        self.assertEqual(len(ids), 100)
        self.assertEqual({int(text.split("-")[0], 16) for text in ids}, {milliseconds})


class InOrderTests(SynchronousTestCase):
    """Lines of one moment."""

    @given(st.lists(st.text(max_size=5), max_size=30))
    def test_sorted(self, reasons: list[str]) -> None:
        """Sorted by id the lines read as given; no id is lost or made up."""
        lines = [a_line(reason) for reason in reasons]

        ordered = in_order(lines)

        self.assertEqual([line.reason for line in ordered], reasons)
        self.assertEqual(
            [line.activity_id for line in ordered], sorted(line.activity_id for line in lines)
        )
