"""What this process measures: for Prometheus, and the three counts that the original told."""

from collections.abc import Callable

from attrs import asdict, frozen

from otter.metrics import EVERYTHING, Census, Metrics
from otter.rest.answers import JSON, Answer, json_answer
from otter.rest.calls import Call, Route


@frozen
class MetricsResource:
    """
    Answers with what is measured.

    :ivar census: the last one, None before the first.
    """

    metrics: Metrics
    census: Callable[[], Census | None]

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", "/metrics", self.show),)

    async def show(self, call: Call) -> Answer:
        """Answer in the original's JSON to whoever asks for JSON, else in Prometheus's words."""
        if JSON in call.accept:
            return json_answer(200, {"metrics": self._counts()})
        body, content_type = self.metrics.exposition(call.accept)
        return Answer(200, body, content_type=content_type)

    def _counts(self) -> list[dict[str, object]]:
        census = self.census()
        if census is None:
            return []
        values = asdict(census)
        return [
            {"id": f"otter.metrics.{name}", "value": values[name], "time": census.taken}
            for name in EVERYTHING
        ]
