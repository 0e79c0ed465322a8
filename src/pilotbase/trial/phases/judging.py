"""Judging: the order of scoring is opened, answers and truth meet, and the criteria are decided.

Where experts judge, the trial waits here until their verdicts are in. They judge the first cases of the secret order,
which is drawn after all answers are committed, and see case, answer and guideline; the names of items tell nothing of
cases, and nothing there names the application.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pydantic
from numpy.typing import NDArray

from pilotbase.data.labelling.gathering import Annotation, Gathered
from pilotbase.data.labelling.quality import label_quality
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes, hex_of
from pilotbase.documents.labelling import (
    ANNOTATORS,
    JUDGE,
    LabelledItem,
    LabelledItems,
    LabellingCampaign,
    LabelQuality,
    LabelSource,
    PanelSheet,
    PanelVerdicts,
)
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.probes import PANEL
from pilotbase.documents.progress import Progress
from pilotbase.documents.subjects import verdicts_head
from pilotbase.documents.texts import text
from pilotbase.evidence import draw_order
from pilotbase.measures import Cases, coded
from pilotbase.measures.cases import JUDGED_GOOD, JUDGED_POOR
from pilotbase.trial.design_findings import is_disputed
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.phases.asking import CommittedTrial
from pilotbase.trial.phases.opening import TrialContext
from pilotbase.trial.probes import measured
from pilotbase.trial.scoring import ScoredDecision, build_cases, describe, judge, unit_codes
from pilotbase.trial.verdict_rules import levels_of, scoring_seed
from pilotbase.vault.attempts import mark_scored, reveal_order
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.workspace.actors import BASE, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

WAITING = "trial.panel_waiting"
GUIDELINE = "guideline.md"
ANSWER = "answer 回答"
_Items = pydantic.TypeAdapter(dict[str, dict[str, str]])


@dataclass(frozen=True)
class DecidedTrial:
    """A decided trial, with the order in which its cases were scored."""

    committed: CommittedTrial
    cases: Cases
    """As they are stored."""
    quality: LabelQuality | None
    """How far experts agreed, if they judged the answers."""
    order: NDArray[np.int64]
    secret: bytes
    """Of the order."""
    judged: ScoredDecision

    @property
    def trial(self) -> TrialContext:
        return self.committed.trial

    @property
    def scored(self) -> NDArray[np.int64]:
        """Return the rows that were scored, as they were."""
        return self.order[: self.judged.decision.scored]


def decide_trial(committed: CommittedTrial) -> DecidedTrial:
    """Return the decision of the criteria on committed answers; the scored cases are marked for ever.

    Raises `RefusedError` (`WAITING`) until experts have judged the answers, where the plan has a panel.
    """
    trial, reserved = committed.trial, committed.reserved
    lab, plan, frame, attempt = trial.lab, trial.plan, reserved.frame, reserved.attempt
    trial.on_progress(Progress(text("trial.progress.score")))
    secret = reveal_order(lab.vault, trial.hidden, attempt)
    order = draw_order(frame.height, scoring_seed(plan, secret), unit_codes(plan.criteria, frame))
    frame, quality = _with_verdicts(committed, order)
    kept = _cases(committed, frame)
    cases = coded(kept)
    levels = levels_of(plan, trial.hidden.alpha, attempt.number)
    decision = judge(plan.criteria, cases, order, levels, measured(committed.clean.run.load), plan.design)
    mark_scored(lab.vault, attempt, attempt.cases[order[: decision.scored]])
    if (alone := committed.asked_alone) is not None:
        committed = committed.with_scores(kept, _cases(alone, reserved.frame).answers, order[: decision.scored])
    judged = describe(plan.criteria, cases, order, decision, plan.contract.prediction.unit)
    return DecidedTrial(committed, kept, quality, order, secret, judged)


def sheet_of(view: View, plan: Digest) -> PanelSheet | None:
    """Return what of a trial experts have to judge; None as long as its answers are not committed."""
    return view.load_head(_sheet_head(plan), PanelSheet)


def items_to_judge(lab: TrialRuntime, plan: TrialPlan) -> Mapping[str, Mapping[str, str]]:
    """Return item → fields of what experts see, with the answer; raises `NotFoundError` before answers are committed.

    The log records the opening.
    """
    sheet, owner = sheet_of(lab.view, plan.digest()), plan.scenario.owner.organisation
    if sheet is None:
        raise NotFoundError("trial.panel_not_asked")
    return _Items.validate_json(open_envelope(lab.vault, owner, plan.digest(), sheet.blob, ReaderGrant.of_owner(owner)))


def campaign_of(plan: TrialPlan) -> LabellingCampaign:
    """Return the campaign of a plan's panel; raises `NotFoundError` if it has none."""
    if plan.panel is None:
        raise NotFoundError("trial.panel_not_asked")
    guideline = {
        "version": plan.panel.version,
        "file": GUIDELINE,
        "digest": digest_bytes(plan.panel.guideline.encode()),
    }
    return LabellingCampaign.from_json_value(
        {
            "document": "labelling/1",
            "name": f"panel-{hex_of(plan.digest())[:12]}",
            "of": plan.digest(),
            "guideline": guideline,
            "classes": [JUDGED_GOOD, JUDGED_POOR],
            "annotators": [{"name": name} for name in ANNOTATORS],
            "adjudicator": JUDGE,
        }
    )


def take_verdicts(
    lab: TrialRuntime, plan: TrialPlan, items: Sequence[LabelledItem], guideline: Digest, source: LabelSource
) -> None:
    """Keep the experts' verdicts on a trial's answers, once and for all.

    Raises:
        NotFoundError: the plan has no panel, or nothing is to be judged yet.
        RefusedError: they followed another guideline than the frozen one.
        InputError: an answer has no verdict, or too few were judged twice.
    """
    campaign, digest, sheet = campaign_of(plan), plan.digest(), sheet_of(lab.view, plan.digest())
    if sheet is None or plan.panel is None:
        raise NotFoundError("trial.panel_not_asked")
    if guideline != campaign.guideline.digest:
        raise RefusedError("trial.panel_guideline", found=guideline, frozen=campaign.guideline.digest)
    judged = {one.item for one in items if one.label in campaign.classes}
    if judged != set(sheet.items) or len(items) != len(judged):
        raise InputError("trial.panel_incomplete", count=len(sheet.items), judged=len(judged & set(sheet.items)))
    twice, needed = sum(len(one.given) > 1 for one in items), int(plan.panel.double * len(items))
    if twice < needed:
        raise InputError("trial.panel_too_few_twice", found=twice, needed=needed)
    given = tuple(Annotation(one.item, each.annotator, each.label, each.at) for one in items for each in one.given)
    quality = label_quality(campaign, Gathered(given, Counter(), ()), items)
    labelled = LabelledItems(
        campaign=campaign.digest(),
        guideline=campaign.guideline,
        adjudicator=campaign.adjudicator,
        sources=(source,),
        items=tuple(items),
    )
    made = PanelVerdicts(plan=digest, labelled=labelled, quality=quality)
    with lab.view.transaction("trial.panel_judged") as change:
        kept = change.put(made, parties(), owner=plan.scenario.owner.organisation)
        if lab.view.head(verdicts_head(digest)) is None:
            change.set_head(verdicts_head(digest), kept, expected=None)


def _cases(committed: CommittedTrial, frame: pl.DataFrame) -> Cases:
    trial, reserved = committed.trial, committed.reserved
    perturbed = {str(arm.under): arm.values for arm in committed.perturbed}
    scenario = trial.sealed.scenario.model_copy(update={"criteria": trial.plan.criteria})
    classes = trial.sealed.record.classes
    return build_cases(scenario, classes, frame, committed.clean.values, reserved.others, perturbed)


def _with_verdicts(committed: CommittedTrial, order: NDArray[np.int64]) -> tuple[pl.DataFrame, LabelQuality | None]:
    """Return the rows with a column of experts' verdicts, and how far experts agreed; without a panel as they are.

    Verdicts of experts who differ too often are left out, so that they decide nothing. Raises `RefusedError`
    (`WAITING`) until the verdicts are in; what is to be judged is sealed by then.
    """
    plan, frame, lab = committed.trial.plan, committed.reserved.frame, committed.trial.lab
    if plan.panel is None:
        return frame, None
    sample = {f"{place:06}": row for place, row in enumerate(order[: plan.panel.cases].tolist(), 1)}
    answers = committed.spelled
    asked = {item: row for item, row in sample.items() if answers[row] is not None}
    found = lab.view.load_head(verdicts_head(plan.digest()), PanelVerdicts)
    if found is None and asked:
        if sheet_of(lab.view, plan.digest()) is None:
            _seal(committed, {item: (row, answers[row]) for item, row in asked.items()})
        raise RefusedError(WAITING, count=len(asked))
    said = [""] * frame.height
    if found is None or not is_disputed(plan.panel, found.quality):
        given = {} if found is None else {one.item: one.label for one in found.labelled.items}
        for item, row in sample.items():
            said[row] = given.get(item) or JUDGED_POOR
    return frame.with_columns(pl.Series(PANEL, said, pl.String)), None if found is None else found.quality


def _seal(committed: CommittedTrial, asked: Mapping[str, tuple[int, str | None]]) -> None:
    trial, frame = committed.trial, committed.reserved.frame
    names = [field.name for field in trial.sealed.scenario.feature_fields]
    texts = {name: frame[name].cast(pl.String).fill_null("").to_list() for name in names}
    items = {
        item: {**{name: texts[name][row] for name in names}, ANSWER: answer} for item, (row, answer) in asked.items()
    }
    plan, owner = trial.plan.digest(), trial.hidden.owner
    blob = seal_envelope(trial.lab.vault, owner, plan, json.dumps(items, ensure_ascii=False).encode())
    with trial.lab.view.transaction("trial.panel_asked") as change:
        digest = change.put(PanelSheet(plan=plan, items=tuple(items), blob=blob), BASE, owner=owner)
        change.set_head(_sheet_head(plan), digest, expected=None)


def _sheet_head(plan: Digest) -> str:
    return f"panel-sheet:{plan}"
