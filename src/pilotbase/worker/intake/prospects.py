"""What the cases of a scenario can prove and what stands out in them, before it is submitted or opened.

It is computed once for a version, in a box, and kept. The lifecycle refuses to open what can prove nothing, unless
somebody confirms it; the confirmation stands in the history.
"""

from __future__ import annotations

from dataclasses import replace

from pilotbase.catalogue.advancing import Move
from pilotbase.catalogue.records import load_record
from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.lifecycles import Precondition, transition
from pilotbase.documents.permissions import Act, ReadScope, permitted
from pilotbase.documents.plan import CaseProspect
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.worker.base import Base
from pilotbase.worker.intake.boxed_tables import prospect_in_box
from pilotbase.worker.intake.kept_files import kept_of, opened_scenario
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials import acts
from pilotbase.workspace.actors import parties
from pilotbase.workspace.store import View


def prospect_of(base: Base, view: View, subject: str) -> CaseProspect | None:
    """Return what the newest version of a scenario can prove, for those who may see its budget.

    None: the base keeps no table of it, or it isn't complete.

    Raises:
        NotFoundError: the actor sees no such scenario, or may not know.
        InputError: its cases cannot be read.
        RefusedError: this host gives no box.
    """
    scenario = scenario_for(view, subject, ReadScope.BUDGET)
    known = base.lab.view.every(CaseProspect, {"scenario": scenario.digest()})
    return known[0] if known else _foretold(base, scenario)


def take(base: Base, view: View, subject: str, act: Act, move: Move) -> Record:
    """Take a step that a person requests, once it is known what the scenario that it opens can prove.

    Raises as `acts.take` and `prospect_of`.
    """
    if Precondition.PROVES_SOMETHING in transition(act).needs:
        record = load_record(view, subject)[0]
        found = prospect_of(base, view, subject) if permitted(act, view.actor, record.stands) else None
        if found is not None and found.against and move.although:
            move = replace(move, reason=text("record.although", why=found.against[0]))
    return acts.take(base, view, subject, act, move)


def _foretold(base: Base, scenario: Scenario) -> CaseProspect | None:
    digest = scenario.digest()
    if scenario.world is not None or missing_for(scenario, Step.FREEZE) or not kept_of(base, digest):
        return None
    with opened_scenario(base, scenario) as folder:
        found = prospect_in_box(scenario, folder)
    with base.lab.view.transaction("scenario.foretold") as change:
        change.put(found, parties(), owner=scenario.owner.organisation, fields={"scenario": digest})
    return found
