"""A hardened process leaves no core and lets nobody of the same user read its memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HARDENED = """
import resource, sys
from pilotbase.vault.opening import harden_process
if sys.argv[1] == "yes":
    harden_process()
print(resource.getrlimit(resource.RLIMIT_CORE)[0], flush=True)
sys.stdin.readline()
"""


def start(hardened: str) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", HARDENED, hardened], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.core_limit = int(child.stdout.readline())  # type: ignore[attr-defined]
    return child


@pytest.mark.one_in(2)
@pytest.mark.parametrize("hardened", ["yes", "no"])
def test_memory_of_a_hardened_process_belongs_to_root(hardened: str) -> None:
    child = start(hardened)
    try:
        if hardened == "yes":
            assert child.core_limit == 0  # type: ignore[attr-defined]
        if os.geteuid() != 0:
            owner = Path(f"/proc/{child.pid}/mem").stat().st_uid
            assert owner == (0 if hardened == "yes" else os.geteuid())
    finally:
        child.communicate("\n", timeout=60)
    assert child.returncode == 0


def test_prctl_reports_the_process_as_not_dumpable() -> None:
    script = (
        "import ctypes; from pilotbase.vault.opening import harden_process\n"
        "libc = ctypes.CDLL(None); before = libc.prctl(3); harden_process(); print(before, libc.prctl(3))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.split()[-1] == "0"
