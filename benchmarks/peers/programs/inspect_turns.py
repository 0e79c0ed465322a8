"""An agent of Inspect AI calls a tool turn by turn: ``inspect_turns.py TURNS SAMPLES FOLDER`` tells the time of a turn.

The model is Inspect's own mock. The time is that of the evaluation of all samples less that of samples without a turn.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool

PAYMENTS = ["x" * 200]


@tool
def list_payments() -> Any:
    async def execute() -> str:
        """The payments of the account."""
        return json.dumps(PAYMENTS)

    return execute


def seconds(turns: int, samples: int, folder: str) -> float:
    """Return how long one evaluation takes."""

    def answer(messages: list[Any], *_: Any) -> ModelOutput:
        done = sum(one.role == "tool" for one in messages) >= turns
        output = (
            ModelOutput.from_content("mockllm/model", "Done.")
            if done
            else ModelOutput.for_tool_call("mockllm/model", "list_payments", {})
        )
        output.usage = ModelUsage(input_tokens=12, output_tokens=4, total_tokens=16)
        return output

    task = Task(
        dataset=MemoryDataset([Sample(id=str(number), input="Look.", target="Done.") for number in range(samples)]),
        solver=[use_tools(list_payments()), generate()],
        message_limit=4 * turns + 8,
    )
    model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    began = time.perf_counter()
    (log,) = eval(task, model=model, display="none", log_dir=folder, log_format="json", log_level="error")
    assert log.status == "success", log.error
    return time.perf_counter() - began


def main() -> None:
    turns, samples, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    seconds(0, 1, folder)
    taken = seconds(turns, samples, folder) - seconds(0, samples, folder)
    print(json.dumps({"milliseconds": 1000 * taken / (turns * samples)}))


if __name__ == "__main__":
    main()
