"""Group scores that abstentions harm, and cases that have been shown or scored before."""

import csv

import polars as pl

from pilotbase.documents.base import Step
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.vault.attempts import remaining, scored_cases
from pilotbase.vault.opening import ReaderGrant, open_hidden
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.proving import prove, rehearse_in
from tests.trial.conftest import GOOD

ABSTAINING = "def predict(batch):\n    return [None] * batch.rows\n"


def with_gap(content: str) -> str:
    return content.replace(
        "{rule: accuracy >= 0.7}", "{rule: accuracy >= 0.7}\n  - {rule: gap(recall(broken) by site) <= 0.3}"
    )


def test_an_application_that_always_abstains_finds_nothing_in_any_group(base, write_scenario, write_application):
    report = prove(base, write_scenario(change=with_gap), write_application(ABSTAINING)).report
    assert {group.group for group in report.groups} <= {"north", "south"}
    assert {group.score for group in report.groups if group.cases} <= {0.0}, "a quick rejection may draw no broken case"


def test_a_groups_count_is_of_the_cases_that_its_score_is_about(base, write_scenario, write_application, tmp_path):
    proven = prove(base, write_scenario(change=with_gap), write_application(), tmp_path / "out")
    asked = pl.read_csv(tmp_path / "out" / "cases.csv")
    assert sum(group.cases for group in proven.report.groups) == (asked["truth"] == "broken").sum()


def test_cases_that_were_published_once_can_prove_nothing(base, write_scenario):
    """Another name draws the split anew: what was public before is no longer fresh when it lands in the hidden set."""
    first, folder = load_scenario(write_scenario(), Step.DRAFT)
    public = seal_scenario(base.lab, first, folder)
    renamed = write_scenario(name="again", change=lambda content: content.replace("small-alarm", "renamed-alarm"))
    second, folder = load_scenario(renamed, Step.DRAFT)
    record = seal_scenario(base.lab, second, folder).record
    hidden = base.lab.view.load(record.hidden_set, HiddenSet)
    spent = len(scored_cases(base.lab.vault, hidden))
    assert 0.2 * hidden.rows < spent < 0.7 * hidden.rows
    assert public.record.public_cases > spent > 0


def test_a_case_is_scored_once_though_two_versions_were_sealed_before_the_first_attempt(
    base, write_scenario, write_application
):
    first, second = write_scenario(cases=60), write_scenario(cases=60, name="again")
    with (second / "cases.csv").open("a") as stream:
        stream.writelines(f"c{9000 + number},{number}.1234,5,north,fine\n" for number in range(8))
    for scenario in (first, second):
        rehearse_in(base, scenario, write_application(name=f"early-{scenario.name}"))
    keys, sets = [], set()
    for scenario in (first, second):
        proven = prove(base, scenario, write_application(GOOD + f"# {scenario.name}\n", f"{scenario.name}-2"))
        sealed = seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT)).record
        hidden = base.lab.view.load(sealed.hidden_set, HiddenSet)
        sets.add(sealed.hidden_set)
        rows = pl.concat(
            [piece.frame for piece in open_hidden(base.lab.vault, hidden, ReaderGrant.of_owner(hidden.owner))]
        )
        table = pl.read_csv(proven.folder / "cases.csv").filter(pl.col("position") >= 0)
        keys.append(set(rows["case_id"].gather(table["case"]).to_list()))
        assert proven.report.attempt.number == len(keys)
    assert len(sets) == 2
    assert len(keys[0]) > 0 < len(keys[1])
    assert keys[0].isdisjoint(keys[1])


def test_what_another_split_publishes_later_is_no_longer_fresh_in_the_set_sealed_before(base, write_scenario):
    first, folder = load_scenario(write_scenario(), Step.DRAFT)
    record = seal_scenario(base.lab, first, folder).record
    hidden = base.lab.view.load(record.hidden_set, HiddenSet)
    assert remaining(base.lab.vault, hidden).fresh == hidden.rows
    renamed = write_scenario(name="again", change=lambda content: content.replace("small-alarm", "renamed-alarm"))
    seal_scenario(base.lab, *load_scenario(renamed, Step.DRAFT))
    assert 0.2 * hidden.rows < remaining(base.lab.vault, hidden).scored < 0.7 * hidden.rows


def test_what_a_rehearsal_writes_holds_no_column_that_suppliers_may_not_see(
    base, write_scenario, write_application, tmp_path
):
    prove(base, write_scenario(), write_application(GOOD), tmp_path / "out")
    with (tmp_path / "out" / "rehearsal" / "cases.csv").open() as stream:
        assert next(csv.reader(stream)) == ["pressure", "age", "site", "failure", "prediction"]
    assert (tmp_path / "out" / "cases.csv").stat().st_mode & 0o777 == 0o600
