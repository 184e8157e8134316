"""
What runs inside a process server: answers HTTP on the server's own address and says who it is.

``python -m minicloud.node.guest DIRECTORY`` with the server described in ``server.json`` there. It
is a program of its own that talks to its driver through three descriptors and uses nothing but the
standard library, because a cloud boots many of them:

- 0 is a pipe that the driver holds open. Its end means that minicloud is gone, however it went, and
  the guest leaves too: nothing is left behind.
- 1 and 2 are the console.
- 3 hears ``ready`` once the address is being listened on.
"""

import json
import os
import signal
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

DRIVER_FD = 0
READY_FD = 3
READY = b"ready\n"
SPEC_FILE = "server.json"
METADATA_FILE = "metadata.json"
IDLE_SECONDS = 60
MAX_CONNECTIONS = 200


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    directory: ClassVar[Path]
    who: ClassVar[dict[str, Any]]

    def do_GET(self) -> None:
        """Answer ``/``, ``/metadata`` and ``/health``; the path's query means nothing."""
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer(200, self.who)
        elif path == "/metadata":
            # read each time, because the metadata may be changed while the server runs
            self._answer(200, json.loads((self.directory / METADATA_FILE).read_text()))
        elif path == "/health":
            self._answer(200, {"healthy": True})
        else:
            self._answer(404, {"message": "not found"})

    def do_HEAD(self) -> None:
        """Answer as GET does, without the body."""
        self.do_GET()

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are not written down: health checks alone would fill the disk."""


class _Server(ThreadingHTTPServer):
    """Takes a bounded number of connections; further ones wait in the kernel's queue."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int]) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking any name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread once one of the bounded number is free."""
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that vanished is not worth a traceback on the console."""
        _say(f"connection failed: {sys.exc_info()[1]}")


def _say(text: str) -> None:
    """Print on the console; unbuffered, so that a signal handler may do it at any moment."""
    os.write(1, f"{text}\n".encode())


def _leave(reason: str) -> None:
    """End at once, with success: this is an orderly end."""
    _say(f"stopping: {reason}")
    os._exit(0)


def _leave_with_driver() -> None:
    while os.read(DRIVER_FD, 1024):
        pass
    _leave("the cloud is gone")


def main(directory: Path) -> None:
    """Serve until told to stop."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: _leave("asked to"))
    threading.Thread(target=_leave_with_driver, daemon=True).start()
    spec = json.loads((directory / SPEC_FILE).read_text())
    _Handler.directory = directory
    _Handler.who = {
        "server_id": spec["server_id"],
        "name": spec["name"],
        "pid": os.getpid(),
        "address": spec["address"],
    }
    server = _Server((spec["address"], spec["port"]))
    _say(f"{spec['name']} ({spec['server_id']}) listens on {spec['address']}:{spec['port']}")
    os.write(READY_FD, READY)
    os.close(READY_FD)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
