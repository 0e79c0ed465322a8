"""A false accept, a second verdict, another attempt for nothing: by terms that move and files that change."""

import io
import json
import sqlite3

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.answering import AnswerLog
from pilotbase.trial.scorer import score_trial
from pilotbase.vault.attempts import attempts_of, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.certificates import issue
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from tests.attacks.conftest import manifest, write_odd
from tests.trial.conftest import BAD, GOOD


def score(base, plan):
    return score_trial(base.lab, plan, lambda _: None)


def runs(base, plan):
    return base.home.path / "runs" / plan.digest().removeprefix("sha256:") / "attempt-1"


def test_answers_replaced_after_their_commitment_are_noticed(base, write_scenario, write_application, killed_before):
    plan = freeze_in(base, write_scenario(), write_application(BAD))
    killed_before(base, plan, "judging.mark_scored")
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    (attempt,) = attempts_of(base.lab.vault, hidden)
    answers = runs(base, plan) / "answers"
    answers.unlink()
    with AnswerLog(answers, plan.canonical()) as log:
        for _ in range(5):
            log.append(np.zeros(20, dtype=np.int32), 0.001)
        assert log.digest != attempt.answers
    with pytest.raises(PilotbaseError):
        score(base, plan)


def test_a_measured_run_edited_before_it_is_scored_is_noticed(base, write_scenario, write_application, killed_before):
    scenario = write_scenario(change=lambda content: content.replace("512 MiB", "100 MiB"))
    plan = freeze_in(base, scenario, write_application("FAT = bytearray(b'x') * (150 << 20)\n" + GOOD))
    killed_before(base, plan, "asking.commit_answers")
    ended = runs(base, plan) / "ended"
    mark, _, body = ended.read_text().partition("\n")
    run = json.loads(body)
    assert run["memory_peak_bytes"] > 150 << 20
    ended.write_text(mark + "\n" + json.dumps({**run, "memory_peak_bytes": 1000}))
    with pytest.raises(InvalidProofError) as caught:
        score(base, plan)
    assert caught.value.code == "trial.run_altered"


def with_reference(content):
    baseline = content.replace("{kind: rule, rule: pressure > 8}", "{kind: application, path: reference}")
    return baseline.replace("{rule: accuracy >= 0.7}", "{rule: win_rate >= 0.6}")


def test_the_baseline_of_a_frozen_plan_cannot_be_swapped(base, write_scenario, tmp_path, write_application):
    scenario = write_scenario(change=with_reference)
    reference = write_odd(scenario / "reference", manifest("reference", "plant"), GOOD)
    candidate = GOOD.replace("p > 6", "p > 4")
    application = write_application(candidate)
    plan = freeze_in(base, scenario, application)
    (reference / "app.py").write_text(BAD)  # weak: whoever is compared with it wins
    rehearse_in(base, scenario, write_application(GOOD, "other"))
    (reference / "app.py").write_text(GOOD)
    assert freeze_in(base, scenario, application) == plan
    report = score(base, plan)
    assert report.criteria[1].outcome is not Outcome.PASS


@pytest.mark.prove
def test_a_baseline_that_fails_costs_no_attempt_as_its_message_says(base, write_scenario, write_application):
    scenario = write_scenario(change=with_reference)
    reference = write_odd(scenario / "reference", manifest("reference", "plant"))
    plan = freeze_in(base, scenario, write_application(GOOD, "first"))
    public = base.lab.vault.blobs.get(plan.scenario.public_sample)
    known = set(pl.read_parquet(io.BytesIO(public))["pressure"].to_list())
    (reference / "app.py").write_text(
        f"KNOWN = {known!r}\ndef predict(batch):\n"
        "    assert set(batch['pressure']) <= KNOWN\n    return ['fine'] * batch.rows\n"
    )
    plan = freeze_in(base, scenario, write_application(GOOD + "#\n", "second"))
    with pytest.raises(RefusedError) as caught:
        score(base, plan)
    assert caught.value.code == "trial.baseline_failed"
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    assert [attempt for attempt in attempts_of(base.lab.vault, hidden) if attempt.state != "returned"] == []


def strict(content):
    return content.replace(">= 0.7}", ">= 0.7, confidence: 0.99}").replace("attempts: 6", "attempts: 1")


@pytest.mark.prove
def test_a_verdict_at_99_percent_spends_no_more_than_1_percent(base, write_scenario, write_application):
    freeze_in(base, write_scenario(name="loose"), write_application(GOOD, "first"))
    plan = freeze_in(base, write_scenario(name="strict", change=strict), write_application(GOOD, "second"))
    report = score(base, plan)
    assert [result.confidence for result in report.criteria[:2]] == [0.99, 0.99]
    assert report.attempt.alpha <= 0.01 / 2


def test_one_row_more_gives_no_second_chance_on_scored_cases(base, write_scenario, write_application):
    first = prove(base, write_scenario(), write_application(GOOD, "first")).report.attempt
    grown = write_scenario(name="grown")
    with (grown / "cases.csv").open("a") as stream:
        stream.writelines(f"more{number},5.{number},4,north,fine\n" for number in range(4))
    plan = freeze_in(base, grown, write_application(GOOD + "#\n", "second"))
    attempt = score(base, plan).attempt
    assert attempt.number == 2
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    assert remaining(base.lab.vault, hidden).scored == first.scored + attempt.scored


def test_a_report_put_into_the_store_by_hand_is_not_signed(trial, write_application):
    application = write_application(BAD, "bad")
    plan = freeze_in(trial.base, trial.scenario, application)
    report = trial.proven.report
    forged = report.model_copy(update={"plan": plan.digest(), "application": plan.application, "records": None})
    put_by_hand(trial.base, report.digest(), forged, f"report:{plan.digest()}")
    with pytest.raises(InvalidProofError) as caught:
        prove(trial.base, trial.scenario, application)
    assert caught.value.code == "log.head_differs"
    with pytest.raises(InvalidProofError) as caught:
        verify_base_log(trial.base)
    assert forged.digest() in caught.value.render("en")


def test_no_plan_and_no_report_from_elsewhere_is_signed(trial):
    report = trial.proven.report
    plan = trial.base.lab.view.load(report.plan, TrialPlan)
    other = report.model_copy(update={"software": "another"})
    lax = plan.model_copy(update={"criteria": plan.criteria[:1]})
    under_it = report.model_copy(update={"plan": lax.digest()})
    for forged, of, code in ((other, plan, "worker.report_unlogged"), (under_it, lax, "log.document_unlogged")):
        with pytest.raises(InvalidProofError) as caught:
            issue(trial.base, forged, of)
        assert caught.value.code == code
    assert issue(trial.base, report, plan).certificate == trial.proven.certificate


def put_by_hand(base, like: str, document, head: str) -> None:
    """Write a document and its head as somebody with the database but no key would."""
    with sqlite3.connect(base.home.path / "pilotbase.db") as database:
        names = [column[1] for column in database.execute("PRAGMA table_info(documents)")]
        row = dict(
            zip(names, database.execute("SELECT * FROM documents WHERE digest = ?", [like]).fetchone(), strict=True)
        )
        row |= {"digest": document.digest(), "body": document.canonical(), "sequence": 10**6}
        database.execute(f"INSERT INTO documents VALUES ({','.join('?' * len(names))})", [row[name] for name in names])
        known = list(database.execute("SELECT * FROM heads WHERE name LIKE 'report:%'").fetchone())
        database.execute("INSERT INTO heads VALUES (?, ?, ?, ?)", [head, document.digest(), *known[2:]])
    database.close()
