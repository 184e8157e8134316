"""
The tenant's view of the API: documents in, documents out, all pages of a collection.

Pages are followed by their markers and never by the link itself: a link may point anywhere, and
the token goes with the request.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from attrs import field, frozen

from otter.cli.documents import read_json
from otter.cli.exits import UnavailableError
from otter.cli.remote.interface import Wire
from otter.cli.remote.refusals import refusal

PAGE_MAX = 100
PAGES_MAX = 1000

Document = dict[str, Any]


def path_of(*segments: str) -> str:
    """Return a path of these segments; whatever is in one cannot become another."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


@frozen
class Api:
    """
    One service, for one tenant.

    :ivar root: what paths are appended to.
    """

    wire: Wire = field(repr=False)
    root: str

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> Document:
        """
        Return the JSON object that is answered; none is an empty one.

        :raises CommandError: the service said no, or nothing one could understand.
        """
        arguments = f"?{urlencode(query)}" if query else ""
        reply = self.wire.send(method, f"{self.root}{path}{arguments}", body)
        if not 200 <= reply.status < 300:
            raise refusal(reply.status, reply.text)
        if not reply.text.strip():
            return {}
        try:
            document = read_json(reply.text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise UnavailableError(f"what answers at {self.root} is not the API that was expected")
        return document

    def part(self, path: str, key: str, *, query: Mapping[str, str] | None = None) -> Document:
        """
        Return an object that is answered under a key.

        :raises CommandError: as ``call``, or it is not there.
        """
        return self._object(self.call("GET", path, query=query), key)

    def create(self, path: str, key: str, body: Any) -> Document:
        """
        Post a body; return the object that is answered under a key.

        :raises CommandError: as ``call``, or it is not there.
        """
        return self._object(self.call("POST", path, body), key)

    def create_one(self, path: str, key: str, body: Any) -> Document:
        """
        Post one item to a collection that takes many; return what it became.

        :raises CommandError: as ``call``, or it is not there.
        """
        made = _items(self.call("POST", path, [body]), key)
        if len(made) != 1:
            raise UnavailableError(f"the answer holds {len(made)} {key} instead of one")
        return made[0]

    def items(self, path: str, key: str, limit: int | None = None) -> Iterator[Document]:
        """
        Yield the items of a collection, from as many pages as it takes.

        :param key: under which a page holds them.
        :param limit: how many at most; None for all.
        :raises CommandError: as ``call``.
        """
        left = PAGE_MAX * PAGES_MAX if limit is None else limit
        marker: str | None = None
        while left > 0:
            query = {"limit": str(min(left, PAGE_MAX))}
            if marker is not None:
                query["marker"] = marker
            page = self.call("GET", path, query=query)
            found = _items(page, key)[:left]
            yield from found
            left -= len(found)
            following = next_marker(page.get(f"{key}_links"))
            if not found or following in {None, marker}:
                return
            marker = following

    def _object(self, document: Document, key: str) -> Document:
        found = document.get(key)
        if not isinstance(found, dict):
            raise UnavailableError(f"the answer of {self.root} holds no {key}")
        return found


def _items(document: Document, key: str) -> list[Document]:
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UnavailableError(f"the answer holds no {key}")
    return found


def next_marker(links: Any) -> str | None:
    """Return where the next page begins, or None after the last."""
    if not isinstance(links, list):
        return None
    for link in links:
        if isinstance(link, dict) and link.get("rel") == "next":
            return parse_qs(urlsplit(str(link.get("href"))).query).get("marker", [None])[0]
    return None
