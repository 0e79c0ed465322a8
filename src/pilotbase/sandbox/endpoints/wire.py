"""The interface of an endpoint's protocol: how it puts cases, and how it reads answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import ARRAYS, Contract, Prediction
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, FrameError, answer_dtype, decode_answers, encode_texts
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse
from pilotbase.protocols.openai_wire import TokenUsage
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded

Column = NDArray[Any]
OBSERVED = ["observation"]
NOT_DONE = {"problem": "not_done"}
"""The result of a call that was not carried out: protocols ask for one of each."""


@dataclass(frozen=True)
class ModelRequest:
    """One call: the rows of the batch that it asks about, and its content."""

    rows: slice
    request: GuardedRequest

    @property
    def count(self) -> int:
        return int(self.rows.stop - self.rows.start)


@dataclass(frozen=True)
class ModelReply:
    """The answer to one question, as read: one value for each case."""

    values: Column
    served: str = ""
    """The name that the answering model gave itself."""
    usage: TokenUsage | None = None
    unread: int = 0
    """Cases whose answer contains nothing that the contract requires: they abstain."""


class WireReader(Protocol):
    """The part of a protocol that one request needs."""

    def greeting(self) -> GuardedRequest:
        """Return the request before any case, which checks whether the endpoint is there."""

    def is_there(self, answer: GuardedResponse) -> bool:
        """Return whether the answer to the greeting confirms that."""

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        """Return the content of an answer with status 200.

        Raises:
            WireError: it is no message of the protocol.
            FrameError: it breaks the contract.
        """


class Wire(WireReader, Protocol):
    """One protocol, for one endpoint and one contract."""

    def __init__(self, endpoint: Endpoint, contract: Contract) -> None:
        """Raises `BoxEnded`: the contract contains something that this protocol cannot put or read."""

    def questions(self, batch: FeatureBatch) -> Sequence[ModelRequest]:
        """Return the calls that ask about all cases of ``batch``."""


def require_cells(contract: Contract) -> None:
    """Return if every feature can be sent as a number or a text; raises `BoxEnded`."""
    arrays = [field.name for field in contract.features if field.data_type in ARRAYS]
    if arrays:
        raise misfit(f"arrays are not sent: {', '.join(arrays)}")


def require_acting(contract: Contract) -> None:
    """Return if the application is asked to act; raises `BoxEnded`."""
    if [field.name for field in contract.features] != OBSERVED:
        raise misfit("it acts, and this scenario asks for answers to cases")


def observed(batch: FeatureBatch) -> Mapping[str, Any]:
    """Return what the world shows to an application that acts."""
    (spelled,) = batch.columns[OBSERVED[0]].tolist()
    found: Mapping[str, Any] = json.loads(spelled)
    return found


def results_of(seen: Mapping[str, Any], called: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Yield each call of the last answer with its result."""
    results = {result["id"]: result["content"] for result in seen["results"]}
    yield from ((call, results.get(call, results.get(None, NOT_DONE))) for call in called)


def misfit(words: str) -> BoxEnded:
    """Return the end of an endpoint that does not fit the contract."""
    return BoxEnded(BoxEnd(EndReason.MODEL_MISFIT, 0, words))


def checked(values: Column, prediction: Prediction) -> AnswerBatch:
    """Return answers checked against the contract, like those that cross the wall of a box; raises `FrameError`."""
    if prediction.is_spelled:
        try:
            payload = encode_texts(values.tolist())
        except UnicodeEncodeError:  # an unpaired surrogate, which JSON can spell
            raise FrameError(EndReason.WRONG_TYPE) from None
    else:
        payload = np.ascontiguousarray(values, dtype=answer_dtype(prediction).base).tobytes()
    found = decode_answers(payload, prediction, len(values))
    return AnswerBatch(found.values.reshape(values.shape))
