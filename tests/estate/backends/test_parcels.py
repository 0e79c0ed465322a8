"""Parcels: the same files wherever they stand, refused when changed, opened where nobody else can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase_estate.backends.parcels import ParcelHost, pack, parcel_name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    (made / "part").mkdir(parents=True)
    (made / "main.py").write_text("print('here')\n")
    (made / "part" / "leer.py").write_text("")
    return made


@pytest.fixture
def host(tmp_path: Path) -> ParcelHost:
    return ParcelHost(str(tmp_path))


def test_a_parcel_stands_under_its_name_with_all_its_files(host: ParcelHost, folder: Path) -> None:
    name = parcel_name(folder)
    assert host.lacks([name]) == [name]
    host.take(name, pack(folder))
    host.take(name, pack(folder))
    assert host.lacks([name]) == []
    assert (host.parcel(name) / "main.py").read_text() == "print('here')\n"
    assert parcel_name(host.parcel(name)) == name
    assert [place.name for place in (host.place / "parcels").iterdir()] == [name], "nothing is left of the way there"


def test_a_parcel_of_other_files_than_its_name_says_is_refused(host: ParcelHost, folder: Path) -> None:
    name = parcel_name(folder)
    (folder / "main.py").write_text("print('elsewhere')\n")
    with pytest.raises(InvalidProofError):
        host.take(name, pack(folder))
    assert host.lacks([name]) == [name]


def test_a_folder_with_links_is_not_packed(folder: Path) -> None:
    (folder / "way").symlink_to("/etc")
    with pytest.raises(InputError):
        pack(folder)


def test_a_place_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / f"pilotbase-node-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(PilotbaseError, match="other users can write"):
        ParcelHost(str(tmp_path))
    place.rmdir()
    place.symlink_to(tmp_path)
    with pytest.raises(PilotbaseError, match="other users can write"):
        ParcelHost(str(tmp_path))
