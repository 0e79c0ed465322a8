"""Trial plan 测试方案: what is measured and what counts as pass, frozen by hash before the first run."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name, Part, Suppliers, short_form
from pilotbase.documents.contract import AnswerKind, Contract
from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.endpoint import HourPrice
from pilotbase.documents.exchanges import Exchange
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.probes import Contamination, ExpertPanel, LoadTest, Matrix
from pilotbase.documents.quality import LabelStatement
from pilotbase.documents.scenario import Contact, Criterion
from pilotbase.documents.scenario_data import Label
from pilotbase.documents.site import Release
from pilotbase.documents.standards import StandardReference
from pilotbase.documents.subjects import application_subject, scenario_subject
from pilotbase.documents.texts import Text, text

RecordedKind = Literal[AnswerKind, "scores"]
"""What was recorded for a case: an answer, or scores from external scorers."""


class ApplicationReference(Part):
    """The application version that a plan, report or certificate refers to."""

    name: Name
    version: str
    supplier: Contact
    digest: Digest
    """Content digest of the whole folder."""
    environment: Digest
    """Content digest of the installed requirements."""

    @property
    def subject(self) -> str:
        """The application's name across all its versions."""
        return application_subject(self.supplier.organisation, self.name)


class CaseProspect(Document):
    """What the cases of a scenario version can prove and what stands out in them, told before it is opened."""

    document: Literal["prospect/1"] = "prospect/1"
    scenario: Digest
    proves: tuple[Text, ...] = ()
    against: tuple[Text, ...] = ()
    """Why they can prove nothing; empty: they can."""
    remarks: tuple[Text, ...] = ()
    """Of the data doctor, the gravest first, each with its remedy."""


class ScenarioReference(Part):
    """The scenario version that a plan, report or certificate refers to."""

    name: Name
    owner: Contact
    digest: Digest
    public_sample: Digest
    hidden_set: Digest
    """Digest of the sealed hidden set's record in the vault."""
    hidden_cases: int = pydantic.Field(ge=1)
    hidden_version: int | None = pydantic.Field(default=None, ge=1)
    """Number of the hidden set among the versions of the scenario's data; missing in older plans."""

    @property
    def subject(self) -> str:
        """The scenario's name across all its versions."""
        return scenario_subject(self.owner.organisation, self.name)


MOST_CARRIED = 2
"""Comparisons in a row, after which a version meets the criteria by itself again: the margins add up."""


class CarriedEvidence(Part):
    """What a trial builds on: the certificate of an earlier version, with which the later one is compared."""

    certificates: tuple[Digest, ...] = pydantic.Field(min_length=1, max_length=MOST_CARRIED)
    """Serial numbers, the compared version's first; all must be valid."""
    application: ApplicationReference
    """The version that it is compared with."""
    criteria: tuple[str, ...] = pydantic.Field(min_length=1)
    """What the later version has to meet by itself: thresholds moved by a margin for each comparison."""
    alpha: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Error probability of the earlier certificates, in plans whose later version met these only through them."""


class UnitDraw(Part):
    """The whole units that one attempt draws, fixed beforehand; how many cases they have, the draw decides."""

    column: str
    """Its values are the units: patient, machine, shift."""
    units: int = pydantic.Field(ge=1)
    hidden: int = pydantic.Field(ge=1)
    """Units of the hidden set in all."""
    cases: int = pydantic.Field(ge=1)
    """How many cases such a draw has at most."""
    average: int = pydantic.Field(ge=1)
    """How many cases it has on average."""


def units_for(cases: int, units: int, rows: int) -> int:
    """Return how many of ``units``, which have ``rows`` cases in all, have ``cases`` on average: at least one."""
    return max(1, min(cases, rows) * units // rows)


class TrialPlan(Document, published=True):
    """A frozen plan; a changed plan is a new plan with a new digest.

    The order in which answers are scored is ``SHA-256(secret ‖ nonce)``: the base commits to ``secret`` by its hash
    here, the supplier gives ``nonce``, and the secret is opened only after all answers are committed.
    """

    document: Literal["trial-plan/1"] = "trial-plan/1"
    scenario: ScenarioReference
    application: ApplicationReference
    sealed: Digest
    """The base's record of the sealed data: public sample, hidden set, classes, reference application."""
    contract: Contract
    positive: str | None = None
    decision_threshold: float = 0.5
    criteria: tuple[Criterion, ...] = pydantic.Field(min_length=1, max_length=100)
    cases: int = pydantic.Field(ge=1)
    """Fresh hidden cases that one attempt answers; of whole units, at most."""
    draw: UnitDraw | None = None
    """The whole units that are drawn, if the criteria count units; cases when not set."""
    repeats: int | None = pydantic.Field(default=None, ge=2, le=50)
    """How often each case is asked; once when not set."""
    asked_again: int | None = pydantic.Field(default=None, ge=0, le=10_000)
    """Cases asked again alone; when not set 150, none of an endpoint."""
    design: TrialDesign = TrialDesign.model_construct()
    attempts: int = pydantic.Field(ge=1)
    suppliers: Suppliers | None = None
    """Among whom the error probability is split, if the scenario says so."""
    isolation: IsolationLevel
    limits: Limits
    batch_rows: int = pydantic.Field(ge=1)
    delivery: Literal["in_time"] | None = None
    """In order of time, if the scenario says so; in a secret order when not set, fixed by the hidden set's secret."""
    order_commitment: Digest
    nonce: str = pydantic.Field(pattern=r"^[0-9a-f]{32}$")
    release: Release | None = None
    """What of the report may leave the site, if the trial runs at one."""
    labels: LabelStatement | None = None
    """What the owner of the scenario's dataset had published about its labels, if the scenario itself says nothing."""
    standards: tuple[StandardReference, ...] | None = None
    """The versions of the scenario's profiles at the time the plan was frozen."""
    load_test: LoadTest | None = None
    matrix: Matrix | None = None
    processor_hour: HourPrice | None = None
    exchanges: tuple[Exchange, ...] | None = None
    contamination: Contamination | None = None
    panel: ExpertPanel | None = None
    carries: CarriedEvidence | None = None
    """The certificate that it builds on: its criteria are then ``lift``, and the baseline is the earlier version."""
    frozen_at: Moment
    software: str
    """Name and version of the software that froze the plan."""


def attempts_held(allowed: int, cases: int, hidden: int, draw: UnitDraw | None) -> Text:
    """Return how many attempts of ``cases`` the ``hidden`` cases hold, or of a ``draw``; beside the number allowed."""
    if draw is not None:
        held, told = min(allowed, draw.hidden // draw.units), {"units": draw.units, "hidden": draw.hidden}
        return text(
            "trial.attempts_held_units", held=held, unit=draw.column, cases=draw.average, allowed=allowed, **told
        )
    return text("trial.attempts_held", held=min(allowed, hidden // cases), cases=cases, hidden=hidden, allowed=allowed)


class DecisionPrediction(Part):
    """What the application answers, and in which form."""

    kind: RecordedKind = "label"
    """A ranking is labels, best first, and an interval its two ends: both with ``|`` between them; others as
    `answer_texts` spells them. ``scores``: of ``score(scorer) >= 0.8``."""
    classes: tuple[Label, ...] = pydantic.Field(default=(), max_length=10_000)
    """All labels; if empty, those found in the cases."""
    positive: Label | None = None
    """The class whose probability is the answer, and that a rule without a class refers to."""


class DecisionPlan(Document, published=True):
    """What ``pilotbase trial decide`` needs to know: a plan without scenario, application and box.

    A frozen plan or a scenario's file works too; by hand a few lines are enough::

        criteria: [recall(broken) >= 0.90, accuracy >= 0.85]
        prediction: {kind: label, classes: [broken, fine], positive: broken}
        alpha: 0.05
    """

    document: Literal["decision-plan/1"] = "decision-plan/1"
    criteria: tuple[Annotated[Criterion, short_form("rule")], ...] = pydantic.Field(min_length=1, max_length=100)
    """Each a rule, or a mapping with ``rule``, ``estimand`` and ``unit``."""
    prediction: Annotated[DecisionPrediction, short_form("kind")] = DecisionPrediction.model_construct()
    """The kind alone is enough: ``prediction: value``."""
    decision_threshold: float = pydantic.Field(default=0.5, gt=0, lt=1)
    alpha: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Error probability over all attempts; one minus the highest confidence of a criterion when not set."""
    attempt: int = pydantic.Field(default=1, ge=1, le=10**6)
    """Which attempt on the hidden set this is: number j is decided at α/(j(j+1))."""
    candidates: int = pydantic.Field(default=1, ge=1, le=10**6)
    """Number of candidates to take the best of, fixed beforehand: each is decided at its share of the level."""
    design: TrialDesign = TrialDesign.model_construct()
    labels: Literal["all", "score"] = "all"
    """``score``: true labels are known for few cases and a judge's score for all (prediction-powered verification)."""
    judge_weight: float = pydantic.Field(default=0.75, ge=0, le=1)
    """Weight of the judge's scores (λ), fixed before any label is seen; low for a poor judge."""
    judge_group: int | None = pydantic.Field(default=None, ge=1, le=99)
    """Unlabelled cases compared with each labelled one, for a claim about the population; 9 when not set, so at most a
    tenth of the cases count as labelled."""
