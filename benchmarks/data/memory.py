"""A process watched from outside: its private memory, and what it writes on disk, every half second."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVERY = 0.5


@dataclass(frozen=True)
class Watched:
    """The process's report, and its memory over time: anonymous pages, without mapped files.

    ``most_on_disk``: MiB of its temporary files at any time.
    """

    said: dict[str, Any]
    mebibytes: list[float]
    seconds: float
    most_on_disk: float = 0.0


def watched(command: list[str], environment: dict[str, str], folder: Path) -> Watched:
    """Run ``command`` to its end; it writes its temporary files into ``folder``."""
    begun, found, written = time.perf_counter(), [], 0.0
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, env={**environment, "TMPDIR": str(folder)}, stdout=output)
        while process.poll() is None:
            found.append(_anonymous(process.pid))
            written = max(written, _on_disk(folder))
            time.sleep(EVERY)
        if process.returncode:
            sys.exit(f"{command} failed with {process.returncode}")
        output.seek(0)
        said = json.loads(output.read().splitlines()[-1])
    return Watched(said, [one for one in found if one], time.perf_counter() - begun, written)


def _anonymous(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    told = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(told[1]) / 1024 if told else 0.0


def _on_disk(folder: Path) -> float:
    found = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            found += path.stat().st_size
    return found / 2**20
