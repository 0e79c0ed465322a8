"""Reports as trials write them: accepted, rejected, inconclusive, broken off, a rehearsal, a supplier's view."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.documents.base import Localized
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.figures import ErrorCounts
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference, ScenarioReference
from pilotbase.documents.report import (
    Attempt,
    CriterionResult,
    Finding,
    GroupScore,
    Isolation,
    Order,
    PathPoint,
    Performance,
    Records,
    Report,
    RestsOn,
    Section,
)
from pilotbase.documents.scenario import Contact, Costs
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict, Verification

STARTED = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
P, F, I, N = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED  # noqa: E741
Reports = Mapping[str, Report]


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def path(limit: float, scored: int, spread: float = 2.0) -> tuple[PathPoint, ...]:
    """Bounds that close in on ``limit`` as the square root of the cases, first open at both ends."""
    found = []
    for step in range(1, 41):
        cases = math.ceil(scored * step / 40)
        width = spread / cases**0.66
        wobble = 0.02 * math.sin(step * 1.3) / math.sqrt(step)
        low, high = limit + wobble - width, limit + wobble + width * 0.8
        found.append(PathPoint(cases=cases, lower=low if low > 0 else None, upper=high if high < 1 else None))
    return tuple(found)


def recall(outcome: Outcome, estimate: float, scored: int = 118, **changes: object) -> CriterionResult:
    value: dict[str, object] = {
        "rule": "recall(failure) >= 0.80",
        "outcome": outcome,
        "threshold": 0.8,
        "estimate": estimate,
        "lower": estimate - 0.06,
        "upper": min(1.0, estimate + 0.05),
        "scored": scored,
        "available": 169,
        "estimand": Estimand.HIDDEN_SET,
        "unit": "case",
        "confidence": 0.95,
        "guarantee": "exact_anytime",
        "claim": text("evidence.claim.hidden_set", total=169, unit=text("evidence.unit.case"), used=scored),
        "baseline": 0.31,
        "path": path(estimate, scored),
    }
    return CriterionResult.model_validate({**value, **changes})


def precision(outcome: Outcome, estimate: float) -> CriterionResult:
    return recall(
        outcome,
        estimate,
        scored=1240,
        rule="precision(failure) >= 0.50",
        threshold=0.5,
        available=5000,
        estimand=Estimand.POPULATION,
        claim=text("evidence.claim.population", unit=text("evidence.unit.case"), used=1240),
        baseline=0.44,
        path=path(estimate, 1240),
    )


def latency(outcome: Outcome, seconds: float) -> CriterionResult:
    return CriterionResult(
        rule="latency.p95 <= 50 ms",
        outcome=outcome,
        threshold=0.05,
        estimate=seconds,
        scored=20,
        available=20,
        estimand=Estimand.HIDDEN_SET,
        unit="request",
        confidence=0.95,
        guarantee="measured_run",
        claim=text("evidence.claim.run", used=20, unit=text("evidence.unit.request")),
        unit_label="s",
    )


def gap(outcome: Outcome, estimate: float) -> CriterionResult:
    return recall(
        outcome,
        estimate,
        rule="gap(recall(failure) by site) <= 0.10",
        threshold=0.1,
        lower=max(0.0, estimate - 0.04),
        upper=estimate + 0.05,
        baseline=0.19,
        path=(),
        guarantee="exact_census",
        claim=text("evidence.claim.census", total=169, unit=text("evidence.unit.case")),
    )


def groups() -> tuple[GroupScore, ...]:
    sites = {
        "Hangzhou plant": (61, 0.93),
        "成都工厂": (54, 0.90),
        "Rotterdam": (38, 0.87),
        "a site with a very long name": (16, None),
    }
    return tuple(
        GroupScore(
            column="site",
            group=name,
            measure="recall(failure)",
            cases=cases,
            score=score,
            lower=None if score is None else score - 0.09,
            upper=None if score is None else min(1.0, score + 0.07),
        )
        for name, (cases, score) in sites.items()
    )


def sections(function: Outcome, production: Outcome = P) -> tuple[Section, ...]:
    def finding(check: str, outcome: Outcome, sentence: Text) -> Finding:
        return Finding(check=check, outcome=outcome, sentence=sentence)

    return (
        Section(
            verification=Verification.DESIGN,
            outcome=P,
            findings=(
                finding("contract", P, text("trial.finding.contract", fields=6, target="failure")),
                finding("intended_use", P, text("trial.finding.intended_use")),
                finding("exact", P, text("data.leakage.exact_none")),
                finding("baseline", P, text("trial.finding.baseline", count=2, kind=text("trial.baseline.rule"))),
            ),
        ),
        Section(
            verification=Verification.FUNCTION,
            outcome=function,
            findings=(
                finding("recall", function, text("trial.finding.criterion_pass", rule="recall(failure) >= 0.80")),
                finding("robustness", N, text("trial.finding.no_robustness")),
                finding("calibration", N, text("trial.finding.no_calibration")),
            ),
        ),
        Section(
            verification=Verification.PROCESS,
            outcome=P,
            findings=(
                finding("answers", P, text("trial.finding.all_answered", cases=5000, answered=5000)),
                finding("abstention", P, text("trial.finding.abstained", abstained=37, answered=5000)),
                finding("hand_over", N, text("trial.finding.no_hand_over")),
            ),
        ),
        Section(
            verification=Verification.ADAPTATION,
            outcome=I,
            findings=(
                finding("runtime", P, text("trial.finding.ran_on", runtime="CPython 3.11.7 x86_64")),
                finding("other", N, text("trial.finding.no_other_runtimes")),
            ),
        ),
        Section(
            verification=Verification.PRODUCTION,
            outcome=production,
            findings=(
                finding("load", P, text("trial.finding.throughput", cases="212,400", p95="12.4", rows=256)),
                finding("soak", N, text("trial.finding.no_soak")),
            ),
        ),
    )


def performance() -> Performance:
    edges = [0.004 + 0.0006 * step for step in range(25)]
    counts = [1, 4, 11, 19, 26, 22, 17, 12, 9, 6, 4, 3, 2, 2, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1]
    return Performance(
        batches=143,
        batch_rows=256,
        load_seconds=0.83,
        wall_seconds=1.02,
        cpu_seconds=1.31,
        memory_peak_bytes=187 << 20,
        cases_per_second=4901.9,
        latency_quantiles={"p50": 0.0067, "p90": 0.0096, "p95": 0.0112, "p99": 0.0159, "max": 0.0184},
        latency_histogram=tuple(zip(edges[:-1], edges[1:], counts, strict=True)),
    )


def build(**changes: object) -> Report:
    units = {"air_temperature": "K", "process_temperature": "K", "speed": "1/min", "torque": "Nm", "tool_wear": "min"}
    features = tuple(Field(name=name, data_type=DataType.FLOAT, unit=unit) for name, unit in units.items())
    value: dict[str, object] = {
        "plan": digest("plan"),
        "scenario": ScenarioReference(
            name="machine-failure",
            owner=Contact(organisation="plant-one"),
            digest=digest("scenario"),
            public_sample=digest("public"),
            hidden_set=digest("hidden"),
            hidden_cases=5000,
        ),
        "scenario_title": Localized(en="Predict machine failure before it stops the line", zh="停线之前预测设备故障"),
        "sector": "manufacturing",
        "data_nature": "measured",
        "application": ApplicationReference(
            name="gradient-forest",
            version="1.2.0",
            supplier=Contact(organisation="acme-analytics"),
            digest=digest("application"),
            environment=digest("environment"),
        ),
        "application_title": "Gradient forest",
        "contract": Contract(features=features, prediction=Prediction(kind="label", classes=("failure", "no failure"))),
        "verdict": Verdict.ACCEPT,
        "reasons": (text("trial.reason.all_met", count=4),),
        "attempt": Attempt(
            number=2,
            alpha=0.05 / 6,
            alpha_of_all=0.05,
            reserved=5000,
            answered=5000,
            scored=5000,
            rests=RestsOn(cases=1240, label="failure", of_label=43),
            fresh_left=0,
        ),
        "sections": sections(P),
        "criteria": (recall(P, 0.915), precision(P, 0.62), gap(P, 0.06), latency(P, 0.0112)),
        "groups": groups(),
        "errors": ErrorCounts(
            label="failure", cases=5000, misses=14, false_alarms=95, baseline_misses=117, baseline_false_alarms=66
        ),
        "costs": Costs(miss=8000, false_alarm=400),
        "counts": {"cases": 5000, "answered": 5000, "abstained": 37, "scored": 5000},
        "isolation": Isolation(
            level=IsolationLevel.L2,
            start="D",
            memory_watch="cgroup-v1",
            limits=Limits(),
            end=EndReason.FINISHED,
            log_bytes=1832,
        ),
        "performance": performance(),
        "records": Records(root=digest("root"), leaves=20, answers=digest("answers"), blob=digest("blob")),
        "order": Order(commitment=digest("order"), nonce="0f" * 16, secret="a1" * 32),
        "started_at": STARTED,
        "ended_at": STARTED + timedelta(seconds=41),
        "software": "pilotbase 0.1.0",
    }
    return Report.model_validate({**value, **changes})


def rejected() -> Report:
    missed = text("trial.reason.missed", rule="recall(failure) >= 0.80", estimate="0.424")
    return build(
        verdict=Verdict.REJECT,
        reasons=(missed,),
        application_title="Always-on threshold rule",
        sections=sections(F),
        criteria=(recall(F, 0.424, 61), precision(I, 0.52), latency(P, 0.0008)),
    )


def inconclusive() -> Report:
    wide = recall(I, 0.823, lower=0.74, upper=0.88, needed=640, detectable=0.031)
    reason = text("trial.reason.needs_cases", rule=wide.rule, estimate="0.823", needed=640)
    return build(
        verdict=Verdict.INCONCLUSIVE,
        reasons=(reason,),
        sections=sections(I),
        criteria=(wide, precision(P, 0.61), latency(P, 0.031)),
    )


def unmeasured(result: CriterionResult) -> CriterionResult:
    empty = {"estimate": None, "lower": None, "upper": None, "scored": 0, "path": (), "baseline": None}
    return result.model_copy(update=empty)


def broken_off() -> Report:
    return build(
        verdict=Verdict.REJECT,
        reasons=(text("trial.reason.ended", reason=text("box.end.memory_limit"), answered=0),),
        sections=(
            *sections(N)[:2],
            Section(verification=Verification.PROCESS, outcome=F),
            Section(verification=Verification.ADAPTATION, outcome=N),
            Section(verification=Verification.PRODUCTION, outcome=N),
        ),
        criteria=(
            unmeasured(recall(N, 0.0)),
            unmeasured(latency(N, 0.0)),
        ),
        groups=(),
        performance=None,
        isolation=Isolation(
            level=IsolationLevel.L2,
            start="C",
            memory_watch="supervisor",
            limits=Limits(),
            end=EndReason.MEMORY_LIMIT,
            detail="1,073,741,824 bytes",
            log_bytes=0,
        ),
    )


def rehearsal() -> Report:
    return build(
        evidence=False, plan=None, scenario=None, attempt=None, records=None, order=None, counts={"cases": 4500}
    )


@pytest.fixture(scope="session")
def reports() -> Reports:
    accepted = build()
    return {
        "accepted": accepted,
        "rejected": rejected(),
        "inconclusive": inconclusive(),
        "broken-off": broken_off(),
        "rehearsal": rehearsal(),
        "supplier": accepted.supplier_view(),
    }


@pytest.fixture(scope="session")
def certificate(reports: Reports) -> Certificate:
    report = reports["accepted"]
    assert report.scenario is not None
    shown = text(
        "certificate.shown.accept",
        criteria="recall(failure) >= 0.80, precision(failure) >= 0.50",
        estimand=text("certificate.of.both", cases=5000),
        alpha="0.008333",
        total="0.05",
        exactness=text("certificate.exactness.exact"),
    )
    claim = text(
        "certificate.claim.accept",
        application="gradient-forest 1.2.0",
        digest="sha256:6ab0c2f4e1d8…",
        plan="sha256:9f21d0aa34bc…",
        scored=1240,
        cases=5000,
        shown=shown,
        assumptions=text("certificate.assuming.population", unit=text("certificate.unit.case")),
    )
    return Certificate(
        serial=report.digest(),
        verdict=report.verdict,
        application=report.application,
        scenario=report.scenario,
        plan=digest("plan"),
        report=report.digest(),
        attempt=2,
        claim=claim,
        criteria=tuple(result.rule for result in report.criteria),
        guarantee="measured_run",
        isolation="L2",
        remarks=(text("certificate.remark.no_separation"),),
        issued_at=STARTED,
        expires_at=STARTED + timedelta(days=365),
        issuer="base-one",
    )
