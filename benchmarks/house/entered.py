"""How many of our files a reader enters when following one thing that people do.

A file is entered if one of its functions runs in the called process. A file that is only imported does not count, nor
does one that runs in a box, which is a separate process.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

CASES, SCENARIO, APPLICATION = "cases.csv", "scenario", "application"
COMMANDS = {
    "trial run": ["trial", "run", SCENARIO, APPLICATION, "--out", "trial", "--yes"],
    "scenario check": ["scenario", "check", SCENARIO],
    "data quality": ["data", "quality", CASES, "--out", "quality"],
    "data describe": ["data", "describe", CASES, "--out", "described.yaml"],
}
ANSWERS = ["--problem", "Find units that fail", "--target", "state", "--group-or-time", "unit", "--name", "units"]
COSTS = ["--miss", "10", "--false-alarm", "1", "--contact", "plant, plant@example.org"]
MADE = [
    ["scenario", "new", "--from", CASES, "--out", SCENARIO, *ANSWERS, *COSTS],
    ["application", "new", SCENARIO, "--out", APPLICATION],
]
"""What exists before any command runs."""
TRACED = """
import inspect, json, sys, threading
from pathlib import Path
entered = set()
def note(frame, event, argument):
    if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # neither a module nor the body of a class
        entered.add(frame.f_code.co_filename)
threading.setprofile(note)
import pilotbase
from pilotbase.cli import main
home = str(Path(pilotbase.__file__).parent) + "/"
sys.argv[0] = "pilotbase"
sys.setprofile(note)
try:
    main()
except SystemExit as end:
    code = end.code
finally:
    sys.setprofile(None)
    Path("entered.json").write_text(json.dumps([code, sorted(each for each in entered if each.startswith(home))]))
"""
ENDED_WELL = {None, 0, 3, 4}


@cache
def entered(name: str) -> tuple[str, ...]:
    """Return the files that the command ``name`` enters, on its own base and a small table."""
    with tempfile.TemporaryDirectory(prefix="entered-") as folder:
        Path(folder, CASES).write_text(_cases(), "utf-8")
        for command in MADE:
            _run([str(Path(sys.executable).with_name("pilotbase")), *command], folder)
        _run([sys.executable, "-c", TRACED, *COMMANDS[name]], folder)
        code, files = json.loads(Path(folder, "entered.json").read_text("utf-8"))
    if code not in ENDED_WELL:
        raise RuntimeError(f"{name} ended with {code}")
    return tuple(files)


def _run(command: list[str], folder: str) -> None:
    environment = {**os.environ, "PILOTBASE_HOME": str(Path(folder, "base")), "PILOTBASE_LANGUAGE": "en"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in ENDED_WELL:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")


def _cases() -> str:
    drawn = random.Random(1)
    lines = ["unit,temperature,load,state"]
    for number in range(1500):
        temperature, load = drawn.gauss(20, 5), drawn.random()
        state = "failure" if temperature + 10 * load + drawn.gauss(0, 2) > 29 else "normal"
        lines.append(f"u{number},{temperature:.2f},{load:.3f},{state}")
    return "\n".join(lines) + "\n"
