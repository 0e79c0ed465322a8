"""What is handed in stands once, whoever brings it and however often; what cannot be taken is told and counted."""

from datetime import timedelta

import pydantic
import pytest
from sqlalchemy import func, select

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.observation import ObservationBatch
from pilotbase.watch.labels import counts_of
from pilotbase.watch.observations import PACK_CASES, ingest, require_taken
from pilotbase.watch.packs import Pack
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.failures import NotFoundError
from tests.watch.services_for_tests import ACME, OTHER, PLANT, ago, labelled, observed, open_service


def stored(view):
    """Every case in the store: id → everything of it."""
    with view.reading() as connection:
        bodies = connection.scalars(select(tables.observation_packs.c.body)).all()
    packs = [Pack.from_bytes(body) for body in bodies]
    return {pack.ids[row]: pack.row(row) for pack in packs for row in range(len(pack))}


def counted(view, service="milling"):
    with view.reading() as connection:
        return {one.what.value: one.count for one in counts_of(connection, service)}


def test_what_was_taken_is_read_back_as_it_was_and_a_batch_that_comes_again_changes_nothing(any_store, clock):
    view = open_service(any_store)
    first = observed(
        "b1", ago(clock.now, hours=1), {"c1": "ok", "c2": None}, inputs={"x": [1.5, None], "语": ["a", "b"]}
    )
    taken = ingest(view, [first])
    assert (taken.batches, taken.cases, taken.repeated) == (1, 2, 0)
    before = stored(view)
    assert before["c1"][3:] == (("ok",), (("x", 1.5), ("语", "a")))
    assert ingest(view, [first]).repeated == 1
    assert stored(view) == before
    assert counted(view) == {"repeated": 1}


def test_another_content_under_a_known_name_is_refused_and_nothing_of_it_is_kept(any_store, clock):
    view, at = open_service(any_store), ago(clock.now, hours=1)
    ingest(view, [observed("b1", at, {"c1": "ok"})])
    before = stored(view)
    found = ingest(
        view,
        [
            observed("b1", at, {"c9": "ok"}),
            observed("b2", at, {"c8": "ok", "c1": "broken"}),
            observed("b3", at, {"c7": "ok"}),
        ],
    )
    assert [(one.batch, one.reason.code) for one in found.refused] == [
        ("b1", "observation.batch_differs"),
        ("b2", "observation.case_differs"),
    ]
    assert stored(view).keys() == before.keys() | {"c7"}
    assert counted(view) == {"batch_differs": 1, "case_differs": 1}
    with pytest.raises(InputError) as caught:
        require_taken(found)
    assert "b1" in caught.value.render("zh")


def test_a_known_case_of_the_same_content_is_taken_once(store, clock):
    view, at = open_service(store), ago(clock.now, hours=1)
    ingest(view, [observed("b1", at, {"c1": "ok", "c2": "ok"})])
    found = ingest(view, [observed("b2", at, {"c2": "ok", "c3": "ok"}), observed("b3", at, {"c3": "ok"})])
    assert (found.cases, found.repeated_cases, found.batches) == (1, 2, 2)
    assert sorted(stored(view)) == ["c1", "c2", "c3"]


def test_the_future_is_refused_beyond_a_small_skew(store, clock):
    view = open_service(store)
    near, far = clock.now + timedelta(minutes=4), clock.now + timedelta(minutes=6)
    found = ingest(view, [observed("near", near, {"c1": "ok"}), observed("far", far, {"c2": "ok"})])
    assert [one.batch for one in found.refused] == ["far"]
    assert list(stored(view)) == ["c1"]
    assert counted(view) == {"future": 1}


def test_a_service_of_others_is_no_service_and_a_supplier_hands_in_nothing(store, clock):
    batch = observed("b1", ago(clock.now, hours=1), {"c1": "ok"})
    base = open_service(store)
    with pytest.raises(NotFoundError):
        ingest(store.as_actor(OTHER), [batch])
    with pytest.raises(NotFoundError):
        ingest(base, [batch, observed("b2", batch.at, {"c2": "ok"}, service="nothing")])
    with pytest.raises(RefusedError):
        ingest(store.as_actor(ACME), [batch])
    assert stored(base) == {}
    assert ingest(store.as_actor(PLANT), [batch]).cases == 1


@pytest.mark.prove
def test_small_batches_share_packs_and_columns_that_change_lose_nothing(store, clock):
    view, at = open_service(store), ago(clock.now, hours=1)
    calls = [observed(f"b{i}", at, {f"c{i}": "ok"}, inputs={"x": [i]}) for i in range(PACK_CASES + 10)]
    changed = [observed("other", at, {"d1": "ok"}, inputs={"x": ["word"], "y": [1]})]
    assert ingest(view, calls + changed).cases == PACK_CASES + 11
    with view.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.observation_packs)) == 3
    assert stored(view)["d1"][4] == (("x", "word"), ("y", 1))


def test_labels_may_come_before_their_case_and_are_counted_as_unknown(any_store, clock):
    view, at = open_service(any_store), ago(clock.now, hours=1)
    early = ingest(view, [labelled("l1", {"c1": "ok", "c2": "broken"})])
    assert (early.labels, early.unknown_labels) == (2, 2)
    found = ingest(view, [observed("b1", at, {"c1": "ok", "c2": "ok"}), labelled("l2", {"c1": "broken"})])
    assert (found.labels, found.unknown_labels, found.late_labels) == (1, 0, 0)
    again = ingest(view, [labelled("l2", {"c1": "broken"}), labelled("l1", {"c1": "ok"})])
    assert (again.repeated, [one.reason.code for one in again.refused]) == (1, ["observation.batch_differs"])
    assert counted(view) == {"unknown_label": 2, "repeated": 1, "batch_differs": 1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ids": ("c1", "c1")}, "observation.case_twice"),
        ({"inputs": {"x": (1,)}}, "observation.column_length"),
        ({"ids": tuple(f"c{i}" for i in range(65_537)), "answers": ()}, "too_long"),
        ({"ids": ("c 1", "c2")}, "string_pattern_mismatch"),
    ],
)
def test_a_batch_that_is_none_is_refused_before_the_store_hears_of_it(clock, change, code):
    good = {"service": "milling", "batch": "b", "at": clock.now, "ids": ("c1", "c2"), "answers": ("ok", "ok")}
    ObservationBatch(**good)
    with pytest.raises((InputError, pydantic.ValidationError)) as caught:
        ObservationBatch(**{**good, **change})
    assert code in str(caught.value) + str(getattr(caught.value, "errors", list)())
