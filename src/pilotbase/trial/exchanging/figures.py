"""What became of all messages of an exchange, counted by how they were sent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pilotbase.documents.exchanges import (
    Exchange,
    ExchangeFigures,
    ExchangeRun,
    MessageOutcome,
    Sending,
    SendingFigures,
)
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.texts import Text, text
from pilotbase.measures.resources import Exchanged

_SEPARATOR = "|"


def exchange_figures(run: ExchangeRun) -> ExchangeFigures:
    """Return the figures of an exchange; ways of sending of which there is no message are left out."""
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


def told_exchanges(runs: Sequence[ExchangeRun] | None) -> tuple[ExchangeFigures, ...] | None:
    """Return all exchanges as a report tells them; None where there was none."""
    return None if runs is None else tuple(exchange_figures(run) for run in runs)


def is_kept(run: ExchangeRun, outcome: MessageOutcome) -> bool:
    """Tell whether a message was handled as it must be, and what had to go out went out."""
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
    """Return what became of a message that was not handled as it must be."""
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
