"""Synthetic samples of closed data: made by the worker, kept, and fetched by those who may."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from pilotbase.data.private.synthetic import Sample, make_sample, write_sample
from pilotbase.data.quality.columns import RecordTable
from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest
from pilotbase.documents.private import PrivacyTest, PrivateProfile
from pilotbase.documents.subjects import Subject
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


class KeptSample(Document):
    """Records that the base keeps a synthetic sample: an archive of the table, its description and its records."""

    document: Literal["synthetic-sample/1"] = "synthetic-sample/1"
    dataset: Subject
    """The dataset it was made of."""
    profile: Digest
    rows: int
    name: str
    blob: Digest
    size: int


def keep_sample(
    base: Base, identity: str, dataset: Dataset, profile: PrivateProfile, made_of: tuple[RecordTable, int]
) -> None:
    """Make this many records from ``profile`` and keep them under the order's identity, with their privacy test.

    ``made_of``: the table that the profile describes, and its number of records. Only the owner sees the test.

    Raises as `make_sample`.
    """
    table, rows = made_of
    sample = make_sample(dataset, profile, table, rows)
    archive = _packed(sample)
    kept = KeptSample(
        dataset=dataset.subject,
        profile=profile.digest(),
        rows=rows,
        name=f"{sample.dataset.name}.zip",
        blob=base.lab.vault.blobs.put(archive),
        size=len(archive),
    )
    owner = dataset.owner.organisation
    with base.lab.view.transaction("statistics.sample_made") as change:
        digest = change.put(kept, parties(owner), owner=profile.question.by)
        change.set_head(_sample_head(identity), digest, expected=None)
        change.set_head(_test_head(identity), change.put(sample.test, parties(), owner=owner), expected=None)
        change.record("statistics.sample_made", [dataset.subject, digest, sample.dataset.digest()])


def sample_of(view: View, identity: str) -> KeptSample | None:
    """Return the sample of an order; None if there is none or the actor may not see it."""
    return view.load_head(_sample_head(identity), KeptSample)


def test_of(view: View, identity: str) -> PrivacyTest | None:
    """Return the figures of a sample's privacy test, to the owner of its source; else None."""
    return view.load_head(_test_head(identity), PrivacyTest)


def fetch_sample(base: Base, view: View, identity: str) -> File:
    """Return the archive of a sample to those who may see it; the log records each time that it is given out.

    Raises:
        NotFoundError: there is none, or the actor may not see it.
    """
    kept = sample_of(view, identity)
    if kept is None:
        raise NotFoundError("statistics.no_sample")
    with view.transaction("statistics.sample_taken") as change:
        change.record("statistics.sample_taken", [kept.dataset, kept.blob])
    return File(kept.name, kept.size, iter([base.lab.vault.blobs.get(kept.blob)]))


def _packed(sample: Sample) -> bytes:
    """Return the three files of a sample in one archive."""
    packed = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(prefix="pilotbase-sample-") as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in write_sample(sample, Path(scratch)):
            archive.write(path, f"{sample.dataset.name}/{path.name}")
    return packed.getvalue()


def _sample_head(identity: str) -> str:
    return f"synthetic-sample:{identity}"


def _test_head(identity: str) -> str:
    return f"privacy-test:{identity}"
