"""What anybody may do to a gateway before it is known who they are: no head without end, no connection for ever."""

import socket
from urllib.request import urlopen

import pytest

from pilotbase.gateway.app import running_gateway
from pilotbase.protocols import bounded_connection

LONG = b"x" * bounded_connection.HEAD_BYTES
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def address(place):
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(bounded_connection, "PATIENCE_SECONDS", 1.0)
        impatient.setattr(bounded_connection, "_LOOK_SECONDS", 0.2)
        with running_gateway(place.base.lab) as found:
            yield found


def answered(address, *parts) -> bytes:
    """Return what comes until the gateway closes, which it must; the last part is left unfinished."""
    host, _, port = address.removeprefix("http://").partition(":")
    found = b""
    with socket.create_connection((host, int(port)), timeout=60) as caller:
        try:
            for part in parts:
                caller.sendall(part)
            while said := caller.recv(1 << 16):
                found += said
        except ConnectionError:
            pass
    return found


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"X-Long: " + LONG + b"\r\n\r\n",),
        (HEAD + b"X-Long: " + LONG, LONG, LONG),
        (HEAD, *(b"X-%d: 1\r\n" % number for number in range(20_000)), b"\r\n"),
    ],
    ids=["a long header", "one without end", "many headers"],
)
def test_heads_are_bounded(address, parts):
    said = answered(address, *parts)
    assert said == b"" or b" 400 " in said, said[:200]


def test_trailers_are_bounded_too(address):
    begun = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: " + LONG
    answered(address, begun, LONG, LONG)


@pytest.mark.parametrize(
    "begun",
    [b"", HEAD + b"X-", HEAD + b"Content-Length: 1000\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_does_not_go_on_is_let_go(address, begun):
    answered(address, begun)
    with urlopen(f"{address}/health/live", timeout=60) as alive:
        assert alive.status == 200
