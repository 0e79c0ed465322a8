"""The catalogue of datasets of the base on this machine: the same as `protocols.hub_datasets` over a hub's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.datasets import Sought, seek
from pilotbase.documents.api.datasets import Contributions, DatasetPage, KeptTold, Preview
from pilotbase.documents.api.readers import ReaderFacet, Readers
from pilotbase.documents.api.versions import DatasetVersion
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.vocabularies import Role
from pilotbase.protocols.hub_datasets import Begun, FilePart
from pilotbase.vault.readers import readers_of
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.worker.datasets.grading import publish_report
from pilotbase.worker.datasets.keeping import erase_kept, keep_files, kept_of, preview_of, take_file
from pilotbase.worker.datasets.versions import dataset_versions
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class DatasetsHere:
    """What is told of datasets in a home, to whom sees all of it; everything raises as the functions that it calls."""

    base: Base
    organisation: str = ""
    """For whom files are taken; whoever holds the home holds the keys of all in it."""

    def found(self, asked: Mapping[str, str]) -> DatasetPage:
        """Return the newest datasets that are asked for, by ``q`` and the names of facets."""
        return seek(self.base.lab.view, Sought.of(asked), lambda _: "")

    def contributions(self, owner: str) -> Contributions:
        """Return what came of the datasets, of ``owner`` only where one is named."""
        return contributions(self.base.lab.view, owner)

    def keep(self, subject: str, paths: list[Path]) -> list[KeptTold]:
        """Keep files of a dataset for its owner."""
        return keep_files(self.base, self.base.lab.view, subject, paths)

    def files(self, subject: str) -> list[KeptTold]:
        """Return which files are kept of a dataset."""
        return kept_of(self.base, self._view, subject)

    def erase(self, subject: str, file: str) -> int:
        """Erase a file of every version of a dataset, or all, and return how many there were."""
        return erase_kept(self.base, self.base.lab.view, subject, file or None)

    def take(self, subject: str, file: str, purpose: str, begun: Begun | None = None) -> Iterator[FilePart]:
        """Yield the bytes of a file, piece by piece: here from its beginning."""
        del begun
        at = 0
        for piece in take_file(self.base, self._view, subject, file, purpose).pieces:
            yield FilePart(at, "", piece)
            at += len(piece)

    def preview(self, subject: str, purpose: str) -> Preview:
        """Return the first rows of a dataset."""
        return preview_of(self.base, self._view, subject, purpose)

    def readers(self, subject: str, asked: Mapping[str, str], before: int | None, limit: int) -> Readers:
        """Return who has read a dataset, or the hidden cases of a scenario."""
        wanted = {ReaderFacet(name): value for name, value in asked.items()}
        return readers_of(self.base.lab.view, subject, wanted, before, limit)

    def versions(self, subject: str, since: str) -> list[DatasetVersion]:
        """Return the versions of a dataset; ``since``: the newest, with what changed since that one."""
        return dataset_versions(self._view, subject, since)

    def grade(self, report: QualityReport) -> QualityReport:
        """Publish a quality report for the owner of its dataset."""
        return publish_report(self.base.lab.view, report.dataset, report)

    @property
    def _view(self) -> View:
        view = self.base.lab.view
        return view.as_actor(Actor(self.organisation, frozenset({Role.SUPPLIER}))) if self.organisation else view
