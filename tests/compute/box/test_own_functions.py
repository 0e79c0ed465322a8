"""Functions of ours in a box: what they return is taken only as far as it fits, what breaks them is told as that."""

import pydantic
import pytest

from pilotbase.compute.box.own_functions import BoxedCall, call_in_box
from pilotbase.documents.errors import InputError


class Counted(pydantic.BaseModel):
    rows: int


def call(folder, function, given):
    folder.mkdir(exist_ok=True)
    return call_in_box(BoxedCall(function, folder, given, InputError("data.no_file", file="pumps.csv")), Counted)


def test_what_fits_is_returned_and_what_does_not_is_the_files_fault(tmp_path):
    assert call(tmp_path / "files", "builtins:dict", {"rows": 3}) == Counted(rows=3)
    for function, given in (("builtins:list", {"rows": 3}), ("sys:exit", {})):
        with pytest.raises(InputError) as error:
            call(tmp_path / "files", function, given)
        assert (error.value.code, error.value.text.params) == ("data.no_file", {"file": "pumps.csv"})
