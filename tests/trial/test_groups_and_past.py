"""Group scores that abstentions harm, and cases that have been shown or scored before."""

import csv

import polars as pl

from pilotbase.trial.sealing import load_scenario, seal_scenario
from pilotbase.vault.attempts import scored_cases
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.proving import prove
from tests.trial.conftest import GOOD

ABSTAINING = "def predict(batch):\n    return [None] * batch.rows\n"


def with_gap(content: str) -> str:
    return content.replace("{rule: accuracy >= 0.7}", "{rule: gap(recall(broken) by site) <= 0.3}")


def test_an_application_that_always_abstains_finds_nothing_in_any_group(base, write_scenario, write_application):
    report = prove(base, write_scenario(change=with_gap), write_application(ABSTAINING)).report
    assert {group.group for group in report.groups} <= {"north", "south"}
    assert [group.score for group in report.groups if group.cases] == [0.0] * len(report.groups)


def test_a_groups_count_is_of_the_cases_that_its_score_is_about(base, write_scenario, write_application, tmp_path):
    proven = prove(base, write_scenario(change=with_gap), write_application(), tmp_path / "out")
    scored = pl.read_csv(tmp_path / "out" / "cases.csv").filter(pl.col("position") >= 0)
    assert sum(group.cases for group in proven.report.groups) == (scored["truth"] == "broken").sum()


def test_cases_that_were_published_once_can_prove_nothing(base, write_scenario):
    """Another name draws the split anew: what was public before is no longer fresh when it lands in the hidden set."""
    first, folder = load_scenario(write_scenario(), 0)
    public = seal_scenario(base.lab, first, folder)
    renamed = write_scenario(name="again", change=lambda content: content.replace("small-alarm", "renamed-alarm"))
    second, folder = load_scenario(renamed, 0)
    record = seal_scenario(base.lab, second, folder).record
    hidden = base.lab.view.load(record.hidden_set, HiddenSet)
    spent = len(scored_cases(base.lab.vault, hidden))
    assert 0.2 * hidden.rows < spent < 0.7 * hidden.rows
    assert public.record.public_cases > spent > 0


def test_what_a_rehearsal_writes_holds_no_column_that_suppliers_may_not_see(
    base, write_scenario, write_application, tmp_path
):
    prove(base, write_scenario(), write_application(GOOD), tmp_path / "out")
    with (tmp_path / "out" / "rehearsal" / "cases.csv").open() as stream:
        assert next(csv.reader(stream)) == ["pressure", "age", "site", "failure", "prediction"]
    assert (tmp_path / "out" / "cases.csv").stat().st_mode & 0o777 == 0o600
