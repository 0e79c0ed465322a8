"""Functions that read a table in a box: `sandbox.box.own_program` calls them in the folder of the table or scenario."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pydantic

from pilotbase.data.describing.observing import Column
from pilotbase.data.doctor import Examination
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.fixes import Fixes
from pilotbase.data.plain_columns import encode_columns
from pilotbase.data.quality.measuring import inferred_fields, profile_rows
from pilotbase.data.source_cases import CaseSource, WantedCases, reading_cases
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.dataset import FieldType, RecordSet
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.worker.intake.scenario_tables import check_cases, foretell, read_sample
from pilotbase.worker.intake.table_drafts import (
    draft_sized,
    examine_draft,
    examine_sample,
    examine_source,
    foresee_draft,
    takes_long,
)

TEXTS = "texts.bin"
SAMPLE, CASES, DRAFTED = "sample.csv", "cases.bin", "drafted.bin"


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns, the number of rows, how they were read, and their values, counted."""
    tempfile.tempdir = given["result"]  # temporary data of a table scan take no memory
    found = CaseSource(Path(given["table"]), Path(given["result"])).seen(WantedCases(""))
    fields = inferred_fields(_as_spelled(found.columns[one]) for one in found.table.columns)
    profile = profile_rows(RecordSet(name="cases", fields=fields), found.table.lazy())
    told = [sentence.model_dump(mode="json") for sentence in found.told]
    rows = found.rows if found.sampled else found.table.height
    return {"columns": found.table.columns, "rows": rows, "told": told, "profile": profile.to_json_value()}


def _as_spelled(column: Column) -> Column:
    """Return the column as its values are shown: 是 and 否 as they stand there."""
    return replace(column, data_type=FieldType.TEXT) if column.data_type is FieldType.BOOLEAN else column


def texts(given: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows; every value, as text, is the file `TEXTS`."""
    tempfile.tempdir = given["result"]
    stored = read_table(Path(given["table"]))
    plain = [name for name, kind in stored.schema.items() if not (kind.is_nested() or kind == pl.Binary)]
    frame = stored.select(pl.col(plain).cast(pl.String))
    with Path(given["result"], TEXTS).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"columns": frame.columns, "rows": frame.height}


def draft(given: dict[str, Any]) -> dict[str, Any]:
    """Return a draft of a scenario; if it is complete, it holds. The copied cases, if any, are the file `DRAFTED`.

    Raises:
        InputError: nobody was asked yet about the fixes that the data doctor advises: ``fixes``, with each offer.
    """
    result, wanted, table = _result(given), _wanted(given), Path(given["table"])
    with reading_cases(table, result) as source:
        found = draft_sized(source, wanted)
        if wanted.fixes is None:
            _offer(examine_source(source, wanted) if takes_long(table) else examine_draft(source, found))
    written = result / found.scenario.data.file
    written.write_bytes(found.cases or b"")
    if not found.missing:
        check_cases(found.scenario, Path() if found.cases is None else result)
    written.rename(result / DRAFTED)
    decided = [sentence.model_dump(mode="json") for sentence in found.decided]
    return {"scenario": found.scenario.to_json_value(), "decided": decided, "missing": list(found.missing)}


def look_at(given: dict[str, Any]) -> dict[str, Any]:
    """Return what stands out in a sample of the cases of a draft."""
    with reading_cases(Path(given["table"]), _result(given)) as source:
        found = examine_sample(source, _wanted(given))
    return {"found": pydantic.TypeAdapter(Examination).dump_python(found, mode="json")}


def foresee(given: dict[str, Any]) -> dict[str, Any]:
    """Return what a draft would rest on."""
    fixes = pydantic.TypeAdapter(Fixes).validate_python(given["fixes"])
    with reading_cases(Path(given["table"]), _result(given)) as source:
        return foresee_draft(source, _wanted(given), fixes).model_dump(mode="json")


def _wanted(given: dict[str, Any]) -> DraftAnswers:
    answers = given["answers"]
    return DraftAnswers(**{**answers, "dates": answers["dates"] and DateOrder(answers["dates"])})


def _offer(found: Examination) -> None:
    if any(one.advised for one in found.fixes):
        offers = [(one.sentence, one.fix) for one in found.remarks if one.fix is not None]
        said = [
            text("doctor.fix.offer", sentence=words, fix=fix.words, spelled=fix.spelled, advised=fix.advised)
            for words, fix in offers
        ]
        raise InputError.from_issues("", [Issue(file="", path="fixes", problem=one) for one in said])


def check(given: dict[str, Any]) -> dict[str, Any]:
    """Return how the cases of a scenario are divided."""
    _result(given)
    counts = check_cases(Scenario.model_validate(given["scenario"]), Path())
    return {"counts": {**vars(counts), "blind": counts.blind and counts.blind.model_dump(mode="json")}}


def prospect(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the cases of a scenario can prove, and what stands out in them."""
    _result(given)
    return foretell(Scenario.model_validate(given["scenario"]), Path()).to_json_value()


def sample(given: dict[str, Any]) -> dict[str, Any]:
    """Return the contract of a scenario; its public sample is the file `SAMPLE`."""
    result = _result(given)
    found = read_sample(Scenario.model_validate(given["scenario"]), Path())
    (result / SAMPLE).write_bytes(found.csv)
    return {"contract": found.contract.model_dump(mode="json", by_alias=True)}


def cases(given: dict[str, Any]) -> dict[str, Any]:
    """Return the number of cases; the cases are the file `CASES`."""
    result = _result(given)
    frame = read_cases(Scenario.model_validate(given["scenario"]), Path())
    with (result / CASES).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"rows": frame.height}


def _result(given: dict[str, Any]) -> Path:
    """Return the folder for results; temporary data of a table scan go there too, and take no memory."""
    tempfile.tempdir = given["result"]
    return Path(given["result"])
