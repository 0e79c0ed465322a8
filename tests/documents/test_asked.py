"""Every model of what the API is asked keeps to one rule: a number is written as one, bounded as it comes."""

import importlib
import json
import pkgutil

import pydantic
import pytest

from pilotbase.documents import api
from pilotbase.documents.api.shapes import InAddress, RequestModel
from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.thread import MAXIMUM_LETTERS, Question, Removal
from pilotbase.operations import declared
from pilotbase.operations.incidents import IncidentGrade, IncidentNote
from pilotbase.operations.labelling import NewLabel
from pilotbase.operations.services import NewKey
from pilotbase.operations.sites import NewPack

for found in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
    importlib.import_module(found.name)
declared()


def kinds_of(model):
    """Yield every model below ``model``."""
    for one in model.__subclasses__():
        yield from (one, *kinds_of(one))


NUMBERS = [
    (model, field.alias or name)
    for model in dict.fromkeys(kinds_of(RequestModel))
    for name, field in model.model_fields.items()
    if field.annotation in (int, float, int | None, float | None)
]


KIND = {int: "int_type", int | None: "int_type", float: "float_type", float | None: "float_type"}


def refusals(model, given):
    """Return (type, place) of each problem."""
    with pytest.raises(pydantic.ValidationError) as told:
        model.model_validate(given)
    return [(error["type"], error["loc"]) for error in told.value.errors()]


@pytest.mark.one_in(6)
@pytest.mark.parametrize("text", [True, "1", "0" * 5000 + "1", " 1 "])
@pytest.mark.parametrize(("model", "name"), NUMBERS)
def test_neither_a_yes_nor_a_text_is_a_number(model, name, text):
    field = next(one for key, one in model.model_fields.items() if (one.alias or key) == name)
    assert (KIND[field.annotation], (name,)) in refusals(model, {name: text})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000])
@pytest.mark.parametrize(("model", "name"), NUMBERS)
def test_no_whole_number_is_larger_than_a_database_keeps(model, name, number):
    assert ("int_parsing_size", (name,)) in refusals(model, {name: number})


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
@pytest.mark.parametrize(("model", "name"), NUMBERS)
def test_a_number_is_finite(model, name, number):
    assert (name,) in [place for _, place in refusals(model, {name: number})]


def test_a_number_that_json_writes_with_a_fraction_of_nothing_is_whole():
    assert NewPack(site="s", scenario="a", application="application:a/b", days=3.0).days == 3


@pytest.mark.parametrize("label", [10**250, 10**4200, "a" * 201])
def test_a_label_is_bounded_whether_it_is_written_as_text_or_number(label):
    assert ("label",) in [place for _, place in refusals(NewLabel, {"item": "1", "label": label})]


@pytest.mark.parametrize(
    ("model", "name", "most"),
    [
        (IncidentNote, "text", LONGEST_NOTE),
        (IncidentGrade, "note", LONGEST_NOTE),
        (NewKey, "title", 200),
        (Question, "text", MAXIMUM_LETTERS),
        (Question, "title", 200),
        (Removal, "reason", 400),
    ],
)
def test_what_is_trimmed_is_bounded_before(model, name, most):
    assert ("string_too_long", (name,)) in refusals(model, {name: " " * most + "a"})
    assert (name,) not in [place for _, place in refusals(model, {name: " " * (most - 1) + "a", "other": 1})]
    described = json.dumps(model.model_json_schema()["properties"][name])
    assert f'"maxLength": {most}' in described


def test_what_is_trimmed_must_say_something():
    assert ("string_too_short", ("reason",)) in refusals(Removal, {"reason": "  "})
    assert Removal(reason=" a ").reason == "a"


class Where(InAddress):
    limit: int | None = None
    q: str = ""


def test_a_number_in_an_address_has_no_thousand_digits():
    assert Where(limit="007", q="0" * 5000).limit == 7
    for long in ("0" * 5000 + "1", " " * 100 + "1"):
        assert refusals(Where, {"limit": long}) == [("int_parsing_size", ("limit",))]


def test_there_are_numbers_to_try():
    assert len(NUMBERS) >= 4
