"""What the tests of channels share: a parcel with a hostile title, and a local robot that answers as its vendor's."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pilotbase.documents.base import Localized
from pilotbase.documents.notice import Notice, NoticeBody, NoticeKind
from pilotbase.notices.channel import Carriers, Parcel, Sender, SendResult
from pilotbase.notices.channels import CHANNELS
from pilotbase.protocols.guarded_http import GuardedHttp

NOW = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)
NOTICE = Notice(
    identity="a" * 32,
    kind=NoticeKind.QUESTION,
    subject="scenario:plant/milling",
    organisation="plant",
    body=NoticeBody(
        title=Localized(en="Mill\u202e **[x](https://evil.example)** <@all>", zh='铣削 <at user_id="all">'),
        organisation="acme",
    ),
    made_at=NOW,
)
SENDER = Sender("base", "https://base.example", lambda name, language: {"en": "Acme", "zh": "爱克美"}[language])


def parcel(address: str, secret: str = "", language: str = "en", words: int = 0) -> Parcel:
    """A parcel with one notice; ``words``: how many characters its title is longer by."""
    title = Localized(en=NOTICE.body.title.en + "字" * words, zh=NOTICE.body.title.zh + "字" * words)
    notice = NOTICE.model_copy(update={"body": NOTICE.body.model_copy(update={"title": title})})
    return Parcel("msg_1", [notice], address, language, secret, NOW, SENDER)


@dataclass
class Robot:
    """The other end: ``judge`` gets path, query and body and returns the answer of a real one."""

    judge: Callable[[str, dict[str, list[str]], dict], dict]
    url: str = ""
    got: list[dict] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """What to answer first, whatever comes."""


@contextmanager
def robot(judge) -> Iterator[Robot]:
    here = Robot(judge)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"].startswith("application/json")
            status, answer = 200, b""
            if here.answers:
                status, answer = here.answers.pop(0)
            else:
                body = json.loads(raw.decode())
                here.got.append(body)
                answer = json.dumps(here.judge(parts.path, parse_qs(parts.query), body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()


def send(channel: str, to: Parcel) -> SendResult:
    return CHANNELS[channel].send(to, Carriers(GuardedHttp(("127.0.0.1",), seconds=5), None))
