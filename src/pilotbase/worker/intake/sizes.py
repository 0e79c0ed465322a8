"""The size of an attempt, planned for a rule, or for a scenario in a folder or on the base, and the plan in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotbase.data.splits import split_cases
from pilotbase.documents.api.trials import Budget, SizePlan, SizeTerms
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.world import World
from pilotbase.trial.arena.shelf import world_of, world_seen
from pilotbase.trial.cases_to_seal import draw_episodes
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.trial.sizing import FULL_EFFORT, Effort, cases_of_rule, plan_size
from pilotbase.worker.base import Base, base_if_any
from pilotbase.worker.intake.boxed_tables import cases_in_box
from pilotbase.worker.intake.kept_files import opened_scenario
from pilotbase.worker.intake.scenario_tables import plan_table
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.hidden_budgets import budget_here, budget_lines, budget_of_scenario
from pilotbase.workspace.store import View

_BAR = 30
_BOUNDED = Effort(seconds=10)
"""Of a base, which others are waiting for."""


def plan_here(terms: SizeTerms) -> SizePlan | None:
    """Return the plan of a rule, or of a scenario in a folder; None if another scenario is named.

    Raises:
        InputError: neither or both are given, the scenario does not hold, or `plan_size` refuses.
    """
    named = _named(terms)
    if not named:
        return plan_size(cases_of_rule(terms), terms)
    if not Path(named).exists():
        return None
    scenario, folder = load_scenario(Path(named), Step.REHEARSE)
    base = base_if_any()
    budget = None if base is None else budget_here(base.lab, scenario, folder)
    if scenario.world is not None:
        with world_of(scenario.world, folder) as found:
            return _plan_episodes(scenario, found.world, terms, budget)
    return plan_table(scenario, split_cases(read_cases(scenario, folder), scenario), terms, budget)


def plan_for(base: Base, view: View, terms: SizeTerms) -> SizePlan:
    """Return the plan of a rule, or of a scenario of the base for those who may see its budget; no folder is read.

    A box reads its cases. Raises as `plan_here`, `scenario_for` and `cases_in_box`.
    """
    if not _named(terms):
        return plan_size(cases_of_rule(terms), terms, _BOUNDED)
    subject = subject_written("scenario", terms.scenario)
    scenario, budget = scenario_for(view, subject, ReadScope.BUDGET), budget_of_scenario(base, view, subject)
    if (world := world_seen(base.lab.view, scenario)) is not None:
        return _plan_episodes(scenario, world, terms, budget, _BOUNDED)
    with opened_scenario(base, scenario) as place:
        return plan_table(scenario, split_cases(cases_in_box(scenario, place), scenario), terms, budget, _BOUNDED)


def _plan_episodes(
    scenario: Scenario, world: World, terms: SizeTerms, budget: Budget | None, effort: Effort = FULL_EFFORT
) -> SizePlan:
    """Return the plan of a scenario with a world, on episodes drawn for it alone."""
    assert scenario.world is not None
    split = draw_episodes(world, scenario.digest(), scenario.world)
    return plan_table(scenario, split, terms, budget, effort, world.classes)


def _named(terms: SizeTerms) -> str:
    """Return the scenario that is named, or nothing for a rule; raises `InputError`: neither or both are given."""
    if bool(terms.rule) == bool(terms.scenario):
        raise InputError("trial.size_needs_one")
    return terms.scenario


def size_lines(plan: SizePlan) -> Iterator[Text]:
    """Yield the plan in sentences, with each criterion's power as bars."""
    for one in plan.criteria:
        values = {"rule": one.rule, "truth": f"{one.truth:g}", "power": percent(one.power)}
        yield text("trial.size.criterion", **values, cases=one.cases)
        yield text("trial.size.of_hidden_set") if one.of_hidden_set else text("trial.size.fewest", fewest=one.fewest)
        if one.never_refuted and not one.of_hidden_set:
            yield text("trial.size.never_refuted")
        if one.median is not None:
            yield text("trial.size.median", median=one.median)
        for point in one.curve:
            bar = "█" * round(_BAR * point.power)
            yield text("trial.size.point", cases=f"{point.cases:>10}", bar=f"{bar:<{_BAR}}", power=percent(point.power))
    if plan.left_out:
        yield text("trial.size.left_out_are", rules="; ".join(plan.left_out))
    yield from total_lines(plan)


def total_lines(plan: SizePlan) -> Iterator[Text]:
    """Yield what one attempt takes, what the hidden set has left, and how many attempts its cases hold."""
    counts = {"cases": plan.cases, "labels": plan.labels}
    figures = {"number": plan.attempt, "level": f"{plan.level:.2g}", "power": percent(plan.power)}
    yield text(f"trial.size.total.{plan.stop}", **counts, **figures)
    if plan.units is not None:
        yield text("trial.size.units", units=plan.units)
    yield from [] if plan.budget is None else budget_lines(plan.budget)
    if plan.cost:
        yield text("trial.size.cost", cost=f"{plan.cost:,.2f}")
    if plan.days:
        yield text("trial.size.days", days=f"{plan.days:,.1f}")
    if plan.missing is not None:
        hidden = plan.cases - plan.missing
        lacking = any(one.cases > hidden for one in plan.criteria if not one.of_hidden_set)
        of_set = any(one.of_hidden_set for one in plan.criteria) and not lacking
        yield text("trial.size.missing_of_population" if of_set else "trial.size.missing", missing=plan.missing)
    elif plan.attempts is not None:
        yield text("trial.size.attempts", attempts=plan.attempts, cases=plan.cases)
