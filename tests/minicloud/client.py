"""
A client for tests of an in-memory cloud: sends a request and has the answer, without waiting.
"""

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from minicloud.testing import ROOT, InMemoryCloud, make_minicloud


@frozen
class Response:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body's document."""
        return json.loads(self.body)


@define(eq=False)
class Pending:
    """A request that was sent; ``response`` raises until it is answered."""

    stub: Any
    results: list[Any] = field(factory=list)
    running: Deferred[None] = field(factory=Deferred)

    def hang_up(self) -> None:
        """Close the connection without waiting for the answer."""
        self.running.cancel()
        self.stub.flush()

    @property
    def answered(self) -> bool:
        """Return whether there is an answer, or its failure, by now."""
        self.stub.flush()
        return bool(self.results)

    @property
    def response(self) -> Response:
        """Return the answer."""
        if not self.answered:
            raise AssertionError("the request is not answered yet")
        result = self.results[0]
        if isinstance(result, Failure):
            result.raiseException()
        assert isinstance(result, Response)
        return result


class CloudClient:
    """Speaks to a cloud as one user of one project."""

    def __init__(self, cloud: InMemoryCloud, user: str = "demo", project: str = "demo") -> None:
        self.cloud = cloud
        self.token = cloud.token(user, project=project)
        self._stub: Any = cloud.client()  # treq gives its fake no types

    def send(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        version: str = "",
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Pending:
        """Send a request, with the token unless ``headers`` say otherwise."""
        sent = {"X-Auth-Token": self.token, **(headers or {})}
        if version:
            sent["OpenStack-API-Version"] = f"compute {version}"
        body = json.dumps(document).encode() if document is not None else data
        pending = Pending(self._stub)

        async def exchange() -> Response:
            answer = await self._stub.request(method, ROOT + path, headers=sent, data=body)
            received = {
                name.decode().lower(): values[0].decode()
                for name, values in answer.headers.getAllRawHeaders()
            }
            return Response(answer.code, received, await answer.content())

        pending.running = Deferred.fromCoroutine(exchange()).addBoth(pending.results.append)
        return pending

    def call(self, method: str, path: str, document: object = None, **options: Any) -> Response:
        """Send a request and return its answer."""
        return self.send(method, path, document, **options).response

    def compute(self, method: str, path: str, document: object = None, **options: Any) -> Response:
        """Ask Compute."""
        return self.call(method, f"/compute/v2.1{path}", document, **options)

    def control(self, method: str, path: str, document: object = None) -> Response:
        """Command the cloud."""
        return self.call(method, f"/control{path}", document)

    def a_server_body(self, name: str = "web", **fields: object) -> dict[str, Any]:
        """Return a body that creates a server."""
        image = self.cloud.credentials["images"][0]["id"]
        return {"server": {"name": name, "imageRef": image, "flavorRef": "1", **fields}}

    def create(self, name: str = "web", *, version: str = "", **fields: object) -> str:
        """Create a server and return its id."""
        body = self.a_server_body(name, **fields)
        response = self.compute("POST", "/servers", body, version=version)
        assert response.status == 202, response
        return str(response.json["server"]["id"])

    def show(self, server_id: str, version: str = "") -> Any:
        """Return a server as Compute shows it."""
        response = self.compute("GET", f"/servers/{server_id}", version=version)
        assert response.status == 200, response
        return response.json["server"]

    def names(self, query: str = "", version: str = "") -> list[str]:
        """Return the names that the detailed list shows."""
        response = self.compute("GET", f"/servers/detail{query}", version=version)
        assert response.status == 200, response
        return [server["name"] for server in response.json["servers"]]


def a_client(**settings: Any) -> CloudClient:
    """Return a client of a new cloud; servers are up at once unless told otherwise."""
    return CloudClient(make_minicloud(**settings))
