"""The program inside a box that runs a supplier's own program, and returns what it left in its output folder.

It uses only the standard library. The supplier's program runs as a child, so that this program sees it end in any way.
Speaks the frames of `pilotbase.protocols.frames`: the output as one archive in pieces, then a report.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import struct
import sys
import traceback
import zipfile
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY, BATCH, ANSWER, ERROR, SHARED = range(1, 8)
OUTPUT = Path("/tmp/output")  # noqa: S108 - the box's own
PIECE = 1 << 20
FAILED = 1


def main() -> None:
    """Run what the greeting names, send its output, and report."""
    requests, answers = io.FileIO(int(sys.argv[1])), int(sys.argv[2])
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    OUTPUT.mkdir()
    child = os.fork()
    if child == 0:
        requests.close()
        os.close(answers)
        run(greeting)
    _, status = os.waitpid(child, 0)
    try:
        for piece in packed(greeting["most_bytes"]):
            send(answers, ANSWER, piece)
    except (OSError, ValueError) as problem:
        send(answers, ERROR, json.dumps({"code": FAILED, "output": str(problem)[:200]}).encode())
        return
    send(answers, READY, json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode())


def run(greeting: dict[str, Any]) -> None:
    """Become the supplier's program; never returns."""
    code: object = 0
    try:
        os.environ.update(greeting["variables"])
        os.chdir(greeting["folder"])
        sys.path[:0] = [greeting["folder"]]
        sys.path += [greeting["environment"]] if greeting["environment"] else []
        sys.argv = greeting["entry"]
        runpy.run_path(str(Path(greeting["folder"], greeting["entry"][0])), run_name="__main__")
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(code + "\n")
    except BaseException:  # noqa: BLE001 - whatever the supplier's program raises ends it
        traceback.print_exc()
        code = FAILED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 255 if isinstance(code, int) else FAILED if code else 0)


def packed(most_bytes: int) -> list[bytes]:
    """Return the archive of what was left, in pieces; none if nothing was left.

    Raises:
        ValueError: it is larger than is let out.
    """
    files = sorted(path for path in OUTPUT.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return []
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in files:
            bundle.write(path, path.relative_to(OUTPUT).as_posix())
            if archive.tell() > most_bytes:
                raise ValueError(f"more than {most_bytes} bytes of output")
    data = archive.getvalue()
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]


def send(descriptor: int, kind: int, payload: bytes = b"") -> None:
    """Write one whole frame."""
    data = HEADER.pack(MAGIC, kind, 0, 0, len(payload)) + payload
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main()
