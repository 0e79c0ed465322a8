"""Separate environments for peers and oracles: from the hashed locks beside this file, kept until these change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "build" / "peers"


def peer_python(name: str) -> Path:
    """Return the interpreter of peer ``name``'s environment, which is made on first use.

    An interrupted build starts again: the mark of readiness is written last.
    """
    lock = HERE / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # tests that run side by side ask for one peer at once
        if not (folder / "ready").exists():
            _make(folder, lock)
    return folder / "bin" / "python"


def _make(folder: Path, lock: Path) -> None:
    print(f"  making the environment of {lock.stem} (once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    # The lock is complete; if pip resolved, it would refuse `pandas[parquet]` where the lock says `pandas`.
    locked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock)]
    subprocess.run([*pip, *locked], check=True)
    (folder / "ready").touch()


def peer_environment(threads: int = 1) -> dict[str, str]:
    """Return the environment variables of a peer's process: the same number of threads as ours, telemetry blocked."""
    count = str(threads)
    own = {"OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count, "MKL_NUM_THREADS": count}
    silent = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "NML_DISABLE_USAGE_LOGGING": "1"}
    return {**os.environ, **own, **silent}


def site_packages(name: str) -> Path:
    """Return the folder of peer ``name``'s packages, for what our own interpreter has to find."""
    found = subprocess.run(
        [str(peer_python(name)), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Path(found.stdout.strip())
