"""Lists, searches, counts and my work: what an actor may not see shows in none of them, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from pilotbase.catalogue.my_work import my_work
from pilotbase.catalogue.records import news
from pilotbase.catalogue.saving import SaveOptions, save
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Interest, Order
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace import tables
from pilotbase.workspace.actors import actor, parties
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.listings import Query, count, count_by, find_listing, list_page
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    MACHINE,
    NOW,
    OTHER_OWNER,
    OTHER_SUPPLIER,
    OWNER,
    PLANNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    commission,
    scenario,
)


def publish(trial, name, sector="manufacturing", action="industry", opened=True, **words):
    made = scenario(name=name, sector=sector, action=action, **words)
    subject = f"scenario:plant/{name}"
    save(trial.store.as_actor(OWNER), made)
    if opened:
        trial.do(OWNER, subject, Act.SCENARIO_SUBMIT)
        trial.do(DESK, subject, Act.SCENARIO_OPEN)
    return subject


def subjects(page):
    return [item.subject.partition("/")[2] for item in page.items]


def test_filters_search_and_counts_show_what_is_seen_and_nothing_else(any_trial):
    trial = any_trial
    publish(trial, "pumps", problem={"en": "The PUMP fails.", "zh": "水泵会失效。"})
    publish(trial, "wards", "healthcare", "wellbeing", problem={"en": "Beds run out.", "zh": "床位不足，水泵无关。"})
    publish(trial, "secret", problem={"en": "The pump is secret.", "zh": "保密水泵。"}, opened=False)
    visitor, owner = trial.store.as_actor(VISITOR), trial.store.as_actor(OWNER)
    expected = {
        ("水泵", ""): ["wards", "pumps"],
        ("失效", ""): ["pumps"],
        ("pump", ""): ["pumps"],
        ("ＰＵＭＰ fails", ""): ["pumps"],
        ("", "healthcare"): ["wards"],
        ("pump%", ""): [],
        ("保密", ""): [],
        ("secret", ""): [],
    }
    for (words, sector), found in expected.items():
        query = Query("scenario", words=words, sector=sector)
        assert subjects(list_page(visitor, query)) == found, words
        assert count(visitor, query) == len(found)
    assert subjects(list_page(owner, Query("scenario", words="保密"))) == ["secret"]
    assert subjects(list_page(visitor, Query("scenario", action="industry"))) == ["pumps"]
    assert count_by(visitor, Query("scenario"), "state") == {"open": 2}
    assert count_by(owner, Query("scenario"), "state") == {"draft": 1, "open": 2}
    assert count_by(visitor, Query("scenario"), "sector") == {"healthcare": 1, "manufacturing": 1}
    assert find_listing(visitor, "scenario:plant/secret") is None
    assert list_page(owner, Query("scenario", states=["draft"])).items[0].title.zh == "设备故障预警"


def test_pages_go_on_where_they_stopped_and_do_not_tell_of_what_lies_between(any_trial):
    trial = any_trial
    for number in range(7):
        publish(trial, f"s{number}", opened=number % 2 == 0)
    visitor, seen, after = trial.store.as_actor(VISITOR), [], None
    while True:
        page = list_page(visitor, Query("scenario"), after, limit=2)
        seen += subjects(page)
        after = page.after
        if after is None:
            break
        assert after.endswith(seen[-1])
    assert seen == ["s6", "s4", "s2", "s0"]
    failures = []
    for subject in ("scenario:plant/s1", "scenario:plant/never"):
        with pytest.raises(InputError) as caught:
            list_page(visitor, Query("scenario"), subject)
        failures.append(str(caught.value).replace(subject, "X"))
    assert failures[0] == failures[1]


def test_an_edit_of_an_open_scenario_takes_it_off_the_portal_until_it_is_reviewed(trial):
    subject = publish(trial, "pumps")
    visitor = trial.store.as_actor(VISITOR)
    record = save(trial.store.as_actor(OWNER), scenario(name="pumps", problem="Another problem."))
    assert (record.state, record.version) == ("draft", 2)
    assert count(visitor, Query("scenario")) == 0
    trial.do(OWNER, subject, Act.SCENARIO_SUBMIT)
    trial.do(DESK, subject, Act.SCENARIO_OPEN)
    assert count(visitor, Query("scenario", words="another")) == 1


def test_saving_the_same_content_again_changes_nothing(trial):
    view = trial.store.as_actor(OWNER)
    first = save(view, scenario())
    assert save(view, scenario()) == first
    assert save(view, scenario(title="New title")).version == 2


def test_a_name_is_fixed_and_a_reason_goes_with_its_criterion_whoever_saves(trial):
    view = trial.store.as_actor(OWNER)
    first = save(view, scenario(criteria=[{"rule": "recall(broken) >= 0.80", "why": "A missed failure stops line 3."}]))
    stricter = scenario(criteria=[{"rule": "recall(broken) >= 0.90", "why": "A missed failure stops line 3."}])
    with pytest.raises(InputError) as asked:
        save(view, stricter)
    assert [issue.path for issue in asked.value.issues] == ["why_holds"]
    with pytest.raises(InputError) as other:
        save(view, scenario(name="pumps"), subject=SCENARIO)
    assert other.value.code == "record.name_fixed"
    with pytest.raises(ConflictError) as taken:
        save(view, stricter, SaveOptions(new=True, why_holds=True))
    assert taken.value.code == "record.already_there"
    assert find_listing(view, "scenario:plant/pumps") is None and find_listing(view, SCENARIO).state == first.state
    assert save(view, stricter, SaveOptions(why_holds=True)).version == 2


def test_my_work_is_what_waits_for_me_since_when_and_due_when(any_trial, clock):
    trial = any_trial

    def work(who):
        return [(item.act, item.subject, (item.due - NOW).days) for item in my_work(trial.store.as_actor(who)).tasks]

    trial.open_scenario()
    assert work(OWNER) == []
    trial.submit_application()
    trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, commission(trial.scenario, trial.version))
    assert work(OWNER) == [(Act.COMMISSION_AGREE, COMMISSION, 10)]
    assert work(SUPPLIER) == work(OTHER_OWNER) == work(OTHER_SUPPLIER) == work(VISITOR) == []
    trial.agree()
    assert work(OWNER) == [(Act.APPROVAL_FILE, COMMISSION, 20)]
    assert work(PLANNER) == [(Act.PLAN_DRAFT, COMMISSION, 10)]
    trial.prepare()
    assert work(OWNER) == []
    assert work(REVIEWER) == [(Act.INTEREST_DECLARE, COMMISSION, 10)], "before it there is nothing to approve"
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    assert work(REVIEWER) == [(Act.PLAN_APPROVE, COMMISSION, 10)]
    assert work(actor("institute", Role.REVIEWER, person="p-colleague")) == []
    clock.step(11 * 86400)
    assert my_work(trial.store.as_actor(REVIEWER)).tasks[0].overdue


def test_an_order_waits_for_the_operator_until_its_deadline_and_news_tell_of_it(any_trial):
    trial = any_trial
    trial.reach("certified")
    _, position = news(trial.store.as_actor(OWNER), limit=100_000)
    trial.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, Order(kind="suspension", reasons="Now.", deadline="2026-05-03"))
    assert [(item.act, item.due.day) for item in my_work(trial.store.as_actor(DESK)).tasks] == [
        (Act.CERTIFICATE_SUSPEND, 3)
    ]
    for who in (OWNER, SUPPLIER, REVIEWER, MACHINE):
        found, _ = news(trial.store.as_actor(who), position)
        assert [(one.step.act, one.record.subject) for one in found] == [(Act.ORDER_GIVE, COMMISSION)]
    for who in (OTHER_SUPPLIER, VISITOR):
        assert news(trial.store.as_actor(who), position)[0] == []


def test_a_scenario_under_way_is_news_to_its_owner_only(trial):
    save(trial.store.as_actor(OWNER), scenario())
    assert [one.record.subject for one in news(trial.store.as_actor(OWNER))[0]] == [SCENARIO]
    assert news(trial.store.as_actor(OTHER_OWNER))[0] == []


@pytest.mark.parametrize(
    ("column", "value"), [("state", "open"), ("digest", "other"), ("kind", "application"), ("scope", "public")]
)
def test_a_listing_that_was_altered_behind_the_record_is_found(any_trial, column, value):
    trial = any_trial
    save(trial.store.as_actor(OWNER), scenario())
    other = trial.store.as_actor(OWNER).put(scenario(name="other"), parties(), "test.stored")
    verify_store(trial.store)
    with trial.store.database.write() as connection:
        change = update(tables.listings).values({column: other if value == "other" else value})
        connection.execute(change)
    with pytest.raises(InvalidProofError) as caught:
        verify_store(trial.store)
    assert caught.value.code == "log.listing_differs"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("scenario", "opened_at", None),
        ("commission", "demanded_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("commission", "verdict", "reject"),
        ("commission", "amount", 1),
        ("commission", "supplier", "globex"),
    ],
)
def test_a_figure_that_was_altered_behind_the_record_is_found(any_trial, kind, column, value):
    any_trial.reach("certified")
    verify_store(any_trial.store)
    with any_trial.store.database.write() as connection:
        here = tables.journeys.c.kind == kind
        connection.execute(update(tables.journeys).where(here).values({column: value}))
    with pytest.raises(InvalidProofError) as caught:
        verify_store(any_trial.store)
    assert (caught.value.code, caught.value.text.params["field"]) == ("log.journey_differs", column)
    with any_trial.store.database.write() as connection:
        connection.execute(delete(tables.journeys).where(here))
    with pytest.raises(InvalidProofError, match="–"):
        verify_store(any_trial.store)
