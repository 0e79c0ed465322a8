"""What the page of a record lays out of its documents: of a dataset, an agreement, an application, a trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilotbase.data.labelling.quality import figure_line
from pilotbase.data.terms.evaluating import budgets
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.labelling import PublishedLabels
from pilotbase.documents.record import ApplicationVersion, Record, StepTaken
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import labels_head
from pilotbase.documents.vocabularies import Opening
from pilotbase.hub.base import base
from pilotbase.hub.pages.rehearsals import of_application
from pilotbase.hub.pages.statistics import bar_of
from pilotbase.hub.pages.statistics_terms import settling
from pilotbase.hub.pages.trials import of_trial
from pilotbase.hub.presenters.records import world_shown
from pilotbase.worker.datasets.contributions import contribution
from pilotbase.worker.datasets.keeping import kept_of
from pilotbase.worker.datasets.kept_tables import offered
from pilotbase.worker.datasets.measuring import published_report
from pilotbase.worker.intake.public_kits import kit_told
from pilotbase.worker.mission import version_numbers
from pilotbase.worker.trials.acts import judge_of
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.uses import uses_of

_USES = 50
"""The newest uses that a page shows."""


def contents(view: View, document: object, record: Record | None) -> dict[str, Any]:
    """Return the documents that the page of a record lays out, those that are seen."""
    found: dict[str, Any] = {"document": document}
    if isinstance(document, Scenario):
        found["scenario"] = document
        found["kit"] = kit_told(base(), view, document)
        found["world"] = world_shown(base(), document)
    elif isinstance(document, ApplicationVersion):
        found["application"] = document.application
        found["folder"] = document.folder
        found["scenario_listing"] = find_listing(view, document.scenario) if document.scenario else None
        found |= of_application(view, document, record) if record is not None else {}
    if record is not None:
        found["record"] = record
        found["versions"] = list(_versions(record))
        judge = judge_of(base(), view.store.clock())
        found["waits"] = [(wait, judge.bar_of_wait(record, wait)) for wait in record.waits]
    if isinstance(document, Dataset | Agreement):
        found |= _of_terms(view, document, record)
    if record is not None and record.kind == "commission":
        found |= of_trial(view, record)
    return found


def _versions(record: Record) -> Iterator[tuple[int, StepTaken]]:
    """Yield the versions of a record's content, newest first: its number, and the step that brought it."""
    numbers = version_numbers(record)
    for digest in reversed(numbers):
        yield numbers[digest], next(step for step in record.history if step.document == digest)


def _of_terms(view: View, document: Dataset | Agreement, record: Record | None) -> dict[str, Any]:
    """Return on which terms a dataset is used, and the uses that its parties may see."""
    if isinstance(document, Dataset):
        uses = uses_of(view, document.subject, limit=_USES)
        return {
            "offer": document.usage,
            "uses": uses,
            "contribution": contribution(view, document.subject),
            "kept": kept_of(base(), view, document.subject),
            "quality": published_report(view, document.subject),
            "own_dataset": view.actor.organisation == document.owner.organisation,
            "may_erase": view.actor.may_write_for(document.owner.organisation),
            "statistics": _statistics(view, document, record),
            **_labels(view, document),
        }
    uses = uses_of(view, document.dataset, record.subject, _USES) if record is not None else []
    dataset = find_listing(view, document.dataset)
    return {"offer": document.offer, "uses": uses, "about_dataset": dataset}


def _labels(view: View, dataset: Dataset) -> dict[str, Any]:
    """Return what the owner of a dataset has stated of its labels."""
    digest = view.head(labels_head(dataset.subject))
    if digest is None:
        return {}
    found = view.load(digest, PublishedLabels)
    return {"labels": found, "labels_line": figure_line(found.statement.agreement)}


def _statistics(view: View, dataset: Dataset, record: Record | None) -> dict[str, Any]:
    """Return whether the reader asks for statistics of closed data or settles them, and budgets they may know."""
    if dataset.opening is not Opening.COMPUTE_TO_DATA or not view.actor.organisation:
        return {}
    bars = [bar_of(one) for one in budgets(view, dataset.subject)]
    settles = record is not None and settling(view.actor, dataset, record) is not None
    return {"offered": offered(base(), view, dataset.subject), "bars": bars, "settles": settles}
