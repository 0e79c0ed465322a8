"""Attacks that reach for what is not theirs: files, environment, descriptors, network, processes, the kernel."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.sandbox.box import box, command
from pilotbase.sandbox.box import warm_worker as worker
from pilotbase.sandbox.box.box import BoxStartError
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import Interpreter, Protection


def test_the_files_of_the_host(launch, settings, unprotected, folder):
    labels = folder / "labels.csv"
    labels.write_text("case,label\n1,true\n")
    source = f"""
    def attack():
        for path in ({str(labels)!r}, "/etc/passwd", "/proc/1/root/etc/passwd", "/proc/self/root/../etc/passwd"):
            try:
                if open(path).read():
                    return True
            except OSError:
                pass
        return False
    """
    assert launch(source, unprotected).succeeded
    outcome = launch(source, settings)
    assert outcome.reason is None and not outcome.succeeded


def test_the_names_of_other_suppliers_and_homes(launch, settings, unprotected, folder):
    source = f"""
    import os
    def attack():
        places = ("/home", "/var", "/etc/ssl", {str(folder.parent)!r})
        return any(os.path.exists(path) and os.listdir(path) for path in places)
    """
    assert launch(source, unprotected).succeeded
    assert not launch(source, settings).succeeded


def test_the_environment(launch, settings, unprotected, monkeypatch):
    monkeypatch.setenv("PILOTBASE_TEST_SECRET", "s3cret")
    source = """
    import os
    def attack():
        seen = str(os.environ)
        for pid in [entry for entry in os.listdir("/proc") if entry.isdigit()]:
            try:
                seen += open(f"/proc/{pid}/environ").read()
            except OSError:
                pass
        return "s3cret" in seen
    """
    assert launch(source, unprotected).succeeded
    assert not launch(source, settings).succeeded


def test_inherited_descriptors(launch, settings, unprotected, tmp_path):
    secret = tmp_path / "labels"
    secret.write_text("true,false,true")
    source = """
    import os
    def attack():
        found = b""
        for descriptor in range(3, 200):
            try:
                found += os.pread(descriptor, 100, 0)
            except OSError:
                pass
        for pid in [entry for entry in os.listdir("/proc") if entry.isdigit()]:
            try:
                for name in os.listdir(f"/proc/{pid}/fd"):
                    target = os.readlink(f"/proc/{pid}/fd/{name}")
                    found += target.encode()
            except OSError:
                pass
        return b"true,false,true" in found or b"labels" in found
    """
    with secret.open() as stream:
        os.set_inheritable(stream.fileno(), True)
        assert launch(source, unprotected).succeeded
        assert not launch(source, settings).succeeded


def test_only_six_descriptors_are_open(launch, settings):
    source = """
    import os
    def attack():
        links = []
        for number in range(256):
            try:
                links.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                pass
        print(links)
        return len(links) != 6 or not {link.partition(":")[0] for link in links} <= {"pipe", "/dev/null", "/memfd"}
    """
    outcome = launch(source, settings)
    assert outcome.reason is None and not outcome.succeeded


def test_the_memory_that_brings_batches_neither_grows_nor_shrinks(launch, settings):
    """Nobody counts it, so a box must not keep more in it; we write to it, so a box must not cut it short."""
    source = """
    import ctypes, mmap, os, re
    def links():
        for number in range(256):
            try:
                if "pilotbase-batch" in os.readlink(f"/proc/self/fd/{number}"):
                    yield number
            except OSError:
                pass
    def through(action, *arguments):
        try:
            action(*arguments)
            return True
        except OSError:
            return False
    def attack():
        (ours,) = links()
        size = os.fstat(ours).st_size
        writers = [ours]
        try:
            os.chmod(f"/proc/self/fd/{ours}", 0o666)
            writers.append(os.open(f"/proc/self/fd/{ours}", os.O_RDWR))
        except OSError:
            pass
        moved = [through(os.ftruncate, writer, other) for writer in writers for other in (0, 2 * size)]
        moved += [through(os.pwrite, writer, b"x", size) for writer in writers]
        maps = open("/proc/self/maps").read()
        begin, end, rights = re.search("([0-9a-f]+)-([0-9a-f]+) (....).*pilotbase-batch", maps).groups()
        address, length = ctypes.c_void_p(int(begin, 16)), ctypes.c_size_t(int(end, 16) - int(begin, 16))
        opened = ctypes.CDLL(None).mprotect(address, length, mmap.PROT_READ | mmap.PROT_WRITE) == 0
        return any(moved) or opened or "w" in rights or os.fstat(ours).st_size != size
    """
    outcome = launch(source, settings)
    assert outcome.reason is None and not outcome.succeeded


@contextlib.contextmanager
def listener(kind: int, address: object, family: int = socket.AF_INET) -> Iterator[socket.socket]:
    """A socket on this host that answers every caller."""
    with socket.socket(family, kind) as server:
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        server.settimeout(20)
        thread = threading.Thread(target=answer, args=(server, kind), daemon=True)
        thread.start()
        yield server
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def answer(server: socket.socket, kind: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            if kind == socket.SOCK_DGRAM:
                _, caller = server.recvfrom(512)
                server.sendto(b"taken", caller)
            else:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"taken")


INTERNET = """
import socket
def attack():
    try:
        with socket.socket(socket.AF_INET, {kind}) as client:
            client.settimeout(2)
            client.connect(("127.0.0.1", {port}))
            client.send(b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04leak\\x04test\\x00\\x00\\x01\\x00\\x01")
            return bool(client.recv(100))
    except OSError:
        return False
"""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp-and-dns"])
def test_the_network(launch, settings, without, kind):
    with listener(kind, ("127.0.0.1", 0)) as server:
        source = INTERNET.format(kind=int(kind), port=server.getsockname()[1])
        assert launch(source, without(Protection.NETWORK)).succeeded
        assert not launch(source, settings).succeeded
        assert not launch(source, without(Protection.SECCOMP)).succeeded, "the network namespace alone must do"


def test_a_name_lookup(launch, settings, unprotected):
    source = """
    import socket
    def attack():
        try:
            return bool(socket.getaddrinfo("localhost", 80, proto=socket.IPPROTO_TCP))
        except OSError:
            return False
    """
    assert launch(source, unprotected).succeeded
    assert not launch(source, settings).succeeded


def test_abstract_sockets_of_the_host(launch, settings, without):
    name = f"\0pilotbase-test-{uuid.uuid4()}"
    source = f"""
    import socket
    def attack():
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect({name!r})
                return client.recv(100) == b"taken"
        except OSError:
            return False
    """
    with listener(socket.SOCK_STREAM, name, socket.AF_UNIX):
        assert launch(source, without(Protection.NETWORK)).succeeded
        assert not launch(source, settings).succeeded


def test_writing_outside_the_scratch(launch, settings, unprotected, folder):
    source = f"""
    import os
    def writable():
        yield {str(folder / "mark")!r}
        for place in ("/application", "/environment", "/pilotbase", "/", "/usr/lib", "/dev", "/etc", "/proc",
                      os.getcwd(), os.path.dirname(os.__file__), "/dev/pts", "/proc/sys/kernel", "/sys"):
            yield place + "/mark"
    def attack():
        for path in writable():
            try:
                open(path, "w").close()
                return True
            except OSError:
                pass
        return False
    """
    assert launch(source, unprotected).succeeded
    assert not launch(source, settings).succeeded


def test_only_the_scratch_is_writable_at_all(launch, settings):
    source = """
    import os
    def attack():
        found = set()
        for place, folders, files in os.walk("/"):
            if place.startswith(("/proc/", "/sys/")):
                folders.clear()
                continue
            found.update([place] if os.access(place, os.W_OK) else [])
            found.update(f"{place}/{name}" for name in files if not os.path.islink(f"{place}/{name}")
                         and os.access(f"{place}/{name}", os.W_OK))
        devices = {f"/dev/{name}" for name in ("null zero full random urandom tty pts pts/ptmx").split()}
        return bool(found - devices - {"/tmp", "/dev/shm"})
    """
    assert not launch(source, settings).succeeded


LINKED = """
import os
def attack():
    try:
        return open(os.path.dirname(os.path.abspath(__file__)) + "/model.bin").read() == "true"
    except OSError:
        return False
"""


def test_links_out_of_the_application(launch, write_application, settings, unprotected, folder, monkeypatch):
    secret = folder / "labels.csv"
    secret.write_text("true")
    (write_application("") / "model.bin").symlink_to(secret)
    for begin in (settings, unprotected):
        with pytest.raises(InputError) as refused:
            launch(LINKED, begin)
        assert refused.value.code == "box.tree.link" and "model.bin" in str(refused.value)
    monkeypatch.setattr(worker, "check_folder", lambda folder: None)
    monkeypatch.setattr(worker, "readable_folder", lambda folder, copied: contextlib.nullcontext(folder))
    assert launch(LINKED, unprotected).succeeded
    assert not launch(LINKED, settings).succeeded, "even if it came in, it would lead nowhere"


@pytest.fixture
def victim() -> Iterator[subprocess.Popen]:
    """A process of the host."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_killing_processes_of_the_host(launch, settings, unprotected, victim):
    source = f"""
    import os, signal
    def attack():
        try:
            os.kill({victim.pid}, signal.SIGTERM)
            return True
        except OSError:
            return False
    """
    assert not launch(source, settings).succeeded
    assert victim.poll() is None
    assert launch(source, unprotected).succeeded
    assert victim.wait(10) == -15


def test_killing_its_parent(launch, settings, victim):
    source = """
    import os, signal
    def attack():
        for pid in (os.getppid(), 1):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        return False
    """
    assert launch(source, settings).reason is None, "the first process of the box shrugs it off"


def test_killing_everyone_ends_only_the_box(launch, settings, victim):
    source = """
    import os, signal
    def attack():
        try:
            os.kill(-1, signal.SIGKILL)
        except OSError:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert launch(source, settings).reason is EndReason.APPLICATION_EXIT
    assert victim.poll() is None


PTRACE = """
import ctypes, os
def attack():
    child = os.fork()
    if child == 0:
        traced = ctypes.CDLL(None).ptrace(0, 0, 0, 0)
        os._exit(7 if traced == 0 else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


def test_tracing(launch, settings, without):
    assert launch(PTRACE, without(Protection.SECCOMP)).succeeded
    assert not launch(PTRACE, settings).succeeded


SYSTEM_CALLS = """
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
AARCH64 = platform.machine() == "aarch64"
def refused(*arguments, errors=(errno.EPERM,)):
    ctypes.set_errno(0)
    result = libc.syscall(*(ctypes.c_long(argument) for argument in arguments))
    return result == -1 and ctypes.get_errno() in errors
def attack():
    calls = [
        refused(425, 1, 0),                              # io_uring_setup
        refused(194 if AARCH64 else 29, 0, 4096, 0o1600),    # shmget
        refused(186 if AARCH64 else 68, 0, 0o1600),          # msgget
        refused(270 if AARCH64 else 310, os.getpid(), 0, 0, 0, 0, 0),  # process_vm_readv
        refused(217 if AARCH64 else 248, 0, 0, 0, 0, 0),     # add_key
        refused(435, 0, 0, errors=(errno.ENOSYS,)),        # clone3
    ]
    return not all(calls) if EXPECTED else not any(calls)
"""


def test_system_calls_that_leave_the_box(launch, settings, without):
    open_calls = SYSTEM_CALLS.replace("EXPECTED", "False")
    assert launch(open_calls, without(Protection.SECCOMP)).succeeded, "without the filter none of them is refused"
    closed_calls = SYSTEM_CALLS.replace("EXPECTED", "True")
    outcome = launch(closed_calls, settings)
    assert outcome.reason is None and not outcome.succeeded, "with the filter all of them are"


NAMESPACES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    for flag in (0x10000000, 0x10020000, 0x50000000):      # CLONE_NEWUSER, with NEWNS, with NEWNET
        child = os.fork()
        if child == 0:
            os._exit(7 if libc.unshare(flag) == 0 else 0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7:
            return True
    return False
"""


def test_new_namespaces(launch, settings, without):
    if settings.start == "D":
        assert launch(NAMESPACES, without(Protection.SECCOMP)).succeeded
    else:
        assert not launch(NAMESPACES, without(Protection.SECCOMP)).succeeded, "start C disables them without a filter"
    assert not launch(NAMESPACES, settings).succeeded


def test_capabilities_and_identity(launch, settings):
    source = """
    import os
    def attack():
        status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
        held = [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
        return any(held) or os.getuid() == 0 or os.geteuid() == 0 or os.getgid() == 0 or 0 in os.getgroups()
    """
    outcome = launch(source, settings)
    assert outcome.reason is None and not outcome.succeeded


@pytest.mark.parametrize("broken", ["filter", "identity"])
def test_a_box_that_is_not_sealed_runs_nothing(launch, settings, monkeypatch, broken):
    if broken == "filter":
        monkeypatch.setattr(box, "_filter", lambda settings: None)
    elif settings.start == "D":
        monkeypatch.setattr(command, "_drop_command", lambda tools, uid: [])
    else:
        pytest.skip("start C has no identity to drop inside")
    with pytest.raises(BoxStartError) as refused:
        launch("raise SystemExit\ndef attack(): return True", settings)
    assert refused.value.code == "box.not_sealed"


def test_becoming_root_again(launch, settings):
    source = """
    import os
    def attack():
        for change in (os.setuid, os.setgid, os.seteuid):
            try:
                change(0)
                return True
            except OSError:
                pass
        return False
    """
    assert not launch(source, settings).succeeded


def test_level_one_drops_root_and_filters_system_calls(launch, settings):
    if not probe_host().gives(IsolationLevel.L1):
        pytest.skip("setpriv of this host loads no filters (util-linux before 2.41)")
    source = """
    import os, socket
    def attack():
        try:
            socket.socket(socket.AF_INET).close()
            return True
        except PermissionError:
            return os.getuid() == 0
    """
    readable = readable_interpreter() if probe_host().is_root else None
    outcome = launch(source, replace(settings, level=IsolationLevel.L1, interpreter=readable))
    assert outcome.reason is None and not outcome.succeeded


@pytest.mark.parametrize("level", [IsolationLevel.L1, IsolationLevel.L2])
def test_a_base_in_a_folder_of_roots_own_starts_its_boxes(launch, settings, monkeypatch, tmp_path, level):
    if not probe_host().gives(level):
        pytest.skip("setpriv of this host loads no filters (util-linux before 2.41)")
    program = tmp_path / "private" / "runner.py"
    program.parent.mkdir(mode=0o700)
    program.write_bytes(Path(worker.runner.__file__).read_bytes())
    program.chmod(0o600)
    monkeypatch.setattr(worker.runner, "__file__", str(program))
    readable = readable_interpreter() if probe_host().is_root else None
    outcome = launch("def attack(): return True", replace(settings, level=level, interpreter=readable))
    assert outcome.reason is None and outcome.succeeded


def readable_interpreter() -> Interpreter:
    """A Python that the box's user can read even without a box."""
    path = Path("/usr/bin/python3")
    if not path.exists():
        pytest.skip("level L1 as root needs a Python outside root's home; this host has none")
    return Interpreter(path.resolve(), Path("/usr"), "unknown")
