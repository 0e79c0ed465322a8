"""Observations and labels from files: what a file says is what is taken, and every problem is named by its line."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.observation import LabelBatch
from pilotbase.watch.files import AT_ONCE, read_batches
from pilotbase.watch.observations import ingest
from pilotbase.watch.packs import PackedBatch, moment_of
from tests.watch.services_for_tests import WATCHED, observed, open_service

CONTRACT = Contract(
    features=(Field(name="x", dataType=DataType.FLOAT), Field(name="label", dataType=DataType.TEXT)),
    prediction=Prediction(kind="label", classes=("ok", "broken")),
)


def read(path, contract=CONTRACT):
    portions = list(read_batches(path, "milling", contract))
    packs = [one.pack for portion in portions for one in portion if isinstance(one, PackedBatch)]
    labels = {
        k: v for portion in portions for one in portion if isinstance(one, LabelBatch) for k, v in one.labels.items()
    }
    return packs, labels


def test_a_csv_gives_observations_typed_by_the_contract_and_labels(tmp_path):
    path = tmp_path / "day.csv"
    path.write_text(
        "case,at,answer,label,x,input:label,milliseconds,end\n"
        "c1,2026-04-01 08:00:00+02:00,ok,broken,1.50,red,7.5,answered\n"
        "c2,2026-04-01T08:00:00Z,,,high,,,human\n"
    )
    (pack,), labels = read(path)
    assert [moment_of(at) for at in pack.at] == [datetime(2026, 4, 1, hour, tzinfo=UTC) for hour in (6, 8)]
    assert dict(pack.inputs) == {"x": [1.5, "high"], "label": ["red", None]}
    assert (pack.answers, pack.ends, pack.milliseconds) == (["ok", None], ["answered", "human"], [7.5, None])
    assert labels == {"c1": "broken"}


def test_parquet_and_json_lines_keep_their_types(tmp_path):
    at = datetime(2026, 4, 1, tzinfo=UTC)
    pl.DataFrame({"case": [1, 2], "at": [at, at], "answer": [0.5, float("nan")], "y": [True, None]}).write_parquet(
        tmp_path / "day.parquet"
    )
    (pack,), labels = read(tmp_path / "day.parquet", None)
    assert (pack.ids, pack.answers, dict(pack.inputs), labels) == (["1", "2"], [0.5, None], {"y": [True, None]}, {})
    lines = [{"case": "c1", "at": "2026-04-01T00:00:00Z", "x": 1}, {"case": "c2", "at": "2026-04-01", "x": "one"}]
    (tmp_path / "day.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (pack,), _ = read(tmp_path / "day.jsonl")
    assert dict(pack.inputs) == {"x": [1, "one"]}


def test_lines_may_be_whole_batches(tmp_path, store, clock):
    batch = observed("b1", clock.now, {"c1": "ok"})
    (tmp_path / "b.jsonl").write_text(json.dumps(batch.to_json_value()))
    portions = list(read_batches(tmp_path / "b.jsonl", "milling", None))
    assert portions == [[batch]]
    assert ingest(open_service(store), portions[0]).cases == 1


def test_a_file_read_again_is_taken_once_and_large_ones_come_in_portions(tmp_path, store, clock):
    path, view = tmp_path / "labels.csv", open_service(store)
    rows = "".join(f"c{i},2026-04-01,ok,ok\n" for i in range(AT_ONCE + 5))
    path.write_text("case,at,answer,label\n" + rows)
    portions = list(read_batches(path, "milling", None))
    assert [ingest(view, portion).cases for portion in portions] == [AT_ONCE, 5]
    assert [ingest(view, portion).repeated for portion in read_batches(path, "milling", None)] == [2, 2]


def test_every_problem_is_named_by_its_line(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        "case,at,milliseconds,end,version\n"
        f"c1,2026-04-01,1,answered,{WATCHED}\n"
        "c 2,yesterday,-1,exploded,v2\n"
        "c1,2026-04-01,1,,\n"
    )
    with pytest.raises(InputError) as caught:
        list(read_batches(path, "milling", None))
    found = {(issue.line, issue.path, issue.problem.code) for issue in caught.value.issues}
    assert found == {
        (3, "case", "observation.no_case_id"),
        (4, "case", "observation.case_again"),
        (3, "at", "observation.no_time"),
        (3, "milliseconds", "observation.no_duration"),
        (3, "end", "observation.no_end"),
        (3, "version", "observation.no_version"),
    }


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", "case,x\nc1,1\n", "observation.columns_missing"),
        ("a.csv", "at,x\n2026-04-01,1\n", "observation.columns_missing"),
        ("a.jsonl", "[1]\n", "observation.no_line"),
        ("a.jsonl", "[" * 100_000, "observation.no_line"),
        ("a.jsonl", "\n\n", "data.no_rows"),
        ("a.jsonl", '{"document": "label-batch/1"}', "input.problems"),
        ("a.txt", "case", "input.problems"),
        ("a.pkl", "case", "input.problems"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        list(read_batches(path, "milling", None))
    assert caught.value.code == code
    assert caught.value.render("zh")
