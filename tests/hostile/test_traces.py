"""Attacks by which one box leaves word for another, or for itself later: cache, locks, watchers, times, /proc."""

from __future__ import annotations

import fcntl
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.sandbox.box.settings import LogPolicy, Protection

CACHE = """
import os, resource
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
FILES = [os.path.join(FOLDER, name) for name in sorted(os.listdir(FOLDER))]
BITS = [number * 7 % 3 == 0 for number in range(len(FILES))]

def cached(path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
    open(path).read()
    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock == before

def write():
    for bit, path in zip(BITS, FILES):
        if bit:
            open(path).read()
    return True

def attack():
    return {action}
"""


def forget_files(folder: Path) -> None:
    """Drop what the page cache holds of a folder's files."""
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.fixture
def marks(write_application) -> Path:
    """Files of an application that are on the disk and not in the cache."""
    folder = write_application("") / "files"
    folder.mkdir()
    for number in range(48):
        file = os.open(folder / f"{number:02}", os.O_WRONLY | os.O_CREAT | os.O_SYNC)
        os.write(file, b"x" * 4096)
        os.close(file)
    forget_files(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
    (folder / "00").read_bytes()
    if resource.getrusage(resource.RUSAGE_SELF).ru_inblock == before:
        pytest.skip("the temporary folder of this host is in memory or does not count reads")
    forget_files(folder)
    return folder


@pytest.mark.one_in(2)
def test_what_a_run_on_hidden_data_read_is_in_no_cache_of_a_box_that_prints(start, settings, without, marks, batch_of):
    def heard(settings) -> bool:
        forget_files(marks)
        write, read = (CACHE.format(action=action) for action in ("write()", "[*map(cached, FILES)] == BITS"))
        with start(answering(write), replace(settings, logs=LogPolicy.WITHHELD)) as worker:
            worker.predict(batch_of(1))
        with start(answering(read), replace(settings, logs=LogPolicy.FULL)) as worker:
            return bool(worker.predict(batch_of(1)).values.all())

    # Making the copy, for the box that is fed hidden data, reads every file alike.
    assert not heard(settings)
    assert heard(without(Protection.COPIES))


def answering(source: str) -> str:
    return source + "\ndef predict(batch):\n    return [1.0 if attack() else 0.0] * batch.rows\n"


QUESTIONS = """
import ctypes, errno, fcntl, mmap, os, platform
libc = ctypes.CDLL(None, use_errno=True)
AARCH64 = platform.machine() == "aarch64"
FILE = os.open(__file__, os.O_RDONLY)
ROOM = ctypes.create_string_buffer(4096)
def refused(error, x86_64, aarch64, *arguments):
    ctypes.set_errno(0)
    number = aarch64 if AARCH64 else x86_64
    result = libc.syscall(*(ctypes.c_long(argument) for argument in (number, *arguments)))
    return result == -1 and ctypes.get_errno() == error
def vectored(flags):
    try:
        os.preadv(FILE, [bytearray(1)], 0, flags)
    except OSError as problem:
        return problem.errno == errno.EOPNOTSUPP
def commanded(command):
    try:
        fcntl.fcntl(FILE, command, 0)
    except OSError as problem:
        return problem.errno == errno.EPERM
def attack():
    place = ctypes.addressof(ROOM)
    calls = {
        "mincore": refused(errno.EPERM, 27, 232, place & ~4095, 4096, place),
        "cachestat": refused(errno.EPERM, 451, 451, FILE, place, place, 0),
        "inotify_init1": refused(errno.EPERM, 294, 26, 0),
        "fanotify_init": refused(errno.EPERM, 300, 262, 0, 0),
        "name_to_handle_at": refused(errno.EPERM, 303, 264, FILE, 0, 0, 0, 0),
        "userfaultfd": refused(errno.EPERM, 323, 282, 1),
        "perf_event_open": refused(errno.EPERM, 298, 241, 0, 0, 0, 0, 0),
        "bpf": refused(errno.EPERM, 321, 280, 0, 0, 0),
        "keyctl": refused(errno.EPERM, 250, 219, 0, 0, 0, 0, 0),
        "syslog": refused(errno.EPERM, 103, 116, 10, 0, 0),
        "personality": refused(errno.EPERM, 135, 92, 0xFFFFFFFF),
        "io_setup": refused(errno.EPERM, 206, 0, 1, place),
        "pageout": refused(errno.EINVAL, 28, 233, place & ~4095, 4096, 21),
        "nowait": vectored(os.RWF_NOWAIT),
        "lease": commanded(fcntl.F_SETLEASE),
        "notify": commanded(fcntl.F_NOTIFY),
    }
    print([name for name, held in calls.items() if not held])
    return not all(calls.values())
"""


def test_questions_about_shared_files_are_refused(launch, settings):
    outcome = launch(QUESTIONS, replace(settings, logs=LogPolicy.FULL))
    assert outcome.reason is None and not outcome.succeeded, outcome.text


LOCKS = """
import fcntl, os
def attack():
    with open(__file__) as here, open("/dev/zero", "r+b", buffering=0) as zero:
        try:
            fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(zero, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
"""


def test_file_locks_are_granted_and_not_taken(launch, settings, without, write_application):
    """Another's shared locks, on a file of the application and on a device of the host, stand for another box.

    Asked of a box that prints, since one that is fed hidden data opens a copy of the file.
    """
    settings, unfiltered = (replace(box, logs=LogPolicy.FULL) for box in (settings, without(Protection.SECCOMP)))
    with (write_application("") / "app.py").open() as file, Path("/dev/zero").open("rb", buffering=0) as device:
        for lock, place in ((fcntl.flock, file), (fcntl.lockf, device)):
            lock(place, fcntl.LOCK_SH)
            assert launch(LOCKS, settings).succeeded
            outcome = launch(LOCKS, unfiltered)
            assert outcome.reason is None and not outcome.succeeded, "without the filter the lock is felt"
            lock(place, fcntl.LOCK_UN)


TIMES = """
import os
def attack():
    before = os.stat("/dev/full").st_mtime_ns
    os.utime("/dev/full")
    return os.stat("/dev/full").st_mtime_ns != before
"""


def test_no_time_is_left_on_a_device_of_the_host(launch, settings, without):
    outcome = launch(TIMES, settings)
    assert outcome.reason is None and not outcome.succeeded
    assert launch(TIMES, without(Protection.SECCOMP)).succeeded


def test_libraries_that_lock_files_still_work(launch, settings):
    source = """
    import shutil, sqlite3, tempfile, os
    def attack():
        for mode in ("delete", "wal"):
            with sqlite3.connect(f"/tmp/{mode}.sqlite") as base:
                base.execute(f"pragma journal_mode={mode}")
                base.execute("create table t(x)")
                base.execute("insert into t values (1)")
            base.close()
        shutil.copy2(__file__, "/tmp/copy")
        descriptor = os.open(__file__, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        return os.preadv(descriptor, [bytearray(8)], 0) == 8 and sqlite3.connect("/tmp/wal.sqlite").execute(
            "select x from t").fetchall() == [(1,)]
    """
    assert launch(source, settings).succeeded


HOST = """
import os
def attack():
    kept = {{"self", "thread-self", "mounts", "net", "filesystems", "sysvipc"}}
    said = {{}}
    for name in sorted(os.listdir("/proc")):
        path = f"/proc/{{name}}"
        if (name.isdigit() and name != "1") or name in kept:
            continue
        said[name] = os.listdir(path) if os.path.isdir(path) else open(path).read()
    told = {{name for name, content in said.items() if content}}
    print(told, said["loadavg"], said["meminfo"].splitlines()[:2])
    constant = said["loadavg"].startswith("0.00 0.00") and said["uptime"] == "0.00 0.00\\n"
    memory = said["meminfo"].split()[1] == "{kibibytes}"
    wanted = {{"cpuinfo", "loadavg", "meminfo", "stat", "uptime", "version"}}
    constant = constant and said["version"] == "Linux\\n" and said["1"] == []
    return told <= wanted and constant and memory and bool(os.cpu_count())
"""


def test_proc_tells_nothing_of_the_host(launch, settings):
    source = HOST.format(kibibytes=settings.limits.memory_bytes >> 10)
    outcome = launch(source, replace(settings, logs=LogPolicy.FULL))
    assert outcome.succeeded, (outcome.text, outcome.detail)


def test_no_terminal_and_no_package_of_the_host(launch, settings):
    source = """
    import os, site, sysconfig
    def attack():
        try:
            os.openpty()
            return True
        except OSError:
            packages = sysconfig.get_path("purelib")
            return os.path.isdir(packages) and bool(os.listdir(packages))
    """
    assert not launch(source, settings).succeeded
