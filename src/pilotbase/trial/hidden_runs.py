"""Runs on hidden cases that several applications answer: a board's slice, a tender's, an earlier version's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.answering import AnswerLog, complete_answers
from pilotbase.trial.delivering import cut_as_stated, in_secret_order
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import BoxTerms, Hooks, planned_candidate, run_on_hidden
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.vault.sealing import HiddenSet, secrets_of


@dataclass(frozen=True)
class HiddenRun:
    """A run on cases that several applications answer, and the document that orders it."""

    application: ApplicationReference
    paper: Document
    kind: Literal["board", "tender", "earlier"]
    place: tuple[str, ...] = ()
    """Which of the runs that the paper orders."""
    repeats: int = 1
    """How often ``frame`` has each case."""


def answer_slice(
    lab: TrialRuntime, of: tuple[OpenedScenario, HiddenSet], run: HiddenRun, frame: pl.DataFrame, hooks: Hooks
) -> tuple[NDArray[Any], EndReason, Digest]:
    """Return an answer to each case, how answering ended, and the commitment; a run that has ended is only read."""
    (sealed, hidden), named = of, (run.paper.digest(), *run.place)
    folder = lab.folder("runs", f"{run.kind}-{hex_of(named[0])}", *run.place)
    contract, trial = sealed.contract, sealed.scenario.trial
    bundle = secrets_of(lab.vault, hidden)
    key = bundle.derive(f"delivered-{run.kind}-run", *named)
    cut = cut_as_stated(sealed.scenario, frame, run.repeats)
    asked = in_secret_order(sealed.features(frame), cut, bundle.derive("delivery", *named))
    door, withheld = sealed.scenario.door, LogPolicy.WITHHELD
    terms = BoxTerms(contract, trial.limits, trial.isolation, trial.batch_rows, withheld, door=door)
    candidate = planned_candidate(lab, run.application, run.paper.digest())
    with AnswerLog(folder / "answers", run.paper.canonical(), key) as log:
        ended = run_on_hidden(lab, candidate, terms, asked, log, hooks).end.reason
        return complete_answers(asked, log.values(), contract.prediction), ended, log.digest
