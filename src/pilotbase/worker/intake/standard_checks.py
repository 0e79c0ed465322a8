"""Standards: profiles by name or file, and checks that a person runs on files and answers; each check leaves a record.

The files may come from anywhere: a box reads them, all of one check at once.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from pilotbase.documents.errors import InputError
from pilotbase.documents.files import reading, write_whole
from pilotbase.documents.standards import CheckedFile, StandardCheck, StandardProfile
from pilotbase.sandbox.box.own_functions import BoxedCall, call_in_box
from pilotbase.standards import in_box
from pilotbase.standards.ai_labels.checking import KINDS, LARGEST_FILE, files_of, record_of
from pilotbase.standards.composing import packaged_profiles, read_profile
from pilotbase.trial.lab import SOFTWARE
from pilotbase.trial.standards import check_profile, find_profile, own_profiles
from pilotbase.worker.base import base_if_any
from pilotbase.workspace.store import utc_now

Found = TypeVar("Found", bound=pydantic.BaseModel)


class _Looked(pydantic.BaseModel):
    files: tuple[CheckedFile, ...]


def known_profiles() -> list[StandardProfile]:
    """Return the profiles of the software, then the base's own if there is a base."""
    base = base_if_any()
    return [*packaged_profiles().values(), *(own_profiles(base.lab.view) if base is not None else [])]


def checked_profile(which: str) -> StandardProfile:
    """Return the profile of that name or in that file, with everything that it names known; raises `InputError`."""
    base = base_if_any()
    view = base.lab.view if base is not None else None
    profile = read_profile(Path(which)) if Path(which).is_file() else find_profile(view, which)
    check_profile(profile, lambda name: profile if name == profile.name else find_profile(view, name))
    return profile


def check_labels(paths: Sequence[Path]) -> tuple[list[CheckedFile], list[StandardCheck]]:
    """Return the labels that files and folders carry, and a record of each check that concerns any of them.

    Raises:
        InputError: there is no such file, it cannot be opened, or there are too many or too large ones.
        RefusedError: this host gives no box.
    """
    named, now = files_of(paths), utc_now()
    looked = _asked_in_box("look_for_labels", [path for _, path in named], {}, _Looked)
    if len(looked.files) != len(named):
        raise _broken([path for _, path in named])
    files = [one.model_copy(update={"name": name}) for one, (name, _) in zip(looked.files, named, strict=True)]
    records = [record_of(kind, files, now, SOFTWARE) for kind in KINDS]
    return files, [record for record in records if record is not None]


def check_answers_for_keywords(answers: Path, words: Path, column: str) -> StandardCheck:
    """Return the record of a search for keywords; raises as `check_keywords`, and if this host gives no box."""
    return _asked_in_box("search_for_keywords", [answers, words], {"column": column, **_signed()}, StandardCheck)


def check_two_reviewers(reviews: Path) -> StandardCheck:
    """Return the record of what two reviewers said; raises as `check_reviews`, and if this host gives no box."""
    return _asked_in_box("compare_reviewers", [reviews], _signed(), StandardCheck)


def write_record(file: Path, record: StandardCheck) -> None:
    """Write a record as readable JSON, its folder with it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(record.to_json_value(), ensure_ascii=False, indent=1))


def _signed() -> dict[str, str]:
    return {"at": utc_now().isoformat(), "software": SOFTWARE}


def _asked_in_box(function: str, paths: Sequence[Path], given: dict[str, Any], model: type[Found]) -> Found:
    """Return the result of a function of `standards.in_box` for copies of ``paths``."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "files"
        folder.mkdir()
        copies = [_copied(path, folder) for path in paths]
        call = BoxedCall(f"{in_box.__name__}:{function}", folder, {"files": copies, **given}, _broken(paths))
        return call_in_box(call, model)


def _copied(path: Path, folder: Path) -> str:
    """Copy a file and return the copy's name: the box may read the copy, whatever the file's own permissions."""
    name = uuid.uuid4().hex if (folder / path.name).exists() else path.name
    with reading(path):
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("input.file_too_large", file=path, limit=LARGEST_FILE)
        shutil.copyfile(path, folder / name)
    return name


def _broken(paths: Sequence[Path]) -> InputError:
    return InputError("standard.box_broken", files=", ".join(path.name for path in paths[:5]))
