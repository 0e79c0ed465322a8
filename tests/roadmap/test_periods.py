"""Period reports: each figure counted in two ways, closed once, recounted by whoever holds the file."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from runpy import run_path

import pytest

from pilotbase.catalogue.figures import WANTED, YEARLY, figures
from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.period import PeriodReport, edges_of, format_edge
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.operations.ledger import PeriodToClose
from pilotbase.roadmap.ledger import keep_books
from pilotbase.roadmap.periods import (
    close_period,
    closed_periods,
    compare,
    count,
    read_period,
    records_behind,
    replay,
    require_sound,
    sign_period,
)
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.journeys import count_wanted, read_journeys
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    OTHER_OWNER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    scenario,
)
from tests.roadmap.services_for_tests import admit, stand, warn

QUARTER = PeriodToClose(period="2026-Q2", income=120000, staff=12)
SCRIPT = Path(__file__).parents[2] / "examples" / "verify_period.py"
VERIFIER = run_path(str(SCRIPT))
WALK = ("proposed", "agreed", "plan_review", "frozen", "reported", "accepted", "certified")


def number(report, figure, so_far=False):
    told = next(one for one in report.figures if one.figure == figure)
    return told.so_far if so_far else told.in_period


@pytest.fixture
def closed(trial, clock):
    """A certified trial in use, and the report of its quarter, closed in the next."""
    trial.reach("certified")
    admit(trial)
    stand(trial.store, ServingState.SERVING, clock())
    clock.step(90 * 86_400)
    return close_period(trial.store.as_actor(DESK), QUARTER)


@pytest.mark.parametrize(
    ("period", "offset", "start", "end"),
    [
        ("2026", "+00:00", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("2026-H2", "+00:00", "2026-07-01T00:00", "2027-01-01T00:00"),
        ("2026-Q4", "+08:00", "2026-09-30T16:00", "2026-12-31T16:00"),
        ("2024-02", "-03:30", "2024-02-01T03:30", "2024-03-01T03:30"),
        ("2026-12", "+08:00", "2026-11-30T16:00", "2026-12-31T16:00"),
    ],
)
def test_a_period_ends_at_midnight_of_the_base(period, offset, start, end):
    assert [one.strftime("%Y-%m-%dT%H:%M") for one in edges_of(period, offset)] == [start, end]


def test_an_edge_is_printed_in_the_zone_of_the_base_and_in_utc():
    end = edges_of("2026-Q2", "+08:00")[1]
    assert format_edge(end, "+08:00") == "2026-07-01 00:00 +08:00 (2026-06-30 16:00 UTC)"


@pytest.mark.parametrize("seed", range(6))
def test_every_figure_is_the_same_counted_from_histories_and_from_the_ledger_rows(trial, clock, seed):
    chance, store, moments = random.Random(seed), trial.store, [clock()]
    steps = [*_steps(trial, chance, clock)]
    for step in steps:
        clock.step(chance.randrange(60, 20 * 86_400))
        moments.append(clock())
        step()
    view, end = store.as_actor(DESK), clock() + timedelta(seconds=1)
    keep_books(view)
    for start in chance.choices(moments, k=4):
        found = {one.figure: one.in_period for one in count(replay(view, end), start, end)}
        rows = {one.value: count_wanted(view, replace(WANTED[one], span=(start, end))) for one in YEARLY}
        assert {name: found[name] for name in rows} == rows
    told = {one.figure: one.so_far for one in count(replay(view, end), start, end)}
    half = figures(view, end).spans["demanded_certified"].half_after
    assert told["days_to_certificate"] == (None if half is None else pytest.approx(half, abs=1e-3))
    for figure, milestone, column in (
        ("owners", "agreed", "owners"),
        ("suppliers", "agreed", "suppliers"),
        ("serving_suppliers", "served", "suppliers"),
    ):
        rows = read_journeys(view, "commission", [milestone])
        names = {name for name, at in zip(getattr(rows, column), rows.reached[0], strict=True) if at is not None}
        assert told[figure] == len(names)
    clock.step(120 * 86_400)
    assert VERIFIER["check"](json.loads(close_period(view, QUARTER).canonical())) is None, "by a third reading"


def _steps(trial, chance, clock):
    """What happens, in an order that the records allow: scenarios come between the steps of a trial and its service."""
    store = trial.store
    walk = [lambda one=one: trial.reach(one) for one in WALK[: chance.randrange(1, len(WALK) + 1)]]
    if len(walk) == len(WALK):
        walk += [lambda: admit(trial)]
        states = chance.sample([ServingState.SERVING, ServingState.STOPPED, ServingState.FALLEN_BACK], 2)
        walk += [lambda state=state: stand(store, state, clock()) for state in states]
        walk += [lambda: warn(store, chance.choice([Colour.GREEN, Colour.RED]), clock())]
    for place in range(chance.randrange(4)):
        walk.insert(chance.randrange(len(walk) + 1), lambda place=place: _open(trial, f"pumps-{place}"))
    return walk


def _open(trial, name):
    save(trial.store.as_actor(OWNER), scenario((), name=name))
    trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
    trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)


def test_figures_are_named_with_the_records_that_they_count(closed):
    assert number(closed, "trials") == number(closed, "certified") == number(closed, "served") == 1
    assert [one.subject for one in records_behind(closed, "certified")] == [COMMISSION]
    assert [one.subject for one in records_behind(closed, "opened", so_far=True)] == [SCENARIO]
    assert closed.stated == {"income": 120000, "staff": 12}
    with pytest.raises(NotFoundError):
        records_behind(closed, "nothing")


def test_an_open_period_is_refused_with_both_ends(trial, clock):
    with pytest.raises(ConflictError) as caught:
        close_period(trial.store.as_actor(DESK), PeriodToClose(period="2026-Q4"))
    assert caught.value.code == "period.open"
    assert "2027-01-01 00:00 +08:00 (2026-12-31 16:00 UTC)" in caught.value.render("en", str)


def test_a_period_is_closed_once_and_read_again_with_the_same_digest(closed, trial, clock):
    clock.step(86_400)
    again = close_period(trial.store.as_actor(DESK), PeriodToClose(period="2026-Q2", income=999))
    assert again.digest() == closed.digest() == read_period(trial.store.as_actor(REGULATOR), "2026-Q2").digest()
    assert [(one.period, one.digest) for one in closed_periods(trial.store.as_actor(VISITOR))] == [
        ("2026-Q2", closed.digest())
    ]


def test_what_comes_after_the_end_changes_no_closed_figure(closed, trial, clock):
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    _open(trial, "pumps")
    told = compare(trial.store.as_actor(REGULATOR), closed)
    assert told.is_closed_report and told.digest == closed.digest()
    third = close_period_of_next_quarter(trial, clock)
    assert (
        number(third, "opened") == 1 and number(third, "opened", so_far=True) == 2 and number(third, "certified") == 0
    )


def close_period_of_next_quarter(trial, clock):
    clock.step(90 * 86_400)
    return close_period(trial.store.as_actor(DESK), PeriodToClose(period="2026-Q3"))


def test_days_of_one_base_end_in_one_zone(closed, trial):
    with pytest.raises(ConflictError) as caught:
        close_period(trial.store.as_actor(DESK), PeriodToClose(period="2026-04", offset="+00:00"))
    assert caught.value.code == "period.other_zone"


def changed(report, change):
    """Return the report with a change of its JSON, as somebody edits the file."""
    value = json.loads(report.canonical())
    change(value)
    return PeriodReport.model_validate(value)


def test_a_figure_that_its_records_do_not_give_is_named(closed):
    require_sound(closed)
    forged = changed(closed, lambda value: value["figures"][3].update(in_period=7))
    with pytest.raises(InvalidProofError) as caught:
        require_sound(forged)
    assert caught.value.code == "period.figure_differs" and "7 / 1" in caught.value.render("en", str)
    older = changed(closed, lambda value: value["figures"][0].update(version=9))
    assert refused(older) == "period.other_definition"
    shorter = changed(closed, lambda value: value["figures"].pop())
    assert refused(shorter) == "period.figure_missing"
    later = changed(closed, lambda value: value.update(end="2026-08-01T00:00:00Z"))
    assert refused(later) == "period.edges_differ"


def refused(report):
    with pytest.raises(InvalidProofError) as caught:
        require_sound(report)
    return caught.value.code


def test_a_record_that_was_altered_is_named_with_its_figures(closed, trial):
    def alter(value):
        trial_told = next(one for one in value["records"] if one["subject"] == COMMISSION)
        trial_told["reached"]["agreed"] = "2026-05-02T00:00:00Z"

    with pytest.raises(InvalidProofError) as caught:
        compare(trial.store.as_actor(DESK), changed(closed, alter))
    said = caught.value.render("en", str)
    assert caught.value.code == "period.record_differs" and COMMISSION in said and "trials" in said


def test_a_stranger_recounts_a_report_with_python_alone(closed, tmp_path):
    """Neither the base's package nor any other is there to import."""
    file = tmp_path / "report.json"
    file.write_text(json.dumps(json.loads(closed.canonical()), indent=2))
    found = subprocess.run([sys.executable, "-I", "-S", SCRIPT, file], capture_output=True, text=True, check=True)
    assert closed.digest() in found.stdout and "every figure counts as told" in found.stdout
    for told in closed.figures:
        forged = json.loads(closed.canonical())
        next(one for one in forged["figures"] if one["figure"] == told.figure)["so_far"] = 99.0
        assert VERIFIER["check"](forged).startswith(f"figure {told.figure}:")
    file.write_bytes(closed.canonical().replace(b"2026-06-30", b"2026-06-29"))
    found = subprocess.run([sys.executable, "-I", "-S", SCRIPT, file], capture_output=True, text=True, check=False)
    assert found.returncode == 1 and "edges" in found.stdout


def test_a_second_person_signs_a_closed_report(closed, trial):
    first, second = (replace(DESK, person=one) for one in ("p-closer", "p-second"))
    store = trial.store
    with pytest.raises(NotFoundError):
        sign_period(store.as_actor(first), "2026-04")
    close_period(store.as_actor(first), PeriodToClose(period="2026-04"))
    for who, code in ((first, "period.same_person"), (replace(DESK, person=None), "period.no_person")):
        with pytest.raises(RefusedError) as caught:
            sign_period(store.as_actor(who), "2026-04")
        assert caught.value.code == code
    assert {one.period: one.signed_at for one in closed_periods(store.as_actor(VISITOR))} == {
        "2026-Q2": None,
        "2026-04": None,
    }
    signed = sign_period(store.as_actor(second), "2026-04")
    assert signed.signed_at is not None and sign_period(store.as_actor(second), "2026-04") == signed
    assert [one.signed_at for one in closed_periods(store.as_actor(VISITOR))] == [None, signed.signed_at]


def test_only_the_operator_closes_and_only_those_who_see_the_base_read(closed, trial):
    with pytest.raises(RefusedError):
        close_period(trial.store.as_actor(REGULATOR), PeriodToClose(period="2026-04"))
    for who in (OWNER, SUPPLIER, VISITOR):
        with pytest.raises(NotFoundError):
            read_period(trial.store.as_actor(who), "2026-Q2")


def test_work_that_was_done_elsewhere_and_scenarios_side_by_side_are_counted(trial, clock):
    _open(trial, "pumps")
    clock.step(86_400)
    other = scenario((), name="presses", owner={"organisation": "hospital"})
    save(trial.store.as_actor(OTHER_OWNER), other)
    trial.do(OTHER_OWNER, "scenario:hospital/presses", Act.SCENARIO_SUBMIT)
    trial.do(DESK, "scenario:hospital/presses", Act.SCENARIO_OPEN)
    clock.step(90 * 86_400)
    report = close_period(trial.store.as_actor(DESK), QUARTER)
    assert number(report, "side_by_side") == 1
    assert [one.subject for one in records_behind(report, "side_by_side")] == ["scenario:hospital/presses"]
    assert number(report, "reused") == 0
    certified = [
        record.model_copy(update={"kind": "commission", "subject": f"commission:c{place}", "scenario": record.subject})
        for place, record in enumerate(report.records)
    ]
    at = datetime(2026, 5, 3, tzinfo=UTC)
    certified = [
        one.model_copy(update={"application": "application:acme/forest", "reached": {"certified": at}})
        for one in certified
    ]
    told = {one.figure: one.in_period for one in count(certified, report.start, report.end)}
    assert told["reused"] == 1 and told["certified"] == 2
