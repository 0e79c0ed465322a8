"""The panel: experts judge the first cases of the secret order, which is drawn after all answers are committed.

One expert, drawn by chance, judges each answer, and that verdict counts: the claim is about what an expert drawn at
random says. The second and the third verdict on a share of the answers show how far experts agree, and nothing else.

The trial waits until their verdicts are in. They see case, answer and guideline; the names of items tell nothing of
cases, and nothing there names the application. Of an episode they see the dialogue alone, neither seed nor template nor
whether the goal was reached. A judge model scores all answers before the order is opened.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pydantic
from numpy.typing import NDArray

from pilotbase.data.labelling.final_labels import first_labels
from pilotbase.data.labelling.gathering import Annotation, Gathered, assign
from pilotbase.data.labelling.quality import label_quality
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes, hex_of
from pilotbase.documents.labelling import (
    ANNOTATORS,
    JUDGE,
    LabelledItem,
    LabelledItems,
    LabellingCampaign,
    LabelSource,
    PanelSheet,
    PanelVerdicts,
)
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.probes import MODEL, PANEL
from pilotbase.documents.subjects import verdicts_head
from pilotbase.documents.texts import Language
from pilotbase.measures.cases import JUDGED_GOOD, JUDGED_POOR
from pilotbase.trial.design_findings import PanelFound
from pilotbase.trial.judge_models.in_trial import ModelScores, agreement, score_answers
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.phases.asking import CommittedTrial
from pilotbase.trial.scoring import first_units, unit_codes
from pilotbase.trial.shown_cases import pictured_fields, png_address
from pilotbase.trial.shown_episodes import dialogue_lines
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.workspace.actors import BASE, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

WAITING = "trial.panel_waiting"
GUIDELINE = "guideline.md"
ANSWER, DIALOGUE = "answer 回答", "dialogue 对话"
_LONGEST_SIDE, _PIXEL_BYTES = 1024, 128 << 20
"""Of one image, and of all images of a panel."""
_Items = pydantic.TypeAdapter(dict[str, dict[str, str]])


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


def judged_field(plan: TrialPlan) -> str:
    """Return the field of an item that is judged."""
    return DIALOGUE if plan.contract.prediction.kind == "episode" else ANSWER


def as_written(plan: TrialPlan, item: Mapping[str, str], language: Language) -> dict[str, str]:
    """Return an item as people read it on a sheet: a dialogue in lines."""
    lines = {DIALOGUE: dialogue_lines(item[DIALOGUE], language)} if judged_field(plan) == DIALOGUE else {}
    return {**item, **lines}


def assigned_items(plan: TrialPlan, items: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return expert → the answers to judge, in an order of their own; a share of the answers goes to both."""
    assert plan.panel is not None
    return assign(campaign_of(plan), items, plan.panel.double, seed_of(plan))


def seed_of(plan: TrialPlan) -> int:
    """Return the seed of the draw which expert judges which answer."""
    return int(hex_of(plan.digest())[:12], 16)


def take_verdicts(
    lab: TrialRuntime, plan: TrialPlan, items: Sequence[LabelledItem], guideline: Digest, source: LabelSource
) -> None:
    """Keep the experts' verdicts on a trial's answers, once and for all.

    Raises:
        NotFoundError: the plan has no panel, or nothing is to be judged yet.
        RefusedError: they followed another guideline than the frozen one.
        InputError: an answer has no verdict of the expert who was drawn for it, or too few were judged twice.
    """
    campaign, digest, sheet = campaign_of(plan), plan.digest(), sheet_of(lab.view, plan.digest())
    if sheet is None or plan.panel is None:
        raise NotFoundError("trial.panel_not_asked")
    if guideline != campaign.guideline.digest:
        raise RefusedError("trial.panel_guideline", found=guideline, frozen=campaign.guideline.digest)
    first = first_labels(campaign, sheet.items, items, seed_of(plan))
    judged = {one.item for one in items if one.label in campaign.classes}
    if judged != set(sheet.items) or len(items) != len(judged):
        raise InputError("trial.panel_incomplete", count=len(sheet.items), judged=len(judged & set(sheet.items)))
    twice, needed = sum(len(one.given) > 1 for one in items), int(plan.panel.double * len(items))
    if twice < needed:
        raise InputError("trial.panel_too_few_twice", found=twice, needed=needed)
    if len(first) < len(items):
        raise InputError("trial.panel_incomplete", count=len(sheet.items), judged=len(first))
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


def model_scores(committed: CommittedTrial) -> ModelScores | None:
    """Return the judge's scores of all answers; None without a judge."""
    trial, folder = committed.trial, committed.reserved.subject.folder
    if trial.plan.panel is None or trial.plan.panel.judge is None or folder is None:
        return None
    return score_answers(
        trial.plan.panel.judge, committed.reserved.frame, committed.spelled, folder / "judge", trial.on_progress
    )


def with_verdicts(
    committed: CommittedTrial, order: NDArray[np.int64], scores: ModelScores | None
) -> tuple[pl.DataFrame, PanelFound | None]:
    """Return the rows with a column of experts' verdicts, and how far experts agreed; without a panel as they are.

    Where the criteria count units, experts judge whole ones.
    Verdicts of experts who differ too often are left out, so that they decide nothing. Raises `RefusedError`
    (`WAITING`) until the verdicts are in; what is to be judged is sealed by then.
    """
    plan, frame, lab = committed.trial.plan, committed.reserved.frame, committed.trial.lab
    if plan.panel is None:
        return frame, None
    first = order[: first_units(order, unit_codes(plan.criteria, frame), plan.panel.cases)]
    sample = {f"{place:06}": row for place, row in enumerate(first.tolist(), 1)}
    answers = committed.spelled
    asked = {item: row for item, row in sample.items() if answers[row] is not None}
    found, sheet = lab.view.load_head(verdicts_head(plan.digest()), PanelVerdicts), sheet_of(lab.view, plan.digest())
    fixed = None if scores is None else scores.digest
    if sheet is not None and sheet.scores != fixed:
        raise InvalidProofError("judge.altered", folder="judge")
    if found is None and asked:
        if sheet is None:
            _seal(committed, {item: (row, answers[row]) for item, row in asked.items()}, fixed)
        raise RefusedError(WAITING, count=len(asked))
    given: Mapping[str, str] = {}
    if found is not None and sheet is not None:
        given = first_labels(campaign_of(plan), sheet.items, found.labelled.items, seed_of(plan))
    verdicts = {row: given.get(item) or JUDGED_POOR for item, row in sample.items()}
    above = [""] * frame.height if scores is None else scores.corrections(order, len(sample))
    seen = {row: verdicts[row] for row in asked.values()}
    told = None if scores is None else agreement(scores, seen, above, plan.criteria)
    panel = None if found is None else PanelFound(plan.panel, found.quality, told)
    if panel is not None and panel.disputed:
        verdicts = {}
    said = [verdicts.get(row, "") for row in range(frame.height)]
    columns = [pl.Series(PANEL, said, pl.String), *([] if scores is None else [pl.Series(MODEL, above, pl.String)])]
    return frame.with_columns(columns), panel


def _seal(committed: CommittedTrial, asked: Mapping[str, tuple[int, str | None]], scores: Digest | None) -> None:
    trial, frame, plan = committed.trial, committed.reserved.frame, committed.trial.plan
    judged, pictured = judged_field(plan), pictured_fields(plan.contract)
    names = [field.name for field in plan.contract.features] if judged == ANSWER else []
    texts = {name: frame[name].cast(pl.String).fill_null("").to_list() for name in names}
    side = min(_LONGEST_SIDE, math.isqrt(_PIXEL_BYTES // (3 * len(asked) * max(len(pictured), 1))))
    for name in pictured:
        for row, _ in asked.values():
            texts[name][row] = png_address(texts[name][row], side)
    items = {
        item: {**{name: texts[name][row] for name in names}, judged: answer} for item, (row, answer) in asked.items()
    }
    digest, owner = plan.digest(), trial.hidden.owner
    blob = seal_envelope(trial.lab.vault, owner, digest, json.dumps(items, ensure_ascii=False).encode())
    with trial.lab.view.transaction("trial.panel_asked") as change:
        kept = change.put(PanelSheet(plan=digest, items=tuple(items), blob=blob, scores=scores), BASE, owner=owner)
        change.set_head(_sheet_head(digest), kept, expected=None)


def _sheet_head(plan: Digest) -> str:
    return f"panel-sheet:{plan}"
