"""Reserving: the attempt with its cases, the baseline, and the probes that come before; a failure gives it back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text
from pilotbase.trial.baselines import measured_others
from pilotbase.trial.criteria_check import require_enough
from pilotbase.trial.delivering import cut_as_stated, in_secret_order
from pilotbase.trial.entering import while_it_stands
from pilotbase.trial.judge_models.in_trial import require_judge
from pilotbase.trial.phases.opening import OpenedTrial, TrialContext
from pilotbase.trial.probes import look_before
from pilotbase.trial.probing import ProbeSubject
from pilotbase.trial.repeating import asked_again
from pilotbase.trial.sealed import drawn_units, read_public_sample
from pilotbase.trial.verdict_rules import levels_of
from pilotbase.vault.attempts import AttemptRequest, AttemptState, VaultAttempt, cancel_attempt, open_attempt
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import secrets_of


@dataclass(frozen=True)
class ReservedTrial:
    """A trial with its attempt: the cases to ask, and the answers of others to them."""

    opened: OpenedTrial
    attempt: VaultAttempt
    """With the case of each row."""
    frame: pl.DataFrame
    """The rows to ask."""
    others: dict[str, NDArray[Any]]
    """The answers of baseline and people; in place of the baseline's, those of the version that is compared."""
    subject: ProbeSubject
    """The application, its terms, and where its answers are kept, for the probes too."""

    @property
    def trial(self) -> TrialContext:
        return self.opened.trial


def reserve(opened: OpenedTrial) -> ReservedTrial:
    """Return a trial with its attempt, which is given back if it has too few cases or cannot be measured here.

    Raises:
        RefusedError: no fresh cases, units or attempts are left, another scorer is at work on this plan, the cases are
            not enough of each class, a reference application fails, or a probe that comes before does.
    """
    trial = opened.trial
    lab, plan = trial.lab, trial.plan
    supplier, units = plan.application.supplier.organisation, drawn_units(lab, trial.sealed, plan.draw)
    request = AttemptRequest(plan.digest(), plan.application.digest, plan.nonce, plan.cases, supplier, units)
    attempt, frame = _asked(opened, open_attempt(lab.vault, trial.hidden, request))
    bundle, named = secrets_of(lab.vault, trial.hidden), (plan.digest(), str(attempt.number))

    def secret(label: str, arm: str) -> bytes:
        return bundle.derive(label, *named, *filter(None, [arm]))

    with _given_back(trial, attempt):
        _require_enough(trial, attempt, frame)
        trial.on_progress(Progress(text("trial.progress.baseline")))
        cut = cut_as_stated(trial.sealed.scenario, frame, plan.repeats or 1)
        deliver = partial(in_secret_order, cut=cut, secret=secret("delivery", "baseline"))
        others = measured_others(lab, trial.sealed, frame, None if plan.carries is not None else deliver)
        folder = lab.folder("runs", hex_of(plan.digest()), f"attempt-{attempt.number}")
        committed = attempt.state is AttemptState.COMMITTED
        subject = replace(_subject(opened), secret=secret, folder=folder, committed=committed)
        look_before(subject)
    return ReservedTrial(opened, attempt, frame, others, subject)


def _asked(opened: OpenedTrial, attempt: VaultAttempt) -> tuple[VaultAttempt, pl.DataFrame]:
    """Return the attempt, with the case of each row to ask, and these rows."""
    grant = ReaderGrant(OpeningPurpose.TRIAL, opened.leave, attempt.number)
    trial = opened.trial
    repeats, frame = trial.plan.repeats, read_hidden(trial.lab.vault, trial.hidden, grant, attempt.cases)
    if repeats is None:
        return attempt, frame
    return replace(attempt, cases=np.tile(attempt.cases, repeats)), asked_again(frame, repeats)


@contextlib.contextmanager
def _given_back(trial: TrialContext, attempt: VaultAttempt) -> Iterator[None]:
    """Give the attempt back if the block fails, unless it is spent."""
    try:
        yield
    except PilotbaseError:
        if attempt.state is AttemptState.OPEN:
            cancel_attempt(trial.lab.vault, attempt)
        raise


def _require_enough(trial: TrialContext, attempt: VaultAttempt, frame: pl.DataFrame) -> None:
    """Return if the attempt has enough cases of each class, and its judge can be asked; checked before it is spent."""
    if attempt.state is not AttemptState.OPEN:
        return
    level = float(levels_of(trial.plan, trial.hidden.alpha, attempt.number).accept)
    scenario = trial.sealed.scenario
    if trial.plan.carries is not None:
        scenario = scenario.model_copy(update={"criteria": trial.plan.criteria})
    require_enough(scenario, trial.sealed.record.classes, frame, level)
    if trial.plan.panel is not None and trial.plan.panel.judge is not None:
        require_judge(trial.sealed.scenario, trial.plan.panel.judge)


def _subject(opened: OpenedTrial) -> ProbeSubject:
    trial = opened.trial
    lab, plan, sealed = trial.lab, trial.plan, trial.sealed
    return ProbeSubject(
        lab=lab,
        sealed=sealed,
        candidate=trial.candidate,
        terms=trial.terms,
        asked=plan,
        sample=cache(partial(read_public_sample, lab, sealed)),
        on_progress=while_it_stands(lab.vault, opened.leave, trial.on_progress),
        seed=plan.digest().encode(),
    )
