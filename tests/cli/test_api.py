"""The API as commands see it: documents, and all pages of a collection."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.exits import CommandError, RefusedError, UnavailableError
from otter.cli.remote.api import Api, next_marker, path_of
from otter.cli.remote.interface import Reply
from tests.cli.scene import ROOT, Request, Script


def a_page(*ids: str, marker: str | None = None) -> dict[str, Any]:
    """Return a page of groups."""
    href = f"http://elsewhere.test/steal?limit=100&marker={marker}"
    links = [] if marker is None else [{"rel": "next", "href": href}]
    return {"groups": [{"id": identity} for identity in ids], "groups_links": links}


class CallTests(SynchronousTestCase):
    """One request."""

    def setUp(self) -> None:
        """Have a service that is told what to answer."""
        self.script = Script()
        self.api = Api(self.script, ROOT)

    def test_query_and_body(self) -> None:
        """What is asked arrives as it was meant."""
        self.script.on("POST /x?a=b+c", {"ok": 1})
        self.api.call("POST", "/x", [1], query={"a": "b c"})

        self.assertEqual([Request("POST", f"{ROOT}/x?a=b+c", [1])], self.script.requests)

    def test_empty_answer(self) -> None:
        """A 204 is a success that says nothing."""
        self.script.on("DELETE /x", status=204)

        self.assertEqual({}, self.api.call("DELETE", "/x"))

    def test_refused(self) -> None:
        """An error of the service becomes one of ours."""
        self.script.refuse("GET /x", 422, "PoliciesOverLimitError")
        with self.assertRaisesRegex(RefusedError, "PoliciesOverLimitError"):
            self.api.call("GET", "/x")

    def test_not_the_api(self) -> None:
        """A wrong endpoint often answers 200 with a page; that is no empty list of groups."""
        for text in ("<html>", "[]", "7"):
            self.script.answers = {f"GET {ROOT}/x": [Reply(200, text)]}
            with self.assertRaisesRegex(UnavailableError, "not the API"):
                self.api.call("GET", "/x")

    def test_missing_parts(self) -> None:
        """JSON of another service is told apart too."""
        self.script.on("GET /x", {"other": {}})
        self.script.on("GET /x?limit=100", {"groups": [1]})
        self.script.on("POST /x", {"policies": [{}, {}]})
        for attempt in (
            lambda: self.api.part("/x", "group"),
            lambda: list(self.api.items("/x", "groups")),
            lambda: self.api.create_one("/x", "policies", {}),
        ):
            with self.assertRaises(CommandError):
                attempt()

    def test_one_of_many(self) -> None:
        """Collections take lists, and one item is a list of one."""
        self.script.on("POST /x", {"policies": [{"id": "1"}]}, status=201)

        self.assertEqual({"id": "1"}, self.api.create_one("/x", "policies", {"name": "p"}))
        self.assertEqual([{"name": "p"}], self.script.body_of("POST /x"))

    @given(some.text(min_size=1))
    def test_segments_stay_segments(self, identity: str) -> None:
        """Whatever is typed as an id, the path has as many segments as before."""
        path = path_of("groups", identity)

        self.assertEqual(2, path.count("/"))
        self.assertTrue(path.isascii())
        self.assertEqual(set(), {"?", "#"} & set(path))


class ItemsTests(SynchronousTestCase):
    """Collections."""

    def setUp(self) -> None:
        """Have a service that is told what to answer."""
        self.script = Script()
        self.api = Api(self.script, ROOT)

    def ids(self, limit: int | None = None) -> list[str]:
        """Return the ids of groups."""
        return [item["id"] for item in self.api.items("/groups", "groups", limit)]

    def test_all_pages(self) -> None:
        """Pages are followed to the end, and never off to another host."""
        self.script.on("GET /groups?limit=100", a_page("a", "b", marker="b"))
        self.script.on("GET /groups?limit=100&marker=b", a_page("c"))

        self.assertEqual(["a", "b", "c"], self.ids())

    def test_last_page_is_full(self) -> None:
        """The service links to a next page that is empty; that is the end."""
        self.script.on("GET /groups?limit=100", a_page("a", marker="a"))
        self.script.on("GET /groups?limit=100&marker=a", a_page())

        self.assertEqual(["a"], self.ids())

    def test_limit(self) -> None:
        """No more is asked for than is wanted."""
        self.script.on("GET /groups?limit=3", a_page("a", "b", marker="b"))
        self.script.on("GET /groups?limit=1&marker=b", a_page("c", "d", marker="d"))

        self.assertEqual(["a", "b", "c"], self.ids(3))

    def test_going_in_circles(self) -> None:
        """A service that repeats itself does not keep us for ever."""
        self.script.on("GET /groups?limit=100", a_page("a", marker="a"))
        self.script.on("GET /groups?limit=100&marker=a", a_page("a", marker="a"))

        self.assertEqual(["a", "a"], self.ids())

    def test_odd_links(self) -> None:
        """Whatever stands where links belong, it is no next page."""
        odd: tuple[Any, ...] = (
            None,
            {},
            [None],
            [{"rel": "self", "href": "?marker=a"}],
            [{"rel": "next"}],
        )

        self.assertEqual([None] * len(odd), [next_marker(links) for links in odd])
