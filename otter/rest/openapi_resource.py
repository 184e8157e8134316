"""Serve the OpenAPI document, to anybody: it tells nothing that the source does not."""

from collections.abc import Sequence

from attrs import define

from otter.rest.answers import Answer, json_answer
from otter.rest.calls import Call, Route
from otter.rest.openapi import make_document
from otter.rest.openapi_operations import DOCUMENT


@define
class DocumentResource:
    """
    Answers with the document, which is made when it is first asked for.

    :ivar others: every other route there is.
    """

    others: Sequence[Route]
    base_url: str
    _answer: Answer | None = None

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", DOCUMENT, self.show),)

    async def show(self, call: Call) -> Answer:
        """Answer with the document."""
        if self._answer is None:
            routes = (*self.others, *self.routes())
            self._answer = json_answer(200, make_document(routes, self.base_url))
        return self._answer
