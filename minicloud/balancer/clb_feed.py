"""
Write the history of nodes as the Atom feed that clients read draining times from.

The summaries are contract: clients match them with regular expressions, condition included.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from minicloud.balancer.clb_documents import time_text
from minicloud.balancer.model import EventType, LoadBalancer, NodeEvent

ATOM = "http://www.w3.org/2005/Atom"
PAGE_SIZE = 50

_TITLES = {
    EventType.CREATED: ("Node Successfully Created", "CREATE"),
    EventType.UPDATED: ("Node Successfully Updated", "UPDATE"),
    EventType.DELETED: ("Node Successfully Deleted", "DELETE"),
    EventType.STATUS: ("Node Status Updated", "UPDATE"),
}


def summary(event: NodeEvent) -> str:
    """Return the sentence about the event."""
    node = event.node
    where = f"address: '{node.address}', port: '{node.port}'"
    match event.kind:
        case EventType.CREATED:
            how = f"condition: '{node.condition}', weight: '{node.weight}'"
            return f"Node successfully created with {where}, {how}"
        case EventType.UPDATED:
            how = f"weight: '{node.weight}', condition: '{node.condition}'"
            return f"Node successfully updated with {where}, {how}"
        case EventType.DELETED:
            return f"Node successfully deleted with {where}"
        case EventType.STATUS:
            return f"Node is {node.status} with {where}"


def feed(lb: LoadBalancer, events: Sequence[NodeEvent], *, url: str, page: int) -> bytes:
    """
    Return one page of the events, newest first.

    :param events: oldest first, as the load balancer keeps them.
    :param url: where the feed is, without query.
    :param page: counts from 1; one past the end is empty.
    """
    newest_first = list(reversed(events))
    shown = newest_first[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    root = ET.Element("feed", xmlns=ATOM)
    _link(root, "self", f"{url}?page={page}")
    _link(root, "current", url)
    if page > 1:
        _link(root, "previous", f"{url}?page={page - 1}")
    if page * PAGE_SIZE < len(newest_first):
        _link(root, "next", f"{url}?page={page + 1}")
    _text(root, "title", "Node Feed")
    _text(root, "id", url)
    _text(root, "updated", time_text(newest_first[0].when if newest_first else lb.created))
    for event in shown:
        root.append(_entry(lb, event))
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entry(lb: LoadBalancer, event: NodeEvent) -> ET.Element:
    title, category = _TITLES[event.kind]
    entry = ET.Element("entry")
    _text(entry, "title", title)
    _text(entry, "summary", summary(event))
    author = ET.SubElement(entry, "author")
    _text(author, "name", lb.project)
    _text(entry, "id", f"{lb.project}-{lb.lb_id}-{event.node.node_id}-{event.number}")
    ET.SubElement(entry, "category", term=category)
    _text(entry, "updated", time_text(event.when))
    return entry


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _link(parent: ET.Element, rel: str, href: str) -> None:
    ET.SubElement(parent, "link", rel=rel, href=href)
