"""The shared file of a box: batches cross the wall through memory, not through a pipe that copies them twice.

We alone write it and never read it. Its size is sealed, so the box can neither cut it short beneath our writing nor
keep memory in it that nobody counts; the descriptor that the box gets is read-only.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Sequence

from pilotbase.protocols.frames import Buffer

SLOT_BYTES = 2 << 20
"""Larger payloads go through the pipe."""
SLOTS = 2
"""One that the box works on and one for what comes next; a frame's sequence number tells which."""


class SharedFile:
    """Our side: a mapping to write to; ``descriptor`` is the box's side, closed by whoever starts the box."""

    def __init__(self) -> None:
        ours = os.memfd_create("pilotbase-batch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.fchmod(ours, 0o400)
            os.ftruncate(ours, SLOTS * SLOT_BYTES)
            self._memory = mmap.mmap(ours, SLOTS * SLOT_BYTES)
            self.descriptor = os.open(f"/proc/self/fd/{ours}", os.O_RDONLY | os.O_CLOEXEC)
            fcntl.fcntl(ours, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        finally:
            os.close(ours)

    def put(self, buffers: Sequence[Buffer], sequence: int) -> bool:
        """Write the payload of frame ``sequence``; return False, with nothing written, if it does not fit."""
        if sum(map(len, buffers)) > SLOT_BYTES:
            return False
        position = sequence % SLOTS * SLOT_BYTES
        for buffer in buffers:
            self._memory[position : position + len(buffer)] = buffer
            position += len(buffer)
        return True

    def close(self) -> None:
        """Unmap our side."""
        self._memory.close()
