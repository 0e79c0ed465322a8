"""What an application printed in its newest rehearsal, as its supplier is shown it."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.report import Report
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.hub.base import base
from pilotbase.worker.trials.folder import rehearsal_folder


@dataclass(frozen=True)
class RehearsalLog:
    """The log of a rehearsal; where it is withheld it holds the words that say so."""

    content: bytes
    withheld: Text | None
    """Why nothing of it is shown; None where it is."""


def rehearsal_log(version: ApplicationVersion, report: Report) -> RehearsalLog | None:
    """Return the log of the rehearsal of ``version`` that ``report`` tells of; None where none is kept here."""
    if version.scenario is None:
        return None
    scenario = name_of(version.scenario).partition("/")[2]
    path = rehearsal_folder(base().lab, version.folder, scenario) / "application.log"
    if not path.is_file():
        return None
    content = path.read_bytes()
    reason = text("worker.log_withheld", bytes=report.isolation.log_bytes)
    return RehearsalLog(content, reason if content.startswith(reason.render().encode()) else None)
