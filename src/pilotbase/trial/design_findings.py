"""The design 设计 section of a report: contract, use and its risk, documents, leakage, baseline and people, labels.

Nothing here changes a verdict: it shows whether the trial measured what will be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotbase.data.labelling.quality import figure_line
from pilotbase.data.leakage import Leakage
from pilotbase.documents.application import Application
from pilotbase.documents.base import Day, localized
from pilotbase.documents.labelling import LabelQuality, PublishedLabels
from pilotbase.documents.probes import ExpertPanel
from pilotbase.documents.quality import LabelAudit, LabelFigure, LabelStatement
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import ColumnBaseline, Scenario
from pilotbase.documents.subjects import labels_head
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Outcome, RiskLevel
from pilotbase.evidence.distributions import wilson
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

Scores = Sequence[tuple[str, float | None]]


@dataclass(frozen=True)
class DesignInputs:
    """The inputs of the design section."""

    scenario: Scenario
    application: Application
    reviewed: bool
    """A criterion asks what people make of the answers."""
    leakage: Leakage | None
    """None in a rehearsal: it has no hidden cases that could leak."""
    baseline: tuple[tuple[str, float | None], ...]
    """(rule, the baseline's score on the same cases)."""
    labels: LabelStatement | None
    day: Day | None
    """On which papers must hold; None: it is not asked."""
    people: tuple[tuple[str, float | None], ...] = ()
    """(rule, people's score on the same cases)."""


def design_findings(design: DesignInputs) -> list[Finding]:
    """Return the findings in reading order."""
    scenario = design.scenario
    return [
        *_contract(scenario),
        declared("intended_use", localized(scenario.intended_use), text("trial.finding.intended_use")),
        *_risk(design),
        _model_card(design.application),
        _licences(design),
        _filings(design),
        *_world(scenario),
        *_leaks(design.leakage),
        *_in_time(scenario),
        _baseline(design),
        people_finding(scenario, design.baseline, design.people),
        *label_findings(scenario, design.labels),
    ]


def _contract(scenario: Scenario) -> list[Finding]:
    """Report what cases were held against; episodes have a world in place of columns."""
    if scenario.world is not None:
        return []
    sentence = text("trial.finding.contract", fields=len(scenario.feature_fields), target=scenario.data.target)
    return [Finding(check="contract", outcome=Outcome.PASS, sentence=sentence)]


def declared(check: str, words: str, sentence: Text) -> Finding:
    """Return that something is declared, or that it is not, which is no pass."""
    if words:
        return judged(check, holds=True, sentence=sentence)
    return unmeasured(check, text("trial.finding.not_declared", what=text(f"trial.declared.{check}")))


def judged(check: str, holds: bool, sentence: Text, otherwise: Outcome = Outcome.FAIL) -> Finding:
    """Return that something holds, or that it does not: a failure, or what is said ``otherwise``."""
    return Finding(check=check, outcome=Outcome.PASS if holds else otherwise, sentence=sentence)


def unmeasured(check: str, sentence: Text) -> Finding:
    """Return that something was not measured."""
    return judged(check, holds=False, sentence=sentence, otherwise=Outcome.NOT_MEASURED)


def people_finding(scenario: Scenario, baseline: Scores, people: Scores) -> Finding:
    """Return the finding on human performance; ``baseline``, ``people``: (rule, its score) of each criterion.

    A baseline that is a column contains past decisions: if the scenario names no other column, people are measured as
    the baseline.
    """
    of_baseline = scenario.people is None and isinstance(scenario.baseline, ColumnBaseline)
    count = sum(score is not None for _, score in (baseline if of_baseline else people))
    if not count:
        code = "trial.finding.no_people" if scenario.people is None else "trial.finding.people_unmeasured"
        return unmeasured("people", text(code))
    code = "trial.finding.people_are_baseline" if of_baseline else "trial.finding.people"
    return judged("people", holds=True, sentence=text(code, count=count))


def label_findings(scenario: Scenario, published: LabelStatement | None = None) -> list[Finding]:
    """Return the findings on labels: how far annotators agree, and how far wrong labels can shift an accuracy.

    With e the share of wrong labels among the scored cases, |true accuracy − measured accuracy| ≤ e: a case can be
    counted wrongly only if its label is wrong. An audit bounds, by Wilson's interval, the e of the labels it was drawn
    from.
    ``published``: what the owner of the scenario's dataset had published when the plan was frozen; it is used if the
    scenario itself states nothing.
    """
    stated = scenario.data.labels or published
    if stated is None:
        return [unmeasured("labels", text("trial.finding.no_labels"))]
    return [_agreement(stated.agreement, stated.guideline), _error(stated.audit, scenario.target_form != "numbers")]


@dataclass(frozen=True)
class ModelAgreement:
    """How far a judge and the experts agree on ``judged`` answers, and how many verdicts it saves."""

    scored: int
    cases: int
    judged: int
    agreeing: int
    kindness: float
    """Mean score less the share that experts call good."""
    worth: int | None
    """How many verdicts alone say as much; None where they do not vary."""


@dataclass(frozen=True)
class PanelFound:
    """A panel, how far its experts agreed, and how far a judge model agreed with them if there is one."""

    terms: ExpertPanel
    quality: LabelQuality
    model: ModelAgreement | None

    @property
    def disputed(self) -> bool:
        """Return whether experts differ on so many of the answers both judged that their verdicts decide nothing."""
        return self.quality.disagreements > self.terms.disagreement * self.quality.double_labelled


def panel_findings(panel: PanelFound | None) -> Iterator[Finding]:
    """Yield how far the experts agreed who judged the answers, what they cost, and what a judge model saved."""
    if panel is None:
        return
    terms, found = panel.terms, panel.quality
    kappa = found.figure("cohen_kappa").value
    told = {
        "judged": found.items,
        "double": found.double_labelled,
        "differing": found.disagreements,
        "kappa": "–" if kappa is None else f"{kappa:.2f}",
        "cost": "–" if terms.fee is None else f"{terms.fee * (found.labels + found.adjudicated):,f} {terms.currency}",
    }
    disputed = text("trial.finding.panel_disputed", **told, most=percent(terms.disagreement))
    agreed = text("trial.finding.panel", **told)
    sentence, outcome = (disputed, Outcome.INCONCLUSIVE) if panel.disputed else (agreed, Outcome.PASS)
    yield Finding(check="panel", outcome=outcome, sentence=sentence)
    if (model := panel.model) is not None and terms.judge is not None:
        told = {**vars(model), "model": terms.judge.endpoint.model, "kindness": f"{model.kindness:+.2f}"}
        told |= {"agreement": percent(model.agreeing / max(model.judged, 1), ".1f"), "worth": model.worth or "–"}
        yield Finding(check="panel_judge", outcome=Outcome.PASS, sentence=text("trial.finding.panel_judge", **told))


def published_statement(view: View, scenario: Scenario) -> LabelStatement | None:
    """Return the published statement on the labels of a scenario's dataset, if the scenario has none."""
    dataset = scenario.data.dataset
    if scenario.data.labels is not None or dataset is None:
        return None
    published, listing = view.load_head(labels_head(dataset), PublishedLabels), find_listing(view, dataset)
    if published is None or listing is None or published.version != listing.digest:
        return None
    return published.statement


def _risk(design: DesignInputs) -> list[Finding]:
    """Report the risk of the use; for a high risk, also whether people stay in charge and are measured.

    Regulation (EU) 2024/1689, Article 14, requires human oversight of high-risk systems; the owner states the level.
    """
    risk = design.scenario.risk
    if risk is None:
        return [unmeasured("risk_level", text("trial.finding.no_risk"))]
    sentence = text("trial.finding.risk", level=text(f"scenario.risk.{risk.level.value}"))
    stated = Finding(check="risk_level", outcome=Outcome.PASS, sentence=sentence)
    if risk.level is not RiskLevel.HIGH:
        return [stated]
    overseen = bool(localized(design.application.model_card.human_oversight))
    return [
        stated,
        *(
            judged(check, there, text(f"trial.finding.{check if there else f'no_{check}'}"), Outcome.INCONCLUSIVE)
            for check, there in (("risk_oversight", overseen), ("risk_review", design.reviewed))
        ),
    ]


def _model_card(application: Application) -> Finding:
    card = application.model_card
    whole = all(localized(part) for part in (card.training_data, card.limitations, card.human_oversight))
    sentence = text("trial.finding.card_complete" if whole else "trial.finding.card_incomplete")
    return judged("model_card", whole, sentence, Outcome.INCONCLUSIVE)


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
    sentence = text("trial.finding.filings", approvals=len(approvals), shown=len(shown))
    if over:
        sentence = text("trial.finding.filings_over", kinds=over)
    return judged("filings", not over, sentence, Outcome.INCONCLUSIVE)


def _world(scenario: Scenario) -> list[Finding]:
    """Report in which world episodes are played, and by whom it was tried before."""
    if scenario.world is None:
        return []
    sentence = text("trial.finding.world", world=scenario.world.name or scenario.name)
    return [Finding(check="world", outcome=Outcome.PASS, sentence=sentence)]


def _leaks(leakage: Leakage | None) -> list[Finding]:
    return [
        Finding(check=check.name, outcome=check.outcome, sentence=check.sentence, confidential=True)
        for check in (leakage.checks if leakage is not None else ())
    ]


def _in_time(scenario: Scenario) -> list[Finding]:
    """Report that place in time wasn't secret, if the scenario requires time order."""
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


def _agreement(figure: LabelFigure, guideline: str) -> Finding:
    if figure.value is None:
        return unmeasured("label_agreement", text("trial.finding.no_label_agreement"))
    said = text("trial.finding.label_agreement", guideline=guideline, figure=figure_line(figure))
    return judged("label_agreement", holds=True, sentence=said)


def _error(audit: LabelAudit | None, of_classes: bool) -> Finding:
    if audit is None:
        return unmeasured("label_error", text("trial.finding.no_label_error"))
    most = percent(1 - wilson(audit.correct, audit.audited).lower, ".2f")
    code = "trial.finding.label_error" if of_classes else "trial.finding.label_error_of_numbers"
    said = text(code, audited=audit.audited, correct=audit.correct, most=most)
    return judged("label_error", holds=True, sentence=said)
