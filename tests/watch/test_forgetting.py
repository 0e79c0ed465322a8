"""Observations and labels go when their time is over, or when somebody asks; what detectors said of them stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pilotbase.documents.errors import RefusedError
from pilotbase.watch.observations import erase_case, forget_old, ingest
from pilotbase.watch.packs import Pack
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.failures import NotFoundError
from tests.watch.services_for_tests import ACME, OTHER, PLANT, labelled, observed, open_service, take_in


def kept(view):
    """Everything personal that the store holds: bodies of packs, rows of cases, batches and labels."""
    with view.reading() as connection:
        bodies = connection.scalars(select(tables.observation_packs.c.body)).all()
        rows = [
            connection.scalar(select(func.count()).select_from(table))
            for table in (tables.observed_cases, tables.observed_batches, tables.labels, tables.label_batches)
        ]
    ids = [case for body in bodies if body for case in Pack.from_bytes(body).ids]
    return sorted(ids), rows


def test_what_is_old_is_erased_with_its_labels_and_what_is_new_stays(any_store, clock):
    view = open_service(any_store)
    take_in(view, observed("old", clock.now, {"c1": "ok", "c2": "ok"}), labelled("l1", {"c1": "ok", "never": "ok"}))
    clock.now += timedelta(days=364)
    assert forget_old(view) == 0
    take_in(view, observed("new", clock.now, {"c3": "ok"}), labelled("l2", {"c3": "ok"}))
    clock.now += timedelta(days=2)
    assert forget_old(view) == 2
    assert kept(view) == (["c3"], [1, 1, 1, 1])
    with view.reading() as connection:
        counts = sorted(connection.scalars(select(tables.observation_packs.c.cases)))
    assert counts == [1, 2], "how many there were stays"
    assert forget_old(view) == 0


def test_one_case_is_erased_when_its_person_asks(any_store, clock):
    view = open_service(any_store)
    batch = observed("b1", clock.now, {"c1": "ok", "c2": "broken"}, inputs={"name": ["Ada", "Bo"]})
    take_in(view, batch, labelled("l1", {"c1": "ok", "c2": "ok"}))
    erase_case(any_store.as_actor(PLANT), "milling", "c2")
    with view.reading() as connection:
        pack = Pack.from_bytes(connection.scalar(select(tables.observation_packs.c.body)))
        assert connection.scalar(select(func.count()).select_from(tables.labels)) == 1
    assert (list(pack.ids), pack.inputs["name"], pack.answers) == (["c1", ""], ["Ada", None], ["ok", None])
    assert ingest(view, [batch]).repeated == 1, "its batch does not bring it back"
    for who, refusal in ((ACME, RefusedError), (OTHER, NotFoundError), (PLANT, NotFoundError)):
        with pytest.raises(refusal):
            erase_case(any_store.as_actor(who), "milling", "c2")
