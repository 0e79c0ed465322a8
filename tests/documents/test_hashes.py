import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json, digest_bytes, hex_of


@pytest.mark.parametrize("number", [2**53, -(2**60), float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_exactly_is_told(number):
    with pytest.raises(InputError) as told:
        canonical_json({"seconds": [number]})
    assert told.value.code == "input.number_out_of_range" and "2^53" in told.value.render("en")


def test_a_digest_is_named_by_its_hex_digits_in_files_and_addresses():
    digest = digest_bytes(b"abc")
    assert f"sha256:{hex_of(digest)}" == digest
    assert hex_of(hex_of(digest)) == hex_of(digest)
