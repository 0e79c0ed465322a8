"""Replay: the verdict again from the records alone, on another machine, and every way in which they can be altered."""

import base64
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.records import read_records, shown_cases, store_records, write_records
from pilotbase.trial.replaying import replay_decision
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealed import read_public_sample
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.folder import read_plan, read_report
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario

BREAKS = """PUBLIC = {public}
SEEN = 0
def predict(batch):
    global SEEN
    SEEN += batch.rows
    if SEEN > 60 and not set(batch['pressure']) <= PUBLIC:
        raise SystemExit(3)
    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]
"""
SILENT = "def predict(batch):\n    return [None] * batch.rows\n"


@pytest.fixture
def elsewhere(base, write_scenario, write_application, tmp_path, monkeypatch):
    """Run a trial and return its folder on a machine where there is no base."""

    def run(program=GOOD, change=lambda content: content):
        out, scenario = tmp_path / "out", write_scenario(cases=200, change=change)
        document, folder = load_scenario(scenario, Step.DRAFT)
        public = read_public_sample(base.lab, seal_scenario(base.lab, document, folder))["pressure"].to_list()
        proven = prove(base, scenario, write_application(program.replace("{public}", repr(set(public)))), out)
        there = tmp_path / "there"
        shutil.copytree(out, there)
        monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "nowhere"))
        return proven.report, there

    return run


@pytest.fixture(scope="module")
def two_trials(tmp_path_factory):
    """Two trials on one hidden set, accepted and rejected, and a rehearsal."""
    place = tmp_path_factory.mktemp("trials")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "home"))
        base = open_base(create=True, name="test-base")
        change = lambda content: content.replace("0.7}", "0.7, estimand: population}")  # noqa: E731
        scenario = writing_scenario(place)(cases=200, change=change)
        for name, program in (("good", GOOD), ("bad", BAD)):
            prove(base, scenario, writing_application(place)(program, name), place / "out" / name)
        base.lab.close()
    return place / "out"


def test_a_report_from_before_all_answers_decided_replays_as_it_was_made():
    """Made by the version before decision 0068: claims about the hidden cases could be accepted by the first ones."""
    found = replay_trial(Path(__file__).parent / "older")
    assert (found.verdict, found.scored, found.cases) == (Verdict.ACCEPT, 30, 200)
    assert [one.guarantee for one in found.criteria] == ["exact_anytime", "exact_anytime", "measured_run"]
    assert found.certified and found.absent == ("cases.csv",)


@pytest.fixture
def good(two_trials, tmp_path):
    return shutil.copytree(two_trials / "good", tmp_path / "good")


@pytest.fixture
def bad(two_trials, tmp_path):
    return shutil.copytree(two_trials / "bad", tmp_path / "bad")


def change_report(folder, **parts):
    report = json.loads((folder / "report.json").read_text())
    report.update(parts)
    (folder / "report.json").write_text(json.dumps(report))


def rewrite_records(folder, change, metadata=lambda entry: entry):
    """Write ``records.parquet`` anew with its table and its metadata changed."""
    file = folder / "records.parquet"
    entry = json.loads(pl.read_parquet_metadata(file)["pilotbase"])
    table = change(pl.read_parquet(file))
    table.write_parquet(file, metadata={"pilotbase": json.dumps(metadata(entry))})


def test_verdict_and_scores_deleted_come_back_with_the_same_digest(good, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "nowhere"))
    folder = good
    report = read_report(folder)
    kept = replay_trial(folder)
    assert kept.absent == ()
    bare = json.loads((folder / "report.json").read_text())
    for name in ("verdict", "reasons", "criteria", "sections", "groups", "decision", "performance", "counts"):
        del bare[name]
    del bare["attempt"]["scored"]
    (folder / "report.json").write_text(json.dumps(bare))
    for name in ("cases.csv", "certificate.json"):
        (folder / name).unlink()
    found = replay_trial(folder / "report.json")
    assert found.digest == kept.digest == report.decision
    assert (found.verdict, found.scored) == (report.verdict, report.attempt.scored)
    assert [item.lower for item in found.criteria] == [result.lower for result in report.criteria]
    assert not (tmp_path / "nowhere").exists()


MORE = (
    "accuracy >= 0.7}\n  - {rule: gap(recall(broken) by site) <= 0.5}\n  - {rule: worst(accuracy by site) >= 0.5}\n"
    "  - {rule: win_rate >= 0.5}\n  - {rule: f1(broken) >= 0.6}"
)
ARMS = "accuracy >= 0.7}\n  - {rule: drop(accuracy under noise(0.05)) <= 0.3}"
RUN = "accuracy >= 0.7}\n  - {rule: latency.p95 <= 5 s}\n  - {rule: throughput >= 1 cases/s}"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("program", "old", "new", "verdict"),
    [
        (BREAKS, "", "", "reject"),
        pytest.param(SILENT, "", "", "reject", marks=pytest.mark.prove),
        (GOOD, "accuracy >= 0.7}", MORE, "accept"),
        (GOOD, "accuracy >= 0.7}", "accuracy >= 0.7, unit: case_id}", "accept"),
        (GOOD, "attempts: 6", "attempts: 6\n  stop: fixed\n  cases: 90", "accept"),
        pytest.param(GOOD, "attempts: 6", "attempts: 6\n  stop: full", "accept", marks=pytest.mark.prove),
        pytest.param(GOOD, "accuracy >= 0.7}", RUN, "accept", marks=pytest.mark.prove),
        (GOOD, "accuracy >= 0.7}", ARMS, "accept"),
    ],
    ids=["broken off", "silent", "groups and baseline", "units", "fixed", "full", "resources", "perturbed"],
)
def test_whatever_was_decided_is_decided_again(elsewhere, program, old, new, verdict):
    def change(content):
        content = content.replace(old, new) if old else content
        return content.replace("  cases_per_attempt: 200\n", "") if "unit: case_id" in content else content

    report, folder = elsewhere(program, change)
    assert report.verdict == verdict
    assert sum(group.cases for group in report.groups if group.measure == "accuracy") in (0, 200)
    found = replay_trial(folder)
    assert (found.digest, found.verdict, found.absent) == (report.decision, report.verdict, ())


def test_figures_describe_all_cases_also_after_an_early_stop_and_of_older_records_the_scored_ones(good):
    folder, report = good, read_report(good)
    assert 0 < report.attempt.rests.cases < report.attempt.scored == np.sum(report.figures[0].counts) == 200
    assert 0 < report.attempt.rests.of_label < report.attempt.rests.cases
    shown = pl.read_csv(folder / "cases.csv")
    assert shown.columns == ["case", "truth", "prediction", "position"]
    assert (shown["position"] >= 0).all() and shown["truth"].null_count() == 0
    assert (folder / "records.parquet").stat().st_mode & 0o777 == 0o600
    assert not (folder / "supplier" / "records.parquet").exists()
    plan = read_plan(folder / "plan.json")
    data = (folder / "records.parquet").read_bytes()
    new = read_records(data, plan.contract.prediction, plan.batch_rows, "records.parquet")
    decided = report.attempt.rests.cases
    position = np.where(new.records.position < decided, new.records.position, -1)
    facts = new.facts.model_copy(update={"unscored": "exact", "described": None})
    old = store_records(replace(new.records, position=position), facts, new.salt)
    found = replay_decision(plan, old, old.root)
    (result,) = (one for one in found.judged.criteria if one.rule == "accuracy >= 0.7")
    assert (found.verdict, found.decision.scored, result.scored) == (report.verdict, decided, decided)
    assert np.sum(found.judged.figures[0].counts) == decided and found.digest != report.decision
    assert shown_cases(write_records(old))["truth"].null_count() == 200 - decided


@pytest.mark.parametrize("column", ["truth", "prediction"])
def test_one_altered_record_fails_and_its_batch_is_named(good, column):
    folder = good

    def flip(table):
        flipped = pl.when(pl.col("case") == table["case"][47]).then(
            pl.when(pl.col(column) == "fine").then(pl.lit("broken")).otherwise(pl.lit("fine"))
        ).otherwise(pl.col(column)).alias(column)  # fmt: skip
        return table.with_columns(flipped)

    rewrite_records(folder, flip)
    with pytest.raises(InvalidProofError) as caught:
        replay_trial(folder)
    assert caught.value.code == "trial.replay_batch_altered"
    assert caught.value.text.params["batch"] == 3, "cases 40 to 59"
    result = CliRunner().invoke(app, ["trial", "replay", str(folder)])
    assert result.exit_code == 3


def test_leaves_made_to_fit_altered_records_do_not_fit_the_root(bad):
    from pilotbase.trial.records import leaf_hashes

    folder = bad
    rewrite_records(folder, lambda table: table.with_columns(prediction=pl.col("truth")))
    plan = read_plan(folder / "plan.json")
    stored = read_records((folder / "records.parquet").read_bytes(), plan.contract.prediction, plan.batch_rows, "")
    fitting = [leaf.hex() for leaf in leaf_hashes(stored.records, stored.salt)]
    rewrite_records(folder, lambda table: table, lambda entry: {**entry, "leaves": fitting})
    with pytest.raises(InvalidProofError) as caught:
        replay_trial(folder)
    assert caught.value.code == "trial.replay_other_root"


def test_records_dropped_added_or_moved_fail(good):
    folder = good
    kept = (folder / "records.parquet").read_bytes()
    for change in (
        lambda table: table.head(table.height - 1),
        lambda table: pl.concat([table, table.tail(1)]),
        lambda table: table.reverse(),
        lambda table: table.with_columns(position=pl.col("position").reverse()),
    ):
        (folder / "records.parquet").write_bytes(kept)
        rewrite_records(folder, change)
        with pytest.raises(InvalidProofError):
            replay_trial(folder)


def test_positions_that_the_order_does_not_give_fail_though_their_lab_has_committed_to_them(good):
    plan = read_plan(good / "plan.json")
    written = (good / "records.parquet").read_bytes()
    stored = read_records(written, plan.contract.prediction, plan.batch_rows, "")
    replay_decision(plan, stored, stored.root)
    first, second = np.flatnonzero(stored.records.position >= 0)[:2]
    moved = stored.records.position.copy()
    moved[[first, second]] = moved[[second, first]]
    altered = store_records(replace(stored.records, position=moved), stored.facts, stored.salt)
    with pytest.raises(InvalidProofError) as caught:
        replay_decision(plan, altered, altered.root)
    assert caught.value.code == "trial.replay_position"
    told = caught.value.text.params
    assert (told["case"], told["count"]) == (stored.records.cases[first], 2)
    assert (told["found"], told["expected"]) == (moved[first], moved[second])


@pytest.mark.parametrize(
    ("fact", "value"), [("attempt", 2), ("alpha_of_all", 0.5), ("end", "finished "), ("order_secret", "00" * 32)]
)
def test_facts_beside_the_cases_are_committed_to(good, fact, value):
    folder = good

    def change(entry):
        facts = json.loads(entry["facts"])
        facts[fact] = value
        return {**entry, "facts": json.dumps(facts, separators=(",", ":"), sort_keys=True)}

    rewrite_records(folder, lambda table: table, change)
    with pytest.raises((InvalidProofError, InputError)):
        replay_trial(folder)


def test_an_altered_verdict_or_score_is_said(good, bad):
    folder = bad
    report = read_report(folder)
    assert report.verdict == "reject"
    criteria = json.loads((folder / "report.json").read_text())["criteria"]
    criteria[0]["estimate"] = 0.99
    change_report(folder, verdict="accept", criteria=criteria)
    result = CliRunner(env={"PILOTBASE_LANGUAGE": "en"}).invoke(app, ["trial", "replay", str(folder)])
    assert result.exit_code == 3
    assert "verdict says “accept”, the records say “reject”" in result.stderr
    assert "criteria[0].estimate says “0.99”" in result.stderr and "certificate.claim" not in result.stderr
    result = CliRunner(env={"PILOTBASE_LANGUAGE": "zh"}).invoke(app, ["trial", "replay", str(folder)])
    assert "verdict 写为“通过”，按记录应为“不通过”" in result.stderr
    criteria = [*json.loads((bad.parent / "good" / "report.json").read_text())["criteria"]]
    change_report(folder, verdict="reject", criteria=[*report.to_json_value()["criteria"], criteria[0]])
    with pytest.raises(InvalidProofError, match=r"criteria\[3\].rule"):
        replay_trial(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0.01), ("estimand", "hidden_set"), ("unit", "patient"), ("needed", 7), ("confidence", 0.999),
        ("claim", {"code": "evidence.claim.census", "params": {}}), ("baseline", 0.1), ("path", []), ("extra", "more"),
    ],
)  # fmt: skip
def test_what_a_figure_is_about_is_compared_too(good, field, value):
    report = json.loads((good / "report.json").read_text())
    report["criteria"][0][field] = value
    (good / "report.json").write_text(json.dumps(report))
    with pytest.raises(InvalidProofError, match=rf"criteria\[0\].{field} says"):
        replay_trial(good)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("application", "digest"), "sha256:" + "0" * 64, "application"),
        (("application", "version"), "9.9.9", "application"),
        (("scenario", "hidden_cases"), 10**6, "scenario"),
        (("contract", "prediction", "kind"), "value", "contract"),
        (("design", "stop"), "full", "design.stop"),
        (("reasons", 0, "params", "count"), 99, r"reasons\[0\]"),
        (("sections", 1, "outcome"), "inconclusive", "sections.function.outcome"),
        (("sections", 1, "findings", 0, "outcome"), "fail", "sections.function.findings.recall"),
        (("counts", "abstained"), 1, "counts.abstained"),
        (("attempt", "reserved"), 10**6, "attempt.reserved"),
        (("isolation", "end"), "cpu_limit", "isolation.end"),
        (("isolation", "limits", "memory_bytes"), 1, "isolation.limits"),
        (("performance", "cases_per_second"), 1e9, "performance.cases_per_second"),
    ],
)
def test_whatever_plan_and_records_decide_is_compared(good, path, value, named):
    report = json.loads((good / "report.json").read_text())
    part = report
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    (good / "report.json").write_text(json.dumps(report))
    with pytest.raises(InvalidProofError, match=f"{named}.* says"):
        replay_trial(good)


def test_what_records_do_not_decide_is_named_and_the_signature_said_not_to_cover_it(good):
    kept = replay_trial(good)
    assert kept.certified
    assert "data_nature" in kept.undecided
    assert not {name.partition(".")[0] for name in kept.undecided} & {"criteria[0]", "verdict", "application"}
    change_report(good, data_nature="measured" if read_report(good).data_nature == "simulated" else "simulated")
    changed = replay_trial(good)
    assert (changed.digest, changed.certified) == (kept.digest, False)
    shown = CliRunner(env={"PILOTBASE_LANGUAGE": "en"}).invoke(app, ["trial", "replay", str(good)])
    assert "not the report named in certificate.json" in shown.stdout
    (good / "certificate.json").unlink()
    assert replay_trial(good).certified is None


def test_a_certificate_that_claims_more_than_the_records_is_named(good):
    envelope = json.loads((good / "certificate.json").read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"]["guarantee"] = "exact_census"
    statement["predicate"]["claim"] = {"code": "verdict.accept", "params": {}}
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    (good / "certificate.json").write_text(json.dumps(envelope))
    with pytest.raises(InvalidProofError, match=r"(?s)certificate.guarantee says.*certificate.claim says"):
        replay_trial(good)


def test_another_plan_or_another_trials_records_do_not_fit(good, bad):
    folder = good
    kept = (folder / "records.parquet").read_bytes()
    shutil.copyfile(bad / "records.parquet", folder / "records.parquet")
    with pytest.raises(InvalidProofError) as caught:
        replay_trial(folder)
    assert caught.value.code == "trial.replay_other_plan"
    (folder / "records.parquet").write_bytes(kept)
    plan = json.loads((folder / "plan.json").read_text())
    plan["criteria"][0]["rule"] = "recall(broken) >= 0.1"
    (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(InvalidProofError) as caught:
        replay_trial(folder)
    assert caught.value.code == "trial.replay_other_plan"


def test_an_altered_line_of_cases_csv_is_named(good):
    folder = good
    lines = (folder / "cases.csv").read_text().splitlines()
    lines[12] = lines[12].replace("fine", "broken") if "fine" in lines[12] else lines[12].replace("broken", "fine")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InvalidProofError) as caught:
        replay_trial(folder)
    assert caught.value.text.params["line"] == 13


def test_what_cannot_be_replayed_says_why(good):
    folder = good
    with pytest.raises(RefusedError, match="supplier's view"):
        replay_trial(folder / "supplier")
    with pytest.raises(InputError, match="rehearsal"):
        replay_trial(folder / "rehearsal")
    report = json.loads((folder / "report.json").read_text())
    del report["records"]
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="no root"):
        replay_trial(folder)
    for content in (b"", b"PAR1", io.BytesIO().getvalue(), b"\x00" * 100):
        change_report(folder, records={"root": "sha256:" + "0" * 64})
        (folder / "records.parquet").write_bytes(content)
        with pytest.raises(InputError):
            replay_trial(folder)
    (folder / "records.parquet").unlink()
    with pytest.raises(InputError, match="No records found"):
        replay_trial(folder)
    (folder / "report.json").write_text("[" * 100_000)
    with pytest.raises(InputError):
        replay_trial(folder)


def test_the_command_prints_the_digest_and_speaks_chinese(good):
    folder = good
    report = read_report(folder)
    result = CliRunner(env={"PILOTBASE_LANGUAGE": "zh"}).invoke(app, ["trial", "replay", str(folder)])
    assert result.exit_code == 0
    assert "复核" in result.stdout
    assert report.decision in result.stdout
    printed = json.loads(CliRunner().invoke(app, ["trial", "replay", str(folder), "--json"]).stdout)
    assert printed["digest"] == report.decision
