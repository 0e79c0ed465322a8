"""Intake of an application: its folder read, its manifest checked, an immutable copy kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.folders import FolderTree, read_tree, store_tree
from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.loading import load_document
from pilotbase.documents.texts import text

MANIFEST = "application.yaml"
MAXIMUM_LOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Submission:
    """An application as it was submitted: manifest, files, and where they lie."""

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
        """Return the locked requirements as they were submitted; empty where the application needs none."""
        path = self.folder / self.application.requirements
        return path.read_bytes() if path.is_file() and path.stat().st_size <= MAXIMUM_LOCK_BYTES else b""


def read_application(folder: Path) -> Submission:
    """Return the submission in ``folder``.

    Raises:
        InputError: no folder, links or odd files, a wrong manifest, or no entry point, all problems of a file at once.
    """
    tree = read_tree(folder)
    application = load_document(Application, folder / MANIFEST)
    _check_entry_point(application, folder)
    return Submission(application, tree)


def store_application(submission: Submission, store: Path) -> Submission:
    """Return the submission over its immutable copy under ``store``."""
    folder = store_tree(submission.tree, store)
    return Submission(submission.application, FolderTree(folder, submission.tree.files))


def _check_entry_point(application: Application, folder: Path) -> None:
    """See that the entry point's file exists and names the function; only a box ever parses it."""
    module, _, function = application.entry_point.partition(":")
    candidates = [folder / f"{module.replace('.', '/')}.py", folder / module.replace(".", "/") / "__init__.py"]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        problem = text("catalogue.no_module", module=module, file=candidates[0].relative_to(folder))
    elif not re.search(rf"\b{function}\b", path.read_text("utf-8", errors="replace")):
        problem = text("catalogue.no_function", function=function, file=path.relative_to(folder))
    else:
        return
    manifest = str(folder / MANIFEST)
    raise InputError.from_issues(manifest, [Issue(file=manifest, path="entry_point", problem=problem)])
