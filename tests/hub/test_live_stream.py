"""Live pages: what is new for the reader is named to them, and to nobody else; a task is put off until it is due."""

import asyncio
import contextlib
import re
from datetime import timedelta

import pytest

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import DESK, NOW, OTHER_OWNER, OWNER, SCENARIO
from tests.hub.test_queries import counted
from tests.hub.worlds_for_tests import world


@pytest.fixture
def begun(tmp_path, monkeypatch):
    with world(tmp_path) as made:
        from pilotbase.hub.pages import live

        monkeypatch.setattr(live, "HEART", live.Heart())  # a page of an earlier test may still be open in its own loop
        made.trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, made.trial.scenario)
        yield made


def listened(begun, actor, step, monkeypatch):
    """Return what a stream of ``actor`` says first, and within a second after ``step``."""
    from pilotbase.hub.pages import live

    monkeypatch.setattr(live, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.6)
    view = begun.trial.store.as_actor(actor)

    async def listen():
        now = live.pulse_of(view)
        stream = live.events(view, actor.person, (now.change, now.notice))
        first = [await anext(stream), await anext(stream)]
        await asyncio.to_thread(step)
        told = [await anext(stream)]
        await stream.aclose()
        return first, told

    return asyncio.run(listen())


def test_what_the_reader_sees_is_named_and_what_others_do_is_not(begun, monkeypatch):
    def submit():
        begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)

    (retry, silent), (told,) = listened(begun, OWNER, submit, monkeypatch)
    assert retry.startswith("retry:") and silent.startswith(":")
    assert told.partition("\n")[2] == "event: changed\ndata: changed\n\n" and told.startswith("id: ")

    def withdraw():
        begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_WITHDRAW)

    assert listened(begun, OTHER_OWNER, withdraw, monkeypatch)[1] == [": still here\n\n"]


def test_what_happens_soon_after_an_event_comes_as_one_event_after_a_pause(begun, monkeypatch):
    from pilotbase.hub.pages import live

    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "PAUSE_SECONDS", pause := 0.5)
    view, steps = begun.trial.store.as_actor(OWNER), [Act.SCENARIO_SUBMIT, Act.SCENARIO_WITHDRAW]

    async def listen():
        now, times = live.pulse_of(view), []
        stream = live.events(view, OWNER.person, (now.change, now.notice))
        await anext(stream)
        for act in steps:
            begun.trial.do(OWNER, SCENARIO, act)
            told = await anext(stream)
            times.append(asyncio.get_running_loop().time())
        await stream.aclose()
        return told, times[1] - times[0]

    told, apart = asyncio.run(listen())
    assert told.startswith(f"id: {live.pulse_of(view).change}-") and apart >= pause


def test_streams_of_one_person_are_few_and_begin_where_the_last_one_ended(begun):
    from pilotbase.hub.pages.live import HEART, MOST_OF_A_PERSON, _read

    browser = begun.client("owner")
    assert browser.get("/live/")["Content-Type"] == "text/event-stream"
    with contextlib.ExitStack() as streams:
        for _ in range(MOST_OF_A_PERSON):
            streams.enter_context(HEART.opened(OWNER.person))
        assert browser.get("/live/").status_code == 204
        assert begun.client("desk").get("/live/").status_code == 200
    assert browser.get("/live/").status_code == 200
    assert (_read("12-7"), _read("12"), _read("a-b"), _read(f"{'1' * 50}-2")) == ((12, 7), (0, 0), (0, 0), (0, 0))


def test_the_number_at_the_side_is_that_of_the_inbox_and_costs_one_statement(begun):
    from pilotbase.hub.presenters.inbox import count_waiting

    browser, statements = begun.client("owner"), []
    page = browser.get("/queue/")
    assert re.findall(r'id="waiting">(\d*)<', page.content.decode()) == ["1"]
    with counted(statements):
        assert count_waiting(page.wsgi_request.acting) == 1
    assert len(statements) <= 1
    assert browser.post("/scenarios/plant/milling/acts/scenario.submit/", {}).status_code == 302
    assert re.findall(r'id="waiting">(\d*)<', browser.get("/queue/").content.decode()) == [""]


def test_the_number_of_an_open_page_follows_what_others_do(begun, monkeypatch):
    from pilotbase.hub.presenters import inbox

    def number():
        return re.findall(r'id="waiting"[^>]*>(\d*)<', browser.get("/work/count/").content.decode())

    browser, count = begun.client("owner"), inbox.asked_of
    assert number() == ["1"]
    begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    assert number() == [""], "within seconds of the last count"

    def submitted_meanwhile(*asked):
        monkeypatch.setattr(inbox, "asked_of", count)
        begun.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        return count(*asked)

    begun.trial.do(DESK, SCENARIO, Act.SCENARIO_RETURN)
    monkeypatch.setattr(inbox, "asked_of", submitted_meanwhile)
    assert number() == ["1"]
    assert number() == [""], "what happens while the number is counted makes it old"


def test_a_task_that_is_put_off_comes_back_by_itself_at_the_latest_when_it_is_due(begun):
    from pilotbase.hub.base import base

    store = base().lab.store
    real = store.clock

    def at(moment):
        object.__setattr__(store, "clock", lambda: moment)

    def waits():
        shown = browser.get("/work/").content.decode()
        return "/acts/scenario.submit/" in shown, "work-later" in shown or 'name="wake"' in shown

    browser, asked = begun.client("owner"), {"subject": SCENARIO, "act": "scenario.submit"}
    try:
        at(NOW + timedelta(hours=1))
        assert browser.post("/work/later/", {**asked, "for": "never"}).status_code == 404
        assert browser.post("/work/later/", {**asked, "act": "scenario.open", "for": "day"}).status_code == 404
        assert browser.post("/work/later/", {**asked, "for": "week"})["Location"] == "/work/"
        assert waits() == (False, True)
        at(NOW + timedelta(days=8))
        assert waits() == (True, False)
        due = NOW + timedelta(days=30)
        at(due - timedelta(hours=2))
        assert browser.post("/work/later/", {**asked, "for": "day"}).status_code == 302
        assert waits() == (False, True)
        assert browser.post("/work/later/", {**asked, "wake": "1"}).status_code == 302
        assert waits() == (True, False)
        browser.post("/work/later/", {**asked, "for": "day"})
        at(due + timedelta(minutes=1))
        assert waits() == (True, False)
        assert browser.post("/work/later/", {**asked, "for": "day"}).status_code == 404, "it is late"
    finally:
        at(real())
        object.__setattr__(store, "clock", real)
