"""Anyone's tables read in a box: columns, drafts, checks, samples, cases, texts. Crashes there spare the base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import pydantic

from pilotbase.data.conform import conform, conformed_types
from pilotbase.data.doctor import Examination
from pilotbase.data.drafting import DraftAnswers, ScenarioDraft
from pilotbase.data.fixes import Fixes
from pilotbase.data.plain_columns import decode_columns
from pilotbase.data.sources.source import MOST_BYTES
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import Limits
from pilotbase.documents.plan import CaseProspect
from pilotbase.documents.quality import RecordSetProfile
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.own_functions import RESULT, BoxedCall, call_beside
from pilotbase.worker.intake import scenarios_in_box
from pilotbase.worker.intake.scenario_tables import CaseCounts, PublicSample
from pilotbase.worker.intake.table_drafts import DraftOutlook

_LIMITS = Limits(
    memory_bytes=3 << 30,
    cpu_seconds=300,
    wall_seconds=300,
    processes=64,
    scratch_bytes=256 << 20,
    file_bytes=MOST_BYTES,
)


class TableFacts(pydantic.BaseModel):
    """The column names of a table, its number of rows, and what was seen in them."""

    columns: tuple[str, ...]
    rows: int = pydantic.Field(ge=0, lt=1 << 40)
    told: tuple[Text, ...] = ()
    """Assumptions where the file does not say, and what is read in another form than it is written."""
    profile: RecordSetProfile | None = None


class _Drafted(pydantic.BaseModel):
    scenario: Scenario
    decided: tuple[Text, ...]
    missing: tuple[str, ...]


class _Examined(pydantic.BaseModel):
    found: Examination


class _Counted(pydantic.BaseModel):
    counts: CaseCounts


class _Sampled(pydantic.BaseModel):
    contract: Contract


class _Read(pydantic.BaseModel):
    rows: int = pydantic.Field(ge=0, lt=1 << 40)


def describe_table(table: Path) -> TableFacts:
    """Return the facts of a table that is alone in its folder, which the box sees.

    Raises:
        InputError: it is no table (see `read_table`), or its reader exceeded the limits of a box.
        RefusedError: this host gives no box.
    """
    return call_beside(_about_table("describe", table), TableFacts)[0]


def draft_in_box(table: Path, answers: DraftAnswers) -> ScenarioDraft:
    """Return the draft of `draft_scenario`, computed in a box; if nothing is missing, its cases hold too.

    Raises as `draft_scenario`, `check_cases` and `describe_table`.
    """
    function, given = f"{scenarios_in_box.__name__}:draft", {"answers": asdict(answers)}
    call = _call(function, table.parent, (table.name,), given, scenarios_in_box.DRAFTED)
    found, cases = call_beside(call, _Drafted)
    if PurePosixPath(found.scenario.data.file).name != found.scenario.data.file:
        raise call.broken
    return ScenarioDraft(found.scenario, found.decided, found.missing, cases or None)


def examine_in_box(table: Path, answers: DraftAnswers) -> Examination:
    """Return the examination of `examine_sample`, computed in a box; raises as `describe_table` and it."""
    function, given = f"{scenarios_in_box.__name__}:look_at", {"answers": asdict(answers)}
    return call_beside(_call(function, table.parent, (table.name,), given, ""), _Examined)[0].found


def foresee_in_box(table: Path, answers: DraftAnswers, fixes: Fixes) -> DraftOutlook:
    """Return the outlook of `foresee_draft`, computed in a box; raises as `describe_table` and it."""
    chosen = pydantic.TypeAdapter(Fixes).dump_python(fixes, mode="json")
    function, given = f"{scenarios_in_box.__name__}:foresee", {"answers": asdict(answers), "fixes": chosen}
    return call_beside(_call(function, table.parent, (table.name,), given, ""), DraftOutlook)[0]


def check_in_box(scenario: Scenario, folder: Path) -> CaseCounts:
    """Return the counts of `check_cases`, read in a box that sees ``folder``; raises as both."""
    recorded = tuple(exchange.file for exchange in scenario.trial.exchanges or ())
    return call_beside(_about_scenario("check", scenario, folder, further=recorded), _Counted)[0].counts


def prospect_in_box(scenario: Scenario, folder: Path) -> CaseProspect:
    """Return the prospect of `foretell`, computed in a box that sees ``folder``; raises as both."""
    return call_beside(_about_scenario("prospect", scenario, folder), CaseProspect)[0]


def sample_in_box(scenario: Scenario, folder: Path) -> PublicSample:
    """Return the sample of `read_sample`, read in a box that sees ``folder``; raises as both."""
    found, sample = call_beside(_about_scenario("sample", scenario, folder, scenarios_in_box.SAMPLE), _Sampled)
    return PublicSample(found.contract, sample)


def cases_in_box(scenario: Scenario, folder: Path) -> pl.DataFrame:
    """Return the cases of `read_cases`, read in a box that sees ``folder``; raises as both."""
    call = _about_scenario("cases", scenario, folder, scenarios_in_box.CASES)
    found, buffers = call_beside(call, _Read)
    return conform(_decoded(call, buffers, found.rows, conformed_types(scenario)), scenario)


def texts_in_box(table: Path) -> pl.DataFrame:
    """Return every value of a table as text, read in a box that sees only the folder of the table.

    Raises as `describe_table`.
    """
    call = _about_table("texts", table, scenarios_in_box.TEXTS)
    found, buffers = call_beside(call, TableFacts)
    return _decoded(call, buffers, found.rows, dict.fromkeys(found.columns, pl.String()))


def _about_table(function: str, table: Path, beside: str = "") -> BoxedCall:
    return _call(f"{scenarios_in_box.__name__}:{function}", table.parent, (table.name,), {}, beside)


def _about_scenario(
    function: str, scenario: Scenario, folder: Path, beside: str = "", further: tuple[str, ...] = ()
) -> BoxedCall:
    """Return the call of a function of `scenarios_in_box`; ``further``: other files of the folder that it reads."""
    files, given = (scenario.data.file, *further), {"scenario": scenario.to_json_value()}
    return _call(f"{scenarios_in_box.__name__}:{function}", folder, files, given, beside)


def _call(function: str, folder: Path, files: tuple[str, ...], given: Mapping[str, Any], beside: str) -> BoxedCall:
    """Return a call about ``files``, the table first, which the box's user may read.

    The parent folders keep everybody else out. Raises `InputError`: a file is missing, or outside of the folder.
    """
    for name in files:
        file = folder / name
        if not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
            raise InputError("trial.no_source", file=name, folder=folder)
        for path in (folder, *(parent for parent in file.parents if folder in parent.parents)):
            path.chmod(0o755)
        file.chmod(0o644)
    broken = InputError("data.not_a_table", file=files[0], reason=text("data.reason.box"))
    return BoxedCall(function, folder, {**given, "table": files[0], "result": str(RESULT)}, broken, _LIMITS, beside)


def _decoded(call: BoxedCall, buffers: bytes, rows: int, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    try:
        return decode_columns(buffers, rows, types)
    except ValueError:
        raise call.broken from None
