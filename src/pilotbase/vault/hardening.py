"""What a process that holds hidden data in the clear does first."""

from __future__ import annotations

import ctypes
import os
import resource

from pilotbase.documents.errors import PilotbaseError

_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Let no core file and no process of the same user read this one's memory (prctl(2) PR_SET_DUMPABLE).

    Afterwards ``/proc/self`` belongs to root: do it after whatever needs that. Not inherited over exec.

    Raises:
        PilotbaseError: the kernel refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise PilotbaseError("vault.not_hardened", reason=os.strerror(ctypes.get_errno()))
