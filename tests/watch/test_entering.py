"""What a case says about a risk, about its contract, and in which order cases of a cohort enter."""

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.watch import Watch
from pilotbase.measures import RuleContext
from pilotbase.watch.following import broken_cases, worst_fault
from pilotbase.watch.labels import LabelledPack, case_key
from pilotbase.watch.losses import Promised, losses_of, promised_loss
from pilotbase.watch.packs import Pack
from pilotbase.watch.scoring import cases_of_answers, spelled_label
from tests.watch.services_for_tests import EARLIER, WATCHED

CONTRACT = Contract(
    features=(
        Field(name="x", dataType=DataType.FLOAT, minimum=0, maximum=10),
        Field(name="day", dataType=DataType.DATE),
    ),
    prediction=Prediction(kind="label", classes=("broken", "fine")),
)


class Plan:
    contract, positive = CONTRACT, "broken"


def pack(answers, ends=None, versions=None, **inputs):
    count = len(answers)
    return Pack(
        ids=[f"c{row}" for row in range(count)],
        at=list(range(count)),
        milliseconds=[None] * count,
        versions=versions or [WATCHED] * count,
        ends=ends or ["answered"] * count,
        inputs=inputs,
        answers=answers,
    )


def entered(packs, rule="accuracy >= 0.85"):
    promised = Promised("c", WATCHED, Plan)
    loss = promised_loss(rule, promised.setting, 0.0)
    return losses_of(packs, promised, [loss], Watch(service="milling"))


def test_cases_enter_in_the_order_of_their_keys_whatever_their_outcome():
    answers = pack(["fine"] * 50)
    keys = [case_key("milling", case) for case in answers.ids]
    first = entered([LabelledPack(keys, answers, ["broken"] * 25 + ["fine"] * 25)])
    second = entered([LabelledPack(keys, answers, ["fine"] * 25 + ["broken"] * 25)])
    order = sorted(range(50), key=keys.__getitem__)
    assert list(first.at) == list(second.at) == order != list(range(50))
    assert first.losses[0].values.tolist() == [float(row < 25) for row in order]


def test_what_counts_as_evidence():
    """An abstention counts, as wrong; a call that nobody or another version has answered does not."""
    mixed = pack(
        ["fine", None, "fine", "fine", "fine", "other"],
        ends=["answered", "answered", "timed_out", "answered", "answered", "answered"],
        versions=[WATCHED, WATCHED, WATCHED, EARLIER, None, WATCHED],
    )
    keys = [bytes([row]) for row in range(6)]
    found = entered([LabelledPack(keys, mixed, ["fine", "fine", "broken", "broken", None, "fine"])])
    assert list(found.at) == [0, 1, 4, 5]
    assert found.losses[0].values.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert found.labelled == 3


@pytest.mark.parametrize(
    ("value", "classes", "spelled"),
    [
        (True, ("false", "true"), "true"),
        (True, ("0", "1"), "1"),
        (1.0, ("0", "1"), "1"),
        (" fine ", ("fine",), "fine"),
        (None, ("fine",), ""),
    ],
)
def test_labels_are_read_in_the_spelling_of_the_classes(value, classes, spelled):
    assert spelled_label(value, classes) == spelled


def test_numbers_that_are_none_are_missing():
    setting = RuleContext("value")
    cases, known = cases_of_answers(pack([1.5, "x", None]), [2.0, "two", None], setting, frozenset())
    assert cases.answers.tolist()[0] == 1.5 and np.isnan(cases.answers[1:]).all()
    assert known.tolist() == [True, False, False]


def test_breaks_of_the_contract_case_by_case():
    good, day = 1.0, "2026-05-01"
    found = pack([None] * 6, x=[good, "1", 11.0, None, 3, good], day=[day, day, day, day, "2026-13-01", None])
    assert broken_cases(found, CONTRACT, frozenset()).tolist() == [False, True, True, True, True, True]
    assert broken_cases(found, CONTRACT, frozenset({"x", "day"})).tolist() == [False, True, True, False, True, False]
    assert broken_cases(pack([None], x=[good], day=[day], y=[1]), CONTRACT, frozenset()).tolist() == [True]


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([1.0, "1", "2", 11.0], "x is not a number (2 cases)"),
        ([1.0, 12.0, 11.0, "1"], "x is outside 0 to 10 (2 cases)"),
        ([1.0, 10**400, -(10**400), float("nan")], "x is outside 0 to 10 (2 cases)"),
        ([None, None, None, "1"], "x has no value (3 cases)"),
    ],
)
def test_the_fault_that_most_cases_have_is_named(x, said):
    found = worst_fault(pack([None] * 4, x=x, day=["2026-05-01"] * 3 + [None]), CONTRACT, frozenset({"day"}))
    assert said in found.render("en") and found.render("zh")


def test_a_lacking_column_and_no_fault_at_all():
    lacking = worst_fault(pack([None] * 2, day=["2026-05-01", "x"]), CONTRACT, frozenset())
    assert "column x is missing (2 cases)" in lacking.render("en")
    assert worst_fault(pack([None], x=[1.0], day=["2026-05-01"]), CONTRACT, frozenset()) is None
