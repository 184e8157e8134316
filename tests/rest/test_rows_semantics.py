"""The rows of rest-api.md 5.1, 5.2, 5.5 and 5.6: what policies do, and when."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tests.rest.rows import RowCase, Rows
from tests.rest.world import a_config, a_policy

BAD = "400 ValidationError"
COOLDOWN = "403 CannotExecutePolicyError"


def _result(w: RowCase, current: int, **change: object) -> object:
    """Return what a change comes to in a group from 0 to 20, or 1000, that wants ``current``."""
    w.make_group(maxEntities=20 if current <= 20 else 1000)
    if current:
        start = w.make_policy(w.at("{g}"), change=None, desiredCapacity=current)
        w.ask("POST", f"{start}/execute")
    policy = w.make_policy(w.at("{g}"), **{"change": None, **change})
    reply = w.ask("POST", f"{policy}/execute")
    return reply.status, w.wants()


def _percent(rows: Iterable[tuple[int, str, int, int]]) -> Rows:
    return {
        f"5.1 {current} by {percent}%": (
            (status, result),
            lambda w, current=current, percent=percent: _result(
                w, current, changePercent=Decimal(percent.replace("−", "-").replace("any", "50"))
            ),
        )
        for current, percent, status, result in rows
    }


CAPACITY: Rows = {
    "5.1 change": ((202, 7), lambda w: _result(w, 5, change=2)),
    "5.1 change: partly, up to max": ((202, 20), lambda w: _result(w, 19, change=5)),
    "5.1 change: partly, down to min": ((202, 0), lambda w: _result(w, 1, change=-5)),
    "5.1 changePercent": ((202, 10), lambda w: _result(w, 5, changePercent=100)),
    "5.1 desiredCapacity": ((202, 3), lambda w: _result(w, 5, desiredCapacity=3)),
    "5.1 desiredCapacity: above max": ((202, 20), lambda w: _result(w, 5, desiredCapacity=99)),
    **_percent(
        (
            (5, "50", 202, 8),
            (5, "5", 202, 6),
            (5, "−5", 202, 4),
            (5, "−75", 202, 1),
            (3, "50", 202, 5),
            (4, "−60", 202, 1),
            (10, "10", 202, 11),
            (3, "−300", 202, 0),
            (0, "any", 403, 0),
        )
    ),
    "5.1 exact decimals: 0.2% of 500": (
        (202, 501),
        lambda w: _result(w, 500, changePercent=Decimal("0.2")),
    ),
    "5.1 exact decimals: -1.1% of 1000": (
        (202, 989),
        lambda w: _result(w, 1000, changePercent=Decimal("-1.1")),
    ),
}


def _after(w: RowCase, seconds: Sequence[float], **policy: object) -> list[str]:
    """Return the results of executing a policy after each of these times."""
    path = w.make_policy(w.at("{g}"), **{"change": 1, **policy})
    found = []
    for wait in seconds:
        w.clock.advance(wait)
        found.append(w.ask("POST", f"{path}/execute").error)
    return found


def _other_policy(w: RowCase, cooldown: int) -> list[str]:
    w.make_group(cooldown=cooldown)
    paths = [w.make_policy(w.at("{g}"), change=1, cooldown=100) for _ in range(2)]
    return [w.ask("POST", f"{path}/execute").error for path in paths]


def _refused_starts_nothing(w: RowCase) -> list[str]:
    w.make_group(minEntities=1, maxEntities=1, cooldown=100)
    policy = w.make_policy(w.at("{g}"), change=1, cooldown=100)
    refused = w.ask("POST", f"{policy}/execute").error
    w.do("PUT {g}/config", a_config(cooldown=100, maxEntities=5))
    return [refused, w.ask("POST", f"{policy}/execute").error]


def _lowered(w: RowCase) -> list[str]:
    found = _after(w, [0, 0], cooldown=100)
    w.do("PUT {p}", a_policy(change=1, cooldown=0))
    return [*found, *w.all("POST {p}/execute")]


def _survives(w: RowCase) -> list[str]:
    found = _after(w, [0], cooldown=100)
    w.do("PUT {p}", a_policy(name="new", change=1, cooldown=100))
    return [*found, *w.all("POST {p}/execute")]


COOLDOWNS: Rows = {
    "5.2 Two clocks: policy": (["202", COOLDOWN], lambda w: _after(w, [0, 1], cooldown=2)),
    "5.2 Two clocks: group": (
        ["202", COOLDOWN],
        lambda w: w.make_group(cooldown=2) and _after(w, [0, 1]),
    ),
    "5.2 Blocked if: exactly equal is allowed": (
        ["202", COOLDOWN, "202"],
        lambda w: _after(w, [0, 1.5, 0.5], cooldown=2),
    ),
    "5.2 Initial": (["202"], lambda w: _after(w, [0], cooldown=86400)),
    "5.2 Started by: not by refusals": ([COOLDOWN, "202"], _refused_starts_nothing),
    "5.2 Started by: capability": (
        (202, COOLDOWN),
        lambda w: (
            w.make_policy(w.at("{g}"), cooldown=9) and w.do("POST {c}").status,
            w.do("POST {p}/execute").error,
        ),
    ),
    "5.2 Started by: not by config and converge": (
        ["204", "202"],
        lambda w: (
            w.make_group(cooldown=100)
            and w.do("PUT {g}/config", a_config(cooldown=100, minEntities=2))
            and w.all("POST {g}/converge", "POST {p}/execute")
        ),
    ),
    "5.2 Values used: lowering unblocks": (["202", COOLDOWN, "202"], _lowered),
    "5.2 Scope: another policy": (["202", "202"], lambda w: _other_policy(w, 0)),
    "5.2 Scope: the group's": (["202", COOLDOWN], lambda w: _other_policy(w, 100)),
    "5.2 Survives": (["202", COOLDOWN], _survives),
}


class CapacityRows(RowCase, rows={**CAPACITY, **COOLDOWNS}):
    """rest-api.md 5.1 and 5.2."""


def _schedules(key: str, rows: Iterable[tuple[str, str, Sequence[object]]]) -> Rows:
    """Return a case for each text: row, expected, texts."""
    return {
        f"{row}: {text!r}": (
            expected,
            "POST {g}/policies",
            [a_policy(type="schedule", args={key: text})],
        )
        for row, expected, texts in rows
        for text in texts
    }


AT = _schedules(
    "at",
    (
        ("5.5 accept YYYY-MM-DDTHH:MM:SSZ", "201", ["2031-03-02T08:00:00Z"]),
        (
            "5.5 accept fractional seconds of any length, e.g. …:21.684336Z",
            "201",
            [
                "2031-03-02T08:00:21.684336Z",
                "2031-03-02T08:00:21.1Z",
                "2031-03-02T08:00:21.0123456789Z",
            ],
        ),
        (
            "5.5 accept missing seconds, a space",
            "201",
            ["2031-03-02T08:00Z", "2031-03-02 08:00:00Z"],
        ),
        (
            "5.5 reject no Z; offset form (+00:00, -05:00); lowercase z",
            BAD,
            [
                "2031-03-02T08:00:00",
                "2031-03-02T08:00:00+00:00",
                "2031-03-02T08:00:00-05:00",
                "2031-03-02T08:00:00z",
            ],
        ),
        ("5.5 reject now or past", BAD, ["2031-03-01T08:00:00Z", "2013-01-01T00:00:00Z"]),
        (
            '5.5 reject date only, time only, 031260, 23 * * * *, free text, "", blanks',
            BAD,
            ["2031-03-02", "08:00:00Z", "031260", "23 * * * *", "tomorrow", "", "  "],
        ),
        (
            "5.5 reject DD-MM-YYYY…, YYYY/MM/DD…",
            BAD,
            ["02-03-2031T08:00:00Z", "2031/03/02T08:00:00Z"],
        ),
        (
            "5.5 reject month 13, day 33, hour 27, minute 70, second 60 or 80, year 0000",
            BAD,
            [
                "2031-13-02T08:00:00Z",
                "2031-03-33T08:00:00Z",
                "2031-03-02T27:00:00Z",
                "2031-03-02T08:70:00Z",
                "2031-03-02T08:00:60Z",
                "2031-03-02T08:00:80Z",
                "0000-03-02T08:00:00Z",
            ],
        ),
        ("5.5 reject non-string JSON types", BAD, [1, None, True, [], {}]),
    ),
)

CRON = _schedules(
    "cron",
    (
        ("5.6 minute", "201", ["0 * * * *", "59 * * * *", "*/7 * * * *", "1-5/2,9 * * * *"]),
        ("5.6 hour", "201", ["* 0 * * *", "* 23 * * *"]),
        ("5.6 day of month", "201", ["* * 31 * *", "* * L * *"]),
        ("5.6 month", "201", ["* * * 12 *", "* * * jan-DEC *"]),
        ("5.6 day of week", "201", ["* * * * 7", "* * * * sun,Sat"]),
        ("5.6 accept * * * * *", "201", ["* * * * *", "  *\t*  * * * "]),
        ("5.6 accept 0-59 0-23 1-31 1-12 0-6", "201", ["0-59 0-23 1-31 1-12 0-6"]),
        (
            "5.6 accept 00 9,16 * * *, 00 02-11 * * *",
            "201",
            ["00 9,16 * * *", "00 02-11 * * *"],
        ),
        ("5.6 accept 00 09-18 * * 1-5", "201", ["00 09-18 * * 1-5"]),
        (
            "5.6 accept 0 0 0 0 0 (0 for day/month is treated as 1)",
            "201",
            ["0 0 0 0 0", "* * 0-0 * *", "* * * 0-0 *"],
        ),
        (
            "5.6 accept 0 */6 * * *, */2 * * * *, 0 0 * * 1, 0 23 1 12 *",
            "201",
            ["0 */6 * * *", "*/2 * * * *", "0 0 * * 1", "0 23 1 12 *"],
        ),
        (
            "5.6 reject 4, 1 or 8 fields; ''; blanks; 12345; text; an ISO date",
            BAD,
            ["* * * *", "*", "* * * * * * * *", "", "  ", "12345", "hello", "2031-03-02T08:00:00Z"],
        ),
        ("5.6 reject 6 fields (seconds not allowed)", BAD, ["* * * * * *"]),
        (
            "5.6 reject @yearly, @daily, @hourly, @weekly, @monthly, @reboot",
            BAD,
            ["@yearly", "@daily", "@hourly", "@weekly", "@monthly", "@reboot"],
        ),
        (
            "5.6 reject 60 * * * *, * 24 * * *, * * * 13 *",
            BAD,
            ["60 * * * *", "* 24 * * *", "* * * 13 *", "* * 32 * *", "* * * * 8"],
        ),
        (
            "5.6 reject -9 …, -090 …, * -089 …, * * -32 …, * * * -30 *",
            BAD,
            ["-9 * * * *", "-090 * * * *", "* -089 * * *", "* * -32 * *", "* * * -30 *"],
        ),
        (
            "5.6 reject 2- …, 6-0 … in any field, $ in any field, - - - - -",
            BAD,
            [
                "- - - - -",
                *(
                    " ".join(odd if field == at else "*" for field in range(5))
                    for odd in ("2-", "6-0", "$")
                    for at in range(5)
                ),
            ],
        ),
        (
            "5.6 also rejected",
            BAD,
            [
                "5/10 * * * *",
                "*/0 * * * *",
                "1,,2 * * * *",
                "? * * * *",
                "* * * * 1#2",
                "* * 30 2 *",
            ],
        ),
    ),
)


class ScheduleRows(RowCase, rows={**AT, **CRON}):
    """rest-api.md 5.5 and 5.6."""

    def test_echoed_verbatim(self) -> None:
        """What was accepted is shown as it was sent."""
        texts = [("at", "2031-03-02 08:00Z"), ("cron", " 00  02-11 * jan 0 ")]
        sent = [a_policy(type="schedule", args=dict([text])) for text in texts]

        shown = self.do("POST {g}/policies", sent).document["policies"]

        self.assertEqual([one["args"] for one in shown], [one["args"] for one in sent])
