"""Functions of ours in a box: what they return is taken only as far as it fits, what breaks them is told as that."""

from importlib.metadata import PathDistribution

import pydantic
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.sandbox.box.own_functions import BoxedCall, _places, call_in_box, package_mounts


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


def test_a_box_of_ours_holds_what_reads_tables_and_nothing_of_servers():
    """A box empties the host's cache of all that it could read, so what it holds is what every start pays for."""
    held = {mount.target.name for mount in package_mounts()}
    assert {"pilotbase", "polars", "numpy", "scipy", "pydantic_core"} <= held
    assert not held & {"django", "allauth", "ray", "sklearn", "uvicorn"}
    assert all(not mount.writable for mount in package_mounts())


def test_a_distribution_without_a_list_of_its_files_gives_its_whole_folder(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain.py").touch()
    (tmp_path / "plain-1.egg-info").mkdir()
    assert _places(PathDistribution(tmp_path / "plain-1.egg-info")) == set(tmp_path.iterdir())
