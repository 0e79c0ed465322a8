"""Croissant: read 0.8, 1.0 and 1.1; written as 1.1."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pilotbase.data.bridges.definition import EVERYTHING, Bridge, Written
from pilotbase.data.croissant.reading import read_croissant
from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.yaml_reader import Plain


def _recognises(value: Mapping[str, Plain]) -> bool:
    return ("@context" in value or "@type" in value) and "dcat" not in str(value.get("@type")).lower()


def _write(dataset: Dataset) -> Written:
    content = json.dumps(write_croissant(dataset), ensure_ascii=False, indent=2) + "\n"
    return Written(content, BRIDGE.left_out(dataset))


BRIDGE = Bridge("croissant", "Croissant", "json", _recognises, read_croissant, _write, EVERYTHING, both_languages=True)
