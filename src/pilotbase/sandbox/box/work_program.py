"""The program inside a box that does one piece of work on files of strangers. It stands alone: standard library only.

It speaks the frames of `pilotbase.protocols.frames`. The work is one more file of ours that stands alone, mounted
beside this one and loaded only once the box is closed. It defines ``run(greeting)``, whose result is the report, and
``REFUSED``: the exception whose attributes say what was refused (``kind``), and what was found.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import struct
import sys
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY, BATCH, ANSWER, ERROR, SHARED = range(1, 8)
WORK = "/pilotbase/work.py"


def main() -> None:
    """Do the work that the greeting describes and report."""
    requests, answers = open(int(sys.argv[1]), "rb"), int(sys.argv[2])  # noqa: SIM115
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    kind, report = reported(loaded(), greeting)
    send(answers, kind, json.dumps(report).encode())


def loaded() -> Any:
    """Return the module that does the work."""
    found = importlib.util.spec_from_file_location("pilotbase_work", WORK)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def reported(work: Any, greeting: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the kind of answer and its content; a limit of the box is no refusal, but ends this program."""
    try:
        return READY, work.run(greeting)
    except MemoryError:
        raise
    except work.REFUSED as refusal:
        told = vars(refusal)
    except Exception as found:  # noqa: BLE001 - a broken file breaks anywhere
        full = isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT)
        told = {"kind": "disk" if full else "damaged", "found": found}
    return ERROR, {name: ascii(str(value))[1:-1][:300] for name, value in told.items()}


def send(descriptor: int, kind: int, payload: bytes = b"") -> None:
    """Write one frame."""
    os.writev(descriptor, [HEADER.pack(MAGIC, kind, 0, 0, len(payload)), payload])


if __name__ == "__main__":
    main()
