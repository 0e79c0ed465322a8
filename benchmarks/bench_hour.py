"""`make bench-hour`: the first hour on cases with four faults, beside MLflow, deepchecks and a Codabench bundle.

The same table on every side: 4,000 cases, in which one column is known only afterwards (*leak*), a tenth of the rows is
repeated (*copies*), rows are sorted by the answer (*order*) and 24 are positive (*few positives*). Each side does what
its own guide shows until a figure stands there: how many commands and lines a person writes, how long the machine takes
from start to end of its processes (imports count, for people wait for them), and of which faults it says something.

* Ours: `scenario new`, `application wrap`, `trial run`, without a line of code;
* MLflow: a split and a model by hand, `mlflow.models.evaluate`;
* deepchecks: a split and a model by hand, the full suite;
* Codabench: a bundle and its scoring program, run as a compute worker runs it. Its server needs containers and services
  that no package brings, so uploading and queueing are not in the time.

The model of the peers is trained within the time; ours is trained beforehand, as `wrap` takes trained models. What a
person thinks and types is in nobody's time.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers.environments import peer_environment, peer_python
from benchmarks.peers.programs.odd_cases import FAULTS, write
from benchmarks.publishing import ROOT, Row, options_of, publish, row, show

PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
CASES = 4000
PEERS = {"MLflow evaluate": "mlflow", "deepchecks": "deepchecks", "Codabench bundle": "codabench"}
_ENVIRONMENTS = {"mlflow": "mlflow", "deepchecks": "deepchecks", "codabench": "mlflow"}
_OURS = {
    "leak": "alone gives the answer away",
    "copies": "repeat another",
    "order": "order of rows gives the answer away",
    "few positives": "hidden cases are of",
}
_ANSWERS = ("--problem", "Pumps fail", "--target", "state", "--group-or-time", "", "--miss", "50", "--false-alarm", "1",
            "--contact", "works, desk")  # fmt: skip
_COMMAND = str(Path(sys.executable).with_name("pilotbase"))
MODEL = """import joblib, pandas as pd, sys
from sklearn.ensemble import RandomForestClassifier
cases = pd.read_csv(sys.argv[1])
features = cases[["load", "temperature", "vibration"]]
joblib.dump(RandomForestClassifier(20, random_state=0).fit(features, cases["state"]), sys.argv[2])
"""


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    options = options_of(__doc__).parse_args()
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as scratch:
        file = Path(scratch, "cases.csv")
        write(file, 1000 if options.quick else CASES)
        mine = ours(file)
        rows = [one for name, side in PEERS.items() for one in beside(mine, name, theirs(side, file, versions))]
    if options.quick:
        show(rows)
        return
    publish("hour", rows, 1, ("pilotbase",), versions)


class Clock:
    """Seconds, and processor seconds of the processes that were started and ended since it was made."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), self._children()

    def taken(self) -> dict[str, float]:
        return {"seconds": time.perf_counter() - self._began, "cpu": self._children() - self._used}

    @staticmethod
    def _children() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime


def ours(file: Path) -> dict[str, object]:
    """Return what three commands take and say."""
    folder, model = file.parent / "pumps", file.parent / "model.joblib"
    subprocess.run([str(peer_python("mlflow")), "-c", MODEL, str(file), str(model)], check=True)
    commands = (
        ("scenario", "new", "--from", file, "--out", folder, *_ANSWERS),
        ("application", "wrap", model, folder, "--out", file.parent / "model"),
        ("trial", "run", folder, file.parent / "model", "--out", file.parent / "result"),
    )
    environment = {**os.environ, "PILOTBASE_HOME": str(file.parent / "home"), "PILOTBASE_LANGUAGE": "en"}
    clock, said = Clock(), []
    for command in commands:
        ran = subprocess.run([_COMMAND, *map(str, command)], env=environment, capture_output=True, text=True)
        said.append(ran.stdout + ran.stderr)
    taken = clock.taken()
    told = subprocess.run(
        [_COMMAND, "scenario", "doctor", str(folder)], env=environment, capture_output=True, text=True
    )
    words = " ".join([*said, told.stdout])
    found = [fault for fault, words_of in _OURS.items() if words_of in words]
    return {"commands": len(commands), "lines": 0, **taken, "found": found}


def theirs(side: str, file: Path, versions: dict[str, str]) -> dict[str, object]:
    """Return what a peer's program takes and says; its lines are those that a person writes."""
    program = PROGRAMS / f"hour_{side}.py"
    clock, command = Clock(), [str(peer_python(_ENVIRONMENTS[side])), str(program), str(file)]
    ran = subprocess.run(command, env=peer_environment(), cwd=file.parent, capture_output=True, text=True, check=False)
    taken = clock.taken()
    if ran.returncode:
        sys.exit(f"{side} failed:\n{ran.stderr[-2000:]}")
    said = json.loads(ran.stdout.splitlines()[-1])
    versions.update(said["versions"])
    return {"commands": 1, "lines": lines_of(program), **taken, "found": said["found"]}


def lines_of(program: Path) -> int:
    """Return the lines of a program that a user writes: its steps, the files that they hold, and their imports."""
    tree = ast.parse(program.read_text("utf-8"))
    own = [
        node
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) and "__future__" not in ast.dump(node)
    ]
    own += [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "steps"]
    own += [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in own) - 1  # the clock is the benchmark's


def beside(mine: dict[str, object], name: str, peer: dict[str, object]) -> list[Row]:
    """Return the rows of one peer."""
    most = len(FAULTS)
    print(f"  ours found {mine['found']}; {name} found {peer['found']}", flush=True)
    figures = {"commands": "commands", "lines": "lines of code", "seconds": "s", "cpu": "CPU s"}
    rows = [
        row(f"{unit} until a figure stands there, beside {name}", float(mine[key]), unit, None, True, name,  # type: ignore[arg-type]
            float(peer[key]))  # type: ignore[arg-type]
        for key, unit in figures.items()
    ]  # fmt: skip
    found, other = len(mine["found"]), len(peer["found"])  # type: ignore[arg-type]
    rows.append(
        row(f"faults found of {most}, beside {name}", found, "faults", f">= {most}", found >= most, name, other)
    )
    return rows


if __name__ == "__main__":
    main()
