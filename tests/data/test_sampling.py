"""Tables too large for memory: an even sample by content, whole groups where there are many, classes of all rows."""

import random
from dataclasses import replace
from itertools import groupby

import polars as pl
import pydantic
import pytest

from pilotbase.data.column_types import classes_of
from pilotbase.data.conform import conform
from pilotbase.data.drafting import DraftAnswers, draft_from
from pilotbase.data.source_cases import reading_cases
from pilotbase.data.sources import sampling, source
from pilotbase.data.sources.kinds import delimited
from pilotbase.data.sources.opening import open_source
from pilotbase.data.splits import split_cases
from pilotbase.documents.hashes import digest_file
from pilotbase.documents.scenario import Scenario
from pilotbase.worker.intake.table_drafts import draft_sized, examine_source

ROWS = 6000
ANSWERS = DraftAnswers("Pumps fail", "state", None, 9, 1, "works, desk")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(sampling, "MOST_BYTES", 1 << 10)
    monkeypatch.setattr(sampling, "ROWS", 1500)


def table():
    draw = random.Random(5)
    rows = []
    for number in range(ROWS):
        load = round(draw.uniform(0, 10), 3)
        state = "broken" if (load > 7) != (draw.random() < 0.1) else "fine"
        rows.append({"meter": f"m{number % 2000}", "load": load, "state": state})
    return pl.DataFrame(rows + rows[:600])


def sampled(tmp_path, frame, name, group=None, kind="csv"):
    """Return the cases of a draft from ``frame``, the draft, and the stages of which it told progress."""
    file, told = tmp_path / f"{name}.{kind}", []
    frame.write_csv(file) if kind == "csv" else frame.write_parquet(file)
    answers = replace(ANSWERS, group_or_time=group)
    with reading_cases(file, on_progress=told.append) as read:
        draft = draft_from(read, answers)
    copy = tmp_path / f"copy-{draft.scenario.data.file}"
    copy.write_bytes(draft.cases)
    read = pl.read_csv if copy.suffix == ".csv" else pl.read_parquet
    return read(copy), draft, told


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_it_is_the_same_in_any_order_and_repeated_rows_come_together(tmp_path, kind):
    frame = table()
    cases, draft, told = sampled(tmp_path, frame, "pumps", kind=kind)
    assert 1200 < cases.height < 1800
    assert (
        cases.join(frame.group_by(frame.columns).len("all"), on=frame.columns)
        .group_by(frame.columns)
        .agg(found=pl.len(), all=pl.col("all").first())
        .filter(pl.col("found") != pl.col("all"))
        .is_empty()
    )
    again = sampled(tmp_path, frame.sample(fraction=1, shuffle=True, seed=1), "shuffled", kind=kind)[0]
    assert again.sort(frame.columns).equals(cases.sort(frame.columns))
    said = " ".join(one.render("en") for one in draft.decided)
    counts = dict(frame["state"].value_counts().rows())
    assert f"has {frame.height} rows" in said and f"broken {counts['broken']:,}" in said
    assert "抽样" in " ".join(one.render("zh") for one in draft.decided)
    assert draft.scenario.data.copied_from is not None
    drawn = [one for one in told if one.stage.code == "source.progress.sample"]
    assert drawn[-1].done == drawn[-1].total == frame.height


def test_a_large_file_tells_how_much_of_it_is_read_and_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "ROWS", 3000)
    monkeypatch.setattr(source, "_TOLD", 1 << 15)
    file, told = tmp_path / "pumps.csv", []
    frame = table().with_columns(flow=pl.col("load").cast(pl.String) + " L/min", temperature=pl.lit(20))
    frame = frame.with_columns(temperature=pl.when(pl.col("load") < 1).then(-999).otherwise(pl.col("load").round()))
    frame.write_csv(file)
    answers = replace(ANSWERS, fixes=("units:flow", "sentinels"))
    with reading_cases(file, on_progress=told.append) as read:
        examine_source(read, replace(answers, fixes=None, sample=1000))
        draft = draft_sized(read, answers)
    assert {one.column for one in draft.scenario.data.readers} == {"flow", "temperature"}
    stages = [code.removeprefix("source.progress.") for code, _ in groupby(told, lambda one: one.stage.code)]
    assert stages[:4] == ["encoding", "rows", "sample", "digest"] and not {"encoding", "rows", "sample"} & {*stages[4:]}
    assert draft == draft_sized_alone(file, answers)


def test_who_waits_is_told_mebibytes(tmp_path):
    file, told = tmp_path / "pumps.csv", []
    file.write_bytes(bytes(40 << 20))
    assert source.digest_watched(file, told.append) == digest_file(file)
    assert [(one.done, one.total) for one in told] == [(16, 40), (32, 40)]
    assert told[0].stage.render("zh") == "正在计算 pumps.csv 的摘要（MiB）"


def draft_sized_alone(file, answers):
    with reading_cases(file) as read:
        return draft_sized(read, answers)


def test_a_smaller_sample_is_part_of_the_larger(tmp_path):
    file = tmp_path / "pumps.csv"
    table().write_csv(file)
    found = open_source(str(file), tmp_path).only()
    for together in (None, "meter"):
        thinned = sampling.draw_sample(found, file, "state", together).thinned(500)
        drawn = sampling.draw_sample(found, file, "state", together, rows=500)
        assert thinned.table.frame.collect().equals(drawn.table.frame.collect()) and 300 < thinned.table.rows < 700
        assert thinned.told("pumps.csv") == drawn.told("pumps.csv")


def test_many_groups_are_drawn_whole(tmp_path):
    frame = table()
    cases = sampled(tmp_path, frame, "pumps", "meter")[0]
    assert 1000 < cases.height < 2000
    assert cases.height == frame.filter(pl.col("meter").is_in(cases["meter"].unique().to_list())).height


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y",
        'a,b\n"1,5",x\n2,"y ""z"""\n',
        "\ufeffa;b\n1;\n;y\n",
        ",a,b\n0,1,x\n1,2,y\n",
    ],
)
def test_chunks_are_the_rows_that_a_scan_reads(tmp_path, monkeypatch, content):
    monkeypatch.setattr(delimited, "_READ_AHEAD", 3)
    file = tmp_path / "cases.csv"
    file.write_text(content, "utf-8", newline="")
    found = open_source(str(file), tmp_path).only()
    assert pl.concat(found.in_chunks()).equals(found.frame.collect())


def test_a_rare_label_of_which_no_row_is_public_is_a_class_all_the_same(tmp_path):
    frame = table()
    rare = pl.DataFrame([{"meter": f"r{one}", "load": 20.0 + one / 7, "state": f"odd{one}"} for one in range(24)])
    cases, draft, _ = sampled(tmp_path, pl.concat([frame, rare]), "pumps")
    scenario, labels = draft.scenario, sorted(cases["state"].unique())
    kept = conform(cases.with_columns(pl.col(pl.Int64).cast(pl.String)), scenario)
    split = split_cases(kept, scenario)
    assert set(split.hidden["state"]) - set(split.public["state"]), "else this test shows nothing"
    assert list(scenario.data.classes) == labels == list(classes_of(split.public, scenario))
    numbers = scenario.model_dump() | {"task": "regression", "positive": None, "prediction": None}
    with pytest.raises(pydantic.ValidationError) as refused:
        Scenario.model_validate(numbers)
    told = refused.value.errors()[0]["ctx"]["error"].render("en")
    assert "data.classes: regression is not answered with one class a case; remove this line" in told
    assert "has no row with these values" in " ".join(one.render("en") for one in draft.decided)
