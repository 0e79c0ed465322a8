"""Logs of Inspect AI: both forms say the same, and whatever else is handed in ends in words."""

import json
import random
import zipfile

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.protocols import inspect_logs
from pilotbase.protocols.inspect_logs import read_inspect_log
from tests.protocols.inspect_logs_for_tests import ZSTANDARD, as_eval, as_json, header, sample

RUNS = [
    sample("a", 1, {"includes": "C", "grades": {"few": 0.25, "many": 1}}),
    sample("a", 2, {"includes": "I", "grades": {"few": 0.5, "many": 0}}),
    sample(7, 1, {"includes": "P", "grades": {"few": True, "many": "0.75"}}),
    sample(7, 2, {}, error={"message": "boom"}),
    sample("c", 1, {"includes": "N", "grades": {"few": float("nan"), "many": "yes"}}),
    sample("c", 2, {"includes": "C"}, limit={"type": "message", "limit": 12}),
]


def told(log):
    return {(run.sample, run.epoch): (run.end, dict(run.scores)) for run in log.runs}


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, ZSTANDARD])
def test_both_forms_of_a_log_say_the_same(packed, tmp_path):
    one, two = read_inspect_log(as_json(tmp_path, RUNS, epochs=2)), read_inspect_log(as_eval(tmp_path, RUNS, packed))
    assert told(one) == told(two) and (one.task, one.model) == ("meters", "mockllm/model")
    assert one.scorers == ("grades/few", "grades/many", "includes")
    found = told(one)
    assert found["a", 1] == ("scored", {"includes": 1.0, "grades/few": 0.25, "grades/many": 1.0})
    assert found["7", 1] == ("scored", {"includes": 0.5, "grades/few": 1.0, "grades/many": 0.75})
    assert found["7", 2] == ("error", {}) and found["c", 2][0] == "limit"
    assert found["c", 1][1] == {"includes": 0.0, "grades/few": None, "grades/many": 1.0}
    first = one.runs[0]
    assert (first.answer, first.target, first.metadata) == ("It says 4.2 bar.", "4.2 bar", {"site": "north"})


def test_a_run_that_was_to_be_made_and_is_not_there_is_told(tmp_path):
    file = as_json(tmp_path, RUNS, epochs=2)
    whole = json.loads(file.read_text())
    whole["samples"] = whole["samples"][:4]
    file.write_text(json.dumps(whole))
    assert {key: end for key, (end, _) in told(read_inspect_log(file)).items()} == {
        ("a", 1): "scored", ("a", 2): "scored", ("7", 1): "scored", ("7", 2): "error",
        ("c", 1): "missing", ("c", 2): "missing",
    }  # fmt: skip


WRONG = {
    "inspect.no_json": b'{"version": 2, ',
    "inspect.no_log": b"[1, 2]",
    "inspect.version": json.dumps({**header(RUNS), "version": 9, "samples": RUNS}).encode(),
    "inspect.unfinished": json.dumps({**header(RUNS), "samples": []}).encode(),
}
WRONG_SAMPLES = {
    "stands twice": [RUNS[0], RUNS[0]],
    "is no object": ["a run"],
    "is no name": [{**RUNS[0], "id": None}],
    "is no whole number": [{**RUNS[0], "epoch": 0}],
    "'good' is no number": [sample("a", 1, {"includes": "good"})],
    "is no number": [sample("a", 1, {"includes": [1, 2]})],
    "scores: is no object": [{**RUNS[0], "scores": [1]}],
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_no_log_is_refused_in_words(code, tmp_path):
    file = tmp_path / "log.json"
    file.write_bytes(WRONG[code])
    with pytest.raises(InputError) as refused:
        read_inspect_log(file)
    assert refused.value.text.code == code
    assert refused.value.render("en") != refused.value.render("zh")


@pytest.mark.parametrize("form", [as_json, as_eval])
def test_half_a_letter_is_refused_in_words(form, tmp_path):
    with pytest.raises(InputError) as refused:
        read_inspect_log(form(tmp_path, [sample("a", 1, {"s": 1}, output={"completion": "\ud83d"})]))
    assert refused.value.text.code == "inspect.no_json"
    whole = read_inspect_log(form(tmp_path, [sample("a", 1, {"s": 1}, output={"completion": "\U0001f600"})]))
    assert whole.runs[0].answer == "\U0001f600"


def test_names_of_metadata_that_differ_in_each_run_are_no_columns_without_end(tmp_path):
    """A table of them would grow with the square of a small log."""
    runs = [sample(str(run), 1, {"s": 1}, metadata={f"{run}-{one}": 1 for one in range(20)}) for run in range(60)]
    with pytest.raises(InputError) as refused:
        read_inspect_log(as_eval(tmp_path, runs))
    assert refused.value.text.code == "inspect.too_many"


@pytest.mark.parametrize("said", WRONG_SAMPLES)
def test_a_sample_that_is_none_is_named(said, tmp_path):
    file = tmp_path / "log.json"
    file.write_text(json.dumps({**header(RUNS), "samples": WRONG_SAMPLES[said]}))
    with pytest.raises(InputError) as refused:
        read_inspect_log(file)
    assert refused.value.text.code == "inspect.wrong" and said in refused.value.render("en")


def test_an_archive_that_unpacks_to_more_than_is_read_ends_there(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_logs, "MAXIMUM_SAMPLE", 1 << 16)
    bomb = sample("a", 1, {"includes": "C"}, messages=" " * (1 << 20))
    for packed in (zipfile.ZIP_DEFLATED, ZSTANDARD):
        with pytest.raises(InputError) as refused:
            read_inspect_log(as_eval(tmp_path, [bomb], packed))
        assert refused.value.text.code == "zip.too_large"
    monkeypatch.setattr(inspect_logs, "MAXIMUM_LOG", 1500)
    with pytest.raises(InputError) as refused:
        read_inspect_log(as_eval(tmp_path, RUNS, epochs=2))
    assert refused.value.text.code == "zip.too_large"


def test_too_many_members_runs_or_scores_are_refused(tmp_path, monkeypatch):
    file = as_eval(tmp_path, RUNS, epochs=2)
    for module, name, code in (
        (inspect_logs, "MAXIMUM_MEMBERS", "zip.members"),
        (inspect_logs, "MAXIMUM_RUNS", "inspect.too_many"),
        (inspect_logs, "MAXIMUM_SCORERS", "inspect.too_many"),
        (inspect_logs, "MAXIMUM_CELLS", "inspect.too_many"),
        (inspect_logs, "MAXIMUM_KEPT", "input.file_too_large"),
    ):
        with monkeypatch.context() as patch, pytest.raises(InputError) as refused:
            patch.setattr(module, name, 2)
            read_inspect_log(file)
        assert refused.value.text.code == code


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, ZSTANDARD])
def test_damage_anywhere_is_told_or_changes_nothing_that_is_read(packed, tmp_path):
    file = as_eval(tmp_path, RUNS, packed, epochs=2)
    whole, want = file.read_bytes(), told(read_inspect_log(file))
    draw = random.Random(3)
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        file.write_bytes(damaged[: draw.choice([len(whole), draw.randrange(len(whole))])])
        try:
            found = told(read_inspect_log(file))
        except InputError as error:
            assert error.text.code.split(".")[0] in ("zip", "inspect")
        else:
            ends = {end for end, _ in found.values()}
            assert found == want or "missing" in ends or found.items() <= want.items()


def test_without_its_library_what_is_packed_with_zstandard_says_so(tmp_path, monkeypatch):
    file = as_eval(tmp_path, RUNS, ZSTANDARD, epochs=2)
    monkeypatch.setattr(inspect_logs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError) as refused:
        read_inspect_log(file)
    assert refused.value.text.code == "zip.needs_zstandard" and "zstandard>=" in refused.value.render("en")
