"""Runs on hidden cases that several applications answer: a board's slice, a tender's, an earlier version's.

Evidence carried over to a later version: both versions answer the same fresh hidden cases, and are compared. Where the
certified version met *score ≥ c*, the later one has to show two things, each at the attempt's full level: that the mean
of (earlier - later) over the population is at most δ, and that it meets *score ≥ c - δ* itself. A version that was
built to get worse after its trial makes every later one compare well, so its certificate alone bears no claim about
another. Only means of a score per case over a population have a margin; all other criteria are met unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest, abbreviated, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference, CarriedEvidence
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.measures import is_resource, measures
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


def compared(criterion: Criterion, comparisons: int = 1) -> tuple[Criterion, ...]:
    """Return what takes a criterion's place: worse by its margin at most, and ``comparisons`` margins below it met.

    One without a margin stays as it is.
    """
    if criterion.margin is None:
        return (criterion,)
    lift = replace(criterion.parsed(), wrapper="lift", comparison=">=", threshold=-Decimal(str(criterion.margin)))
    rules = (str(lift), *still_shown([criterion], comparisons))
    return tuple(criterion.model_copy(update={"rule": rule, "margin": None}) for rule in rules)


def still_shown(criteria: Sequence[Criterion], comparisons: int) -> tuple[str, ...]:
    """Return the rules of criteria with a margin, weaker by it for each of the ``comparisons``."""
    found = []
    for criterion in criteria:
        if criterion.margin is not None:
            rule, given = criterion.parsed(), comparisons * Decimal(str(criterion.margin))
            worse = rule.threshold - given if rule.comparison == ">=" else rule.threshold + given
            found.append(str(replace(rule, threshold=worse)))
    return tuple(found)


def margin_problems(criteria: Sequence[Criterion]) -> Iterator[tuple[int, Text]]:
    """Yield (index, sentence) of margins on what is no mean of a score per case over a population.

    A scenario with a margin has no criterion on its baseline either: the earlier version takes that place.
    """
    margins = any(criterion.margin is not None for criterion in criteria)
    for index, criterion in enumerate(criteria):
        rule = criterion.parsed()
        measure = None if is_resource(rule) else measures().get(rule.measure)
        mean = measure is not None and measure.paired and measure.by_case and not measure.needs_baseline
        carried = mean and rule.wrapper is None and criterion.estimand is Estimand.POPULATION
        if criterion.margin is not None and not carried:
            yield index, text("trial.margin_no_mean", rule=criterion.rule)
        elif margins and (rule.wrapper == "lift" or (measure is not None and measure.needs_baseline)):
            yield index, text("trial.margin_and_baseline", rule=criterion.rule)


def carried_findings(carries: CarriedEvidence | None) -> Iterator[Finding]:
    """Yield with which version an application was compared."""
    if carries is not None:
        version, serial = carries.application.version, abbreviated(carries.certificates[0])
        sentence = text("trial.finding.carried", version=version, serial=serial, criteria=", ".join(carries.criteria))
        yield Finding(check="carried", outcome=Outcome.PASS, sentence=sentence)
