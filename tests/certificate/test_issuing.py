"""What a certificate says: the true sentence, what was left out, and for what none is issued."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilotbase.certificate.issuing import claim_sentence, issue_certificate
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.texts import LANGUAGES, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
MakeReport = Callable[..., Report]


@pytest.fixture
def recall(make_report: MakeReport) -> CriterionResult:
    return make_report().criteria[0]


@pytest.fixture
def latency(recall: CriterionResult) -> CriterionResult:
    return recall.model_copy(update={"rule": "latency.p95 <= 50 ms", "guarantee": "measured_run", "unit": "request"})


def issue(report: Report, plan: TrialPlan, **changes: Any) -> Certificate:
    return issue_certificate(report, plan, issuer="base-one", now=NOW, expires_at=NOW + timedelta(days=9), **changes)


def test_accepted_says_every_part(make_report: MakeReport, plan: TrialPlan) -> None:
    claim = claim_sentence(make_report(), plan)
    english, chinese = claim.render("en"), claim.render("zh")
    short = plan.digest()[:19]
    for part in (
        f"Application forest 1.2.0 ({plan.application.digest[:19]}…) met plan {short}… on 620 of 1,000 hidden cases",
        "had any of the criteria recall(failure) >= 0.80 truly failed for these 1,000 cases",
        "with probability at most 0.008334, an exact bound",
        "over all attempts on this hidden set: at most 0.05",
        "the case is the independent unit",
        "order of cases was random and sealed",
        "no stationarity is assumed",
        "nothing is claimed for other versions, periods or sites",
    ):
        assert part in english
    for part in ("1,000 个隐藏案例中的 620 个评分，达到方案", "0.008334", "0.05", "不要求平稳性", "不作任何声明"):
        assert part in chinese


def test_population_claims_assume_stationarity(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult
) -> None:
    drawn = recall.model_copy(update={"estimand": Estimand.POPULATION, "unit": "machine"})
    sentence = claim_sentence(make_report(criteria=(drawn,)), plan).render("en")
    assert "truly failed for cases drawn like them" in sentence
    assert "that machine is the independent unit" in sentence
    assert "(stationarity)" in sentence
    assert "every unit counts the same, however many cases it has" in sentence
    by_case = claim_sentence(make_report(criteria=(drawn.model_copy(update={"unit": "case"}),)), plan).render("en")
    assert "(stationarity)" in by_case
    assert "largest" not in by_case
    run = drawn.model_copy(update={"rule": "latency.p95(requests=20) <= 1 s", "unit": "request_block"})
    both, alone = (claim_sentence(make_report(criteria=some), plan).render("en") for some in ((drawn, run), (run,)))
    assert "drawn like them, or for later runs" in both and "machine is the independent unit" in both
    assert "stationarity" not in alone and "draws like the measured ones" in alone
    claim = text("evidence.claim.blocks_capped", used=400, most=10)
    capped = run.model_copy(update={"rule": "throughput(requests=20) >= 100 cases/s", "claim": claim})
    for language, told in (
        ("en", "no such block takes longer than 10 times what"),
        ("zh", "不超过阈值所允许时间的 10 倍"),
    ):
        assert told in claim_sentence(make_report(criteria=(run, capped)), plan).render(language)
        assert told not in claim_sentence(make_report(criteria=(run,)), plan).render(language)
    grouped = drawn.model_copy(update={"rule": "worst(recall(failure) by site) >= 0.80"})
    for language, told in (("en", "its groups are those that occur here"), ("zh", "分组均已在此出现")):
        assert told in claim_sentence(make_report(criteria=(grouped,)), plan).render(language)


def test_the_weakest_guarantee_is_the_decisions_own(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult
) -> None:
    once = recall.model_copy(update={"guarantee": "exact_fixed"})
    assert issue(make_report(criteria=(recall, once)), plan).guarantee == "exact_fixed"


def test_measured_runs_carry_no_error_probability(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult, latency: CriterionResult
) -> None:
    both = claim_sentence(make_report(criteria=(recall, latency)), plan).render("en")
    assert "any of the criteria recall(failure) >= 0.80 truly failed" in both
    assert "latency.p95 <= 50 ms was observed on this run and carries no error probability" in both
    assert "request" not in both, "the unit is that of the criteria with an error probability"
    alone = claim_sentence(make_report(criteria=(latency,)), plan).render("en")
    assert "probability at most" not in alone
    census = recall.model_copy(update={"guarantee": "exact_census"})
    exact = claim_sentence(make_report(criteria=(census,)), plan).render("en")
    assert "exact for these cases and for the answers given in this run, and carry no error probability" in exact
    assert "0.008" not in exact


def test_asymptotic_bounds_are_called_approximate(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult
) -> None:
    rough = recall.model_copy(update={"guarantee": "asymptotic"})
    report = make_report(criteria=(rough, recall))
    sentence = claim_sentence(report, plan).render("en")
    assert sentence.count("large-sample approximation") == 2, "of this attempt, and of all of them together"
    assert "exact bound" not in sentence
    for of in (report, report.supplier_view(), issue(report, plan)):
        assert of.approximate
        assert [of.verdict_in_words.render(language) for language in ("en", "zh")] == [
            "accept (approximate)",
            "通过（近似）",
        ]
    exact = issue(make_report(criteria=(recall,)), plan)
    assert (exact.approximate, exact.verdict_in_words.render("en")) == (False, "accept")


def test_rejection_speaks_of_what_failed_only(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult, latency: CriterionResult
) -> None:
    failed = recall.model_copy(update={"outcome": Outcome.FAIL})
    passed = recall.model_copy(update={"rule": "precision(failure) >= 0.50"})
    report = make_report(verdict=Verdict.REJECT, criteria=(failed, passed, latency))
    sentence = claim_sentence(report, plan).render("en")
    assert "did not meet plan" in sentence
    assert "had each of the criteria recall(failure) >= 0.80 truly been met" in sentence
    assert "any criterion falsely refuted" in sentence
    assert "precision" not in sentence
    slow = latency.model_copy(update={"outcome": Outcome.FAIL})
    observed = claim_sentence(make_report(verdict=Verdict.REJECT, criteria=(passed, slow)), plan).render("en")
    assert "latency.p95 <= 50 ms was missed on this run: an observation" in observed
    assert "probability at most" not in observed


def test_broken_off_run_is_an_observation(make_report: MakeReport, plan: TrialPlan) -> None:
    reason = text("box.end.memory_limit")
    report = make_report(verdict=Verdict.REJECT, criteria=(), reasons=(reason,))
    for language in LANGUAGES:
        assert reason.render(language) in claim_sentence(report, plan).render(language)


def test_inconclusive_claims_neither_way(make_report: MakeReport, plan: TrialPlan, recall: CriterionResult) -> None:
    open_still = recall.model_copy(update={"outcome": Outcome.INCONCLUSIVE})
    sentence = claim_sentence(make_report(verdict=Verdict.INCONCLUSIVE, criteria=(open_still,)), plan).render("en")
    assert "neither to meet plan" in sentence
    assert "no claim is made in either direction" in sentence
    assert "spent 0.008334 of the error probability 0.05" in sentence
    assert "would have issued" not in sentence


def test_a_run_that_ended_before_any_criterion_is_told_with_its_reason(
    make_report: MakeReport, plan: TrialPlan
) -> None:
    reason = text("box.end.memory_limit")
    report = make_report(verdict=Verdict.INCONCLUSIVE, criteria=(), reasons=(reason,))
    for language, spent in (("en", "spent 0.008334 of the error probability 0.05"), ("zh", "0.008334")):
        sentence = claim_sentence(report, plan).render(language)
        assert reason.render(language) in sentence
        assert spent in sentence


def test_certificate_names_what_it_leaves_out(
    make_report: MakeReport, plan: TrialPlan, recall: CriterionResult, latency: CriterionResult
) -> None:
    report = make_report(criteria=(recall, latency), data_nature="simulated")
    certificate = issue(report, plan)
    assert certificate.serial == certificate.report == report.digest()
    assert certificate.not_measured == ("process", "adaptation: python-3.13")
    assert certificate.guarantee == "measured_run"
    remarks = [remark.render("en") for remark in certificate.remarks]
    assert any("No separation of duties" in remark for remark in remarks)
    assert any("simulated" in remark for remark in remarks)
    assert issue(make_report(), plan, remarks=()).remarks == ()


def test_no_certificate_without_evidence(make_report: MakeReport, plan: TrialPlan) -> None:
    with pytest.raises(RefusedError, match="not evidence"):
        issue(make_report(evidence=False, plan=None, scenario=None, attempt=None), plan)
    for no_evidence in ({"evidence": False}, {"attempt": None}):
        with pytest.raises(RefusedError, match="not evidence"):
            claim_sentence(make_report(**no_evidence), plan)
    with pytest.raises(RefusedError, match="supplier's view"):
        issue(make_report().supplier_view(), plan)
    with pytest.raises(RefusedError, match="supplier's view"):
        claim_sentence(make_report().supplier_view(), plan)
    changed = plan.model_copy(update={"cases": 999})
    with pytest.raises(InvalidProofError, match="not about plan"):
        issue(make_report(), changed)
