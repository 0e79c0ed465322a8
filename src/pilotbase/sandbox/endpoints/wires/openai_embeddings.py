"""OpenAI embeddings: the answer is the class whose text is nearest to the case, or how near two texts are.

Source: OpenAI API reference, "Embeddings". Nearness is the cosine. The texts of the classes, or the second texts of the
cases, are sent with every call, so that both sides of a comparison always come from the same model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_tasks import read_embeddings, write_embedding_request
from pilotbase.sandbox.endpoints.prompted import Template, lets_in, models_of
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest, misfit

CASES_A_CALL = 32
_VECTOR_BYTES = 128 << 10
_KINDS = frozenset({"label", "ranking"})


class EmbeddingWire:
    """Asks an embedding model about several cases at a time, together with all classes."""

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        assert endpoint.nearest is not None
        prediction, against = contract.prediction, endpoint.nearest.against
        if against is not None and prediction.kind != "value":
            raise misfit("how near two texts lie is a value")
        if against is None and (prediction.kind not in _KINDS or not prediction.classes):
            raise misfit("embeddings answer with one of the classes, or rank them")
        strange = [name for name in endpoint.nearest.texts if name not in prediction.classes]
        if strange:
            raise misfit(f"texts are given for what is no class: {', '.join(strange)}")
        self._endpoint, self._prediction = endpoint, prediction
        self._texts = [endpoint.nearest.texts.get(name, name) for name in prediction.classes]
        self._template = Template(endpoint.nearest.template, contract)
        self._against = None if against is None else Template(against, contract)

    def greeting(self) -> GuardedRequest:
        return models_of(self._endpoint)

    def is_there(self, answer: GuardedResponse) -> bool:
        return lets_in(answer)

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        words = list(self._template.words(batch))
        beside = None if self._against is None else list(self._against.words(batch))
        parts = [slice(start, start + CASES_A_CALL) for start in range(0, batch.rows, CASES_A_CALL)]
        return [self._question(words[part], self._texts if beside is None else beside[part], part) for part in parts]

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        beside = question.count if self._against is not None else len(self._texts)
        vectors, served, usage = read_embeddings(answer.body, beside + question.count)
        likeness = _cosines(np.array(vectors, dtype=np.float64), beside)
        if self._against is not None:
            pairs = likeness.diagonal().copy()
            return ModelReply(pairs, served, usage, unread=int(np.isnan(pairs).sum()))
        lost: NDArray[np.bool_] = np.asarray(np.isnan(likeness).any(axis=1))
        return ModelReply(self._answers(likeness, lost), served, usage, unread=int(lost.sum()))

    def _question(self, words: Sequence[str], beside: Sequence[str], part: slice) -> ModelRequest:
        texts = [*beside, *words]
        request = GuardedRequest(
            "POST",
            f"{self._endpoint.url.rstrip('/')}/embeddings",
            write_embedding_request(self._endpoint.model, texts),
            {"Content-Type": "application/json"},
            len(texts) * _VECTOR_BYTES,
        )
        return ModelRequest(slice(part.start, part.start + len(words)), request)

    def _answers(self, likeness: NDArray[np.float64], lost: NDArray[np.bool_]) -> NDArray[Any]:
        if self._prediction.kind == "label":
            return np.where(lost, np.int32(-1), likeness.argmax(axis=1).astype(np.int32))
        ranked = np.empty(len(likeness), dtype=object)
        names = self._prediction.classes
        orders = np.argsort(-likeness, axis=1, kind="stable").tolist()
        ranked[:] = [
            None if gone else json.dumps([names[code] for code in order], ensure_ascii=False)
            for order, gone in zip(orders, lost.tolist(), strict=True)
        ]
        return ranked


def _cosines(vectors: NDArray[np.float64], beside: int) -> NDArray[np.float64]:
    """Return how near each case is to each of the first vectors, shape (cases, beside); NaN for zero length."""
    with np.errstate(invalid="ignore", divide="ignore"):
        along = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines: NDArray[np.float64] = along[beside:] @ along[:beside].T
    return cosines


WIRE = EmbeddingWire
