"""Programs that call a service, complete as its page shows them: each runs unchanged once two variables are set."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.protocols.array_cells import cell_of
from pilotbase.protocols.contract_tensors import TURNS, spoken_field, takes_turns

_EXAMPLES: Mapping[DataType, Callable[[Field], object]] = {
    DataType.FLOAT: lambda field: _middle(field),
    DataType.INTEGER: lambda field: round(_middle(field)),
    DataType.BOOLEAN: lambda field: True,
    DataType.TEXT: lambda field: "text",
    DataType.DATE: lambda field: "2026-01-31",
    DataType.DATETIME: lambda field: "2026-01-31T08:00:00",
    DataType.IMAGE: lambda field: cell_of(np.zeros((8, 8, 3), np.uint8)),
    DataType.AUDIO: lambda field: cell_of(np.zeros(16, np.int16)),
}
_GREETING = "Hello"


@dataclass(frozen=True)
class Snippet:
    """A program."""

    title: str
    """Names of languages and packages, which nobody translates."""
    program: str


@dataclass(frozen=True)
class _Question:
    """What an example asks: the user's message, and what goes beside it."""

    content: str
    inputs: Mapping[str, object]
    """Fields of the contract besides the turns of a dialogue."""

    @property
    def beside(self) -> dict[str, Any]:
        return {"pilotbase": {"inputs": dict(self.inputs)}} if self.inputs else {}


def snippets_for(service: str, contract: Contract | None) -> tuple[Snippet, ...]:
    """Return programs that ask ``service`` one question under its contract (None: it is a chat model)."""
    question = _question(contract)
    return (
        Snippet("curl", _curl(service, question)),
        Snippet("Python · openai", _openai(service, question)),
        Snippet("Python · LangChain", _langchain(service, question)),
        Snippet("JavaScript", _javascript(service, question)),
    )


def example_for(service: str, contract: Contract | None) -> Mapping[str, Any]:
    """Return the chat completion that the programs of `snippets_for` ask for."""
    return _request(service, _question(contract))


def _question(contract: Contract | None) -> _Question:
    if contract is None or contract.world is not None or spoken_field(contract) is not None:
        return _Question(_GREETING, {})
    case = {field.name: _EXAMPLES[field.data_type](field) for field in contract.features}
    if takes_turns(contract):
        return _Question(_GREETING, {name: value for name, value in case.items() if name != TURNS})
    return _Question(json.dumps(case, ensure_ascii=False), {})


def _middle(field: Field) -> float:
    """Return a number within the bounds of the field."""
    low, high = field.minimum, field.maximum
    if low is None:
        low = 1.0 if high is None else min(1.0, high)
    if high is None:
        high = max(1.0, low)
    return (low + high) / 2


def _request(service: str, question: _Question) -> dict[str, Any]:
    return {"model": service, "messages": [{"role": "user", "content": question.content}], **question.beside}


def _curl(service: str, question: _Question) -> str:
    return f"""\
curl -sS "$PILOTBASE_GATEWAY/v1/chat/completions" \\
  -H "Authorization: Bearer $PILOTBASE_SERVICE_KEY" \\
  -H "Content-Type: application/json" \\
  --data-binary @- <<'JSON'
{json.dumps(_request(service, question), ensure_ascii=False, indent=2)}
JSON
"""


def _openai(service: str, question: _Question) -> str:
    beside = f"    extra_body={question.beside!r},\n" if question.beside else ""
    return f"""\
import os
from openai import OpenAI

client = OpenAI(base_url=os.environ["PILOTBASE_GATEWAY"] + "/v1", api_key=os.environ["PILOTBASE_SERVICE_KEY"])
answer = client.chat.completions.create(
    model={service!r},
    messages=[{{"role": "user", "content": {question.content!r}}}],
{beside})
print(answer.choices[0].message.content or answer.choices[0].message.refusal)
"""


def _langchain(service: str, question: _Question) -> str:
    beside = f", extra_body={question.beside!r}" if question.beside else ""
    return f"""\
import os
from langchain_openai import ChatOpenAI

place = os.environ["PILOTBASE_GATEWAY"] + "/v1"
model = ChatOpenAI(model={service!r}, base_url=place, api_key=os.environ["PILOTBASE_SERVICE_KEY"]{beside})
print(model.invoke({question.content!r}).content)
"""


def _javascript(service: str, question: _Question) -> str:
    return f"""\
const answer = await fetch(`${{process.env.PILOTBASE_GATEWAY}}/v1/chat/completions`, {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.PILOTBASE_SERVICE_KEY}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({json.dumps(_request(service, question), ensure_ascii=False)}),
}});
const told = await answer.json();
if (!answer.ok) throw new Error(told.error.message);
console.log(told.choices[0].message.content ?? told.choices[0].message.refusal);
"""
