"""A supplier's trial leaves hidden features in the kernel's cache of names, for a rehearsal of another to print."""

import os
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import ignore_progress
from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.box.settings import Protection
from pilotbase.trial import running
from pilotbase.trial.scorer import score_trial
from pilotbase.trial.sealed import load_sealed, read_public_sample
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.intake.kept_files import take_application
from pilotbase.worker.trials.proving import freeze_in, rehearse_in, take_in
from tests.catalogue.records_for_tests import OTHER_SUPPLIER
from tests.hostile.names_for_tests import heard, speaking, words_of
from tests.worker.commissions_for_tests import SCENARIO, Ordered

SPY = """
KNOWN, SENT = set(KNOWN_CASES), []
def predict(batch):
    for pressure in batch["pressure"]:
        if pressure not in KNOWN:
            send(len(SENT), pressure)
            SENT.append(pressure)
    return ["broken" if pressure > 6 else "fine" for pressure in batch["pressure"]]
"""
READER = """
HEARD = []
def predict(batch):
    HEARD or hear(ROWS)
    HEARD.append(True)
    return ["fine"] * batch.rows
"""


def patient(scenario: str) -> str:
    """Cases are not asked again: the second box would write its own names over those of the first."""
    assert "asked_again: 0" in scenario
    return scenario.replace("batch_seconds: 30", "batch_seconds: 60, log_bytes: 4 MiB")


def rows_that_get_out(base, scenario, write, name: str, rows: int) -> int:
    """Return how many hidden rows a rehearsal of globex prints after a trial of acme's application ``name``."""
    mark = os.urandom(8).hex()
    reader = READER.replace("ROWS", str(rows))
    application = write(speaking(mark, reader), name=f"{name}-reader", supplier="globex")
    sealed, _ = take_in(base, scenario, application, Step.REHEARSE, ignore_progress)
    known = read_public_sample(base.lab, sealed)["pressure"].to_list()
    spy = SPY.replace("KNOWN_CASES", repr(known))
    plan = freeze_in(base, scenario, write(speaking(mark, spy), name=name, supplier="acme"))
    assert plan.cases == rows
    score_trial(base.lab, plan, lambda _: None)
    said = heard((rehearse_in(base, scenario, application).folder / "application.log").read_text())
    cases = np.loadtxt(scenario / "cases.csv", delimiter=",", skiprows=1, usecols=1)
    secret = set(words_of(cases[~np.isin(cases, known)]).tolist())
    return max(len(secret.intersection(words)) for words in said.values())


@pytest.mark.prove
@pytest.mark.parametrize("rows", [60, pytest.param(600, marks=pytest.mark.prove)])
def test_no_hidden_row_gets_out_and_most_do_without_copies(base, write_scenario, write_application, monkeypatch, rows):
    scenario = write_scenario(rows=7 * rows, cases=rows, change=patient)
    assert rows_that_get_out(base, scenario, write_application, "silent", rows) == 0
    asked = running.box_settings

    def without_copies(*given):
        return replace(asked(*given), removed=frozenset({Protection.COPIES}))

    monkeypatch.setattr(running, "box_settings", without_copies)
    assert rows_that_get_out(base, scenario, write_application, "heard", rows) >= rows / 2


def test_a_trial_that_cannot_have_copies_is_refused_and_costs_no_attempt(
    base, write_scenario, write_application, monkeypatch, tmp_path
):
    plan = freeze_in(base, write_scenario(cases=60), write_application())
    (tmp_path / "full").write_text("no folder")
    with monkeypatch.context() as patch, pytest.raises(PilotbaseError) as told:
        patch.setenv("CACHE_DIRECTORY", str(tmp_path / "full"))
        score_trial(base.lab, plan, lambda _: None)
    assert told.value.code == "box.no_copies"
    hidden = base.lab.view.load(plan.scenario.hidden_set, HiddenSet)
    assert [attempt.state for attempt in attempts_of(base.lab.vault, hidden)] == [AttemptState.OPEN]
    report = score_trial(base.lab, plan, lambda _: None)
    assert (report.attempt.number, report.verdict) == (1, Verdict.ACCEPT)


@pytest.mark.prove
def test_on_a_hub_a_rehearsal_job_hears_what_rehearsals_looked_up_and_nothing_of_a_trial(
    base, write_scenario, write_application
):
    rows, mark = 100, os.urandom(8).hex()
    ordered, spy = Ordered(base), SPY.replace("KNOWN_CASES", "()")
    with_approval = "  approvals: [{kind: ethics}]\n"
    scenario = write_scenario(cases=rows, change=lambda content: patient(content) + with_approval)
    ordered.open(scenario, write_application(speaking(mark, spy)))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    assert ordered.record().state == "reported"
    reader = speaking(mark, READER.replace("ROWS", str(rows)))
    taken = take_application(
        base, ordered.view(OTHER_SUPPLIER), write_application(reader, name="reader", supplier="globex"), SCENARIO
    )
    ordered.do(OTHER_SUPPLIER, Act.APPLICATION_SUBMIT, subject=taken.subject)
    ordered.do(OTHER_SUPPLIER, Act.APPLICATION_REHEARSE, subject=taken.subject)
    assert ordered.work() == [("rehearse", "done")]
    (log,) = (log for log in base.lab.home.path.rglob("application.log") if "/usr/share/zoneinfo" in log.read_text())
    words = {word for words in heard(log.read_text()).values() for word in words}
    sealed = load_sealed(base.lab.view, base.lab.view.load(ordered.record().documents["plan"], TrialPlan).sealed)
    public = read_public_sample(base.lab, sealed)["pressure"].to_numpy()
    cases = np.loadtxt(scenario / "cases.csv", delimiter=",", skiprows=1, usecols=1)
    assert len(words.intersection(words_of(public).tolist())) >= rows / 2
    hidden = words_of(cases[~np.isin(cases, public)]).tolist()
    assert len(words.intersection(hidden)) <= 1, "one misread bit makes a hidden value of a shown one, 0.25 apart"
