"""Figures: counted by hand, cut to the actor, each with its records; what is published speaks of nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.catalogue.figures import FUNNEL, PUBLISHED_STEPS, Chosen, figures, published, records_of
from pilotbase.catalogue.saving import save
from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act
from pilotbase.documents.roadmap import Figure
from pilotbase.workspace.actors import parties
from pilotbase.workspace.journeys import Journey, put_journey
from pilotbase.workspace.listings import Listing, count_late, list_late, put_listing
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    MACHINE,
    NOW,
    OTHER_OWNER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    scenario,
)

DAY = 86_400
TITLE = Localized(en="Trial", zh="测试")


def counts(trial, who, year=False):
    found = figures(trial.store.as_actor(who), NOW)
    return {figure.value: number for figure, number in (found.this_year if year else found.counts).items() if number}


def test_an_open_scenario_counts_for_everybody_and_a_draft_for_nobody_here(any_trial):
    trial = any_trial
    trial.open_scenario()
    save(trial.store.as_actor(OTHER_OWNER), scenario((), name="xray", owner={"organisation": "hospital"}))
    for who in (DESK, REGULATOR, OWNER, VISITOR, OTHER_OWNER):
        assert counts(trial, who) == {"opened": 1, "open": 1}
    assert records_of(trial.store.as_actor(VISITOR), Figure.OPEN, Chosen()).items[0].subject == SCENARIO


@pytest.fixture
def walked(trial, clock):
    """A trial that took a known number of days for each step."""
    return walk(trial, clock)


@pytest.fixture
def any_walked(any_trial, clock):
    """The same on each database."""
    return walk(any_trial, clock)


def walk(trial, clock):
    waits = {"open_scenario": 0, "agree": 4, "freeze": 10, "finish": 2, "accept": 7, "issue": 1}
    for name, days in waits.items():
        step = getattr(trial, name)

        def late(step=step, days=days):
            clock.step(days * DAY)
            step()

        setattr(trial, name, late)
    trial.reach("certified")
    return trial


def test_steps_add_up_to_the_way_from_demand_to_use(walked):
    way = figures(walked.store.as_actor(DESK), NOW).way
    days = {step: median.value for step, median in way.steps.items()}
    assert days == {
        "demanded_opened": 0,
        "opened_proposed": 0,
        "proposed_agreed": 4,
        "agreed_frozen": 10,
        "frozen_reported": 2,
        "reported_accepted": 7,
        "accepted_certified": 1,
    }
    assert (way.whole.value, way.whole.count) == (24, 1)
    assert list(days) == list(PUBLISHED_STEPS)
    assert {currency: price.value for currency, price in way.prices.items()} == {"CNY": 12000}


def test_each_figure_is_the_list_of_its_records(any_walked):
    desk = any_walked.store.as_actor(DESK)
    expected = {
        "opened": [SCENARIO],
        "open": [SCENARIO],
        "proposed": [COMMISSION],
        "trials": [COMMISSION],
        "verdicts": [COMMISSION],
        "accepted": [COMMISSION],
        "certified": [COMMISSION],
        "in_force": [COMMISSION],
    }
    for figure in Figure:
        found = [one.subject for one in records_of(desk, figure, Chosen()).items]
        assert found == expected.get(figure.value, []), figure
    assert counts(any_walked, DESK) == {figure: len(subjects) for figure, subjects in expected.items()}
    assert records_of(desk, Figure.CERTIFIED, Chosen(sector="finance")).items == ()
    assert [one.subject for one in records_of(desk, Figure.CERTIFIED, Chosen("manufacturing", "industry")).items]
    assert records_of(desk, Figure.CERTIFIED, Chosen(year=2019)).items == ()
    assert len(records_of(desk, Figure.CERTIFIED, Chosen(year=2026)).items) == 1


def test_strangers_count_what_they_see_and_no_more(any_walked):
    parties_count = dict.fromkeys(("proposed", "trials", "verdicts", "accepted", "certified", "in_force"), 1)
    public = {"opened": 1, "open": 1}
    assert counts(any_walked, OWNER) == counts(any_walked, SUPPLIER) == {**public, **parties_count}
    for who in (OTHER_OWNER, OTHER_SUPPLIER, VISITOR):
        assert counts(any_walked, who) == public
        assert figures(any_walked.store.as_actor(who), NOW).way.steps == {}
        assert records_of(any_walked.store.as_actor(who), Figure.CERTIFIED, Chosen()).items == ()


def test_a_certificate_that_is_suspended_is_no_longer_in_force(walked):
    walked.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    found = counts(walked, DESK)
    assert "in_force" not in found and found["certified"] == 1
    walked.do(DESK, COMMISSION, Act.CERTIFICATE_REINSTATE)
    assert counts(walked, DESK)["in_force"] == 1


def test_the_figures_of_a_year_are_of_that_year(walked):
    desk = walked.store.as_actor(DESK)
    assert counts(walked, DESK, year=True) == {
        "opened": 1,
        "proposed": 1,
        "trials": 1,
        "verdicts": 1,
        "accepted": 1,
        "certified": 1,
    }
    later = figures(desk, datetime(2027, 3, 1, tzinfo=UTC))
    assert later.year == 2027 and not any(later.this_year.values()) and later.counts[Figure.CERTIFIED] == 1


def test_by_sector_and_by_action(any_trial):
    trial = any_trial
    for name, sector, action in (
        ("a", "energy", "industry"),
        ("b", "energy", "wellbeing"),
        ("c", "finance", "industry"),
    ):
        save(trial.store.as_actor(OWNER), scenario((), name=name, sector=sector, action=action))
        trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
        trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)
    save(trial.store.as_actor(OWNER), scenario((), name="d", sector="science"))
    found = figures(trial.store.as_actor(DESK), NOW)
    assert {name: row[Figure.OPENED] for name, row in found.by("sector").items()} == {"energy": 2, "finance": 1}
    assert {name: row[Figure.OPENED] for name, row in found.by("action").items()} == {"industry": 2, "wellbeing": 1}


def certified_rows(store, number, owners, suppliers, days=10):
    """Trials that came to a certificate, straight into the tables: a base that has run for years."""
    with store.as_actor(MACHINE).transaction("test.filled") as change:
        for place in range(number):
            owner, subject = owners[place % len(owners)], f"commission:f{place}"
            digest = change.put(scenario((), name=f"s{place}"), parties(), owner=owner)
            put_listing(change, Listing(subject, "commission", "certified", digest, owner, TITLE), [])
            start = datetime(2026, 1, 1, tzinfo=UTC)
            reached = dict.fromkeys(("demanded", "opened", "proposed", "agreed", "frozen"), start)
            reached |= dict.fromkeys(("reported", "accepted", "certified"), start.replace(day=1 + days + place % 3))
            supplier = suppliers[place % len(suppliers)]
            put_journey(change, Journey(subject, "commission", reached, "accept", supplier, 1_234_500, "CNY"))


@pytest.mark.parametrize(
    ("number", "owners", "suppliers", "told"),
    [(4, 4, 4, False), (5, 2, 5, False), (5, 5, 2, False), (5, 3, 3, True), (30, 3, 3, True)],
)
def test_a_median_is_published_only_when_it_speaks_of_nobody(store, number, owners, suppliers, told):
    certified_rows(store, number, [f"owner{n}" for n in range(owners)], [f"supplier{n}" for n in range(suppliers)])
    way = published(store.as_actor(VISITOR)).way
    assert (way.whole is not None, bool(way.steps), bool(way.prices)) == (told, told, told)
    if told:
        assert (way.whole.value, way.whole.count, way.prices["CNY"].value) == (11, number, 12000)


def test_what_is_published_does_not_change_with_what_is_under_way(store):
    certified_rows(store, 6, ["a", "b", "c"], ["x", "y", "z"])
    before = published(store.as_actor(VISITOR))
    with store.as_actor(MACHINE).transaction("test.filled") as change:
        for place in range(9):
            digest = change.put(scenario((), name=f"hidden{place}"), parties(), owner="plant")
            put_listing(change, Listing(f"commission:h{place}", "commission", "reported", digest, "plant", TITLE), [])
            reached = {"agreed": NOW, "frozen": NOW, "reported": NOW.replace(day=30)}
            put_journey(change, Journey(f"commission:h{place}", "commission", reached, "reject", "acme", 9, "CNY"))
    assert published(store.as_actor(VISITOR)) == before
    assert figures(store.as_actor(VISITOR), NOW).counts[Figure.VERDICTS] == 0


def test_the_funnel_goes_from_demand_to_use():
    assert [figure.value for figure in FUNNEL] == ["opened", "trials", "verdicts", "certified"]


def test_late_work_is_counted_and_listed_for_those_who_see_it(any_trial, clock):
    trial = any_trial
    trial.propose()
    later = clock() + timedelta(days=11)
    for who in (DESK, REGULATOR, OWNER, SUPPLIER):
        view = trial.store.as_actor(who)
        assert [(late.act, late.role, late.count) for late in count_late(view, later)] == [
            ("commission.agree", "demand_owner", 1)
        ]
        assert [late.listing.subject for late in list_late(view, later)] == [COMMISSION]
        assert list_late(view, later, act="plan.draft") == [] and count_late(view, NOW) == []
    for who in (OTHER_OWNER, VISITOR):
        assert count_late(trial.store.as_actor(who), later) == list_late(trial.store.as_actor(who), later) == []
