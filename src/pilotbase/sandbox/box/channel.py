"""The two pipes and the shared file to a box: non-blocking on our side, so that every deadline holds."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import select
import time
from collections.abc import Sequence

from pilotbase.protocols.frames import HEADER, Buffer, Header, as_shared, decode_header

_PIPE_BYTES = 1 << 20
_MOST_BUFFERS = 512
"""Below the kernel's IOV_MAX."""
_SLOT_BYTES = 2 << 20
"""Larger payloads go through the pipe."""
PROMPT_SECONDS = 2e-4
SLOTS = 2
"""One in use by the box and one for the next batch; a frame's sequence number selects it."""


class DeadlinePassedError(Exception):
    """The box did not take or send the next bytes in time."""


class ChannelClosedError(Exception):
    """The box has closed its end."""


class BoxChannel:
    """Our ends of the request and the answer pipe, and of the shared file."""

    def __init__(self, requests: int, answers: int, shared: SharedFile) -> None:
        self._requests, self._answers, self._shared = requests, answers, shared
        for descriptor in (requests, answers):
            os.set_blocking(descriptor, False)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(requests, select.POLLOUT)
        self._readable.register(answers, select.POLLIN)
        self._prompt = False

    def share(self, frame: Sequence[Buffer]) -> Sequence[Buffer]:
        """Return a BATCH frame ready to send: without its payload if that fits into the shared file.

        The previous frame may still be in use in the box, the one before that may not.
        """
        head, *payload = frame
        shared = as_shared(head)
        return [shared.pack()] if self._shared.put(payload, shared.sequence) else frame

    def send(self, buffers: Sequence[Buffer], deadline: float) -> None:
        """Write all ``buffers`` before ``deadline`` (monotonic seconds).

        Raises:
            DeadlinePassedError, ChannelClosedError
        """
        pending = [view for view in (memoryview(buffer).cast("B") for buffer in buffers) if view.nbytes]
        while pending:
            try:
                written = os.writev(self._requests, pending[:_MOST_BUFFERS])
            except BlockingIOError:
                _wait(self._writable, deadline)
                continue
            except BrokenPipeError:
                raise ChannelClosedError from None
            pending = _rest(pending, written)

    def receive_header(self, deadline: float) -> Header:
        """Return the next header; raises also `FrameError`."""
        return decode_header(self.receive(HEADER.size, deadline))

    def receive(self, size: int, deadline: float) -> bytearray:
        """Return the next ``size`` bytes; the caller has bounded ``size``."""
        data = bytearray(size)
        view = memoryview(data)
        filled = 0
        while filled < size:
            try:
                count = os.readv(self._answers, [view[filled:]])
            except BlockingIOError:
                self._look_out(deadline)
                continue
            if count == 0:
                raise ChannelClosedError
            filled += count
        return data

    def _look_out(self, deadline: float) -> None:
        """Wait for an answer; where the last came at once, stay awake a little: to wake up takes as long as a turn."""
        began = time.monotonic()
        while self._prompt and time.monotonic() - began < PROMPT_SECONDS:
            if self._readable.poll(0):
                return
            os.sched_yield()
        _wait(self._readable, deadline)
        self._prompt = time.monotonic() - began < PROMPT_SECONDS

    def has_unread(self, seconds: float = 0.0) -> bool:
        """Return whether the box has unread output, or has closed its end, within that many seconds."""
        return bool(self._readable.poll(seconds * 1000))

    def close(self) -> None:
        self._shared.close()
        for descriptor in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._requests = self._answers = -1


def open_pipe() -> tuple[int, int]:
    """Return (read end, write end) of a pipe that holds 1 MB if the kernel allows it."""
    ends = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends


def _wait(poll: select.poll, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0 or not poll.poll(remaining * 1000):
        raise DeadlinePassedError


def _rest(pending: list[memoryview], written: int) -> list[memoryview]:
    for index, view in enumerate(pending):
        if written < view.nbytes:
            return [view[written:], *pending[index + 1 :]]
        written -= view.nbytes
    return []


class SharedFile:
    """Our side: a mapping to write to; ``descriptor`` is the box's side, closed by the code that starts the box.

    Batches cross the wall through memory, not through a pipe, which would copy them twice. Only we write it, and we
    never read it. Its size is sealed, so the box can neither truncate it while we write nor use it to hold uncounted
    memory; the box's descriptor is read-only.
    """

    def __init__(self) -> None:
        ours = os.memfd_create("pilotbase-batch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.fchmod(ours, 0o400)
            os.ftruncate(ours, SLOTS * _SLOT_BYTES)
            self._memory = mmap.mmap(ours, SLOTS * _SLOT_BYTES)
            self.descriptor = os.open(f"/proc/self/fd/{ours}", os.O_RDONLY | os.O_CLOEXEC)
            fcntl.fcntl(ours, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        finally:
            os.close(ours)

    def put(self, buffers: Sequence[Buffer], sequence: int) -> bool:
        """Write the payload of frame ``sequence``; return False, with nothing written, if it does not fit."""
        if sum(map(len, buffers)) > _SLOT_BYTES:
            return False
        position = sequence % SLOTS * _SLOT_BYTES
        for buffer in buffers:
            self._memory[position : position + len(buffer)] = buffer
            position += len(buffer)
        return True

    def close(self) -> None:
        self._memory.close()
