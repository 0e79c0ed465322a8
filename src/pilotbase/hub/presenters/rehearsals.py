"""What an application printed in its newest rehearsal, and cases of it, as its supplier is shown them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydantic

from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.shown_cases import ShownCases
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.hub.base import base
from pilotbase.hub.presenters.records import see
from pilotbase.trial.entering import may_show_sample
from pilotbase.worker.trials.folder import SHOWN_CASES, rehearsal_folder
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class RehearsalLog:
    """The log of a rehearsal; where it is withheld it holds the words that say so."""

    content: bytes
    withheld: Text | None
    """Why nothing of it is shown; None where it is."""


def rehearsal_log(version: ApplicationVersion, report: Report) -> RehearsalLog | None:
    """Return the log of the rehearsal of ``version`` that ``report`` tells of; None where none is kept here."""
    path = _file(version, "application.log")
    if path is None:
        return None
    content = path.read_bytes()
    reason = text("worker.log_withheld", bytes=report.isolation.log_bytes)
    return RehearsalLog(content, reason if content.startswith(reason.render().encode()) else None)


def rehearsal_cases(view: View, version: ApplicationVersion, report: Report) -> ShownCases | None:
    """Return cases of the rehearsal that ``report`` tells of, for its supplier as long as terms let them hold the rows.

    Nobody else is shown any, whoever may read the report; terms are asked now, not as they were when it was rehearsed.
    """
    path, supplier = _file(version, SHOWN_CASES), report.application.supplier.organisation
    if path is None or version.scenario is None or view.actor.organisation != supplier:
        return None
    scenario = see(view, version.scenario).document
    if not isinstance(scenario, Scenario) or not may_show_sample(view, scenario, supplier):
        return None
    try:
        cases = ShownCases.model_validate_json(path.read_bytes())
    except pydantic.ValidationError:  # written by a version that showed them otherwise
        return None
    return cases if cases.report == report.digest() else None


def _file(version: ApplicationVersion, name: str) -> Path | None:
    """Return a file of the rehearsal; None where none is kept here."""
    if version.scenario is None:
        return None
    scenario = name_of(version.scenario).partition("/")[2]
    path = rehearsal_folder(base().lab, version.folder, scenario) / name
    return path if path.is_file() else None
