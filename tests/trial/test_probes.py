"""Probes are found, not wired: one more changes nothing else, is looked at once, and writes into its own place only."""

from pathlib import Path

import pytest

from pilotbase.documents.base import Part
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verdict, Verification
from pilotbase.trial import probes
from pilotbase.trial.probes.cells import CellRuns
from pilotbase.trial.probing import Probe
from pilotbase.trial.scorer import score_trial
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial


class Mood(Part):
    """What the further probe finds."""

    cheerful: bool


class Further(Probe[Mood]):
    """A probe that nobody here knows of."""

    name, found, sections = "mood", Mood, frozenset({Verification.PROCESS})

    def __init__(self, section=Verification.PROCESS):
        self.looked, self.section = [], section

    def look(self, subject, run):
        self.looked.append(subject.folder is not None)
        return Mood(cheerful=True)

    def findings(self, found):
        return {self.section: [Finding(check="mood", outcome=Outcome.PASS, sentence=text("trial.finding.no_soak"))]}


@pytest.fixture
def further(monkeypatch):
    def add(probe):
        monkeypatch.setattr(probes, "PROBES", (*probes.PROBES, probe))
        return probe

    return add


def in_process(lab, plan, on_progress, **_):
    return score_trial(lab, plan, on_progress)


def killed(*_):
    raise KeyboardInterrupt


def test_every_file_of_the_room_is_a_probe_and_each_has_a_name_of_its_own():
    files = {path.stem for path in Path(probes.__file__).parent.glob("*.py")} - {"__init__"}
    assert {type(probe).__module__.rpartition(".")[2] for probe in probes.PROBES} == files
    assert len({probe.name for probe in probes.PROBES}) == len(files)
    assert all(probe.kept for probe in probes.PROBES if probe.when == "before"), (
        "it is read again once all is committed"
    )


def test_one_more_probe_is_reported_and_replayed_and_nothing_else_knows_of_it(
    base, further, write_scenario, write_application, tmp_path
):
    mood = further(Further())
    report = prove(base, write_scenario(), write_application(), tmp_path / "out", run=in_process).report
    assert report.probes["mood"] == {"cheerful": True} and report.supplier_view().probes is None
    (process,) = [section for section in report.sections if section.verification is Verification.PROCESS]
    assert process.findings[-1].check == "mood"
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT
    assert mood.looked == [False, True], "once in the rehearsal, once in the trial"


def test_what_a_probe_has_found_is_found_once_whatever_becomes_of_the_scorer(
    base, further, write_scenario, write_application, monkeypatch
):
    mood = further(Further())
    scenario, application = write_scenario(), write_application()
    rehearse_in(base, scenario, application)
    plan = freeze_in(base, scenario, application)
    with monkeypatch.context() as patch:
        patch.setattr("pilotbase.trial.phases.judging.reveal_order", killed)
        with pytest.raises(KeyboardInterrupt):
            score_trial(base.lab, plan, lambda _: None)
    assert score_trial(base.lab, plan, lambda _: None).probes["mood"] == {"cheerful": True}
    assert mood.looked == [False, True]


def test_no_second_scorer_probes_while_one_does(base, further, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    rehearse_in(base, scenario, application)
    plan = freeze_in(base, scenario, application)
    refused = []

    class Impatient(Further):
        def look(self, subject, run):
            with pytest.raises(RefusedError) as caught:
                score_trial(base.lab, plan, lambda _: None)
            refused.append(caught.value.code)
            return super().look(subject, run)

    further(Impatient())
    assert score_trial(base.lab, plan, lambda _: None).verdict is Verdict.ACCEPT
    assert len(refused) == 1 and refused[0].startswith("trial."), refused


def test_what_comes_before_a_hidden_case_leaves_gives_the_attempt_back_where_it_fails(
    base, further, write_scenario, write_application
):
    class Failing(Further):
        when, fails = "before", True

        def look(self, subject, run):
            if subject.folder is not None and self.fails:
                raise RefusedError("trial.host_not_quiet", tries=1, why=text("trial.void.noisy_host"))
            return super().look(subject, run)

    probe = further(Failing())
    scenario, application = write_scenario(), write_application()
    with pytest.raises(RefusedError, match="load test failed"):
        prove(base, scenario, application, run=in_process)
    plan = freeze_in(base, scenario, application)
    attempts = lambda: attempts_of(base.lab.vault, base.lab.view.load(plan.scenario.hidden_set, HiddenSet))  # noqa: E731
    assert [one.state for one in attempts()] == [AttemptState.RETURNED]
    probe.fails = False
    assert prove(base, scenario, application, run=in_process).report.attempt.number == 1


def test_a_probe_that_writes_into_another_section_is_refused_by_name(base, further, write_scenario, write_application):
    further(Further(Verification.DESIGN))
    with pytest.raises(ValueError, match="mood writes into a section that is not its own: design"):
        rehearse_in(base, write_scenario(), write_application())


def test_a_probe_that_writes_what_another_has_found_is_refused_by_name(
    base, further, write_scenario, write_application
):
    class Forging(Further):
        def add(self, run, found):
            return run.measured(cells=CellRuns(runs=()).runs)

    further(Forging())
    with pytest.raises(ValueError, match="mood writes what is not its own: cells"):
        rehearse_in(base, write_scenario(), write_application())
