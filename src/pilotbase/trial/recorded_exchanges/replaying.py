"""One exchange of one application: every message as it is sent, and what had to become of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pilotbase.documents.contract import Prediction
from pilotbase.documents.exchanges import Exchange, ExchangeRun, Handled, MessageOutcome, Sending, Stopped, WireForm
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.exchanges.reading import FORMS, read_message
from pilotbase.protocols.exchanges.trees import without
from pilotbase.protocols.frames import Column, FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.sandbox.engines import Worker
from pilotbase.trial.recorded_exchanges.recorded import Outgoing, Pipeline, as_batch
from pilotbase.trial.records import format_answers

_MOST_STARTS = 10
"""For one exchange; each start may take as long as the application takes to load."""
MOST_IN_A_ROW = 3
"""Starts without a single answer, after which it is not started again."""
_LONGEST_ANSWER = 80
Starting = Callable[[], Worker]
_DEEP = 1_000
"""Lists within lists, in a message that is damaged by them."""
_NEEDS_A_NEXT = frozenset({Sending.LATE, Sending.REORDERED})
PATIENCE_SECONDS = 0.5
"""So long the order waits for a first answer: an application that never gives one must end, too."""
_DIGITS = 4
Clock = Callable[[], float]


@dataclass(frozen=True)
class RecordedExchange:
    """An exchange, its messages, and the answer to the case of each, asked plainly."""

    exchange: Exchange
    bodies: tuple[bytes, ...]
    answers: tuple[str | None, ...]


@dataclass
class Asker:
    """Asks a worker, and starts another one where it has ended on a message, as often as it is worth it."""

    start: Starting
    prediction: Prediction
    starts: int = 0
    in_a_row: int = 0
    worker: Worker | None = None
    _end: BoxEnd = field(default_factory=lambda: BoxEnd(EndReason.CANCELLED, 0, ""))

    def __call__(self, batch: FeatureBatch) -> str | None:
        """Return the answer to the one case of ``batch``; raises `BoxEnded`."""
        worker = self.running()
        try:
            answers = worker.predict(batch)
        except BoxEnded as ended:
            self._end = ended.end
            self.close()
            raise
        self.in_a_row = 0
        return spelled(answers.values, self.prediction)[0]

    def running(self) -> Worker:
        """Return the worker, started if there is none; raises `BoxEnded` if it has ended too often."""
        if self.worker is None:
            if self.starts >= _MOST_STARTS or self.in_a_row >= MOST_IN_A_ROW:
                raise BoxEnded(self._end)
            self.starts, self.in_a_row = self.starts + 1, self.in_a_row + 1
            try:
                self.worker = self.start()
            except BoxEnded as ended:
                self._end = ended.end
                raise
        return self.worker

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None


def spelled(values: Column, prediction: Prediction) -> list[str | None]:
    """Return answers as they stand in a record of messages: short ones as they are, long ones by their digest."""
    return [None if one is None else _short(str(one)) for one in format_answers(values, prediction)]


def replay_exchange(start: Starting, recorded: RecordedExchange, reader: CaseReader) -> ExchangeRun:
    """Return the result of every message of an exchange, sent to the application that ``start`` starts.

    Raises `BoxStartError` if this host can't provide a box.
    """
    prediction, exchange = reader.contract.prediction, recorded.exchange
    sent = with_faults(exchange, recorded.bodies)
    decisions = _decisions(recorded, sent, reader)
    asker = Asker(start, prediction)
    try:
        pipeline = Pipeline(exchange, reader, asker, decisions)
        outcomes = [_outcome(one, recorded, reader, (decisions, pipeline.take(one.body))) for one in sent]
        restarts = max(0, asker.starts - 1)
        stopped = _stopped(asker, recorded, reader)
    finally:
        asker.close()
    numbers = not prediction.is_spelled and prediction.kind != "label"
    return ExchangeRun(exchange=exchange, numbers=numbers, outcomes=tuple(outcomes), restarts=restarts, stopped=stopped)


@dataclass(frozen=True)
class SentMessage:
    """A message as it is sent."""

    place: int
    """Its number in the record."""
    body: bytes
    sending: Sending
    again: bool = False
    """It was sent before."""
    lacks: str | None = None
    """The feature that was taken out of it."""


def with_faults(exchange: Exchange, bodies: Sequence[bytes]) -> tuple[SentMessage, ...]:
    """Return the messages in sending order; each of ``bodies`` is sent at least once.

    Every requested fault affects at least one message, as long as messages are left.
    """
    draw = np.random.Generator(np.random.PCG64(exchange.faults.seed))
    sendings = _drawn(exchange, len(bodies), draw)
    in_time = [place for place in range(len(bodies)) if sendings.get(place) not in _NEEDS_A_NEXT]
    due: list[tuple[float, SentMessage]] = []
    for place, body in enumerate(bodies):
        sending = sendings.get(place, Sending.WHOLE)
        far = int(draw.integers(2, max(3, len(bodies) // 4), endpoint=True))
        sent = _sent(exchange, place, body, sending, draw)
        if sending in _NEEDS_A_NEXT:
            due.append((_behind(in_time, place + (far if sending is Sending.LATE else 1)), sent))
        else:
            due.append((place, sent))
        if sending is Sending.DUPLICATED:
            due.append((place + far + 0.5, SentMessage(place, body, sending, again=True)))
    return tuple(sent for _, sent in sorted(due, key=lambda one: one[0]))


def stop_while_asked(
    worker: Worker, batch: FeatureBatch, within: float, now: Clock = time.monotonic, patience: float = PATIENCE_SECONDS
) -> Stopped | None:
    """Return how soon ``worker`` ended after the stop order, and whether it still answered.

    ``batch`` is sent repeatedly. A worker that runs for longer than ``within`` seconds didn't stop. The result is None
    if it ended by itself before the order.
    """
    answered = threading.Event()
    ordered: list[float] = []

    def order() -> None:
        answered.wait(patience)
        ordered.append(now())
        worker.cancel()

    person = threading.Thread(target=order, name="pilotbase-stop", daemon=True)
    person.start()
    answers = 0
    try:
        while not ordered or now() - ordered[0] <= within:
            worker.predict(batch)
            answers += bool(ordered)
            answered.set()
        return Stopped(answers=answers)
    except BoxEnded:
        ended, by_order = now(), bool(ordered)
        answered.set()
        person.join(within + patience)
    if not by_order:
        return None
    seconds = round(max(0.0, ended - ordered[0]), _DIGITS)
    return Stopped(seconds=seconds, answers=answers) if _is_silent(worker, batch) else Stopped(answers=answers + 1)


def _decisions(recorded: RecordedExchange, sent: Sequence[SentMessage], reader: CaseReader) -> Mapping[str, str | None]:
    """Return a person's decisions on the overridden messages: never the same as the application's answer."""
    return {
        read_message(recorded.exchange, reader.contract, one.body).identifier: _another(
            recorded.answers[one.place], reader.contract.prediction
        )
        for one in sent
        if one.sending is Sending.OVERRIDDEN
    }


def _another(answer: str | None, prediction: Prediction) -> str | None:
    """Return another class; of anything but classes no answer where there is one: the person withholds it."""
    if prediction.kind == "label":
        others = [name for name in prediction.classes if name != answer]
        return others[0] if others else None
    return "0.0" if answer is None else None


def _outcome(
    sent: SentMessage, recorded: RecordedExchange, reader: CaseReader, out: tuple[Mapping[str, str | None], Outgoing]
) -> MessageOutcome:
    decisions, outgoing = out
    must, expected = _must(sent, recorded, reader), recorded.answers[sent.place]
    if must is Handled.OVERRIDDEN:
        expected = decisions[read_message(recorded.exchange, reader.contract, sent.body).identifier]
    bound = must is not Handled.REFUSED and sent.lacks is None
    return MessageOutcome(
        place=sent.place,
        sending=sent.sending,
        must=must,
        handled=outgoing.handled,
        expected=expected if bound else None,
        bound=bound,
        answer=outgoing.answer,
        reason=outgoing.reason,
        behind=outgoing.behind,
    )


def _must(sent: SentMessage, recorded: RecordedExchange, reader: CaseReader) -> Handled:
    """Return what has to become of a message."""
    if sent.again:
        return Handled.REPEATED
    if sent.sending is Sending.MALFORMED:
        return Handled.REFUSED
    if sent.lacks is not None:
        fields = recorded.exchange.fields
        gone = {name for name, place in fields.items() if place.at == fields[sent.lacks].at}
        return Handled.ANSWERED if gone <= reader.may_miss else Handled.REFUSED
    return Handled.OVERRIDDEN if sent.sending is Sending.OVERRIDDEN else Handled.ANSWERED


def _stopped(asker: Asker, recorded: RecordedExchange, reader: CaseReader) -> Stopped | None:
    """Return what becomes of an order to stop; one more start is allowed for it."""
    try:
        asker.starts = asker.in_a_row = 0
        worker = asker.running()
    except BoxEnded:
        return None
    message = read_message(recorded.exchange, reader.contract, recorded.bodies[0])
    return stop_while_asked(worker, as_batch(reader, message.cells), recorded.exchange.stop_within)


def _short(answer: str) -> str:
    return answer if len(answer) <= _LONGEST_ANSWER else digest_bytes(answer.encode())


def _behind(in_time: Sequence[int], place: int) -> float:
    """Return the time of a message that must come after the timely one at ``place`` or the next one, if any."""
    return next((one for one in in_time if one >= place), in_time[-1]) + 0.25


def _drawn(exchange: Exchange, count: int, draw: np.random.Generator) -> Mapping[int, Sending]:
    """Return which messages are sent otherwise than whole; one that comes late is not the last."""
    left = draw.permutation(count).tolist()
    found: dict[int, Sending] = {}
    wanted = [(sending, _number(share, count)) for sending, share in exchange.faults.shares.items()]
    for sending, number in [*wanted, (Sending.OVERRIDDEN, exchange.overridden)]:
        fit = [place for place in left if place < count - 1 or sending not in _NEEDS_A_NEXT]
        for place in fit[:number]:
            found[place] = sending
            left.remove(place)
    return found


def _number(share: float, count: int) -> int:
    return max(1, round(share * count)) if share > 0 else 0


def _sent(exchange: Exchange, place: int, body: bytes, sending: Sending, draw: np.random.Generator) -> SentMessage:
    """Return the message as it is sent."""
    if sending is Sending.MALFORMED:
        damaged = _damaged_row(body, draw) if exchange.form is WireForm.FILES else _damaged_json(body, draw)
        return SentMessage(place, damaged, sending)
    if sending is Sending.MISSING:
        names = _removable(exchange)
        name = names[int(draw.integers(len(names)))]
        form = FORMS[exchange.form]
        lacking = form.write(without(form, form.read(body), exchange.fields[name]))
        return SentMessage(place, lacking, sending, lacks=name)
    return SentMessage(place, body, sending)


def _removable(exchange: Exchange) -> list[str]:
    """Return the features that can be taken out and leave what identifies the message and its time."""
    kept = {exchange.identifier, exchange.time}
    return sorted(name for name, place in exchange.fields.items() if place.at not in kept) or sorted(exchange.fields)


def _damaged_json(body: bytes, draw: np.random.Generator) -> bytes:
    """Return bytes that are no longer a valid JSON object: cut, not UTF-8, too deep, or with a duplicate key."""
    body = body.strip()
    at = int(draw.integers(1, len(body)))
    damages = (
        body[:at],
        body[:at] + b"\xff" + body[at:],
        b'{"deep":' + b"[" * _DEEP + b"]" * _DEEP + b"," + body[1:],
        b'{"twice":1,"twice":2,' + body[1:],
    )
    return damages[int(draw.integers(len(damages)))]


def _damaged_row(body: bytes, draw: np.random.Generator) -> bytes:
    """Return a row that is no longer valid: an extra cell, not UTF-8, or an unclosed quote."""
    row = body.rstrip(b"\r\n")
    damages = (row + b",1\n", row + b"\xff\n", row + b',"\n')
    return damages[int(draw.integers(len(damages)))]


def _is_silent(worker: Worker, batch: FeatureBatch) -> bool:
    """Return whether the worker no longer answers."""
    try:
        worker.predict(batch)
    except BoxEnded:
        return True
    return False
