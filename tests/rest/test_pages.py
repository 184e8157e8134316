"""Pagination (rest-api.md 2), the same for groups, policies, webhooks and activities."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.interface import Limits
from otter.rest.errors import InvalidQueryArgumentError
from otter.rest.queries import Page, Query, read_page
from tests.rest.world import BASE, GROUPS, RestCase, a_policy, local


class ReadPageTests(SynchronousTestCase):
    """What ``limit`` and ``marker`` mean."""

    def test_limits(self) -> None:
        """Integers are clamped, with sign and blanks tolerated; everything else is refused."""
        expected = {
            b"0": 1,
            b"-1": 1,
            b"1": 1,
            b"100": 100,
            b"101": 100,
            b"100000": 100,
            b" 7 ": 7,
            b"+7": 7,
            b"007": 7,
            b"-0": 1,
            b"9" * 9000: 100,
            b"-" + b"9" * 9000: 1,
            b"0" * 9000 + b"5": 5,
            b"ab": None,
            b"": None,
            b"3.0": None,
            b"1_0": None,
            b"- 1": None,
            b"0x5": None,
            "٣".encode(): None,
            b"\xff": None,
        }

        self.assertEqual({text: _limit(text) for text in expected}, expected)

    def test_missing_and_repeated_arguments(self) -> None:
        """A page has 100 items from the beginning; the first occurrence of an argument wins."""
        query = Query({b"limit": [b"5", b"junk"], b"marker": [b"a", b"b"], b"other": [b"x"]})

        self.assertEqual(read_page(Query({})), Page(100, ""))
        self.assertEqual(read_page(query), Page(5, "a"))

    @given(st.binary())
    def test_any_bytes(self, text: bytes) -> None:
        """Whatever is sent is a page of 1 to 100 or refused."""
        limit = _limit(text)

        self.assertTrue(limit is None or 1 <= limit <= 100)


def _limit(text: bytes) -> int | None:
    try:
        return read_page(Query({b"limit": [text]})).limit
    except InvalidQueryArgumentError:
        return None


class PageTests(RestCase):
    """How collections are cut into pages."""

    limits = Limits(max_groups=5, max_policies_per_group=200, max_webhooks_per_policy=5)

    def walk(self, path: str, name: str) -> list[list[str]]:
        """Follow the next links; return the ids page by page."""
        pages = []
        while path:
            document = self.ask("GET", path).document
            pages.append([item["id"] for item in document[name]])
            links = document[f"{name}_links"]
            path = local(links[0]["href"]) if links else ""
        return pages

    def test_groups(self) -> None:
        """Ascending by id; a full page has a next, even when it is the last one."""
        ids = sorted(self.make_group().rpartition("/")[2] for _ in range(4))

        self.assertEqual(self.walk(f"{GROUPS}?limit=2", "groups"), [ids[:2], ids[2:], []])
        self.assertEqual(self.walk(f"{GROUPS}/?limit=3", "groups"), [ids[:3], ids[3:]])

    def test_webhooks(self) -> None:
        """The same for webhooks."""
        policy = self.make_policy(self.make_group())
        ids = sorted(self.make_webhook(policy)[0].rpartition("/")[2] for _ in range(3))

        self.assertEqual(self.walk(f"{policy}/webhooks?limit=2", "webhooks"), [ids[:2], ids[2:]])

    def test_next_link(self) -> None:
        """Both arguments in alphabetical order, the limit as clamped, on the collection's URL."""
        group = self.make_group()
        policy = self.make_policy(group)

        links = self.ask("GET", f"{group}/policies?marker=-13&limit=-9").document["policies_links"]

        href = f"{BASE}{group}/policies/?limit=1&marker={policy.rpartition('/')[2]}"
        self.assertEqual(links, [{"rel": "next", "href": href}])

    def test_full_page_of_a_hundred(self) -> None:
        """A group with exactly 100 policies still shows a next, and so does its manifest."""
        group = self.make_group()
        self.ask("POST", f"{group}/policies", [a_policy()] * 100)

        pages = self.walk(f"{group}/policies", "policies")
        manifest = self.ask("GET", group).document["group"]

        self.assertEqual([len(page) for page in pages], [100, 0])
        last = pages[0][-1]
        self.assertEqual(
            manifest["scalingPolicies_links"],
            [
                {"rel": "policies", "href": f"{BASE}{group}/policies/"},
                {"rel": "next", "href": f"{BASE}{group}/policies/?limit=100&marker={last}"},
            ],
        )

    def test_manifest_is_not_paginated(self) -> None:
        """It shows all policies, however many pages they are read in."""
        group = self.make_group()
        for count in (100, 100):
            self.ask("POST", f"{group}/policies", [a_policy()] * count)

        ids = [one["id"] for one in self.ask("GET", group).document["group"]["scalingPolicies"]]

        self.assertEqual((len(ids), ids), (200, sorted(set(ids))))

    def test_markers_are_any_text(self) -> None:
        """A marker is compared, never judged (rest-api.md 2)."""
        group = self.make_group()
        self.make_policy(group)
        expected = {"": 1, "-13": 1, "invalid": 0, "%FF": 0, "%00": 1, "zz&marker=": 0}

        found = {
            marker: len(self.ask("GET", f"{group}/policies?marker={marker}").document["policies"])
            for marker in expected
        }

        self.assertEqual(found, expected)

    def test_bad_limits(self) -> None:
        """Told before the group is looked for."""
        for query in ("limit=ab", "limit=&", "limit=3.0", "limit", "limit="):
            for path in (GROUPS, f"{GROUPS}/xyz/policies", f"{GROUPS}/xyz/policies/x/webhooks"):
                reply = self.ask("GET", f"{path}?{query}")
                # An argument without "=" is none at all: Twisted drops it.
                expected = "404 NoSuchScalingGroupError" if path != GROUPS else "200"
                self.assertEqual(
                    reply.error,
                    expected if query == "limit" else "400 InvalidQueryArgument",
                    f"{path}?{query}",
                )
