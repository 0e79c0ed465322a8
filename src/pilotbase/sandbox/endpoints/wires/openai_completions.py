"""OpenAI completions, for models that continue a text: system, examples and question one below another.

Source: OpenAI API reference, "Completions (legacy)".
"""

from __future__ import annotations

from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.openai_tasks import read_completion_answer, write_completion_request
from pilotbase.protocols.openai_wire import ModelOutput
from pilotbase.sandbox.endpoints.prompted import PromptedWire


class CompletionWire(PromptedWire):
    """Lets a model continue the question about a case."""

    place = "completions"

    def body(self, question: str) -> bytes:
        shown = (f"{one.question}{one.answer}" for one in self.prompt.examples)
        system = () if self.prompt.system is None else (self.prompt.system,)
        return write_completion_request(self.endpoint.model, "\n\n".join([*system, *shown, question]), self.sampling)

    def said(self, answer: GuardedResponse) -> ModelOutput:
        return read_completion_answer(answer.body)


WIRE = CompletionWire
