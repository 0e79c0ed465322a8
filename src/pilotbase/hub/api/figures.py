"""Figures over the API: what everybody may know, and what the caller sees, counted."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router

from pilotbase.catalogue.figures import FEWEST_PARTIES, FEWEST_TRIALS, Median, reached, read_targets
from pilotbase.certificate.status import CertificateStatus
from pilotbase.documents.api.ledger import MedianTold, OverviewTold, PublicFigures, TargetTold
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.roadmap import Figure
from pilotbase.hub.acting import HubRequest, caller
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.caching import shared
from pilotbase.hub.presenters import public
from pilotbase.worker.bound.ledger import counted
from pilotbase.workspace.jobs import live_jobs
from pilotbase.workspace.listings import count_late

router = Router(tags=["figures"])


@router.get("/figures", auth=None, response=answers(PublicFigures), summary="Figures that everybody may know")
def read_public(request: HubRequest) -> HttpResponse:
    """Return what everybody may know, the same for everybody."""
    found, certified = public.figures(), public.certified()
    told = PublicFigures(
        open_scenarios=found.open,
        certificates={status: sum(one.status == status for one in certified) for status in CertificateStatus},
        days=_medians(found.way.steps),
        days_in_all=_median(found.way.whole),
        prices=_medians(found.way.prices),
        fewest_trials=FEWEST_TRIALS,
        fewest_parties=FEWEST_PARTIES,
    )
    return shared(request, canonical_json(told.model_dump(mode="json")), "application/json")


@router.get("/figures/overview", auth=MEMBERS, response=answers(OverviewTold), summary="Everything that is counted")
def read_overview(request: HubRequest) -> OverviewTold:
    """Return the figures of what the caller sees: of the whole base for operator and regulator."""
    view = request.acting.view
    found = counted(caller(view))
    figures = found.figures
    return OverviewTold(
        at=found.at,
        year=figures.year,
        counts=_spelled(figures.counts),
        this_year=_spelled(figures.this_year),
        by_sector={name: _spelled(counts) for name, counts in figures.by("sector").items()},
        by_action={name: _spelled(counts) for name, counts in figures.by("action").items()},
        days=_medians(figures.way.steps),
        days_in_all=_median(figures.way.whole),
        prices=_medians(figures.way.prices),
        late=sum(one.count for one in count_late(view, view.store.clock())),
        queued=len(live_jobs(view)),
        targets=[
            TargetTold(
                figure=one.target.figure,
                sector=one.target.sector,
                action=one.target.action,
                number=one.target.number,
                reached=one.number,
            )
            for one in reached(figures, read_targets(view))
        ],
    )


def _spelled(counts: dict[Figure, int]) -> dict[str, int]:
    return {figure.value: number for figure, number in counts.items()}


def _medians(found: dict[str, Median]) -> dict[str, MedianTold]:
    return {name: MedianTold(value=median.value, count=median.count) for name, median in found.items()}


def _median(found: Median | None) -> MedianTold | None:
    return None if found is None else MedianTold(value=found.value, count=found.count)
