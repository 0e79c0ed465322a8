"""The log of a base held against its store, and against the secrets by which its attempts drew whole units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.documents.texts import Text, text
from pilotbase.trial.sealed import verify_log_and_draws
from pilotbase.worker.base import Base


def verify_base_log(base: Base, witnesses: Sequence[Path] = ()) -> Text:
    """Return that the log holds, with every checkpoint kept outside (``log-checkpoint.txt``), and matches the store.

    Attempts that drew whole units have those that the hidden set's secret draws.

    Raises:
        InvalidProofError: names the first entry that does not hold, what the store has and the log does not, or an
            attempt with other units.
    """
    notes = [read_evidence(path).decode("utf-8", errors="replace") for path in witnesses]
    held = verify_log_and_draws(base.lab, notes)
    if held.only_counted:
        return text("worker.log_holds_counted", entries=held.size, sets=held.only_counted)
    return text("worker.log_holds", entries=held.size)
