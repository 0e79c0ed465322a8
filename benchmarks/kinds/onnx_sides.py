"""One side of the ONNX comparison: a process that has loaded the model and waits for commands to run a pass.

``python -m benchmarks.kinds.onnx_sides boxed|bare MODEL ROWS BATCH THREADS``: each line on standard input is one pass
over the rows in ``ROWS`` (.npy, float32), answered by a line of JSON with its seconds: wall time, and processor time of
every process of this side. ``boxed`` is what a trial does: the rows stream into the box as columns of doubles and every
answer is committed. ``bare`` is one call of onnxruntime for each batch, on rows in the model's own form.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.adapters.registry import adapter_of
from pilotbase.sandbox.box.environments import INSTALLED, installed_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.warm_worker import start_worker
from pilotbase.trial.answering import AnswerLog, answer_cases
from pilotbase.trial.delivering import in_file_order

Side = tuple[Callable[[], object], Callable[[], float]]
"""The function that runs a pass, and this side's processor seconds so far."""


def main() -> None:
    """Serve passes until the input ends."""
    kind, model, rows, batch, threads = sys.argv[1:]
    side = {"boxed": boxed, "bare": bare}[kind]
    with side(Path(model), np.load(rows), int(batch), int(threads)) as (make_pass, used):
        for _ in sys.stdin:
            wall, cpu = time.perf_counter(), used()
            make_pass()
            print(json.dumps({"wall": time.perf_counter() - wall, "cpu": used() - cpu}), flush=True)


@contextmanager
def boxed(model: Path, rows: np.ndarray, batch: int, threads: int) -> Iterator[Side]:
    """Yield the model in a warm box; the environment for it is made on first use and kept."""
    names = [f"x{number}" for number in range(rows.shape[1])]
    features = {name: column.astype(np.float64) for name, column in zip(names, rows.T, strict=True)}
    fields = tuple(Field(name=name, data_type=DataType.FLOAT) for name in names)
    contract = Contract(features=fields, prediction=Prediction(kind="label", classes=("0", "1")))
    adapter = adapter_of("onnx")
    assert adapter is not None
    (cache := model.parent.parent / INSTALLED).mkdir(exist_ok=True)
    environment = installed_environment(adapter.needs, cache)
    settings = BoxSettings(limits=Limits(memory_bytes=2 << 30, cpu_seconds=3600, threads=threads))
    form = Form(runtime="onnx", model=model.name)
    with start_worker(model.parent, form, contract, environment, settings) as worker:

        def make_pass() -> None:
            with tempfile.TemporaryDirectory() as folder, AnswerLog(Path(folder, "answers"), b"bench") as log:
                end = answer_cases(worker, in_file_order(features, batch), log)
                assert log.answered == len(rows), end

        yield make_pass, lambda: time.process_time() + worker.usage().cpu_seconds


@contextmanager
def bare(model: Path, rows: np.ndarray, batch: int, threads: int) -> Iterator[Side]:
    """Yield the model in this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name, wanted = session.get_inputs()[0].name, session.get_outputs()[0].name
    starts = range(0, len(rows), batch)
    yield lambda: [session.run([wanted], {name: rows[at : at + batch]}) for at in starts], time.process_time


if __name__ == "__main__":
    main()
