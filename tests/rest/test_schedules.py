"""The ``at`` and ``cron`` grammars (rest-api.md 5.5 and 5.6)."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import ValidationError
from otter.rest.schedules import check_at, check_cron, read_at

NOW = datetime(2031, 3, 1, 8, 0, tzinfo=UTC)


def at_is_good(text: str) -> bool:
    """Return whether an ``at`` is accepted."""
    try:
        check_at(text, now=NOW)
    except ValidationError:
        return False
    return True


def cron_is_good(text: str) -> bool:
    """Return whether a ``cron`` is accepted."""
    try:
        check_cron(text)
    except ValidationError:
        return False
    return True


class AtTests(SynchronousTestCase):
    """rest-api.md 5.5."""

    def test_must_accept(self) -> None:
        """The full form, fractions of any length, no seconds, a blank for the T."""
        texts = [
            "2031-03-01T08:00:01Z",
            "2031-03-01T08:00:00.684336Z",
            "2031-03-01T08:00:00.1Z",
            "2031-03-01T08:00:00.000001999999999999999999Z",
            "2031-03-01T08:01Z",
            "2031-03-01 09:00:00Z",
            "2032-02-29T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ]

        self.assertEqual({text: at_is_good(text) for text in texts}, dict.fromkeys(texts, True))

    def test_must_reject(self) -> None:
        """Everything the table lists, and what only looks like a date."""
        texts = [
            "2031-03-02T08:00:00",
            "2031-03-02T08:00:00+00:00",
            "2031-03-02T08:00:00-05:00",
            "2031-03-02T08:00:00z",
            "2031-03-02t08:00:00Z",
            "2031-03-01T08:00:00Z",
            "2031-03-01T07:59:59.999Z",
            "1970-01-01T00:00:00Z",
            "2031-03-02",
            "2031-03-02Z",
            "08:00:00Z",
            "031260",
            "23 * * * *",
            "tomorrow",
            "",
            "  ",
            "02-03-2031T08:00:00Z",
            "2031/03/02T08:00:00Z",
            "2031-13-02T08:00:00Z",
            "2031-03-33T08:00:00Z",
            "2031-02-29T08:00:00Z",
            "2031-03-02T27:00:00Z",
            "2031-03-02T24:00:00Z",
            "2031-03-02T08:70:00Z",
            "2031-03-02T08:00:60Z",
            "2031-03-02T08:00:80Z",
            "0000-03-02T08:00:00Z",
            "20310302T080000Z",
            "2031-3-2T08:00:00Z",
            "2031-03-02T08Z",
            "2031-03-02T08:00:00junkZ",
            "2031-03-02T08:00:00.Z",
            "2031-03-02T08:00:00Z\n",
            " 2031-03-02T08:00:00Z",
            "2031-03-02T08:00:0٣Z",
            "12031-03-02T08:00:00Z",
        ]

        self.assertEqual({text: at_is_good(text) for text in texts}, dict.fromkeys(texts, False))

    @given(st.datetimes(datetime(2031, 3, 2), datetime(9998, 1, 1)))  # noqa: DTZ001 - UTC is added
    def test_every_moment_can_be_named(self, moment: datetime) -> None:
        """And is read as the moment it is."""
        self.assertEqual(read_at(moment.isoformat() + "Z"), moment.replace(tzinfo=UTC))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever is sent is judged and breaks nothing."""
        self.assertIn(at_is_good(text), {True, False})


class CronTests(SynchronousTestCase):
    """rest-api.md 5.6."""

    def test_must_accept(self) -> None:
        """The table's left column and what the grammar beside it says."""
        texts = [
            "* * * * *",
            "0-59 0-23 1-31 1-12 0-6",
            "00 9,16 * * *",
            "00 02-11 * * *",
            "00 09-18 * * 1-5",
            "0 0 0 0 0",
            "0 */6 * * *",
            "*/2 * * * *",
            "0 0 * * 1",
            "0 23 1 12 *",
            "  0\t0   1 1 *  ",
            "* * * jan-DEC Mon,fri",
            "* * * * 7",
            "* * * * 0-7",
            "* * * * sun-sat",
            "1-10/3,20,*/30 * * * *",
            "* * L * *",
            "* * 0 * *",
            "* * 0-0 * *",
            "* * * 0-0 *",
            "* * * * 0-0",
            "* * 29 2 *",
            "* * 31 1-12 *",
            "* * 30,31 2,4 *",
            "* * 30 2 1",
            "*/999999999 * * * *",
        ]

        self.assertEqual({text: cron_is_good(text) for text in texts}, dict.fromkeys(texts, True))

    def test_must_reject(self) -> None:
        """The table's right column, and days that never come."""
        texts = [
            "* * * *",
            "*",
            "* * * * * *",
            "* * * * * * * *",
            "",
            "   ",
            "12345",
            "every day",
            "2031-03-01T08:00:00Z",
            "@yearly",
            "@daily",
            "@hourly",
            "@weekly",
            "@monthly",
            "@reboot",
            "60 * * * *",
            "* 24 * * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "-9 * * * *",
            "-090 * * * *",
            "* -089 * * *",
            "* * -32 * *",
            "* * * -30 *",
            "* * * * -1",
            *(" ".join("2-" if at == n else "*" for n in range(5)) for at in range(5)),
            *(" ".join("6-0" if at == n else "*" for n in range(5)) for at in range(5)),
            *(" ".join("$" if at == n else "*" for n in range(5)) for at in range(5)),
            "- - - - -",
            "5/10 * * * *",
            "*/0 * * * *",
            "*/ * * * *",
            "1-5/ * * * *",
            "1-5/x * * * *",
            "1-5/2/2 * * * *",
            "1,,2 * * * *",
            ", * * * *",
            "1, * * * *",
            "? * * * *",
            "* * ? * *",
            "* * * * 1#2",
            "* * * * L",
            "* * 1,L * *",
            "1-2-3 * * * *",
            "*-5 * * * *",
            "** * * * *",
            "jan * * * *",
            "* * * mon *",
            "* * * * january",
            "+1 * * * *",
            "1.0 * * * *",
            "٣ * * * *",
            "9999999999 * * * *",
            "* * * * *\n",
            "*\n* * * *",
            "* * 30 2 *",
            "* * 30-31 feb *",
            "* * 31 4,6,9,11 *",
            "0" + ",0" * 500 + " * * * *",
        ]

        self.assertEqual({text: cron_is_good(text) for text in texts}, dict.fromkeys(texts, False))

    @given(st.text(st.sampled_from("0123456789*/,- LlabcjnsuF")))
    def test_any_text(self, text: str) -> None:
        """Whatever is sent is judged and breaks nothing."""
        self.assertIn(cron_is_good(text), {True, False})

    @given(
        st.tuples(
            st.integers(0, 59),
            st.integers(0, 23),
            st.integers(1, 28),
            st.integers(1, 12),
            st.integers(0, 7),
        )
    )
    def test_every_time_can_be_named(self, fields: tuple[int, ...]) -> None:
        """Numbers within their ranges are accepted, with leading zeros too."""
        self.assertTrue(cron_is_good(" ".join(map(str, fields))))
        self.assertTrue(cron_is_good(" ".join(f"{field:03}" for field in fields)))
