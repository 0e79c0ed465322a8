"""Every remark of the data doctor names a remedy that, followed, ends the remark."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from pilotbase.data.column_types import read_cells
from pilotbase.data.doctor import examine
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.fixes import Fixes
from pilotbase.data.source_cases import reading_cases
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.worker.intake.table_drafts import draft_here, examine_source

ROWS = 400
UNREACHED = {"key_overlap", "unlabelled"}
"""Cases whose keys repeat, or that lack the answer, are refused before the doctor sees them."""
Rows = list[dict]
Change = Callable[[dict], object]


@dataclass(frozen=True)
class Walk:
    """A table that a remark is made on, and its remedy: another table, other answers, or an edit of the scenario."""

    rows: Callable[[], Rows]
    fixed: Callable[[], Rows] | None = None
    answers: dict = field(default_factory=dict)
    other_answers: dict | None = None
    edit: Change | None = None
    before: Change | None = None
    """An edit that brings the fault about."""


def pumps(rows=ROWS, **columns):
    draw, made = random.Random(3), []
    for number in range(rows):
        row = {"pressure": round(draw.uniform(0, 10), 2), "heat": round(draw.gauss(60, 8), 3)}
        row["state"] = "broken" if (row["pressure"] > 5) != (draw.random() < 0.3) else "fine"
        made.append(row | {name: make(number, draw, row) for name, make in columns.items()})
    return made


def withhold(*names: str) -> Change:
    return lambda scenario: scenario["data"].update(withheld=[*scenario["data"].get("withheld", []), *names])


def split(**how) -> Change:
    return lambda scenario: scenario["data"].update(split=how)


def of(name: str, value: Callable) -> Callable[[], Rows]:
    return lambda: pumps(**{name: value})


def part(word):
    return lambda _, draw, row: word if row["state"] == "broken" and draw.random() < 0.7 else "none"


def output(number, draw, row):
    return round(row["pressure"] + draw.gauss(0, 1), 2)


def copied(shift: float = 0.0) -> Rows:
    """Two days of the same cases, the second moved by ``shift``; no column alone tells a case."""
    draw, made = random.Random(4), []
    for number in range(ROWS // 2):
        row = {"pair": f"p{number}"} | {name: float(draw.randrange(20)) for name in "abcd"}
        made.append(row | {"state": "broken" if (row["a"] > 9) != (draw.random() < 0.3) else "fine"})
    late = [row | {"a": row["a"] + shift, "day": "2026-06-01"} for row in made]
    return [row | {"day": "2026-01-01"} for row in made] + late


def noted(number, draw, row):
    words = random.Random(number % (ROWS // 2)).choices(
        ["pump", "valve", "seal", "shaft", "oil", "noise", "heat", "leak", "belt", "bolt"], k=40
    )
    return " ".join([*words, "first" if number < ROWS // 2 else "second"])


def edited() -> Rows:
    return [row | {"note": noted(at, None, row)} for at, row in enumerate(copied(1.0))]


BY_DAY = {"group_or_time": "day", "is_time": True}
GROUPED = split(method="hash", hidden=0.5, by="pair")


WALKS = {
    "alone": Walk(of("repair", part("done")), edit=withhold("repair", "pressure")),
    "ranked": Walk(of("output", output), answers={"target": "output"}, edit=withhold("pressure")),
    "giveaway_feature": Walk(
        of("repair", lambda _, __, row: row["state"] + "!"),
        before=lambda scenario: scenario["data"].update(withheld=[]),
        edit=withhold("repair"),
    ),
    "sentinel": Walk(
        of("flow", lambda number, draw, _: -999 if number % 20 == 3 else draw.randrange(90)),
        edit=lambda scenario: scenario["data"]["missing"].append("-999"),
    ),
    "unit_in_cells": Walk(
        of("flow", lambda _, draw, __: f"{draw.randrange(90)} l"),
        fixed=of("flow [l]", lambda _, draw, __: draw.randrange(90)),
    ),
    "unit_in_some": Walk(
        of("flow", lambda number, draw, _: f"{draw.randrange(90)}" + " l" * (number % 12 == 5)),
        fixed=of("flow [l]", lambda _, draw, __: draw.randrange(90)),
    ),
    "mixed_units": Walk(
        of("flow", lambda number, draw, _: f"{draw.randrange(90)} {('l', 'ml')[number % 2]}"),
        fixed=of("flow [l]", lambda _, draw, __: draw.randrange(90)),
    ),
    "spellings": Walk(
        of("site", lambda number, *_: ("north", "North", "south")[number % 3]),
        fixed=of("site", lambda number, *_: ("north", "south")[number % 2]),
    ),
    "person": Walk(of("phone", lambda _, draw, __: f"139{draw.randrange(10**8):08}"), edit=withhold("phone")),
    "sensitive": Walk(
        of("blood_pressure", lambda _, draw, __: draw.randrange(90, 180)), edit=withhold("blood_pressure")
    ),
    "secret": Walk(of("token", lambda _, draw, __: f"sk-{draw.randbytes(20).hex()}"), fixed=pumps),
    "mostly_missing": Walk(of("note", lambda number, *_: "loud" if number % 9 == 0 else ""), edit=withhold("note")),
    "rare_class": Walk(
        of("state", lambda number, _, row: "burst" if number % 50 == 0 else row["state"]),
        fixed=pumps,
    ),
    "lone_class": Walk(of("state", lambda number, _, row: "Total" if number == 9 else row["state"]), fixed=pumps),
    "wide": Walk(
        lambda: pumps(60, **{f"c{at}": lambda _, draw, __: draw.randrange(9) for at in range(70)}),
        edit=withhold(*(f"c{at}" for at in range(70))),
    ),
    "repeated": Walk(lambda: pumps() * 2, fixed=pumps),
    "groups": Walk(
        of("patient_id", lambda number, *_: f"p{number % 40}"),
        other_answers={"group_or_time": "patient_id"},
    ),
    "groups_in_time": Walk(
        lambda: pumps(day=lambda at, *_: f"2026-{1 + at // 40:02}-01", patient_id=lambda number, *_: f"p{number % 40}"),
        answers=BY_DAY,
        edit=split(method="hash", hidden=0.5, by="patient_id"),
    ),
    "broken_key": Walk(
        of("case_nr", lambda number, *_: f"c{max(number, 2)}"),
        fixed=of("case_nr", lambda number, *_: f"c{number}"),
    ),
    "drift": Walk(
        lambda: pumps(day=lambda at, *_: f"2026-{1 + at // 40:02}-01", wear=lambda at, draw, _: at + draw.random()),
        answers=BY_DAY,
        edit=split(method="hash", hidden=0.5),
    ),
    "exact_duplicates": Walk(copied, answers=BY_DAY, before=withhold("day", "pair"), edit=GROUPED),
    "near_duplicates": Walk(lambda: copied(0.01), answers=BY_DAY, before=withhold("day", "pair"), edit=GROUPED),
    "similar_cases": Walk(edited, answers=BY_DAY, edit=GROUPED),
    "group_overlap": Walk(
        of("site", lambda number, *_: f"s{number % 40}"),
        before=lambda scenario: scenario["criteria"][0].update(unit="site"),
        edit=split(method="hash", hidden=0.5, by="site"),
    ),
    "row_order": Walk(
        lambda: pumps(
            day=lambda number, *_: date(2026, 1, 1) + timedelta(days=number),
            state=lambda number, *_: "broken" if 140 <= number < 280 or number >= 340 else "fine",
        ),
        answers=BY_DAY,
        before=lambda scenario: scenario["trial"].update(delivery="in_time"),
        edit=lambda scenario: scenario["trial"].pop("delivery"),
    ),
    "sorted_rows": Walk(lambda: sorted(pumps(), key=lambda row: row["state"]), fixed=pumps),
}


def test_every_remedy_is_walked():
    known = {code.split(".")[1] for code in catalogue("doctor", "en") if code.endswith(".remedy")}
    assert set(WALKS) == known - UNREACHED


def remarks(folder, rows, answers, *edits, fix=()):
    """Draft a scenario from ``rows``, change it, and return what the doctor remarks, by name."""
    folder.mkdir()
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "cases.csv")
    usual = {"problem": "Fails", "target": "state", "group_or_time": None, "cost_of_miss": 9, "cost_of_false_alarm": 1}
    wanted = DraftAnswers(**{**usual, "contact": "works, desk", "fixes": fix, **answers})
    draft = draft_here(folder / "cases.csv", wanted)
    if draft.cases is not None:
        (folder / draft.scenario.data.file).write_bytes(draft.cases)
    content = draft.scenario.to_json_value()
    for edit in filter(None, edits):
        edit(content)
    scenario = Scenario.model_validate(content)
    found = examine(scenario, split_cases(read_cases(scenario, folder), scenario)).remarks
    return {remark.remedy.code.split(".")[1]: remark.fix for remark in found}


@pytest.mark.prove
@pytest.mark.parametrize("name", WALKS)
def test_a_remedy_that_is_followed_ends_its_remark(name, tmp_path):
    walk = WALKS[name]
    assert name in remarks(tmp_path / "before", walk.rows(), walk.answers, walk.before)
    answers = walk.answers if walk.other_answers is None else walk.other_answers
    rows = (walk.fixed or walk.rows)()
    assert name not in remarks(tmp_path / "after", rows, answers, walk.before, walk.edit)


@pytest.fixture
def quick(monkeypatch):
    """Leave out the checks between public and hidden cases, which take longest."""
    monkeypatch.setattr("pilotbase.data.doctor.examining.check_leakage", lambda *_: SimpleNamespace(checks=()))


def noticed(split_by, change=lambda frame: frame):
    """Return what the doctor remarks on 400 cases of pumps in two halves, by name."""
    rows = pumps(order_nr=lambda number, *_: f"c{number}", day=lambda number, *_: date(2026, 1, 1) + timedelta(number))
    frame = change(pl.DataFrame(rows))
    types = {pl.Float64: "sc:Float", pl.String: "sc:Text", pl.Date: "sc:Date"}
    fields = [{"name": name, "dataType": types[frame.schema[name]]} for name in frame.columns]
    content = {"name": "pumps", "title": "x", "owner": {"organisation": "works"}, "problem": "x"}
    content["data"] = {"file": "a.csv", "fields": fields, "target": "state", "split": split_by}
    scenario = Scenario.model_validate(content | {"task": "classification"})
    sides = Split(frame.filter(pl.col("day") < BEGINS), frame.filter(pl.col("day") >= BEGINS))
    return {one.remedy.code.split(".")[1]: one.fix for one in examine(scenario, sides).remarks}


def test_what_identifies_is_withheld_on_advice_and_what_is_sensitive_is_not(tmp_path):
    """The answer often depends on blood pressure: only its owner knows whether suppliers may have it."""
    rows = pumps(blood_pressure=lambda number, *_: number % 90, phone=lambda number, *_: f"139{number % 90:08}")
    found = remarks(tmp_path / "all", rows, {})
    assert found["person"].advised and not found["sensitive"].advised
    assert found["sensitive"].offered == "sensitive:blood_pressure"


BEGINS = date(2026, 7, 1)
SPLITS = ({"method": "hash"}, {"method": "time", "column": "day", "hidden_from": "2026-07-01"})


@pytest.mark.parametrize("split_by", SPLITS)
def test_rows_and_keys_that_repeat_are_told_whatever_the_split(split_by, quick):
    twice = noticed(split_by, lambda frame: pl.concat([frame, frame[10:12]]))
    assert {"repeated", "broken_key"} <= twice.keys()
    assert not {"repeated", "broken_key", "groups", "groups_in_time"} & noticed(split_by).keys()
    visits = noticed(
        split_by, lambda frame: frame.with_columns(order_nr=pl.format("c{}", pl.int_range(pl.len()) % 260))
    )
    assert ("groups" in visits) is (split_by["method"] == "hash") is not ("groups_in_time" in visits)
    if split_by["method"] == "time":
        by_half = pl.format("c{}-{}", pl.col("day") < BEGINS, pl.int_range(pl.len()) % 9)
        assert "groups_in_time" not in noticed(split_by, lambda frame: frame.with_columns(order_nr=by_half))


def test_numbers_of_which_some_have_a_unit_are_numbers_with_their_sentinels(quick):
    number = pl.int_range(pl.len())
    cells = pl.when(number % 40 == 7).then(pl.lit("-999")).otherwise(pl.format("{}.5", number % 90 + 20))
    cells = pl.when(number % 12 == 3).then(pl.format("{}℃", cells)).otherwise(cells)
    found = noticed(SPLITS[0], lambda frame: frame.with_columns(heat=cells))
    read = read_cells(pl.Series("heat", ["61.2 ℃", "61", "-999"]), Fixes(tuple(filter(None, found.values()))).readers)
    assert {"unit_in_some", "sentinel"} <= found.keys() and read.to_list() == ["61.2", "61", None]
    rooms = pl.format("{}{}", number % 90, pl.when(number % 3 == 0).then(pl.lit("A")).otherwise(pl.lit("")))
    rooms = pl.when(number % 5 == 0).then(pl.lit("hall")).otherwise(rooms)
    assert "unit_in_some" not in noticed(SPLITS[0], lambda frame: frame.with_columns(heat=rooms))
    houses = pl.format("{}{}", number % 90, pl.when(number % 9 == 0).then(pl.lit("a")).otherwise(pl.lit("")))
    assert "unit_in_some" not in noticed(SPLITS[0], lambda frame: frame.with_columns(heat=houses))


def test_a_fix_that_only_a_sample_offers_is_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr("pilotbase.worker.intake.table_drafts._LONG_BYTES", 1000)
    monkeypatch.setattr("pilotbase.worker.intake.table_drafts._SAMPLE", 100)
    rows = pumps(flow=lambda number, draw, _: "see the log" if number == 7 else f"{draw.randrange(90)} l")
    pl.DataFrame(rows).write_csv(tmp_path / "cases.csv")
    answers = DraftAnswers("Fails", "state", None, 9, 1, "works, desk")
    with reading_cases(tmp_path / "cases.csv") as source:
        offered = [one.spelled for one in examine_source(source, answers).fixes]
    assert "units:flow" in offered, "else this test shows nothing"
    draft = draft_here(tmp_path / "cases.csv", replace(answers, fixes=("units:flow",)))
    assert draft.scenario.data.readers is None
    assert "not all rows bear it out" in " ".join(one.render("en") for one in draft.decided)
    with pytest.raises(InputError, match="units:flo"):
        draft_here(tmp_path / "cases.csv", replace(answers, fixes=("units:flo",)))


GAPS = {
    "unlabelled": (300, {"fine", "broken"}, ("state",)),
    "unlabelled:state=none": (ROWS, {"fine", "broken", "none"}, None),
    "all": (300, {"fine", "broken"}, ("state",)),
}


def test_units_behind_decimal_commas_are_taken_off(tmp_path):
    draw, table = random.Random(3), tmp_path / "cases.csv"
    rows = [f"{one},{draw.randint(0, 9)} L/min;{draw.choice(['yes', 'no'])}" for one in range(120)]
    table.write_text("flow;state\n" + "\n".join(rows) + "\n", "utf-8")
    answers = DraftAnswers("Pumps fail", "state", None, 9, 1, "works, desk", fixes=("units:flow",))
    draft = draft_here(table, answers)
    field = draft.scenario.field("flow")
    assert (field.data_type, field.unit) == ("sc:Float", "L/min")
    assert rows[0].split(";")[0].replace(",", ".") in draft.cases.decode()


@pytest.mark.parametrize("fix", GAPS)
def test_rows_without_the_answer_are_left_out_or_read_as_the_owner_says(tmp_path, fix):
    table = tmp_path / "cases.csv"
    pl.DataFrame(pumps(state=lambda number, _, row: row["state"] if number % 4 else "")).write_csv(table)
    answers = DraftAnswers("Fails", "state", None, 9, 1, "works, desk")
    with pytest.raises(InputError) as refused:
        draft_here(table, answers)
    assert "state is empty in 100 rows: leave them out (--fix unlabelled)" in refused.value.render("en")
    with reading_cases(table) as source:
        offered = examine_source(source, answers).remarks[0]
    assert (offered.outcome, offered.fix.spelled) == ("fail", "unlabelled:state"), "the gravest stands first"
    draft = draft_here(table, replace(answers, fixes=(fix,)))
    rows, classes, needed = GAPS[fix]
    cases = read_cases(draft.scenario, tmp_path)
    assert (cases.height, set(cases["state"]), draft.scenario.data.cases_need) == (rows, classes, needed)
    assert "100 rows" in " ".join(one.render("en") for one in draft.decided) and table.is_file()


def test_where_only_one_class_is_written_an_empty_cell_is_the_other(tmp_path):
    table = tmp_path / "cases.csv"
    pl.DataFrame(pumps(state=lambda _, __, row: 1 if row["state"] == "broken" else None)).write_csv(table)
    answers = DraftAnswers("Fails", "state", None, 9, 1, "works, desk")
    with pytest.raises(InputError) as refused:
        draft_here(table, replace(answers, fixes=("all",)))
    told = refused.value.render("en")
    assert "say what an empty cell means" in told and "never varies: it is always 1" in told
    draft = draft_here(table, replace(answers, fixes=("unlabelled:state=0",)))
    assert set(read_cases(draft.scenario, tmp_path)["state"]) == {"0", "1"}


def test_a_class_of_few_rows_counts_as_another_where_its_owner_says_so(tmp_path):
    rows, answers = WALKS["rare_class"].rows(), {"fixes": ("classes:state/burst=broken",)}
    assert "rare_class" not in remarks(tmp_path / "merged", rows, answers)
    rows = [row | {"state": ["fine", "broken", "burst"].index(row["state"])} for row in rows]
    pl.DataFrame(rows).write_parquet(tmp_path / "codes.parquet")
    answers = DraftAnswers("Fails", "state", None, 9, 1, "works, desk", fixes=("classes:state/2=1",))
    scenario = draft_here(tmp_path / "codes.parquet", answers).scenario
    assert set(read_cases(scenario, tmp_path)["state"]) == {"0", "1"}


def test_a_table_whose_rarest_class_is_only_hidden_is_drafted_with_a_remark(tmp_path):
    def seen(at):
        return remarks(
            tmp_path / str(at), pumps(state=lambda number, _, row: "Total" if number == at else row["state"]), {}
        )

    assert all(seen(at)["lone_class"].spelled == "classes:state/Total" for at in range(8)), (
        "on either side of the split"
    )


FIXED = {
    **{"alone": "afterwards", "ranked": "afterwards", "sentinel": "sentinels", "unit_in_cells": "units"},
    "unit_in_some": "units",
    **{"mixed_units": "units", "spellings": "spellings", "person": "people", "secret": "secrets"},
    **{"lone_class": "classes", "rare_class": "classes"},
    **{"mostly_missing": "gaps", "repeated": "repeats", "groups": "groups", "broken_key": "keys"},
}


@pytest.mark.prove
@pytest.mark.parametrize("name", FIXED)
def test_a_fix_ends_its_remark_and_the_file_stays_as_it_is(name, tmp_path):
    walk = WALKS[name]
    offered = remarks(tmp_path / "before", walk.rows(), walk.answers)[name]
    assert offered.name == FIXED[name]
    left = remarks(tmp_path / "after", walk.rows(), walk.answers, fix=(offered.name,))
    assert name not in left
    same = (tmp_path / "after" / "cases.csv").read_bytes() == (tmp_path / "before" / "cases.csv").read_bytes()
    assert same or name == "secret"
