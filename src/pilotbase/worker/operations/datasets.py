"""Operations of datasets that other records do not have, such as their versions and what each changed."""

from __future__ import annotations

from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.wording import Sought, seek
from pilotbase.data.describing.describing import compare
from pilotbase.documents.api.datasets import DatasetPage, DatasetVersion, ReaderFacet, Readers
from pilotbase.documents.api.records import Erased
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.subjects import Subject, agreement_subject, dataset_subject, scenario_subject
from pilotbase.documents.terms import Use
from pilotbase.operations import datasets as declared
from pilotbase.operations.datasets import OfDataset
from pilotbase.vault.readers import readers_of
from pilotbase.worker.datasets import keeping
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.worker.datasets.measuring import (
    find_measuring,
    measuring_told,
    order_measuring,
    publish_report,
    published_report,
)
from pilotbase.worker.operations.binding import Caller, does, there
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.uses import uses_of


def dataset_versions(view: View, subject: Subject, since: str = "") -> list[DatasetVersion]:
    """Return the versions of a dataset that the actor sees, newest first, each with its changes.

    ``since``: only the newest, with the changes from that version to it.

    Raises:
        NotFoundError: the actor sees no such dataset.
        InputError: it sees no version ``since``.
    """
    found = _documents(view, subject)
    if since and since not in found:
        raise InputError("dataset.unknown_version", found=since, allowed=offer(since, list(found)))
    versions = list(found.values())
    if since:
        return [_told(versions[0], found[since])]
    return [_told(now, before) for now, before in zip(versions, [*versions[1:], None], strict=True)]


def _told(dataset: Dataset, before: Dataset | None) -> DatasetVersion:
    return DatasetVersion(
        version=dataset.version,
        digest=dataset.digest(),
        modified=dataset.date_modified,
        rows=sum(one.rows or 0 for one in dataset.record_sets),
        changed=compare(before, dataset) if before is not None else (),
        new_form=before is not None and _first(before) != _first(dataset),
    )


def _first(dataset: Dataset) -> str:
    return dataset.version.split(".")[0]


def _documents(view: View, subject: Subject) -> dict[str, Dataset]:
    """Return version → its newest description, newest first."""
    found: dict[str, Dataset] = {}
    for dataset in view.every(Dataset, {"subject": subject}):
        found.setdefault(dataset.version, dataset)
    if not found:
        raise NotFoundError("record.not_found", subject=subject)
    return found


does(declared.CONTRIBUTIONS)(lambda caller, asked: contributions(caller.view, asked.owner))
does(declared.VERSIONS)(lambda caller, asked: dataset_versions(caller.view, asked.subject, asked.since))
does(declared.FILES)(lambda caller, asked: keeping.kept_of(caller.base, caller.view, asked.subject))
does(declared.OWN_FILES)(lambda caller, asked: keeping.own_files(caller.base, caller.view, asked.subject))
does(declared.KEEP)(lambda caller, asked: keeping.keep_upload(caller.base, caller.view, asked.subject, asked.upload))
does(declared.ERASE_FILES)(lambda caller, asked: _erased(caller, asked))
does(declared.ERASE_FILE)(lambda caller, asked: _erased(caller, asked, asked.file))
does(declared.READERS)(lambda caller, asked: _readers(caller, dataset_subject(asked.owner, asked.name), asked))
does(declared.SCENARIO_READERS)(
    lambda caller, asked: _readers(caller, scenario_subject(asked.owner, asked.name), asked)
)
does(declared.GRADE)(lambda caller, asked: publish_report(caller.view, asked.subject, asked.sent))
does(declared.TAKE)(
    lambda caller, asked: keeping.take_file(
        caller.base, caller.view, asked.subject, asked.file, asked.purpose, caller.part
    )
)
does(declared.PREVIEW)(lambda caller, asked: keeping.preview_of(caller.base, caller.view, asked.subject, asked.purpose))
does(declared.QUALITY)(lambda caller, asked: there(published_report(caller.view, asked.subject)))
does(declared.MEASURE)(
    lambda caller, asked: measuring_told(order_measuring(caller.base, caller.view, asked.subject), caller.language)
)
does(declared.MEASUREMENT)(
    lambda caller, asked: measuring_told(
        there(find_measuring(caller.base, caller.view, asked.subject)), caller.language
    )
)
does(declared.USES)(lambda caller, asked: uses_of(caller.view, require_listing(caller.view, asked.subject).subject))


@does(declared.SEARCH)
def search(caller: Caller, asked: declared.SoughtDatasets) -> DatasetPage:
    """Return the matching datasets, with counts for each value of a facet."""
    sought = Sought.of(asked.model_dump(exclude={"after", "limit"}))
    return seek(caller.view, sought, caller.address_of, asked.after or None, asked.limit)


@does(declared.AGREEMENT_USES)
def agreement_uses(caller: Caller, asked: declared.OfAgreement) -> list[Use]:
    """Return the uses under an agreement."""
    record, _ = load_record(caller.view, agreement_subject(asked.name))
    return uses_of(caller.view, record.subjects["dataset"], record.subject)


def _readers(caller: Caller, subject: Subject, asked: declared.Narrowed) -> Readers:
    wanted = {facet: str(getattr(asked, facet) or "") for facet in ReaderFacet}
    return readers_of(caller.view, subject, wanted, asked.before, asked.limit)


def _erased(caller: Caller, asked: OfDataset, file: str | None = None) -> Erased:
    return Erased(erased=keeping.erase_kept(caller.base, caller.view, asked.subject, file))
