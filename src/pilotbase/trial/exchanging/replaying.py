"""One exchange of one application: every message as it is sent, and what had to become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pilotbase.compute.box.ends import BoxEnd, BoxEnded
from pilotbase.compute.engines import Worker
from pilotbase.documents.contract import Prediction
from pilotbase.documents.exchanges import Exchange, ExchangeRun, Handled, MessageOutcome, Sending, Stopped
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.exchanges.reading import read_message
from pilotbase.protocols.frames import Column, FeatureBatch
from pilotbase.trial.exchanging.faults import SentMessage, with_faults
from pilotbase.trial.exchanging.pipeline import Outgoing, Pipeline, as_batch
from pilotbase.trial.exchanging.stopping import stop_while_asked
from pilotbase.trial.records import format_answers

MOST_STARTS = 10
"""Of one exchange; each may take as long as the application takes to load."""
MOST_IN_A_ROW = 3
"""Starts without a single answer, after which it is not started again."""
_LONGEST_ANSWER = 80
Starting = Callable[[], Worker]


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
        """Return the worker, started where there is none; raises `BoxEnded` where it has ended too often."""
        if self.worker is None:
            if self.starts >= MOST_STARTS or self.in_a_row >= MOST_IN_A_ROW:
                raise BoxEnded(self._end)
            self.starts, self.in_a_row = self.starts + 1, self.in_a_row + 1
            try:
                self.worker = self.start()
            except BoxEnded as ended:
                self._end = ended.end
                raise
        return self.worker

    def close(self) -> None:
        """End the worker, if there is one."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None


def spelled(values: Column, prediction: Prediction) -> list[str | None]:
    """Return answers as they stand in a record of messages: short ones as they are, long ones by their digest."""
    return [None if one is None else _short(str(one)) for one in format_answers(values, prediction)]


def replay_exchange(start: Starting, recorded: RecordedExchange, reader: CaseReader) -> ExchangeRun:
    """Return what becomes of every message of an exchange that whatever ``start`` starts is asked.

    Raises `BoxStartError` where this host gives no box.
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


def _decisions(recorded: RecordedExchange, sent: Sequence[SentMessage], reader: CaseReader) -> Mapping[str, str | None]:
    """Return what a person decides of the messages that are overridden: never what the application answers."""
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
