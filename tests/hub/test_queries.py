"""How many questions a page asks of store and accounts: a fixed number, however many records there are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from pilotbase.catalogue.saving import save
from pilotbase.documents.call import CallTerms
from pilotbase.documents.permissions import Act
from pilotbase.worker.trials import calls
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, SUPPLIER, commission, scenario, version
from tests.hub.work_for_tests import nothing_expires
from tests.worker.calls_for_tests import TERMS

MORE = 12
CALLED = {**TERMS, "closes": "2099-12-31"}
PAGES = {
    "/": ("visitor", "owner", "desk"),
    "/work/": ("owner", "supplier", "desk", "regulator"),
    "/scenarios/": ("visitor", "owner", "supplier", "desk"),
    "/scenarios/?q=铣床&state=open&sector=manufacturing": ("visitor", "owner", "desk"),
    "/datasets/": ("visitor", "owner", "desk"),
    "/api/catalogue/datasets": ("visitor", "desk"),
    "/calls/": ("visitor", "owner", "desk"),
    "/applications/": ("visitor", "owner", "supplier", "desk"),
    "/trials/": ("owner", "supplier", "reviewer", "desk"),
    "/organisations/": ("owner", "desk"),
    "/scenarios/plant/milling/": ("visitor", "owner", "supplier", "desk"),
    "/applications/acme/forest/": ("supplier", "desk"),
    "/matching/": ("owner", "desk"),
    "/scenarios/plant/milling/matches/": ("owner", "supplier", "desk"),
    "/applications/acme/forest/matches/": ("supplier", "desk"),
    "/trials/c1/": ("owner", "supplier", "reviewer", "desk", "regulator"),
    "/overview/": ("desk", "regulator"),
    "/queue/": ("desk",),
    "/certificates/": ("visitor",),
    "/api/scenarios": ("visitor", "owner", "desk"),
    "/api/scenarios?q=铣床": ("visitor", "owner", "desk"),
    "/api/applications": ("supplier", "desk"),
    "/api/trials": ("owner", "desk"),
    "/api/organisations": ("owner", "desk"),
    "/api/scenarios/plant/milling": ("visitor", "owner"),
    "/api/work": ("owner", "desk"),
}
"""Page → as whom it is asked for."""
MOST = {"store": 52, "accounts": 8}
"""No page asks more: that of a trial reads its sites too."""
ONE_PAGE_OF_NAMES = 3
"""Statements by which the titles of organisations are read: a page of listings, by who may see them."""
ASKED = {
    "in turn": [(path, people[turn % len(people)]) for turn, (path, people) in enumerate(PAGES.items())],
    "all": [(path, who) for path, people in PAGES.items() for who in people],
}


@contextmanager
def counted(statements: list[str]) -> Iterator[None]:
    from pilotbase.hub.base import base

    engine = base().lab.store.database._current_engine()

    mine = threading.get_ident()  # a thread that an earlier module left may ask the same store

    def note(_connection, _cursor, statement, *_more):
        if threading.get_ident() == mine and not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked(world, path, who):
    """Return how many statements go to the store and to the accounts for one page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = world.client(None if who == "visitor" else who)
    browser.get(path)  # what is made once a process is not counted
    store: list[str] = []
    with CaptureQueriesContext(connection) as accounts, counted(store):
        answer = browser.get(path)
    assert answer.status_code == 200, (path, who, answer.status_code)
    kept = [one["sql"] for one in accounts if not one["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    return {"store": len(store), "accounts": len(kept)}


def add_records(trial, numbers):
    """Add what makes every list longer: scenarios in all states, applications, organisations."""
    from pilotbase.hub.base import base

    owner = trial.store.as_actor(OWNER)
    for number in numbers:
        save(owner, scenario(name=f"more-{number}"))
        if number % 3:
            trial.do(OWNER, f"scenario:plant/more-{number}", Act.SCENARIO_SUBMIT)
        if number % 3 == 2:
            trial.do(DESK, f"scenario:plant/more-{number}", Act.SCENARIO_OPEN)
            call = f"call:plant/more-{number}"
            calls.draft_call(base(), owner, call, f"scenario:plant/more-{number}", CallTerms.model_validate(CALLED))
            calls.publish_call(base(), owner, call)
        for who, supplier in ((SUPPLIER, "acme"), (OTHER_SUPPLIER, "globex")):
            save(trial.store.as_actor(who), version(name=f"more-{number}", supplier=supplier))
        trial.register(f"more-{number}", "supplier")
    for number in numbers[::3]:
        terms = commission(trial.scenario, trial.version)
        trial.do(SUPPLIER, f"commission:more-{number}", Act.COMMISSION_PROPOSE, terms)


@pytest.fixture(scope="module", params=["in turn", pytest.param("all", marks=pytest.mark.prove)])
def before_and_after(request, one_world):
    """The numbers of both; what is kept for a while is kept for longer than the test takes, however slow it is."""
    trial = one_world.trial
    trial.reach("certified")
    with nothing_expires():
        add_records(trial, range(3))  # one of each kind: what nobody has takes fewer questions than what somebody has
        before = {one: asked(one_world, *one) for one in ASKED[request.param]}
        add_records(trial, range(3, 3 + MORE))
        after = {one: asked(one_world, *one) for one in before}
    return before, after


def test_a_page_asks_a_fixed_number_of_questions(before_and_after):
    before, after = before_and_after
    assert after == before
    assert {one: found for one, found in after.items() if any(found[name] > most for name, most in MOST.items())} == {}


@pytest.mark.usefixtures("before_and_after")
def test_titles_of_all_organisations_of_a_page_are_asked_for_at_once(one_world):
    """Also in the first moment of a minute, when none is known."""
    from pilotbase.hub.presenters import records

    browser, cold = one_world.client("desk"), {}
    with nothing_expires():
        for path in ("/scenarios/", "/organisations/", "/applications/", "/trials/c1/"):
            warm = asked(one_world, path, "desk")["store"]
            records._title.cache_clear()
            records._newest.cache_clear()
            statements: list[str] = []
            with counted(statements):
                assert browser.get(path).status_code == 200
            cold[path] = len(statements) - warm
    assert set(cold.values()) <= {0, ONE_PAGE_OF_NAMES}, cold
    assert cold["/scenarios/"] > 0
