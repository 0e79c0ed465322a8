"""A check of an application that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.compute.box.locks import parse_lock
from pilotbase.documents.application import Application, form_in_words
from pilotbase.documents.texts import Text, text


@dataclass(frozen=True)
class CheckedApplication:
    """An application that holds, and what was seen."""

    application: Application
    lines: tuple[Text, ...]


def check_application(folder: Path) -> CheckedApplication:
    """Return an application whose folder, manifest and lock hold; raises `InputError` with every problem at once."""
    submission = read_application(folder)
    requirements = parse_lock(submission.lock, submission.application.requirements)
    application = submission.application
    holds = text("worker.application_holds", application=application.name, digest=submission.digest)
    count = text("worker.application_requirements", count=len(requirements), files=len(submission.tree.files))
    return CheckedApplication(application, (holds, form_in_words(application.form), count))
