"""Tests of ``minicloud.api.compute.metadata``."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import Response, a_client


class MetadataTests(SynchronousTestCase):
    """Metadata of a server."""

    def setUp(self) -> None:
        """Make a server with two items."""
        self.client = a_client()
        self.server = self.client.create(metadata={"a": "1", "b": "2"})

    def ask(self, method: str, document: object = None, key: str = "") -> Response:
        """Ask about the whole, or one item."""
        path = f"/servers/{self.server}/metadata{key and '/' + key}"
        return self.client.compute(method, path, document)

    def test_show(self) -> None:
        """All items, or one by key."""
        self.assertEqual(self.ask("GET").json, {"metadata": {"a": "1", "b": "2"}})
        self.assertEqual(self.ask("GET", key="a").json, {"meta": {"a": "1"}})
        self.assertEqual(self.ask("GET", key="z").status, 404)

    def test_merge(self) -> None:
        """POST adds to what is there."""
        response = self.ask("POST", {"metadata": {"b": "3", "c": "4"}})

        self.assertEqual(response.json, {"metadata": {"a": "1", "b": "3", "c": "4"}})
        self.assertEqual(self.client.show(self.server)["metadata"], response.json["metadata"])

    def test_replace(self) -> None:
        """PUT takes the place of what is there."""
        response = self.ask("PUT", {"metadata": {"c": "4"}})

        self.assertEqual(response.json, {"metadata": {"c": "4"}})

    def test_put_one(self) -> None:
        """One item is put under its own key only."""
        response = self.ask("PUT", {"meta": {"a": "9"}}, "a")

        self.assertEqual((response.status, response.json), (200, {"meta": {"a": "9"}}))
        self.assertEqual(self.ask("PUT", {"meta": {"b": "9"}}, "a").status, 400)
        self.assertEqual(self.ask("GET").json, {"metadata": {"a": "9", "b": "2"}})

    def test_remove(self) -> None:
        """A removed item is gone; removing it again is 404, which clients take for success."""
        self.assertEqual(self.ask("DELETE", key="a").status, 204)
        self.assertEqual(self.ask("DELETE", key="a").status, 404)
        self.assertEqual(self.ask("GET").json, {"metadata": {"b": "2"}})

    def test_keys_with_colons(self) -> None:
        """The keys that Otter uses survive the way through a URL."""
        self.ask("POST", {"metadata": {"rax:autoscale:group:id": "g"}})

        self.assertEqual(self.ask("DELETE", key="rax:autoscale:group:id").status, 204)

    def test_bounded(self) -> None:
        """Too many items are refused in Nova's words, and nothing changes."""
        response = self.ask("POST", {"metadata": {f"k{n}": "" for n in range(127)}})

        self.assertEqual(response.status, 403)
        self.assertIn("exceeds 128", response.json["forbidden"]["message"])
        self.assertEqual(len(self.ask("GET").json["metadata"]), 2)

    def test_malformed(self) -> None:
        """A body that is no metadata is 400."""
        bodies: tuple[Any, ...] = ({}, {"metadata": []}, {"metadata": {"a": 1}})
        for body in bodies:
            self.assertEqual(self.ask("POST", body).status, 400)

    def test_updated(self) -> None:
        """A change of metadata is a change of the server."""
        self.client.cloud.advance(60)
        self.ask("POST", {"metadata": {"c": "3"}})

        self.assertEqual(self.client.show(self.server)["updated"], "2026-01-01T00:01:00Z")
