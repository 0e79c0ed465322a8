"""A trial of an endpoint that its supplier keeps: refused where cases may not leave, resumed, and counted."""

import multiprocessing
import re
import shutil

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.estimate import Ceiling
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.vocabularies import Opening, Outcome, Verdict
from pilotbase.sandbox.endpoints.calls import read_calls
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.trial import answering
from pilotbase.trial.estimating import CODE, SpendingLimit, estimate_of
from pilotbase.trial.scorer import score_trial
from pilotbase.vault.attempts import remaining
from pilotbase.vault.sealing import HiddenSet, secrets_of
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.boards import submit_to_board
from pilotbase.worker.trials.consenting import runner
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from pilotbase.worker.trials.summary import report_lines
from tests.catalogue.agreements_for_tests import DATASET
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving, tabular, until
from tests.trial.endpoints_for_tests import alarm, may_leave, writing_endpoint
from tests.trial.test_terms_of_a_trial import Parties

PROMPT = {"template": "Pressure {pressure} bar. Broken or fine?", "sampling": {"temperature": 0, "max_tokens": 2}}
PRICES = {"currency": "CNY", "prompt": 0.01, "completion": 0.02}


def say(question: str) -> str:
    return alarm(float(re.search(r"Pressure ([0-9.]+)", question)[1]))


@pytest.fixture(autouse=True)
def loopback_is_listed(monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")


@pytest.fixture
def write_endpoint(tmp_path):
    return writing_endpoint(tmp_path)


@pytest.fixture
def stub():
    with serving(Stub(tabular(alarm, "BYTES"))) as served:
        yield served


@pytest.fixture
def chat():
    with serving(Stub(chatting(say))) as served:
        yield served


def test_cases_that_may_not_leave_are_refused_before_anything_is_sent(base, write_scenario, write_endpoint, stub):
    unsaid, refused = (
        write_scenario(name=f"scenario-{number}", change=lambda content, said=said: content + said)
        for number, said in enumerate(("", "conditions: {data_may_leave: false}\n"))
    )
    application = write_endpoint(stub.endpoint())
    for scenario in (unsaid, refused):
        with pytest.raises(RefusedError) as found:
            rehearse_in(base, scenario, application)
        assert found.value.code == "trial.data_may_not_leave"
        for language, words in (("en", "data_may_leave: true"), ("zh", "未发送任何内容")):
            assert words in found.value.render(language)
    assert stub.connections == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"period": {"since": "2020-01-01", "until": "2020-12-31"}}, "trial.outside_period"),
        ({"key": "CHAT"}, "endpoint.no_key"),
    ],
)
def test_what_else_forbids_it_is_told_before_anything_is_sent(base, write_scenario, write_endpoint, stub, change, code):
    with pytest.raises(RefusedError) as found:
        rehearse_in(base, write_scenario(change=may_leave), write_endpoint(stub.endpoint(**change)))
    assert found.value.code == code and found.value.render("zh")
    assert stub.connections == 0


def test_boards_and_baselines_take_what_runs_in_a_box_only(base, write_scenario, write_endpoint, stub):
    board = "trial:\n  board: {measure: accuracy, share: 0.2, submissions: 3, entries: 3, improvements: 2}\n"
    scenario = write_scenario(change=lambda content: may_leave(content).replace("trial:\n", board))
    application = write_endpoint(stub.endpoint())
    rehearse_in(base, scenario, application)
    asked = len(stub.asked)
    with pytest.raises(RefusedError) as refused:
        submit_to_board(base, scenario, application)
    assert refused.value.code == "trial.endpoint_not_here" and refused.value.render("zh")
    reference = write_scenario(name="with-reference", change=referring)
    shutil.copytree(application, reference / "reference")
    with pytest.raises(RefusedError) as refused:
        rehearse_in(base, reference, application)
    assert refused.value.code == "trial.endpoint_not_here"
    assert len(stub.asked) == asked


def referring(content):
    rule, application = "baseline: {kind: rule, rule: pressure > 8}", "baseline: {kind: application, path: reference}"
    return may_leave(content).replace(rule, application)


def test_a_closed_dataset_needs_terms_by_which_the_supplier_may_have_its_rows(
    base, write_scenario, write_endpoint, stub
):
    def of_dataset(content):
        return may_leave(content).replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")

    parties, application = Parties(base), write_endpoint(stub.endpoint())
    parties.publish(Opening.COMPUTE_TO_DATA)
    parties.agree()
    scenario = write_scenario(rows=400, cases=60, change=of_dataset)
    with pytest.raises(RefusedError) as refused:
        rehearse_in(base, scenario, application)
    assert refused.value.code == "terms.refused"
    assert stub.connections == 0


def test_a_dataset_that_may_be_downloaded_for_verification_may_be_sent(base, write_scenario, write_endpoint, stub):
    def of_dataset(content):
        return may_leave(content).replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")

    parties = Parties(base)
    parties.publish(Opening.ON_TERMS)
    parties.agree()
    proven = prove(base, write_scenario(rows=400, cases=60, change=of_dataset), write_endpoint(stub.endpoint()))
    assert proven.report.verdict is Verdict.ACCEPT


def test_an_address_of_the_base_itself_is_denied_unless_the_operator_lists_it(
    base, write_scenario, write_endpoint, stub, monkeypatch
):
    monkeypatch.delenv(ALLOW)
    with pytest.raises(RefusedError) as found:
        rehearse_in(base, write_scenario(change=may_leave), write_endpoint(stub.endpoint()))
    assert found.value.code == "protocol.address_denied" and ALLOW in found.value.render("zh")
    assert stub.connections == 0


def test_a_language_model_is_proven_with_what_its_calls_cost(base, write_scenario, write_endpoint, chat):
    endpoint = chat.endpoint("openai_chat", prompt=PROMPT, prices=PRICES, in_flight=8)
    proven = prove(base, write_scenario(rows=400, cases=60, change=may_leave), write_endpoint(endpoint))
    report, use = proven.report, proven.report.endpoint
    assert report.verdict is Verdict.ACCEPT
    assert (use.calls, use.attempts, use.unanswered, use.unread) == (60, 60, 0, 0)
    assert (use.prompt_tokens, use.completion_tokens) == (6000, 600)
    assert (float(use.cost), float(use.cost_per_thousand), use.currency) == (0.072, 1.2, "CNY")
    assert use.served == ("alarm-2026 fp_1",)
    assert len(use.canaries.cases) == 16
    assert all(len(one) == 1 for one in use.canaries.answers)
    assert report.isolation.level.value == "L0" and report.performance.cpu_seconds is None
    run = base.lab.home.path / "runs" / hex_of(report.plan) / f"attempt-{report.attempt.number}"
    assert b"Pressure" not in (run / "answers-calls").read_bytes()
    assert len((run / "answers-calls").read_bytes().splitlines()) == 60
    view = report.supplier_view()
    assert view.endpoint.served == () and view.endpoint.url == use.url and view.endpoint.prompt_tokens == 6000
    assert view.supplier_view().endpoint == view.endpoint
    assert report == type(report).model_validate_json(report.model_dump_json(by_alias=True))


def test_a_measure_that_cannot_be_taken_of_an_endpoint_is_no_pass(base, write_scenario, write_endpoint, stub):
    scenario = write_scenario(change=lambda content: content + "conditions: {data_may_leave: true}\n")
    report = rehearse_in(base, scenario, write_endpoint(stub.endpoint())).report
    outcomes = {one.rule: one.outcome for one in report.criteria}
    assert outcomes["memory.peak <= 512 MiB"] is Outcome.NOT_MEASURED
    assert report.verdict is Verdict.INCONCLUSIVE


def test_cases_that_an_endpoint_saw_are_given_to_no_later_attempt(base, write_scenario, write_endpoint, stub):
    scenario = write_scenario(rows=400, cases=100, change=may_leave)
    plan = freeze_in(base, scenario, write_endpoint(stub.endpoint()))
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    fresh = remaining(base.lab.vault, hidden).fresh
    report = score_trial(base.lab, plan, lambda progress: None)
    assert remaining(base.lab.vault, hidden).fresh == fresh - 100 == report.attempt.fresh_left
    assert report.attempt.used_before == 0 and report.attempt.scored <= 100


@pytest.mark.one_in(3)
@pytest.mark.parametrize("broken", ["status:404", "html", "redirect"])
def test_an_endpoint_that_fails_midway_ends_the_run_with_its_reason(
    base, write_scenario, write_endpoint, stub, broken, monkeypatch
):
    monkeypatch.setattr("pilotbase.sandbox.endpoints.asking.FIRST_WAIT_SECONDS", 0.01)
    plan = freeze_in(base, write_scenario(rows=400, cases=100, change=may_leave), write_endpoint(stub.endpoint()))
    first = len(stub.asked) + 2
    stub.fault = lambda number: broken if number >= first else ""
    report = score_trial(base.lab, plan, lambda progress: None)
    expected = {
        "status:404": EndReason.ENDPOINT_REFUSED,
        "html": EndReason.ENDPOINT_BROKEN_ANSWER,
        "redirect": EndReason.ENDPOINT_REDIRECT,
    }
    assert report.verdict is Verdict.REJECT
    if broken == "html":  # five calls in a row first, of which there are three: every case of them counts as worst
        assert report.counts["answered"] == 100 and report.counts["abstained"] == 60
    else:
        assert report.isolation.end is expected[broken]
        assert report.counts["answered"] == 40
        assert "endpoint" in report.reasons[0].render("en") and "端点" in report.reasons[0].render("zh")
    assert report.isolation.detail == ""


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("status:401", EndReason.ENDPOINT_REFUSED, {"en": "file of keys", "zh": "密钥文件"}),
        ("html", EndReason.ENDPOINT_BROKEN_ANSWER, {"en": "nothing in between", "zh": "代为答复"}),
        ("redirect", EndReason.ENDPOINT_REDIRECT, {"en": "into the manifest", "zh": "清单中写明"}),
    ],
)
def test_a_rehearsal_tells_what_came_and_what_to_do_in_both_languages(
    base, write_scenario, write_endpoint, stub, monkeypatch, fault, reason, words
):
    monkeypatch.setattr("pilotbase.sandbox.endpoints.asking.FIRST_WAIT_SECONDS", 0.01)
    stub.fault = lambda number: "" if number < 0 else fault
    rehearsed = rehearse_in(base, write_scenario(change=may_leave), write_endpoint(stub.endpoint()))
    assert not rehearsed.passed and rehearsed.report.isolation.end is reason
    for language, wanted in words.items():
        said = "\n".join(line.render(language) for line in report_lines(rehearsed.report, rehearsed.folder))
        assert wanted in said, said


class Killed(BaseException):
    """The scorer's process goes."""


@pytest.mark.one_in(2)
@pytest.mark.parametrize("even", [True, False], ids=["full batches", "drawn sizes"])
def test_a_run_that_was_killed_goes_on_and_asks_nothing_twice_that_is_committed(
    base, write_scenario, write_endpoint, stub, monkeypatch, even
):
    def change(content):
        return may_leave(content) if even else may_leave(content).replace("  - {rule: latency.max <= 60 s}\n", "")

    plan = freeze_in(base, write_scenario(rows=400, cases=100, change=change), write_endpoint(stub.endpoint()))
    rehearsed = len(stub.asked)
    committed = answering.AnswerLog.append

    def dies(log, values, seconds):
        if len(log.batches) == 3:
            raise Killed
        committed(log, values, seconds)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(answering.AnswerLog, "append", dies)
        score_trial(base.lab, plan, lambda progress: None)
    report = score_trial(base.lab, plan, lambda progress: None)
    asked = [tuple(one["inputs"][0]["data"]) for one in stub.asked[rehearsed:]]
    assert len(asked[:4]) == 4 and len(set(asked[:3])) == 3
    assert asked[3] == asked[4] and not set(asked[:3]) & set(asked[4:])
    batches = 5 if even else 7
    assert (report.endpoint.calls, report.counts["answered"]) == (batches + 1, 100)
    sizes = [len(one) for one in asked[:3] + asked[4 : batches + 1]]
    assert sum(sizes) == 100 and (set(sizes) == {20}) is even and min(sizes) >= 10


def scored(plan: str) -> None:
    """Score a trial in a process of its own."""
    base = open_base()
    score_trial(base.lab, base.lab.view.load(plan, TrialPlan), lambda progress: None)


@pytest.mark.prove
def test_a_process_that_is_killed_while_a_call_is_under_way_goes_on(base, write_scenario, write_endpoint, stub):
    plan = freeze_in(base, write_scenario(rows=400, cases=100, change=may_leave), write_endpoint(stub.endpoint()))
    first = len(stub.asked) + 2
    stub.fault = lambda number: "hang" if number == first else ""
    process = multiprocessing.get_context("spawn").Process(target=scored, args=(plan.digest(),))
    process.start()
    assert until(lambda: len(stub.asked) > first, seconds=60)
    process.kill()
    process.join()
    report = score_trial(base.lab, plan, lambda progress: None)
    asked = [tuple(one["inputs"][0]["data"]) for one in stub.asked[first - 2 :]]
    assert asked[2] == asked[3] and len(set(asked[:6])) == 5  # then come the canary questions
    assert (report.endpoint.attempts, report.counts["answered"]) == (5, 100)


def test_the_record_of_calls_is_what_the_report_commits_to(base, write_scenario, write_endpoint, stub):
    proven = prove(base, write_scenario(rows=400, cases=60, change=may_leave), write_endpoint(stub.endpoint()))
    run = base.lab.home.path / "runs" / hex_of(proven.report.plan) / f"attempt-{proven.report.attempt.number}"
    plan = base.lab.view.load(proven.report.plan, TrialPlan)
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    key = secrets_of(base.lab.vault, hidden).derive("delivered-run", plan.digest(), str(proven.report.attempt.number))
    calls = read_calls(run / "answers-calls", plan.canonical() + b"calls", proven.report.endpoint.records, key)
    assert sum(one.cases for one in calls) == 60
    assert run.stat().st_mode & 0o077 == 0


def test_perturbed_arms_ask_it_too_and_are_counted(base, write_scenario, write_endpoint, stub):
    def with_drop(content):
        rule = "  - {rule: accuracy >= 0.7}\n"
        content = content.replace("asked_again: 0", "asked_again: 5")
        return may_leave(content).replace(rule, rule + "  - {rule: drop(accuracy under noise(0.05)) <= 0.3}\n")

    rehearsed = rehearse_in(base, write_scenario(rows=400, cases=60, change=with_drop), write_endpoint(stub.endpoint()))
    assert rehearsed.passed
    assert rehearsed.report.endpoint.calls == len(stub.asked) == 2 * 8 + 5


@pytest.mark.prove
def test_tokens_and_money_are_judged_at_the_prices_of_the_manifest(base, write_scenario, write_endpoint, chat):
    def bounded(content):
        rules = ("tokens.per_case <= 200 tokens", "cost.cny <= 1 CNY", "cost.usd <= 1 USD")
        written = "".join(f"  - {{rule: {rule}}}\n" for rule in rules)
        return may_leave(content).replace("  - {rule: accuracy >= 0.7}\n", "  - {rule: accuracy >= 0.7}\n" + written)

    endpoint = chat.endpoint("openai_chat", prompt=PROMPT, prices=PRICES, in_flight=8)
    proven = prove(base, write_scenario(rows=400, cases=60, change=bounded), write_endpoint(endpoint))
    found = {one.rule.split()[0]: (one.outcome, one.estimate) for one in proven.report.criteria}
    assert found["tokens.per_case"] == (Outcome.PASS, 110)
    assert found["cost.cny"] == (Outcome.FAIL, 1.2)
    assert found["cost.usd"][0] is Outcome.NOT_MEASURED
    replayed = replay_trial(proven.folder)
    assert replayed.verdict is proven.report.verdict
    assert proven.report.verdict is Verdict.REJECT


@pytest.mark.prove
def test_a_run_is_estimated_at_the_prices_of_the_endpoint_and_held_above_the_limit(
    base, write_scenario, write_endpoint, chat
):
    def in_pairs(content):
        return may_leave(content).replace("batch_rows: 20", "batch_rows: 2")

    prices = {"currency": "EUR", "prompt": 1, "completion": 2}
    application = write_endpoint(chat.endpoint("openai_chat", prompt=PROMPT, prices=prices, in_flight=1))
    scenario = write_scenario(rows=400, cases=60, change=in_pairs)
    plan = freeze_in(base, scenario, application)
    limit = SpendingLimit(ceiling=Ceiling(money=300, currency="EUR"))
    with pytest.raises(RefusedError) as held:
        prove(base, scenario, application, run=runner(limit, consented=False))
    assert held.value.code == CODE and "EUR" in held.value.render()
    found = estimate_of(base.lab, plan.digest())
    assert (found.currency, found.money.expected) == ("EUR", pytest.approx(60 * 12, rel=0.05)), "12 cents a case"
