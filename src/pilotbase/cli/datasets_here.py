"""The catalogue of datasets of the base on this machine: the same as `protocols.hub_datasets` over a hub's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.catalogue.datasets import Sought, seek
from pilotbase.documents.api.datasets import Contributions, DatasetPage
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.contributions import contributions


@dataclass(frozen=True)
class DatasetsHere:
    """What is told of datasets in a home, to whom sees all of it; everything raises as the functions that it calls."""

    base: Base

    def found(self, asked: Mapping[str, str]) -> DatasetPage:
        """Return the newest datasets that are asked for, by ``q`` and the names of facets."""
        return seek(self.base.lab.view, Sought.of(asked), lambda _: "")

    def contributions(self, owner: str) -> Contributions:
        """Return what came of the datasets, of ``owner`` only where one is named."""
        return contributions(self.base.lab.view, owner)
