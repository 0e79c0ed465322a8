"""What earlier attempts cost, what is left, and that the owner is told when fresh cases are due — and nobody else."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.report import Report
from pilotbase.trial.criteria_check import next_level, refresh_advice, undecidable
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealed import read_public_sample
from pilotbase.trial.sealing import seal_scenario
from pilotbase.vault.attempts import Remaining, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.proving import freeze_in, prove
from pilotbase.worker.trials.summary import report_lines
from tests.trial.conftest import BAD, GOOD

BOARD = "trial:\n  board: {measure: accuracy, share: 0.2, entries: 3, improvements: 2}\n"


def population(content: str) -> str:
    """Ask for a claim about the population that about 90 right answers confirm at the second attempt's level."""
    return content.replace("accuracy >= 0.7}", "accuracy >= 0.9, estimand: population}").replace(
        "  - {rule: recall(broken) >= 0.7}\n", ""
    )


def full(content: str) -> str:
    """Score every reserved case, so that what is left does not hang on the luck of the order."""
    return content.replace("trial:\n", "trial:\n  stop: full\n")


def left_of(base, scenario) -> tuple[HiddenSet, Remaining]:
    record = seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT)).record
    hidden = base.lab.view.load(record.hidden_set, HiddenSet)
    return hidden, remaining(base.lab.vault, hidden)


def test_a_report_says_what_earlier_attempts_cost_and_what_is_left(base, write_scenario, write_application):
    scenario = write_scenario(cases=100)
    reports = [
        prove(base, scenario, write_application(program, f"a{number}")).report
        for number, program in enumerate((GOOD, BAD))
    ]
    first, second = (report.attempt for report in reports)
    hidden, left = left_of(base, scenario)
    assert (first.used_before, first.fresh_left) == (0, hidden.rows - 100)
    assert (second.used_before, second.fresh_left) == (100, left.fresh)
    assert [first.attempts_left, second.attempts_left] == [5, 4] == [5, left.attempts]
    assert [first.alpha_before, second.alpha_before] == pytest.approx([0, 0.025])
    assert [first.alpha_left, second.alpha_left] == pytest.approx([0.025, 0.05 / 3])
    assert first.alpha_before + first.alpha + first.alpha_left == pytest.approx(first.alpha_of_all)
    assert second.alpha_before + second.alpha + second.alpha_left == pytest.approx(second.alpha_of_all)
    assert [first.refresh, second.refresh] == [None, None]


@pytest.mark.prove
def test_the_owner_is_told_when_the_cases_left_cannot_decide_and_how_many_would(
    base, write_scenario, write_application, tmp_path
):
    scenario = write_scenario(cases=150, change=lambda content: full(population(content)))
    proven = prove(base, scenario, write_application(), tmp_path / "out")
    assert proven.report.attempt.refresh is None
    proven = prove(base, scenario, write_application(GOOD + "# 2\n", "second"), tmp_path / "second")
    _, left = left_of(base, scenario)
    (advice,) = proven.report.attempt.refresh
    assert (advice.code, advice.params["left"]) == ("trial.refresh.cases", left.fresh)
    assert advice.params["missing"] == 150 - left.fresh > 0
    with pytest.raises(RefusedError) as caught:
        freeze_in(base, scenario, write_application(GOOD + "# late\n", "late"))
    assert caught.value.code == "trial.hidden_set_used_up"
    page = (proven.folder / "report.html").read_text("utf-8")
    assert advice.render("en") in page.replace("&#39;", "'")
    assert advice.render("zh") in page
    assert any(advice.render("en") in line.render("en") for line in report_lines(proven.report, proven.folder))
    supplier = json.loads((proven.folder / "supplier" / "report.json").read_text("utf-8"))
    assert not {"refresh", "fresh_left", "used_before", "attempts_left", "scored"} & supplier["attempt"].keys()
    assert "fresh cases" not in (proven.folder / "supplier" / "report.html").read_text("utf-8")
    assert Report.from_json_value(supplier).view == "supplier"


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_number_said_is_enough_and_not_far_too_many(base, write_scenario, number):
    scenario, folder = load_scenario(
        write_scenario(cases=40, change=lambda content: population(content).replace("accuracy", "recall(broken)")),
        Step.DRAFT,
    )
    sealed = seal_scenario(base.lab, scenario, folder)
    public, classes = read_public_sample(base.lab, sealed), sealed.record.classes
    left = Remaining(300, 0, 0, 6 - number, number, 0.05 / (number * (number + 1)), 0.0)
    (advice,) = refresh_advice(scenario, classes, public, left)
    needed = int(advice.params["needed"])
    level = next_level(scenario, left)
    assert not list(undecidable(scenario, classes, public, round(needed * 1.15), level))
    assert list(undecidable(scenario, classes, public, round(needed * 0.8), level))
    with pytest.raises(InputError):
        from pilotbase.trial.criteria_check import check_criteria

        check_criteria(scenario, classes, public, 40, level)


def test_once_attempts_are_used_up_no_number_of_cases_helps(base, write_scenario):
    scenario, folder = load_scenario(write_scenario(cases=40), Step.DRAFT)
    sealed = seal_scenario(base.lab, scenario, folder)
    public, classes = read_public_sample(base.lab, sealed), sealed.record.classes
    none = Remaining(0, 0, 300, 0, 7, 0.05 / 56, 0.04)
    assert [advice.code for advice in refresh_advice(scenario, classes, public, none)] == ["trial.refresh.attempts"]
    assert not list(refresh_advice(scenario, classes, public, Remaining(40, 0, 0, 1, 6, 0.05 / 42, 0.04)))


@pytest.mark.prove
def test_scenario_check_says_what_a_base_has_left_and_changes_nothing(base, write_scenario, write_application):
    scenario = write_scenario(cases=250, change=full)
    run = CliRunner().invoke
    before = run(app, ["scenario", "check", str(scenario)])
    assert before.exit_code == 0, before.output
    assert "Sealed on this base" not in before.output
    assert base.lab.view.find("hidden-set") == []
    prove(base, scenario, write_application())
    hidden, left = left_of(base, scenario)
    assert left.fresh == hidden.rows - 250
    size = len(base.lab.view.log_entries(0, 10_000))
    after = run(app, ["scenario", "check", str(scenario)])
    assert after.exit_code == 0
    assert f"{left.fresh} fresh cases and" in after.output
    assert "next one is number 2, at error probability 0.0083" in after.output
    assert f"add at least {250 - left.fresh} fresh cases" in after.output
    assert len(base.lab.view.log_entries(0, 10_000)) == size


def test_a_used_up_hidden_set_says_in_both_languages_what_to_do(base, write_scenario, write_application):
    scenario = write_scenario(cases=300, change=full)
    prove(base, scenario, write_application())
    with pytest.raises(RefusedError) as caught:
        prove(base, scenario, write_application(GOOD, "second"))
    assert caught.value.code == "trial.hidden_set_used_up"
    english, chinese = caught.value.render("en"), caught.value.render("zh")
    assert "needs 300 cases that were never scored" in english
    assert "The owner must bring fresh cases" in english
    assert "300 个从未评分的案例" in chinese
    assert "需求方须补充新案例" in chinese


def test_scenario_check_counts_the_board_out_of_what_attempts_get(base, write_scenario):
    run = CliRunner().invoke
    with_board = BOARD.replace("share: 0.2", "share: 0.5")
    scenario = write_scenario(cases=100, change=lambda content: content.replace("trial:\n", with_board))
    checked = run(app, ["scenario", "check", str(scenario)])
    assert checked.exit_code == 0, checked.output
    rows = seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT)).record.hidden_cases
    assert f"About {round(rows / 2)} of the hidden cases are reserved for the board" in checked.output
    assert f"{rows - round(rows / 2)} hidden" in checked.output
    few = write_scenario(name="few", cases=rows - 50, change=lambda content: content.replace("trial:\n", with_board))
    refused = run(app, ["scenario", "check", str(few)])
    assert refused.exit_code == 2
    assert f"more than the {rows - round(rows / 2)} hidden cases available" in refused.output
