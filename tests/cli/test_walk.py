"""The walk, really taken: trial, gateway, watch and reactions over a real change of season."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from pilotbase.cli.demo import take_walk
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.vocabularies import Signal
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.registry import load_service
from pilotbase.service.standing import history_of
from pilotbase.service.terms import usage_by_day
from pilotbase.watch.cohorts import list_cohorts
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.running import run
from pilotbase.watch.standings import watch_of
from pilotbase.watch.warnings import standing_warnings, warnings_of
from pilotbase.worker.base import open_base
from pilotbase.worker.demo.records import Cast
from pilotbase.worker.demo.walk import DAYS_AFTER
from pilotbase.worker.demo.walked_service import SERVICE
from pilotbase.workspace.store import utc_now


def standing_risk(view):
    return [one for one in standing_warnings(view, SERVICE).values() if one.signal is Signal.RISK]


def pass_seconds(view, seconds):
    """The same base, when so many seconds have passed."""
    store = replace(view.store, clock=lambda: utc_now() + timedelta(seconds=seconds))
    return store.as_actor(view.actor)


@pytest.mark.prove
def test_a_demand_goes_its_whole_way(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    base = open_base(create=True)
    try:
        take_walk(base, Cast.alone(base.trust.issuer))
    except PilotbaseError as error:
        if error.text.code != "data.package.not_fetched":
            raise
        pytest.skip(f"the package index cannot be reached: {error.text.render()}")
    said, view = capsys.readouterr().out, base.lab.view

    stages = re.findall(r"^  ([a-z]+) ", said, re.MULTILINE)
    order = list(dict.fromkeys(stages))
    assert order == [
        "demand",
        "match",
        "proof",
        "service",
        "watch",
        "calls",
        "warning",
        "countermeasure",
        "incident",
        "ledger",
    ]
    assert "lakeside-ai/late-arrivals fits best" in said

    with view.reading() as connection:
        lived = {cohort.number: cohort for cohort in list_cohorts(connection, SERVICE)}
    asked = [int(number) for number in re.findall(r"asked about (\d+) departures", said)]
    assert [lived[number].cases or None for number in sorted(lived)] == [*asked[:-DAYS_AFTER], *[None] * DAYS_AFTER]
    assert [cohort.missing for cohort in lived.values()] == [0] * len(asked), "a day is a cohort, wholly labelled"

    standings = [(one.state.value, one.route) for one in reversed(history_of(view, SERVICE))]
    assert standings == [("serving", 0), ("serving", 0), ("fallen_back", 1)]
    risk = [
        one for _, one in reversed(warnings_of(view, SERVICE)) if one.detector == "risk:recall(late, cut=0.2) >= 0.33"
    ]
    assert [one.colour.value for one in risk][:2] == ["yellow", "red"]
    assert [one.began for one in risk] == sorted(one.began for one in risk)

    assert watch_of(view, SERVICE).version == load_service(view, SERVICE).routes[1].application.digest
    assert "armed for version 1.0.0" in said
    run(pass_seconds(view, 70), SERVICE)
    with view.reading() as connection:
        assert {cohort.state.value for cohort in list_cohorts(connection, SERVICE)} == {"entered"}
    assert not standing_risk(view), "the earlier version holds in April"

    (incident,) = list_incidents(view)
    assert (incident.service, incident.state) == (SERVICE, "open")
    assert incident.warning in {digest for digest, _ in warnings_of(view, SERVICE)}

    drain(view, journals_of(base.home.path))
    answered = {row.version: row.cases for row in usage_by_day(view, SERVICE)}
    assert len(answered) == 2 and sum(answered.values()) == sum(asked), "both have answered, every case is metered"
    assert re.search(r"2 certified, 1 in use, 1 warned", said)

    take_walk(base, Cast.alone(base.trust.issuer))
    assert capsys.readouterr().out.startswith("The walk was taken in this base before")
    base.lab.close()
