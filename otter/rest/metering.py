"""Count requests by the route they meant, whatever became of them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from attrs import frozen

from otter.metrics import Metrics

OTHER = "other"
METHODS = frozenset({"DELETE", "GET", "HEAD", "POST", "PUT"})


@frozen
class RouteNames:
    """
    Names requests by the templates of routes: as many names as there are routes, and ``other``.

    :ivar templates: each in its segments, the more literal ones first.
    """

    templates: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, paths: Iterable[str]) -> "RouteNames":
        """Return the names for routes with these paths, such as ``/v1.0/<tenant>/groups``."""
        split = {tuple(part for part in path.split("/") if part) for path in paths}
        return cls(tuple(sorted(split, key=lambda parts: [_is_variable(part) for part in parts])))

    def name(self, segments: Sequence[str]) -> str:
        """Return the template that a path's segments fit."""
        for template in self.templates:
            if len(template) == len(segments) and all(map(_fits, template, segments)):
                return "/" + "/".join(template)
        return OTHER


def _is_variable(part: str) -> bool:
    return part.startswith("<")


def _fits(part: str, segment: str) -> bool:
    return _is_variable(part) or part == segment


@frozen
class RequestMeter:
    """Records every answered request."""

    metrics: Metrics
    names: RouteNames

    def record(self, method: str, segments: Sequence[str], status: int, took: timedelta) -> None:
        """Record one request."""
        known = method if method in METHODS else OTHER
        self.metrics.request(known, self.names.name(segments), status, took)

    def refused(self, status: int) -> None:
        """Record an answer to what did not arrive as a whole request."""
        self.metrics.request(OTHER, OTHER, status, timedelta())
