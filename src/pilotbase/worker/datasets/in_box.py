"""Functions that read files in a box: called there by `sandbox.box.own_program`, in the folder of the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pilotbase.data.describing.describing import SourceInventory, describing
from pilotbase.data.describing.drafting import DescribedField, DescribedTable, Description
from pilotbase.data.describing.meanings import Guess
from pilotbase.data.describing.questions import open_questions, units_to_ask
from pilotbase.data.labelling.gathering import read_labels as gather_labels
from pilotbase.data.quality.measuring import measure_quality, profile_rows
from pilotbase.data.quality.release import record_set_of, released
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers, Described, Guessed, SeenValue
from pilotbase.documents.labelling import LabellingCampaign
from pilotbase.documents.publication import missing
from pilotbase.documents.quality import RecordSetProfile
from pilotbase.worker.datasets.first_rows import first_rows

_NOWHERE = Path("no-description")
_LONGEST_VALUE = 200


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Return the files described (`Described`); ``earlier`` is their previous description."""
    answers = Answers.model_validate(given["answers"])
    with describing(given["files"], _NOWHERE, ReadOptions()) as found:
        earlier = Dataset.from_json_value(given["earlier"]) if given["earlier"] else None
        described = replace(found, earlier=earlier).describe(answers)
        return _told(described).model_copy(update={"profiles": tuple(_profiles(found, described))}).to_json_value()


def show_first_rows(given: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first rows of a file (`FirstRows`), or None if it is no table."""
    found = first_rows(Path(given["file"]))
    return None if found is None else found.model_dump(mode="json")


def measure(given: dict[str, Any]) -> dict[str, Any]:
    """Return the quality of a dataset's tables, cut to what its level of opening permits (`QualityReport`)."""
    dataset = Dataset.from_json_value(given["dataset"])
    files = {record_set_of(dataset, Path(name)).name: Path(name) for name in given["files"]}
    return released(measure_quality(dataset, files), dataset).to_json_value()


def read_labels(given: dict[str, Any]) -> dict[str, Any]:
    """Return the labels of an export (`ReadLabels`), by the names that a campaign gives its annotators."""
    campaign = LabellingCampaign.from_json_value(given["campaign"])
    gathered = gather_labels(campaign, [Path(given["file"])])
    labels = [{"item": one.item, "annotator": one.annotator, "label": one.label} for one in gathered.annotations]
    return {"labels": labels, "left_out": dict(gathered.left_out)}


def _further(found: Description) -> Iterator[str]:
    """Yield what the catalogue's rule finds missing in addition; with nothing missing, nothing is refused."""
    fields = Dataset.model_fields
    said = {fields[path].alias or path if path in fields else path for path in found.missing}
    yield from (lack.path for lack in missing(found.dataset) if lack.path not in said)


def _profiles(found: SourceInventory, described: Description) -> Iterator[RecordSetProfile]:
    """Yield the profile of each table that has a record set of its own, counted as the description reads it."""
    rows = {table.name: table.frame for source in found.sources for table in source.tables}
    for one in described.dataset.record_sets:
        if one.name in rows:
            yield profile_rows(one, rows[one.name])


def _told(found: Description) -> Described:
    return filled(
        Described,
        found,
        guesses=tuple(_guesses(found)),
        seen=tuple(
            SeenValue(place=_place(table, field), seen=seen)
            for table in found.tables
            for field in table.fields
            for seen in field.observed
        ),
        questions=open_questions(found),
        units=units_to_ask(found),
        missing=(*found.missing, *_further(found)),
    )


def _guesses(found: Description) -> Iterator[Guessed]:
    """Yield every guess with the guessed value, the dataset's own first."""
    dataset = found.dataset.to_json_value()
    yield from (_guessed("", one, dataset) for one in found.guesses)
    for table in found.tables:
        record_set = table.record_set.to_json_value()
        yield from (_guessed(table.record_set.name, one, record_set) for one in table.guesses)
        for field in table.fields:
            spelled = field.field.to_json_value() | {"label": field.field.name}
            yield from (_guessed(_place(table, field), one, spelled) for one in field.guesses)


def _guessed(place: str, guess: Guess, spelled: dict[str, Any]) -> Guessed:
    value = spelled.get(guess.part, "")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Guessed(
        place=place, part=guess.part, value=said[:_LONGEST_VALUE], ground=guess.ground, sure=guess.sure.value
    )


def _place(table: DescribedTable, field: DescribedField) -> str:
    return f"{table.record_set.name}.{field.field.name}"
