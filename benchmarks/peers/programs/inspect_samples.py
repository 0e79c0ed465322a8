"""Inspect AI asks a model that answers at once so many questions and scores them: seconds of the clock and processor.

``inspect_samples.py SAMPLES CONNECTIONS FOLDER [URL]``: with an address the model is an OpenAI-compatible server; with
none it is Inspect's own mock, in this process. The log is written as it comes; nothing is displayed. Imports and
one-time setup happen before the time begins, in a small evaluation.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import exact
from inspect_ai.solver import generate
from timing import say

ANSWER = "All is well."
_FEW = 20


def main() -> None:
    """Evaluate a few, then all, and report."""
    samples, connections, folder, *url = sys.argv[1:]
    settings = {"display": "none", "log_dir": folder, "max_connections": int(connections), "log_level": "error"}
    model = _served(url[0]) if url else _mock()
    _evaluate(_FEW, model, settings)
    say(lambda: _evaluate(int(samples), model, settings), ("inspect_ai", "openai"))


def _evaluate(samples: int, model: Any, settings: dict[str, Any]) -> dict[str, float]:
    dataset = MemoryDataset([Sample(input=f"Is all well, number {at}?", target=ANSWER) for at in range(samples)])
    (log,) = eval(Task(dataset=dataset, solver=generate(), scorer=exact()), model=model, **settings)
    assert log.status == "success" and log.results is not None, log.error
    assert log.results.completed_samples == samples
    return {"right": log.results.scores[0].metrics["mean"].value, "bytes": Path(log.location).stat().st_size}


def _mock() -> Any:
    """Return the mock; it is given its token counts, because it would otherwise count with a file from the internet."""

    def answer(*_: Any) -> ModelOutput:
        output = ModelOutput.from_content("mockllm/model", ANSWER)
        output.usage = ModelUsage(input_tokens=12, output_tokens=4, total_tokens=16)
        return output

    return get_model("mockllm/model", custom_outputs=answer, memoize=False)


def _served(url: str) -> Any:
    os.environ |= {"STUB_BASE_URL": f"{url}/v1", "STUB_API_KEY": "none"}
    return get_model("openai-api/stub/fixed")


if __name__ == "__main__":
    main()
