"""Robustness in whole trials: separate stateless boxes, hostile applications, crashes, and what the freeze refuses."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import yaml

from pilotbase.documents.base import Step
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.documents.world import Arm
from pilotbase.measures import RuleContext, problems_of
from pilotbase.measures.perturbations import PERTURBATIONS
from pilotbase.sandbox.box.ends import BoxEnd
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial import perturbed_arms
from pilotbase.trial.delivering import Cut
from pilotbase.trial.performance import Load
from pilotbase.trial.perturbed_arms import ArmSession, answer_arms, committed_digest
from pilotbase.trial.probing import ProbeSubject
from pilotbase.trial.running import BoxRun, BoxTerms, EndedRun, Hooks
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.scoring import perturbations_of
from pilotbase.trial.sealed import read_public_sample
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import BAD, GOOD
from tests.trial.test_proving import PROVE

DOCS = Path(__file__).parents[2] / "docs" / "write-a-scenario.md"
NOISE = "drop(accuracy under noise(0.1)) <= 0.2"
SEES_NOISE = "def noisy(batch):\n    return any(abs(p * 1000 - round(p * 1000)) > 1e-6 for p in batch['pressure'])\n"


def asking(*rules):
    """Return the change of a scenario that adds criteria."""
    added = "".join(f'  - {{rule: "{rule}"}}\n' for rule in rules)
    return lambda content: content.replace("trial:\n", f"{added}trial:\n")


def test_a_robust_application_is_accepted_and_the_report_shows_both_scores(
    base, write_scenario, write_application, tmp_path
):
    missing = "drop(recall(broken) under missing(0.1, columns=age)) <= 0.05"
    scenario = write_scenario(change=asking(NOISE, missing))
    proven = prove(base, scenario, write_application(), tmp_path / "out")
    report = proven.report
    assert report.verdict is Verdict.ACCEPT
    drops = {result.rule: result for result in report.criteria if result.rule.startswith("drop")}
    assert {result.outcome for result in drops.values()} == {Outcome.PASS}
    noise = drops[NOISE].paired
    assert noise.under == "noise(0.1)"
    assert noise.clean - noise.perturbed == pytest.approx(drops[NOISE].estimate)
    assert 0.7 < noise.perturbed <= 1
    assert drops[missing].paired.clean == drops[missing].paired.perturbed
    assert [arm.under for arm in report.records.arms] == ["noise(0.1)", "missing(0.1, columns=age)"]
    assert len({report.records.answers, *(arm.answers for arm in report.records.arms)}) == 3
    checks = {finding.check: finding for section in report.sections for finding in section.findings}
    assert checks["robustness: noise(0.1)"].outcome is Outcome.PASS
    assert "noise(0.1)" in checks["robustness: noise(0.1)"].sentence.render("zh")
    assert "robustness" not in checks
    table = pl.read_csv(tmp_path / "out" / "cases.csv").filter(pl.col("position") >= 0)
    assert f"prediction under {report.records.arms[1].under}" in table.columns
    right = [(table[name] == table["truth"]).mean() for name in ("prediction", "prediction under noise(0.1)")]
    assert right == pytest.approx([noise.clean, noise.perturbed])
    assert replay_trial(tmp_path / "out").digest == report.decision
    page = (tmp_path / "out" / "report.html").read_text()
    for words in (
        "Worsening of accuracy under measuring noise (noise(0.1)) at most",
        "在测量噪声（noise(0.1)）下变差的幅度",
    ):
        assert words in page
    under = ("Score under measuring noise (noise(0.1))", "测量噪声（noise(0.1)）下的得分")
    for words in (*under, "Score on the cases as they are"):
        assert words in page
    view = json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())
    shown = next(result for result in view["criteria"] if result["rule"] == NOISE)["paired"]
    assert shown == {"under": "noise(0.1)", "clean": float(f"{noise.clean:.2g}"), "perturbed": shown["perturbed"]}


def test_a_lift_is_paired_with_the_baseline_whose_score_the_supplier_does_not_see(
    base, write_scenario, write_application, tmp_path
):
    scenario = write_scenario(change=asking("lift(accuracy) >= 0.02", "lift(recall(broken)) >= -0.01"))
    report = prove(base, scenario, write_application(), tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT
    lift = report.criteria[3]
    assert lift.paired.ours - lift.paired.baseline == pytest.approx(lift.estimate)
    assert lift.baseline is None
    view = json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())
    assert "baseline" not in view["criteria"][3]["paired"]
    assert "Improvement of accuracy over the baseline at least" in (tmp_path / "out" / "report.html").read_text()


BY_PRESSURE = "    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]\n"
RANDOM_UNDER_NOISE = (
    f"import random\n{SEES_NOISE}def predict(batch):\n    if noisy(batch):\n"
    f"        return [random.choice(['broken', 'fine']) for _ in range(batch.rows)]\n{BY_PRESSURE}"
)
SILENT_WITHOUT_NOISE = (
    f"{SEES_NOISE}def predict(batch):\n    if not noisy(batch):\n        return [None] * batch.rows\n"
    "    return ['fine'] * batch.rows\n"
)
ENDS_UNDER_NOISE = f"{SEES_NOISE}def predict(batch):\n    if noisy(batch):\n        raise SystemExit(3)\n{BY_PRESSURE}"


def whole(content):
    """Score every case, so that every criterion is decided."""
    return asking(NOISE)(content).replace("trial:\n", "trial:\n  stop: full\n")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(RANDOM_UNDER_NOISE, id="random under noise"),
        pytest.param(SILENT_WITHOUT_NOISE, id="silent without noise", marks=pytest.mark.prove),
        pytest.param(ENDS_UNDER_NOISE, id="ends under noise", marks=pytest.mark.prove),
    ],
)
def test_who_tells_the_arms_apart_gains_nothing(base, write_scenario, write_application, program):
    """Silence in the clean arm counts as right there, an arm that breaks off is wrong in all that it left out."""
    report = prove(base, write_scenario(change=whole), write_application(program)).report
    assert report.verdict is Verdict.REJECT
    judged = report.criteria[-1]
    assert judged.rule == NOISE
    assert judged.outcome is Outcome.FAIL
    assert report.isolation.end is EndReason.FINISHED
    if program is SILENT_WITHOUT_NOISE:
        assert judged.paired.clean == 1.0
        assert report.criteria[1].estimate == 0.0
    if program is ENDS_UNDER_NOISE:
        assert judged.paired.perturbed == 0.0
        sentences = [finding.sentence for section in report.sections for finding in section.findings]
        assert any(sentence.code == "trial.finding.arm_ended" for sentence in sentences)


def test_a_constant_answer_drops_by_nothing_and_fails_by_the_floor(base, write_scenario, write_application):
    report = prove(base, write_scenario(change=whole), write_application(BAD)).report
    assert report.verdict is Verdict.REJECT
    assert report.criteria[-1].estimate == 0.0
    assert report.criteria[-1].outcome is Outcome.PASS
    assert {result.outcome for result in report.criteria[:2]} == {Outcome.FAIL}


REMEMBERS = """
import glob, os, pathlib
PLACES = ["/tmp", "/var/tmp", "/dev/shm", ".", os.path.expanduser("~"), os.path.dirname(os.path.abspath(__file__))]
SEEN = any(glob.glob(os.path.join(place, "*.seen")) for place in PLACES)
for place in PLACES:
    try:
        pathlib.Path(place, "clean.seen").write_text("1")
    except OSError:
        pass
STATE = {}

def predict(batch):
    if SEEN or STATE.get("rows", 0) >= 300:
        return [None] * batch.rows
    STATE["rows"] = STATE.get("rows", 0) + batch.rows
    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]
"""
"""Silent as soon as it knows of another arm: by a file, or by having answered three hundred cases before."""


def test_no_arm_knows_of_another(base, write_scenario, write_application):
    changed = asking(NOISE, "drop(accuracy under missing(0.3, columns=age)) <= 0.01")
    scenario, application = write_scenario(cases=150, change=changed), write_application(REMEMBERS)
    document, folder = load_scenario(scenario, Step.DRAFT)
    assert seal_scenario(base.lab, document, folder).record.public_cases < 300 < 3 * 150
    report = prove(base, scenario, application).report
    assert report.verdict is Verdict.ACCEPT
    assert report.counts["abstained"] == 0
    assert report.criteria[-1].paired.perturbed == report.criteria[-1].paired.clean


@pytest.mark.prove
def test_kill_at_any_moment_and_rerun_asks_no_arm_again(base, home, write_scenario, write_application, tmp_path):
    slow = "import time\ndef predict(batch):\n    time.sleep(0.05)\n" + GOOD.split("\n", 1)[1]
    scenario, application = write_scenario(change=asking(NOISE)), write_application(slow)
    rehearse_in(base, scenario, application)
    plan = freeze_in(base, scenario, application)
    command = [sys.executable, "-c", PROVE, str(scenario), str(application), str(tmp_path / "out")]
    folder = home / "runs" / plan.digest().removeprefix("sha256:") / "attempt-1"
    kept = b""
    for moment in ("40", "160"):
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
        assert f"trial.progress.answer:{moment}" in (line.strip() for line in process.stdout), moment
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        logs = {path: path.read_bytes() for path in sorted(folder.glob("**/answers"))}
        assert len(logs) >= 2
        now = b"".join(logs.values())
        assert len(now) > len(kept)
        kept = now
    report = prove(base, scenario, application, tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT
    assert report.attempt.number == 1
    for path, before in logs.items():
        assert path.read_bytes().startswith(before), "what was answered before the kill stays as it was"
    arm = next(folder.glob("arm-*"))  # under noise, or asked again
    assert (arm / "ended").exists()


def test_answers_of_an_arm_that_were_altered_are_found(base, home, write_scenario, write_application):
    scenario, application = write_scenario(change=asking(NOISE)), write_application()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pilotbase.trial.phases.judging.reveal_order", None)
        plan = _frozen(base, scenario, application)
        from pilotbase.trial.scorer import score_trial

        with pytest.raises(TypeError):
            score_trial(base.lab, plan, lambda _: None)
    folder = home / "runs" / plan.digest().removeprefix("sha256:") / "attempt-1"
    arm = next(folder.glob("arm-*"))  # under noise, or asked again
    (arm / "ended").unlink()
    with pytest.raises(InvalidProofError, match="ended") as caught:
        prove(base, scenario, application)
    assert caught.value.code == "trial.run_altered"


def _frozen(base, scenario, application):
    rehearse_in(base, scenario, application)
    return freeze_in(base, scenario, application)


def test_an_altered_answer_under_a_perturbation_does_not_replay(base, write_scenario, write_application, tmp_path):
    prove(base, write_scenario(change=asking(NOISE)), write_application(), tmp_path / "out")
    file, column = tmp_path / "out" / "records.parquet", "prediction under noise(0.1)"
    metadata, table = {"pilotbase": pl.read_parquet_metadata(file)["pilotbase"]}, pl.read_parquet(file)
    other = "fine" if table[column][0] == "broken" else "broken"
    table.with_columns(pl.Series(column, [other, *table[column][1:].to_list()])).write_parquet(file, metadata=metadata)
    with pytest.raises(InvalidProofError):
        replay_trial(tmp_path / "out")


@pytest.fixture
def sitting(base, write_scenario, tmp_path, monkeypatch):
    """Return a function that runs both arms with a stand-in for the box, under given secrets; and what was asked."""
    scenario, folder = load_scenario(write_scenario(change=asking(NOISE)), Step.DRAFT)
    sealed = seal_scenario(base.lab, scenario, folder)
    frame = read_public_sample(base.lab, sealed).head(60)
    events = []

    def run_on_hidden(lab, candidate, terms, asked, log, hooks):
        hooks.before_first()
        events.append(asked.features["pressure"])
        run.orders.append(asked.order.tolist())
        log.append(np.zeros(60, dtype=np.int32), 0.1)
        hooks.on_batch(60)
        end = BoxEnd()
        isolation = {"level": "L2", "start": "", "memory_watch": "", "limits": {}, "end": end.reason}
        return BoxRun(end, EndedRun.model_fields["isolation"].annotation(**isolation),
                   Load(batch_seconds=log.seconds(), cases=60, batch_rows=60, load_seconds=0), "")  # fmt: skip

    monkeypatch.setattr(perturbed_arms, "run_on_hidden", run_on_hidden)

    def run(secret: bytes):
        events.clear()
        trial = scenario.trial
        terms = BoxTerms(sealed.contract, trial.limits, trial.isolation, 60, LogPolicy.WITHHELD)
        folder, hooks = tmp_path / secret.hex(), Hooks(lambda: events.append("spent"), events.append)
        subject = ProbeSubject(
            lab=base.lab,
            sealed=sealed,
            candidate=SimpleNamespace(endpoint=None),
            terms=terms,
            asked=trial.model_copy(update={"asked_again": 0}),
            sample=lambda: frame,
            on_progress=lambda _: None,
            secret=lambda label, arm: hashlib.sha256(secret + label.encode() + arm.encode()).digest(),
            folder=folder,
        )
        session = ArmSession(Cut(60), folder, b"plan", hooks)
        with answer_arms(subject, frame, perturbations_of(scenario.criteria), session) as arms:
            return arms, list(events)

    run.clean = frame["pressure"].to_numpy()
    run.orders = []
    return run


def test_the_order_of_arms_and_the_draw_are_secrets_and_alpha_is_spent_before_the_first_batch_of_any(sitting):
    first_is_clean, draws = set(), []
    for number in range(1, 9):
        arms, events = sitting(bytes([number]))
        assert events[0] == "spent"
        assert [event for event in events if isinstance(event, int)] == [60, 120]
        asked = [event for event in events if isinstance(event, np.ndarray)]
        clean = [np.array_equal(pressure, sitting.clean) for pressure in asked]
        assert sorted(clean) == [False, True]
        first_is_clean.add(clean[0])
        draws.append(asked[clean.index(False)])
        assert committed_digest(arms) not in {arm.digest for arm in arms}
        assert committed_digest(arms[:1]) == arms[0].digest
    assert first_is_clean == {True, False}
    assert len({draw.tobytes() for draw in draws}) == len(draws)
    assert len(set(map(tuple, sitting.orders))) == 16, "each arm of each attempt is delivered in an order of its own"


def test_a_rehearsal_runs_the_arms_too_and_shows_what_was_printed_there(
    base, write_scenario, write_application, tmp_path
):
    program = GOOD.replace("return", "print(max(batch['pressure']))\n    return")
    scenario, application = write_scenario(change=asking(NOISE)), write_application(program)
    report = rehearse_in(base, scenario, application, tmp_path / "out").report
    log = tmp_path / "out" / "rehearsal" / "application.log"
    before, after = log.read_text().split("--- noise(0.1) ---")
    assert before.split()[0] != after.split()[0]
    table = pl.read_csv(tmp_path / "out" / "rehearsal" / "cases.csv")
    assert table["prediction under noise(0.1)"].null_count() == 0
    assert (table["prediction under noise(0.1)"] != table["prediction"]).sum() > 0
    assert report.criteria[3].paired.perturbed is not None
    rehearse_in(base, scenario, application, tmp_path / "again")
    assert (tmp_path / "again" / "rehearsal" / "application.log").read_text() == log.read_text()


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (asking("drop(specificity under noise(0.1)) <= 0.1"), "trial.drop_without_floor", "specificity >="),
        (asking("drop(recall(fine) under noise(0.1)) <= 0.1"), "trial.drop_without_floor", "recall(fine) >="),
        (
            asking("recall(fine) >= 0", "drop(recall(fine) under noise(0.1)) <= 0.1"),
            "trial.drop_without_floor",
            "recall(fine) >=",
        ),
        (
            asking('drop(accuracy under stale(2)) <= 0.1", estimand: population, why: "x'),
            "trial.drop_across_cases",
            "stale(2)",
        ),
        (asking('drop(accuracy under noise(1)) <= 0.02", estimand: population, why: "x'), "trial.too_few_cases", "100"),
    ],
)  # fmt: skip
def test_what_a_drop_lacks_is_refused_at_the_freeze(base, write_scenario, write_application, change, code, said):
    with pytest.raises(InputError) as caught:
        freeze_in(base, write_scenario(change=change), write_application())
    (issue,) = caught.value.issues
    assert issue.problem.code == code
    assert said in issue.problem.render("en")
    assert said in issue.problem.render("zh")


def test_a_constant_that_drops_by_nothing_and_meets_the_rest_is_refused(base, write_scenario, write_application):
    def change(content):
        return asking("drop(recall under noise(0.1)) <= 0.1")(content).replace("  - {rule: accuracy >= 0.7}\n", "")

    with pytest.raises(RefusedError) as caught:
        freeze_in(base, write_scenario(change=change), write_application())
    assert caught.value.code == "trial.blind_passes"
    assert "answering “broken” to every case meets every criterion" in str(caught.value)


@pytest.mark.prove
def test_the_number_of_cases_that_a_drop_needs_suffices(base, write_scenario, write_application):
    rule = 'drop(accuracy under noise(0.1)) <= 0.1", estimand: population, why: "x'
    with pytest.raises(InputError) as caught:
        freeze_in(base, write_scenario(cases=20, change=asking(rule)), write_application())
    needed = int(caught.value.issues[0].problem.params["needed"])
    assert 20 < needed <= 400
    enough = write_scenario(cases=needed, change=asking(rule), name="enough")
    assert freeze_in(base, enough, write_application(name="other")).cases == needed


def test_the_criteria_in_the_documentation_can_be_used():
    section = DOCS.read_text().split("## 3.")[1].split("## 4.")[0]
    criteria = yaml.safe_load(section.split("```yaml")[1].split("```")[0])["criteria"]
    fields = tuple(Field(name=name, data_type=DataType.FLOAT) for name in ("torque", "speed"))
    setting = RuleContext("label", ("failure", "fine"), "failure", has_baseline=True, features=fields)
    rules = [parse_rule(item["rule"]) for item in criteria]
    assert {rule.wrapper for rule in rules} == {None, "drop", "lift"}
    assert [problems_of(rule, setting) for rule in rules] == [()] * len(rules)
    named = set(re.findall(r"`([a-z_]+)\(", section)) - {"drop", "lift"}
    of_tables = PERTURBATIONS.keys() - set(Arm)
    assert named >= of_tables
    for name in of_tables:
        call = re.search(rf"`{name}\((.*?)\)`", section)[1].split(", ")
        assert call[0] == PERTURBATIONS[name].parameters[0].name
