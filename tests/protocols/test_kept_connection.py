"""A kept connection: one for many calls, judged when it is made, with one deadline an exchange; over TLS as without."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, NoAnswerError
from pilotbase.protocols.kept_connection import BrokenOffError, KeptConnection, LateError, TooLargeError

GUARD = GuardedHttp(("127.0.0.1",))


class Answering(BaseHTTPRequestHandler):
    """Answers by the path that is asked for."""

    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/slow":
            self.server.over.wait(60)
        length = {"/half": 100, "/large": 5000}.get(self.path, 4)
        if self.path == "/junk":
            self.wfile.write(b"220 mail.example ESMTP\r\n")
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        if self.path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"some" if self.path != "/large" else b"x" * length)
        if self.path in ("/half", "/dies"):
            self.close_connection = True


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.connections, server.over, server.daemon_threads = 0, threading.Event(), True
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


def get(connection, server, path="/", seconds=5.0, most=1000, scheme="http"):
    url = f"{scheme}://127.0.0.1:{server.server_port}{path}"
    return connection.send(GuardedRequest("GET", url, most_bytes=most), seconds)


def kept(server, scheme="http", guard=GUARD):
    return KeptConnection(guard, f"{scheme}://127.0.0.1:{server.server_port}")


def test_many_calls_go_over_one_connection(server):
    connection = kept(server)
    assert [get(connection, server).body for _ in range(5)] == [b"some"] * 5
    assert server.connections == 1


@pytest.mark.parametrize("path", ["/last", "/dies"])
def test_one_that_the_other_end_has_closed_is_made_anew(server, path):
    connection = kept(server)
    assert get(connection, server, path).body == b"some"
    time.sleep(0.1)
    assert get(connection, server).body == b"some"
    assert server.connections == 2


@pytest.mark.parametrize(
    ("path", "error"), [("/half", BrokenOffError), ("/junk", BrokenOffError), ("/large", TooLargeError)]
)
def test_what_is_no_whole_answer_is_told_and_the_next_is_heard(server, path, error):
    connection = kept(server)
    with pytest.raises(error):
        get(connection, server, path)
    assert get(connection, server).body == b"some"


@pytest.mark.parametrize("size", [b"-1", b"-5"])
def test_a_chunk_of_less_than_nothing_is_no_answer(server, size):
    """`http.client` reads up to the end of the stream for -1, however much is allowed, and fails in no words for -5."""
    listening = socket.create_server(("127.0.0.1", 0))
    sent = 0

    def flood():
        nonlocal sent
        peer, _ = listening.accept()
        with peer, contextlib.suppress(OSError):
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")
            while sent < 64 << 20:
                peer.sendall(bytes(1 << 16))
                sent += 1 << 16

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with listening, pytest.raises(BrokenOffError):
        KeptConnection(GUARD, url).send(GuardedRequest("GET", url, most_bytes=1000), 10)
    thread.join(10)
    assert sent < 32 << 20


def test_an_exchange_has_one_deadline(server):
    connection, began = kept(server), time.monotonic()
    with pytest.raises(LateError):
        get(connection, server, "/slow", seconds=0.2)
    assert time.monotonic() - began < 30


def test_another_thread_cuts_it_off(server):
    connection = kept(server)
    threading.Timer(0.2, connection.abort).start()
    began = time.monotonic()
    with pytest.raises(NoAnswerError):
        get(connection, server, "/slow", seconds=8)
    assert time.monotonic() - began < 4


def test_the_address_is_judged_whenever_a_connection_is_made(server):
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    guard = GuardedHttp(("127.0.0.1",), resolve=lambda host, port: next(answers))
    connection = KeptConnection(guard, f"http://models.example:{server.server_port}")
    url = f"http://models.example:{server.server_port}"
    assert connection.send(GuardedRequest("GET", f"{url}/last"), 5).status == 200
    with pytest.raises(RefusedError):
        connection.send(GuardedRequest("GET", url), 5)
    with pytest.raises(InputError):
        KeptConnection(guard, "ftp://models.example")


@pytest.fixture
def secure(server, tmp_path):
    """Serve by TLS with a certificate of one's own making, and return its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "server.pem"
    file.write_bytes(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return file


def test_over_tls_a_connection_is_kept_where_the_certificate_is_trusted(server, secure, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(secure))
    connection = kept(server, "https")
    assert [get(connection, server, scheme="https").body for _ in range(3)] == [b"some"] * 3
    assert server.connections == 1
    with pytest.raises(LateError):
        get(connection, server, "/slow", seconds=0.2, scheme="https")


def test_a_certificate_that_nobody_trusts_is_refused(server, secure):
    with pytest.raises(NoAnswerError) as refused:
        get(kept(server, "https"), server, scheme="https")
    assert refused.value.code == "protocol.certificate_invalid"
