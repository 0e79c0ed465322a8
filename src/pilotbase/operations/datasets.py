"""Datasets besides what all records have."""

from __future__ import annotations

from typing import Annotated

from pilotbase.documents.api.shapes import Asked
from pilotbase.documents.base import Name
from pilotbase.documents.subjects import dataset_subject
from pilotbase.operations.operation import PATH


class OfDataset(Asked):
    """Which dataset."""

    owner: Annotated[Name, PATH]
    name: Annotated[Name, PATH]

    @property
    def subject(self) -> str:
        """Return its subject, such as ``dataset:plant/milling``."""
        return dataset_subject(self.owner, self.name)
