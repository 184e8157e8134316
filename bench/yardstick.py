"""What everything is compared with: a bare Klein application that answers small JSON documents."""

import sys
from typing import Any

from klein import Klein
from twisted.internet import reactor as global_reactor
from twisted.web.server import Request, Site

ANSWER = b'{"state": {"desiredCapacity": 3, "activeCapacity": 3, "pendingCapacity": 0}}'


def make_app() -> Klein:
    """Return an application with one route that reads nothing and decides nothing."""
    app = Klein()

    @app.route("/v1.0/execute/<version>/<hash>", methods=["POST"])
    def execute(request: Request, **_: str) -> bytes:
        request.setHeader("Content-Type", "application/json")
        request.setHeader("Content-Length", str(len(ANSWER)))
        return ANSWER

    return app


def main() -> None:
    """Serve on the port given as the only argument, quietly."""
    site: Any = Site(make_app().resource())
    site.log = lambda _: None
    reactor: Any = global_reactor
    reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
