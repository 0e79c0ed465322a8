"""Our side of the comparison with Inspect AI: a trial's path over a model endpoint that answers at once.

``python -m benchmarks.kinds.endpoint_samples SAMPLES CONNECTIONS FOLDER URL``: every question is worded from its case,
asked of the OpenAI-compatible server, its call written down and its answer committed, as a trial does; then scored and
judged. Like the peer's program, it does its imports and one-time setup before the time begins.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.peers.programs.timing import say
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.limits import Limits
from pilotbase.documents.scenario import Criterion
from pilotbase.evidence import Levels, draw_order
from pilotbase.measures import Cases
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.worker import EndpointAccess, EndpointWorker
from pilotbase.trial.answering import AnswerLog, answer_cases
from pilotbase.trial.delivering import in_file_order
from pilotbase.trial.performance import Load, measured_run
from pilotbase.trial.scoring import judge

ANSWER = "All is well."
QUESTION = "Is all well, number {number}?"
BATCH = 256
_FEW = 20
CONTRACT = Contract(features=(Field(name="number", data_type=DataType.INTEGER),), prediction=Prediction(kind="text"))


def main() -> None:
    """Run a few questions, then all, and report."""
    samples, connections, folder, url = sys.argv[1:]
    with _opened(url, int(connections), Path(folder)) as worker:
        _evaluate(worker, _FEW, Path(folder, "few"))
        say(lambda: _evaluate(worker, int(samples), Path(folder, "all")))


@contextmanager
def _opened(url: str, connections: int, folder: Path) -> Iterator[EndpointWorker]:
    endpoint = Endpoint.model_validate(
        {
            "protocol": "openai_chat",
            "url": f"{url}/v1",
            "model": "fixed",
            "period": {"since": "2026-01-01", "until": "2027-12-31"},
            "calls_per_second": 100_000,
            "in_flight": connections,
            "prompt": {"template": QUESTION},
        }
    )
    settings = BoxSettings(limits=Limits(wall_seconds=600, batch_seconds=60))
    access = EndpointAccess(GuardedHttp(("127.0.0.1",)), None)
    with (
        CallLog(folder / "calls", b"bench", b"key") as calls,
        EndpointWorker(endpoint, CONTRACT, settings, access, calls) as worker,
    ):
        yield worker


def _evaluate(worker: EndpointWorker, samples: int, path: Path) -> dict[str, float]:
    with AnswerLog(path, b"bench", b"key") as log:
        answer_cases(worker, in_file_order({"number": np.arange(samples)}, BATCH), log)
        answers, seconds, answered = log.values(), log.seconds(), log.answered
    assert answered == samples
    truth = np.full(samples, ANSWER, dtype=object)
    cases, order = Cases(truth, answers, kind="text"), draw_order(samples, b"seed")
    levels = Levels(Fraction(1, 20), Fraction(1, 20))
    load = Load(batch_seconds=seconds, cases=samples, batch_rows=BATCH, load_seconds=0.0)
    assert judge([Criterion(rule="exact_match >= 0.5")], cases, order, levels, measured_run(load)).verdict == "accept"
    kept = sum(file.stat().st_size for file in (path, path.with_name("calls")))
    return {"right": float((answers == truth).mean()), "bytes": kept}


if __name__ == "__main__":
    main()
