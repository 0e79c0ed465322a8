"""The log of a base held against its store, and against the secrets by which its attempts drew whole units."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.documents.board import TenderPlan
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.texts import Text, text
from pilotbase.trial.lab import TrialRuntime
from pilotbase.vault.attempts import require_drawn
from pilotbase.vault.sealing import HiddenSet
from pilotbase.vault.units import DrawnUnits, units_kept
from pilotbase.worker.base import Base
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError


def verify_base_log(base: Base, witnesses: Sequence[Path] = ()) -> Text:
    """Return that the log holds, with every checkpoint kept outside (``log-checkpoint.txt``), and matches the store.

    Attempts that drew whole units have those that the hidden set's secret draws.

    Raises:
        InvalidProofError: names the first entry that does not hold, what the store has and the log does not, or an
            attempt with other units.
    """
    notes = [read_evidence(path).decode("utf-8", errors="replace") for path in witnesses]
    held = verify_store(base.lab.store, notes)
    require_drawn_units(base.lab)
    if held.only_counted:
        return text("worker.log_holds_counted", entries=held.size, sets=held.only_counted)
    return text("worker.log_holds", entries=held.size)


def require_drawn_units(lab: TrialRuntime) -> None:
    """Return if the attempts of this base have the whole units that the secrets of their hidden sets draw.

    Sets that are sealed at another site are checked there. Raises `InvalidProofError`.
    """
    plans: list[TrialPlan | TenderPlan] = [*lab.view.every(TrialPlan), *lab.view.every(TenderPlan)]
    for plan in plans:
        if plan.draw is None:
            continue
        with suppress(NotFoundError):
            hidden = lab.view.load(plan.scenario.hidden_set, HiddenSet)
            units = units_kept(lab.vault, hidden, plan.draw.column)
            if units is not None:
                require_drawn(lab.vault, hidden, plan.digest(), DrawnUnits(units, plan.draw.units))
