"""The quality report of a dataset, published by its owner: never more of it than the level of opening lets out."""

from __future__ import annotations

from pilotbase.catalogue.wording import grade_listing
from pilotbase.data.quality.release import released
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import Subject, quality_head
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.listings import find_listing, require_listing
from pilotbase.workspace.store import View


def publish_report(view: View, subject: Subject, report: QualityReport) -> QualityReport:
    """Publish a report on the newest version of a published dataset, and return what of it is let out.

    Published under the same request before, it is the report of then.

    Raises:
        NotFoundError: the actor sees no such dataset.
        RefusedError: the actor is not its owner, or it is not published.
        InputError: the report is of another dataset, or of another version of it.
    """
    known = view.done(QualityReport)
    if known is not None:
        return known
    listing = require_listing(view, subject)
    if not view.actor.may_write_for(listing.owner):
        raise RefusedError("workspace.not_yours", organisation=view.actor.organisation, owner=listing.owner)
    if listing.state != DatasetState.PUBLISHED:
        raise RefusedError("record.dataset_not_published", dataset=subject)
    dataset = view.load(listing.digest, Dataset)
    if (report.dataset, report.version) != (subject, dataset.version):
        found = f"{report.dataset} {report.version}"
        raise InputError("dataset.other_report", dataset=subject, version=dataset.version, found=found)
    require_whole(report, dataset)
    shown, head = released(report, dataset), quality_head(subject)
    with view.transaction("dataset.graded") as change:
        digest = change.put(shown, PUBLIC, owner=listing.owner, fields={"dataset": subject})
        change.let_stand(head, digest)
        grade_listing(change, dataset, listing.state, shown)
        change.settle(digest)
    return shown


def require_whole(report: QualityReport, dataset: Dataset) -> None:
    """Return if a report speaks of what is described, and of each part beside that part's profile and figures.

    Raises:
        InputError: with the first part that is not described, or lacks its figures.
    """
    described = {one.name: {field.name for field in one.fields} for one in dataset.record_sets}
    profiled = {one.record_set for one in report.profiles}
    measured = {(one.measure, one.record_set) for one in report.measurements}
    of_rules = {one.record_set for one in report.rules}
    unknown = (profiled - described.keys()) | ({name for _, name in measured} | of_rules) - profiled
    unknown |= {one.record_set for one in report.grade.requirements if (one.measure, one.record_set) not in measured}
    for one in report.profiles:
        if not {found.field for found in one.fields} <= described.get(one.record_set, set()):
            unknown.add(one.record_set)
    for found in sorted(unknown):
        raise InputError("dataset.broken_report", found=found)


def published_report(view: View, subject: Subject) -> QualityReport | None:
    """Return the newest report that the owner of a dataset has published, None where ``view`` sees none."""
    digest = view.head(quality_head(subject)) if find_listing(view, subject) is not None else None
    return None if digest is None else view.load(digest, QualityReport)
