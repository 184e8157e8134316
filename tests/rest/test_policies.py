"""Rows 11 to 13 of the route table: policies and their execution."""

from decimal import Decimal

from tests.rest.world import BASE, GROUPS, UNKNOWN, RestCase, a_policy, a_schedule


class PolicyTests(RestCase):
    """rest-api.md 3.11."""

    def setUp(self) -> None:
        """Begin with an empty group."""
        super().setUp()
        self.group = self.make_group()
        self.path = f"{self.group}/policies"

    def test_new_group_has_no_policies(self) -> None:
        """Both arrays are there, and empty."""
        self.assertEqual(
            self.ask("GET", self.path).document, {"policies": [], "policies_links": []}
        )

    def test_created_policies_are_shown_as_sent(self) -> None:
        """Every number is written exactly as it was, and the order is kept."""
        sent = [
            a_policy(cooldown=Decimal("5.5"), change=None, changePercent=Decimal("0.0001")),
            a_policy(change=9223372036854775807),
            a_policy(change=None, desiredCapacity=0, cooldown=86400),
            a_schedule(change=None, changePercent=-25),
            a_policy(type="schedule", args={"at": "2031-03-01T08:00:00.684336Z"}),
        ]

        reply = self.ask("POST", self.path, sent)

        shown = reply.document["policies"]
        bare = [{k: v for k, v in one.items() if k not in {"id", "links"}} for one in shown]
        self.assertEqual((reply.status, bare), (201, sent))
        self.assertEqual(reply.headers.get_all("Location"), [f"{BASE}{self.path}/"])
        for one in shown:
            href = f"{BASE}{self.path}/{one['id']}/"
            self.assertEqual(one["links"], [{"rel": "self", "href": href}])
            found = self.ask("GET", href.removeprefix(BASE)).document
            self.assertEqual(found, {"policy": one})
        self.assertIn(b'"cooldown": 5.5,', reply.body)
        self.assertIn(b'"cooldown": 0,', reply.body)

    def test_replacing(self) -> None:
        """The kind of change is free, the type is not; id, links and webhooks stay."""
        policy = self.make_policy(self.group)
        webhook, capability = self.make_webhook(policy)
        links = self.ask("GET", policy).document["policy"]["links"]

        replaced = self.ask("PUT", policy, a_policy(name="new", change=None, desiredCapacity=3))
        turned = self.ask("PUT", policy, a_schedule())

        self.assertEqual((replaced.status, replaced.body), (204, b""))
        self.assertEqual(turned.error, "400 ValidationError")
        shown = self.ask("GET", policy).document["policy"]
        self.assertEqual((shown["name"], shown["desiredCapacity"]), ("new", 3))
        self.assertEqual(shown["links"], links)
        self.assertEqual(self.ask("GET", webhook).status, 200)
        self.assertEqual(self.ask("POST", capability, token=None).status, 202)
        self.assertEqual(self.desired(self.group), 3)

    def test_schedules_may_change_their_timer(self) -> None:
        """From cron to at and back, but an at must lie in the future at the time of the PUT."""
        policy = self.make_policy(self.group, type="schedule", args={"cron": "* * * * *"})

        self.check_rows(
            {
                "at": (
                    "204",
                    lambda: self.ask(
                        "PUT",
                        policy,
                        a_policy(type="schedule", args={"at": "2031-03-01T09:00:00Z"}),
                    ),
                ),
                "past": (
                    "400 ValidationError",
                    lambda: self.ask(
                        "PUT",
                        policy,
                        a_policy(type="schedule", args={"at": "2031-03-01T08:00:00Z"}),
                    ),
                ),
                "webhook": ("400 ValidationError", lambda: self.ask("PUT", policy, a_policy())),
                "cron": ("204", lambda: self.ask("PUT", policy, a_schedule())),
            }
        )

    def test_deleting(self) -> None:
        """The policy and its webhooks are gone; a second time there is nothing to delete."""
        policy = self.make_policy(self.group)
        webhook, capability = self.make_webhook(policy)

        deleted = self.ask("DELETE", policy)

        self.assertEqual((deleted.status, deleted.body), (204, b""))
        self.check_rows(
            {
                "again": ("404 NoSuchPolicyError", lambda: self.ask("DELETE", policy)),
                "get": ("404 NoSuchPolicyError", lambda: self.ask("GET", policy)),
                "put": ("404 NoSuchPolicyError", lambda: self.ask("PUT", policy, a_policy())),
                "webhook": ("404 NoSuchWebhookError", lambda: self.ask("GET", webhook)),
                "capability": ("202", lambda: self.ask("POST", capability, token=None)),
            }
        )
        self.assertEqual(self.desired(self.group), 0)

    def test_order_of_checks(self) -> None:
        """Rows POST policies and PUT policy of rest-api.md 1.7."""
        nowhere = f"{GROUPS}/{UNKNOWN}/policies"
        unknown = f"{self.path}/{UNKNOWN}"
        past = a_policy(type="schedule", args={"at": "2001-01-01T00:00:00Z"})
        many = [a_policy()] * (self.limits.max_policies_per_group + 1)

        self.check_rows(
            {
                "post/json": ("400 InvalidJsonError", lambda: self.ask("POST", nowhere, b"[")),
                "post/schema": ("400 ValidationError", lambda: self.ask("POST", nowhere, [])),
                "post/at": ("400 ValidationError", lambda: self.ask("POST", nowhere, [past])),
                "post/group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("POST", nowhere, many),
                ),
                "post/limit": (
                    "422 PoliciesOverLimitError",
                    lambda: self.ask("POST", self.path, many),
                ),
                "put/json": ("400 InvalidJsonError", lambda: self.ask("PUT", unknown, b"")),
                "put/at": ("400 ValidationError", lambda: self.ask("PUT", unknown, past)),
                "put/group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("PUT", f"{nowhere}/x", a_policy()),
                ),
                "put/policy": (
                    "404 NoSuchPolicyError",
                    lambda: self.ask("PUT", unknown, a_policy()),
                ),
                "nothing was stored": ("200", lambda: self.ask("GET", self.path)),
            }
        )
        self.assertEqual(self.ask("GET", self.path).document["policies"], [])


class ExecuteTests(RestCase):
    """rest-api.md 3.14 and 5."""

    def test_decision_is_visible_when_202_returns(self) -> None:
        """The next state already wants the new capacity."""
        group = self.make_group()
        policy = self.make_policy(group)

        reply = self.ask("POST", f"{policy}/execute")

        self.assertEqual((reply.status, reply.document), (202, {}))
        self.assertEqual(self.desired(group), 2)

    def test_refusals(self) -> None:
        """Cooldown, nothing to change, unknown: each with its own type, and nothing changes."""
        group = self.make_group(maxEntities=3)
        cooling = self.make_policy(group, cooldown=Decimal("0.5"))
        free = self.make_policy(group, change=2)
        self.ask("POST", f"{cooling}/execute")
        self.ask("POST", f"{free}/execute")

        self.check_rows(
            {
                "cooldown": (
                    "403 CannotExecutePolicyError",
                    lambda: self.ask("POST", f"{cooling}/execute"),
                ),
                "at max": (
                    "403 CannotExecutePolicyError",
                    lambda: self.ask("POST", f"{free}/execute"),
                ),
                "policy": (
                    "404 NoSuchPolicyError",
                    lambda: self.ask("POST", f"{group}/policies/xyz/execute"),
                ),
                "group": (
                    "404 NoSuchScalingGroupError",
                    lambda: self.ask("POST", f"{GROUPS}/xyz/policies/xyz/execute"),
                ),
            }
        )
        self.assertEqual(self.desired(group), 3)

    def test_extreme_numbers_are_clamped(self) -> None:
        """Whatever number was accepted can be executed, and leads no further than the bounds."""
        changes: list[dict[str, object]] = [
            {"change": 10**999},
            {"change": -(10**999)},
            {"change": None, "desiredCapacity": 10**999},
            {"change": None, "changePercent": Decimal("-1e400")},
            {"change": None, "desiredCapacity": 1},
            {"change": None, "changePercent": Decimal("9e399")},
            {"change": None, "changePercent": Decimal("-1e-400")},
        ]
        wanted = [10, 0, 10, 0, 1, 10, 9]
        group = self.make_group()
        found = []

        for change in changes:
            policy = self.make_policy(group, **change)
            self.assertEqual(self.ask("POST", f"{policy}/execute").error, "202", change)
            found.append(self.desired(group))
            self.ask("DELETE", policy)

        self.assertEqual(found, wanted)
