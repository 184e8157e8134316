"""Hypothesis strategies for what arrives on a connection: requests, nearly requests, anything."""

import simplejson
from hypothesis import strategies as st

from tests.rest.world import GROUPS, TENANT, TOKEN, UNKNOWN, a_config, a_group, a_launch, a_policy

TARGETS = (
    "/",
    "/health",
    GROUPS,
    f"{GROUPS}/?limit=1&marker=x",
    f"{GROUPS}/{UNKNOWN}?force=true",
    f"{GROUPS}/{UNKNOWN}/config",
    f"{GROUPS}/{UNKNOWN}/launch",
    f"{GROUPS}/{UNKNOWN}/policies",
    f"{GROUPS}/{UNKNOWN}/policies/{UNKNOWN}/execute",
    f"{GROUPS}/{UNKNOWN}/policies/{UNKNOWN}/webhooks",
    f"{GROUPS}/{UNKNOWN}/servers/x?replace=false",
    f"/v1.0/{TENANT}/limits",
    f"/v1.0/execute/1/{'5f' * 32}/",
    "/v1.0/execute/1/junk",
    "/v1.0/openapi.json",
)
BODIES = tuple(
    simplejson.dumps(document).encode()
    for document in (a_group(), a_config(), a_launch(), [a_policy()], a_policy(), {}, [])
)
NAMES = (
    b"Host",
    b"X-Auth-Token",
    b"Content-Type",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Expect",
    b"Connection",
    b"Cookie",
    b"Accept",
    b"Upgrade",
    b"Authorization",
)
VALUES = (
    b"",
    b"0",
    b"5",
    b"-1",
    b"99999999999999999999",
    b"chunked",
    b"Chunked, gzip",
    b"identity",
    b"100-continue",
    b"close",
    b"keep-alive",
    b"application/json; charset=latin-1",
    b"multipart/form-data; boundary=x",
    b"application/xml",
    b"a=b; c; =",
    b"Basic !!!!",
    b"[::1",
    TOKEN.encode(),
)

_lines = st.binary(max_size=30)


def _sampled(values: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.sampled_from(values)


_methods = st.one_of(
    _sampled((b"GET", b"POST", b"PUT", b"DELETE", b"HEAD")),
    _sampled((b"PATCH", b"OPTIONS", b"CONNECT", b"PRI", b"get", b"")),
)
_targets = st.one_of(
    st.sampled_from(TARGETS).map(str.encode),
    st.sampled_from(TARGETS).map(str.encode),
    st.tuples(_sampled((b"/", GROUPS.encode() + b"/", b"*", b"http://x/")), _lines).map(b"".join),
)
_versions = st.one_of(
    st.just(b"HTTP/1.1"),
    st.just(b"HTTP/1.1"),
    _sampled((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.", b"http/1.1", b"")),
)
_headers = st.lists(
    st.one_of(
        st.tuples(_sampled(NAMES), _sampled(VALUES)).map(b": ".join),
        st.tuples(_sampled(NAMES), _lines).map(b":".join),
        _lines,
    ),
    max_size=3,
)
_bodies = st.one_of(_sampled(BODIES), st.binary(max_size=60))


@st.composite
def framed(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return the header that announces a body, and the body as it is sent."""
    body = draw(_bodies)
    kind = draw(st.sampled_from(("none", "length", "wrong length", "chunked", "bad chunks")))
    if kind == "none":
        return b"", b""
    if kind.endswith("length"):
        off = draw(st.integers(-3, 3)) if kind.startswith("wrong") else 0
        return b"Content-Length: %d\r\n" % (len(body) + off), body
    size = draw(st.integers(1, 40))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    end = draw(_sampled((b"0\r\n\r\n", b"0;x=y\r\nTrailer: t\r\n\r\n", b"00\r\n\r\n")))
    if kind == "bad chunks":
        end = draw(st.one_of(_lines, _sampled((b"\r\n", b"-0\r\n\r\n", b"f" * 20 + b"\r\n"))))
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return b"Transfer-Encoding: chunked\r\n", b"".join(chunks) + end


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a request, or what looks like one."""
    line = b" ".join((draw(_methods), draw(_targets), draw(_versions)))
    announced, body = draw(framed())
    token = draw(_sampled((b"", b"X-Auth-Token: %s\r\n" % TOKEN.encode())))
    headers = b"".join(header + b"\r\n" for header in draw(_headers))
    return line + b"\r\n" + token + announced + headers + b"\r\n" + body


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return a few requests after each other, with some bytes changed on the way."""
    data = bytearray(b"".join(draw(st.lists(requests(), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data in pieces of these sizes, over and over; in one, if there are none."""
    found, start = list[bytes](), 0
    while start < len(data):
        size = cuts[len(found) % len(cuts)] if cuts else len(data)
        found.append(data[start : start + size])
        start += size
    return found
