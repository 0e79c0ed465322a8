"""Criteria that count units: an attempt and a tender draw whole ones, so many as the plan fixes."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.api.trials import SizeTerms
from pilotbase.documents.base import Step
from pilotbase.documents.board import TenderTerms
from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.plan import ApplicationReference, units_for
from pilotbase.documents.scenario import Contact
from pilotbase.measures import Cases
from pilotbase.trial.freezing import freeze_plan
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.trial.scoring import design_on, first_units
from pilotbase.trial.sealed import drawn_units
from pilotbase.trial.sealing import hidden_rows, seal_scenario
from pilotbase.trial.sizing import Effort
from pilotbase.trial.tender import freeze_tender
from pilotbase.vault.attempts import AttemptRequest, mark_scored_before, open_attempt
from pilotbase.vault.board import BoardSlice
from pilotbase.vault.sealing import HiddenSet
from pilotbase.vault.units import units_kept
from pilotbase.worker.intake.checking import check_scenario
from pilotbase.worker.intake.scenario_tables import check_cases, plan_table
from pilotbase.worker.intake.sizes import total_lines
from pilotbase.worker.trials.hidden_budgets import budget_of
from pilotbase.worker.trials.log_check import require_drawn_units

BOARD = "trial:\n  board: {measure: accuracy, share: 0.2, submissions: 3, entries: 3, improvements: 2}\n"


@pytest.fixture
def write(write_scenario):
    """Return a function that writes a scenario whose sites are its units: some of one case, some of ten."""

    def write(cases="cases_per_attempt: 100", board="trial:\n", unit="site"):
        def change(content):
            content = content.replace("by: case_id", "by: site").replace("cases_per_attempt: 100", cases)
            content = content.replace("0.7}", f"0.7, unit: {unit}}}")
            return content.replace("trial:\n", board)

        folder = write_scenario(rows=1100, change=change)
        sites = iter([*(f"one{number}" for number in range(100)), *(f"ten{number // 10}" for number in range(1000))])
        table = (folder / "cases.csv").read_text()
        (folder / "cases.csv").write_text(re.sub("north|south", lambda _: next(sites), table))
        return folder

    return write


def sealed_of(base, folder):
    sealed = seal_scenario(base.lab, *load_scenario(folder, Step.DRAFT))
    return sealed, base.lab.view.load(sealed.record.hidden_set, HiddenSet)


def candidate(name="acme"):
    parts = {"digest": "sha256:" + "1" * 64, "environment": "sha256:" + "2" * 64, "subject": name}
    return SimpleNamespace(reference=SimpleNamespace(**parts, supplier=SimpleNamespace(organisation=name)))


def frozen(base, sealed, monkeypatch, name="acme"):
    """Return the plan that is frozen, past everything that is not about its cases."""
    for check in ("check_criteria", "require_not_blind", "require_ready", "published_statement", "freeze_standards"):
        monkeypatch.setattr(f"pilotbase.trial.freezing.{check}", lambda *_: None)
    supplier = Contact(organisation=name)
    digests = {"digest": digest_bytes(name.encode()), "environment": digest_bytes(b"none")}
    reference = ApplicationReference(name="app", version="1", supplier=supplier, **digests)
    return freeze_plan(base.lab, sealed, SimpleNamespace(reference=reference))


def drawn(base, sealed, hidden, plan):
    units = drawn_units(base.lab, sealed, plan.draw)
    request = AttemptRequest(plan.digest(), plan.application.digest, plan.nonce, plan.cases, units=units)
    return open_attempt(base.lab.vault, hidden, request)


def test_check_plan_and_attempt_count_units(base, write, monkeypatch):
    folder = write()
    scenario = load_scenario(folder, Step.DRAFT)[0]
    counts = check_cases(scenario, folder)
    draw = counts.draw
    assert draw.column == "site" and draw.hidden > 2 * draw.units > 0 and abs(draw.average - 100) < 12
    told = {one.code: one for one in check_scenario(folder)[1]}["trial.attempts_held_units"]
    assert told.params["held"] == min(scenario.trial.attempts, draw.hidden // draw.units)
    sealed, hidden = sealed_of(base, folder)
    plan = frozen(base, sealed, monkeypatch)
    assert (plan.draw.units, plan.draw.hidden) == (draw.units, draw.hidden) and plan.cases >= plan.draw.average
    first, second = (drawn(base, sealed, hidden, plan) for plan in (plan, frozen(base, sealed, monkeypatch, "globex")))
    rows = hidden_rows(base.lab, hidden)["site"].to_numpy()
    sites = [set(rows[one.cases]) for one in (first, second)]
    assert [len(one) for one in sites] == [draw.units] * 2 and not sites[0] & sites[1]
    for own, one in zip(sites, (first, second), strict=True):
        assert np.isin(rows, [*own]).sum() == len(one.cases) <= plan.cases
    budget = budget_of(base.lab, sealed)
    assert (budget.unit, budget.units) == ("site", draw.hidden - 2 * draw.units)
    require_drawn_units(base.lab)


def test_all_units_are_drawn_where_no_size_is_stated_and_a_torn_one_is_refused(base, write, monkeypatch):
    folder = write(cases="")
    sealed, hidden = sealed_of(base, folder)
    assert check_cases(load_scenario(folder, Step.DRAFT)[0], folder).attempts == 1
    plan = frozen(base, sealed, monkeypatch)
    assert plan.draw.units == plan.draw.hidden and plan.cases == hidden.rows
    rows = hidden_rows(base.lab, hidden)["site"]
    mark_scored_before(base.lab.vault, hidden, np.flatnonzero(rows == rows.mode()[0])[:1])
    with pytest.raises(RefusedError) as caught:  # what is left of a set holds a part of that unit
        frozen(base, sealed, monkeypatch, "globex")
    assert caught.value.code == "vault.units_torn"
    terms = TenderTerms(measure="accuracy", cases=200)
    with pytest.raises(RefusedError) as caught:
        freeze_tender(base.lab, sealed, [candidate("acme"), candidate("globex")], terms)
    assert caught.value.code == "vault.units_torn"


def test_what_a_board_leaves_is_whole_units(base, write, monkeypatch):
    monkeypatch.setattr("pilotbase.trial.board_measure.LONGEST_BAND", 1)
    sealed, hidden = sealed_of(base, write(cases="", board=BOARD))
    board = base.lab.view.load(sealed.record.board, BoardSlice)
    plan = frozen(base, sealed, monkeypatch)
    assert len(drawn(base, sealed, hidden, plan).cases) == hidden.rows - board.cases


def test_the_planner_counts_units_and_a_size_is_proposed(write, monkeypatch):
    folder = write(cases="")
    scenario = load_scenario(folder, Step.DRAFT)[0]
    split = split_cases(read_cases(scenario, folder), scenario)
    plan = plan_table(scenario, split, SizeTerms(truth=(0.95,)), effort=Effort(draws=60))
    hidden = split.hidden["site"].n_unique()
    assert plan.units == units_for(plan.cases, hidden, split.hidden.height)
    assert plan.attempts == hidden // plan.units
    assert "trial.size.units" in [one.code for one in total_lines(plan)]


def test_data_sealed_before_units_were_kept_are_opened_once_for_them(base, write, monkeypatch):
    monkeypatch.setattr("pilotbase.trial.sealing.keep_units_by", lambda *_: None)
    sealed, hidden = sealed_of(base, write())
    assert units_kept(base.lab.vault, hidden, "site") is None
    plan = frozen(base, sealed, monkeypatch)
    assert units_kept(base.lab.vault, hidden, "site").units == plan.draw.hidden
    earlier = SimpleNamespace(draw=None, digest=plan.digest, application=plan.application, nonce=plan.nonce, cases=800)
    assert len(drawn(base, sealed, hidden, earlier).cases) == hidden.rows


def test_experts_judge_whole_units():
    codes = np.repeat([3, 0, 2, 1], [5, 1, 1, 5])
    order = np.arange(12)
    assert [first_units(order, codes, cases) for cases in (1, 6, 9, 100, None)] == [5, 6, 7, 12, 12]
    assert first_units(order, None, 6) == 6


def test_a_fixed_design_scores_all_drawn_units():
    cases = Cases(truth=np.zeros(9), answers=np.zeros(9), units=np.repeat([0, 1, 2], [2, 3, 4]))
    fixed, order = TrialDesign(stop="fixed", cases=5), np.arange(9)
    assert design_on([], cases, order, fixed).cases == 9
    assert design_on([], replace(cases, units=None), order, fixed).cases == 5
