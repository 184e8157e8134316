"""
The node feed: what clients read draining times from.
"""

import re
from xml.etree import ElementTree as ET

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from minicloud.balancer import rules
from minicloud.balancer.clb_feed import PAGE_SIZE, feed
from minicloud.balancer.model import Condition, LoadBalancer, NodeChange, NodeStatus
from tests.minicloud.balancer.builders import START, a_load_balancer, a_node
from tests.minicloud.balancer.clb_case import ClbCase
from tests.minicloud.balancer.clb_case import a_node as a_node_document

ATOM = "{http://www.w3.org/2005/Atom}"


def _summaries(document: bytes) -> list[str | None]:
    entries = ET.fromstring(document).iter(f"{ATOM}entry")
    return [entry.findtext(f"{ATOM}summary") for entry in entries]


def _links(document: bytes) -> dict[str | None, str | None]:
    return {
        link.get("rel"): link.get("href") for link in ET.fromstring(document).iter(f"{ATOM}link")
    }


class FeedTests(SynchronousTestCase):
    """The feed as a document."""

    def _feed(self, lb: LoadBalancer, page: int = 1) -> bytes:
        return feed(lb, lb.events, url="http://h/nodes.atom", page=page)

    def test_words(self) -> None:
        """Each kind of event has its sentence; draining clients match two of them whole."""
        lb = a_load_balancer(evolve(a_node(), condition=Condition.DRAINING))
        lb = rules.change_node(lb, 1, NodeChange(condition=Condition.ENABLED, weight=2), now=START)
        lb = rules.set_node_status(lb, 1, NodeStatus.OFFLINE, now=START)
        lb = rules.remove_nodes(lb, [1], now=START)

        where = "address: '10.0.0.1', port: '80'"
        self.assertEqual(
            [
                f"Node successfully deleted with {where}",
                f"Node is OFFLINE with {where}",
                f"Node successfully updated with {where}, weight: '2', condition: 'ENABLED'",
                f"Node successfully created with {where}, condition: 'DRAINING', weight: '1'",
            ],
            _summaries(self._feed(lb)),
        )

    def test_entries_are_told_apart(self) -> None:
        """Every entry has an id of its own and its time, since delivery may repeat."""
        lb = a_load_balancer(a_node(1), a_node(2))
        entries = list(ET.fromstring(self._feed(lb)).iter(f"{ATOM}entry"))

        self.assertEqual(
            ["p1-1-2-2", "p1-1-1-1"], [entry.findtext(f"{ATOM}id") for entry in entries]
        )
        self.assertEqual("2026-11-01T12:00:00Z", entries[0].findtext(f"{ATOM}updated"))

    def test_pages(self) -> None:
        """Following next links shows every event once, newest first, and ends."""
        lb = a_load_balancer(a_node())
        for weight in range(2, 2 * PAGE_SIZE + 2):
            lb = rules.change_node(lb, 1, NodeChange(weight=weight), now=START)
        pages = [self._feed(lb, page) for page in (1, 2, 3)]

        self.assertEqual([PAGE_SIZE, PAGE_SIZE, 1], [len(_summaries(page)) for page in pages])
        self.assertEqual("http://h/nodes.atom?page=2", _links(pages[0])["next"])
        self.assertEqual("http://h/nodes.atom?page=1", _links(pages[1])["previous"])
        self.assertNotIn("next", _links(pages[2]))
        shown = [summary for page in pages for summary in _summaries(page)]
        self.assertEqual(2 * PAGE_SIZE + 1, len(set(shown)))
        self.assertIn(f"weight: '{2 * PAGE_SIZE + 1}'", shown[0] or "")


class FeedOverHttpTests(ClbCase):
    """The feed as clients get it."""

    def test_one_node(self) -> None:
        """A node's feed tells only of this node, and when its draining began."""
        self.an_lb(a_node_document(1), a_node_document(2))
        self.clock.advance(60)
        self.ask("PUT", "/1/nodes/1", {"node": {"condition": "DRAINING"}})
        self.ask("PUT", "/1/nodes/2", {"node": {"weight": 2}})
        status, document, content_type = self.successResultOf(self.start("GET", "/1/nodes/1.atom"))

        self.assertEqual((200, "application/atom+xml"), (status, content_type))
        self.assertEqual(2, len(_summaries(document)))
        draining = [
            entry.findtext(f"{ATOM}updated")
            for entry in ET.fromstring(document).iter(f"{ATOM}entry")
            if re.search("updated.*condition: 'DRAINING'", entry.findtext(f"{ATOM}summary") or "")
        ]
        self.assertEqual(["2027-01-15T08:01:00Z"], draining)

    def test_all_nodes(self) -> None:
        """The load balancer's feed also remembers nodes that are gone."""
        self.an_lb(a_node_document(1))
        self.ask("DELETE", "/1/nodes/1")
        _, document, _ = self.successResultOf(self.start("GET", "/1/nodes.atom?page=1"))

        where = "address: '10.0.0.1', port: '80'"
        self.assertEqual(
            [
                f"Node successfully deleted with {where}",
                f"Node successfully created with {where}, condition: 'ENABLED', weight: '1'",
            ],
            _summaries(document),
        )
        self.assertEqual(
            "http://cloud.test/p1/loadbalancers/1/nodes.atom?page=1", _links(document)["self"]
        )
