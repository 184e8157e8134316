"""A terminal, a clock and a service for commands, all in memory."""

from collections.abc import Mapping
from io import BytesIO, StringIO
from typing import Any

from attrs import define, field, frozen

from otter.cli.documents import write_json
from otter.cli.main import run
from otter.cli.remote.interface import Connection, Options, Reply, Trace, Wire
from otter.cli.terminal import Clock, Terminal

ROOT = "http://otter.test/v1.0/7042"
COMPUTE = "http://compute.test/v2.1"
GROUP = "51d2c7be-5b7b-4d53-8b0a-3c1d6f9f7a10"
POLICY = "6c0f9a34-0d1e-4f67-8a3c-5f2a4f1f9d55"
WEBHOOK = "d2a9b1c0-1111-4222-8333-444455556666"
HASH = "5f0c" * 16
CAPABILITY = f"http://otter.test/v1.0/execute/1/{HASH}/"


def a_state(
    active: int = 2, desired: int = 2, *, errors: tuple[str, ...] = (), paused: bool = False
) -> dict[str, Any]:
    """Return a group's state as the API shows it."""
    state: dict[str, Any] = {
        "name": "web",
        "activeCapacity": active,
        "pendingCapacity": desired - active,
        "desiredCapacity": desired,
        "paused": paused,
        "status": "ERROR" if errors else "ACTIVE",
        "active": [{"id": f"s{number}", "links": []} for number in range(active)],
    }
    if errors:
        state["errors"] = [{"message": message} for message in errors]
    return state


def a_policy(**changes: Any) -> dict[str, Any]:
    """Return a policy as the API shows it."""
    return {
        "id": POLICY,
        "name": "grow",
        "type": "webhook",
        "change": 2,
        "cooldown": 30,
        "links": [{"rel": "self", "href": f"{ROOT}/groups/{GROUP}/policies/{POLICY}/"}],
        **changes,
    }


def a_webhook() -> dict[str, Any]:
    """Return a webhook as the API shows it."""
    links = [{"rel": "self", "href": f"{ROOT}/…"}, {"rel": "capability", "href": CAPABILITY}]
    return {"id": WEBHOOK, "name": "pager", "metadata": {"team": "ops"}, "links": links}


def a_group(state: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a group as the API shows it."""
    return {
        "id": GROUP,
        "links": [{"rel": "self", "href": f"{ROOT}/groups/{GROUP}/"}],
        "groupConfiguration": {
            "name": "web",
            "cooldown": 0,
            "minEntities": 1,
            "maxEntities": 8,
            "metadata": {"owner": "shop"},
        },
        "launchConfiguration": {
            "type": "launch_server",
            "args": {
                "server": {"name": "web", "flavorRef": "2", "imageRef": "i"},
                "loadBalancers": [{"loadBalancerId": 4410, "port": 8000}],
            },
        },
        "scalingPolicies": [a_policy()],
        "state": dict(state or a_state()),
    }


@frozen
class Request:
    """What was sent."""

    method: str
    url: str
    body: Any = None
    anonymous: bool = False


@define
class Script(Wire):
    """
    Answers each request with the next answer for it; the last one is given again and again.

    :ivar answers: by method and URL.
    """

    answers: dict[str, list[Reply | Exception]] = field(factory=dict)
    requests: list[Request] = field(factory=list)

    def on(self, request: str, *documents: Any, status: int = 200) -> None:
        """Answer a request, ``GET /groups`` say, with these documents, one after the other."""
        method, _, path = request.partition(" ")
        url = path if path.startswith("http") else ROOT + path
        answers = self.answers.setdefault(f"{method} {url}", [])
        for document in documents or (None,):
            if isinstance(document, Exception):
                answers.append(document)
            else:
                answers.append(Reply(status, "" if document is None else write_json(document)))

    def refuse(self, request: str, status: int, kind: str) -> None:
        """Answer a request with an error."""
        error = {"type": kind, "code": status, "message": "no,\nthanks", "details": ""}
        self.on(request, {"error": error}, status=status)

    def send(self, method: str, url: str, body: Any = None, *, anonymous: bool = False) -> Reply:
        """
        Answer.

        :raises AssertionError: nobody expected this request.
        """
        self.requests.append(Request(method, url, body, anonymous))
        answers = self.answers.get(f"{method} {url}")
        if not answers:
            raise AssertionError(f"unexpected: {method} {url}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def lines(self) -> list[str]:
        """The requests in short, without the root."""
        return [f"{r.method} {r.url.removeprefix(ROOT)}" for r in self.requests]

    def body_of(self, request: str) -> Any:
        """Return the body that was sent with a request."""
        method, _, path = request.partition(" ")
        [found] = [r for r in self.requests if (r.method, r.url) == (method, ROOT + path)]
        return found.body


@frozen
class ScriptOpener:
    """Leads to the script, whoever asks."""

    script: Script
    compute: str | None = COMPUTE
    broken: Exception | None = None

    def connect(self, options: Options, environment: Mapping[str, str], trace: Trace) -> Connection:
        """Return the way to the script."""
        if self.broken is not None:
            raise self.broken
        trace("connected")
        return Connection(self.script, ROOT, self.compute)

    def anonymous(self, options: Options, trace: Trace) -> Wire:
        """Return the script."""
        return self.script


class Screen(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return that it is."""
        return True


@define
class Time:
    """A clock that goes only when somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(factory=list)

    @property
    def clock(self) -> Clock:
        """What commands see of it."""
        return Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@define
class Desk:
    """Somebody at a terminal."""

    script: Script = field(factory=Script)
    time: Time = field(factory=Time)
    out: StringIO = field(factory=StringIO)
    err: StringIO = field(factory=StringIO)
    stdin: bytes = b""
    compute: str | None = COMPUTE
    broken: Exception | None = None

    @property
    def terminal(self) -> Terminal:
        """The terminal."""
        return Terminal(self.out, self.err, BytesIO(self.stdin), 80, {}, self.time.clock)

    def type(self, *arguments: str) -> int:
        """Run a command; return its exit status."""
        opener = ScriptOpener(self.script, self.compute, self.broken)
        return run(arguments, self.terminal, opener)
