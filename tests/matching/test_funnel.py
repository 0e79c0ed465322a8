"""The funnel of a base: pairs of a demand and a supplier, each stage from its own records."""

import pytest

from pilotbase.catalogue.advancing import advance
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.threads import ask
from pilotbase.documents.permissions import Act
from pilotbase.documents.thread import Question
from pilotbase.operations.matches import NewDemand
from pilotbase.worker import rooms
from pilotbase.worker.demands import register_demand
from pilotbase.worker.funnel import funnel_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import first_looks, note_looks
from tests.catalogue.conftest import any_trial, trial
from tests.catalogue.records_for_tests import (
    APPLICATION,
    DESK,
    OTHER_OWNER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    scenario,
)

__all__ = ["any_trial", "trial"]
SPINDLES = "demand:plant/spindles"


def counts(store, of="recorded", who=DESK):
    return {one.stage: getattr(one, of) for one in funnel_of(store.as_actor(who)).stages if getattr(one, of)}


def test_a_pair_is_counted_where_it_has_a_record_and_no_further(any_trial):
    store = any_trial.store
    any_trial.reach("certified")
    assert counts(store) == {"trial": 1, "certificate": 1}
    assert counts(store, "reached") == {
        stage: 1 for stage in ("seen", "opened", "contacted", "room", "kit", "rehearsal", "trial", "certificate")
    }
    note_looks(store.as_actor(OTHER_SUPPLIER), "opened", [(SCENARIO, "globex")])
    asked = Question(subject=SCENARIO, title="Row 7", text="Which shift?")
    ask(store.as_actor(OTHER_SUPPLIER), asked)
    ask(store.as_actor(OWNER), asked)  # of one's own scenario
    assert counts(store, who=REGULATOR) == {"opened": 1, "contacted": 1, "trial": 1, "certificate": 1}
    [part] = funnel_of(store.as_actor(DESK)).by_sector
    assert (part.name, part.stages[0].reached, part.stages[3].reached) == ("manufacturing", 2, 1)
    [cohort] = funnel_of(store.as_actor(DESK)).by_cohort
    assert cohort.name == "2026-2" and cohort.stages[0].reached == 2


def test_a_demand_in_words_and_the_scenario_made_of_it_are_one(any_trial):
    store = any_trial.store
    register_demand(store.as_actor(OWNER), "plant", "spindles", NewDemand(text="Spindles break without warning."))
    any_trial.submit_application()
    opened = rooms.open_room(store.as_actor(SUPPLIER), SPINDLES, APPLICATION, "We may help.")
    rooms.agree(store.as_actor(OWNER), opened.room.identity)
    save(store.as_actor(OWNER), scenario(name="lathe", demand=SPINDLES))
    note_looks(store.as_actor(SUPPLIER), "kit", [("scenario:plant/lathe", "acme")])
    assert counts(store) == {"contacted": 1, "room": 1, "kit": 1}


def test_who_joined_a_demand_counts_as_a_site_of_it(any_trial):
    store, words = any_trial.store, "Spindles break without warning."
    register_demand(store.as_actor(OWNER), "plant", "spindles", NewDemand(text=words))
    register_demand(store.as_actor(OTHER_OWNER), "hospital", "spindles", NewDemand(text=words, joins=SPINDLES))
    theirs = "demand:hospital/spindles"
    note_looks(store.as_actor(SUPPLIER), "seen", [(SPINDLES, "acme"), (theirs, "acme")])
    assert counts(store) == {"seen": 2} and counts(store, "sites") == {"seen": 2}
    advance(store.as_actor(OWNER), theirs, Act.DEMAND_ADMIT)
    assert counts(store) == {"seen": 1} and counts(store, "sites") == {"seen": 2}
    save(store.as_actor(OWNER), scenario(name="lathe", demand=SPINDLES))
    assert counts(store) == {"seen": 1} and counts(store, "sites") == {"seen": 2}


def test_only_the_first_look_is_kept(any_trial):
    store, pair = any_trial.store, (SCENARIO, "acme")
    for _ in range(2):
        note_looks(store.as_actor(SUPPLIER), "seen", [pair, pair])
    assert [one[:3] for one in first_looks(store.as_actor(DESK))] == [(SCENARIO, "acme", "seen")]


@pytest.mark.parametrize("who", [OWNER, SUPPLIER])
def test_only_who_has_the_overview_sees_the_funnel(any_trial, who):
    with pytest.raises(NotFoundError):
        funnel_of(any_trial.store.as_actor(who))
