"""Data-contract fit: share, and what is lacking with its reason."""

import pytest

from pilotbase.matching.constraints import contract_fit
from tests.matching.pairs_for_tests import need

OTHER = (
    ("Torque", "sc:Float", "Nm"),
    ("speed", "sc:Float", "rpm"),
    ("wear", "sc:Float", "min"),
    ("failure", "sc:Text", None),
)


def test_what_it_was_made_for_fits_wholly():
    found = contract_fit(need().contract, need().contract)
    assert found.share == 1 and not found.lacking
    assert found.fitting == ("torque", "speed", "failure", "prediction", "positive")


def test_what_is_lacking_is_named_with_its_reason():
    found = contract_fit(need().contract, need(name="lathe", fields=OTHER).contract)
    assert found.fitting == ("Torque", "speed", "failure", "prediction", "positive")
    assert [(one.field, one.why.code) for one in found.lacking] == [("wear", "match.no_field")]
    assert found.share == pytest.approx(2 / 3)


def test_an_answer_without_columns_is_worth_nothing():
    beds = need(name="wards", fields=(("beds", "sc:Float", None), ("failure", "sc:Text", None)))
    found = contract_fit(need().contract, beds.contract)
    assert found.share == 0 and found.fitting == ("failure", "prediction", "positive")


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (("torque", "sc:Text", "Nm"), "match.other_type"),
        (("torque", "sc:Float", "kNm"), "match.other_unit"),
        (("torque", "sc:Float", "Ｎ ｍ"), None),
        (("torque", "sc:Float", None), None),
        (("TORQUE ", "sc:Integer", "Nm"), None),
    ],
)
def test_types_and_units(field, code):
    asked = need(fields=(field, ("speed", "sc:Integer", "rpm"), ("failure", "sc:Text", None)))
    lacking = contract_fit(asked.contract, need().contract).lacking
    assert [one.why.code for one in lacking] == ([code] if code else [])


def test_a_whole_number_serves_as_number_but_not_the_other_way():
    whole = (("a", "sc:Integer", None), ("failure", "sc:Text", None))
    real = (("a", "sc:Float", None), ("failure", "sc:Text", None))
    assert contract_fit(need(fields=whole).contract, need(fields=real).contract).share == 1
    assert contract_fit(need(fields=real).contract, need(fields=whole).contract).lacking[0].field == "a"


def test_other_answers_and_classes():
    made_for = need(prediction="probability", positive="defect").contract
    codes = {one.why.code for one in contract_fit(need().contract, made_for).lacking}
    assert codes == {"match.other_answer", "match.other_class"}


def test_signs_alone_are_names_too():
    odd = (("***", "sc:Float", None), ("---", "sc:Float", None), ("failure", "sc:Text", None))
    assert contract_fit(need(fields=odd).contract, need(fields=odd).contract).share == 1
