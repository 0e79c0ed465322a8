"""The inbox: the most urgent first, one button for what asks nothing, a form for what decides, news beside."""

import re
from datetime import timedelta

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Reviewer
from pilotbase.documents.subjects import name_of
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    MACHINE,
    OWNER,
    PLANNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    Order,
    proposal,
)
from tests.hub.services_for_tests import let_ask, serve
from tests.hub.worlds_for_tests import world


@pytest.fixture
def fresh(tmp_path):
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def begun(fresh):
    fresh.trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, fresh.trial.scenario)
    return fresh


def inbox(made, who):
    return made.client(who).get("/work/", HTTP_ACCEPT_LANGUAGE="en").content.decode()


def test_a_step_that_asks_nothing_is_taken_where_it_waits(fresh):
    fresh.trial.do(SUPPLIER, APPLICATION, Act.APPLICATION_REGISTER, fresh.trial.version)
    shown = inbox(fresh, "supplier")
    (act,) = re.findall(r'<form method="post" action="(/applications/[^"]+)"', shown.partition('id="inbox"')[2])
    assert act.endswith("/acts/application.submit/") and "1 task waits for you" in shown
    answer = fresh.client("supplier").post(act, {"next": "/work/"}, follow=True, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.redirect_chain[-1][0] == "/work/"
    after = answer.content.decode()
    assert "Application submitted" in after and "Nothing is waiting for you" in after


def test_what_decides_has_a_form_and_whoever_took_the_step_is_told(begun):
    begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    shown = inbox(begun, "desk").partition('id="inbox"')[2]
    assert 'href="/scenarios/plant/milling/acts/scenario.open/"' in shown and "<form" not in shown
    answer = begun.client("desk").post("/scenarios/plant/milling/acts/scenario.open/", {}, follow=True)
    assert answer.redirect_chain[-1][0] == "/scenarios/plant/milling/"
    assert re.search(r'class="note success" role="status">.*?Scenario opened', answer.content.decode())
    away = {"next": "https://elsewhere.example/"}
    closed = begun.client("owner").post("/scenarios/plant/milling/acts/scenario.close/", away)
    assert closed["Location"] == "/scenarios/plant/milling/"


@pytest.mark.parametrize(("days", "group"), [(-1, "Now"), (0, "Now"), (3, "This week"), (30, "Later"), (None, "Later")])
def test_tasks_stand_by_when_they_are_due(begun, days, group):
    from types import SimpleNamespace

    from pilotbase.hub.pages.work import _by_urgency

    now = begun.trial.store.clock()
    due = now + timedelta(days=days) if days is not None else None
    ((label, (task,)),) = _by_urgency([SimpleNamespace(due=due)], now)
    assert label.render("en") == group and task.due == due


def test_what_ones_own_task_makes_way_for_is_named_there_alone(fresh):
    trial = fresh.trial
    trial.propose()
    trial.agree()
    trial.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(trial.scenario, trial.version))
    assert "reviewer.release" not in fresh.client("desk").get("/trials/c1/").content.decode(), "nobody is named"
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
    assert "reviewer.release" in fresh.client("desk").get("/trials/c1/").content.decode()
    shown = inbox(fresh, "reviewer")
    assert "“Approve the test plan” depends on this" in shown and "Waiting for others" not in shown


def test_what_is_new_stands_beside_and_is_read_at_once(begun):
    from pilotbase.hub.base import base
    from pilotbase.worker.reactions.noticing import Noticing, Ways

    begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    Noticing(base(), Ways()).tell_changes()
    browser = begun.client("desk")
    shown = inbox(begun, "desk")
    assert 'class="timeline"' in shown and 'class="dot" aria-hidden' in shown
    assert browser.post("/notices/read/", {"all": "1", "next": "/work/"})["Location"] == "/work/"
    assert 'class="dot" aria-hidden' not in inbox(begun, "desk")


def test_an_act_that_needs_consent_waits_in_the_inbox_of_its_owner_alone_until_it_is_decided(fresh):
    """Whoever may not decide isn't asked, also where they know the service: its supplier, the base's operator."""
    fresh.trial.reach("certified")
    view = fresh.trial.store.as_actor(MACHINE)
    serve(fresh)
    consent = "c" * 32
    let_ask(view, "milling", consent, amount=100)
    address, said = (
        f"/services/milling/consents/{consent}/",
        "The agent in service milling needs your consent to use pay",
    )
    shown = inbox(fresh, "owner")
    assert f'href="{address}"' in shown and said in shown
    assert not [who for who in ("supplier", "desk") if said in inbox(fresh, who)]
    ((organisation, told),) = told_of(view, "service:milling")
    assert organisation == "plant" and told.render("en") == said
    fresh.client("owner").post(address, {"granted": "false"})
    assert said not in inbox(fresh, "owner")
    assert told_of(view, "service:milling") == []


def told_of(view, subject):
    from pilotbase.worker.reactions.drafts import of_asks

    drafts = of_asks(view, [one for one in view.changes(0) if one.kind == "act-consent"][-1:])
    return [(one.address.organisation, one.body.said) for one in drafts if one.subject == subject]


def test_what_can_be_taken_back_is_offered_right_after_the_act(begun):
    trial = begun.trial
    trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    trial.do(DESK, SCENARIO, Act.SCENARIO_OPEN)
    trial.submit_application()
    rehearse = "/applications/acme/forest/acts/application.rehearse/"
    answer = begun.client("supplier").post(rehearse, {}, follow=True, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    told = answer.partition('role="status"')[2].partition("</div>")[0]
    assert '<a href="/applications/acme/forest/acts/application.stop/">' in told, told
    submit = "/applications/acme/forest/acts/application.withdraw/"
    answer = begun.client("supplier").post(submit, {}, follow=True, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "<a" not in answer.partition('role="status"')[2].partition("</div>")[0], "this cannot be taken back"


def test_what_cannot_be_taken_back_now_offers_no_way_back(fresh):
    """A suspension that the regulator has ordered is not lifted by whoever carried it out."""
    trial = fresh.trial
    trial.reach("certified")
    ordered = Order(kind="suspension", reasons="Complaints.", deadline="2099-01-01")
    trial.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, ordered)
    address = f"/trials/{name_of(COMMISSION)}/acts/"
    answer = fresh.client("signer").post(f"{address}certificate.suspend/", {}, follow=True, HTTP_ACCEPT_LANGUAGE="en")
    said = answer.content.decode().partition('role="status"')[2].partition("</div>")[0]
    assert "suspended" in said.lower() and "certificate.reinstate" not in said, said
