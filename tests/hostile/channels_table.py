"""Measure every channel in the default start of a box, and write the table of them into docs/threats.md.

``python -m tests.hostile.channels_table [ROUNDS]``: once as root, once as an ordinary user who may write the page.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from pilotbase.documents.application import Form
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from tests.hostile.channels_for_tests import CHANNELS, OPEN, carried
from tests.hostile.conftest import CONTRACT, LIMITS

PAGE = Path(__file__).parents[2] / "docs" / "threats.md"
WHO = "root" if os.getuid() == 0 else "an ordinary user"
BEGIN, END = f"<!-- {WHO}: written by tests/hostile/channels_table.py -->", f"<!-- end of {WHO} -->"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment = build_environment(b"", "requirements.lock", folder / "cache")

        def start(source: str, settings: BoxSettings) -> WarmWorker:
            application = folder / "application"
            application.mkdir(exist_ok=True)
            (application / "app.py").write_text(source)
            return start_worker(application, Form(), CONTRACT, environment, settings)

        limits = LIMITS.model_copy(update={"batch_seconds": 120, "wall_seconds": 240, "cpu_seconds": 120})
        settings = BoxSettings(limits=limits)
        rows = []
        for channel, pair in CHANNELS.items():
            held, unprotected = (
                carried(start, how, pair, rounds) for how in (settings, replace(settings, removed=OPEN))
            )
            rows.append(f"| {channel} | {held:.1f} | {unprotected:.1f} |")
            print(rows[-1], flush=True)
    said = f"Measured as {WHO}, Linux {platform.release()}, {rounds} runs a channel, numbers of four bits."
    table = "\n".join([BEGIN, said, "", "| Count | Bits a run | Without the protection |", "|---|---|---|", *rows, END])
    text = PAGE.read_text("utf-8")
    PAGE.write_text(re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: table, text, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
