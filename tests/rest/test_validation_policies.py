"""Bounds of policies and webhooks (rest-api.md 4.7, 4.9 and 4.10)."""

from decimal import Decimal
from typing import Any

from tests.rest.tables import LONG, OK, TableCase
from tests.rest.world import a_policy


class PolicyTests(TableCase):
    """rest-api.md 4.7 and 4.10."""

    def test_policy(self) -> None:
        """One bare policy, as PUT takes it."""
        match = (
            "body: type and args do not match: a webhook policy has no args, a schedule policy "
            "has args with exactly one of at and cron, both strings"
        )
        one = "body: needs exactly one of change, changePercent and desiredCapacity"
        cron = {"cron": "* * * * *"}
        at = {"at": "2031-03-02T08:00:00Z"}
        monitoring = {"check": 1, "alarm_criteria": None}

        def schedule(args: object) -> dict[str, Any]:
            return a_policy(type="schedule") | {"args": args}

        self.check(
            "policy",
            {
                "4.7/plain": (a_policy(), OK),
                "4.7/2^63-1": (a_policy(change=2**63 - 1), OK),
                "4.7/percent": (a_policy(change=None, changePercent=Decimal("0.0001")), OK),
                "4.7/capacity 0": (a_policy(change=None, desiredCapacity=0), OK),
                "4.7/cooldown fraction": (a_policy(cooldown=Decimal("86399.5")), OK),
                "4.7/cooldown high": (
                    a_policy(cooldown=86401),
                    "cooldown: 86401 is more than the maximum of 86400",
                ),
                "4.7/cooldown text": (
                    a_policy(cooldown="1"),
                    "cooldown: must be of type number",
                ),
                "4.7/cooldown true": (
                    a_policy(cooldown=True),
                    "cooldown: must be of type number",
                ),
                "4.7/name blank": (
                    a_policy(name=" "),
                    "name: needs at least one character that is not blank",
                ),
                "4.7/name long": (
                    a_policy(name=LONG),
                    "name: must have at most 256 characters",
                ),
                "4.7/change 0": (a_policy(change=0), "change: must not be 0"),
                "4.7/change 1.0": (
                    a_policy(change=Decimal("1.0")),
                    "change: must be of type integer",
                ),
                "4.7/change -0.01": (
                    a_policy(change=Decimal("-0.01")),
                    "change: must be of type integer",
                ),
                "4.7/change text": (
                    a_policy(change="-0.01"),
                    "change: must be of type integer",
                ),
                "4.7/percent 0.0": (
                    a_policy(change=None, changePercent=Decimal("-0.0")),
                    "changePercent: must not be 0",
                ),
                "4.7/percent text": (
                    a_policy(change=None, changePercent="-00.01"),
                    "changePercent: must be of type number",
                ),
                "4.7/capacity low": (
                    a_policy(change=None, desiredCapacity=-1),
                    "desiredCapacity: -1 is less than the minimum of 0",
                ),
                "4.7/capacity 0.0001": (
                    a_policy(change=None, desiredCapacity=Decimal("0.0001")),
                    "desiredCapacity: must be of type integer",
                ),
                "4.7/two kinds": (a_policy(desiredCapacity=1), one),
                "4.7/no kind": (a_policy(change=None), one),
                "4.7/no name": (a_policy(name=None), "body: name is required"),
                "4.7/no type": (a_policy(type=None), "body: type is required"),
                "4.7/no cooldown": (a_policy(cooldown=None), "body: cooldown is required"),
                "4.7/odd type": (
                    a_policy(type="myowntype"),
                    "type: must be one of webhook, schedule, cloud_monitoring",
                ),
                "4.7/type case": (
                    a_policy(type="Webhook"),
                    "type: must be one of webhook, schedule, cloud_monitoring",
                ),
                "4.7/id": (a_policy(id="x"), "body: id is not known here"),
                "4.7/links": (a_policy(links=[]), "body: links is not known here"),
                "4.7/webhook args": (a_policy(args={}), match),
                "4.7/webhook null args": (
                    a_policy() | {"args": None},
                    "args: must be of type object",
                ),
                "4.7/at": (schedule(at), OK),
                "4.7/cron": (schedule(cron), OK),
                "4.7/no args": (a_policy(type="schedule"), match),
                "4.7/empty args": (schedule({}), match),
                "4.7/both": (schedule({**at, **cron}), match),
                "4.7/at number": (schedule({"at": 1}), match),
                "4.7/args unknown": (schedule({"every": "day"}), match),
                "4.7/schedule monitoring": (schedule(monitoring), match),
                "5.5/past": (
                    schedule({"at": "2031-03-01T08:00:00Z"}),
                    "args.at must be in the future",
                ),
                "5.5/form": (
                    schedule({"at": "tomorrow"}),
                    "args.at must look like 2031-03-01T08:00:00Z",
                ),
                "5.5/no such day": (
                    schedule({"at": "2031-02-29T08:00:00Z"}),
                    "args.at names a time that does not exist",
                ),
                "5.6/fields": (
                    schedule({"cron": "@daily"}),
                    "args.cron must have five fields: minute, hour, day, month, day of week",
                ),
                "5.6/value": (
                    schedule({"cron": "60 * * * *"}),
                    "args.cron: '60' is no minute",
                ),
                "5.6/never": (
                    schedule({"cron": "* * 30 2 *"}),
                    "args.cron names a day that never comes",
                ),
                "4.7/monitoring": (
                    a_policy(type="cloud_monitoring", args=monitoring),
                    "type: cloud_monitoring is not offered here",
                ),
                "4.7/monitoring args": (a_policy(type="cloud_monitoring", args=cron), match),
                "3.11/array": ([a_policy()], "body: must be of type object"),
            },
        )

    def test_policies(self) -> None:
        """An array of 1 to 100, and one bad element spoils them all."""
        self.check(
            "policies",
            {
                "4.10/100": ([a_policy()] * 100, OK),
                "4.10/101": ([a_policy()] * 101, "body: must have at most 100 items"),
                "4.10/none": ([], "body: must have at least 1 items"),
                "3.11/object": (a_policy(), "body: must be of type array"),
                "4.10/one bad": (
                    [a_policy(), a_policy(cooldown=-1)],
                    "[1].cooldown: -1 is less than the minimum of 0",
                ),
                "4.10/one bad rule": (
                    [a_policy(), a_policy(desiredCapacity=1)],
                    "[1]: needs exactly one of change, changePercent and desiredCapacity",
                ),
                "4.10/one past": (
                    [a_policy(type="schedule", args={"at": "2001-01-01T00:00Z"})],
                    "[0].args.at must be in the future",
                ),
            },
        )


class WebhookTests(TableCase):
    """rest-api.md 4.9 and 4.10."""

    def test_webhooks(self) -> None:
        """What POST takes."""
        self.check(
            "webhooks",
            {
                "4.9/plain": ([{"name": "w"}, {"name": "w", "metadata": {"a": "b"}}], OK),
                "4.9/name empty": (
                    [{"name": ""}],
                    "[0].name: needs at least one character that is not blank",
                ),
                "4.9/no name": ([{"metadata": {}}], "[0]: name is required"),
                "4.9/metadata text": (
                    [{"name": "w", "metadata": "{}"}],
                    "[0].metadata: must be of type object",
                ),
                "4.9/unknown": ([{"name": "w", "url": "x"}], "[0]: url is not known here"),
                "4.10/none": ([], "body: must have at least 1 items"),
                "4.10/101": ([{"name": "w"}] * 101, "body: must have at most 100 items"),
                "4.10/object": ({"name": "w"}, "body: must be of type array"),
            },
        )

    def test_webhook(self) -> None:
        """What PUT takes."""
        self.check(
            "webhook",
            {
                "4.9/plain": ({"name": "w", "metadata": {}}, OK),
                "4.9/no metadata": ({"name": "w"}, "body: metadata is required"),
                "4.9/unknown": (
                    {"name": "w", "metadata": {}, "links": []},
                    "body: links is not known here",
                ),
            },
        )
