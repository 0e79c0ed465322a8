"""From a red warning to action: what is done, once, whoever is killed, and nothing is restored by itself."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.service import ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, Countermeasure, EventGrade, ResponseLevel, Signal
from pilotbase.documents.watch import RunbookRule
from pilotbase.service.registry import load_service
from pilotbase.service.standing import restore, standing_of
from pilotbase.watch.incidents import close, default_runbook, keep_runbook, list_incidents, set_grade
from pilotbase.watch.warnings import DialogueFinding, Done, silence, warn_of_dialogue
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.worker.reactions.steps import Cause, Reacting
from pilotbase.worker.services.duty_desk import duty_desk
from pilotbase.workspace.failures import BusyError
from tests.catalogue.conftest import any_store, store
from tests.catalogue.records_for_tests import COMMISSION, DESK, OTHER_OWNER, OWNER, REGULATOR, SUPPLIER
from tests.service.services_for_tests import digest
from tests.worker.reactions_for_tests import Killed, Watched, killed_after

__all__ = ["any_store", "store"]
SERVING, FALLEN_BACK, HUMAN, STOPPED = ("serving", 0), ("fallen_back", 1), ("human", 0), ("stopped", 0)


@pytest.fixture
def watched(store, tmp_path):
    return Watched(store, tmp_path)


@pytest.fixture
def any_watched(any_store, tmp_path):
    return Watched(any_store, tmp_path)


def test_red_risk_falls_back_opens_an_incident_suspends_and_tells(any_watched, clock):
    watched = any_watched
    watched.two_versions()
    warning = watched.warn()
    clock.step(0.8)
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK]
    incident = watched.incident
    assert (incident.colour, incident.grade, incident.response) == (Colour.RED, EventGrade.GENERAL, ResponseLevel.III)
    assert (incident.known_at, incident.warning, incident.clocks) == (warning.at, warning.digest(), ())
    assert watched.lines() == ["warned", "measure_done", "suspended", "retrial_by_hand"]
    measure = incident.timeline[1].what
    assert (measure.params["seconds"], measure.params["allowed"]) == ("0.8", 60)
    assert "0.8 s" in measure.render("en") and "0.8 秒" in measure.render("zh")
    assert watched.suspended() == 1
    assert [watched.told(who) for who in (OWNER, DESK, REGULATOR, OTHER_OWNER, SUPPLIER)] == [
        ["told_acted"],
        ["told_acted"],
        ["told_acted"],
        [],
        [],
    ]


@pytest.mark.parametrize(("excess", "lines"), [(2.0, ["confirm_first"]), (40.0, ["suspended", "retrial_by_hand"])])
def test_where_little_comes_to_harm_a_person_confirms_the_suspension(watched, excess, lines):
    watched.two_versions()
    watched.warn(excess=excess)
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK], "the earlier version answers meanwhile"
    assert watched.lines() == ["warned", "measure_done", *lines]
    assert watched.suspended() == (excess > 5)
    if excess < 5:
        said = watched.incident.timeline[-1].what
        assert "about 2 more wrong answers a day than accepted, fewer than 5" in said.render("en")
        assert "约多 2 个错误应答" in said.render("zh")
        assert watched.told(OWNER) == ["told_acted"]


def test_a_record_on_the_hub_is_suspended_and_asked_to_be_tried_again(watched):
    watched.of_trial()
    watched.warn()
    watched.react()
    record = watched.record()
    assert (record.state, [step.act for step in record.history[-2:]]) == (
        "suspended",
        [Act.CERTIFICATE_SUSPEND, Act.RETRIAL_ASK],
    )
    assert record.history[-1].person is None and record.history[-1].reason is not None
    assert [wait.act for wait in record.waits] == [Act.TRIAL_REPEAT]
    assert watched.lines() == ["warned", "measure_done", "suspended", "retrial_asked"]
    assert watched.moves == [SERVING, FALLEN_BACK]


@pytest.mark.parametrize("ask_human", [True, False])
def test_without_an_earlier_version_a_person_answers_or_nobody(watched, ask_human):
    watched.served.serve(watched.served.certify("2.0.0"), ask_human=ask_human)
    watched.warn()
    watched.react()
    assert watched.moves == [SERVING, HUMAN if ask_human else STOPPED]
    assert watched.lines()[1] == "measure_done"


def test_an_earlier_version_whose_certificate_is_revoked_does_not_answer(watched):
    watched.two_versions(ask_human=True)
    watched.served.revoke("1.0.0")
    watched.warn()
    watched.react()
    assert watched.standing == HUMAN


def test_a_certificate_that_is_revoked_already_is_left_so(watched):
    watched.two_versions()
    watched.react()
    watched.served.revoke("2.0.0")
    watched.warn()
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK]
    assert "suspended" not in watched.lines() and watched.suspended() == 0


def test_the_same_warning_again_changes_nothing(watched):
    watched.two_versions()
    warning = watched.warn()
    watched.react()
    before = watched.outcome()
    watched.store_warning(warning)
    watched.react()
    watched.react_from_the_start()
    assert watched.outcome() == before


def test_still_red_is_no_rise(watched, clock):
    watched.two_versions()
    watched.warn()
    watched.react()
    before = watched.outcome()
    clock.step(600)
    watched.warn(seen_to=900)
    watched.react()
    assert watched.outcome() == before


def test_a_second_detector_does_not_move_the_service_twice_for_one_version(watched, clock):
    watched.two_versions()
    watched.warn()
    watched.warn(detector="risk:precision")
    watched.react()
    clock.step(5)
    watched.warn(detector="risk:f1", began=watched.now() - timedelta(seconds=5))
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK]
    assert watched.lines().count("warned") == 3 and len(list_incidents(watched.view)) == 1
    assert watched.suspended() == 1


def test_the_version_that_was_fallen_back_to_is_watched_like_the_first(watched, clock):
    watched.two_versions(ask_human=True)
    watched.warn()
    watched.react()
    clock.step(86_400)
    watched.warn(detector="risk:precision")
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK, ("human", 1)]
    assert watched.suspended() == 2


def test_arming_anew_is_not_told_as_if_the_service_had_recovered(watched, clock):
    watched.two_versions()
    red = watched.warn()
    watched.react()
    clock.step(3600)
    green = {"colour": Colour.GREEN, "reason": text("watching.rearmed"), "at": watched.now()}
    watched.store_warning(red.model_copy(update=green))
    watched.react()
    assert watched.lines()[-1] == "rearmed_still"
    said = watched.incident.timeline[-1].what.render("zh")
    assert "原预警不再计算；服务仍为“已回退到早期版本”，由人工决定" in said and "解除" not in said


def test_when_the_warning_is_over_that_is_told_and_a_person_restores(watched, clock):
    watched.two_versions()
    watched.warn()
    watched.react()
    clock.step(3600)
    watched.warn(Colour.GREEN)
    watched.react()
    assert watched.standing == FALLEN_BACK and watched.lines()[-1] == "over"
    assert watched.told(OWNER)[-1] == "over"
    watched.served.reinstate("2.0.0")
    watched.react()
    assert watched.standing == FALLEN_BACK
    restore(watched.store.as_actor(DESK), "milling", text("colour.green"))
    watched.react_from_the_start()
    assert watched.standing == SERVING
    clock.step(60)
    watched.warn()
    watched.react()
    assert watched.standing == FALLEN_BACK


def test_orange_yellow_and_silence_move_nothing(watched):
    watched.two_versions()
    watched.warn(Colour.YELLOW)
    watched.warn(Colour.BLUE, "drift:torque", signal=Signal.DRIFT)
    watched.react()
    assert (list_incidents(watched.view), watched.told(OWNER)) == ([], ["warned"])
    watched.warn(Colour.RED, "silence", signal=Signal.SILENCE)
    watched.warn(Colour.ORANGE)
    watched.react()
    assert (watched.moves, watched.suspended()) == ([SERVING], 0)
    assert watched.incident.response is ResponseLevel.IV
    assert watched.told(OWNER) == ["warned"] * 3


def test_a_silenced_detector_is_heard_only_where_something_is_done(watched, clock):
    watched.two_versions()
    desk = watched.store.as_actor(DESK)
    silence(desk, "milling", "The sensor is being exchanged.", watched.now() + timedelta(days=1))
    watched.warn(Colour.YELLOW)
    watched.react()
    assert watched.told(OWNER) == []
    watched.warn(Colour.RED)
    watched.react()
    assert watched.told(OWNER) == ["told_acted"] and watched.standing == FALLEN_BACK


def test_a_rise_within_an_open_incident_raises_what_no_person_has_set(watched, clock):
    watched.two_versions()
    watched.warn(Colour.ORANGE)
    watched.react()
    watched.warn(Colour.RED)
    watched.react()
    assert watched.incident.response is ResponseLevel.III
    set_grade(watched.store.as_actor(DESK), 1, (EventGrade.GENERAL, ResponseLevel.IV))
    watched.warn(Colour.RED, "risk:precision")
    watched.react()
    assert watched.incident.response is ResponseLevel.IV
    close(watched.store.as_actor(DESK), 1, "A worn sensor.")
    watched.warn(Colour.RED, "risk:f1")
    watched.react()
    assert [one.number for one in list_incidents(watched.view)] == [2, 1]


def test_the_runbook_of_the_service_is_followed_and_late_measures_are_called_late(watched, clock):
    watched.two_versions()
    measures = (Countermeasure.TAKE_OFFLINE,)
    rules = (RunbookRule(colour=Colour.ORANGE, measures=measures, within_seconds=10, incident=True, grade="larger"),)
    own = default_runbook("milling").model_copy(update={"rules": rules, "reporter": "critical_infrastructure"})
    keep_runbook(watched.store.as_actor(OWNER), load_service(watched.view, "milling"), own)
    watched.warn(Colour.ORANGE)
    clock.step(11)
    watched.react()
    assert watched.standing == STOPPED and watched.suspended() == 0
    assert watched.lines() == ["warned", "measure_late"]
    assert [clock.clock for clock in watched.incident.clocks] == ["operator_to_protection_department"]


@pytest.mark.parametrize("desk", [True, False])
def test_a_runbook_that_asks_a_person_stops_a_service_that_declares_no_desk(watched, desk):
    watched.two_versions(ask_human=desk)
    rules = (RunbookRule(colour=Colour.ORANGE, measures=(Countermeasure.ASK_HUMAN,)),)
    own = default_runbook("milling").model_copy(update={"rules": rules})
    keep_runbook(watched.store.as_actor(OWNER), load_service(watched.view, "milling"), own)
    watched.warn(Colour.ORANGE)
    watched.react()
    assert watched.standing == (HUMAN if desk else STOPPED)


def test_a_clock_that_jumps_back_neither_hinders_nor_repeats(watched, clock):
    watched.two_versions()
    watched.warn()
    clock.step(-7200)
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK]
    assert "less than 0.1 s" in watched.incident.timeline[1].what.render("en")
    before = watched.outcome()
    clock.step(10_000)
    watched.react_from_the_start()
    assert watched.outcome() == before


def test_an_overdue_report_is_told_once(watched, clock):
    watched.two_versions()
    watched.warn()
    watched.react()
    set_grade(watched.store.as_actor(DESK), 1, (EventGrade.LARGER, ResponseLevel.II))
    clock.step(4 * 3600)
    watched.react()
    assert "clock_passed" not in watched.told(OWNER)
    clock.step(1)
    watched.react()
    watched.react()
    assert [watched.told(who).count("clock_passed") for who in (OWNER, DESK, REGULATOR)] == [1, 1, 1]


def test_a_revoked_certificate_moves_its_services_off_it_and_says_why(watched):
    watched.two_versions()
    watched.served.revoke("2.0.0")
    watched.react()
    watched.react_from_the_start()
    assert watched.moves == [SERVING, FALLEN_BACK]
    standing = watched.view.load(watched.view.head("service-standing:milling"), ServiceStatus)
    assert standing.reason.code == "reaction.barred" and standing.cause == watched.view.head("revocations")
    assert watched.told(OWNER) == ["moved"]
    watched.served.suspend("1.0.0")
    watched.react()
    assert watched.standing == ("stopped", 1)


def test_a_record_that_people_suspend_moves_the_service_before_any_list_is_signed(watched):
    trial = watched.of_trial()
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    watched.react()
    assert watched.moves == [SERVING, FALLEN_BACK] and watched.suspended() == 0


def test_what_goes_wrong_is_told_and_the_rest_is_done(watched, monkeypatch):
    watched.two_versions()
    monkeypatch.setattr("pilotbase.worker.reactions.on_warning.suspend", lambda *_: 1 / 0)
    watched.warn()
    watched.react()
    assert watched.lines() == ["warned", "measure_done", "failed", "retrial_by_hand"]
    failed = watched.incident.timeline[2].what
    assert "ZeroDivisionError" in failed.render("en") and "暂停证书" in failed.render("zh")
    assert watched.standing == FALLEN_BACK and watched.told(OWNER) == ["told_acted"]


def test_what_cannot_be_reacted_to_at_all_is_told_to_the_operator_and_holds_up_nothing(watched, monkeypatch):
    watched.two_versions()
    watched.served.serve(watched.served.certify("1.5.0"), name="other")
    real = standing_of
    broken = lambda view, name: 1 / 0 if name == "other" else real(view, name)  # noqa: E731
    monkeypatch.setattr("pilotbase.worker.reactions.on_warning.standing_of", broken)
    watched.warn(service="other")
    watched.warn()
    watched.react()
    assert watched.standing == FALLEN_BACK
    assert [watched.told(who) for who in (DESK, OWNER)] == [["gave_up", "told_acted"], ["told_acted"]]


def test_what_passes_by_itself_is_tried_again(watched, monkeypatch):
    watched.two_versions()
    watched.warn()
    with monkeypatch.context() as patch:
        patch.setattr("pilotbase.worker.reactions.on_warning.suspend", _busy)
        with pytest.raises(BusyError):
            watched.react()
    watched.react()
    assert watched.lines() == ["warned", "measure_done", "suspended", "retrial_by_hand"]


def _busy(*_):
    raise BusyError("workspace.busy", path="x", seconds=1)


def test_a_warning_about_no_service_is_passed_over(watched):
    watched.warn()
    watched.react()
    assert list_incidents(watched.view) == []


@pytest.mark.prove
@pytest.mark.parametrize("of_hub", [False, pytest.param(True, marks=pytest.mark.prove)])
def test_killed_between_any_two_writes_nothing_is_done_twice_or_lost(watched, tmp_path, of_hub):
    watched.of_trial() if of_hub else watched.two_versions()
    watched.react()
    watched.warn()
    whole = watched.copied_to(tmp_path / "whole")
    whole.react()
    expected = whole.outcome()
    assert expected["moves"] == [SERVING, FALLEN_BACK]
    for writes in range(40):
        killed = watched.copied_to(tmp_path / str(writes))
        with killed_after(writes) as died, contextlib.suppress(Killed):
            killed.react()
        killed.react()
        assert killed.outcome() == expected, writes
        killed.store.close()
        if not died:
            break
    assert 8 <= writes < 40


def test_two_workers_at_once_do_it_once(any_watched):
    watched = any_watched
    watched.two_versions()
    watched.warn()
    watched.warn(detector="risk:precision")

    def work(_):
        worker = Reactions(watched.base)
        while worker.round():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert watched.moves == [SERVING, FALLEN_BACK]
    assert (
        sorted(watched.lines())
        == sorted(["warned", "measure_done", "suspended", "retrial_by_hand", "warned", "measure_not_needed"])
        or watched.lines().count("measure_done") == 1
    )
    assert len(watched.told(OWNER)) == 2


def test_a_step_that_another_has_taken_meanwhile_is_not_taken_again(watched):
    watched.two_versions()
    cause, taken = Cause(digest("x"), "milling"), []
    reacting = Reacting(watched.base)

    def finish(name):
        def write(change):
            taken.append(name)
            return Done(what=text("reaction.notified"), at=change.now)

        return write

    def late():
        reacting.once(cause, "step", lambda: finish("first"))
        return finish("second")

    assert reacting.once(cause, "step", late) == reacting.once(cause, "step", late)
    assert taken == ["first"]


def test_a_forbidden_act_is_one_incident_a_class_while_it_is_open(watched):
    watched.two_versions()
    watched.warn(Colour.ORANGE, "availability", signal=Signal.AVAILABILITY)

    def tried(dialogue, act="burn"):
        warn_of_dialogue(watched.view, DialogueFinding("milling", dialogue, f"act:{act}", "burn"))
        watched.react()

    for dialogue in ("d1", "d2"):
        tried(dialogue)
    tried("d2", "flood")
    flood, burn, outage = list_incidents(watched.view)
    assert [one.state for one in (flood, burn, outage)] == ["open"] * 3
    assert (burn.colour, burn.grade) == (Colour.ORANGE, EventGrade.GENERAL)
    assert "forbidden act burn" in burn.title.render("en") and "burn" in burn.title.render("zh")
    told = [line.what.render("en") for line in burn.timeline]
    assert len(told) == 2 and "the dialogue d1" in told[0] and "d2" in told[1] and "2 dialogues" in told[1]
    assert len(flood.timeline) == 1 and watched.moves == [SERVING], "the fence has refused it: nothing is moved"
    assert [watched.told(who) for who in (OWNER, REGULATOR)] == [["warned"] * 3] * 2, "once an incident"
    owner = watched.store.as_actor(OWNER)
    (line,) = duty_desk(owner)
    assert line.colour is Colour.ORANGE and len(line.incidents) == 3
    watched.react_from_the_start()
    assert len(list_incidents(watched.view)) == 3
    close(owner, burn.number, "The prompt was corrected.")
    watched.react()
    (line,) = duty_desk(owner)
    assert sorted(one.detector for one in line.warnings) == ["act:flood", "availability"]
    tried("d3")
    again, *_ = list_incidents(watched.view)
    assert again.number > flood.number and "1 dialogue so far" in again.timeline[0].what.render("en")


def test_very_many_dialogues_with_a_forbidden_act_are_counted_in_few_lines(watched):
    watched.two_versions()
    for times in (1, 2, 64, 65, 127, 128, 129):
        watched.warn(Colour.ORANGE, "act:burn", seen_to=times)
        watched.react()
    assert len(watched.incident.timeline) == 4
