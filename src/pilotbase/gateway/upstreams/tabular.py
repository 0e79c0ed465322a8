"""A certified application in both protocols: questions made batches of its contract, answers made messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilotbase.documents.contract import Contract
from pilotbase.documents.texts import text
from pilotbase.protocols.chat_dialogues import read_messages
from pilotbase.protocols.contract_cases import CaseReader, scalars_of
from pilotbase.protocols.contract_tensors import (
    PREDICTION,
    answer_scalars,
    answer_tensor,
    answer_text,
    columns_from_chat,
    columns_from_tensors,
    columns_from_turns,
    spoken_field,
    takes_turns,
)
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, abstentions
from pilotbase.protocols.open_inference import InferRequest, InferResponse, write_infer_response
from pilotbase.protocols.openai_wire import (
    ChatAnswer,
    ChatRequest,
    write_chat_completion,
    write_chat_stream,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import EVENTS, JSON, CallCases, UpstreamCall, UpstreamReply

HANDED_OVER = "pilotbase.handed_over"


@dataclass(frozen=True)
class TabularRequest:
    """The cases of a question."""

    batch: FeatureBatch
    listed: bool = True
    """A chat message gave a list of cases, and gets a list of answers."""
    in_words: bool = False
    """A chat message was the case itself, and gets the answer itself."""


@dataclass(frozen=True)
class TabularModel:
    """Reads the questions and writes the answers of one application."""

    contract: Contract
    may_miss: frozenset[str]
    version: str
    """Digest of the application."""

    def read(self, question: UpstreamCall) -> TabularRequest:
        """Return the cases of ``question``.

        Raises:
            ContractBrokenError: they do not fit the contract.
            WireError: an output is asked for that there is not, or something else than an answer.
        """
        reader, content = CaseReader(self.contract, self.may_miss), question.content
        if isinstance(content, InferRequest):
            strange = [name for name in content.outputs if name != PREDICTION]
            if strange:
                raise WireError("wire.no_output", field=strange[0], allowed=PREDICTION)
            return TabularRequest(reader.read(columns_from_tensors(self.contract, content.inputs)))
        if isinstance(content, ChatRequest):
            turns = self._turns(content)
            if turns is not None:
                return TabularRequest(reader.read(turns), listed=False, in_words=True)
            speaks = spoken_field(self.contract)
            if speaks is not None:
                return TabularRequest(reader.read({speaks: [content.question]}), listed=False, in_words=True)
            columns, listed = columns_from_chat(content.question)
            return TabularRequest(reader.read(columns), listed)
        raise WireError("wire.no_embeddings", field="model")

    def _turns(self, content: ChatRequest) -> Mapping[str, Sequence[object]] | None:
        """Return the columns of a chat that is a dialogue of the contract; None: it holds cases."""
        if not takes_turns(self.contract):
            return None
        told = content.fields.get("pilotbase")
        given = [content.fields.get("metadata"), told.get("inputs") if isinstance(told, dict) else None]
        others = {name: value for one in given if isinstance(one, dict) for name, value in one.items()}
        said = [(message.role, message.words) for message in read_messages(content)]
        return columns_from_turns(self.contract, said, others)

    def answer(self, question: UpstreamCall, asked: TabularRequest, answers: AnswerBatch) -> UpstreamReply:
        """Return the answers as a message of the question's protocol."""
        scalars = answer_scalars(answers, self.contract.prediction)
        cases = CallCases(case_ids(question.call, asked.batch.rows), scalars_of(asked.batch), scalars)
        if isinstance(question.content, ChatRequest):
            if asked.in_words and not isinstance(scalars[0], str):
                return _unanswered_chat(question, question.content, cases, handed_over=False)
            spelled = str(scalars[0]) if asked.in_words else answer_text(scalars, asked.listed)
            answer = ChatAnswer(f"chatcmpl-{question.call}", question.service, question.created, spelled)
            return chat_reply(answer, question.content, cases)
        return self._infer_reply(question, answers, cases, handed_over=False)

    def hand_over(self, question: UpstreamCall, asked: TabularRequest) -> UpstreamReply:
        """Return the answer that leaves every case to a person."""
        rows = asked.batch.rows
        cases = CallCases(case_ids(question.call, rows), scalars_of(asked.batch))
        if isinstance(question.content, ChatRequest):
            return handed_over_chat(question, question.content, cases)
        answers = AnswerBatch(abstentions(rows, self.contract.prediction))
        return self._infer_reply(question, answers, cases, handed_over=True)

    def _infer_reply(
        self, question: UpstreamCall, answers: AnswerBatch, cases: CallCases, handed_over: bool
    ) -> UpstreamReply:
        content = question.content
        assert isinstance(content, InferRequest)
        response = InferResponse(
            model=question.service,
            version=self.version,
            id=content.id or question.call,
            outputs=(answer_tensor(answers, self.contract.prediction),),
            parameters={HANDED_OVER: True} if handed_over else {},
        )
        body, length = write_infer_response(response, content.binary)
        media_type = JSON if length is None else "application/octet-stream"
        return UpstreamReply(body, cases, media_type=media_type, header_length=length, handed_over=handed_over)


def handed_over_chat(question: UpstreamCall, content: ChatRequest, cases: CallCases) -> UpstreamReply:
    """Return the chat answer that leaves the question to a person."""
    return _unanswered_chat(question, content, cases, handed_over=True)


def case_ids(call: str, rows: int) -> Sequence[str]:
    """Return the names of the cases of a call."""
    return [call] if rows == 1 else [f"{call}/{row}" for row in range(rows)]


def _unanswered_chat(
    question: UpstreamCall, content: ChatRequest, cases: CallCases, *, handed_over: bool
) -> UpstreamReply:
    """Return an answer without content: nothing certified could answer, or the application itself abstains."""
    refusal = text("gateway.handed_over" if handed_over else "gateway.abstained").render(question.language)
    name = f"chatcmpl-{question.call}"
    answer = ChatAnswer(name, question.service, question.created, None, refusal, handed_over)
    return chat_reply(answer, content, cases)


def chat_reply(answer: ChatAnswer, content: ChatRequest, cases: CallCases) -> UpstreamReply:
    """Return an answer as a whole, or as a stream of one piece."""
    body = write_chat_stream(answer, content.include_usage) if content.stream else write_chat_completion(answer)
    media_type = EVENTS if content.stream else JSON
    return UpstreamReply(body, cases, answer.usage, media_type=media_type, handed_over=answer.handed_over)
