"""Tables too large for memory: an even sample by content, whole groups where there are many, classes of all rows."""

import random

import polars as pl
import pydantic
import pytest

from pilotbase.data.column_types import classes_of
from pilotbase.data.conform import conform
from pilotbase.data.drafting import DraftAnswers, draft_scenario
from pilotbase.data.sources import sampling
from pilotbase.data.sources.kinds import delimited
from pilotbase.data.sources.opening import open_source
from pilotbase.data.splits import split_cases
from pilotbase.documents.scenario import Scenario

ROWS = 6000


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
    source, told = tmp_path / f"{name}.{kind}", []
    frame.write_csv(source) if kind == "csv" else frame.write_parquet(source)
    answers = DraftAnswers("Pumps fail", "state", group, 9, 1, "works, desk")
    draft = draft_scenario(source, answers, on_progress=told.append)
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
    assert told[-1].done == told[-1].total == frame.height


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
