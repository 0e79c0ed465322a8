"""All exchanges of an attempt, each replayed once: a scorer that is started again reads what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.exchanges import Exchange, ExchangeRun
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.exchanges.forms import split_messages
from pilotbase.protocols.exchanges.reading import read_message
from pilotbase.trial.adapting.cells import answers_in
from pilotbase.trial.adapting.kept import can_be_asked
from pilotbase.trial.exchanging.pipeline import as_batch
from pilotbase.trial.exchanging.replaying import Recorded, replay_exchange, spelled
from pilotbase.trial.lab import Lab
from pilotbase.trial.perturbed_arms import Sitting
from pilotbase.trial.run_files import read_marked, write_marked
from pilotbase.trial.running import Candidate, Run, Terms, start_candidate
from pilotbase.trial.sealed import Sealed, read_recorded


class ExchangeRuns(Part):
    """What became of every exchange."""

    runs: tuple[ExchangeRun, ...]


def with_exchanges(
    lab: Lab,
    sealed: Sealed,
    sitting: Sitting,
    run: Run,
    exchanges: Sequence[Exchange] | None,
    on_progress: OnProgress,
) -> Run:
    """Return ``run`` with what became of the exchanges of the plan.

    An application that did not answer every case is not asked again, nor is an endpoint: it is its supplier who would
    have to stop it.
    """
    if not exchanges or not can_be_asked(sitting.candidate, run):
        return run
    file, key = sitting.folder / "exchanges", sitting.secret("run", "exchanges")
    kept = read_marked(ExchangeRuns, file, key)
    if kept is None:
        who = (sitting.candidate, sitting.terms)
        kept = ExchangeRuns(runs=replay_exchanges(lab, sealed, exchanges, who, on_progress))
        write_marked(kept, file, key)
    return replace(run, load=replace(run.load, exchanges=kept.runs))


def rehearsed_exchanges(lab: Lab, sealed: Sealed, candidate: Candidate, terms: Terms, run: Run) -> Run:
    """Return ``run`` with what becomes of the scenario's exchanges in a rehearsal: the same messages and faults."""
    exchanges = sealed.scenario.trial.exchanges
    if not exchanges or not can_be_asked(candidate, run):
        return run
    return replace(run, load=replace(run.load, exchanges=replay_exchanges(lab, sealed, exchanges, (candidate, terms))))


def replay_exchanges(
    lab: Lab,
    sealed: Sealed,
    exchanges: Sequence[Exchange],
    who: tuple[Candidate, Terms],
    on_progress: OnProgress = ignore_progress,
) -> tuple[ExchangeRun, ...]:
    """Return what becomes of every message of ``exchanges``: their cases asked plainly first, in a box of their own."""
    candidate, terms = who
    reader = CaseReader(sealed.contract, frozenset(sealed.record.may_miss))
    files = read_recorded(lab, sealed)
    bodies = {exchange.name: split_messages(exchange, files[exchange.name]) for exchange in exchanges}
    answers = iter(_plain_answers(who, exchanges, bodies, reader, lab.folder("tmp")))
    found = []
    for exchange in exchanges:
        on_progress(
            Progress(text("trial.progress.exchange", application=candidate.reference.name, exchange=exchange.name))
        )
        own = bodies[exchange.name]
        recorded = Recorded(exchange, own, tuple(next(answers) for _ in own))
        found.append(replay_exchange(lambda: start_candidate(candidate, terms), recorded, reader))
    return tuple(found)


def _plain_answers(
    who: tuple[Candidate, Terms],
    exchanges: Sequence[Exchange],
    bodies: Mapping[str, Sequence[bytes]],
    reader: CaseReader,
    scratch: Path,
) -> list[str | None]:
    """Return the answer to the case of each recorded message, all of them asked in batches as in the trial."""
    batches = [
        as_batch(reader, read_message(exchange, reader.contract, body).cells)
        for exchange in exchanges
        for body in bodies[exchange.name]
    ]
    names = [field.name for field in reader.contract.features]
    features: dict[str, NDArray[Any]] = {name: np.concatenate([one.columns[name] for one in batches]) for name in names}
    candidate, terms = who
    return spelled(answers_in(candidate, terms, features, scratch)[1], terms.contract.prediction)
