"""Saved searches: whoever follows the matches of a record is notified of new ones, and of nothing else."""

import pytest

from pilotbase.notices.rows import list_notices
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.followed import follow, unfollow
from tests.catalogue.records_for_tests import OTHER_OWNER, OWNER, SUPPLIER
from tests.matching.test_finding import hand_in, publish


def told(any_told, who):
    """Return what somebody was notified of: the record followed, and what may fit."""
    any_told.round()
    notices = [one for one in list_notices(any_told.view(who))[0] if one.kind == "match"]
    return {(one.subject, one.sentence.render("en")) for one in notices}


def test_a_follower_is_notified_of_matches_that_come_later(any_told):
    store = any_told.store
    milling = publish(store)
    follow(store.as_actor(OWNER), milling)
    assert told(any_told, OWNER) == set()
    hand_in(store, name="shown", offer={"published": True})
    hand_in(store, name="hidden")
    far = {"title": "贷款", "model_card": {"summary": "贷款评分。"}, "offer": {"published": True}}
    hand_in(store, name="far", made_for=None, **far)
    hand_in(store, name="draft", submitted=False, offer={"published": True})
    assert told(any_told, OWNER) == {(milling, "May fit: acme/shown.")} and told(any_told, SUPPLIER) == set()
    unfollow(store.as_actor(OWNER), milling)
    hand_in(store, name="late", offer={"published": True})
    assert len(told(any_told, OWNER)) == 1


def test_a_supplier_is_notified_of_scenarios_that_open_and_no_limit_is_skipped(any_told):
    store = any_told.store
    publish(store, name="old")
    forest = hand_in(store, made_for="scenario:plant/old", licence="MIT")
    follow(store.as_actor(SUPPLIER), forest)
    publish(store, OTHER_OWNER, "fits")
    publish(store, OTHER_OWNER, "strict", conditions={"licences": ["EUPL-1.2"]})
    publish(store, OTHER_OWNER, "unopened", opened=False)
    assert told(any_told, SUPPLIER) == {(forest, "May fit: plant/old."), (forest, "May fit: hospital/fits.")}


def test_nobody_follows_what_they_do_not_see(any_told):
    secret = publish(any_told.store, OTHER_OWNER, "secret", opened=False)
    with pytest.raises(NotFoundError):
        follow(any_told.store.as_actor(OWNER), secret)
