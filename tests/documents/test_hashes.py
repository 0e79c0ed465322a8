import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json


@pytest.mark.parametrize("number", [2**53, -(2**60), float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_exactly_is_told(number):
    with pytest.raises(InputError) as told:
        canonical_json({"seconds": [number]})
    assert told.value.code == "input.number_out_of_range" and "2^53" in told.value.render("en")
