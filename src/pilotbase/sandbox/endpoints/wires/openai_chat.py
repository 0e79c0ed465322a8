"""OpenAI chat completions: a case is one question, with the same few examples before each.

Source: OpenAI API reference, "Chat". Extras of single endpoints (``logprobs``, tools) are not used.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.openai_wire import ModelOutput, read_chat_answer, write_chat_request
from pilotbase.sandbox.endpoints.prompted import PromptedWire


class ChatWire(PromptedWire):
    """Asks a chat model about a case at a time."""

    place = "chat/completions"

    def body(self, question: str) -> bytes:
        shown = [pair for one in self.prompt.examples for pair in (("user", one.question), ("assistant", one.answer))]
        system: Sequence[tuple[str, str]] = [] if self.prompt.system is None else [("system", self.prompt.system)]
        return write_chat_request(self.endpoint.model, [*system, *shown, ("user", question)], self.sampling)

    def said(self, answer: GuardedResponse) -> ModelOutput:
        return read_chat_answer(answer.body)


WIRE = ChatWire
