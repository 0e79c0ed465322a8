"""The quality of kept files, measured on a hub: in a box, as the owner's own job, shown as far as the rule permits.

What leaves the box is already cut to the level of opening: the full figures of closed data are kept nowhere.
"""

from __future__ import annotations

from pilotbase.catalogue.wording import grade_listing
from pilotbase.data.quality.release import released
from pilotbase.documents.api.datasets import Measuring
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import Subject, holder_of, quality_head
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.dataset_files import KeptFile, find_kept
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.first_rows import is_table
from pilotbase.worker.datasets.owner_jobs import (
    FileRefusal,
    OwnerWork,
    keep_result,
    opened_for_owner,
    own_listing,
    read_in_box,
    result_of,
    work_told,
)
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.jobs import Job, enqueue, jobs_ordered_for
from pilotbase.workspace.listings import find_listing, require_listing
from pilotbase.workspace.store import View

Measurement = OwnerWork[QualityReport]


def order_measuring(base: Base, view: View, dataset: Subject) -> Measurement:
    """Queue the measuring of the kept files of a dataset's newest version; a repeated request meanwhile joins it.

    Raises:
        NotFoundError: the actor sees no such dataset; no table of its newest version is kept.
        RefusedError: it does not belong to the actor's organisation.
    """
    listing = own_listing(view, dataset)
    if view.outcome() is None:
        if not _tables(base, dataset, listing.digest):
            raise NotFoundError("dataset.nothing_to_measure", dataset=dataset)
        with view.transaction("dataset.measuring") as change:
            change.record("dataset.measuring", [dataset, listing.digest])
            enqueue(change, WorkKind.QUALITY, _work(dataset), {"dataset": dataset, "version": listing.digest})
            change.settle(dataset)
    found = find_measuring(base, view, dataset)
    assert found is not None
    return found


def find_measuring(base: Base, view: View, dataset: Subject) -> Measurement | None:
    """Return the newest measurement of a dataset's files, None if none was ordered; raises as `order_measuring`."""
    listing = own_listing(view, dataset)
    jobs = jobs_ordered_for(view, _work(dataset))
    if not jobs:
        return None
    return OwnerWork(jobs[0], result_of(base, view, listing.owner, _work(dataset), QualityReport))


def measuring_told(found: Measurement, reader: Language) -> Measuring:
    """Return the progress of a measurement, and the result of the last one, as the API shows it."""
    return Measuring(**work_told(found, reader), report=found.result)


def publish_measured(base: Base, view: View, dataset: Subject) -> QualityReport:
    """Publish the last measurement, and return it.

    Raises:
        ConflictError: nothing was measured yet, or it was refused.
        NotFoundError, RefusedError, InputError: as `publish_report`.
    """
    found = find_measuring(base, view, dataset)
    if found is None or found.result is None:
        raise ConflictError("dataset.not_measured", dataset=dataset)
    return publish_report(view, dataset, found.result)


def publish_report(view: View, subject: Subject, report: QualityReport) -> QualityReport:
    """Publish a report on the newest version of a published dataset, and return the part that is released.

    Published before under the same request, return the earlier report.

    Raises:
        NotFoundError: the actor sees no such dataset.
        RefusedError: the actor is not its owner, or it is not published.
        InputError: the report is of another dataset, or of another version of it.
    """
    known = view.done(QualityReport)
    if known is not None:
        return known
    listing = require_listing(view, subject)
    view.actor.require_writes_for(listing.owner)
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
    """Return if a report covers what is described, and each part together with that part's profile and figures.

    Raises:
        InputError: names the first part that is not described, or lacks its figures.
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
    """Return the newest report that the owner of a dataset has published, None if ``view`` sees none."""
    return view.load_head(quality_head(subject), QualityReport) if find_listing(view, subject) is not None else None


def measure_ordered(base: Base, job: Job) -> None:
    """Measure the files of ``job`` in a box, and keep for its owner the releasable result, or why it was refused.

    Raises:
        RefusedError: this host gives no box.
    """
    dataset, version = job.payload["dataset"], job.payload["version"]
    described = base.lab.view.load(version, Dataset)
    files = _tables(base, dataset, version)
    given = {"dataset": described.to_json_value(), "files": [one.name for one in files]}
    found: QualityReport | FileRefusal
    try:
        opened = ((one.name, opened_for_owner(base, job, one)) for one in files)
        told = read_in_box(base, "measure", opened, given, QualityReport)
        require_whole(told, described)
        found = released(told, described)
    except InputError as error:
        found = FileRefusal.of(error)
    keep_result(base, holder_of(dataset), _work(dataset), found)


def _tables(base: Base, dataset: Subject, version: str) -> list[KeptFile]:
    return [one for one in find_kept(base.lab.vault, dataset, version) if is_table(one.name)]


def _work(dataset: Subject) -> str:
    return f"{WorkKind.QUALITY}:{dataset}"
