"""The metered door: an application in a box asks for a model, and the base asks it within the budget of the episode.

A message of the application that begins with `ASKS` is a chat request and no act; the next observation is its answer::

    {"door": {"messages": […], "tools": […]}}                    what goes out of the box
    {"door": {"status": 200, "type": "…", "body": "…"}}          what comes back, as over HTTP

What the request may cost at most is held before it goes out; what it did cost counts afterwards. Each episode has a
budget of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from pilotbase.documents.door import KEYS_OF, MODEL, ModelDoor
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.documents.limits import EndReason
from pilotbase.measures.formulas.json_answers import read_json
from pilotbase.protocols.chat_dialogues import RelayedRequest, read_relayed, write_relayed
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, GuardedResponse, NoAnswerError
from pilotbase.protocols.kept_connection import KeptConnection
from pilotbase.protocols.openai_wire import (
    ModelTurn,
    TokenUsage,
    error_body,
    estimate_tokens,
    most_prompt_tokens,
    read_model_turn,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.sandbox.endpoints.asking import MOST_ATTEMPTS, EndpointSession, Rate, RequestFault, headers_of
from pilotbase.sandbox.endpoints.calls import CallLog, cost_of_calls
from pilotbase.sandbox.endpoints.operator import EndpointSettings
from pilotbase.sandbox.endpoints.prompted import MOST_ANSWER_BYTES, lets_in, models_of
from pilotbase.sandbox.endpoints.wire import ModelReply, ModelRequest
from pilotbase.sandbox.endpoints.worker import MOST_UNANSWERED
from pilotbase.trial.arena.playing import OTHERWISE, Json, ModelCall, PlayerLostError

ASKS = '{"door":'
MOST_BYTES = 1 << 20
"""Of one request."""
MOST_REFUSED = 10_000
"""Requests of an episode that are answered without the model; the next one ends it."""
EXHAUSTED, INVALID, UNAVAILABLE = "budget_exhausted", "invalid_request", "model_unavailable"
_EXACT = 9


class OpenDoor:
    """The door of one run, to a model that was there when it was opened."""

    def __init__(self, terms: ModelDoor, model: RelayedModel) -> None:
        """Raises `PilotbaseError` (``world.model_lost``): the model is not there."""
        self.terms, self._model = terms, model
        self._unanswered = 0
        self._require(model.is_there())

    @property
    def paid(self) -> float:
        """Return what all calls of the run cost so far, in hundredths of the currency."""
        return self._model.paid

    def episode(self) -> EpisodeDoor:
        """Return the door of one episode, with a budget of its own."""
        return EpisodeDoor(self.terms, self._ask)

    def cancel(self) -> None:
        """Answer nothing more."""
        self._model.cancel()

    def close(self) -> None:
        self._model.close()

    def _ask(self, body: bytes) -> Relayed | RequestFault:
        """Ask the model; one that left several requests unanswered and is gone is no fault of the application's."""
        found = self._model.ask(body)
        lost = isinstance(found, RequestFault) and not _refuses(found) and found.reason is not EndReason.CANCELLED
        self._unanswered = self._unanswered + 1 if lost else 0
        if self._unanswered >= MOST_UNANSWERED and isinstance(found, RequestFault):
            self._require(found if found.hopeless else self._model.is_there())
        return found

    def _require(self, fault: RequestFault | None) -> None:
        if fault is not None and fault.reason is not EndReason.CANCELLED:
            model = self.terms.model
            raise PilotbaseError("world.model_lost", model=model.model, url=model.url, reason=fault.reason.value)


def open_door(terms: ModelDoor, calls: CallLog) -> OpenDoor:
    """Return the door of a run; raises as `open_relayed` and `OpenDoor`."""
    return OpenDoor(terms, open_relayed(terms.endpoint, KEYS_OF, calls))


@dataclass(frozen=True)
class _Held:
    """The most that a request can use."""

    tokens: int
    cost: Decimal


class EpisodeDoor:
    """The door of one episode; it knows what has been used, and nothing of another episode."""

    def __init__(self, terms: ModelDoor, ask: Callable[[bytes], Relayed | RequestFault]) -> None:
        self._terms, self._ask = terms, ask
        self._calls = self._tokens = self._refused = 0
        self._cost = Decimal(0)

    def answer(self, message: str) -> tuple[Json, ModelCall]:
        """Return what goes back into the box, and the line about it.

        Raises:
            PlayerLostError: requests that cannot be asked came without end.
            PilotbaseError: ``world.model_lost``: the model is gone, which is no end of the application's.
        """
        try:
            request = _request_in(message)
        except WireError as problem:
            return self._refuse(400, INVALID, problem.render("en"))
        body = request.body(self._terms.model.model, self._terms.sampling.to_json_value())
        if not self._affords(self._most(body, request)):
            return self._refuse(429, EXHAUSTED, "The budget of this episode does not allow this request.")
        found = self._ask(body)
        self._calls += 1
        asked: Json = {"request": digest_bytes(body), "answered": isinstance(found, Relayed)}
        if request.dropped:
            asked = {**asked, "dropped": request.dropped}
        if isinstance(found, RequestFault):
            told = (400, INVALID, "The model refuses this request.")
            status, code, words = told if _refuses(found) else (503, UNAVAILABLE, "The model does not answer.")
            return _failed(status, code, words), ModelCall(asked)
        return self._settle(request, found, asked)

    def count(self, asked: Json) -> None:
        """Count what was asked before, in another process; ``asked``: the fields of its `ModelCall`."""
        if "refused" in asked:
            self._refused += 1
            return
        self._calls += 1
        self._tokens += asked.get("prompt_tokens", 0) + asked.get("completion_tokens", 0)
        self._cost += Decimal(asked.get("cost", "0"))

    def _settle(self, request: RelayedRequest, found: Relayed, asked: Json) -> tuple[Json, ModelCall]:
        usage, prices = found.usage, self._terms.model.prices
        cost = Decimal(0) if prices is None else round(prices.cost(1, usage.prompt, usage.completion), _EXACT)
        self._tokens += usage.total
        self._cost += cost
        line = {
            **asked,
            "response": found.digest,
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.completion,
            **({} if prices is None else {"cost": f"{cost.normalize():f}"}),
        }
        kind, body = write_relayed(found.turn, usage, MODEL, request)
        return _replied(200, body, kind), ModelCall(line)

    def _most(self, body: bytes, request: RelayedRequest) -> _Held:
        prompt, completion = most_prompt_tokens(len(body), request.messages), self._terms.sampling.max_tokens
        prices = self._terms.model.prices
        return _Held(prompt + completion, Decimal(0) if prices is None else prices.cost(1, prompt, completion))

    def _affords(self, most: _Held) -> bool:
        terms = self._terms
        return (
            self._calls < terms.calls
            and self._tokens + most.tokens <= terms.tokens
            and (terms.cost is None or self._cost + most.cost <= terms.cost)
        )

    def _refuse(self, status: int, problem: str, words: str) -> tuple[Json, ModelCall]:
        self._refused += 1
        if self._refused > MOST_REFUSED:
            raise PlayerLostError("model_requests")
        return _failed(status, problem, words), ModelCall({"refused": {problem: 1}})


class ReplayedDoor:
    """The door of an episode that is played again: what is known of its model is not asked again."""

    def __init__(self, door: EpisodeDoor, known: Iterable[Json]) -> None:
        """``known``: what was kept of each exchange: ``model`` (fields of the line), ``request``, ``reply``."""
        self._door, self._known = door, deque(known)
        self.asks = False
        """All that is known was played."""
        self.last: Json = {}
        """What there is to keep of the last exchange beside the line about it."""

    def answer(self, message: str) -> tuple[Json, ModelCall]:
        """Return as `EpisodeDoor.answer`; raises `PlayerLostError` too where the player asks something else."""
        request = digest_bytes(message.encode("utf-8", "surrogatepass"))
        if self.asks:
            reply, call = self._door.answer(message)
            self.last = {"reply": reply, "request": request}
            return reply, call
        if not self._known or self._known[0]["request"] != request:
            raise PlayerLostError(OTHERWISE)
        known = self._known.popleft()
        self._door.count(known["model"])
        return known["reply"], ModelCall(known["model"])


def _request_in(message: str) -> RelayedRequest:
    if len(message) > MOST_BYTES or len(message.encode(errors="replace")) > MOST_BYTES:
        raise WireError("wire.body_size", allowed=MOST_BYTES)
    try:
        found = read_json(message)
    except ValueError:
        raise WireError("wire.no_json") from None
    request = found.get("door")
    if found.keys() != {"door"} or not isinstance(request, dict):
        raise WireError("wire.no_object")
    return read_relayed(request)


def _refuses(fault: RequestFault) -> bool:
    """Return whether the model is there, and refuses this request alone."""
    return fault.reason is EndReason.ENDPOINT_REFUSED and not fault.hopeless and not fault.again


def _failed(status: int, code: str, words: str) -> Json:
    kind = "invalid_request_error" if status == 400 else "server_error" if status == 503 else code
    return _replied(status, error_body(words, kind, code).decode())


def _replied(status: int, body: str, kind: str = "application/json") -> Json:
    return {"door": {"status": status, "type": kind, "body": body}}


@dataclass(frozen=True)
class Relayed:
    """The answer to one request."""

    turn: ModelTurn
    usage: TokenUsage
    digest: Digest
    """Of the whole answer."""


class RelayedModel:
    """One thread asks; any thread may `cancel`."""

    def __init__(self, endpoint: Endpoint, guard: GuardedHttp, key: str | None, calls: CallLog) -> None:
        self._endpoint, self._calls = endpoint, calls
        self._seconds = MOST_ATTEMPTS * endpoint.timeout
        self._stopped = threading.Event()
        self._connection = KeptConnection(guard, endpoint.url)
        self._session = EndpointSession(
            wire=_RelayWire(endpoint),
            headers=headers_of(key),
            secret=key,
            timeout=endpoint.timeout,
            rate=Rate(endpoint.calls_per_second),
            calls=calls,
            shown=None,
            stopped=self._stopped,
            numbers=itertools.count(calls.total.calls),
            opened_at=time.monotonic(),
        )

    @property
    def paid(self) -> float:
        """Return the cost of all answered calls of the run, in hundredths of the currency."""
        return float(100 * (cost_of_calls(self._endpoint, self._calls.total) or 0))

    def is_there(self) -> RequestFault | None:
        """Return None if the model answers a greeting, which holds nothing of a case; else why not."""
        return self._session.greet(self._connection, time.monotonic() + self._endpoint.timeout)

    def ask(self, body: bytes) -> Relayed | RequestFault:
        """Return the answer to one chat request, or why there is none after all retries."""
        url = f"{self._endpoint.url.rstrip('/')}/chat/completions"
        request = GuardedRequest("POST", url, body, {"Content-Type": "application/json"}, MOST_ANSWER_BYTES)
        end = time.monotonic() + self._seconds
        found = self._session.ask(ModelRequest(slice(0, 1), request), self._connection, self._seconds, end)
        if isinstance(found, RequestFault):
            return found
        relayed: Relayed = found.values[0]
        return relayed

    def cancel(self) -> None:
        """End what is under way, and answer nothing more."""
        self._stopped.set()
        self._connection.abort()

    def close(self) -> None:
        self.cancel()
        self._connection.close()


def open_relayed(endpoint: Endpoint, keys_of: str, calls: CallLog) -> RelayedModel:
    """Return a model that nobody has asked yet; ``keys_of``: under whom the operator keeps its key.

    Raises:
        RefusedError: the address is private or plain http and not listed, or there is no such key.
        InputError: the file of keys cannot be read.
    """
    operator = EndpointSettings.from_environment()
    with contextlib.suppress(NoAnswerError):
        operator.guard.check(endpoint.url)
    return RelayedModel(endpoint, operator.guard, operator.key_for(keys_of, endpoint), calls)


class _RelayWire:
    """Reads answers; what is asked comes ready."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def greeting(self) -> GuardedRequest:
        return models_of(self._endpoint)

    def is_there(self, answer: GuardedResponse) -> bool:
        return lets_in(answer)

    def read(self, question: ModelRequest, answer: GuardedResponse) -> ModelReply:
        turn = read_model_turn(answer.body)
        usage = turn.usage or TokenUsage(
            estimate_tokens(len(question.request.body or b"")), estimate_tokens(len(answer.body)), estimated=True
        )
        values = np.empty(1, dtype=object)
        values[0] = Relayed(turn, usage, digest_bytes(answer.body))
        return ModelReply(values, turn.model, usage)
