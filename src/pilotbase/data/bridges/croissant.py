"""Croissant: read 0.8, 1.0 and 1.1; written as 1.1."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pilotbase.data.bridges.definition import Bridge, Written
from pilotbase.data.croissant.reading import read_croissant
from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.yaml_reader import Plain


def _recognises(value: Mapping[str, Plain]) -> bool:
    return "@context" in value or "@type" in value


def _write(dataset: Dataset) -> Written:
    return Written(json.dumps(write_croissant(dataset), ensure_ascii=False, indent=2) + "\n")


BRIDGE = Bridge("croissant", "Croissant 1.1", "json", _recognises, read_croissant, _write)
