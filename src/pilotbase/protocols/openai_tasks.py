"""Messages of the OpenAI API for tasks that are no chat: completions, embeddings, rerank, transcriptions, images.

Sources: OpenAI API reference, "Completions", "Embeddings", "Audio", "Images"; for rerank, which OpenAI lacks, what the
clients of Cohere and Jina and the server vLLM have in common; RFC 7578 for ``multipart/form-data``.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import ClassVar

from pilotbase.protocols.openai_wire import (
    DEFAULT_MOST_TOKENS,
    ChatRequest,
    ModelOutput,
    TokenUsage,
    event_of,
    first_choice,
    most_prompt_tokens,
    read_bounds,
    read_count,
    read_flag,
    read_model,
    read_usage,
    served_by,
    usage_fields,
)
from pilotbase.protocols.strict_json import WireError, read_object, write_json

JSON_TYPE, PLAIN_TYPE = "application/json", "text/plain; charset=utf-8"
JSON_FORMS = frozenset({"json", "verbose_json", "diarized_json"})
"""Forms of a transcription that are JSON; the others are plain text."""
WRITTEN_FORMS = frozenset({"json", "text"})
"""Forms in which our applications answer: the others need the times of words."""
MOST_TEXTS = 10_000
TOKENS_AN_IMAGE = 8192
"""Reserved for each image: OpenAI's largest uses fewer."""
BYTES_A_SOUND_TOKEN = 16
"""One token at most is reserved for so many bytes of a sound: models use ten to fifty for a second."""
_MOST_PARTS, _MOST_FIELD_BYTES = 64, 1 << 20


@dataclass(frozen=True)
class CompletionRequest(ChatRequest):
    """A request to go on with prompts; ``question`` is the first of them, ``messages`` their number."""

    place: ClassVar[str] = "completions"
    prompts: tuple[str, ...] = ()

    @property
    def cases(self) -> int:
        return len(self.prompts)


@dataclass(frozen=True)
class TaskRequest:
    """A request to a model that has an address of its own."""

    place: ClassVar[str]
    """Its address below ``/v1``."""
    answer: ClassVar[tuple[str, type]]
    """What an answer to it holds, and of which type."""
    in_words: ClassVar[bool] = False
    """Its answer is words: where nobody counts its tokens, they are estimated from its length."""
    model: str
    fields: Mapping[str, object]

    @property
    def cases(self) -> int:
        """How many cases it asks about."""
        return 1

    def most(self, size: int) -> int:
        """Return how many tokens may be used for a request of ``size`` bytes and its answer."""
        return most_prompt_tokens(size)

    def sent(self, model: str) -> tuple[bytes, str]:
        """Return the body that asks ``model`` the same, and its media type."""
        return write_json({**self.fields, "model": model}), JSON_TYPE


@dataclass(frozen=True)
class EmbeddingRequest(TaskRequest):
    """A request to an embedding model."""

    place: ClassVar[str] = "embeddings"
    answer: ClassVar[tuple[str, type]] = ("data", list)

    @property
    def cases(self) -> int:
        listed = self.fields.get("input")
        tokens = isinstance(listed, list) and all(isinstance(one, int) for one in listed)
        return len(listed) if isinstance(listed, list) and not tokens else 1


@dataclass(frozen=True)
class RerankRequest(TaskRequest):
    """A request to put documents in the order in which they answer a query."""

    place: ClassVar[str] = "rerank"
    answer: ClassVar[tuple[str, type]] = ("results", list)
    query: str = ""
    documents: tuple[str, ...] = ()
    top: int = 0
    shows: bool = False
    """The answer is to repeat the documents."""

    def most(self, size: int) -> int:
        return most_prompt_tokens(size + len(self.documents) * len(self.query.encode()), len(self.documents))


@dataclass(frozen=True)
class TranscriptionRequest(TaskRequest):
    """A request to write down what a sound says; ``fields`` are those of its form."""

    place: ClassVar[str] = "audio/transcriptions"
    answer: ClassVar[tuple[str, type]] = ("text", str)
    in_words: ClassVar[bool] = True
    sound: bytes = b""
    file: str = ""
    """Its name."""
    form: str = "json"
    """In which form the answer is wanted."""

    def most(self, size: int) -> int:
        return size // BYTES_A_SOUND_TOKEN + DEFAULT_MOST_TOKENS

    def sent(self, model: str) -> tuple[bytes, str]:
        return write_form({**self.fields, "model": model}, self.file, self.sound)


@dataclass(frozen=True)
class ImageRequest(TaskRequest):
    """A request to draw images."""

    place: ClassVar[str] = "images/generations"
    answer: ClassVar[tuple[str, type]] = ("data", list)
    count: int = 1

    def most(self, size: int) -> int:
        return most_prompt_tokens(size) + self.count * TOKENS_AN_IMAGE


def read_completion_request(body: bytes) -> CompletionRequest:
    """Return the request in ``body``; raises `WireError`."""
    fields = read_object(body)
    prompts = _texts(fields, "prompt")
    stream, include_usage, most, bounded = read_bounds(fields)
    answers = max(read_count(fields, "n", 1, 128), read_count(fields, "best_of", 1, 128)) * len(prompts)
    return CompletionRequest(
        read_model(fields), prompts[0], stream, include_usage, most * answers, bounded, len(prompts), fields, prompts
    )


def read_embedding_request(body: bytes) -> EmbeddingRequest:
    """Return the request in ``body``; raises `WireError`."""
    fields = read_object(body)
    if not isinstance(fields.get("input"), str | list) or not fields["input"]:
        raise WireError("wire.no_embedding_input", field="input")
    return EmbeddingRequest(read_model(fields), fields)


def read_rerank_request(body: bytes) -> RerankRequest:
    """Return the request in ``body``; raises `WireError`."""
    fields = read_object(body)
    query, listed = fields.get("query"), fields.get("documents")
    if not isinstance(query, str) or not query:
        raise WireError("wire.field_type", field="query")
    told = [one.get("text") if isinstance(one, dict) else one for one in listed] if isinstance(listed, list) else []
    documents = _texts({"documents": told}, "documents")
    top = read_count(fields, "top_n", len(documents), MOST_TEXTS)
    return RerankRequest(read_model(fields), fields, query, documents, top, read_flag(fields, "return_documents"))


def read_image_request(body: bytes) -> ImageRequest:
    """Return the request in ``body``; raises `WireError`."""
    fields = read_object(body)
    if not isinstance(fields.get("prompt"), str) or not fields["prompt"]:
        raise WireError("wire.field_type", field="prompt")
    _refuse_stream(read_flag(fields, "stream"))
    return ImageRequest(read_model(fields), fields, read_count(fields, "n", 1, 10))


def read_transcription_request(body: bytes, media_type: str) -> TranscriptionRequest:
    """Return the request in ``body``, a form of ``media_type``; raises `WireError`."""
    fields, files = read_form(body, media_type)
    if "file" not in files:
        raise WireError("wire.field_type", field="file")
    _refuse_stream(fields.get("stream") in ("true", "True", "1"))
    name, sound = files["file"]
    return TranscriptionRequest(read_model(fields), fields, sound, name, str(fields.get("response_format", "json")))


def write_completion_request(model: str, prompt: str, sampling: Mapping[str, object]) -> bytes:
    """Return the body of a request to go on with ``prompt``."""
    return write_json({"model": model, "prompt": prompt, **sampling})


def read_completion_answer(body: bytes) -> ModelOutput:
    """Return the first choice of a completion; raises `WireError`."""
    message = read_object(body)
    words = first_choice(message).get("text")
    if not isinstance(words, str):
        raise WireError("wire.no_choice", field="choices[0].text")
    return ModelOutput(words, served_by(message), read_usage(message))


def write_embedding_request(model: str, texts: Sequence[str]) -> bytes:
    """Return the body of a request for the embedding of each text."""
    return write_json({"model": model, "input": list(texts), "encoding_format": "float"})


def read_embeddings(body: bytes, count: int) -> tuple[Sequence[Sequence[float]], str, TokenUsage | None]:
    """Return ``count`` embeddings, all of one length, how the model named itself, and its usage; raises `WireError`."""
    message = read_object(body)
    found = message.get("data")
    if not isinstance(found, list) or len(found) != count:
        raise WireError("wire.no_vectors", field="data", wanted=count)
    placed = {one.get("index", place): one.get("embedding") for place, one in enumerate(found) if isinstance(one, dict)}
    vectors = [placed.get(place) for place in range(count)]
    lengths = {len(vector) if _is_vector(vector) else 0 for vector in vectors}  # type: ignore[arg-type]
    if len(lengths) != 1 or 0 in lengths:
        raise WireError("wire.no_vectors", field="data", wanted=count)
    return vectors, served_by(message), read_usage(message)  # type: ignore[return-value]


def read_form(body: bytes, media_type: str) -> tuple[dict[str, object], dict[str, tuple[str, bytes]]]:
    """Return the fields of a form, and name → (file name, bytes) of its files; of a field that comes twice, a list.

    Raises:
        WireError: ``media_type`` is not that of a form, or the form is cut off, or has too many parts or too long ones.
    """
    told = Message()
    told["content-type"] = media_type
    boundary = told.get_boundary()
    if told.get_content_type() != "multipart/form-data" or not boundary:
        raise WireError("wire.no_form")
    fence = b"\r\n--" + boundary.encode("latin-1", "replace")
    start, *parts = (b"\r\n" + body).split(fence, _MOST_PARTS + 1)
    end = parts.pop() if parts else b""
    if start or not end.startswith(b"--") or fence in end or not parts:
        raise WireError("wire.no_form")
    fields, files = dict[str, object](), dict[str, tuple[str, bytes]]()
    for part in parts:
        head, found, data = part.partition(b"\r\n\r\n")
        name, file = _disposition(head)
        if not found or not name:
            raise WireError("wire.no_form")
        if file is not None:
            files[name] = (file, data)
            continue
        if len(data) > _MOST_FIELD_BYTES:
            raise WireError("wire.field_type", field=name[:40])
        said: object = data.decode("utf-8", "replace")
        before = fields.get(name)
        fields[name] = said if before is None else [*(before if isinstance(before, list) else [before]), said]
    return fields, files


def write_form(fields: Mapping[str, object], file: str, data: bytes) -> tuple[bytes, str]:
    """Return a form with ``fields`` and one file, and its media type."""
    boundary = secrets.token_hex(16)
    lines = list[bytes]()
    for name, found in fields.items():
        for one in found if isinstance(found, list) else [found]:
            lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{one}\r\n'.encode())
    lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file}"\r\n\r\n'.encode())
    return b"".join([*lines, data, f"\r\n--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


@dataclass(frozen=True)
class TaskAnswer:
    """What is the same in all answers of our applications."""

    identity: str
    model: str
    created: int
    """Seconds since 1970."""
    told: Mapping[str, object]
    """What this base tells beside it, as the field ``pilotbase``."""

    def beside(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return ``fields`` with what the base tells, if it tells anything."""
        return {**fields, **({"pilotbase": dict(self.told)} if self.told else {})}


def write_completions(answer: TaskAnswer, texts: Sequence[str], request: CompletionRequest) -> bytes:
    """Return the body with one answer a prompt, or the events of a stream of it."""
    choices = [
        {"index": place, "text": words, "logprobs": None, "finish_reason": "stop"} for place, words in enumerate(texts)
    ]
    head = {"id": f"cmpl-{answer.identity}", "object": "text_completion", "created": answer.created}
    head = {**answer.beside(head), "model": answer.model}
    usage = usage_fields(TokenUsage(0, 0))
    if not request.stream:
        return write_json({**head, "choices": choices, "usage": usage})
    events = [{**head, "choices": [choice]} for choice in choices]
    if request.include_usage:
        events.append({**head, "choices": [], "usage": usage})
    return b"".join(event_of(write_json(event)) for event in events) + event_of(b"[DONE]")


def write_ranks(answer: TaskAnswer, ranked: Sequence[int], request: RerankRequest) -> bytes:
    """Return the body with the best documents first, by their places in the request.

    An order has no scores: the relevance of a document is one by its rank.
    """
    results = [
        {
            "index": place,
            "relevance_score": 1 / rank,
            **({"document": {"text": request.documents[place]}} if request.shows else {}),
        }
        for rank, place in enumerate(ranked[: request.top], 1)
    ]
    fields = {"id": f"rerank-{answer.identity}", "model": answer.model, "results": results}
    return write_json(answer.beside({**fields, "usage": usage_fields(TokenUsage(0, 0))}))


def write_transcription(answer: TaskAnswer, words: str, request: TranscriptionRequest) -> tuple[bytes, str]:
    """Return the body and its media type."""
    if request.form == "text":
        return words.encode() + b"\n", PLAIN_TYPE
    return write_json(answer.beside({"text": words})), JSON_TYPE


def _texts(fields: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a text, or a list of texts; ids of tokens are refused: they mean nothing without their vocabulary."""
    found = fields.get(name)
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_TEXTS:
        raise WireError("wire.field_type", field=name)
    if not all(isinstance(one, str) for one in listed):
        raise WireError("wire.field_type", field=name)
    return tuple(listed)


def _refuse_stream(stream: bool) -> None:
    if stream:
        raise WireError("wire.field_type", field="stream")


def _disposition(head: bytes) -> tuple[str, str | None]:
    """Return the name of a part, and the name of its file if it is one."""
    for line in head.split(b"\r\n"):
        label, _, value = line.partition(b":")
        if label.strip().lower() == b"content-disposition":
            told = Message()
            told["content-disposition"] = value.decode("utf-8", "replace").strip()
            name, file = (told.get_param(one, header="content-disposition") for one in ("name", "filename"))
            spelled = "".join(char for char in str(file)[:200] if char.isprintable() and char != '"')
            return str(name or "").replace('"', "")[:200], None if file is None else spelled
    return "", None


def _is_vector(found: object) -> bool:
    return isinstance(found, list) and set(map(type, found)) <= {int, float} and all(map(math.isfinite, found))
