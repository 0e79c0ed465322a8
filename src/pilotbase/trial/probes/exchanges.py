"""Recorded exchanges, replayed with faults: the outcome of each message, counted by how it was sent.

Their cases are first asked without faults, in a separate box. An application that did not answer every case is not
asked again. Neither is an endpoint, since only its supplier could stop it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.exchanges import (
    Exchange,
    ExchangeFigures,
    ExchangeRun,
    MessageOutcome,
    Sending,
    SendingFigures,
)
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.progress import Progress
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Verification
from pilotbase.measures import RunMeasurements as Measured
from pilotbase.measures.resources import Exchanged
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.exchanges.reading import read_message, split_messages
from pilotbase.trial.design_findings import judged, unmeasured
from pilotbase.trial.performance import Load
from pilotbase.trial.probing import Findings, Probe, ProbeSubject, answers_in
from pilotbase.trial.recorded_exchanges.recorded import as_batch
from pilotbase.trial.recorded_exchanges.replaying import RecordedExchange, replay_exchange, spelled
from pilotbase.trial.running import BoxRun, start_candidate
from pilotbase.trial.sealed import read_recorded

_SEPARATOR = "|"


class ExchangeRuns(Part):
    """The outcome of each exchange."""

    runs: tuple[ExchangeRun, ...]


class Exchanges(Probe[ExchangeRuns]):
    """The requested exchanges, with the same messages and faults in a trial and before it."""

    name = "exchanges"
    found = ExchangeRuns
    sections = frozenset({Verification.PROCESS, Verification.ADAPTATION})
    conforms = True

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> ExchangeRuns | None:
        """Return the outcome of each message."""
        exchanges = subject.asked.exchanges
        return ExchangeRuns(runs=_replayed(subject, exchanges)) if exchanges and subject.boxed(run) else None

    def add(self, run: BoxRun, found: ExchangeRuns) -> BoxRun:
        return run.measured(exchanges=found.runs)

    def of(self, load: Load) -> ExchangeRuns | None:
        return None if load.exchanges is None else ExchangeRuns(runs=load.exchanges)

    def measured(self, found: ExchangeRuns, seen: Measured) -> Measured:
        return replace(seen, exchanged=exchanged(found.runs))

    def told(self, found: ExchangeRuns) -> Mapping[str, Any]:
        return {"exchanges": tuple(map(exchange_figures, found.runs))}

    def findings(self, found: ExchangeRuns) -> Findings:
        """Return for each whether its format is understood, and the outcome of faults, decisions and the stop order."""
        figures = [exchange_figures(run) for run in found.runs]
        return {Verification.ADAPTATION: form_findings(figures), Verification.PROCESS: pipeline_findings(figures)}


PROBE = Exchanges()


def _replayed(subject: ProbeSubject, exchanges: Sequence[Exchange]) -> tuple[ExchangeRun, ...]:
    reader = CaseReader(subject.sealed.contract, frozenset(subject.sealed.record.may_miss))
    files, name = read_recorded(subject.lab, subject.sealed), subject.candidate.reference.name
    bodies = {exchange.name: split_messages(exchange, files[exchange.name]) for exchange in exchanges}
    answers = iter(_plain_answers(subject, exchanges, bodies, reader))
    found = []
    for exchange in exchanges:
        subject.on_progress(Progress(text("trial.progress.exchange", application=name, exchange=exchange.name)))
        own = bodies[exchange.name]
        recorded = RecordedExchange(exchange, own, tuple(next(answers) for _ in own))
        found.append(replay_exchange(lambda: start_candidate(subject.candidate, subject.terms), recorded, reader))
    return tuple(found)


def _plain_answers(
    subject: ProbeSubject, exchanges: Sequence[Exchange], bodies: Mapping[str, Sequence[bytes]], reader: CaseReader
) -> list[str | None]:
    """Return the answer to the case of each recorded message, all of them asked in batches as in the trial."""
    batches = [
        as_batch(reader, read_message(exchange, reader.contract, body).cells)
        for exchange in exchanges
        for body in bodies[exchange.name]
    ]
    names = [field.name for field in reader.contract.features]
    features: dict[str, NDArray[Any]] = {name: np.concatenate([one.columns[name] for one in batches]) for name in names}
    terms = subject.terms
    return spelled(
        answers_in(subject.candidate, terms, features, subject.lab.folder("tmp"))[1], terms.contract.prediction
    )


def exchange_figures(run: ExchangeRun) -> ExchangeFigures:
    """Return the figures of an exchange, without ways of sending that have no message."""
    exchange: Exchange = run.exchange
    return ExchangeFigures(
        name=exchange.name,
        form=exchange.form,
        sendings=tuple(_counted(run, sending) for sending in Sending if _of(run, sending)),
        behind=sum(outcome.behind for outcome in run.outcomes),
        restarts=run.restarts,
        stopped=run.stopped,
        stop_within=exchange.stop_within,
        record=digest_json(run.to_json_value()),
    )


def is_kept(run: ExchangeRun, outcome: MessageOutcome) -> bool:
    """Return whether a message was handled correctly, and everything due was sent."""
    if outcome.handled is not outcome.must:
        return False
    return not outcome.bound or _are_same(run, outcome.expected, outcome.answer)


def exchanged(runs: Sequence[ExchangeRun]) -> Exchanged:
    """Return what measures read of all exchanges: whole messages, faulty ones, and the slowest stop."""
    kept = [(outcome.sending is Sending.WHOLE, is_kept(run, outcome)) for run in runs for outcome in run.outcomes]
    whole, faulty = ([one for is_whole, one in kept if is_whole is wanted] for wanted in (True, False))
    stops = [run.stopped for run in runs if run.stopped is not None]
    seconds = [math.inf if one.seconds is None else one.seconds for one in stops]
    return Exchanged((sum(whole), len(whole)), (sum(faulty), len(faulty)), max(seconds, default=None))


def _of(run: ExchangeRun, sending: Sending) -> list[MessageOutcome]:
    return [outcome for outcome in run.outcomes if outcome.sending is sending]


def _counted(run: ExchangeRun, sending: Sending) -> SendingFigures:
    outcomes = _of(run, sending)
    lost = [outcome for outcome in outcomes if not is_kept(run, outcome)]
    why = _why(lost[0]) if lost else None
    return SendingFigures(sending=sending, sent=len(outcomes), kept=len(outcomes) - len(lost), why=why)


def _why(outcome: MessageOutcome) -> Text:
    """Return the outcome of a message that was not handled correctly."""
    if outcome.handled is outcome.must:
        return text("exchange.another_answer", message=outcome.place + 1)
    handled, must = text(f"exchange.handled.{outcome.handled}"), text(f"exchange.handled.{outcome.must}")
    values = {"message": outcome.place + 1, "handled": handled, "must": must}
    return text("exchange.handled_otherwise", **values, reason=outcome.reason or "–")


def _are_same(run: ExchangeRun, expected: str | None, answer: str | None) -> bool:
    if expected == answer:
        return True
    if expected is None or answer is None or not run.numbers:
        return False
    pairs = zip(expected.split(_SEPARATOR), answer.split(_SEPARATOR), strict=True)
    return all(abs(float(one) - float(other)) <= run.exchange.tolerance for one, other in pairs)


def form_findings(exchanges: Iterable[ExchangeFigures]) -> list[Finding]:
    """Return for each exchange whether its complete messages were answered like their cases: adaptation."""
    return [
        _finding(
            f"exchange: {one.name}",
            counted,
            text("trial.finding.exchange", **_counts(counted), form=text(f"exchange.form.{one.form}")),
        )
        for one in exchanges
        for counted in one.sendings
        if counted.sending is Sending.WHOLE
    ]


def pipeline_findings(exchanges: Iterable[ExchangeFigures]) -> list[Finding]:
    """Return the outcome of each fault, of a person's decisions, and of the stop order: process."""
    return [finding for one in exchanges for finding in _of_pipeline(one)]


def _of_pipeline(exchange: ExchangeFigures) -> Iterator[Finding]:
    for counted in exchange.sendings:
        if counted.sending is not Sending.WHOLE:
            values = {**_counts(counted), "sending": text(f"exchange.sending.{counted.sending}")}
            said = text("trial.finding.sending", **values)
            yield _finding(f"pipeline: {exchange.name}: {counted.sending}", counted, said)
    yield _stopped(exchange)


def _stopped(exchange: ExchangeFigures) -> Finding:
    check, stopped = f"stop: {exchange.name}", exchange.stopped
    if stopped is None:
        return unmeasured(check, text("trial.finding.stop_not_tried"))
    values = {"within": f"{exchange.stop_within:g}", "answers": stopped.answers}
    if stopped.seconds is None:
        return judged(check, holds=False, sentence=text("trial.finding.not_stopped", **values))
    return judged(check, exchange.stop_holds, text("trial.finding.stopped", **values, seconds=f"{stopped.seconds:.3g}"))


def _finding(check: str, counted: SendingFigures, said: Text) -> Finding:
    if not counted.all_kept:
        said = text("trial.finding.because", said=said, why=counted.why or "–")
    return judged(check, counted.all_kept, said)


def _counts(counted: SendingFigures) -> dict[str, int]:
    return {"kept": counted.kept, "sent": counted.sent}
