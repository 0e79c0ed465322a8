"""One file is taken or refused in the same words, with the same rows and types, by whichever door it comes in."""

import gzip
import sqlite3
import zipfile
from contextlib import closing
from types import SimpleNamespace

import polars as pl
import pytest

from pilotbase.data.bridges.writing import write_dataset
from pilotbase.data.describing.describing import describing
from pilotbase.data.drafting import DraftAnswers, draft_scenario
from pilotbase.data.labelling.label_tables import read_rows
from pilotbase.data.quality.release import FileInput, measure_file
from pilotbase.data.source_cases import CaseSource, WantedCases
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import DataField, Dataset, FieldType, FileObject, RecordSet, Source
from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.plan import DecisionPlan
from pilotbase.documents.scenario import Contact
from pilotbase.trial.judge_models.judged_cases import read_judged_cases
from pilotbase.trial.probes.contamination import texts_of
from pilotbase.trial.recorded_cases import read_recorded_cases
from pilotbase.trial.scenario_folder import read_cases
from pilotbase.watch.files import read_batches
from tests.data.workbooks_for_tests import write_workbook

ROWS = 60
JUDGE = SimpleNamespace(places=("answer",))
PLAN = DecisionPlan(criteria=["accuracy >= 0.5"], prediction="label")
ANSWERS = DraftAnswers("Pumps fail", "truth", None, 2, 1, "River, ops@river.example")


def table(values, name="value"):
    """Return columns that every door asks for, and one whose ``values`` are repeated."""
    labels = ["fine" if at % 3 else "bad" for at in range(ROWS)]
    return {
        "case": [f"c{at * 7 % 100}" for at in range(ROWS)],
        "at": [f"2026-04-{1 + at % 28:02}T08:00:00Z" for at in range(ROWS)],
        "item": [f"i{at}" for at in range(ROWS)],
        "annotator": ["小王" if at % 2 else "小李" for at in range(ROWS)],
        "label": labels,
        "truth": labels,
        "prediction": [labels[at // 2] for at in range(ROWS)],
        name: [values[at % len(values)] for at in range(ROWS)],
    }


def lines(columns, separator=",", end="\n"):
    def cell(value):
        spelled = str(value)
        return f'"{spelled}"' if separator in spelled else spelled

    rows = zip(*columns.values(), strict=True)
    return "".join(separator.join(map(cell, row)) + end for row in [tuple(columns), *rows])


def dataset(path):
    fields = [
        DataField(name=name, data_type=FieldType.TEXT, source=Source(resource="f", column=name))
        for name in ("case", "truth")
    ]
    return Dataset(
        name="d",
        title="D",
        owner=Contact(organisation="o"),
        opening="open",
        distribution=(FileObject(id="f", content_url=path.name),),
        record_sets=(RecordSet(name="r", fields=tuple(fields)),),
    )


def described(path, folder):
    with describing([str(path)], folder / "dataset.yaml", ReadOptions()) as places:
        return places.describe(Answers()).dataset


DOORS = {
    "scenario new": lambda path, folder: draft_scenario(path, ANSWERS, folder),
    "intake": lambda path, folder: CaseSource(path, folder).seen(WantedCases("")),
    "watch": lambda path, folder: list(read_batches(path, "pumps", None)),
    "labels": lambda path, folder: list(read_rows(path, ("item", "annotator", "label"))),
    "judged cases": lambda path, folder: read_judged_cases(path, JUDGE),
    "recorded cases": lambda path, folder: read_recorded_cases(path, PLAN),
    "training texts": lambda path, folder: texts_of(path, "truth"),
    "records of a dataset": lambda path, folder: write_dataset(dataset(path), "tc609", path.parent),
    "data describe": described,
    "data quality": lambda path, folder: measure_file(FileInput(path, full=True)),
}


def words(door, path, folder):
    """Return in which words a door refuses a file; empty where it takes it."""
    try:
        DOORS[door](path, folder)
    except InputError as error:
        return error.render("en")
    return ""


def zipped(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cases.csv", content)


def in_sqlite(path, columns):
    with closing(sqlite3.connect(path)) as connection, connection:
        names = ", ".join(f'"{name}" TEXT' for name in columns)
        connection.execute(f"CREATE TABLE cases ({names})")
        marks = ",".join("?" * len(columns))
        connection.executemany(f"INSERT INTO cases VALUES ({marks})", zip(*columns.values(), strict=True))


def in_sheets(path, columns):
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    write_workbook(path, rows, notes=[["made", "by"], ["2026", "Li"]])


NUMBERS = table(["20.5", "3", "7.25"])
COMMAS = table(["20,5", "3", "7,25"])
TAKEN = {
    "plain.csv": lambda path: path.write_text(lines(NUMBERS), "utf-8"),
    "marked.csv": lambda path: path.write_text(lines(NUMBERS), "utf-8-sig"),
    "dos.csv": lambda path: path.write_bytes(lines(NUMBERS, end="\r\n").encode()),
    "blank-lines.csv": lambda path: path.write_text(lines(NUMBERS).replace("\n", "\n\n"), "utf-8"),
    "gbk.csv": lambda path: path.write_bytes(lines(NUMBERS).encode("gbk")),
    "gb18030.csv": lambda path: path.write_bytes(lines(NUMBERS | {"annotator": ["小𠮷"] * ROWS}).encode("gb18030")),
    "utf16.csv": lambda path: path.write_bytes(lines(NUMBERS).encode("utf-16")),
    "semicolons.csv": lambda path: path.write_text(lines(COMMAS, ";"), "utf-8"),
    "semicolons-gbk.csv": lambda path: path.write_bytes(lines(COMMAS, ";").encode("gbk")),
    "bars.csv": lambda path: path.write_text(lines(NUMBERS, "|"), "utf-8"),
    "wide.csv": lambda path: path.write_text(lines(NUMBERS, "，"), "utf-8"),
    "tabs.tsv": lambda path: path.write_text(lines(NUMBERS, "\t"), "utf-8"),
    "quoted.csv": lambda path: path.write_text(lines(NUMBERS | {"temp, C": ["1,5 x"] * ROWS}), "utf-8"),
    "sheets.xlsx": lambda path: in_sheets(path, NUMBERS),
    "packed.zip": lambda path: zipped(path, lines(NUMBERS)),
    "packed.csv.gz": lambda path: path.write_bytes(gzip.compress(lines(NUMBERS).encode())),
    "base.sqlite": lambda path: in_sqlite(path, NUMBERS),
    "columns.parquet": lambda path: pl.DataFrame(NUMBERS).write_parquet(path),
    "columns.arrow": lambda path: pl.DataFrame(NUMBERS).write_ipc(path),
}
REFUSED = {
    "ragged.csv": lambda path: path.write_text(lines(NUMBERS) + "c99,1\n", "utf-8"),
    "open-quote.csv": lambda path: path.write_text(lines(NUMBERS) + 'c99,"1,2\n', "utf-8"),
    "two-encodings.csv": lambda path: path.write_bytes(lines(NUMBERS).encode() + "c,再,见\n".encode("gbk")),
    "bytes.csv": lambda path: path.write_bytes(lines(NUMBERS).encode().replace(b"c7,", b"c\xff\xfe7,")),
    "nul.csv": lambda path: path.write_bytes(lines(NUMBERS).encode().replace(b"c7,", b"c\x007,")),
    "double.csv": lambda path: path.write_text(lines(NUMBERS).replace("value", "case", 1), "utf-8"),
    "unnamed.csv": lambda path: path.write_text(lines(NUMBERS).replace("item", "", 1), "utf-8"),
    "values-first.csv": lambda path: path.write_text("1.5,2\n" * ROWS, "utf-8"),
    "empty.csv": lambda path: path.write_bytes(b""),
    "header.csv": lambda path: path.write_text("case,at,item,annotator,label,truth,prediction\n"),
    "lies.parquet": lambda path: path.write_text(lines(NUMBERS), "utf-8"),
    "lies.xlsx": lambda path: path.write_text(lines(NUMBERS), "utf-8"),
    "lies.zip": lambda path: path.write_text(lines(NUMBERS), "utf-8"),
    "merged.xlsx": lambda path: write_workbook(path, [["case", "at"], ["a", "b"], ["c", "d"]], merged="A2:B3"),
    "unknown.pkl": lambda path: path.write_text(lines(NUMBERS), "utf-8"),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", list(TAKEN))
def test_every_door_takes_it(tmp_path, name):
    TAKEN[name](tmp_path / name)
    (scratch := tmp_path / "scratch").mkdir()
    assert {door: words(door, tmp_path / name, scratch) for door in DOORS} == dict.fromkeys(DOORS, "")


@pytest.mark.parametrize("name", REFUSED)
def test_every_door_refuses_it_in_the_same_words(tmp_path, name):
    REFUSED[name](tmp_path / name)
    (scratch := tmp_path / "scratch").mkdir()
    said = {door: words(door, tmp_path / name, scratch) for door in DOORS}
    (one,) = set(said.values())
    assert one


TYPES = {
    "whole": (["1", "20", "-3"], "Integer"),
    "measured": (["1", "2.5", "3e4"], "Float"),
    "thousands": (["1,234", "12", "3,456,789"], "Integer"),
    "thousands alone": (["1,234", "5,678"], "Integer"),
    "thousands with a fraction": (["1,234.5", "12", "3.25"], "Float"),
    "decimal commas": (["20,5", "3", "7,125"], "Float"),
    "points between thousands": (["1.234,5", "12,25"], "Float"),
    "percent": (["12%", "7 %", "13.5%"], "Float"),
    "currency": (["¥12.50", "￥7", "¥1,200"], "Float"),
    "full width": (["１２", "７", "30"], "Integer"),
    "codes": (["007", "120", "003"], "Text"),
    "missing words": (["1", "NA", "2", "--"], "Integer"),
    "one error": ([*["1.5", "2.5"] * 29, "3.5", "error"], "Float"),
    "errors": (["1.5", "2.5", "error"], "Text"),
    "iso": (["2024-01-03", "2024-02-11"], "Date"),
    "slashes": (["2024/1/3", "2024/2/11"], "Date"),
    "Chinese": (["2024年1月3日", "2024年2月11日"], "Date"),
    "days first": (["25/01/2024", "03/02/2024"], "Date"),
    "months first": (["01/25/2024", "03/02/2024"], "Date"),
    "two readings": (["03/04/2024", "05/02/2024", "01/02/2024"], "Text"),
    "named months": (["3 Jan 2024", "11 Feb 2024"], "Date"),
    "months": (["2024-01", "2024-02"], "Date"),
    "Chinese months": (["2024年1月", "2024年11月"], "Date"),
    "quarters": (["2024Q1", "2024Q3"], "Date"),
    "weeks": (["2024-W05", "2024-W11"], "Date"),
    "moments": (["2024-01-03 08:00", "2024-02-11 09:30"], "DateTime"),
    "digits": (["20240103", "20240211"], "Integer"),
    "truths": (["TRUE", "false"], "Boolean"),
    "yes and no": (["yes", "no"], "Boolean"),
    "是 and 否": (["是", "否"], "Boolean"),
    "ones and zeros": (["1", "0"], "Integer"),
    "words": (["red", "blue"], "Text"),
}


def type_of(data_type):
    return str(getattr(data_type, "value", data_type)).removeprefix("sc:")


SEPARATED = [pytest.param(kind, ",", marks=pytest.mark.prove if place % 2 else ()) for place, kind in enumerate(TYPES)]
SEPARATED += [
    pytest.param(kind, "\t", marks=pytest.mark.prove) for kind, (values, _) in TYPES.items() if "," in "".join(values)
]
"""Between tabs, a comma is not also what separates."""


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("kind", "separator"), SEPARATED)
def test_whoever_guesses_types_guesses_the_same(tmp_path, kind, separator):
    values, expected = TYPES[kind]
    if kind == "thousands alone" and separator != ",":
        expected = "Text"  # the comma may be the decimal one
    path = tmp_path / "cases.csv"
    path.write_text(lines(table(values), separator), "utf-8")
    drafted = draft_scenario(path, ANSWERS, tmp_path).scenario
    record_set = described(path, tmp_path).record_sets[0]
    (profile,) = measure_file(FileInput(path, full=True)).profiles
    guessed = {
        "scenario new": next(one for one in drafted.data.fields if one.name == "value").data_type,
        "data describe": next(one for one in record_set.fields if one.name == "value").data_type,
        "data quality": next(one for one in profile.fields if one.field == "value").data_type,
    }
    assert {door: type_of(found) for door, found in guessed.items()} == dict.fromkeys(guessed, expected)


def test_digits_are_a_date_where_the_name_says_so(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(lines(table(["20240103", "20240211"], "date")), "utf-8")
    drafted = draft_scenario(path, ANSWERS, tmp_path).scenario
    assert drafted.field("date").data_type is DataType.DATE
    fields = described(path, tmp_path).record_sets[0].fields
    assert next(one for one in fields if one.name == "date").data_type is FieldType.DATE


WRITTEN = {
    "thousands": ["1234", "12", "3456789"],
    "decimal commas": ["20.5", "3", "7.125"],
    "points between thousands": ["1234.5", "12.25"],
    "percent": ["12", "7", "13.5"],
    "currency": ["12.50", "7", "1200"],
    "full width": ["12", "7", "30"],
    "days first": ["2024-01-25", "2024-02-03"],
    "months first": ["2024-01-25", "2024-03-02"],
    "months": ["2024-01-01", "2024-02-01"],
    "quarters": ["2024-01-01", "2024-07-01"],
    "weeks": ["2024-01-29", "2024-03-11"],
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_draft_writes_what_its_trial_reads(tmp_path, kind):
    path = tmp_path / "cases.csv"
    path.write_text(lines(table(TYPES[kind][0])), "utf-8")
    draft = draft_scenario(path, ANSWERS, tmp_path)
    (tmp_path / draft.scenario.data.file).write_bytes(draft.cases)
    found = read_cases(draft.scenario, tmp_path)["value"]
    wanted = (
        pl.Series(WRITTEN[kind]).cast(found.dtype) if found.dtype != pl.Date else pl.Series(WRITTEN[kind]).str.to_date()
    )
    assert found.head(len(wanted)).to_list() == wanted.to_list()
    assert any(sentence.code == "draft.decided.respelled" for sentence in draft.decided)


def test_values_that_misfit_are_named_and_read_as_missing(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(lines(table(TYPES["one error"][0])), "utf-8")
    draft = draft_scenario(path, ANSWERS, tmp_path)
    (told,) = [sentence for sentence in draft.decided if sentence.code == "source.taken.misfits"]
    assert "60: 'error'" in told.render("en")
    (tmp_path / draft.scenario.data.file).write_bytes(draft.cases)
    assert read_cases(draft.scenario, tmp_path)["value"].null_count() == 1


def test_a_percent_is_the_unit(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(lines(table(TYPES["percent"][0])), "utf-8")
    assert draft_scenario(path, ANSWERS, tmp_path).scenario.field("value").unit == "%"
