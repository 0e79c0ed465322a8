"""Mails: at once, once a day, or none; unread notices only; tried again; nobody gets what is from before their time."""

from datetime import UTC, datetime, timedelta

from pilotbase.documents.notice import MailChoice, Recipient
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.mails import choose_mail, mail_choice
from pilotbase.notices.rows import list_notices, mark_read
from pilotbase.workspace.actors import actor
from tests.catalogue.records_for_tests import OWNER, SCENARIO

READER = actor("plant", Role.DEMAND_OWNER, person="p-reader")
STRANGER = actor("hospital", Role.DEMAND_OWNER, person="p-stranger")
HOUR = 0


def people(*actors):
    return [Recipient(one.person, ((one.organisation, one.roles),), f"{one.person}@example.org") for one in actors]


def prepared(told, choice=None):
    told.post.everybody = people(READER, STRANGER)
    told.noticing.send_mails()
    if choice is not None:
        for one in (READER, STRANGER):
            choose_mail(told.view(one), choice)
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, told.trial.scenario)
    told.round()


def acts(told):
    return [(person, found) for person, found, _ in told.post.sent]


def test_at_once(any_told):
    prepared(any_told, MailChoice.AT_ONCE)
    any_told.noticing.send_mails()
    any_told.noticing.send_mails()
    assert acts(any_told) == [("p-reader", ["scenario.register"])]
    any_told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    any_told.round()
    any_told.noticing.send_mails()
    assert acts(any_told)[1:] == [("p-reader", ["scenario.submit"])]


def test_once_a_day_is_what_who_chooses_nothing_gets(told, clock):
    prepared(told)
    assert mail_choice(told.view(READER)) is MailChoice.DAILY
    told.noticing.send_mails()
    assert told.post.sent == []
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    told.round()
    clock.now = datetime(2026, 5, 2, HOUR, tzinfo=UTC)
    told.noticing.send_mails()
    assert acts(told) == [("p-reader", ["scenario.register", "scenario.submit"])]
    clock.step(36 * 3600)
    told.noticing.send_mails()
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_WITHDRAW)
    told.round()
    told.noticing.send_mails()
    assert len(told.post.sent) == 1, "after a day without news the next ones wait for the hour too"
    clock.now = datetime(2026, 5, 4, HOUR, tzinfo=UTC)
    told.noticing.send_mails()
    assert acts(told)[1:] == [("p-reader", ["scenario.withdraw"])]


def test_none(told, clock):
    prepared(told, MailChoice.NONE)
    clock.step(3 * 86_400)
    told.noticing.send_mails()
    choose_mail(told.view(READER), MailChoice.AT_ONCE)
    told.noticing.send_mails()
    assert told.post.sent == [], "who wants mail from now on is not told of what was"


def test_what_was_read_is_not_mailed(told, clock):
    prepared(told)
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    told.round()
    reader = told.view(READER)
    mark_read(reader, [list_notices(reader)[0][-1].identity])
    clock.step(86_400)
    told.noticing.send_mails()
    assert acts(told) == [("p-reader", ["scenario.submit"])]


def test_a_mail_that_does_not_go_out_goes_later_under_the_same_name(told, clock):
    prepared(told, MailChoice.AT_ONCE)
    names = []
    send = told.post.send
    told.post.send = lambda letter: (names.append(letter.identity), send(letter))
    told.post.broken = 2
    for seconds in (0, 0, 60, 60, 300):
        clock.step(seconds)
        told.noticing.send_mails()
    assert len(names) == 3 and len(set(names)) == 1
    assert acts(told) == [("p-reader", ["scenario.register"])]


def test_killed_between_sending_and_noting_it_goes_again_under_the_same_name(told, monkeypatch, clock):
    from pilotbase.notices import mails

    prepared(told, MailChoice.AT_ONCE)
    with monkeypatch.context() as patch:
        patch.setattr(mails.Mail, "note", lambda *_: None)
        told.noticing.send_mails()
    told.noticing.send_mails()
    assert len(told.post.sent) == 1, "it may still be on its way"
    clock.step(61)
    told.noticing.send_mails()
    told.noticing.send_mails()
    first, again = told.post.sent
    assert first == again


def test_who_comes_later_is_not_told_of_what_was(told, clock):
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, told.trial.scenario)
    told.round()
    told.post.everybody = people(READER)
    told.noticing.send_mails()
    clock.step(timedelta(days=2).total_seconds())
    told.noticing.send_mails()
    assert told.post.sent == []


def test_who_has_left_is_told_nothing(told, clock):
    prepared(told)
    told.post.everybody = people(STRANGER)
    clock.step(2 * 86_400)
    told.noticing.send_mails()
    assert told.post.sent == []


def test_a_long_absence_comes_in_several_mails(told, monkeypatch, clock):
    from pilotbase.notices import mails

    monkeypatch.setattr(mails, "IN_ONE_MAIL", 2)
    prepared(told)
    for act in (Act.SCENARIO_SUBMIT, Act.SCENARIO_WITHDRAW):
        told.trial.do(OWNER, SCENARIO, act)
    told.round()
    clock.step(86_400)
    for _ in range(3):
        told.noticing.send_mails()
    assert [found for _, found in acts(told)] == [["scenario.register", "scenario.submit"], ["scenario.withdraw"]]
