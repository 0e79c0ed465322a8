"""Criteria that count units: no attempt and no tender takes a part of the hidden cases, which would tear them."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.api.trials import SizeTerms
from pilotbase.documents.board import TenderTerms
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.steps import Step
from pilotbase.trial.freezing import freeze_plan
from pilotbase.trial.phases.reserving import reserve
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.trial.sealed import require_whole_units
from pilotbase.trial.sealing import seal_scenario
from pilotbase.trial.tender import freeze_tender, score_tender
from pilotbase.vault.attempts import attempts_of, mark_scored_before
from pilotbase.vault.board import BoardSlice
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.intake.checking import check_scenario
from pilotbase.worker.intake.scenario_tables import check_cases, plan_table, size_to_add

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


def torn(caught) -> bool:
    return caught.value.code == "trial.units_torn"


def test_a_slice_that_tears_units_is_refused_by_check_freeze_and_tender(base, write):
    folder = write()
    with pytest.raises(InputError) as checked:
        check_cases(load_scenario(folder, Step.DRAFT)[0], folder)
    assert [(one.path, one.problem.code) for one in checked.value.issues] == [
        ("trial.cases_per_attempt", "trial.units_torn")
    ]
    sealed, hidden = sealed_of(base, folder)
    with pytest.raises(RefusedError) as frozen:
        freeze_plan(base.lab, sealed, candidate())
    terms, entrants = TenderTerms(measure="accuracy", cases=200), [candidate("acme"), candidate("globex")]
    with pytest.raises(RefusedError) as tendered:
        freeze_tender(base.lab, sealed, entrants, terms)
    assert torn(frozen) and torn(tendered) and str(hidden.rows) in frozen.value.render("en")
    assert attempts_of(base.lab.vault, hidden) == []


def test_a_plan_of_an_earlier_version_that_tears_units_opens_no_attempt(base, write, monkeypatch):
    sealed, hidden = sealed_of(base, write())
    plan = SimpleNamespace(cases=100, sealed="", terms=SimpleNamespace(cases=200), digest=lambda: "")
    plan.scenario = SimpleNamespace(hidden_set=hidden.digest())
    with pytest.raises(RefusedError) as reserved:
        reserve(SimpleNamespace(trial=SimpleNamespace(lab=base.lab, plan=plan, sealed=sealed)))
    monkeypatch.setattr("pilotbase.trial.tender.load_sealed", lambda *_: sealed)
    with pytest.raises(RefusedError) as tendered:
        score_tender(base.lab, plan, lambda _: None)
    assert torn(reserved) and torn(tendered)
    assert attempts_of(base.lab.vault, hidden) == []


def test_all_hidden_cases_are_taken_and_no_size_is_proposed(base, write, monkeypatch):
    folder = write(cases="")
    scenario = load_scenario(folder, Step.DRAFT)[0]
    counts = check_cases(scenario, folder)
    assert counts.attempt == counts.hidden and size_to_add(scenario, folder) is None
    assert "worker.remind_units" in [one.code for one in check_scenario(folder)[1]]
    planned = SimpleNamespace(attempts=3, model_copy=lambda update: update)
    monkeypatch.setattr("pilotbase.worker.intake.scenario_tables.plan_size", lambda *_: planned)
    split = split_cases(read_cases(scenario, folder), scenario)
    assert plan_table(scenario, split, SizeTerms())["attempts"] == 1
    sealed, hidden = sealed_of(base, folder)
    require_whole_units(base.lab, sealed, hidden.rows)
    monkeypatch.setattr("pilotbase.trial.freezing.check_criteria", lambda *_: (_ for _ in ()).throw(LookupError))
    with pytest.raises(LookupError):  # past the refusal
        freeze_plan(base.lab, sealed, candidate())
    mark_scored_before(base.lab.vault, hidden, np.array([0]))
    with pytest.raises(RefusedError) as caught:  # what is left of a set holds a part of that unit
        freeze_plan(base.lab, sealed, candidate())
    assert torn(caught)


def test_a_board_leaves_whole_units_only_if_it_was_cut_by_them(base, write, monkeypatch):
    monkeypatch.setattr("pilotbase.trial.board_measure.LONGEST_BAND", 1)
    sealed, hidden = sealed_of(base, write(cases="", board=BOARD))
    board = base.lab.view.load(sealed.record.board, BoardSlice)
    require_whole_units(base.lab, sealed, hidden.rows - board.cases)
    with pytest.raises(RefusedError) as caught:
        require_whole_units(base.lab, sealed, hidden.rows)
    assert torn(caught) and board.unit == "site"
    earlier = SimpleNamespace(view=SimpleNamespace(load=lambda *_: board.model_copy(update={"unit": None})))
    with pytest.raises(RefusedError) as caught:
        require_whole_units(earlier, sealed, hidden.rows - board.cases)
    assert caught.value.code == "trial.board_tears_units"
