"""What a report says of the design 设计: contract, use and its risk, papers, leakage, baseline and people, labels.

Nothing here moves a verdict: it says whether what was measured is what will be used.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.data.leakage import Leakage
from pilotbase.documents.application import Application
from pilotbase.documents.base import Day, localized
from pilotbase.documents.label_statement import LabelStatement
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, RiskLevel
from pilotbase.trial.label_findings import label_findings
from pilotbase.trial.people_finding import people_finding


@dataclass(frozen=True)
class DesignInputs:
    """What the design section is made of."""

    scenario: Scenario
    application: Application
    reviewed: bool
    """A criterion asks what people make of the answers."""
    leakage: Leakage | None
    """None in a rehearsal: there is nothing hidden to leak."""
    baseline: tuple[tuple[str, float | None], ...]
    """(rule, the baseline's score on the same cases)."""
    labels: LabelStatement | None
    day: Day | None
    """On which papers must hold; None: it is not asked."""
    people: tuple[tuple[str, float | None], ...] = ()
    """(rule, people's score on the same cases)."""


def design_findings(design: DesignInputs) -> list[Finding]:
    """Return the findings, in the order in which they are read."""
    scenario = design.scenario
    contract = text("trial.finding.contract", fields=len(scenario.feature_fields), target=scenario.data.target)
    return [
        Finding(check="contract", outcome=Outcome.PASS, sentence=contract),
        declared("intended_use", localized(scenario.intended_use), text("trial.finding.intended_use")),
        *_risk(design),
        _model_card(design.application),
        _licences(design),
        _filings(design),
        *_leaks(design.leakage),
        *_in_time(scenario),
        _baseline(design),
        people_finding(scenario, design.baseline, design.people),
        *label_findings(scenario, design.labels),
    ]


def declared(check: str, words: str, sentence: Text) -> Finding:
    """Return that something is declared, or that it is not, which is no pass."""
    if words:
        return Finding(check=check, outcome=Outcome.PASS, sentence=sentence)
    return unmeasured(check, text("trial.finding.not_declared", what=text(f"trial.declared.{check}")))


def unmeasured(check: str, sentence: Text) -> Finding:
    """Return that something was not measured."""
    return Finding(check=check, outcome=Outcome.NOT_MEASURED, sentence=sentence)


def _risk(design: DesignInputs) -> list[Finding]:
    """Say how risky the use is, and of a high risk whether people stay in charge and are counted in.

    Regulation (EU) 2024/1689, Article 14, asks for human oversight of high-risk systems; the level is the owner's word.
    """
    risk = design.scenario.risk
    if risk is None:
        return [unmeasured("risk_level", text("trial.finding.no_risk"))]
    sentence = text("trial.finding.risk", level=text(f"scenario.risk.{risk.level.value}"))
    stated = Finding(check="risk_level", outcome=Outcome.PASS, sentence=sentence)
    if risk.level is not RiskLevel.HIGH:
        return [stated]
    overseen = bool(localized(design.application.model_card.human_oversight))
    return [stated, _asked("risk_oversight", overseen), _asked("risk_review", design.reviewed)]


def _asked(check: str, there: bool) -> Finding:
    outcome, key = (Outcome.PASS, check) if there else (Outcome.INCONCLUSIVE, f"no_{check}")
    return Finding(check=check, outcome=outcome, sentence=text(f"trial.finding.{key}"))


def _model_card(application: Application) -> Finding:
    card = application.model_card
    whole = all(localized(part) for part in (card.training_data, card.limitations, card.human_oversight))
    sentence = text("trial.finding.card_complete" if whole else "trial.finding.card_incomplete")
    return Finding(check="model_card", outcome=Outcome.PASS if whole else Outcome.INCONCLUSIVE, sentence=sentence)


def _licences(design: DesignInputs) -> Finding:
    """Say under which licences application and data stand, and whether the scenario allows the application's."""
    conditions, licence = design.scenario.conditions, design.application.licence
    allowed = None if conditions is None else conditions.licences
    if allowed is not None and licence.casefold() not in {one.casefold() for one in allowed}:
        sentence = text("trial.finding.licence_refused", licence=licence, allowed=list(allowed))
        return Finding(check="licences", outcome=Outcome.FAIL, sentence=sentence)
    data = design.scenario.data.licence
    if data is None:
        return unmeasured("licences", text("trial.finding.no_data_licence", licence=licence))
    sentence = text("trial.finding.licences", licence=licence, data=data)
    return Finding(check="licences", outcome=Outcome.PASS, sentence=sentence)


def _filings(design: DesignInputs) -> Finding:
    """Say which filings and approvals are shown, and which of them has run out."""
    approvals = [(one.kind, one.until) for one in design.scenario.trial.approvals]
    shown = [(one.kind, one.until) for one in design.application.evidence or ()]
    if not approvals and not shown:
        return unmeasured("filings", text("trial.finding.no_filings"))
    day = design.day
    over = [kind for kind, until in (*approvals, *shown) if day is not None and until is not None and until < day]
    if over:
        sentence = text("trial.finding.filings_over", kinds=over)
        return Finding(check="filings", outcome=Outcome.INCONCLUSIVE, sentence=sentence)
    sentence = text("trial.finding.filings", approvals=len(approvals), shown=len(shown))
    return Finding(check="filings", outcome=Outcome.PASS, sentence=sentence)


def _leaks(leakage: Leakage | None) -> list[Finding]:
    return [
        Finding(check=check.name, outcome=check.outcome, sentence=check.sentence, confidential=True)
        for check in (leakage.checks if leakage is not None else ())
    ]


def _in_time(scenario: Scenario) -> list[Finding]:
    """Say that place in time was no secret, where the scenario asks for that."""
    if scenario.delivered_by is None:
        return []
    sentence = text("trial.finding.in_time", column=scenario.delivered_by)
    return [Finding(check="delivery", outcome=Outcome.PASS, sentence=sentence)]


def _baseline(design: DesignInputs) -> Finding:
    measured = [rule for rule, score in design.baseline if score is not None]
    if not measured:
        return unmeasured("baseline", text("trial.finding.no_baseline"))
    baseline = design.scenario.baseline
    kind = text(f"trial.baseline.{baseline.kind}") if baseline is not None else text("trial.baseline.none")
    sentence = text("trial.finding.baseline", count=len(measured), kind=kind)
    return Finding(check="baseline", outcome=Outcome.PASS, sentence=sentence)
