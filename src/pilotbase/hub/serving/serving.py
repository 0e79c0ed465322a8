"""One process that serves the hub: checked, prepared, started."""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.texts import Text, text
from pilotbase.hub.configuration import ENVIRONMENT, LOOPBACK, PREFIX, SETTINGS, HubConfiguration
from pilotbase.hub.serving.accounts import migrations_behind, set_up_django
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.home import home_path
from pilotbase.workspace.store import Clock, utc_now

_LOOK_SECONDS, _RESTART_SECONDS = 0.5, 2.0
_SHORT_LIFE_SECONDS, _LONGEST_PAUSE_SECONDS = 10.0, 300.0
"""A process that ends sooner has not come to work; after `_MOST_DEATHS` of those in a row it is tried that seldom."""
_MOST_DEATHS = 5
_SPACE = 256 << 20
"""Bytes that should be free: an upload, its encrypted copy, and the store's own journal."""
_END_SECONDS = 20.0
"""A worker gives its job back, a gateway ends its calls; after that they are killed, and the next one goes on."""
_MAIL_SECONDS = 5
_LISTENS_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_log = logging.getLogger("pilotbase.hub")


@dataclass(frozen=True)
class BindAddress:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def configure(place: BindAddress) -> HubConfiguration:
    """Return the settings for a hub at ``place``, whose own address is the public one where none is set.

    Raises:
        InputError: every problem of the settings at once; one is to listen beyond this machine without https.
    """
    os.environ.setdefault(f"{PREFIX}URL", place.url)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    configuration = HubConfiguration.from_environment()
    if place.host not in LOOPBACK and not configuration.secure:
        problem = text("hub.setting_insecure", found=place.url)
        raise InputError.at(ENVIRONMENT, f"{PREFIX}URL", problem)
    return configuration


def name_gateway(place: BindAddress) -> None:
    """Let pages name the gateway at ``place``, unless its public address is set; after `prepare`."""
    from django.conf import settings

    if not settings.CONFIGURATION.gateway:
        settings.CONFIGURATION = replace(settings.CONFIGURATION, gateway=place.url)


def problems(place: BindAddress) -> Iterator[Text]:
    """Yield everything that would keep a hub at ``place`` from serving, in sentences."""
    try:
        configuration, base = configure(place), None if is_to_be_made() else open_base()
    except InputError as error:
        yield from (text("hub.check_problem", path=issue.path, problem=issue.problem) for issue in error.issues)
        if not error.issues:
            yield from (error.text, error.hint)
        return
    except PilotbaseError as error:
        yield from (error.text, error.hint)
        return
    if base is not None:
        yield from _of_keys(base)
        yield from _of_blobs(base)
        yield from _of_database()
    yield from _of_place(place)
    yield from _of_space(home_path())
    yield from _of_mail(configuration)


def shortcomings() -> Iterator[Text]:
    """Yield what the hub can serve without, once `problems` has found none, and what `serve` does first itself."""
    probe = probe_host()
    if not probe.gives(IsolationLevel.L2):
        yield text("hub.check_no_boxes", level=IsolationLevel.L2)
    if is_to_be_made():
        yield text("hub.check_no_home", path=home_path())
    elif behind := _accounts_behind():
        yield text("hub.check_behind", count=behind)
    else:
        from pilotbase.hub.people.invitations import is_empty

        if is_empty():
            yield text("hub.check_nobody")


def prepare(clock: Clock = utc_now, first: Callable[[Base], None] = lambda base: None) -> None:
    """Open the base, making it where there is none, and bring the accounts to this version's tables.

    ``first`` is done with the base before anything else, under ``clock``. Raises as `open_base`.
    """
    base = open_base(create=True, clock=clock)
    set_up_django()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    first(base)
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.people.invitations import cut_memberships, register_base

    register_base()
    cut_memberships(operator_view())


def require_free(place: BindAddress) -> None:
    """Return if nothing else listens at ``place``, and this user may; raises `InputError`."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except (OSError, OverflowError) as error:  # overflow: the port after the last
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError("hub.place_taken", place=place.url, reason=reason) from error


def run(place: BindAddress) -> None:
    """Serve until interrupted."""
    import uvicorn
    from django.conf import settings

    from pilotbase.hub.pages.live import HEART
    from pilotbase.protocols.bounded_connection import BoundedConnection

    configuration = HubConfiguration.from_environment()
    tempfile.tempdir = settings.FILE_UPLOAD_TEMP_DIR  # large bodies wait where nobody else on this machine looks
    served = uvicorn.Config(
        "pilotbase.hub.asgi:application",
        host=place.host,
        port=place.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=configuration.proxies > 0,
        timeout_graceful_shutdown=10,
        http=BoundedConnection,
        lifespan="off",
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            HEART.ended = True  # or it would wait for open pages
            super().handle_exit(sig, frame)

    Server(served).run()


def when_listening(place: BindAddress, tell: Callable[[], None]) -> None:
    """Call ``tell`` in a thread as soon as somebody listens at ``place``, which was free before."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(place.host, place.host)  # noqa: S104 - read

    def look() -> None:
        while True:
            try:
                socket.create_connection((host, place.port), timeout=1).close()
            except OSError:
                time.sleep(_LISTENS_SECONDS)
            else:
                tell()
                return

    threading.Thread(target=look, name="waits for a listener", daemon=True).start()


@contextmanager
def kept_running(*command: str) -> Iterator[None]:
    """Keep one process of a ``pilotbase`` command running until the end of the block; one that ends is started again.

    The hub, the gateway and the worker are processes of their own: what ends one of them leaves the others alone. One
    that ends at once is started ever later, and from the fifth time in a row on every five minutes.
    """
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(command, stop), name=f"keeper of the {command[0]}")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep(command: Sequence[str], stop: threading.Event) -> None:
    deaths = 0
    while not stop.is_set():
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", "from pilotbase.cli import main; main()", *command],
            stdout=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
        )
        while process.poll() is None and not stop.wait(_LOOK_SECONDS):
            pass
        code = process.poll()
        if code is None:
            _end(process)
            return
        deaths = deaths + 1 if time.monotonic() - began < _SHORT_LIFE_SECONDS else 1
        pause = _RESTART_SECONDS * 2 ** (deaths - 1) if deaths < _MOST_DEATHS else _LONGEST_PAUSE_SECONDS
        said = "the %s ended with %s; another is started in %d s"
        if deaths >= _MOST_DEATHS:
            said += f"; it has ended at once {deaths} times in a row: see above why, and mend that"
        _log.log(logging.ERROR if deaths >= _MOST_DEATHS else logging.WARNING, said, command[0], code, pause)
        stop.wait(pause)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def is_to_be_made() -> bool:
    """Return whether `serve` makes the home: nothing is there yet."""
    return not home_path().exists() or not any(home_path().iterdir())


def _of_keys(base: Base) -> Iterator[Text]:
    missing = base.home.keys.missing()
    if missing:
        yield text("backup.keys_missing", keys=", ".join(missing), folder=base.home.keys.path)


def _of_blobs(base: Base) -> Iterator[Text]:
    try:
        base.lab.vault.blobs.require_place()
    except PilotbaseError as error:
        yield error.text


def _of_database() -> Iterator[Text]:
    from django.db import DatabaseError

    try:
        _accounts_behind()
    except DatabaseError as error:
        yield text("hub.check_database", reason=str(error).strip())


def _accounts_behind() -> int:
    set_up_django()
    return migrations_behind()


def _of_place(place: BindAddress) -> Iterator[Text]:
    try:
        require_free(place)
    except InputError as error:
        yield error.text


def _of_space(home: Path) -> Iterator[Text]:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < _SPACE:
        yield text("hub.check_space", path=home, free=free, wanted=_SPACE)


def _of_mail(configuration: HubConfiguration) -> Iterator[Text]:
    """Yield that no mail server answers where one is named; the password is not tried."""
    if configuration.mail in ("folder", "console"):
        return
    server = urlsplit(configuration.mail)
    port = server.port or (465 if server.scheme == "smtps" else 587)
    try:
        socket.create_connection((server.hostname or "localhost", port), _MAIL_SECONDS).close()
    except OSError as error:
        yield text("hub.check_mail", host=server.hostname, port=port, reason=error.strerror or str(error))
