"""Figures of a base."""

from __future__ import annotations

from collections import Counter

from pilotbase.catalogue.figures import FEWEST_PARTIES, FEWEST_TRIALS, published, reached, read_targets
from pilotbase.certificate.status import CertificateStatus
from pilotbase.documents.api.ledger import OverviewTold, PublicFigures
from pilotbase.operations import figures as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.funnel import funnel_of
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.operations.ledger import counted
from pilotbase.worker.public import certified
from pilotbase.workspace.actors import VISITOR
from pilotbase.workspace.jobs import live_jobs
from pilotbase.workspace.listings import count_late

FUNNEL_SECONDS = 60
"""The funnel is counted at most once a minute."""

does(declared.FUNNEL)(lambda caller, asked: caller.remember("funnel", FUNNEL_SECONDS, lambda: funnel_of(caller.view)))


@does(declared.PUBLIC)
def read_public(caller: Caller, asked: NoInput) -> PublicFigures:
    """Return what a visitor may know."""
    view = caller.base.lab.store.as_actor(VISITOR)
    found, statuses = published(view), Counter(one.status for one in certified(view))
    told = {
        "open_scenarios": found.open,
        "certificates": {status: statuses[status] for status in CertificateStatus},
        "days": found.way.steps,
        "days_in_all": found.way.whole,
        "prices": found.way.prices,
        "fewest_trials": FEWEST_TRIALS,
        "fewest_parties": FEWEST_PARTIES,
    }
    return PublicFigures.model_validate(told)


@does(declared.OVERVIEW)
def read_overview(caller: Caller, asked: NoInput) -> OverviewTold:
    """Return the figures of what the caller sees."""
    view, found = caller.view, counted(caller)
    figures = found.figures
    told = {
        "at": found.at,
        "year": figures.year,
        "counts": figures.counts,
        "this_year": figures.this_year,
        "by_sector": figures.by("sector"),
        "by_action": figures.by("action"),
        "days": figures.way.steps,
        "days_in_all": figures.way.whole,
        "prices": figures.way.prices,
        "late": sum(one.count for one in count_late(view, view.store.clock())),
        "queued": len(live_jobs(view)),
        "targets": [dict(one.target) | {"reached": one.number} for one in reached(figures, read_targets(view))],
    }
    return OverviewTold.model_validate(told)
