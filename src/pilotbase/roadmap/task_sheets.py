"""Task sheets: each task of the roadmap with what it needs, what comes before it, and who does what next."""

from __future__ import annotations

from collections import defaultdict

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.ledger import NeedTold, NextTold, TaskSheetsTold, TaskSheetTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.planning import PlanCandidate
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.operations.ledger import TasksAsked
from pilotbase.roadmap.planning import tell_roadmap
from pilotbase.roadmap.proposals import sheet_that_stands
from pilotbase.workspace.listings import find_listings, find_waits_on
from pilotbase.workspace.store import View


def tell_task_sheets(view: View, asked: TasksAsked) -> TaskSheetsTold:
    """Return the sheets of the tasks that ``view`` sees in the roadmap; raises as `owner_of`."""
    told, rules = tell_roadmap(view), sheet_that_stands(everything(view))
    tasks = [one for one in told.tasks if asked.phase in (None, one.phase) and asked.scenario in ("", one.scenario)]
    stated = {one.scenario: one for one in rules.candidates}
    rules_of = {one.scenario: stated.get(one.scenario) or PlanCandidate(scenario=one.scenario) for one in tasks}
    listed = find_listings(view, {*rules_of, *(before for one in rules_of.values() for before in one.after)})
    waits = defaultdict[str, list[NextTold]](list)
    for scenario, wait in find_waits_on(view, list(rules_of)):
        waits[scenario].append(filled(NextTold, wait))
    sheets = []
    for task in tasks:
        rule = rules_of[task.scenario]
        needs = rules.usual | rule.needs
        sheet = filled(
            TaskSheetTold,
            task,
            title=listed[task.scenario].title if task.scenario in listed else name_of(task.scenario),
            owner=holder_of(task.scenario),
            needs=[
                NeedTold(title=one.title, amount=needs[one.name], unit=one.unit)
                for one in rules.resources
                if needs.get(one.name)
            ],
            gives=rule.gives,
            after=[one for one in rule.after if one in listed],
            next=waits[task.scenario],
        )
        sheets.append(sheet)
    return TaskSheetsTold(at=told.at, title=told.title, sheets=sheets)
