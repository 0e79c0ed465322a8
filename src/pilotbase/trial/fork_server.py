"""A process that has loaded a program, holds nothing else, and forks for each run of it.

Loading a scorer takes a second of one core, forking a loaded one a hundredth. The server never runs the program and
opens nothing of a base, so every fork is the same and knows nothing about other runs.

``python -m pilotbase.trial.fork_server FD MODULE`` serves the socket FD until its other end is closed. The client sends
four descriptors (input, output, errors, and one for the exit status) and receives a descriptor of the process (pidfd),
which runs the module's ``main``. Before the first fork, the server runs its ``load``.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import IO, NoReturn


@dataclass(frozen=True)
class ForkedProcess:
    """A program at work. Its output ends when it does."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    _descriptor: int
    _status: IO[bytes]

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended is left alone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its exit status, negative for a signal; None: it still runs after ``seconds``."""
        if not select.select([self._status], [], [], seconds)[0]:
            return None
        told = self._status.read()
        return int(told) if told else -signal.SIGKILL  # a killed server reports nothing

    def close(self) -> None:
        """Close our ends; writers to them get an error."""
        for stream in (self.stdin, self.stdout, self._status):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        os.close(self._descriptor)


def start(module: str) -> ForkedProcess:
    """Return a process that runs the ``main`` of a module, whose input is not yet given.

    Raises:
        OSError: the host has no room for one more process.
    """
    with _lock:
        server = _servers.get(module)
        if server is not None and server.serves:
            with contextlib.suppress(OSError):  # it ended just now
                return server.fork()
        server = _servers[module] = _ForkServer(module)
        return server.fork()


class _ForkServer:
    """The server of this process, as this process sees it."""

    def __init__(self, module: str) -> None:
        self._owner = os.getpid()
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "pilotbase.trial.fork_server", str(theirs.fileno()), module]
        self._process = _deaf_to_interrupts(command, theirs.fileno())
        theirs.close()
        atexit.register(self._close)

    @property
    def serves(self) -> bool:
        """Whether it is still there, and is ours: a process that was forked starts its own."""
        return self._owner == os.getpid() and self._process.poll() is None

    def fork(self) -> ForkedProcess:
        """Return one more process; raises `OSError` where the server could not make it, and has ended."""
        given, to_give = os.pipe()
        taken, to_take = os.pipe()
        status, to_tell = os.pipe()
        try:
            socket.send_fds(self._socket, [b"."], [given, to_take, 2, to_tell])
            descriptors = socket.recv_fds(self._socket, 1, 1)[1]
            if not descriptors:
                raise ChildProcessError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except OSError:
            _close((to_give, taken, status))
            raise
        finally:
            _close((given, to_take, to_tell))
        streams = os.fdopen(to_give, "wb"), os.fdopen(taken, "rb")
        return ForkedProcess(*streams, descriptors[0], os.fdopen(status, "rb"))

    def _close(self) -> None:
        """Let the server end, even if a process forked from ours still holds our end of the socket."""
        if self._owner == os.getpid() and self._process.poll() is None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._process.wait()


_lock = threading.Lock()
_servers: dict[str, _ForkServer] = {}


def _deaf_to_interrupts(command: list[str], descriptor: int) -> subprocess.Popen[bytes]:
    """Start the server so that it ignores Ctrl-C: the client receives it too, and then ends the server in order."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[descriptor])
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)


def serve(asked: socket.socket) -> list[int]:
    """Fork for each request, and report how each process ended.

    In each forked process, return its input, output and errors, with everything else closed. In the server, return
    nothing once there are no more clients.
    """
    with selectors.DefaultSelector() as waiting, asked:
        waiting.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.data is not None:
                    waiting.unregister(key.fd)
                    _tell_end(key.fd, *key.data)
                    continue
                given = _asked_for(asked)
                process = os.fork() if given else 0
                if process == 0:
                    _close(fd for key in waiting.get_map().values() if key.data for fd in (key.fd, key.data[1]))
                    _close(given[3:])
                    return given[:3]
                _close(given[:3])
                told = os.pidfd_open(process)
                waiting.register(told, selectors.EVENT_READ, (process, given[3]))
                socket.send_fds(asked, [b"."], [told])


def _asked_for(asked: socket.socket) -> list[int]:
    """Return the four descriptors that a client sent; empty if all clients have closed the socket."""
    try:
        return socket.recv_fds(asked, 1, 4)[1]
    except ConnectionResetError:
        return []


def _tell_end(descriptor: int, process: int, status: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any longer
        os.write(status, str(code).encode())
    _close((descriptor, status))


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _end(code: int) -> NoReturn:
    """Exit at once after the exit handlers: tearing down the loaded modules takes a quarter of a second."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> int:
    """Serve the socket in the first argument; in a forked process, run the module in the second."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = import_module(sys.argv[2])
    program.load()
    gc.freeze()  # loaded objects stay: collecting them would cost each fork a tenth of a second
    streams = serve(socket.socket(fileno=int(sys.argv[1])))
    if not streams:
        return 0
    for stream, descriptor in enumerate(streams):
        os.dup2(descriptor, stream)
    _close(streams)
    _end(program.main())


if __name__ == "__main__":
    sys.exit(main())
