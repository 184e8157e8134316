"""
Send requests through a keystoneauth session, which adds the token and renews it when it ends.

Whatever can go wrong below HTTP comes out as one of our errors, in one sentence.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from keystoneauth1 import exceptions as refused
from keystoneauth1.session import Session
from requests.exceptions import RequestException

from otter.cli.documents import write_json
from otter.cli.exits import CommandError, NotAllowedError, UnavailableError, UsageError
from otter.cli.remote.interface import Reply, Trace
from otter.cli.remote.redaction import redact, redact_headers
from otter.cli.remote.refusals import refusal

BODY_MAX_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
TRACED_MAX = 2000

_STORY = re.compile(r": HTTPS?ConnectionPool\(.*", re.DOTALL)


@frozen
class SessionWire:
    """
    Sends over real sockets.

    :ivar trace: is told of every request, without its secrets.
    """

    session: Session
    trace: Trace

    def send(self, method: str, url: str, body: Any = None, *, anonymous: bool = False) -> Reply:
        """
        Send a request; redirects are not followed, they would carry the token elsewhere.

        :raises UnavailableError: nobody answers.
        :raises NotAllowedError: identity refuses to give a token.
        """
        headers = {"Accept": "application/json"}
        data = None if body is None else write_json(body)
        if data is not None:
            headers["Content-Type"] = "application/json"
        self._trace_request(method, url, headers, data, anonymous=anonymous)
        with translated():
            response = self.session.request(
                url,
                method,
                headers=headers,
                data=data,
                authenticated=not anonymous,
                redirect=False,
                raise_exc=False,
                log=False,
                stream=True,
            )
            raw = _bounded(response.iter_content(CHUNK_BYTES))
        reply = Reply(response.status_code, raw.decode("utf-8", "replace"))
        self._trace_reply(reply, response.headers)
        return reply

    def _trace_request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: str | None,
        *,
        anonymous: bool,
    ) -> None:
        self.trace(redact(f"> {method} {url}"))
        shown = dict(headers) if anonymous else {**headers, "X-Auth-Token": ""}
        for name, value in redact_headers(shown).items():
            self.trace(f"> {name}: {value}")
        if data is not None:
            self.trace(redact(f"> {data[:TRACED_MAX]}"))

    def _trace_reply(self, reply: Reply, headers: Mapping[str, str]) -> None:
        self.trace(f"< {reply.status}")
        for name, value in redact_headers(headers).items():
            self.trace(f"< {name}: {value}")
        if reply.text:
            self.trace(redact(f"< {reply.text[:TRACED_MAX]}"))


def _bounded(chunks: Iterator[bytes]) -> bytes:
    """
    Return a body.

    :raises UnavailableError: it is larger than anything the API has to say.
    """
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise UnavailableError("the answer is too large to be Otter's")
    return body


@contextmanager
def translated() -> Iterator[None]:
    """Turn what keystoneauth raises into errors of ours."""
    try:
        yield
    except (refused.ClientException, RequestException) as error:
        raise translate(error) from error


def translate(error: Exception) -> CommandError:
    """Return the error of ours that says the same."""
    if isinstance(error, refused.HttpError) and error.http_status:
        # A response is false when it is an error, so its presence is asked for by name.
        told = refusal(error.http_status, "" if error.response is None else error.response.text)
        # Not finding the project, say, is also about who is asking.
        unknown = error.http_status in {401, 403, 404}
        return (NotAllowedError if unknown else type(told))(f"identity: {told}")
    if isinstance(error, refused.OptionError | refused.NoMatchingPlugin):
        return UsageError(str(error))
    if isinstance(error, refused.AuthorizationFailure | refused.MissingAuthPlugin):
        return NotAllowedError(str(error))
    # What follows a URL is the story of three libraries; how it ends is what matters.
    said = _STORY.sub(lambda _: _root_reason(error), str(error))
    return UnavailableError(said or type(error).__name__)


def _root_reason(error: BaseException) -> str:
    """Return what the operating system said first, or nothing."""
    root: BaseException | None = error
    while root is not None:
        if isinstance(root, OSError) and root.strerror:
            return f": {root.strerror}"
        root = root.__cause__ or root.__context__
    return ""
