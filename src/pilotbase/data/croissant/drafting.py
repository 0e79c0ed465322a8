"""A draft of a dataset from what was read of a file, with what does not fit and what our profile lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pydantic

from pilotbase.data.croissant.findings import CroissantFindings, FindingKind
from pilotbase.data.croissant.names import short_name
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.loading import issues_of
from pilotbase.documents.publication import missing
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain

STAND_IN = "unknown"
"""Stands where a name is needed and none is given."""


def draft_dataset(
    spelled: Mapping[str, Plain], places: Mapping[str, str], findings: CroissantFindings, names: Mapping[str, str]
) -> Dataset | None:
    """Return the draft; what does not fit a dataset's form is a fault, what the profile lacks is told.

    ``places``: path in the dataset → pointer in the file, for its parts. ``names``: path → name in the file, where
    that is another.
    """
    if findings.of(FindingKind.FAULT):
        return None
    try:
        dataset = Dataset.model_validate({name: value for name, value in spelled.items() if value is not None})
    except pydantic.ValidationError as error:
        for issue in issues_of("", error):
            findings.fault(_pointer(issue.path, places, names), text("croissant.no_fit", reason=issue.problem))
        return None
    if "opening" not in dataset.model_fields_set:
        findings.lacking("/pb:opening", text("croissant.no_opening"))
    for path, problem in missing(_as_published(dataset)):
        pointer = _pointer(path, places, names)
        if not findings.told_at(pointer):
            findings.lacking(pointer, problem)
    return dataset


def stand_in_owner(findings: CroissantFindings, pointer: str, candidates: Iterable[str]) -> Plain:
    """Return a short name made of whoever made or publishes the data, told as lacking."""
    name = next(filter(None, map(short_name, candidates)), STAND_IN)
    findings.lacking(pointer, text("croissant.no_owner", name=name))
    return {"organisation": name}


def _as_published(dataset: Dataset) -> Dataset:
    """Return a dataset of whomever as it stands published, where nothing is said of how far it is opened."""
    return dataset if "opening" in dataset.model_fields_set else dataset.model_copy(update={"opening": Opening.OPEN})


def _pointer(path: str, places: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return where in the file a path in the dataset stands."""
    if path in names:
        return join_pointer("", names[path])
    above = path
    while above and above not in places:
        above = above[: max(above.rfind("."), above.rfind("["), 0)]
    pointer = places.get(above, "")
    for step in filter(None, re.split(r"[.\[\]]", path[len(above) :])):
        pointer = join_pointer(pointer, step)
    return pointer
