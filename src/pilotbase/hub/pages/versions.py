"""A version of a record, and how it differs from the one before: fields, and files of an application."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.catalogue.subjects import subject_of as subject_of_part
from pilotbase.documents.base import Document
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.record import ApplicationVersion, Record
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.pages.demands import laid_out
from pilotbase.hub.pages.record_contents import contents
from pilotbase.hub.presenters.addresses import record_crumbs, subject_of
from pilotbase.hub.presenters.records import SHOWN, see
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.worker.mission import version_numbers
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_VERSIONED = frozenset({"demand", "scenario", "application-version", "dataset"})
_MOST_FIELDS, _MOST_FILES, _MOST_LINES = 60, 60, 200
_LONGEST, _SMALL, _COMPARED = 300, 64 << 10, 256 << 20
"""Characters of a value; bytes of a text that is shown line by line, and of all files that are compared."""


@dataclass(frozen=True)
class FieldChange:
    """A field by its path, with its values before and after; empty if there was or is none."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class FileChange:
    """A file that was added, removed or changed; ``lines``: what changed in a small text."""

    path: str
    kind: str
    """``added``, ``removed``, ``changed`` or ``unknown``: too large to compare here; names: ``hub.change.<kind>``."""
    lines: tuple[tuple[str, str], ...] = ()
    """Each with ``+``, ``-``, ``@`` or a space before it."""


@dataclass(frozen=True)
class VersionChanges:
    """How a version differs from the one before; ``more``: the number of changes that are not listed."""

    before: int
    fields: tuple[FieldChange, ...]
    files: tuple[FileChange, ...]
    more: int = 0


@page("<section:section>/<name:name>/versions/<digits:digest>/", "record-version", EVERYBODY)
def version(request: HubRequest, section: str, name: str, digest: str) -> HttpResponse:
    """Show one version of a demand, a scenario, an application or a dataset."""
    view = request.acting.view
    seen = see(view, subject_of(section, name))
    stored = view.get(digest_of(digest))
    document = stored.load(SHOWN[stored.kind]) if stored and stored.kind in _VERSIONED else None
    if stored is None or document is None or subject_of_part(document) != seen.subject:
        raise NotFoundError("hub.not_found")
    title, crumbs = text("hub.version_title", digest=digest[:12]), record_crumbs(seen.subject, seen.title)
    shown = {"title": title, "crumbs": crumbs, "digest": stored.digest, "stored": stored, "quality": None}
    changes = changes_of(view, seen.record, stored.digest, document)
    laid = {**contents(view, document, None), **laid_out(view, document)}
    return render(request, "hub/version.html", {**laid, **shown, "changes": changes})


def changes_of(view: View, record: Record | None, digest: str, document: Document) -> VersionChanges | None:
    """Return how a version differs from the one before; None if it is the first, or the actor doesn't see that one.

    Only people of its supplier see the files and the folder of an application.
    """
    numbers = version_numbers(record) if record is not None else {}
    earlier = next((one for one, number in numbers.items() if number == numbers.get(digest, 0) - 1), None)
    stored = view.get(earlier) if earlier is not None else None
    if earlier is None or stored is None:
        return None
    before = stored.load(type(document))
    fields = list(_fields(dict(_leaves(before.to_json_value())), dict(_leaves(document.to_json_value()))))
    files: list[FileChange] = []
    if isinstance(document, ApplicationVersion) and isinstance(before, ApplicationVersion):
        fields = [replace(one, path=one.path.removeprefix("application.")) for one in fields if one.path != "folder"]
        if document.application.supplier.organisation == view.actor.organisation:
            kept = base().lab.application_folder
            files = list(_files(kept(before.folder), kept(document.folder)))
    more = max(0, len(fields) - _MOST_FIELDS) + max(0, len(files) - _MOST_FILES)
    return VersionChanges(numbers[earlier], tuple(fields[:_MOST_FIELDS]), tuple(files[:_MOST_FILES]), more)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path → value of everything in a document that holds nothing else."""
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield from _leaves(held, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, held in enumerate(value):
            yield from _leaves(held, f"{path}[{place}]")
    elif value is not None:
        yield path, make_visible(str(value))[:_LONGEST]


def _fields(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FieldChange]:
    for path in dict.fromkeys((*after, *before)):
        was, now = before.get(path, ""), after.get(path, "")
        if was != now:
            yield FieldChange(make_visible(path), was, now)


def _files(before: Path, after: Path) -> Iterator[FileChange]:
    """Yield the files that differ between two folders as they are kept; nothing where one is no longer there."""
    if not (before.is_dir() and after.is_dir()):
        return
    was, now = _listed(before), _listed(after)
    bounded = sum(now.values()) <= _COMPARED
    for path in sorted(was.keys() | now.keys()):
        if path not in was or path not in now:
            yield FileChange(make_visible(path), "added" if path in now else "removed")
        elif was[path] == now[path] and not bounded:
            yield FileChange(make_visible(path), "unknown")
        elif was[path] != now[path] or not filecmp.cmp(before / path, after / path, shallow=False):
            yield FileChange(make_visible(path), "changed", tuple(_lines(before / path, after / path)))


def _listed(folder: Path) -> dict[str, int]:
    """Return path → bytes of every file."""
    found = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return {file.relative_to(folder).as_posix(): file.stat().st_size for file in found}


def _lines(before: Path, after: Path) -> Iterator[tuple[str, str]]:
    """Yield the changed lines of a small text with three around them; nothing of anything else."""
    if max(before.stat().st_size, after.stat().st_size) > _SMALL:
        return
    try:
        was, now = (path.read_text("utf-8").splitlines() for path in (before, after))
    except UnicodeDecodeError:
        return
    for line in islice(unified_diff(was, now, lineterm="", n=3), 2, 2 + _MOST_LINES):
        yield line[:1], make_visible(line[1:])[:_LONGEST]
