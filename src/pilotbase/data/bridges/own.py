"""A dataset's description in our own format (``dataset/1``), as YAML or JSON."""

from __future__ import annotations

from pilotbase.data.bridges.definition import EVERYTHING, Bridge
from pilotbase.data.croissant.findings import CroissantDescription, PlainFile
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import Issue
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.loading import join, read_document
from pilotbase.documents.publication import missing
from pilotbase.documents.yaml_reader import Plain, YamlSource


def _read(given: PlainFile) -> CroissantDescription:
    """Return the document with every problem of its form and everything missing; places are field paths."""
    lines = {path: line for path, pointer in _pointers(dict(given.value)) if (line := given.line(pointer))}
    reading = read_document(Dataset, YamlSource(given.file, dict(given.value), lines))
    found: tuple[Issue, ...] = ()
    if not reading.issues and reading.document is not None:
        hints = [
            Issue(file="", path=path, problem=problem, hint=problem.hint) for path, problem in missing(reading.document)
        ]
        found = reading.placed(hints, lambda _: ())
    dataset = None if reading.issues else reading.document
    return CroissantDescription(given.file, "1", dataset, reading.issues, found, ())


def _pointers(value: Plain, path: str = "", pointer: str = "") -> list[tuple[str, str]]:
    """Return path and JSON pointer of everything in ``value``."""
    found = [(path, pointer)]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _pointers(inner, join(path, key), join_pointer(pointer, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _pointers(inner, f"{path}[{index}]", join_pointer(pointer, index))
    return found


BRIDGE = Bridge(
    "dataset",
    "Pilotbase dataset",
    "json",
    lambda dataset, _: dataset.to_json_value(),
    EVERYTHING,
    recognises=lambda value: value.get("document") == "dataset/1",
    read=_read,
    both_languages=True,
    is_public=False,
)
