"""The gateway's requests to an upstream, and its replies; upstreams are our boxes, or other parties' endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.observation import Scalar
from pilotbase.documents.service import EndpointRoute
from pilotbase.documents.texts import Language
from pilotbase.protocols.open_inference import InferRequest
from pilotbase.protocols.openai_tasks import TaskRequest
from pilotbase.protocols.openai_wire import ChatRequest, TokenUsage

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


class UpstreamDownError(PilotbaseError):
    """The upstream doesn't respond now; the question hasn't been asked."""


class UpstreamFailedError(PilotbaseError):
    """It was asked and gave no answer; whether it did any work is not known."""


class CallTimeoutError(PilotbaseError):
    """The answer has not come in the time that the service allows."""


class QueueFullError(PilotbaseError):
    """As many calls wait as may; ask again in ``seconds``."""

    def __init__(self, code: str, /, seconds: int, **params: object) -> None:
        super().__init__(code, seconds=seconds, **params)
        self.seconds = seconds


class UpstreamBusyError(QueueFullError):
    """It was asked, and has more to do than it can; another one may answer."""


@dataclass
class CallMeter:
    """What a call has used by now, where its upstream counts that as it goes."""

    used: TokenUsage | None = None
    """None: nobody knows."""
    cost: Decimal = Decimal(0)
    """What models cost, in the currency of their prices."""


@dataclass(frozen=True)
class UpstreamCall:
    """A call as received: the bytes for upstreams that pass them on, and the parsed content."""

    call: str
    """Names the call, and its cases: ``call``, or ``call/row`` where there are several."""
    service: str
    body: bytes
    content: ChatRequest | TaskRequest | InferRequest
    created: int
    """Seconds since 1970."""
    header_length: int | None = None
    """Of an `InferRequest` with raw tensors: where its JSON ends."""
    version: str | None = None
    """The version that the caller requires; None: any version in service."""
    language: Language = "en"
    """The language of messages."""
    key: str = ""
    """Identity of the caller's key, once the call is admitted."""
    dialogue: str = ""
    """What the dialogue is called that it begins, or goes on with; empty: the base draws a name, the history tells."""
    goes_on: bool = False
    """It goes on with that dialogue, and holds only what follows."""
    message: str = ""
    """What its caller calls it, in protocols whose messages have names."""
    meter: CallMeter = field(default_factory=CallMeter)
    """Read where the call breaks off."""


@dataclass(frozen=True)
class CallCases:
    """The cases of a call as an observation keeps them: plain columns, and one answer a case."""

    ids: Sequence[str]
    inputs: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    answers: Sequence[Scalar] = ()


@dataclass(frozen=True)
class UpstreamReply:
    """A whole answer."""

    body: bytes
    cases: CallCases
    usage: TokenUsage | None = None
    """None: it doesn't involve tokens."""
    status: int = 200
    media_type: str = JSON
    header_length: int | None = None
    """Where the JSON of an answer with raw tensors ends."""
    handed_over: bool = False


class AnswerStream(Protocol):
    """An answer that comes in pieces; it is to be closed, whether or not it was read to its end."""

    cases: CallCases

    @property
    def ended(self) -> bool:
        """Return whether the last part yielded was the end."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the pieces; raises `UpstreamFailedError` when it breaks off."""

    def usage(self) -> TokenUsage:
        """Return the usage so far: as it was told, else estimated."""

    async def close(self) -> None:
        """Close the connection."""


class Upstream(Protocol):
    """Anything that answers the questions of one route of one service; used within one event loop."""

    @property
    def ready(self) -> bool:
        """Return whether it could answer now."""

    async def ask(self, question: UpstreamCall) -> UpstreamReply | AnswerStream:
        """Return the answer; cancelled, it lets go of the question.

        Raises:
            ContractBrokenError: the question does not fit the data contract.
            WireError: it does not speak this protocol.
            UpstreamDownError, UpstreamFailedError, QueueFullError: as they say.
        """

    def hand_over(self, question: UpstreamCall) -> UpstreamReply:
        """Return the answer that leaves the question to a person; raises as `ask` where the question is at fault."""

    async def close(self) -> None:
        """Let it finish its work, and close it."""


@dataclass(frozen=True)
class WireRequest:
    """What is sent to an endpoint."""

    url: str
    body: bytes
    headers: Mapping[str, str]


UpstreamWire = Callable[[EndpointRoute, UpstreamCall], WireRequest]
"""Returns what is sent for a question, under the endpoint's own name of the model.

Raises `WireError` ``wire.other_protocol`` where the caller speaks one that the endpoint's protocol has no place for.
"""
