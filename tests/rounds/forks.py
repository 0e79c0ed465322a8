"""Forks hubs and workers on demand: they start in milliseconds, because this process has imported everything.

    python -m tests.rounds.forks PORT

It answers {"<person>": "<token>", …} once the accounts are made; then, for each line ``web 0`` or ``worker 0`` on
standard input, the number of a new process. ``web 17`` makes one that kills itself before its 17th statement or commit,
``web -2`` one that does so right after its second write to the store.

What is forked is what `pilotbase serve --no-worker` and `pilotbase worker` run; it ends with this process.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import sys
import threading
from datetime import timedelta

from django.db.backends.signals import connection_created
from sqlalchemy import Connection, Engine, event

from pilotbase.documents.hashes import hash_secret
from pilotbase.hub.serving import serving

PEOPLE = {
    "owner": ("plant", "demand_owner"),
    "supplier": ("acme", "supplier"),
    "desk": ("base", "operator"),
    "planner": ("base", "operator"),
    "signer": ("base", "operator"),
    "reviewer": ("institute", "reviewer"),
}
LEASE_SECONDS = 1
_libc = ctypes.CDLL(None)


def main() -> None:
    place = serving.BindAddress(port=int(sys.argv[1]))
    serving.configure(place)
    serving.prepare()
    import pilotbase.hub.asgi
    import pilotbase.hub.urls
    import pilotbase.worker.jobs.worker  # noqa: F401 - imported before forking

    _say(make_accounts())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        kind, fuse = line.split()
        _say(_fork(kind, int(fuse), place))


def make_accounts() -> dict[str, str]:
    """Return the API token of each person, whose account is made."""
    from django.db import connections
    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Membership, Person
    from pilotbase.hub.people.tokens import new_secret

    tokens = {}
    for name, (organisation, role) in PEOPLE.items():
        person = Person.objects.create(identity=f"p-{name}", email=f"{name}@example.org", name=name)
        Membership.objects.create(person=person, organisation=organisation, roles=[role])
        tokens[name] = new_secret("pilot")
        end, hashed = timezone.now() + timedelta(days=1), hash_secret(tokens[name])
        ApiToken.objects.create(
            person=person, organisation=organisation, label="t", scope="write", secret_hash=hashed, expires_at=end
        )
    connections.close_all()
    return tokens


def _fork(kind: str, fuse: int, place: serving.BindAddress) -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _libc.prctl(1, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    try:
        if fuse:
            _light(fuse)
        if kind == "web":
            serving.run(place)
        else:
            _work()
    finally:
        os._exit(1)


def _light(fuse: int) -> None:
    """Let this process kill itself: before its so many-th statement of store or accounts, or after so many writes."""
    statements, written = itertools.count(1), 0

    def burn(*_: object) -> None:
        if next(statements) == fuse or written == -fuse:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(connection: Connection) -> None:
        nonlocal written
        burn()
        written += bool(connection.get_execution_options().get("pilotbase_writes"))

    def before(execute, *statement):  # type: ignore[no-untyped-def] # Django's wrapper of a statement
        burn()
        return execute(*statement)

    event.listen(Engine, "before_cursor_execute", burn)
    event.listen(Engine, "commit", commit)
    connection_created.connect(lambda connection, **_: connection.execute_wrappers.append(before), weak=False)


def _work() -> None:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.jobs.worker import JobWorker, default_name

    JobWorker(open_base(), default_name(), LEASE_SECONDS).work(threading.Event())


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
