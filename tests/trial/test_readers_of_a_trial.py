"""Everything that a trial has read of hidden cases stands in the access record, of the scenario and of the dataset."""

from pilotbase.vault.readers import readers_of
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import prove
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET
from tests.trial.test_terms_of_a_trial import parties, scenario

__all__ = ["parties", "scenario"]


def test_a_trial_is_told_with_what_it_opened_why_under_which_agreement(base, parties, scenario, write_application):
    parties.publish()
    parties.agree()
    proven = prove(base, scenario, write_application())
    name = f"scenario:plant/{proven.report.scenario.name}"
    of_dataset, of_scenario = (readers_of(base.lab.view, one, {}, limit=200).items for one in (DATASET, name))
    steps = {(one.what, one.step, one.organisation) for one in of_dataset if one.kind == "opened"}
    assert steps >= {("rows", "leakage", "acme"), ("rows", "trial", "acme")}
    asked = next(one for one in of_dataset if one.step == "trial")
    assert (asked.rows, asked.channel, asked.ground, asked.attempt) == (100, "pb:report", AGREEMENT, 1)
    records = next(one for one in of_scenario if one.what == "records")
    assert (records.step, records.organisation) == ("owner", "plant"), "the folder of the trial tells of hidden cases"
    logged = [
        one
        for one in base.lab.view.log_entries(limit=10**6)
        if one.action.startswith("vault.") and "opened" in one.action
    ]
    logged = [one.number for one in logged if one.action != "vault.attempt_opened"]
    assert sorted(one.number for one in of_scenario if one.kind == "opened") == logged, (
        "nothing that was opened is left out"
    )
    assert {one.number for one in of_dataset if one.kind == "opened"} == set(logged)
    assert [one.number for one in of_dataset if one.kind == "used"] != []
    verify_base_log(base)
