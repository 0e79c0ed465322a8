"""Saved searches: who follows the matches of a record is told of what is new among them, and of nothing else."""

import pytest

from pilotbase.notices.rows import list_notices
from pilotbase.worker.operations.matches import follow_matches
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import OTHER_OWNER, OWNER, SUPPLIER
from tests.matching.test_finding import hand_in, publish


def told(any_told, who):
    """Return what somebody has been told of: whose match, and what may fit."""
    any_told.round()
    notices = [one for one in list_notices(any_told.view(who))[0] if one.kind == "match"]
    return {(one.subject, one.sentence.render("en")) for one in notices}


def test_who_follows_matches_is_told_of_those_that_come(any_told):
    store = any_told.store
    milling = publish(store)
    follow_matches(store.as_actor(OWNER), milling, True)
    assert told(any_told, OWNER) == set()
    hand_in(store, name="shown", offer={"published": True})
    hand_in(store, name="hidden")
    far = {"title": "贷款", "model_card": {"summary": "贷款评分。"}, "offer": {"published": True}}
    hand_in(store, name="far", made_for=None, **far)
    hand_in(store, name="draft", submitted=False, offer={"published": True})
    assert told(any_told, OWNER) == {(milling, "May fit: acme/shown.")} and told(any_told, SUPPLIER) == set()
    follow_matches(store.as_actor(OWNER), milling, False)
    hand_in(store, name="late", offer={"published": True})
    assert len(told(any_told, OWNER)) == 1


def test_a_supplier_is_told_of_scenarios_that_open_and_a_limit_is_never_skipped(any_told):
    store = any_told.store
    publish(store, name="old")
    forest = hand_in(store, made_for="scenario:plant/old", licence="MIT")
    follow_matches(store.as_actor(SUPPLIER), forest, True)
    publish(store, OTHER_OWNER, "fits")
    publish(store, OTHER_OWNER, "strict", conditions={"licences": ["EUPL-1.2"]})
    publish(store, OTHER_OWNER, "unopened", opened=False)
    assert told(any_told, SUPPLIER) == {(forest, "May fit: plant/old."), (forest, "May fit: hospital/fits.")}


def test_what_one_does_not_see_is_not_followed(any_told):
    secret = publish(any_told.store, OTHER_OWNER, "secret", opened=False)
    with pytest.raises(NotFoundError):
        follow_matches(any_told.store.as_actor(OWNER), secret, True)
