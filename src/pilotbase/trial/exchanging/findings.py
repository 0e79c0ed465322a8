"""What a report says of recorded exchanges: of each whether the field's form is understood, and of each fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.documents.exchanges import ExchangeFigures, Sending, SendingFigures
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome


def form_findings(exchanges: Iterable[ExchangeFigures]) -> list[Finding]:
    """Say of each exchange whether its whole messages were answered as their cases are: adaptation."""
    return [
        _finding(f"exchange: {one.name}", counted, text("trial.finding.exchange", **_counts(counted), form=_form(one)))
        for one in exchanges
        for counted in one.sendings
        if counted.sending is Sending.WHOLE
    ]


def pipeline_findings(exchanges: Iterable[ExchangeFigures]) -> list[Finding]:
    """Say of each fault, of a person's decisions and of the order to stop what became of them: process."""
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
        return Finding(check=check, outcome=Outcome.NOT_MEASURED, sentence=text("trial.finding.stop_not_tried"))
    values = {"within": f"{exchange.stop_within:g}", "answers": stopped.answers}
    if stopped.seconds is None:
        return Finding(check=check, outcome=Outcome.FAIL, sentence=text("trial.finding.not_stopped", **values))
    outcome = Outcome.PASS if exchange.stop_holds else Outcome.FAIL
    sentence = text("trial.finding.stopped", **values, seconds=f"{stopped.seconds:.3g}")
    return Finding(check=check, outcome=outcome, sentence=sentence)


def _finding(check: str, counted: SendingFigures, said: Text) -> Finding:
    if counted.all_kept:
        return Finding(check=check, outcome=Outcome.PASS, sentence=said)
    return Finding(
        check=check, outcome=Outcome.FAIL, sentence=text("trial.finding.because", said=said, why=counted.why or "–")
    )


def _counts(counted: SendingFigures) -> dict[str, int]:
    return {"kept": counted.kept, "sent": counted.sent}


def _form(exchange: ExchangeFigures) -> Text:
    return text(f"exchange.form.{exchange.form}")
