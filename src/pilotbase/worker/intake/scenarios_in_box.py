"""Functions that read a scenario's table in a box: `sandbox.box.own_program` calls them in the scenario's folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pydantic

from pilotbase.data.doctor import Examination
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.fixes import Fixes
from pilotbase.data.plain_columns import encode_columns
from pilotbase.data.source_cases import reading_cases
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.worker.intake.scenario_tables import check_cases, read_sample
from pilotbase.worker.intake.table_drafts import (
    draft_sized,
    examine_draft,
    examine_sample,
    examine_source,
    foresee_draft,
    takes_long,
)

SAMPLE, CASES, DRAFTED = "sample.csv", "cases.bin", "drafted.bin"


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
