"""The client that calls addresses of users reaches the open internet, what the operator lists, and nothing else."""

import socket
import threading
import time

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.protocols.guarded_http import GuardedHttp, NoAnswerError
from tests.protocols.receivers_for_tests import receiving

DENIED = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:a00:1:0:0:f5ff:fffe", "::127.0.0.1",
    "192.0.0.192", "192.0.0.9", "168.63.129.16", "100.100.100.200", "192.88.99.1", "203.0.113.7", "198.51.100.1",
    "fec0::1", "fd00:ec2::254", "5f00::1", "3fff::1", "2001:20::1", "64:ff9b:1::1", "100::1", "64:ff9b::a83f:8110",
    "::ffff:168.63.129.16", "4000::1",
]  # fmt: skip


def client(*addresses, allowed=()):
    return GuardedHttp(allowed, seconds=2, resolve=lambda host, port: addresses)


@pytest.mark.parametrize("address", DENIED)
def test_private_and_special_addresses_are_denied(address):
    with pytest.raises(RefusedError) as caught:
        client(address).check("https://hooks.example/x")
    assert caught.value.code == "protocol.address_denied"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "2a00::1", "2400:cb00::1"]
)
def test_the_open_internet_is_reached(address):
    client(address).check("https://hooks.example/x")


def test_one_private_address_among_others_is_enough_to_deny():
    with pytest.raises(RefusedError):
        client("8.8.8.8", "10.0.0.1").check("https://hooks.example/")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_loopback_lead_nowhere(host):
    with pytest.raises((RefusedError, NoAnswerError)):
        GuardedHttp().check(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    ["ftp://x/", "file:///etc/passwd", "https://", "https://u:p@x/", "https://x/#y", "//x/", "https://x:99999/", "x",
     "https://x/ y", "https://x/\r\nHost: y", "https://münchen.example/", "https://x/" + "a" * 2000],
)  # fmt: skip
def test_what_is_no_address_is_told(url):
    with pytest.raises(InputError):
        client("8.8.8.8").check(url)


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "hooks.example"])
def test_the_operator_may_list_hosts_and_networks(allowed):
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        answer = client("127.0.0.1", allowed=(allowed,)).post(url, b"{}", {"X-Kind": "test"})
        assert answer.status == 204
        path, headers, body = receiver.got[0]
        assert (path, body, headers["x-kind"]) == ("/hook?x=1", b"{}", "test")
        assert headers["host"] == f"hooks.example:{receiver.port}"


def test_plain_http_goes_to_listed_addresses_only():
    with pytest.raises(RefusedError) as caught:
        client("8.8.8.8", allowed=("10.0.0.0/8",)).check("http://hooks.example/")
    assert caught.value.code == "protocol.https_needed"


def test_the_connection_goes_to_the_address_that_was_judged():
    """A name server that answers differently the second time is asked once only."""
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    asked = []

    def resolve(host, port):
        asked.append(host)
        return next(answers)

    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebinding.example")
        assert GuardedHttp(("127.0.0.1",), resolve=resolve).post(url, b"", {}).status == 204
    assert asked == ["rebinding.example"]


def test_no_redirect_is_followed():
    with receiving(302) as receiver, receiving() as other:
        receiver.location = other.url
        assert client("127.0.0.1", allowed=("127.0.0.1",)).post(receiver.url, b"", {}).status == 302
        assert other.got == []


def test_no_proxy_is_asked(monkeypatch):
    with receiving() as receiver, receiving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        client("127.0.0.1", allowed=("127.0.0.1",)).post(receiver.url, b"", {})
        assert proxy.got == []


def test_a_peer_that_answers_a_byte_at_a_time_is_cut_off():
    server = socket.create_server(("127.0.0.1", 0))

    def drip():
        peer, _ = server.accept()
        with peer:
            try:
                for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
                    peer.sendall(bytes([byte]))
                    time.sleep(0.1)
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    start = time.monotonic()
    with pytest.raises(NoAnswerError):
        GuardedHttp(("127.0.0.1",), seconds=0.5).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {})
    assert time.monotonic() - start < 30, "the answer would drip for a minute"
    server.close()


def test_a_peer_without_a_valid_certificate_gets_nothing():
    server = socket.create_server(("127.0.0.1", 0))
    got = []

    def greet():
        peer, _ = server.accept()
        with peer:
            got.append(peer.recv(100))
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    threading.Thread(target=greet, daemon=True).start()
    with pytest.raises(NoAnswerError):
        GuardedHttp(("127.0.0.1",), seconds=1).post(f"https://127.0.0.1:{server.getsockname()[1]}/", b"secret", {})
    assert b"secret" not in got[0]
    server.close()


def test_nobody_at_the_other_end_is_told():
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with pytest.raises(NoAnswerError):
        GuardedHttp(("127.0.0.1",), seconds=1).post(f"http://127.0.0.1:{port}/", b"", {})
    with pytest.raises(NoAnswerError):
        client().check("https://nobody.example/")
