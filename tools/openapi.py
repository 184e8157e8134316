"""Write ``schema/openapi/otter.json``: the API's OpenAPI document, for those without a service."""

from pathlib import Path
from typing import Any, cast

import simplejson
from twisted.internet.task import Clock

from otter.rest.app import make_routes
from otter.rest.calls import Route
from otter.rest.config import RestConfig
from otter.rest.openapi import make_document
from otter.rest.rates import RateLimiter

PATH = Path(__file__).parent.parent / "schema" / "openapi" / "otter.json"
BASE_URL = "/"
"""The document in the repository speaks of no installation; the one that is served does."""


def routes() -> tuple[Route, ...]:
    """Return the route table; its handlers have nobody behind them."""
    config = RestConfig(BASE_URL)
    clock = Clock()
    return make_routes(config, cast("Any", None), {}, clock, RateLimiter(config.rates, clock))


def document() -> dict[str, Any]:
    """Return the document as it is checked in."""
    return make_document(routes(), BASE_URL)


def text() -> str:
    """Return it as it is written."""
    return simplejson.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(text(), encoding="utf-8")
