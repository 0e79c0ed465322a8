"""Intake of an application: reads its folder, checks its manifest, keeps an immutable copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pilotbase.catalogue.folders import FolderTree, read_tree, store_tree
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, WITH_CODE, Application
from pilotbase.documents.errors import InputError, InvalidProofError, Issue
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.loading import build_document
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import MAXIMUM_BYTES, parse_yaml
from pilotbase.workspace.plain_files import NotPlainError, read_at_most

MANIFEST = "application.yaml"
MAXIMUM_LOCK_BYTES = 4 << 20
_POINTER, _MOST_POINTER = b"version https://git-lfs.github.com/spec/", 1024
MAXIMUM_SEARCHED = 1 << 20
"""How much of the entry point's file is searched for the function's name; for larger files a box finds out."""


@dataclass(frozen=True)
class Submission:
    """An application as submitted: manifest, files, and where they are."""

    application: Application
    tree: FolderTree

    @property
    def digest(self) -> str:
        return self.tree.digest

    @property
    def folder(self) -> Path:
        return self.tree.folder

    @property
    def lock(self) -> bytes:
        """Return the locked requirements as submitted, empty if the application needs none.

        Raises:
            InputError: the file no longer matches the tree's digest.
        """
        file = self.tree.file(self.application.requirements)
        if file is None:
            return b""
        content = _read(self.folder, file.path, MAXIMUM_LOCK_BYTES + 1)
        if file.size <= MAXIMUM_LOCK_BYTES and digest_bytes(content) != file.digest:
            raise InputError("catalogue.folder_changed", folder=self.folder)
        return content


def read_application(folder: Path) -> Submission:
    """Return the submission in ``folder``.

    Raises:
        InputError: no folder, links or odd files, a wrong manifest, no entry point, model or program, or requirements
            that are not a file of the folder; all problems of a file at once.
    """
    tree = read_tree(folder)
    manifest = str(folder / MANIFEST)
    if tree.file(MANIFEST) is None:
        raise InputError("catalogue.no_manifest", folder=folder, file=MANIFEST)
    application = build_document(Application, parse_yaml(_read(folder, MANIFEST, MAXIMUM_BYTES + 1), manifest))
    found = {**_form_problem(application, tree), "requirements": _lock_problem(application, tree)}
    issues = [Issue(file=manifest, path=path, problem=problem) for path, problem in found.items() if problem]
    issues += _pointers(tree)
    if issues:
        raise InputError.from_issues(manifest, issues)
    return Submission(application, tree)


def read_delivered(folder: Path) -> Submission:
    """Return the submission in a folder that is checked against a certificate.

    Raises:
        InvalidProofError: the folder holds what its digest does not cover (caches, version control, empty folders),
            which the certified code may run or read.
        InputError: as `read_application`.
    """
    submission = read_application(folder)
    uncovered = submission.tree.uncovered
    if uncovered:
        more = ", …" if len(uncovered) > 5 else ""
        raise InvalidProofError("catalogue.uncovered", folder=folder, found=", ".join(uncovered[:5]) + more)
    return submission


def store_application(submission: Submission, store: Path) -> Submission:
    """Return the submission with its files in an immutable copy under ``store``."""
    folder = store_tree(submission.tree, store)
    return Submission(submission.application, replace(submission.tree, folder=folder, uncovered=()))


def _read(folder: Path, name: str, limit: int) -> bytes:
    try:
        return read_at_most(folder, name, limit)
    except NotPlainError:
        raise InputError("catalogue.folder_changed", folder=folder) from None


def _pointers(tree: FolderTree) -> Iterator[Issue]:
    """Yield a problem for each file that only names another one in a large file storage."""
    for file in tree.files:
        if file.size <= _MOST_POINTER and _read(tree.folder, file.path, _MOST_POINTER).startswith(_POINTER):
            problem = text("catalogue.pointer")
            yield Issue(file=str(tree.folder), path=file.path, problem=problem, hint=problem.hint)


def _form_problem(application: Application, tree: FolderTree) -> dict[str, Text | None]:
    """Check that the folder has what its runtime loads; only a box ever parses it. An endpoint loads nothing of it."""
    if application.endpoint is not None:
        return {}
    if application.image is not None:
        missing = tree.file(application.image) is None
        return {"image": text("catalogue.no_image", file=application.image) if missing else None}
    if application.command is not None:
        return {"command": _program_problem(application.command, tree)}
    if application.model is not None:
        missing = tree.file(application.model) is None
        return {"model": text("catalogue.no_model", file=application.model) if missing else None}
    return {"entry_point": _entry_point_problem(application, tree)}


def _program_problem(command: tuple[str, ...], tree: FolderTree) -> Text | None:
    """Check that the program is a file of the folder; after ``python``, the script is, or a module's name follows."""
    place, *arguments = command
    if place == "python":
        place = next(iter(arguments), place)
        if place.startswith("-"):
            return None
    return None if tree.file(place.removeprefix("./")) is not None else text("catalogue.no_program", file=place)


def _entry_point_problem(application: Application, tree: FolderTree) -> Text | None:
    """Check that the entry point's file exists and names the function; only a box ever parses it."""
    module, _, function = application.form.entry_point.partition(":")
    place = module.replace(".", "/")
    candidates = (f"{place}.py", f"{place}/__init__.py")
    file = next((found for found in map(tree.file, candidates) if found is not None), None)
    if file is None:
        return text("catalogue.no_module", module=module, file=candidates[0])
    searched = _read(tree.folder, file.path, MAXIMUM_SEARCHED).decode("utf-8", errors="replace")
    if file.size > MAXIMUM_SEARCHED or re.search(rf"\b{function}\b", searched):
        return None
    return text("catalogue.no_function", function=function, file=file.path)


def _lock_problem(application: Application, tree: FolderTree) -> Text | None:
    path = application.requirements
    if application.runtime not in WITH_CODE:
        file = tree.file(path)
        useless = file is not None and file.size > 0
        return text("catalogue.no_lock_here", file=path, runtime=application.runtime) if useless else None
    if path == DEFAULT_REQUIREMENTS or tree.file(path) is not None:
        return None
    return text("catalogue.no_lock", file=path)
