"""Inspect AI runs an agent with a tool, two epochs of six samples, and writes a log: ``inspect_agent.py FOLDER FORM``.

The model is Inspect's own mock: it calls the tool with the meter that the sample names and answers with the reading.
One sample makes it call forever, until the message limit; one breaks it.
"""

from __future__ import annotations

import sys
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageTool, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, includes, mean, scorer
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool

METERS = {"a": "4.2 bar", "b": "17 bar", "c": "0.3 bar"}
ASKED = [("a", "4.2 bar"), ("b", "17 bar"), ("c", "3.0 bar"), ("z", "no such meter"), ("loop", "-"), ("boom", "-")]


@tool
def read_meter() -> Any:
    async def execute(meter: str) -> str:
        """Read a meter.

        Args:
            meter: Its name.
        """
        return METERS.get(meter, "no such meter")

    return execute


@scorer(metrics={"brief": [mean()], "polite": [mean()]})
def manner() -> Any:
    async def score(state: Any, target: Any) -> Score:
        return Score(value={"brief": 1 / len(state.messages), "polite": False})

    return score


def answer(messages: list[Any], *_: Any) -> ModelOutput:
    """Call the tool, then answer with its result."""
    meter = messages[0].text.split()[-1]
    if meter == "boom":
        raise RuntimeError("boom")
    if isinstance(messages[-1], ChatMessageTool) and meter != "loop":
        output = ModelOutput.from_content("mockllm/model", f"It says {messages[-1].text}.")
    else:
        output = ModelOutput.for_tool_call("mockllm/model", "read_meter", {"meter": meter})
    output.usage = ModelUsage(input_tokens=12, output_tokens=4, total_tokens=16)
    return output


def main() -> None:
    folder, form = sys.argv[1:]
    samples = [
        Sample(id=name, input=f"Read the meter {name}", target=target, metadata={"site": "north"})
        for name, target in ASKED
    ]
    task = Task(
        dataset=MemoryDataset(samples), solver=[use_tools(read_meter()), generate()], scorer=[includes(), manner()],
        message_limit=12, epochs=2, fail_on_error=False,
    )  # fmt: skip
    model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    (log,) = eval(task, model=model, display="none", log_dir=folder, log_format=form, log_level="error")
    assert log.status == "success", log.error
    print(log.location)


if __name__ == "__main__":
    main()
