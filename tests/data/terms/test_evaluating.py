"""What terms say: a truth table against a slow evaluator written apart, and what no change of terms may do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.data.terms.evaluating import Terms, decide
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.terms import (
    Action,
    Constraint,
    Duty,
    LeftOperand,
    Offer,
    Operator,
    Permission,
    Prohibition,
    Request,
    Used,
)
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Opening

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DATASET = "dataset:plant/milling"
SEEN = "lakeside-ai"

# Written from the words of ODRL 2.2 and of data.md §2.2, not from the code.
ASKABLE = {
    "open": ["odrl:use", "odrl:reproduce", "odrl:distribute", "odrl:display", "pb:computeOn"],
    "on_terms": ["odrl:use", "odrl:reproduce", "odrl:display", "pb:computeOn"],
    "compute_to_data": ["pb:computeOn"],
}
HELD = {  # operand → (what is found in the request below, a right operand below, the same, above)
    "odrl:purpose": ("pb:verification", ("a",), ("pb:verification",), ("z",)),
    "odrl:recipient": (SEEN, ("a",), (SEEN,), ("z",)),
    "odrl:spatial": ("CN", ("A",), ("CN",), ("Z",)),
    "pb:outputChannel": ("pb:report", ("a",), ("pb:report",), ("z",)),
    "odrl:dateTime": (NOW, ("2026-11-26T11:00:00Z",), ("2026-11-26T20:00:00+08:00",), ("2026-11-26T13:00:00Z",)),
    "odrl:count": (4, ("3",), ("4",), ("5",)),
    "pb:epsilonBudget": (1500, ("1499",), ("1500",), ("1501",)),
    "pb:rowCount": (700, ("699",), ("700",), ("701",)),
    "pb:minCellSize": (10, ("9",), ("10",), ("11",)),
}
REQUEST = Request(
    target=DATASET,
    action=Action.COMPUTE_ON,
    by=SEEN,
    purpose="pb:verification",
    recipient=SEEN,
    spatial="CN",
    channel="pb:report",
    cell_size=10,
    epsilon=500,
    rows=200,
)
USED = Used(count=3, epsilon=1000, rows=500)
ATTRIBUTE = {
    "odrl:purpose": "purpose",
    "odrl:recipient": "recipient",
    "odrl:spatial": "spatial",
    "pb:outputChannel": "channel",
    "pb:epsilonBudget": "epsilon",
    "pb:rowCount": "rows",
    "pb:minCellSize": "cell_size",
}


def raw(operand: str, operator: str, values: tuple[str, ...]) -> Constraint:
    """A constraint that nobody has looked at: stored ones of a later version, or forged ones, may be anything."""
    return Constraint.model_construct(
        left_operand=LeftOperand(operand), operator=Operator(operator), right_operand=tuple(values)
    )


def offer(*permissions: Permission, prohibition: tuple[Prohibition, ...] = ()) -> Offer:
    return Offer(
        uid="urn:pilotbase:offer:x", assigner="plant", target=DATASET, permission=permissions, prohibition=prohibition
    )


def expected(operand: str, operator: str, values: tuple[str, ...], place: str) -> bool:
    """What ODRL's operators mean of the pairs that mean anything."""
    names = operand in ("odrl:purpose", "odrl:recipient", "odrl:spatial", "pb:outputChannel")
    if names:
        same = place == "same"
        return {"odrl:eq": same, "odrl:isAnyOf": same, "odrl:isNoneOf": not same}.get(operator, False)
    if operand == "odrl:dateTime":
        means = ("odrl:lt", "odrl:lteq", "odrl:gt", "odrl:gteq")
    elif operand == "pb:minCellSize":
        means = ("odrl:gt", "odrl:gteq")
    else:
        means = ("odrl:lt", "odrl:lteq")
    if operator not in means:
        return False
    # `place` is where the right operand lies: "below" what is found.
    return (
        operator
        in {
            "below": ("odrl:gt", "odrl:gteq"),
            "same": ("odrl:lteq", "odrl:gteq"),
            "above": ("odrl:lt", "odrl:lteq"),
        }[place]
    )


def test_truth_table_of_level_action_operand_operator_and_value():
    seen = 0
    for level, action, operand, operator in product(Opening, Action, LeftOperand, Operator):
        for place, values in zip(("below", "same", "above"), HELD[operand][1:], strict=True):
            terms = Terms(
                level,
                offer(Permission.model_construct(action=action, constraint=(raw(operand, operator, values),), duty=())),
            )
            asked = REQUEST.model_copy(update={"action": action})
            found = decide(terms, asked, USED, NOW).permitted
            wanted = action in ASKABLE[level] and expected(operand, operator, values, place)
            assert found == wanted, (level, action, operand, operator, values)
            seen += 1
    assert seen == 3 * 11 * 9 * 7 * 3


def test_what_the_request_does_not_say_denies():
    for operand, attribute in ATTRIBUTE.items():
        for operator, values in product(Operator, HELD[operand][1:]):
            silent = REQUEST.model_copy(update={attribute: None})
            terms = Terms(Opening.OPEN, offer(Permission(action="pb:computeOn")))
            assert decide(terms, silent, USED, NOW).permitted
            narrowed = replace(terms, narrowed=(raw(operand, operator, values),))
            assert not decide(narrowed, silent, USED, NOW).permitted, (operand, operator)
            forbids = Prohibition.model_construct(
                action=Action.COMPUTE_ON, constraint=(raw(operand, operator, values),)
            )
            barred = Terms(Opening.OPEN, offer(Permission(action="pb:computeOn"), prohibition=(forbids,)))
            assert not decide(barred, silent, USED, NOW).permitted, (operand, operator)


UNREADABLE = ("", "-1", "1.0", "1e3", "0x10", "１０", "ten", "01", "2027-13-01T00:00:00Z", "2027-01-01", "1700000000.5")


@pytest.mark.parametrize(
    "operand", ["odrl:count", "pb:epsilonBudget", "pb:rowCount", "pb:minCellSize", "odrl:dateTime"]
)
def test_a_value_that_cannot_be_read_is_refused_when_written_and_denies_when_met(operand):
    operator = "odrl:gteq" if operand == "pb:minCellSize" else "odrl:lteq"
    for value in UNREADABLE:
        with pytest.raises(pydantic.ValidationError, match="has an invalid value"):
            Constraint(leftOperand=operand, operator=operator, rightOperand=(value,))
        terms = Terms(Opening.OPEN, offer(Permission(action="pb:computeOn")), (raw(operand, operator, (value,)),))
        assert not decide(terms, REQUEST, USED, NOW).permitted


def test_unbound_terms_are_refused_where_they_are_written():
    for operand, operator in product(LeftOperand, Operator):
        fits = any(expected(operand, operator, (), place) for place in ("below", "same", "above"))
        value = HELD[operand][2]
        if fits:
            Constraint(leftOperand=operand, operator=operator, rightOperand=value)
        else:
            with pytest.raises(pydantic.ValidationError, match="cannot be compared with"):
                Constraint(leftOperand=operand, operator=operator, rightOperand=value)
    with pytest.raises(pydantic.ValidationError, match="takes one value"):
        Constraint(leftOperand="odrl:purpose", operator="odrl:eq", rightOperand=("a", "b"))
    for unknown in ({"action": "odrl:bogus"}, {"action": "odrl:use", "constraint": [{"operator": "odrl:eq"}]}):
        with pytest.raises(pydantic.ValidationError):
            Permission.model_validate(unknown)


def test_an_unknown_opening_or_duty_denies():
    permitted = offer(Permission(action="pb:computeOn"))
    assert not decide(Terms("half_open", permitted), REQUEST, USED, NOW).permitted
    odd = Permission.model_construct(action=Action.COMPUTE_ON, constraint=(), duty=(Duty(action="odrl:distribute"),))
    assert not decide(Terms(Opening.OPEN, offer(odd)), REQUEST, USED, NOW).permitted


def test_a_prohibition_wins_and_one_of_use_is_of_everything():
    permitted = Permission(action="pb:computeOn")
    for action, barred in (("pb:computeOn", True), ("odrl:use", True), ("odrl:distribute", False)):
        terms = Terms(Opening.OPEN, offer(permitted, prohibition=(Prohibition(action=action),)))
        assert decide(terms, REQUEST, USED, NOW).permitted != barred
    for values, barred in (((SEEN,), True), (("others",), False)):
        only = Prohibition(action="pb:computeOn", constraint=(raw("odrl:recipient", "odrl:eq", values),))
        assert (
            decide(Terms(Opening.OPEN, offer(permitted, prohibition=(only,))), REQUEST, USED, NOW).permitted != barred
        )


def test_a_permission_is_for_its_own_action_and_target():
    terms = Terms(Opening.OPEN, offer(Permission(action="odrl:use")))
    for action in Action:
        assert decide(terms, REQUEST.model_copy(update={"action": action}), USED, NOW).permitted == (
            action == "odrl:use"
        )
    elsewhere = REQUEST.model_copy(update={"action": Action.USE, "target": "dataset:plant/drilling"})
    assert [one.code for one in decide(terms, elsewhere, USED, NOW).reasons] == ["terms.other_target"]


def test_every_reason_is_given_at_once_in_both_languages():
    bounds = (
        raw("odrl:purpose", "odrl:isAnyOf", ("pb:training",)),
        raw("odrl:count", "odrl:lteq", ("3",)),
        raw("odrl:spatial", "odrl:eq", ("CN",)),
    )
    permission = Permission.model_construct(
        action=Action.COMPUTE_ON, constraint=bounds, duty=(Duty(action="odrl:obtainConsent"),)
    )
    asked = REQUEST.model_copy(update={"spatial": None})
    found = decide(Terms(Opening.ON_TERMS, offer(permission)), asked, USED, NOW).reasons
    assert [one.code.partition(".")[2] for one in found] == ["constraint_fails", "used_up", "unknown", "no_consent"]
    for language in LANGUAGES:
        assert all(one.render(language) for one in found)
    assert "0" in found[1].render("en")


def test_duties_come_with_the_permission_that_permits():
    first = Permission(
        action="pb:computeOn", constraint=(raw("odrl:spatial", "odrl:eq", ("DE",)),), duty=(Duty(action="odrl:delete"),)
    )
    second = Permission(action="pb:computeOn", duty=(Duty(action="odrl:attribute"), Duty(action="odrl:inform")))
    found = decide(Terms(Opening.OPEN, offer(first, second)), REQUEST, USED, NOW)
    assert found.duties == (Action.ATTRIBUTE, Action.INFORM)


LIMITS = OfferLimits(purposes=("pb:verification",), until=NOW + timedelta(days=1), uses=4, cell_size=10, epsilon=1500)


@pytest.mark.parametrize(
    ("level", "permitted"),
    [
        ("open", "odrl:use odrl:reproduce odrl:distribute odrl:display pb:computeOn"),
        ("on_terms", "odrl:use odrl:display pb:computeOn"),
        ("compute_to_data", "pb:computeOn"),
    ],
)
def test_templates_permit_what_their_level_says_and_no_more(level, permitted):
    offered = offer_for(Opening(level), "plant", DATASET, LIMITS)
    for action in Action:
        asked = REQUEST.model_copy(update={"action": action})
        found = decide(Terms(Opening(level), offered), asked, USED, NOW).permitted
        assert found == (action in permitted.split()), action
    for moment, used in ((NOW + timedelta(days=1), USED), (NOW, replace(USED, count=4))):
        assert decide(Terms(Opening(level), offered), REQUEST, used, moment).permitted == (level == "open")


def test_compute_to_data_counts_statistics_apart():
    offered = offer_for(Opening.COMPUTE_TO_DATA, "plant", DATASET, LIMITS)
    statistics = REQUEST.model_copy(update={"purpose": "pb:statistics", "channel": "pb:statistics"})
    terms = Terms(Opening.COMPUTE_TO_DATA, offered)
    assert decide(terms, statistics, USED, NOW).permitted
    for smaller in ({"cell_size": 9}, {"epsilon": 501}, {"channel": "pb:download"}, {"cell_size": None}):
        assert not decide(terms, statistics.model_copy(update=smaller), USED, NOW).permitted, smaller
    without = offer_for(Opening.COMPUTE_TO_DATA, "plant", DATASET, replace(LIMITS, epsilon=0))
    assert not decide(Terms(Opening.COMPUTE_TO_DATA, without), statistics, USED, NOW).permitted


constraints = st.builds(
    raw,
    st.sampled_from(list(LeftOperand)),
    st.sampled_from(list(Operator)),
    st.sampled_from([values for held in HELD.values() for values in held[1:]]),
)
bounds = st.lists(constraints, max_size=3).map(tuple)
permissions = st.builds(
    lambda action, constraint: Permission.model_construct(action=action, constraint=constraint, duty=()),
    st.sampled_from(list(Action)),
    bounds,
)
prohibitions = st.builds(
    lambda action, constraint: Prohibition.model_construct(action=action, constraint=constraint),
    st.sampled_from(list(Action)),
    bounds,
)
asked = st.builds(
    lambda action, silent: REQUEST.model_copy(update={"action": action, **dict.fromkeys(silent)}),
    st.sampled_from(list(Action)),
    st.sets(st.sampled_from(list(ATTRIBUTE.values())), max_size=2),
)


@pytest.mark.prove
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(Opening)),
    st.lists(permissions, max_size=4),
    st.lists(prohibitions, max_size=1),
    asked,
    constraints,
    st.data(),
)
def test_narrower_terms_never_permit_more(level, permitted, prohibited, request_, further, data):
    whole = Terms(level, offer(*permitted, prohibition=tuple(prohibited)))
    before = decide(whole, request_, USED, NOW).permitted
    chosen = data.draw(st.integers(0, max(len(permitted) - 1, 0)))
    tighter = [
        one.model_copy(update={"constraint": (*one.constraint, further)}) if place == chosen else one
        for place, one in enumerate(permitted)
    ]
    fewer = [one for place, one in enumerate(permitted) if place != chosen]
    more_bars = (*prohibited, Prohibition(action=request_.action))
    for narrowed in (
        Terms(level, offer(*tighter, prohibition=tuple(prohibited))),
        Terms(level, offer(*fewer, prohibition=tuple(prohibited))),
        Terms(level, offer(*permitted, prohibition=more_bars)),
        replace(whole, narrowed=(further,)),
        replace(whole, opening=Opening.COMPUTE_TO_DATA),
    ):
        assert before or not decide(narrowed, request_, USED, NOW).permitted


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_a_budget_is_used_up_exactly(limit, spent, wanted):
    terms = Terms(
        Opening.OPEN,
        offer(Permission(action="pb:computeOn", constraint=(raw("pb:epsilonBudget", "odrl:lteq", (str(limit),)),))),
    )
    found = decide(terms, REQUEST.model_copy(update={"epsilon": wanted}), Used(epsilon=spent), NOW).permitted
    assert found == (spent + wanted <= limit)
