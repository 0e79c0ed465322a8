"""A certified application in both protocols: questions made batches of its contract, answers made messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pilotbase.data.array_files import UnreadableArrayError, sound_cell
from pilotbase.documents.contract import Contract
from pilotbase.documents.observation import Scalar
from pilotbase.documents.texts import text
from pilotbase.protocols.chat_dialogues import USER, read_messages
from pilotbase.protocols.contract_cases import CaseReader, ContractBrokenError, scalars_of
from pilotbase.protocols.contract_tensors import (
    PREDICTION,
    answer_scalars,
    answer_tensor,
    answer_text,
    columns_from_chat,
    columns_from_tensors,
    columns_from_turns,
    columns_to_rank,
    heard_field,
    ranked_places,
    ranks_documents,
    spoken_field,
    takes_turns,
)
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, abstentions
from pilotbase.protocols.open_inference import InferRequest, InferResponse, write_infer_response
from pilotbase.protocols.openai_tasks import (
    WRITTEN_FORMS,
    CompletionRequest,
    RerankRequest,
    TaskAnswer,
    TaskRequest,
    TranscriptionRequest,
    write_completions,
    write_ranks,
    write_transcription,
)
from pilotbase.protocols.openai_wire import (
    ChatAnswer,
    ChatRequest,
    TokenUsage,
    write_chat_completion,
    write_chat_stream,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import EVENTS, JSON, CallCases, UpstreamCall, UpstreamDownError, UpstreamReply

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
        if isinstance(content, TaskRequest):
            return TabularRequest(reader.read(self._columns(content)))
        if isinstance(content, CompletionRequest):
            columns, in_words = self._prompted(content)
            return TabularRequest(reader.read(columns), listed=False, in_words=in_words)
        turns = self._turns(content)
        if turns is not None:
            return TabularRequest(reader.read(turns), listed=False, in_words=True)
        speaks = spoken_field(self.contract)
        if speaks is not None:
            return TabularRequest(reader.read({speaks: [content.question]}), listed=False, in_words=True)
        columns, listed = columns_from_chat(content.question)
        return TabularRequest(reader.read(columns), listed)

    def _columns(self, content: TaskRequest) -> Mapping[str, Sequence[object]]:
        """Return the columns of a request with an address of its own; raises `WireError` where it is not this one's."""
        heard = heard_field(self.contract)
        ranks = ranks_documents(self.contract)
        if isinstance(content, RerankRequest) and ranks:
            return columns_to_rank(content.query, content.documents)
        if isinstance(content, TranscriptionRequest) and heard is not None:
            if content.form not in WRITTEN_FORMS:
                raise WireError("wire.field_type", field="response_format")
            try:
                return {heard.name: [sound_cell(content.sound, heard)]}
            except UnreadableArrayError as error:
                raise ContractBrokenError.of([(heard.name, text("contract.no_sound", reason=str(error)))]) from None
        own = RerankRequest if ranks else ChatRequest if heard is None else TranscriptionRequest
        raise WireError("wire.other_task", field="model", place=content.place, instead=own.place)

    def _prompted(self, content: CompletionRequest) -> tuple[Mapping[str, Sequence[object]], bool]:
        """Return the columns of prompts, a case each, and whether they are answered in words."""
        speaks = spoken_field(self.contract)
        if speaks is not None:
            return {speaks: content.prompts}, True
        if not takes_turns(self.contract):
            return columns_from_chat(f"[{','.join(content.prompts)}]")[0], False
        cases = [columns_from_turns(self.contract, [(USER, one)], _others(content)) for one in content.prompts]
        if None in cases:
            return columns_from_chat(f"[{','.join(content.prompts)}]")[0], False
        told = [case for case in cases if case is not None]
        return {name: [value for case in told for value in case[name]] for name in told[0]}, True

    def _turns(self, content: ChatRequest) -> Mapping[str, Sequence[object]] | None:
        """Return the columns of a chat that is a dialogue of the contract; None: it holds cases."""
        if not takes_turns(self.contract):
            return None
        said = [(message.role, message.words) for message in read_messages(content)]
        return columns_from_turns(self.contract, said, _others(content))

    def answer(self, question: UpstreamCall, asked: TabularRequest, answers: AnswerBatch) -> UpstreamReply:
        """Return the answers as a message of the question's protocol."""
        scalars, content = answer_scalars(answers, self.contract.prediction), question.content
        cases = CallCases(case_ids(question.call, asked.batch.rows), scalars_of(asked.batch), scalars)
        if isinstance(content, InferRequest):
            return self._infer_reply(question, answers, cases, handed_over=False)
        if isinstance(content, CompletionRequest):
            texts = [one if asked.in_words else answer_text([one], listed=False) for one in scalars]
            return _completions(question, content, cases, texts)
        if isinstance(content, TaskRequest):
            return _task_reply(question, content, cases, scalars[0])
        if asked.in_words and not isinstance(scalars[0], str):
            return _unanswered_chat(question, content, cases, handed_over=False)
        spelled = str(scalars[0]) if asked.in_words else answer_text(scalars, asked.listed)
        answer = ChatAnswer(f"chatcmpl-{question.call}", question.service, question.created, spelled)
        return chat_reply(answer, content, cases)

    def hand_over(self, question: UpstreamCall, asked: TabularRequest) -> UpstreamReply:
        """Return the answer that leaves every case to a person."""
        rows = asked.batch.rows
        cases, content = CallCases(case_ids(question.call, rows), scalars_of(asked.batch)), question.content
        if isinstance(content, InferRequest):
            answers = AnswerBatch(abstentions(rows, self.contract.prediction))
            return self._infer_reply(question, answers, cases, handed_over=True)
        return handed_over(question, content, cases)

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


def handed_over(question: UpstreamCall, content: ChatRequest | TaskRequest, cases: CallCases) -> UpstreamReply:
    """Return the answer that leaves the question to a person; raises `UpstreamDownError` where no form of it can."""
    if isinstance(content, CompletionRequest):
        return _completions(question, content, cases, [""] * content.cases, {"handed_over": True})
    if isinstance(content, TaskRequest):
        return _task_reply(question, content, cases, None, {"handed_over": True})
    return _unanswered_chat(question, content, cases, handed_over=True)


def _completions(
    question: UpstreamCall,
    content: CompletionRequest,
    cases: CallCases,
    texts: Sequence[Scalar],
    told: Mapping[str, object] = MappingProxyType({}),
) -> UpstreamReply:
    """Return one text a prompt; an abstention is empty, and named by its place."""
    abstained = [place for place, words in enumerate(texts) if words is None]
    answer = _named(question, {**told, **({"abstained": abstained} if abstained else {})})
    body = write_completions(answer, ["" if words is None else str(words) for words in texts], content)
    media_type = EVENTS if content.stream else JSON
    return UpstreamReply(body, cases, TokenUsage(0, 0), media_type=media_type, handed_over="handed_over" in told)


def _task_reply(
    question: UpstreamCall,
    content: TaskRequest,
    cases: CallCases,
    answer: Scalar,
    told: Mapping[str, object] = MappingProxyType({}),
) -> UpstreamReply:
    """Return the answer to a request with an address of its own; raises `UpstreamDownError` where it is none of ours.

    None: an abstention, which ranks nothing or says nothing, and is told.
    """
    named = _named(question, told or ({"abstained": True} if answer is None else {}))
    if isinstance(content, RerankRequest):
        body, media_type = write_ranks(named, ranked_places(answer, len(content.documents)), content), JSON
    elif isinstance(content, TranscriptionRequest):
        body, media_type = write_transcription(named, "" if answer is None else str(answer), content)
    else:
        raise UpstreamDownError("gateway.needs_person")
    return UpstreamReply(body, cases, TokenUsage(0, 0), media_type=media_type, handed_over="handed_over" in told)


def _named(question: UpstreamCall, told: Mapping[str, object]) -> TaskAnswer:
    return TaskAnswer(question.call, question.service, question.created, told)


def _others(content: ChatRequest) -> Mapping[str, object]:
    """Return the fields of the contract that a request tells beside its turns or prompts."""
    told = content.fields.get("pilotbase")
    given = [content.fields.get("metadata"), told.get("inputs") if isinstance(told, dict) else None]
    return {name: value for one in given if isinstance(one, dict) for name, value in one.items()}


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
