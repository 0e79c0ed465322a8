"""What a report says of the labels by which it counts: it moves no verdict, and silence is not taken for certainty."""

from __future__ import annotations

from pilotbase.data.labelling.quality import figure_line
from pilotbase.documents.label_statement import LabelAudit, LabelFigure, LabelStatement
from pilotbase.documents.labelling import PublishedLabels
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import labels_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.evidence.distributions import wilson
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def label_findings(scenario: Scenario, published: LabelStatement | None = None) -> list[Finding]:
    """Return the findings on labels: how far annotators agree, and how far wrong labels can move an accuracy.

    With e the share of wrong labels among the cases scored, |true accuracy − measured accuracy| ≤ e: a case can count
    otherwise only where its label is wrong. What an audit bounds, by Wilson's interval, is e of the labels that it was
    drawn from. ``published``: what the owner of the scenario's dataset had published when the plan was frozen; it is
    taken where the scenario states nothing itself.
    """
    stated = scenario.data.labels or published
    if stated is None:
        return [_finding("labels", Outcome.NOT_MEASURED, text("trial.finding.no_labels"))]
    return [_agreement(stated.agreement, stated.guideline), _error(stated.audit, scenario.target_form != "numbers")]


def published_statement(view: View, scenario: Scenario) -> LabelStatement | None:
    """Return what is published of the labels of a scenario's dataset as it stands, where the scenario is silent."""
    dataset = scenario.data.dataset
    if scenario.data.labels is not None or dataset is None:
        return None
    digest, listing = view.head(labels_head(dataset)), find_listing(view, dataset)
    published = view.load(digest, PublishedLabels) if digest is not None else None
    if published is None or listing is None or published.version != listing.digest:
        return None
    return published.statement


def _agreement(figure: LabelFigure, guideline: str) -> Finding:
    if figure.value is None:
        return _finding("label_agreement", Outcome.NOT_MEASURED, text("trial.finding.no_label_agreement"))
    said = text("trial.finding.label_agreement", guideline=guideline, figure=figure_line(figure))
    return _finding("label_agreement", Outcome.PASS, said)


def _error(audit: LabelAudit | None, of_classes: bool) -> Finding:
    if audit is None:
        return _finding("label_error", Outcome.NOT_MEASURED, text("trial.finding.no_label_error"))
    most = f"{1 - wilson(audit.correct, audit.audited).lower:.2%}"
    code = "trial.finding.label_error" if of_classes else "trial.finding.label_error_of_numbers"
    return _finding("label_error", Outcome.PASS, text(code, audited=audit.audited, correct=audit.correct, most=most))


def _finding(check: str, outcome: Outcome, sentence: Text) -> Finding:
    return Finding(check=check, outcome=outcome, sentence=sentence)
