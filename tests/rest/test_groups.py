"""Rows 1 to 3 and 6 to 8 of the route table: groups, state, pause, resume, converge."""

from typing import Any

from tests.rest.tables import cloud
from tests.rest.world import (
    BASE,
    GROUPS,
    UNKNOWN,
    RestCase,
    a_config,
    a_group,
    a_launch,
    a_policy,
    a_server,
    local,
)


class CreateTests(RestCase):
    """rest-api.md 3.3."""

    def test_created_group_is_shown_as_stored(self) -> None:
        """Defaults are filled in, and the location is the group's own link."""
        body = a_group(groupConfiguration={"name": " wéb ", "cooldown": 120, "minEntities": 1})

        reply = self.ask("POST", GROUPS, body)

        group = reply.document["group"]
        self.assertEqual(reply.status, 201)
        self.assertEqual(reply.headers.get_all("Location"), [group["links"][0]["href"]])
        self.assertEqual(group["links"][0]["href"], f"{BASE}{GROUPS}/{group['id']}/")
        self.assertEqual(group["launchConfiguration"], body["launchConfiguration"])
        self.assertEqual(
            group["groupConfiguration"],
            {
                "name": " wéb ",
                "cooldown": 120,
                "minEntities": 1,
                "maxEntities": 1000,
                "metadata": {},
            },
        )
        self.assertTrue(reply.body.isascii())

    def test_created_group_shows_the_state_before_scaling(self) -> None:
        """Old clients expect zeros in the 201, and the minimum in the next state they read."""
        reply = self.ask("POST", GROUPS, a_group(groupConfiguration=a_config(minEntities=2)))

        state = reply.document["group"]["state"]
        self.assertEqual((state["desiredCapacity"], state["pendingCapacity"]), (0, 0))
        self.assertEqual(self.desired(local(reply.headers["Location"]).rstrip("/")), 2)

    def test_policies_come_back_in_the_order_sent(self) -> None:
        """A client finds the id of its n-th policy at the n-th place, duplicates included."""
        names = ["z", "a", "a"]
        body = a_group(scalingPolicies=[a_policy(name=name) for name in names])

        group = self.ask("POST", GROUPS, body).document["group"]

        self.assertEqual([policy["name"] for policy in group["scalingPolicies"]], names)
        self.assertEqual(
            group["scalingPolicies_links"],
            [{"rel": "policies", "href": f"{BASE}{GROUPS}/{group['id']}/policies/"}],
        )

    def test_every_input_of_an_image_survives(self) -> None:
        """Absent, empty and null images are three different things (rest-api.md 6, item 28)."""
        mapping = [{"device_name": "vda"}]
        servers: list[dict[str, Any]] = [
            {"flavorRef": "3", "block_device_mapping": mapping},
            a_server(imageRef="", block_device_mapping_v2=mapping),
            a_server(imageRef=None, block_device_mapping=[]),
        ]
        for server in servers:
            group = self.make_group(a_group(launchConfiguration=a_launch(server)))
            shown = self.ask("GET", f"{group}/launch").document["launchConfiguration"]

            self.assertEqual(shown["args"]["server"], server)

    def test_null_server_metadata_is_dropped(self) -> None:
        """The one thing that is not shown as sent (rest-api.md 3.3)."""
        body = a_group(launchConfiguration=a_launch(a_server(metadata=None, key=None)))

        group = self.make_group(body)

        shown = self.ask("GET", f"{group}/launch").document["launchConfiguration"]
        self.assertEqual(shown["args"]["server"], a_server(key=None))

    def test_too_many_groups(self) -> None:
        """The limit of the tenant is told by its own type; deleted groups do not count."""
        paths = [self.make_group() for _ in range(self.limits.max_groups)]
        over = self.ask("POST", GROUPS, a_group()).error
        self.ask("DELETE", paths[0])

        self.assertEqual(over, "422 ScalingGroupOverLimitError")
        self.assertEqual(self.ask("POST", GROUPS, a_group()).error, "201")

    def test_order_of_checks(self) -> None:
        """Row POST groups of rest-api.md 1.7: each body breaks one rule and all later ones."""
        for _ in range(self.limits.max_groups):
            self.make_group()
        networks = a_launch(a_server(networks=[]), loadBalancers=[cloud()])
        crossed = a_config(minEntities=9, maxEntities=1)
        self.check_rows(
            {
                "json": ("400 InvalidJsonError", lambda: self.ask("POST", GROUPS, b"{")),
                "schema": (
                    "400 ValidationError",
                    lambda: self.ask("POST", GROUPS, {"groupConfiguration": crossed}),
                ),
                "min/max": (
                    "400 InvalidMinEntities",
                    lambda: self.ask(
                        "POST",
                        GROUPS,
                        a_group(groupConfiguration=crossed, launchConfiguration=networks),
                    ),
                ),
                "ServiceNet": (
                    "400 ValidationError",
                    lambda: self.ask("POST", GROUPS, a_group(launchConfiguration=networks)),
                ),
                "limit": (
                    "422 ScalingGroupOverLimitError",
                    lambda: self.ask("POST", GROUPS, a_group()),
                ),
            }
        )


class ManifestTests(RestCase):
    """rest-api.md 3.4."""

    def test_manifest_shows_all_policies_sorted_by_id(self) -> None:
        """Whatever order they were made in."""
        group = self.make_group()
        for name in ("one", "two", "three"):
            self.make_policy(group, name=name)

        shown = self.ask("GET", group).document["group"]

        ids = [policy["id"] for policy in shown["scalingPolicies"]]
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(len(ids), 3)
        self.assertNotIn("webhooks", shown["scalingPolicies"][0])

    def test_webhooks_appear_when_asked_for_in_any_case(self) -> None:
        """``tRuE`` is true; the argument's own name is exact."""
        group = self.make_group()
        policy = self.make_policy(group)
        webhook, _ = self.make_webhook(policy)
        self.make_policy(group, name="without webhooks")
        asked = {"webhooks=true": 2, "webhooks=tRuE": 2, "webhooks=15": 0, "Webhooks=true": 0}
        asked |= {"webhooks=Tr@%25": 0, "webhooks=": 0, "webhooks=false&webhooks=true": 0}

        for query, count in asked.items():
            policies = self.ask("GET", f"{group}?{query}").document["group"]["scalingPolicies"]
            self.assertEqual(sum("webhooks" in shown for shown in policies), count, query)

        policies = self.ask("GET", f"{group}?webhooks=true").document["group"]["scalingPolicies"]
        ids = {shown["name"]: [w["id"] for w in shown["webhooks"]] for shown in policies}
        self.assertEqual(ids, {"grow": [webhook.rpartition("/")[2]], "without webhooks": []})

    def test_a_bad_limit_means_nothing_here(self) -> None:
        """The manifest is not paginated, so ``limit`` is just an unknown argument."""
        self.assertEqual(self.ask("GET", f"{self.make_group()}?limit=ab").status, 200)


class DeleteTests(RestCase):
    """rest-api.md 3.5."""

    def test_force(self) -> None:
        """Any case of true or false; everything else is refused even for an empty group."""
        expected = {
            "": "403 GroupNotEmptyError",
            "?force=false": "403 GroupNotEmptyError",
            "?force=FaLsE": "403 GroupNotEmptyError",
            "?force=": "400 InvalidQueryArgument",
            "?force=0": "400 InvalidQueryArgument",
            "?force=truee": "400 InvalidQueryArgument",
            "?force=%20true": "400 InvalidQueryArgument",
            "?Force=true": "403 GroupNotEmptyError",
            "?force=junk&force=true": "400 InvalidQueryArgument",
            "?force=tRUe&force=junk": "204",
        }
        group = self.make_group(minEntities=1)

        found = {query: self.ask("DELETE", group + query).error for query in expected}

        self.assertEqual(found, expected)

    def test_deleted_group_is_gone_at_once(self) -> None:
        """Every later call finds nothing, and its capability still answers 202."""
        group = self.make_group()
        policy = self.make_policy(group)
        _, capability = self.make_webhook(policy)

        reply = self.ask("DELETE", group)

        self.assertEqual((reply.status, reply.body), (204, b""))
        gone = "404 NoSuchScalingGroupError"
        self.check_rows(
            {
                "get": (gone, lambda: self.ask("GET", group)),
                "state": (gone, lambda: self.ask("GET", f"{group}/state")),
                "config": (gone, lambda: self.ask("PUT", f"{group}/config", a_config())),
                "delete": (gone, lambda: self.ask("DELETE", group)),
                "policy": (gone, lambda: self.ask("GET", policy)),
                "execute": (gone, lambda: self.ask("POST", f"{policy}/execute")),
                "capability": ("202", lambda: self.ask("POST", capability, token=None)),
            }
        )
        self.assertEqual(self.ask("GET", GROUPS).document, {"groups": [], "groups_links": []})


class StateTests(RestCase):
    """rest-api.md 3.6, and the switches of 3.9 and 3.10."""

    def test_state_of_a_quiet_group(self) -> None:
        """No errors key while ACTIVE; active and pending add up to desired."""
        self.assertEqual(
            self.state(self.make_group(minEntities=2)),
            {
                "name": "web",
                "activeCapacity": 0,
                "pendingCapacity": 2,
                "desiredCapacity": 2,
                "paused": False,
                "status": "ACTIVE",
                "active": [],
            },
        )

    def test_pause_and_resume(self) -> None:
        """Both are idempotent and empty; while paused nothing executes and nothing converges."""
        group = self.make_group()
        policy = self.make_policy(group)

        replies = [self.ask("POST", f"{group}/{switch}") for switch in ("pause", "pause")]
        paused = self.state(group)["paused"]
        self.check_rows(
            {
                "execute": (
                    "403 GroupPausedError",
                    lambda: self.ask("POST", f"{policy}/execute"),
                ),
                "execute unknown": (
                    "403 GroupPausedError",
                    lambda: self.ask("POST", f"{group}/policies/{UNKNOWN}/execute"),
                ),
                "converge": ("403 GroupPausedError", lambda: self.ask("POST", f"{group}/converge")),
                "config": ("204", lambda: self.ask("PUT", f"{group}/config", a_config())),
            }
        )
        replies += [self.ask("POST", f"{group}/{switch}") for switch in ("resume", "resume")]

        self.assertEqual([(reply.status, reply.body) for reply in replies], [(204, b"")] * 4)
        self.assertEqual((paused, self.state(group)["paused"]), (True, False))

    def test_bodies_of_bodyless_operations_are_ignored(self) -> None:
        """Clients post anything there; it is not even parsed (rest-api.md 1.3)."""
        group = self.make_group()
        policy = self.make_policy(group)

        self.check_rows(
            {
                "pause": ("204", lambda: self.ask("POST", f"{group}/pause", b"{junk")),
                "resume": ("204", lambda: self.ask("POST", f"{group}/resume", b"\xff")),
                "converge": ("204", lambda: self.ask("POST", f"{group}/converge", b"[")),
                "execute": ("202", lambda: self.ask("POST", f"{policy}/execute", b"]")),
            }
        )

    def test_suspended_group(self) -> None:
        """What rest-api.md 3.17 lists is refused; reads and switches go on."""
        group = self.make_group()
        policy = self.make_policy(group)
        self.change_stored(group, suspended=True)
        refused = "403 TenantSuspendedError"

        self.check_rows(
            {
                "execute": (refused, lambda: self.ask("POST", f"{policy}/execute")),
                "converge": (refused, lambda: self.ask("POST", f"{group}/converge")),
                "server": (refused, lambda: self.ask("DELETE", f"{group}/servers/s1")),
                "config": (refused, lambda: self.ask("PUT", f"{group}/config", a_config())),
                "read": ("200", lambda: self.ask("GET", group)),
                "pause": ("204", lambda: self.ask("POST", f"{group}/pause")),
                "resume": ("204", lambda: self.ask("POST", f"{group}/resume")),
                "delete": ("204", lambda: self.ask("DELETE", group)),
            }
        )
