"""The worker does what people order: a whole trial through its record, and what goes wrong on the way is said."""

import json
import logging

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Order
from pilotbase.documents.report import Report
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.sealed import SealedScenario
from pilotbase.worker.intake.kept_files import erase_scenario_files, take_application
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.jobs import JobState, claim, finish, jobs_of, live_jobs
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, PLANNER, REGULATOR, REVIEWER, SUPPLIER
from tests.trial.conftest import BAD
from tests.worker.commissions_for_tests import APPLICATION, COMMISSION, MACHINE, SCENARIO, Ordered


def test_a_whole_trial_from_files_to_certificate_and_revocation(ordered):
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    assert ("rehearse", "done") in ordered.work()  # a worker also makes the kit of what is open
    assert ordered.view(SUPPLIER).load(ordered.record(APPLICATION).documents["rehearsal"], Report).evidence is False
    ordered.freeze()
    assert ordered.work() == [("freeze", "done")]
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    assert ordered.record().state == "queued"
    assert ordered.work() == [("trial", "done")]
    record = ordered.record()
    assert record.state == "reported"
    assert ordered.view(OWNER).load(record.documents["report"], Report).verdict is Verdict.ACCEPT
    assert ordered.view(REVIEWER).get(record.documents["report"]) is not None
    assert ordered.view(SUPPLIER).get(record.documents["report"]) is None
    ordered.accept()
    assert ordered.work() == [("certificate", "done")]
    issued = ordered.view(OTHER_SUPPLIER).load(ordered.record().documents["certificate"], IssuedCertificate)
    said = [remark.render("en") for remark in issued.certificate.remarks]
    assert said[0].startswith("Separation of duties: the person who submitted")
    assert "institute" in said[0]
    ordered.do(DESK, Act.CERTIFICATE_SUSPEND, note="Complaints from shift two.")
    assert ordered.work() == [("suspension", "done")]
    assert "Complaints from shift two." in _payload(ordered.base.revocations)
    ordered.do(DESK, Act.CERTIFICATE_REINSTATE)
    assert ordered.work() == [("reinstatement", "done")]
    assert "Complaints" not in _payload(ordered.base.revocations)
    ordered.do(DESK, Act.CERTIFICATE_SUSPEND, note="Too late.")
    ordered.do(DESK, Act.CERTIFICATE_REINSTATE)
    assert ordered.work() == [("suspension", "done"), ("reinstatement", "done")]
    assert "Too late." not in _payload(ordered.base.revocations), "the list says what the record says now"
    ordered.do(DESK, Act.CERTIFICATE_REVOKE, note="Sensor replaced.")
    assert ordered.work() == [("revocation", "done")]
    assert "Sensor replaced." in _payload(ordered.base.revocations)
    verify_store(ordered.base.lab.store)


def _payload(path) -> str:
    import base64

    return base64.b64decode(json.loads(path.read_text())["payload"]).decode()


@pytest.mark.prove
def test_a_re_run_that_was_ordered_is_a_new_attempt_on_fresh_cases(ordered):
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    ordered.work()
    first = ordered.record()
    ordered.do(REGULATOR, Act.ORDER_GIVE, Order(kind="rerun", reasons="Doubts.", deadline="2099-01-01"))
    repeated = ordered.do(DESK, Act.TRIAL_REPEAT)
    assert (repeated.state, repeated.round, repeated.open_orders) == ("retest", 2, ())
    assert not {"plan", "report", "proposal"} & set(repeated.documents)
    ordered.draft_and_review()
    ordered.freeze()
    ordered.do_queued()
    second = ordered.record()
    reports = [ordered.view(OWNER).load(record.documents["report"], Report) for record in (first, second)]
    assert [report.attempt.number for report in reports] == [1, 2]
    assert reports[0].plan != reports[1].plan


def test_a_freeze_that_is_refused_says_why_and_can_be_ordered_again(ordered):
    erase_scenario_files(ordered.base, ordered.record().documents["scenario"])
    ordered.freeze()
    assert ordered.work() == [("freeze", "failed")]
    record = ordered.record()
    assert record.state == "plan_approved"
    assert record.history[-1].reason.code == "worker.no_scenario_files"
    (job,) = jobs_of(ordered.view(OWNER), COMMISSION)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert all("small-alarm" in job.reason.render(language) for language in LANGUAGES)
    ordered.freeze()
    assert jobs_of(ordered.view(OWNER), COMMISSION)[0].attempt == 2


def test_an_application_that_fails_its_rehearsal_is_not_frozen(base, write_scenario, write_application):
    from tests.worker.commissions_for_tests import Ordered

    ordered = Ordered(base)
    ordered.open(write_scenario(), write_application("def predict(batch):\n    return 1\n"))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    assert ordered.work() == [("freeze", "failed")]
    assert ordered.record().history[-1].reason.code == "worker.rehearsal_failed"


def test_a_queued_trial_that_is_stopped_does_not_run(ordered):
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    ordered.do(DESK, Act.TRIAL_STOP)
    assert ordered.work() == []
    assert ordered.record().state == "frozen"
    job = jobs_of(ordered.view(SUPPLIER), COMMISSION)[0]
    assert (job.state, job.reason.params["organisation"]) == (JobState.CANCELLED, "base")


@pytest.mark.prove
def test_a_running_trial_that_is_stopped_ends_and_goes_on_with_the_same_attempt(ordered, monkeypatch):
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    from pilotbase.worker.trials import consenting

    real = consenting.run_trial

    def stopped_in_the_middle(lab, plan, on_progress, asking):
        def then_stop(progress):
            answering = progress.stage.code == "trial.progress.answer" and progress.done > 0
            if answering and ordered.record().state == "running":
                ordered.do(DESK, Act.TRIAL_STOP)
            on_progress(progress)

        return real(lab, plan, then_stop, asking)

    monkeypatch.setattr(consenting, "run_trial", stopped_in_the_middle)
    assert ordered.work() == [("trial", "cancelled")]
    assert ordered.record().state == "frozen"
    monkeypatch.setattr(consenting, "run_trial", real)
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    ends = ordered.work()
    assert ends[-1] == ("trial", "done")
    report = ordered.view(OWNER).load(ordered.record().documents["report"], Report)
    assert report.attempt.number == 1


def test_a_rehearsal_that_waits_is_stopped_by_who_ordered_it_or_the_operator(ordered):
    for who, reason in ((SUPPLIER, "The wrong model"), (DESK, "")):
        ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
        ordered.do(who, Act.APPLICATION_STOP, subject=APPLICATION, note=reason)
        assert ordered.work() == []
        job = jobs_of(ordered.view(SUPPLIER), APPLICATION)[0]
        told = job.reason.render("en")
        assert job.state is JobState.CANCELLED and who.organisation in told and reason in told
    with pytest.raises(RefusedError) as nothing:
        ordered.do(SUPPLIER, Act.APPLICATION_STOP, subject=APPLICATION)
    assert nothing.value.code == "record.no_work"
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    for who in (OWNER, OTHER_SUPPLIER):
        with pytest.raises(PilotbaseError):
            ordered.do(who, Act.APPLICATION_STOP, subject=APPLICATION)
    ordered.do(SUPPLIER, Act.APPLICATION_STOP, subject=APPLICATION)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("order", "work", "stage"),
    [
        (Act.APPLICATION_REHEARSE, "rehearse", "trial.progress.rehearse"),
        (Act.APPLICATION_BOARD, "score_on_board", "trial.progress.answer"),
    ],
)
def test_a_rehearsal_or_board_submission_that_runs_is_stopped_at_its_next_sign_of_life(
    base, write_scenario, write_application, monkeypatch, order, work, stage
):
    from pilotbase.worker.jobs.handlers import applications as handlers

    ordered = Ordered(base)
    board = "  board: {measure: accuracy, share: 0.2, entries: 3, improvements: 2}\n"
    ordered.open(write_scenario(change=lambda content: content + board), write_application())
    ordered.do(SUPPLIER, order, subject=APPLICATION)
    real = getattr(handlers, work)

    def stopped_in_the_middle(lab, sealed, candidate, on_progress, *more):
        def then_stop(progress):
            if progress.stage.code == stage and not jobs_of(lab.view, APPLICATION)[0].stopping:
                ordered.do(SUPPLIER, Act.APPLICATION_STOP, subject=APPLICATION, note="Enough")
            on_progress(progress)

        return real(lab, sealed, candidate, then_stop, *more)

    monkeypatch.setattr(handlers, work, stopped_in_the_middle)
    (end,) = ordered.work()
    assert end[1] == "cancelled"
    assert "Enough" in jobs_of(ordered.view(SUPPLIER), APPLICATION)[0].reason.render("zh")
    assert "rehearsal" not in ordered.record(APPLICATION).documents
    monkeypatch.setattr(handlers, work, real)
    ordered.do(SUPPLIER, order, subject=APPLICATION)
    assert [state for _, state in ordered.work()] == ["done"], "nothing of the one that was stopped is in the way"


def test_a_fault_of_our_own_is_said_and_does_not_stick(ordered, monkeypatch, caplog):
    ordered.freeze()
    monkeypatch.setattr("pilotbase.worker.jobs.handlers.trials.freeze_plan", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR, "pilotbase.worker"):
        assert ordered.work() == [("freeze", "failed")]
    assert "ZeroDivisionError" in caplog.text
    assert ordered.record().state == "plan_approved"
    assert jobs_of(ordered.view(OWNER), COMMISSION)[0].reason.code == "job.crashed"


def test_a_worker_that_was_replaced_can_write_nothing(ordered):
    ordered.freeze()
    view = ordered.base.lab.view
    old = claim(view, "same-name", 30)
    new = claim(view, "same-name", 30)
    assert (new.job.identity, new.job.attempt) == (old.job.identity, old.job.attempt)
    with pytest.raises(PilotbaseError) as caught:
        finish(view, old, JobState.DONE)
    assert caught.value.code == "workspace.lease_lost"
    assert claim(view, "another", 30) is None
    finish(view, new, JobState.QUEUED)
    assert JobWorker(ordered.base, "another").work_once()[1] is JobState.DONE


def test_only_those_who_see_the_record_see_its_jobs_and_their_place(ordered):
    ordered.freeze()
    assert jobs_of(ordered.view(OWNER), COMMISSION)[0].ahead == 0
    with pytest.raises(PilotbaseError):
        jobs_of(ordered.view(OTHER_SUPPLIER), COMMISSION)
    assert [job.subject for job in live_jobs(ordered.view(DESK))] == [COMMISSION]
    assert [job.subject for job in live_jobs(ordered.view(OWNER))] == [COMMISSION]
    assert live_jobs(ordered.view(OTHER_SUPPLIER)) == []


@pytest.mark.prove
def test_the_files_of_a_scenario_are_not_readable_in_the_home(ordered, home):
    case = (home.parent / "scenario" / "cases.csv").read_text().splitlines()[5].encode()
    assert not [path for path in home.rglob("*") if path.is_file() and case in path.read_bytes()]
    ordered.freeze()
    ordered.work()
    assert ordered.base.lab.view.find("sealed-scenario")[0].load(SealedScenario)
    assert not list((home / "tmp").glob("tmp*/*.csv"))


def test_nobody_hands_in_an_application_for_another_supplier(ordered, write_application):
    folder = write_application(BAD, name="theft", supplier="acme")
    with pytest.raises(PilotbaseError) as caught:
        take_application(ordered.base, ordered.view(OTHER_SUPPLIER), folder, SCENARIO)
    assert caught.value.code == "record.not_permitted"
    assert ordered.view(MACHINE).head("record:application:acme/theft") is None
