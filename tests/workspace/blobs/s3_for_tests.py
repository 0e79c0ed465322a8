"""A real S3 server on loopback (moto), with a bucket, that can be told to refuse, to break off, or to kill who asks."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from moto.s3.models import S3Backend, s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET = "base"
_ACCOUNT = "123456789012"
Application = Callable[[dict, Callable], Iterable[bytes]]


@dataclass
class S3Server:
    """What the server was asked, and what it does to the next who asks."""

    port: int = 0
    sent: list[str] = field(default_factory=list)
    """Paths of the objects whose bytes were sent, whole or in part."""
    busy: int = 0
    """How many more requests that change something are told to come later."""
    broken: int = 0
    """How many more such requests break off when half of their body has come."""
    kills: tuple[int, int] | None = None
    """A process, and after how many more such requests it is killed in the middle of the next."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "for-tests",
            "AWS_SECRET_ACCESS_KEY": "for-tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def age(self, path: str, by: timedelta) -> None:
        """Let an object have been written earlier than it was."""
        self.backend.buckets[BUCKET].keys[path.removeprefix(f"{BUCKET}/")].last_modified -= by

    @property
    def backend(self) -> S3Backend:
        return s3_backends[_ACCOUNT]["aws"]

    def wrap(self, application: Application) -> Application:
        def asked(environ: dict, start: Callable) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "PUT" and "HTTP_X_AMZ_COPY_SOURCE" not in environ:
                self.sent.append(environ["PATH_INFO"].removeprefix("/"))
            if environ["REQUEST_METHOD"] in ("PUT", "POST"):
                if self.kills is not None:
                    process, left = self.kills
                    self.kills = (process, left - 1) if left else None
                    if not left:
                        os.kill(process, signal.SIGKILL)
                        raise ConnectionAbortedError
                if self.broken:
                    self.broken -= 1
                    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) // 2)
                    raise ConnectionAbortedError
                if self.busy:
                    self.busy -= 1
                    start("503 Slow Down", [("Content-Type", "application/xml")])
                    return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
            return application(environ, start)

        return asked


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_) -> None:
        pass


@contextmanager
def s3_server() -> Iterator[S3Server]:
    told = S3Server()
    application = told.wrap(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    told.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.backend.create_bucket(BUCKET, "us-east-1")
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
