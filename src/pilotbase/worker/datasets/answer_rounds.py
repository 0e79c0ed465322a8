"""Rounds in which experts judge the answers of a trial: opened by the owner of its scenario, handed over at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import are_tied, load_record
from pilotbase.documents.api.labelling import NewPanel
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.labelling import (
    ANNOTATORS,
    LabelledItem,
    Labeller,
    LabellingRound,
    LabelSource,
    PublishedLabels,
)
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.probes import PANEL
from pilotbase.documents.quality import LabelStatement
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import commission_subject
from pilotbase.trial.phases.panel import (
    assigned_items,
    campaign_of,
    items_to_judge,
    judged_field,
    sheet_of,
    take_verdicts,
)
from pilotbase.trial.shown_cases import pictured_fields
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.kept_tables import ReadTexts
from pilotbase.worker.datasets.label_rounds import (
    IsMember,
    RoundItems,
    erase_items,
    items_head,
    labellers_of,
    leave_of,
    opened_once,
    prepare_items,
    round_head,
    seal_items,
)
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.store import View


def open_panel(base: Base, view: View, name: str, wanted: NewPanel, known: IsMember) -> LabellingRound:
    """Open the round in which experts judge the answers of a trial; opened again, it is the same round.

    Raises:
        NotFoundError: no such trial is seen, or experts have nothing to judge in it.
        InputError: people do not fit together.
        RefusedError: the actor is not the scenario's owner; an expert is of the supplier, or of an organisation with
            ownership ties to it; the terms of the scenario's dataset do not let an expert see cases.
    """
    record, _ = load_record(view, commission_subject(name))
    view.actor.require_is(record.demand_owner or "")
    plan = base.lab.view.load(record.documents["plan"], TrialPlan) if "plan" in record.documents else None
    sheet = sheet_of(base.lab.view, plan.digest()) if plan is not None else None
    if plan is None or plan.panel is None or sheet is None:
        raise NotFoundError("trial.panel_not_asked")
    people = (*wanted.annotators, wanted.adjudicator)
    for one in people:
        if are_tied(base.lab.view, one.organisation, record.supplier or "") or known(record.supplier or "", one.person):
            raise RefusedError("labelling.conflict", organisation=one.organisation, supplier=record.supplier)
    made = LabellingRound(
        dataset=record.subjects["scenario"],
        version=plan.digest(),
        record_set=PANEL,
        key=PANEL,
        key_column=PANEL,
        shown=(judged_field(plan),),
        campaign=campaign_of(plan),
        guideline=plan.panel.guideline,
        labellers=labellers_of(people),
        items=len(sheet.items),
        opened_at=view.store.clock(),
        trial=record.subject,
        images=pictured_fields(plan.contract) or None,
        cases_of=base.lab.view.load(record.documents["scenario"], Scenario).data.dataset,
    )
    return opened_once(base, view, made, known)


def prepare_round(base: Base, job: Job, read: ReadTexts) -> None:
    """Seal the items of a round for its two annotators; raises as `prepare_items`."""
    of = base.lab.view.load(job.payload["round"], LabellingRound)
    if of.trial is None:
        prepare_items(base, job, read)
        return
    plan = base.lab.view.load(of.version, TrialPlan)
    orders = assigned_items(plan, list(items_to_judge(base.lab, plan)))
    seal_answers(base, of, of.labellers[: len(ANNOTATORS)], orders)


def seal_answers(
    base: Base, of: LabellingRound, labellers: Sequence[Labeller], orders: Mapping[str, tuple[str, ...]]
) -> None:
    """Seal answers for those who judge them; they learn neither the application nor what is judged twice.

    Raises `RefusedError` if the terms of the scenario's dataset do not let them see its cases.
    """
    items = items_to_judge(base.lab, base.lab.view.load(of.version, TrialPlan))
    for labeller in labellers:
        if base.lab.view.head(items_head(of.identity, labeller.name)) is None:
            leave_of(base.lab.view, of, labeller)
            seal_items(base, of, labeller, RoundItems(orders[labeller.name], items))


def hand_over(
    base: Base, view: View, of: LabellingRound, items: Sequence[LabelledItem], statement: LabelStatement
) -> PublishedLabels:
    """Give a trial its verdicts, so that it goes on; the statement about them is its owner's alone.

    Raises as `take_verdicts`.
    """
    assert of.trial is not None
    plan = base.lab.view.load(of.version, TrialPlan)
    source = LabelSource(file=round_head(of.identity), digest=of.digest())
    take_verdicts(base.lab, plan, items, of.campaign.guideline.digest, source)
    if load_record(view, of.trial)[0].state == CommissionState.JUDGING:
        advance(view, of.trial, Act.TRIAL_JUDGED, Move())
    with view.transaction("labelling.published") as change:
        made = PublishedLabels(
            dataset=of.dataset, version=of.version, round=of.identity, statement=statement, at=change.now
        )
        change.put(made, parties(), owner=of.dataset_owner, fields={"round": of.identity})
    erase_items(base, of)
    return made
