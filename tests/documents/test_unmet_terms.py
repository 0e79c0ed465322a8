"""Terms that no request can meet are named with their remedy; terms of every level can be met."""

from datetime import UTC, datetime

import pytest

from pilotbase.data.terms.templates import OfferLimits, constraint, offer_for
from pilotbase.documents.terms import (
    Action,
    Channel,
    Duty,
    LeftOperand,
    Offer,
    Operator,
    Permission,
    Prohibition,
    Purpose,
    unmet,
)
from pilotbase.documents.vocabularies import Opening

CONSENT = Duty(action=Action.OBTAIN_CONSENT)
PLACE = constraint(LeftOperand.SPATIAL, Operator.EQ, "CN")
LIMITS = {
    "none": OfferLimits(),
    "all": OfferLimits(
        recipients=("lakeside-ai",), until=datetime(2028, 1, 1, tzinfo=UTC), uses=3, rows=500, marked=True
    ),
    "statistics": OfferLimits(epsilon=1500, cell_size=20),
    "training": OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.TRAINING)),
    "consent": OfferLimits(consent=True),
    "consent and statistics": OfferLimits(consent=True, epsilon=1500),
}


def told(*permissions, prohibition=()):
    offer = Offer(uid="urn:pilotbase:offer:a", assigner="plant", target="dataset:plant/a", permission=permissions,
                  prohibition=prohibition)  # fmt: skip
    return [(path, problem.code) for path, problem in unmet(offer)]


@pytest.mark.parametrize("level", Opening)
@pytest.mark.parametrize("limits", LIMITS)
def test_terms_of_every_level_can_be_met(level, limits):
    if level not in (Opening.OPEN, Opening.ON_TERMS, Opening.COMPUTE_TO_DATA):
        pytest.skip("no offer is made of it")
    assert not list(unmet(offer_for(level, "plant", "dataset:plant/a", LIMITS[limits])))


@pytest.mark.parametrize(
    ("action", "clause", "path", "code"),
    [
        (Action.COMPUTE_ON, PLACE, "permission[0].constraint[0]", "terms.never_place"),
        (Action.USE, PLACE, "permission[0].constraint[0]", "terms.never_place"),
        (Action.DISPLAY, CONSENT, "permission[0].duty[0]", "terms.never_consent"),
        (
            Action.USE,
            constraint(LeftOperand.OUTPUT_CHANNEL, Operator.EQ, Channel.REPORT),
            "permission[0].constraint[0]",
            "terms.never_met",
        ),
        (
            Action.COMPUTE_ON,
            constraint(LeftOperand.PURPOSE, Operator.EQ, Purpose.TRAINING),
            "permission[0].constraint[0]",
            "terms.never_met",
        ),
        (
            Action.USE,
            constraint(LeftOperand.MIN_CELL_SIZE, Operator.GTEQ, 5),
            "permission[0].constraint[0]",
            "terms.never_met",
        ),
        (Action.USE, constraint(LeftOperand.COUNT, Operator.LT, 1), "permission[0].constraint[0]", "terms.never_met"),
    ],
)
def test_a_clause_that_no_request_meets_is_named_in_its_place(action, clause, path, code):
    permission = Permission(action=action, **({"duty": (clause,)} if clause is CONSENT else {"constraint": (clause,)}))
    assert told(permission) == [(path, code)]


def test_clauses_that_contradict_each_other_and_prohibitions_of_all_are_named():
    early, late = (datetime(year, 1, 1, tzinfo=UTC) for year in (2027, 2028))
    never = (
        constraint(LeftOperand.DATE_TIME, Operator.GT, late),
        constraint(LeftOperand.DATE_TIME, Operator.LT, early),
    )
    assert [code for _, code in told(Permission(action=Action.USE, constraint=never))] == ["terms.never_met"] * 2
    barred = Prohibition(action=Action.USE)
    assert told(Permission(action=Action.DISPLAY), prohibition=(barred,)) == [
        ("permission[0]", "terms.never_prohibited")
    ]
    assert told(Permission(action=Action.DISTRIBUTE, constraint=(PLACE,))) == [], "nobody asks a base for it"


def test_a_purpose_is_named_only_where_nothing_of_the_offer_can_be_used():
    learn = constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, Purpose.TRAINING)
    tried, taken = (Permission(action=action, constraint=(learn,)) for action in (Action.COMPUTE_ON, Action.USE))
    assert told(tried, taken) == []
    assert [code for _, code in told(tried)] == ["terms.never_met"]
