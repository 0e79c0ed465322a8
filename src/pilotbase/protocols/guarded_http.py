"""The only HTTP client for addresses that users enter: it reaches the open internet and nothing behind it.

The name is resolved once, all its addresses are checked, and the connection goes to exactly the address that was
checked, so a name server that answers differently the next time gains nothing. Redirects aren't followed, proxies
aren't used, and little of the answer is read. The operator can list additional hosts and networks to allow.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError

Resolver = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAXIMUM_URL = 2000
MAXIMUM_ANSWER_BYTES = 64 << 10
_PORTS = {"https": 443, "http": 80}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that contain an IPv4 address in their last 32 bits (RFC 6052)."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""The only IPv6 addresses that IANA has given out for the internet."""
_SPECIAL: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",
            "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
        ),
    )
)  # fmt: skip
"""Of the registries of special-purpose addresses (IANA, RFC 6890, as of 2025), whole; and the wire server of a cloud.

What Python calls global changes with its version, and left out some of these for years.
"""


class NoAnswerError(PilotbaseError):
    """The other end could not be reached, or did not answer in time."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Return the addresses of ``host``; raises `OSError` where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True)
class GuardedResponse:
    """What came back: the status, and the beginning of the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name; of several of one name the last."""


@dataclass(frozen=True)
class GuardedRequest:
    """The request, and how much of the answer to read."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int = MAXIMUM_ANSWER_BYTES


@dataclass(frozen=True)
class GuardedHttp:
    """A client with the operator's exceptions beyond the open internet.

    ``allowed`` contains host names and networks (``hooks.internal``, ``10.1.0.0/16``, ``127.0.0.1``). Only these are
    reached over plain http.
    """

    allowed: tuple[str, ...] = ()
    seconds: float = 10.0
    """For the whole exchange."""
    resolve: Resolver = field(default=system_resolver, repr=False)

    def check(self, url: str) -> None:
        """Return if ``url`` may be called now.

        Raises:
            InputError: it is no address of http or https.
            RefusedError: it leads to a private, loopback, link-local or other special address.
            NoAnswerError: its name cannot be resolved.
        """
        self.judged(parts_of(url))

    def lists(self, url: str) -> bool:
        """Return whether the operator lists the host of ``url``, or the address it has now; raises as `check`."""
        parts = parts_of(url)
        address = self.judged(parts)
        return parts.hostname in self.allowed or any(address in network for network in networks_in(self.allowed))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> GuardedResponse:
        """Send ``body`` and return the answer, whatever its status; raises as `send`."""
        return self.send(GuardedRequest("POST", url, body, headers))

    def send(self, request: GuardedRequest) -> GuardedResponse:
        """Send ``request`` and return the answer, whatever its status.

        Raises as `check`, and `NoAnswerError` if the other end doesn't answer in time.
        """
        parts = parts_of(request.url)
        address = self.judged(parts)
        connection = Pinned(parts, str(address), self.seconds)
        timer = threading.Timer(self.seconds, connection.abort)
        timer.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(request.method, target, body=request.body, headers=dict(request.headers))
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return GuardedResponse(response.status, response.read(request.most_bytes), headers)
        except ssl.SSLCertVerificationError as error:
            raise NoAnswerError("protocol.certificate_invalid", host=parts.hostname) from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError("protocol.unreachable", host=parts.hostname) from error
        finally:
            timer.cancel()
            connection.close()

    def judged(self, parts: SplitResult) -> Address:
        """Return the address to connect to, once every address of the host has been judged; raises as `check`."""
        host = parts.hostname or ""
        try:
            found = [ipaddress.ip_address(one.partition("%")[0]) for one in self.resolve(host, _port(parts))]
        except (OSError, ValueError) as error:
            raise NoAnswerError("protocol.unknown_host", host=host) from error
        if not found:
            raise NoAnswerError("protocol.unknown_host", host=host)
        judge(host, parts.scheme, found, self.allowed)
        return found[0]


def judge(host: str, scheme: str, addresses: Sequence[Address], allowed: Sequence[str]) -> None:
    """Check that ``host`` with its ``addresses`` may be called; ``allowed`` as in `GuardedHttp`.

    Raises:
        RefusedError: one of them is private, loopback, link-local or otherwise special; or http where https is
            required.
    """
    listed = [address for address in addresses if any(address in network for network in networks_in(allowed))]
    if host not in allowed and any(not is_open(one) and one not in listed for one in addresses):
        raise RefusedError("protocol.address_denied", host=host)
    if scheme == "http" and host not in allowed and len(listed) != len(addresses):
        raise RefusedError("protocol.https_needed", host=host)


def is_open(address: Address) -> bool:
    """Return whether ``address`` is on the open internet: unicast, not special, and embedding no special one."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _TRANSLATED:
            hidden.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inside = [one for one in hidden if one is not None]
        if inside:
            return all(is_open(one) for one in inside)
    unicast = address.version == 4 or address in _UNICAST
    return unicast and not any(address in network for network in _SPECIAL)


def networks_in(names: Sequence[str]) -> list[Network]:
    """Return the ``names`` that are networks or addresses."""
    found: list[Network] = []
    for name in names:
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError:
            continue
    return found


def parts_of(url: str) -> SplitResult:
    """Return the parts of an address of http or https; raises `InputError`."""
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError:
        raise InputError("protocol.no_address") from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAXIMUM_URL
    if not plain or parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise InputError("protocol.no_address")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 0)


class _Response(http.client.HTTPResponse):
    """An answer whose chunks have a length: `http.client` takes -1 for all that ever comes, past any bound."""

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError(size)  # `http.client` reports it as `IncompleteRead`, like a size that isn't a number
        return size


class Pinned(http.client.HTTPConnection):
    """A connection to one address, which speaks to the host by its name: in TLS and in the header Host."""

    response_class = _Response

    def __init__(self, parts: SplitResult, address: str, seconds: float) -> None:
        super().__init__(parts.hostname or "", _port(parts), timeout=seconds)
        self.default_port = _PORTS[parts.scheme]
        self._address, self._secure = address, parts.scheme == "https"
        self._aborted = False

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = plain
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
        if self._aborted:
            raise TimeoutError

    def abort(self) -> None:
        """Cut the exchange off: a peer that sends a byte now and then is never waited for."""
        self._aborted = True
        if self.sock is not None:
            cut_off(self.sock)


def cut_off(connected: socket.socket) -> None:
    """End what another thread waits for on a socket."""
    with suppress(OSError):
        # Of the socket below TLS: the TLS object is in use in the other thread.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
