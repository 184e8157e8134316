"""What is shown of each resource."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.display import columns
from tests.cli.scene import CAPABILITY, GROUP, POLICY, a_group, a_policy, a_state, a_webhook


def shown(document: dict[str, Any], of: Any) -> dict[str, Any]:
    """Return what columns find, by their names."""
    return {column.name: column.find(document) for column in of}


class ColumnsTests(SynchronousTestCase):
    """Documents as the API has them, taken apart."""

    def test_group(self) -> None:
        """The whole group at one glance, policies and load balancers in short."""
        found = shown(a_group(a_state(1, 2, errors=("why",))), columns.GROUP)

        self.assertEqual(
            {
                "id": GROUP,
                "name": "web",
                "status": "ERROR",
                "desired": 2,
                "active": 1,
                "pending": 1,
                "paused": False,
                "min": 1,
                "max": 8,
                "cooldown": 0,
                "metadata": {"owner": "shop"},
                "launch_type": "launch_server",
                "server_name": "web",
                "image": "i",
                "flavor": "2",
                "key_name": None,
                "load_balancers": ["4410:8000"],
                "draining_timeout": None,
                "notify": [],
                "policies": [f"{POLICY} grow (+2)"],
                "servers": ["s0"],
                "errors": ["why"],
            },
            found,
        )

    def test_group_of_stacks(self) -> None:
        """A group without servers of its own, or without anything, is still shown."""
        group = {"id": "1", "launchConfiguration": {"type": "launch_stack", "args": {"stack": {}}}}
        found = shown(group, columns.GROUP)

        self.assertEqual(
            ("launch_stack", None, []), (found["launch_type"], found["image"], found["servers"])
        )

    def test_rackconnect_pool(self) -> None:
        """A pool has no port."""
        group = a_group()
        group["launchConfiguration"]["args"]["loadBalancers"] = [
            {"loadBalancerId": "p", "type": "RackConnectV3"}
        ]

        self.assertEqual(["p (RackConnectV3)"], shown(group, columns.GROUP)["load_balancers"])

    def test_actions(self) -> None:
        """Signs tell more and fewer apart from exactly."""
        policies: tuple[dict[str, int], ...] = (
            {"change": 2},
            {"change": -1},
            {"changePercent": -25},
            {"desiredCapacity": 0},
            {},
        )

        self.assertEqual(
            ["+2", "-1", "-25%", "=0", ""], [columns.action(policy) for policy in policies]
        )

    def test_timing(self) -> None:
        """Schedules say when, others nothing."""
        self.assertEqual(
            ["cron * * * * *", "at t", None],
            [
                columns.timing(policy)
                for policy in (
                    a_policy(args={"cron": "* * * * *"}),
                    a_policy(args={"at": "t"}),
                    a_policy(),
                )
            ],
        )

    def test_webhook(self) -> None:
        """The URL is the one that executes, not the one of the resource."""
        self.assertEqual(CAPABILITY, shown(a_webhook(), columns.WEBHOOKS)["url"])

    def test_limits(self) -> None:
        """Absolute limits and rates make one table."""
        rate = {
            "uri": "/v1.0/execute/*",
            "limit": [{"verb": "ALL", "unit": "SECOND", "value": 10, "remaining": 9}],
        }
        rows = columns.limit_rows({"absolute": {"maxGroups": 1000}, "rate": [rate]})

        self.assertEqual(
            [
                {"limit": "maxGroups", "value": 1000},
                {
                    "limit": "ALL /v1.0/execute/*",
                    "value": 10,
                    "remaining": 9,
                    "unit": "per second",
                },
            ],
            rows,
        )

    def test_limits_without_rates(self) -> None:
        """An installation may have switched rates off."""
        self.assertEqual([], columns.limit_rows({}))
