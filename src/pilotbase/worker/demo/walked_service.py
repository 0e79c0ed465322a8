"""The service of the walk: put into service once certified, watched, called with a key of its own."""

from __future__ import annotations

from pilotbase.documents.service import CertifiedRoute
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import RedBy
from pilotbase.documents.watch import WatchTerms
from pilotbase.operations.services import NewBudget, NewKey, NewService
from pilotbase.service.admission import Premises
from pilotbase.service.creating import create_service
from pilotbase.service.registry import load_service
from pilotbase.service.standing import standing_of
from pilotbase.service.terms import create_key, set_budget
from pilotbase.watch.arming import arm, prepare_watch, replay_watch
from pilotbase.worker.base import Base
from pilotbase.worker.demo.records import PlayedTrial
from pilotbase.workspace.store import View

SERVICE, BUDGET = "late-arrivals", "desk"
TERMS = WatchTerms(alpha=0.02, cohort_seconds=1, label_seconds=0, early=1000, chunk=1300, red_by=RedBy.CASE)
"""A cohort is a day of departures; its labels come with its cases. A chunk is a week, so that weekdays are no drift.

April is too short to judge red by periods, so every departure is evidence."""
KEPT_TERMS = TERMS.model_copy(update={"label_seconds": 60})
"""Terms of the watch that stays armed: a user who continues by hand has a minute for labels."""


def put_into_service(base: Base, trial: PlayedTrial) -> Text:
    """Put what a trial has certified into service, and return which version answers."""
    create_service(
        base.lab.view,
        Premises.of_home(base.home.path, base.trust.roots()),
        NewService(name=SERVICE, commission=trial.subject),
    )
    first, *earlier = _versions(base)
    if not earlier:
        return text("walk.service", service=SERVICE, version=first)
    return text("walk.service_again", service=SERVICE, version=first, earlier=earlier[0])


def armed(base: Base, terms: WatchTerms) -> Text:
    """Arm the watch that the certificate of the answering version permits, after a replay over the existing records."""
    lab, view = base.lab, base.lab.view
    replay_watch(lab, view, prepare_watch(lab, view, SERVICE, terms))
    watch = arm(view, SERVICE)
    version = _versions(base)[standing_of(view, SERVICE).route]
    return text("walk.watch", version=version, criteria=len(watch.risks), alpha=f"{terms.alpha:g}")


def new_key(view: View) -> str:
    """Return the secret of a new key, with a budget for the walk."""
    set_budget(view, NewBudget(service=SERVICE, budget=BUDGET, calls=10_000))
    secret = create_key(view, NewKey(service=SERVICE, title="walk", budget=BUDGET)).secret
    assert secret is not None, "a key that was just made shows its secret"
    return secret


def _versions(base: Base) -> list[str]:
    """Return the versions that the service has, the one that answers first at the front."""
    routes = load_service(base.lab.view, SERVICE).routes
    return [route.application.version for route in routes if isinstance(route, CertifiedRoute)]
