"""What ``serve --check`` looks at: everything that would keep a hub from serving, and what its people would miss."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pilotbase.compute.box.probe import probe_host
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.texts import Text, text
from pilotbase.hub.configuration import HubConfiguration
from pilotbase.hub.process.serving import BindAddress, configure, require_free
from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.home import home_path

SPACE = 256 << 20
"""Bytes that should be free: an upload, its encrypted copy, and the store's own journal."""
_SECONDS = 5


def problems(place: BindAddress) -> Iterator[Text]:
    """Yield everything that would keep a hub at ``place`` from serving, in sentences."""
    try:
        configuration, base = configure(place), None if _is_to_be_made() else open_base()
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
    if _is_to_be_made():
        yield text("hub.check_no_home", path=home_path())
    elif behind := _accounts_behind():
        yield text("hub.check_behind", count=behind)
    else:
        from pilotbase.hub.people.first import is_empty

        if is_empty():
            yield text("hub.check_nobody")


def _is_to_be_made() -> bool:
    """Tell whether `serve` makes the home: nothing is there yet."""
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
    import django

    django.setup(set_prefix=False)
    from pilotbase.hub.process.account_backup import migrations_behind

    return migrations_behind()


def _of_place(place: BindAddress) -> Iterator[Text]:
    try:
        require_free(place)
    except InputError as error:
        yield error.text


def _of_space(home: Path) -> Iterator[Text]:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < SPACE:
        yield text("hub.check_space", path=home, free=free, wanted=SPACE)


def _of_mail(configuration: HubConfiguration) -> Iterator[Text]:
    """Yield that no mail server answers where one is named; the password is not tried."""
    if configuration.mail in ("folder", "console"):
        return
    server = urlsplit(configuration.mail)
    port = server.port or (465 if server.scheme == "smtps" else 587)
    try:
        socket.create_connection((server.hostname or "localhost", port), _SECONDS).close()
    except OSError as error:
        yield text("hub.check_mail", host=server.hostname, port=port, reason=error.strerror or str(error))
