"""What was typed becomes the body the API takes."""

import base64
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli import bodies
from otter.cli.bodies import GroupWish, PolicyWish, WebhookWish
from otter.cli.exits import UsageError
from tests.cli.scene import a_group, a_policy, a_webhook

FLAVOR_ONLY: dict[str, Any] = {
    "launchConfiguration": {"type": "launch_server", "args": {"server": {"flavorRef": "2"}}}
}


class NewGroupTests(SynchronousTestCase):
    """``otter group create``."""

    def test_least(self) -> None:
        """A name and a flavor are enough; the service fills in what it has defaults for."""
        self.assertEqual(
            {
                "groupConfiguration": {"name": "web", "cooldown": 0, "minEntities": 0},
                "launchConfiguration": {
                    "type": "launch_server",
                    "args": {"server": {"flavorRef": "2"}},
                },
            },
            bodies.new_group(GroupWish(name="web", flavor="2"), {}),
        )

    def test_everything(self) -> None:
        """Every option has its place."""
        wish = GroupWish(
            name="web",
            minimum=1,
            maximum=9,
            cooldown=60,
            metadata=(("k", "v"),),
            image="i",
            flavor="2",
            server_name="w",
            key_name="key",
            network=("n1", "n2"),
            user_data=b"#!/bin/sh\n",
            load_balancer=({"loadBalancerId": 1, "port": 80},),
            draining_timeout=Decimal("30.5"),
            notify=("https://a.test/",),
        )
        server = {
            "name": "w",
            "imageRef": "i",
            "flavorRef": "2",
            "key_name": "key",
            "networks": [{"uuid": "n1"}, {"uuid": "n2"}],
            "user_data": base64.b64encode(b"#!/bin/sh\n").decode(),
        }

        self.assertEqual(
            {
                "groupConfiguration": {
                    "name": "web",
                    "cooldown": 60,
                    "minEntities": 1,
                    "maxEntities": 9,
                    "metadata": {"k": "v"},
                },
                "launchConfiguration": {
                    "type": "launch_server",
                    "args": {
                        "server": server,
                        "loadBalancers": [{"loadBalancerId": 1, "port": 80}],
                        "draining_timeout": Decimal("30.5"),
                        "notify": [{"url": "https://a.test/"}],
                    },
                },
            },
            bodies.new_group(wish, {}),
        )

    def test_options_over_a_file(self) -> None:
        """A file is the base; an option changes its own piece and nothing beside it."""
        base = {
            **FLAVOR_ONLY,
            "groupConfiguration": {"name": "a", "cooldown": 5, "minEntities": 3},
            "scalingPolicies": [{"name": "p"}],
        }
        body = bodies.new_group(GroupWish(minimum=1, image="i"), base)

        self.assertEqual(
            {
                "groupConfiguration": {"name": "a", "cooldown": 5, "minEntities": 1},
                "launchConfiguration": {
                    "type": "launch_server",
                    "args": {"server": {"flavorRef": "2", "imageRef": "i"}},
                },
                "scalingPolicies": [{"name": "p"}],
            },
            body,
        )

    def test_a_file_alone(self) -> None:
        """A whole body goes as it is, unknown keys included: the service judges it."""
        base = {
            "groupConfiguration": {"name": "a", "cooldown": 5, "minEntities": 3, "odd": 1},
            "launchConfiguration": {"type": "launch_stack", "args": {"stack": {"x": None}}},
            "other": [],
        }

        self.assertEqual(base, bodies.new_group(GroupWish(), base))

    def test_what_nobody_can_guess(self) -> None:
        """A group without a name, or servers of no size, are told before anything is sent."""
        with self.assertRaisesRegex(UsageError, "NAME"):
            bodies.new_group(GroupWish(flavor="2"), {})
        with self.assertRaisesRegex(UsageError, "--flavor"):
            bodies.new_group(GroupWish(name="web"), {})

    def test_file_of_another_form(self) -> None:
        """A list where an object belongs is named, not stumbled over."""
        with self.assertRaisesRegex(UsageError, "groupConfiguration"):
            bodies.new_group(GroupWish(name="a"), {"groupConfiguration": []})

    def test_options_for_servers_of_a_stack(self) -> None:
        """A group of stacks has no image; setting one would be lost on it."""
        base = {"launchConfiguration": {"type": "launch_stack", "args": {}}}
        with self.assertRaisesRegex(UsageError, "launch_stack"):
            bodies.new_group(GroupWish(name="a", image="i"), base)


class ChangeGroupTests(SynchronousTestCase):
    """``otter group update``."""

    def test_nothing_said_changes_nothing(self) -> None:
        """What the service holds comes back as it was."""
        group = a_group()
        config, launch = group["groupConfiguration"], group["launchConfiguration"]

        self.assertEqual(config, bodies.group_config(GroupWish(), config))
        self.assertEqual(launch, bodies.launch_config(GroupWish(), launch))

    def test_metadata_is_added(self) -> None:
        """One more key does not cost the others."""
        config = bodies.group_config(
            GroupWish(metadata=(("a", "1"),)), {"metadata": {"owner": "shop"}}
        )

        self.assertEqual({"metadata": {"owner": "shop", "a": "1"}}, config)

    def test_metadata_is_forgotten(self) -> None:
        """Starting afresh has a flag of its own, with or without something new."""
        before = {"metadata": {"owner": "shop"}}

        self.assertEqual({"metadata": {}}, bodies.group_config(GroupWish(no_metadata=True), before))
        self.assertEqual(
            {"metadata": {"a": "1"}},
            bodies.group_config(GroupWish(no_metadata=True, metadata=(("a", "1"),)), before),
        )

    def test_lists_are_replaced(self) -> None:
        """Load balancers that are named are the ones there are."""
        wish = GroupWish(load_balancer=({"loadBalancerId": 7, "port": 1},))
        launch = bodies.launch_config(wish, a_group()["launchConfiguration"])

        self.assertEqual([{"loadBalancerId": 7, "port": 1}], launch["args"]["loadBalancers"])
        self.assertEqual("2", launch["args"]["server"]["flavorRef"])


class PolicyTests(SynchronousTestCase):
    """``otter policy create`` and ``update``."""

    def test_kinds(self) -> None:
        """Three options, three keys; zero is a capacity like others."""
        plain = {"name": "p", "type": "webhook", "cooldown": 0}

        self.assertEqual(
            [
                {**plain, "change": -1},
                {**plain, "changePercent": Decimal("0.5")},
                {**plain, "desiredCapacity": 0},
            ],
            [
                bodies.policy_body(PolicyWish(name="p", change=-1), {}),
                bodies.policy_body(PolicyWish(name="p", percent=Decimal("0.5")), {}),
                bodies.policy_body(PolicyWish(name="p", desired=0), {}),
            ],
        )

    def test_schedules(self) -> None:
        """A time makes it a schedule; nobody has to say so twice."""
        at = bodies.policy_body(PolicyWish(name="p", desired=1, at="2031-03-01T08:00:00Z"), {})
        cron = bodies.policy_body(PolicyWish(name="p", desired=1, cron="* * * * *"), {})

        self.assertEqual(("schedule", {"at": "2031-03-01T08:00:00Z"}), (at["type"], at["args"]))
        self.assertEqual(("schedule", {"cron": "* * * * *"}), (cron["type"], cron["args"]))

    def test_one_change_replaces_another(self) -> None:
        """A policy has exactly one, so a new one takes the old one's place."""
        body = bodies.policy_body(PolicyWish(percent=10), a_policy())

        self.assertEqual(
            {"name": "grow", "type": "webhook", "changePercent": 10, "cooldown": 30}, body
        )

    def test_what_only_the_service_writes(self) -> None:
        """Ids and links are shown, and refused in a request."""
        body = bodies.policy_body(PolicyWish(), a_policy(webhooks=[], webhooks_links=[]))

        self.assertEqual({"name": "grow", "type": "webhook", "change": 2, "cooldown": 30}, body)

    @given(
        some.builds(
            PolicyWish,
            name=some.none() | some.text(),
            cooldown=some.none() | some.integers(),
            change=some.none() | some.integers(),
            at=some.none() | some.text(),
        )
    )
    def test_saying_it_twice_changes_nothing(self, wish: PolicyWish) -> None:
        """An update that is repeated, after a lost answer say, ends where the first did."""
        once = bodies.policy_body(wish, a_policy())

        self.assertEqual(once, bodies.policy_body(wish, once))


class WebhookTests(SynchronousTestCase):
    """``otter webhook create`` and ``update``."""

    def test_new(self) -> None:
        """A name is enough."""
        self.assertEqual({"name": "w"}, bodies.webhook_body(WebhookWish(name="w"), {}))

    def test_changed(self) -> None:
        """The service wants name and metadata, so what was not said is repeated."""
        self.assertEqual(
            {"name": "alarm", "metadata": {"team": "ops"}},
            bodies.webhook_body(WebhookWish(name="alarm"), a_webhook()),
        )


class ReadBodyTests(SynchronousTestCase):
    """``--from-file``."""

    def test_numbers_stay_exact(self) -> None:
        """What is in the file is what is sent."""
        self.assertEqual({"a": Decimal("0.10")}, bodies.read_body('{"a": 0.10}'))

    def test_no_object(self) -> None:
        """A file that cannot be a body is told here, with what is wrong."""
        with self.assertRaisesRegex(UsageError, "not JSON"):
            bodies.read_body("{")
        with self.assertRaisesRegex(UsageError, "no JSON object"):
            bodies.read_body("[]")


class WishOfTests(SynchronousTestCase):
    """From parsed options to records."""

    def test_lists_and_absence(self) -> None:
        """Repeated options become tuples; options of other commands are not ours."""
        wish = bodies.wish_of(WebhookWish, {"metadata": [("a", "b")], "other": 1, "name": None})

        self.assertEqual(WebhookWish(metadata=(("a", "b"),)), wish)
