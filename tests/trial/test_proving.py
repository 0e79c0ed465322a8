"""Whole trials: verdicts, attempts, what suppliers see, crashes."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import update

from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.progress import ignore_progress
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.estimating import NO_LIMIT
from pilotbase.trial.phases import opening
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.scorer import score_trial
from pilotbase.trial.sealing import seal_scenario
from pilotbase.vault.attempts import AttemptState, attempts_of, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import open_base, rotate_key
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.workspace import tables
from tests.trial.conftest import BAD, GOOD


def hidden_set(base, scenario) -> HiddenSet:
    document, folder = load_scenario(scenario, Step.DRAFT)
    return base.lab.view.load(seal_scenario(base.lab, document, folder).record.hidden_set, HiddenSet)


def test_a_good_application_is_accepted_and_its_certificate_holds(base, write_scenario, write_application, tmp_path):
    before = datetime.now(UTC)
    proven = prove(base, write_scenario(), write_application(), tmp_path / "out")
    report = proven.report
    assert report.verdict is Verdict.ACCEPT
    assert before.replace(microsecond=0) <= report.started_at < report.ended_at <= datetime.now(UTC)
    assert [result.outcome for result in report.criteria] == [Outcome.PASS] * 3
    assert report.attempt.number == 1
    assert report.attempt.answered == 100
    assert [section.verification.value for section in report.sections] == [
        "design", "function", "process", "adaptation", "production",
    ]  # fmt: skip
    assert report.isolation.level == "L2"
    assert report.isolation.end is EndReason.FINISHED
    baseline = report.criteria[0].baseline
    assert baseline is not None
    assert baseline < report.criteria[0].estimate  # both of the cases that chance had drawn first
    roots = read_trust_roots(base.trust_roots.read_bytes())
    data = (tmp_path / "out" / "certificate.json").read_bytes()
    verification = verify_certificate(data, roots, at=datetime.now(UTC))
    assert verification.certificate.report == report.digest()


def test_a_bad_application_is_rejected_with_the_criterion_it_missed(base, write_scenario, write_application):
    report = prove(base, write_scenario(), write_application(BAD)).report
    assert report.verdict is Verdict.REJECT
    assert report.criteria[0].outcome is Outcome.FAIL
    assert report.reasons[0].code == "trial.reason.missed"


def test_a_folder_with_another_applications_results_is_left_alone(base, write_scenario, write_application, tmp_path):
    scenario, application, out = write_scenario(), write_application(), tmp_path / "out"
    prove(base, scenario, application, out)
    kept = (out / "report.json").read_bytes()
    other = write_application(BAD, "other")
    for act in (rehearse_in, freeze_in, prove):
        with pytest.raises(RefusedError, match="another application"):
            act(base, scenario, other, out)
    assert (out / "report.json").read_bytes() == kept
    assert prove(base, scenario, application, out).report.to_json_value() == json.loads(kept)


def test_the_same_version_has_one_verdict_however_often_it_is_run(base, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    first, second = prove(base, scenario, application), prove(base, scenario, application)
    assert second.report == first.report
    assert second.envelope.to_bytes() == first.envelope.to_bytes()
    assert len(attempts_of(base.lab.vault, hidden_set(base, scenario))) == 1


@pytest.mark.prove
def test_every_attempt_scores_cases_that_were_never_scored(base, write_scenario, write_application):
    scenario = write_scenario(cases=100)
    seen: list[int] = []
    for number, program in enumerate((GOOD, BAD, GOOD + "# 2\n"), start=1):
        proven = prove(base, scenario, write_application(program, f"a{number}"), None)
        report = proven.report
        assert report.attempt.number == number
        assert report.attempt.alpha == pytest.approx(0.05 / (number * (number + 1)))
        table = pl.read_csv(proven.folder / "cases.csv")
        seen += table.filter(pl.col("position") >= 0)["case"].to_list()
    assert len(seen) == len(set(seen)) > 0
    logged = [one.facts for one in base.lab.view.log_entries(limit=10**6) if one.action == "vault.opened"]
    assert [facts["rows"] for facts in logged if facts["purpose"] == "leakage"] == [hidden_set(base, scenario).rows]


def test_editing_the_scenario_gives_no_second_chance_on_scored_cases(base, write_scenario, write_application):
    first = write_scenario()
    prove(base, first, write_application())
    second = write_scenario(name="again", change=lambda content: content.replace("Small alarm", "Another title"))
    report = prove(base, second, write_application(GOOD + "#\n", "other")).report
    assert report.attempt.number == 2
    left = remaining(base.lab.vault, hidden_set(base, second))
    assert left.scored >= report.attempt.scored + 1


def test_no_attempt_is_counted_for_what_does_not_pass_its_rehearsal(base, write_scenario, write_application, tmp_path):
    scenario = write_scenario()
    broken = write_application("def predict(batch):\n    print('half way')\n    return [1 / 0]\n")
    with pytest.raises(RefusedError) as caught:
        prove(base, scenario, broken, tmp_path / "out")
    assert caught.value.code == "trial.rehearsal_failed"
    assert "ZeroDivisionError" in caught.value.render("en")
    assert "half way" in (tmp_path / "out" / "rehearsal" / "application.log").read_text()
    with pytest.raises(RefusedError):
        prove(base, scenario, broken, tmp_path / "out")
    assert attempts_of(base.lab.vault, hidden_set(base, scenario)) == []


def test_an_attempt_whose_scorer_was_killed_behind_its_report_is_ended_by_the_next_run(
    base, write_scenario, write_application
):
    scenario, application = write_scenario(), write_application()
    plan = freeze_in(base, scenario, application)
    report = score_trial(base.lab, plan, lambda _: None)
    hidden = hidden_set(base, scenario)
    with base.lab.store.database.write() as connection:
        connection.execute(update(tables.attempts).values(state=AttemptState.COMMITTED.value))
    left = remaining(base.lab.vault, hidden)
    assert score_trial(base.lab, plan, lambda _: None) == report
    assert [attempt.state for attempt in attempts_of(base.lab.vault, hidden)] == [AttemptState.CLOSED]
    assert remaining(base.lab.vault, hidden) == left, "what a box has seen stays spent"


def test_what_is_said_one_after_the_other_stands_on_lines_of_its_own(base, write_scenario, write_application, tmp_path):
    broken = write_application("def predict(batch):\n    print('half way', end='')\n    return [1 / 0]\n")
    noise = "  - {rule: drop(accuracy under noise(0.1)) <= 0.2}\ntrial:\n"
    rehearse_in(base, write_scenario(change=lambda it: it.replace("trial:\n", noise)), broken, tmp_path / "out")
    log = (tmp_path / "out" / "rehearsal" / "application.log").read_text().splitlines()
    traceback = "Traceback (most recent call last):"
    assert [line for line in log if line.startswith(("half", "Trace", "---"))] == [
        *("half way", traceback, "--- noise(0.1) ---", "half way", traceback)
    ], "what went wrong stands with what was printed before it"


def test_an_application_that_does_not_load_fails_its_rehearsal_with_the_reason(base, write_scenario, write_application):
    rehearsed = rehearse_in(base, write_scenario(), write_application("import nothing_like_this\n" + GOOD))
    report = rehearsed.report
    assert not rehearsed.passed and report.verdict is Verdict.REJECT
    assert report.isolation.end is EndReason.LOAD_FAILED
    assert report.counts["answered"] == 0 and report.performance is None
    assert "nothing_like_this" in report.isolation.detail


@pytest.mark.parametrize(
    ("answers", "kind", "told"),
    [
        ("['fine' if p > 6 else 'broken' for p in batch['pressure']]", "label", True),
        ("[0.1 if p > 6 else 0.8 for p in batch['pressure']]", "probability", True),
        ("['broken' if a > 450 else 'fine' for a in batch['age']]", "label", False),
        ("['fine'] * batch.rows", "label", False),
        ("['broken' if p > 4 else 'fine' for p in batch['pressure']]", "label", False),
    ],
)
def test_a_rehearsal_says_that_class_names_are_mixed_up(base, write_scenario, write_application, answers, kind, told):
    given = "" if kind == "label" else "prediction: probability\ndecision_threshold: 0.5\n"
    scenario = write_scenario(change=lambda it: it.replace("task: classification\n", f"task: classification\n{given}"))
    report = rehearse_in(base, scenario, write_application(f"def predict(batch):\n    return {answers}\n")).report
    said = [one.params["pairs"] for one in report.reasons if one.code == "trial.reason.mixed_up"]
    assert said == ["broken → fine, fine → broken"] * told


def test_a_trial_that_was_never_rehearsed_says_so_before_it_costs_an_attempt(base, write_scenario, write_application):
    answers = "def predict(batch):\n    return ['fine' if p > 6 else 'broken' for p in batch['pressure']]\n"
    scenario, application = write_scenario(), write_application(answers)
    with pytest.raises(RefusedError, match="no attempt is used") as caught:
        prove(base, scenario, application)
    assert caught.value.code == "worker.rehearsal_doubted"
    assert prove(base, scenario, application).report.attempt.number == 1, "who starts it again means it"


def test_a_rehearsal_is_not_evidence(base, write_scenario, write_application):
    rehearsed = rehearse_in(base, write_scenario(), write_application())
    assert rehearsed.passed
    assert not rehearsed.report.evidence
    assert rehearsed.report.attempt is None
    assert rehearsed.report.records is None


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("effect", "reason"),
    [("return ['fine'] * 3", EndReason.WRONG_COUNT), ("raise SystemExit(3)", EndReason.APPLICATION_EXIT)],
)
def test_breaking_on_hidden_data_only_is_a_rejection_with_its_reason(
    base, write_scenario, write_application, effect, reason
):
    """It tells hidden data from the public sample by a value that only one side has (a cheat that rehearses well)."""
    scenario = write_scenario()
    document, folder = load_scenario(scenario, Step.DRAFT)
    sealed = seal_scenario(base.lab, document, folder)
    public_rows = sealed.record.public_cases
    program = (
        "SEEN = 0\ndef predict(batch):\n    global SEEN\n    SEEN += batch.rows\n"
        f"    if SEEN == 60 and not set(batch['pressure']) <= PUBLIC:\n        {effect}\n"
        "    return ['fine'] * batch.rows\n"
    )
    from pilotbase.trial.sealed import read_public_sample

    known = set(read_public_sample(base.lab, sealed)["pressure"].to_list())
    application = write_application(f"PUBLIC = {known!r}\n{program}")
    report = prove(base, scenario, application).report
    assert public_rows > 60
    assert report.verdict is Verdict.REJECT
    assert report.isolation.end is reason
    assert report.attempt.answered == 40
    assert report.reasons[0].code == "trial.reason.ended"
    assert report.isolation.detail == ""


def test_what_the_supplier_sees_tells_nothing_about_single_cases(base, write_scenario, write_application, tmp_path):
    proven = prove(base, write_scenario(), write_application("import sys\nprint('x' * 999)\n" + GOOD), tmp_path / "out")
    view = json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())
    assert view["view"] == "supplier"
    assert not {"order", "records", "groups"} & {key for key, value in view.items() if value}
    for result in view["criteria"]:
        assert not {"path", "lower", "upper", "scored", "baseline"} & {key for key, value in result.items() if value}
    assert "scored" not in view["attempt"]
    assert "fresh_left" not in view["attempt"]
    assert view["full_report"] == proven.report.digest()
    assert "xxx" not in (tmp_path / "out" / "application.log").read_text()
    assert not (tmp_path / "out" / "supplier" / "cases.csv").exists()


def test_a_frozen_plan_does_not_move(base, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    plan = freeze_in(base, scenario, application)
    assert freeze_in(base, scenario, application).digest() == plan.digest()
    changed = (scenario / "scenario.yaml").read_text().replace("accuracy >= 0.7", "accuracy >= 0.6")
    (scenario / "scenario.yaml").write_text(changed)
    assert freeze_in(base, scenario, application).digest() != plan.digest()
    (application / "app.py").write_text(GOOD + "\n")
    assert freeze_in(base, scenario, application).application.digest != plan.application.digest


def test_criteria_that_so_few_cases_cannot_decide_are_refused_with_the_number_needed(
    base, write_scenario, write_application
):
    scenario = write_scenario(
        cases=20, change=lambda content: content.replace("accuracy >= 0.7", "accuracy >= 0.95, estimand: population")
    )
    with pytest.raises(InputError) as caught:
        prove(base, scenario, write_application())
    (issue,) = caught.value.issues
    assert issue.problem.code == "trial.too_few_cases"
    assert int(issue.problem.params["needed"]) > 100


def test_a_leaking_hidden_set_is_refused_before_an_attempt_is_counted(base, write_scenario, write_application):
    scenario = write_scenario()
    lines = (scenario / "cases.csv").read_text().splitlines()
    copies = [f"copy{number}{line[line.index(',') :]}" for number, line in enumerate(lines[1:])]
    (scenario / "cases.csv").write_text("\n".join([*lines, *copies]) + "\n")
    with pytest.raises(RefusedError) as caught:
        prove(base, scenario, write_application())
    assert caught.value.code == "trial.leakage"
    assert attempts_of(base.lab.vault, hidden_set(base, scenario)) == []


@pytest.mark.prove
def test_leakage_is_computed_once_for_a_sealed_version_and_program(
    base, write_scenario, write_application, monkeypatch
):
    computed, check = [], opening.check_leakage
    monkeypatch.setattr(opening, "check_leakage", lambda *sides: computed.append(sides) or check(*sides))

    def leakage_of(*folders):
        plan = freeze_in(base, *folders)
        return plan, opening.open_trial(base.lab, plan, NO_LIMIT, ignore_progress).leakage

    scenario, application = write_scenario(), write_application()
    plan, first = leakage_of(scenario, application)
    assert leakage_of(scenario, write_application(BAD, "other"))[1] == first
    assert len(computed) == 1
    later = write_scenario(change=lambda content: content.replace("0.7}", "0.6}"), name="later")
    other = leakage_of(later, application)[0]
    assert len(computed) == 2, "another version"
    heads = [f"leakage:{hex_of(one.sealed)}" for one in (plan, other)]
    with base.lab.view.transaction("test") as change:
        change.let_stand(heads[0], base.lab.view.head(heads[1]))
    assert leakage_of(scenario, application)[1] == first and len(computed) == 3, "findings of another version"
    base.lab.vault.blobs.remove(base.lab.view.load_head(heads[0], opening.LeakageRecord).blob)
    assert leakage_of(scenario, application)[1] == first and len(computed) == 4, "they are gone"
    monkeypatch.setattr(opening, "SOFTWARE", "a later program")
    assert leakage_of(scenario, application)[1] == first and len(computed) == 5


def test_missing_and_expired_approvals_stop_the_freeze(base, write_scenario, write_application):
    application = write_application()
    missing = write_scenario(change=lambda content: content + "  approvals: [{kind: ethics}]\n")
    with pytest.raises(RefusedError) as caught:
        freeze_in(base, missing, application)
    assert caught.value.code == "trial.approval_missing"
    expired = write_scenario(
        name="expired",
        change=lambda content: content + "  approvals: [{kind: ethics, reference: E-1, until: '2020-01-01'}]\n",
    )
    with pytest.raises(RefusedError) as caught:
        freeze_in(base, expired, application)
    assert caught.value.code == "trial.approval_expired"


def test_a_level_that_the_host_cannot_give_is_refused(base, write_scenario, write_application):
    scenario = write_scenario(change=lambda content: content.replace("trial:\n", "trial:\n  isolation: L4\n"))
    with pytest.raises(RefusedError) as caught:
        prove(base, scenario, write_application())
    assert caught.value.exit_code == 5


SLOW = "import time\ndef predict(batch):\n    time.sleep(0.1)\n" + GOOD.split("\n", 1)[1]
PROVE = """
import sys
from pathlib import Path
from pilotbase.worker.base import open_base
from pilotbase.worker.base import open_base, rotate_key
from pilotbase.worker.trials.proving import prove
def show(step):
    print(f"{step.stage.code}:{step.done}", flush=True)
prove(open_base(), *map(Path, sys.argv[1:4]), show)
"""
MOMENTS = (
    "trial.progress.leakage:0",
    "trial.progress.baseline:0",
    "trial.progress.answer:20",
    "trial.progress.answer:60",
    "trial.progress.score:0",
    "trial.progress.report:0",
)


@pytest.mark.prove
@pytest.mark.parametrize("moments", [MOMENTS[4:5], pytest.param(MOMENTS, marks=pytest.mark.prove)])
def test_kill_at_any_moment_and_rerun_gives_one_verdict_and_one_attempt(
    base, home, write_scenario, write_application, tmp_path, moments
):
    scenario, application = write_scenario(), write_application(SLOW)
    rehearse_in(base, scenario, application)
    plan = freeze_in(base, scenario, application)
    command = [sys.executable, "-c", PROVE, str(scenario), str(application), str(tmp_path / "out")]
    answers = home / "runs" / plan.digest().removeprefix("sha256:") / "attempt-1" / "answers"
    sizes = {}
    for moment in moments:
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
        assert moment in (line.strip() for line in process.stdout), moment
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        size = sizes[moment] = answers.stat().st_size if answers.exists() else 0
        opened = attempts_of(base.lab.vault, hidden_set(base, scenario))
        assert len(opened) <= 1
        assert size == 0 or opened[0].state is not AttemptState.OPEN
    assert list(sizes.values()) == sorted(sizes.values())
    assert 0 < sizes[MOMENTS[4]] == size
    assert MOMENTS[2] not in sizes or 0 < sizes[MOMENTS[2]] < size
    report = prove(base, scenario, application, tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT
    assert report.attempt.number == 1
    assert report.attempt.answered == 100
    (attempt,) = attempts_of(base.lab.vault, hidden_set(base, scenario))
    assert attempt.state is AttemptState.CLOSED
    assert prove(base, scenario, application, tmp_path / "out").report == report
    assert verify_base_log(base).code == "worker.log_holds"


@pytest.mark.prove
def test_a_certificate_stays_as_it_was_signed_when_keys_are_rotated(base, write_scenario, write_application, tmp_path):
    scenario, application = write_scenario(), write_application()
    first = prove(base, scenario, application, tmp_path / "out")
    rotate_key(base, root=False)
    rotate_key(open_base(), root=True)
    again = prove(open_base(), scenario, application, tmp_path / "again")
    assert again.envelope.to_bytes() == first.envelope.to_bytes()
    roots = read_trust_roots(base.trust_roots.read_bytes())
    assert verify_certificate(again.envelope.to_bytes(), roots, at=datetime.now(UTC)).certificate == first.certificate
