"""The ledger: counted by hand, each figure exactly its records, nobody dropped who is still on a step."""

import random
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from pilotbase.catalogue.figures import (
    LEDGER,
    STEPS,
    WHOLE,
    Chosen,
    count_of,
    figures,
    half_after,
    records_of,
    records_on,
    set_targets,
)
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_commission
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.permissions import Act
from pilotbase.documents.report import Performance
from pilotbase.documents.roadmap import Figure, Target
from pilotbase.documents.service import EndpointRoute
from pilotbase.documents.vocabularies import Action, Colour, ServingState, Support
from pilotbase.roadmap.ledger import count_anew, keep_books, tell_ledger, tell_map
from pilotbase.roadmap.tables import ledger_table
from pilotbase.workspace.actors import parties
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Journey, note_first, put_journey, read_journeys
from pilotbase.workspace.listings import Listing, put_listing
from pilotbase.workspace.tables import OF_RECORDS
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    MACHINE,
    NOW,
    OTHER_OWNER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    certificate,
    plan,
    report,
    scenario,
)
from tests.roadmap.services_for_tests import admit, route_of, stand, warn

DAY = timedelta(days=1)
LATER = NOW + 100 * DAY


def counts(store, who=DESK, now=LATER):
    view = store.as_actor(who)
    found = count_anew(view, now)
    return {name: number for name, number in tell_ledger(view, found, now).counts.items() if number}


def spans(store, who=DESK, now=LATER):
    found = count_anew(store.as_actor(who), now).spans
    return {name: (span.taken, span.open, span.ended) for name, span in found.items()}


def listed(store, figure, chosen=None, who=DESK):
    return [one.subject for one in records_of(store.as_actor(who), figure, chosen or Chosen()).items]


def test_an_empty_base_has_a_ledger_of_noughts(any_store):
    view = any_store.as_actor(DESK)
    told = tell_ledger(view, count_anew(view, NOW), NOW)
    assert not any(told.counts.values()) and not told.targets and not told.phases
    assert {span.step: (span.taken, span.days, span.half_after) for span in told.spans} == {
        name: (0, None, None) for name in (*STEPS, *WHOLE)
    }
    assert {(cost.kind, cost.known, cost.unknown) for cost in told.costs} == {("unknown", 0, 0)}
    assert sum(cell.opened for cell in tell_map(view, count_anew(view, NOW), NOW).cells) == 0


def test_an_endpoint_without_a_certificate_is_counted_apart_until_a_certified_version_answers(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    before = counts(store)
    override = f"sha256:{'0' * 64}"
    endpoint = EndpointRoute(override=override, protocol="openai", url="https://models.example/v1", model="m")
    admit(trial, routes=(endpoint,))
    stand(store, ServingState.SERVING, clock())
    assert counts(store) == before | {"uncertified": 1}
    assert listed(store, Figure.UNCERTIFIED) == ["service:mill-watch"] and not listed(store, Figure.IN_USE)
    verify_store(store)
    admit(trial, routes=(route_of(trial, None), endpoint))
    stand(store, ServingState.SERVING, clock() + DAY)
    assert counts(store) == before | {"served": 1, "in_use": 1}


def test_a_service_is_counted_by_what_came_of_it(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    before = {"opened": 1, "proposed": 1, "trials": 1, "verdicts": 1, "certified": 1}
    clock.step(5 * 86_400)
    admit(trial)
    assert counts(store) == before
    stand(store, ServingState.SERVING, clock())
    assert counts(store) == before | {"served": 1, "in_use": 1}
    assert counts(store, OWNER) == counts(store, REGULATOR) == before | {"served": 1, "in_use": 1}
    warn(store, Colour.GREEN, clock() + DAY)
    assert counts(store) == before | {"served": 1, "in_use": 1}
    warn(store, Colour.YELLOW, clock() + 2 * DAY)
    stand(store, ServingState.FALLEN_BACK, clock() + 3 * DAY)
    assert counts(store) == before | {"served": 1, "in_use": 1, "warned": 1}
    stand(store, ServingState.STOPPED, clock() + 4 * DAY)
    assert counts(store) == before | {"served": 1, "warned": 1, "stopped": 1}
    assert listed(store, Figure.STOPPED) == listed(store, Figure.WARNED) == ["service:mill-watch"]
    assert listed(store, Figure.CERTIFIED) == [COMMISSION]
    told = tell_ledger(store.as_actor(DESK), count_anew(store.as_actor(DESK), LATER), LATER)
    quick = told.model_copy(update={"spans": [span.model_copy(update={"half_after": 4e-7}) for span in told.spans]})
    said, counted = ({row[3] for row in ledger_table(quick, "en", exact=exact).rows} for exact in (False, True))
    assert "< 0.1" in said and "4e-07" not in said and "4e-07" in counted
    span = count_anew(store.as_actor(DESK), LATER).spans["certified_served"]
    assert (span.taken, span.open, span.ended, span.days.middle) == (1, 0, 0, 5)


def test_each_version_that_came_into_a_service_was_put_into_use(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    second = new_commission()
    _row(store, 9, "commission", "certified", {"certified": clock()}, random.Random(0), subject=second)
    clock.step(5 * 86_400)
    first_in = clock()
    admit(trial)
    stand(store, ServingState.SERVING, clock())
    clock.step(2 * 86_400)
    second_in = clock()
    admit(trial, routes=(route_of(trial, second), route_of(trial)), commission=second)
    stand(store, ServingState.SERVING, clock())
    assert spans(store)["certified_served"] == (2, 0, 0)
    served = read_journeys(store.as_actor(DESK), "commission", ("served",)).reached[0]
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in sorted(served)] == [first_in, second_in]
    assert counts(store)["served"] == counts(store)["in_use"] == 1


def test_the_books_are_kept_once_and_entered_again_say_the_same(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    admit(trial)
    stand(store, ServingState.SERVING, clock())
    stand(store, ServingState.STOPPED, clock() + DAY)
    stand(store, ServingState.SERVING, clock() + 2 * DAY)
    view = store.as_actor(OWNER)
    assert keep_books(view) > 0 and keep_books(view) == 0
    once = counts(store)
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM positions WHERE name = 'ledger'")
    assert keep_books(view) > 0
    assert counts(store) == once and once["in_use"] == once["stopped"] == 1


def test_the_check_of_the_log_knows_how_services_are_listed(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    admit(trial)
    stand(store, ServingState.SERVING, clock())
    keep_books(store.as_actor(OWNER))
    verify_store(store)
    stand(store, ServingState.FALLEN_BACK, clock() + DAY)
    verify_store(store)  # the books have not read it yet
    keep_books(store.as_actor(OWNER))
    verify_store(store)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE listings SET state = 'serving' WHERE kind = 'service'")
    with pytest.raises(InvalidProofError) as caught:
        verify_store(store)
    assert caught.value.code == "log.listing_differs"


def test_a_service_of_a_base_without_records_is_counted_by_its_plan(store, trial, clock):
    """As the demonstration on the command line makes it: no scenario was ever registered in the hub."""
    what = scenario((), supports=["data"])
    trial.plan = plan(what, trial.version)
    with store.as_actor(MACHINE).transaction("test.put") as change:
        for document in (what, trial.plan):
            change.put(document, parties("acme"), owner="plant")
    admit(trial, commission=None)
    stand(store, ServingState.SERVING, clock())
    assert counts(store) == {"served": 1, "in_use": 1}
    view = store.as_actor(DESK)
    cells = tell_map(view, count_anew(view, NOW), NOW).cells
    assert [(cell.action, cell.support) for cell in cells if cell.in_use] == [("industry", "data")]


def test_re_tested_suspended_and_revoked_trials_are_counted_as_they_came(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.report = report(trial.plan).model_copy(update={"performance": performance(3.5)})
    trial.certificate = certificate(trial.report)
    trial.reach("reported")
    assert spans(store)["reported_accepted"] == (0, 1, 0)
    trial.reach("certified")
    assert spans(store)["certified_served"] == (0, 1, 0)
    assert spans(store)["demanded_served"] == (0, 1, 0)
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    found = figures(store.as_actor(DESK), LATER)
    assert (found.counts[Figure.CERTIFIED], found.counts[Figure.IN_FORCE]) == (1, 0)
    assert spans(store)["certified_served"] == (0, 1, 0)
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_REVOKE)
    assert spans(store)["certified_served"] == (0, 0, 1)
    assert counts(store)["certified"] == 1
    assert found.costs.cpu_seconds.middle == 3.5 and found.costs.cpu_seconds.count == 1


def performance(cpu):
    return Performance(
        batches=1,
        batch_rows=1,
        load_seconds=1,
        wall_seconds=1,
        cpu_seconds=cpu,
        cases_per_second=1,
        latency_quantiles={},
    )


def test_who_is_still_on_a_step_is_never_dropped(trial, clock):
    store = trial.store
    trial.open_scenario()
    for name in ("draft", "gone"):
        save(store.as_actor(OWNER), scenario((), name=name))
    trial.do(OWNER, "scenario:plant/gone", Act.SCENARIO_WITHDRAW)
    found = spans(store)
    assert found["demanded_opened"] == (1, 1, 1)
    assert found["opened_proposed"] == (0, 1, 0)
    span = count_anew(store.as_actor(DESK), clock() + 30 * DAY).spans["opened_proposed"]
    assert span.longest_open == 30 and span.days is None and span.half_after is None
    trial.do(OWNER, SCENARIO, Act.SCENARIO_CLOSE)
    assert spans(store)["opened_proposed"] == (0, 0, 1)


@pytest.mark.parametrize(
    ("taken", "open_since", "ended", "half"),
    [
        ([], [], 0, None),
        ([4.0], [], 0, 4),
        ([1.0, 2.0, 3.0], [], 0, 2),
        ([1.0, 2.0, 3.0, 4.0], [], 0, 2),
        ([1.0, 2.0], [9.0, 9.0, 9.0], 0, None),
        ([1.0, 2.0, 3.0], [9.0, 9.0], 0, 3),
        ([1.0, 2.0, 3.0], [0.5, 0.5], 0, 2),
        ([1.0, 2.0], [], 3, None),
        ([1.0, 2.0, 3.0], [], 2, 3),
    ],
)
def test_half_after_by_hand(taken, open_since, ended, half):
    import numpy as np

    assert half_after(np.array(taken), np.array(open_since), ended) == half


def test_an_owner_reads_its_own_part_and_others_none(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    admit(trial)
    stand(store, ServingState.SERVING, clock())
    assert counts(store, OWNER)["opened"] == 1
    assert counts(store, OTHER_OWNER) == {} and set(spans(store, OTHER_OWNER).values()) == {(0, 0, 0)}
    for who in (SUPPLIER, VISITOR):
        with pytest.raises(NotFoundError):
            count_anew(store.as_actor(who), NOW)


def test_targets_stand_beside_counts_by_year_and_by_phase(any_trial):
    trial, store = any_trial, any_trial.store
    trial.reach("certified")
    targets = [
        Target(year=2026, figure="certified", number=4),
        Target(year=2027, figure="certified", number=6),
        Target(year=2026, figure="opened", sector="energy", number=2),
        Target(year=2029, figure="served", number=5),
        Target(year=2035, figure="served", number=0),
    ]
    set_targets(store.as_actor(DESK), targets)
    view = store.as_actor(REGULATOR)
    told = tell_ledger(view, count_anew(view, NOW), NOW)
    assert [(one.figure, one.reached, one.number, one.share) for one in told.targets] == [
        ("certified", 1, 4, 0.25),
        ("opened", 0, 2, 0),
    ]
    assert [(one.phase, one.figure, one.reached, one.number) for one in told.phases] == [
        ("p1", "certified", 1, 10),
        ("p1", "opened", 0, 2),
        ("p2", "served", 0, 5),
        ("p3", "served", 0, 0),
    ]
    assert not tell_ledger(store.as_actor(OWNER), count_anew(store.as_actor(OWNER), NOW), NOW).targets


def test_a_year_ends_in_utc_whatever_zone_asks(store):
    instant = datetime(2026, 12, 31, 20, tzinfo=UTC)
    _row(store, 0, "commission", "reported", {"agreed": instant, "reported": instant}, random.Random(0))
    beijing = instant.astimezone(timezone(timedelta(hours=8)))
    assert beijing.year == 2027
    assert figures(store.as_actor(DESK), beijing).this_year[Figure.VERDICTS] == 1
    assert figures(store.as_actor(DESK), instant + timedelta(hours=4)).this_year[Figure.VERDICTS] == 0


STATES = {
    "scenario": ("draft", "review", "open", "closed", "withdrawn"),
    "commission": ("proposed", "agreed", "running", "reported", "certified", "suspended", "revoked", "declined"),
    "service": ("serving", "fallen_back", "human", "stopped"),
}


def _row(store, number, kind, state, reached, chance, subject=None):
    subject = subject or f"{kind}:plant/r{number}"
    owner = chance.choice(["plant", "hospital"])
    action, supports = chance.choice([*Action, ""]), frozenset(chance.sample(list(Support), chance.randrange(3)))
    with store.as_actor(MACHINE).transaction("test.row") as change:
        digest = change.put(scenario((), name=f"r{number}"), parties("acme"), owner=owner)
        listing = Listing(subject, kind, state, digest, owner, Localized(en="x"), chance.choice(["energy", ""]), action)
        put_listing(change, listing, [])
        verdict = chance.choice(["accept", "reject", "inconclusive"]) if "reported" in reached else ""
        of_record = {name: at for name, at in reached.items() if name in OF_RECORDS}
        cpu = chance.choice([None, 1000, 2500])
        journey = Journey(subject, kind, of_record, verdict, "acme", 10_000, "CNY", cpu, supports)
        put_journey(change, journey)
        for name in reached.keys() - of_record.keys():
            note_first(change, subject, name, reached[name])
    return {"kind": kind, "state": state, "reached": reached, "owner": owner, "action": action, "supports": supports}


def _world(store, chance, size):
    """Rows of all kinds, each come as far on its way as chance had it."""
    rows = []
    for number in range(size):
        kind = chance.choice(list(STATES))
        names = {
            "scenario": ("demanded", "opened"),
            "commission": (*OF_RECORDS, "served"),
            "service": ("served", "warned", "stopped"),
        }[kind]
        at, reached = NOW - chance.random() * 900 * DAY, {}
        for name in names[: chance.randrange(len(names) + 1)]:
            at += chance.random() * 40 * DAY
            reached[name] = at
        rows.append(_row(store, number, kind, chance.choice(STATES[kind]), reached, chance))
    return rows


def _everything(fetch):
    found, after = [], None
    while True:
        page = fetch(after=after)
        found += [one.subject for one in page.items]
        after = page.after
        if after is None:
            return found


@pytest.mark.parametrize(("who", "owner"), [(DESK, ""), (OWNER, "plant")])
def test_every_figure_has_exactly_its_records(any_store, who, owner):
    chance = random.Random(1)
    rows = [row for row in _world(any_store, chance, 60) if not owner or row["owner"] == owner]
    view = any_store.as_actor(who)
    found = figures(view, LATER, owner)
    for figure in Figure:
        _assert_records(view, figure, Chosen(owner=owner), found.counts[figure])
        part = chance.choice([{"action": "industry"}, {"support": "data"}, {"sector": "energy"}, {"year": 2025}])
        chosen = Chosen(owner=owner, **part)
        _assert_records(view, figure, chosen, count_of(view, figure, chosen))
    for name, step in (STEPS | WHOLE).items():
        span = found.spans[name]
        for progress in ("taken", "open", "ended"):
            subjects = _everything(partial(records_on, view, step, progress, owner))
            assert len(set(subjects)) == len(subjects) == getattr(span, progress), (name, progress)
        begun = [row for row in rows if row["kind"] == step.kind and step.start in row["reached"]]
        assert span.taken + span.open + span.ended == len(begun)
    opened = [row for row in rows if row["kind"] == "scenario" and "opened" in row["reached"]]
    in_use = [row for row in rows if row["kind"] == "service" and row["state"] in ("serving", "fallen_back")]
    assert found.counts[Figure.OPENED] == len(opened) and found.counts[Figure.IN_USE] == len(in_use)
    for cell in tell_map(view, found, LATER).cells:
        assert cell.opened == sum(row["action"] == cell.action and _is_in(row, cell.support) for row in opened), cell
        if cell.action and cell.support:
            chosen = Chosen(action=cell.action, support=cell.support, owner=owner)
            assert cell.opened == count_of(view, Figure.OPENED, chosen)


def _assert_records(view, figure, chosen, number):
    subjects = _everything(partial(records_of, view, figure, chosen, limit=7))
    assert len(set(subjects)) == len(subjects) == number, (figure, chosen)


def _is_in(row, support):
    return support in row["supports"] if support else not row["supports"]


def test_the_ledger_tells_what_the_figures_count():
    assert [figure.value for figure in LEDGER] == [
        "opened", "proposed", "trials", "verdicts", "certified", "served", "in_use", "uncertified", "warned", "stopped",
    ]  # fmt: skip
