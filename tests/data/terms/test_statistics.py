"""The budget of statistics in an offer: read, set, changed, taken away; the rest of the offer stands."""

from pilotbase.data.terms.templates import OfferLimits, StatisticsTerms, offer_for, statistics_of, with_statistics
from pilotbase.documents.vocabularies import Opening

DATASET = "dataset:plant/logs"
CLOSED = Opening.COMPUTE_TO_DATA


def test_a_budget_set_later_is_the_offer_with_that_budget_and_taken_away_it_is_the_one_before():
    limits = {"recipients": ("acme",), "uses": 5, "cell_size": 20}
    before = offer_for(CLOSED, "plant", DATASET, OfferLimits(**limits))
    wanted = offer_for(CLOSED, "plant", DATASET, OfferLimits(**limits, epsilon=3_000_000))
    assert (statistics_of(before).epsilon, statistics_of(wanted)) == (0, StatisticsTerms(3_000_000, 20))
    said = with_statistics(before, StatisticsTerms(3_000_000, 20))
    assert same(said, wanted)
    assert with_statistics(said, StatisticsTerms()) == before
    assert same(
        with_statistics(said, StatisticsTerms(1, 30)),
        offer_for(CLOSED, "plant", DATASET, OfferLimits(**{**limits, "cell_size": 30}, epsilon=1)),
    )
    assert with_statistics(said, StatisticsTerms(3_000_000, 20)) is said


def same(one, other) -> bool:
    """Tell whether two offers permit the same, in whatever order their constraints stand."""
    bounds = [[{*map(str, permission.constraint)} for permission in offer.permission] for offer in (one, other)]
    rest = [offer.model_copy(update={"permission": ()}) for offer in (one, other)]
    return bounds[0] == bounds[1] and rest[0] == rest[1]
