"""A headless client: one kept connection, cookies, the CSRF token of the last page."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.hub.accounts import PASSWORD, email_of

_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
_TIMEOUT = 60
_KEPT_SECONDS = 4.0
"""The server closes a connection that is idle for five seconds."""


@dataclass(frozen=True)
class Answer:
    """The response, and the milliseconds from sending the request until it was complete."""

    status: int
    milliseconds: float
    body: bytes
    headers: dict[str, str]


class Browser:
    """Talks to the hub at ``url``."""

    def __init__(self, url: str, language: str = "en") -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        self._cookies: dict[str, str] = {}
        self._headers = {"Accept-Language": language, "Origin": url, "Referer": url + "/"}
        self._token = b""
        self._last = 0.0

    def log_in(self, name: str) -> None:
        """Log in as the person of an organisation; raises `AssertionError` if the hub refuses."""
        self.get("/account/login/")
        answer = self.post("/account/login/", {"login": email_of(name), "password": PASSWORD})
        assert answer.status == 302, (name, answer.status)
        self.get("/work/")

    def get(self, path: str) -> Answer:
        """Request a page."""
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """Send a form, with the token of the last page that had one."""
        form = urlencode({**fields, "csrfmiddlewaretoken": self._token.decode()}).encode()
        return self._ask("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, method: str, path: str, body: bytes) -> Answer:
        """Send a document to the API."""
        return self._ask(method, path, body, {"Content-Type": "application/json", "X-CSRFToken": self._token.decode()})

    def _ask(self, method: str, path: str, body: bytes | None = None, more: dict[str, str] | None = None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {**self._headers, "Cookie": cookies, **(more or {})}
        start = time.perf_counter()
        if start - self._last > _KEPT_SECONDS:
            self._connection.close()
        self._connection.request(method, quote(path, safe="/?&=:%+"), body, headers)
        response = self._connection.getresponse()
        content = response.read()
        self._last = time.perf_counter()
        milliseconds = (self._last - start) * 1000
        for line in response.headers.get_all("Set-Cookie") or []:
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        if found := _TOKEN.search(content):
            self._token = found[1]
        return Answer(response.status, milliseconds, content, dict(response.headers))
