"""The policy lens: the status of a clause follows from records, and a clause without a record says so."""

import pytest

from pilotbase.documents.roadmap import Clause, Figure
from pilotbase.documents.vocabularies import ServingState
from pilotbase.roadmap.ledger import COUNTS, packaged_clauses, status_of, tell_clauses
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import DESK, OWNER, REGULATOR
from tests.roadmap.services_for_tests import admit, stand


def clause(*shown_by, once=None):
    words = {"en": "Services are offered.", "zh": "提供服务。"}
    value = {"clause": "c", "source": "s", "place": "1", "words": words, "duty": "operator"}
    return Clause.model_validate({**value, "shown_by": shown_by, "once": once})


@pytest.mark.parametrize(
    ("asked", "counts", "status"),
    [
        (clause(), {}, "no_record"),
        (clause("trials", "served"), {"trials": 2, "served": 1}, "shown"),
        (clause("trials", "served"), {"trials": 2, "served": 0}, "partly"),
        (clause("trials", "served"), {"trials": 0, "served": 0}, "not"),
        (clause("warned", once="served"), {"warned": 0, "served": 0}, "not_applicable"),
        (clause("warned", once="served"), {"warned": 0, "served": 3}, "not"),
    ],
)
def test_a_status_follows_from_counts(asked, counts, status):
    assert status_of(asked, counts) == status


def test_every_packaged_clause_has_both_languages_and_counts_that_exist():
    known = {figure.value for figure in Figure} | set(COUNTS)
    for one in packaged_clauses():
        assert one.words.en and one.words.zh, one.clause
        assert set(one.shown_by) <= known, one.clause
    names = [one.clause for one in packaged_clauses()]
    assert len(names) == len(set(names)) > 10


def test_a_clause_becomes_shown_as_records_come(trial, clock):
    def statuses(who=DESK):
        return {one.clause: one.status for one in tell_clauses(trial.store.as_actor(who))}

    assert statuses()["ai-plus-pilot-bases"] == "not" and statuses()["ai-plus-monitoring"] == "not_applicable"
    trial.reach("certified")
    assert statuses()["ai-plus-pilot-bases"] == "shown" and statuses()["ndrc-benchmarks"] == "partly"
    admit(trial)
    stand(trial.store, ServingState.SERVING, clock())
    assert statuses(REGULATOR)["ai-plus-services"] == "shown" and statuses()["ai-plus-monitoring"] == "not"
    assert statuses()["ai-plus-employment"] == "no_record"
    with pytest.raises(NotFoundError):
        statuses(OWNER)
