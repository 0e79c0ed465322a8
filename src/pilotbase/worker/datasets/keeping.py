"""Files of a dataset: kept at the base by its owner, taken and shown through the gate of its terms, erased.

The rows of a preview are read when a file is kept: directly on the owner's own command line; for a file sent to a hub,
in a box, by a worker, as its owner's own job. The process that shows them later parses nothing.

A set of many small files as one: one after the other in an uncompressed ZIP, by path and without times.

The same files give the same pack, and each part of it is a member.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pilotbase.data.terms.gate import permit, require_permitted
from pilotbase.documents.api.datasets import KeptTold, OwnFile, Preview, PreviewRows
from pilotbase.documents.dataset import Dataset, FileObject, FileSet
from pilotbase.documents.errors import InputError, RefusedError, offer
from pilotbase.documents.files import File, Part, whole
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes, digest_file, digest_json
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.terms import AccessGrant, Action, Channel, Purpose, Request
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.canaries import open_copy
from pilotbase.vault.dataset_files import (
    PIECE,
    KeptFile,
    erase_files,
    find_all_kept,
    find_kept,
    open_file,
    open_preview,
    seal_file,
)
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.datasets.committing import require_described
from pilotbase.worker.datasets.first_rows import MOST_ROWS, FirstRows, first_rows, is_table
from pilotbase.worker.datasets.label_rounds import erase_items_of
from pilotbase.worker.datasets.marking import asks_for_marks, draw_marks
from pilotbase.worker.datasets.owner_jobs import FileRefusal, order_preview, why_none
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Listing, require_listing
from pilotbase.workspace.plain_files import NotPlainError, files_in, opened_file
from pilotbase.workspace.store import View

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PIECE = 1 << 20


def files_of(dataset: Dataset) -> list[str]:
    """Return the names under which a description's files may be kept."""
    files = [one for one in dataset.distribution if isinstance(one, FileObject)]
    return sorted(
        {*(one.file_name for one in files), *(one.id for one in files), *map(_packed_name, _sets_of(dataset))}
    )


def set_in(view: View, listing: Listing, folder: Path) -> FileSet:
    """Return the file set of the description that a folder holds: the one with its name, or the only one.

    Raises:
        InputError: there is none, or it is ambiguous.
    """
    dataset = view.load(listing.digest, Dataset)
    sets, name = _sets_of(dataset), folder.resolve().name
    named = [one for one in sets if one.id in (name, f"{name}-images")]
    if not named and len(sets) != 1:
        allowed = offer(folder.name, [one.id for one in sets])
        raise InputError("dataset.no_such_file", dataset=listing.subject, found=folder.name, allowed=allowed)
    return (named or sets)[0]


def holds_images(files: FileSet) -> bool:
    """Return whether a set contains only images, so that its table is known."""
    return bool(files.encoding_format) and all(one.startswith("image/") for one in files.encoding_format)


def pack_set(folder: Path, files: FileSet, out: Path) -> Path:
    """Write the files of ``folder`` that a set includes to one file in ``out``, and return it.

    Raises:
        InputError: there is none; links and odd names, all at once; a file that changes meanwhile.
    """
    packed = out / _packed_name(files)
    names = list(_included(folder, files))
    if not names:
        raise InputError("dataset.empty_set", folder=folder, found=", ".join(files.includes))
    try:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for name in names:
                with opened_file(folder, name) as stream, archive.open(zipfile.ZipInfo(name, _EPOCH), "w") as member:
                    shutil.copyfileobj(stream, member, _PIECE)
    except NotPlainError as error:
        raise InputError("blobs.folder_changed", folder=folder) from error
    return packed


def unpack_set(packed: Path, folder: Path) -> Path:
    """Write the files of a pack made here to ``folder``, unchanged, and return it."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


def _sets_of(dataset: Dataset) -> tuple[FileSet, ...]:
    """Return the file sets of a description that are in no archive."""
    return tuple(one for one in dataset.distribution if isinstance(one, FileSet) and not one.contained_in)


def _packed_name(files: FileSet) -> str:
    """Return the name under which a set of files is kept."""
    return f"{files.id.replace('/', '-')}.zip"


def _included(folder: Path, files: FileSet) -> Iterator[str]:
    """Yield the paths below ``folder`` that a set includes; its globs may begin with the path to the folder."""
    way = f"{folder.resolve().name}/"
    includes, excludes = (
        [_glob(one.rpartition(way)[2]) for one in globs] for globs in (files.includes, files.excludes)
    )
    for name in files_in(folder):
        if any(one.fullmatch(name) for one in includes) and not any(one.fullmatch(name) for one in excludes):
            yield name


def _glob(pattern: str) -> re.Pattern[str]:
    """Return a glob as a pattern of paths: ``**/`` is any way, ``*`` and ``?`` stay within a name."""
    spelled = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(spelled.get(part, re.escape(part)) for part in parts))


def keep_files(base: Base, view: View, dataset: Subject, paths: Sequence[Path]) -> list[KeptTold]:
    """Keep files that the newest description of ``dataset`` names, sealed under its owner's key, and return them.

    A folder is kept as a set of files: packed, so that thousands of images are one file.

    Raises:
        InputError: the description names no such file, or gives it another hash; or it is a table that cannot be read.
        RefusedError: the actor is not the owner.
    """
    vault, listing = vault_of(base, view), _owned(view, dataset)
    for path in paths:
        if path.is_dir():
            set_in(view, listing, path)
            continue
        _require_named(view, listing, path.name)
        if not path.is_file():
            raise InputError("data.no_file", file=str(path))
        require_described(vault, view.load(listing.digest, Dataset), path.name, digest_file(path))
    return [_told((_keep_set if path.is_dir() else _keep)(base, listing, path)) for path in paths]


def keep_upload(base: Base, view: View, dataset: Subject, upload: str) -> KeptTold:
    """Keep a file that was sent in pieces, under its announced name; then erase the upload.

    Nothing reads it on the way; if it looks like a table, a worker makes its first rows in a box. Kept before under the
    same request, return the earlier result.

    Raises:
        NotFoundError: there is no such upload of the actor's organisation.
        InputError, RefusedError: as `keep_files`.
    """
    vault, known = vault_of(base, view), view.done(KeptFile)
    if known is not None:
        with suppress(NotFoundError):
            erase_upload(vault, upload)
        return _told(known)
    listing, sent = _owned(view, dataset), find_upload(vault, upload)
    _require_named(view, listing, sent.name)
    require_described(vault, view.load(listing.digest, Dataset), sent.name, sent.digest)
    kept = KeptFile(dataset=dataset, version=listing.digest, name=sent.name, size=sent.size, pieces=())
    made = seal_file(vault, kept, read_upload(vault, upload, ReaderGrant.of_owner(sent.owner)), None)
    erase_upload(vault, upload)
    if is_table(made.name):
        order_preview(view, made)
    return _told(made)


def kept_of(base: Base, view: View, dataset: Subject) -> list[KeptTold]:
    """Return the kept files of the newest version of a dataset; for closed data, only to its owner and the base.

    The numbers of bytes and rows of a closed file would reveal something about it.
    """
    listing = require_listing(view, dataset)
    own = view.actor.sees_all or view.actor.organisation == listing.owner
    closed = view.load(listing.digest, Dataset).opening is Opening.COMPUTE_TO_DATA
    return [_told(one) for one in _kept(base, listing)] if own or not closed else []


def own_files(base: Base, view: View, dataset: Subject) -> list[OwnFile]:
    """Return the kept files of every version of a dataset, to its owner and the operator.

    Raises:
        NotFoundError: no such dataset is seen.
        RefusedError: it is not the actor's.
    """
    listing = _owned(view, dataset)
    versions, newest = dict[Digest, str](), {one.digest() for one in _kept(base, listing)}
    found = []
    for kept in find_all_kept(base.lab.vault, dataset):
        if kept.version not in versions:
            versions[kept.version] = view.load(kept.version, Dataset).version
        told = {"version": versions[kept.version], "newest": kept.digest() in newest}
        found.append(OwnFile(**_told(kept).model_dump(), **told))
    return found


def erase_kept(base: Base, view: View, dataset: Subject, name: str | None = None) -> int:
    """Erase files of every version of a dataset, those called ``name`` or all, and return how many there were.

    What was sealed of them for labellers is erased too.

    Raises:
        NotFoundError: no such dataset is seen, or no file of that name is kept.
        RefusedError: it is not the actor's.
    """
    _owned(view, dataset)
    count = erase_files(vault_of(base, view), dataset, name)
    erase_items_of(base, dataset, name)
    if name is not None and not count:
        raise NotFoundError("dataset.file_not_kept", dataset=dataset, found=name)
    return count


def take_file(
    base: Base, view: View, dataset: Subject, name: str, purpose: str = Purpose.VERIFICATION, asked_for: Part = whole
) -> File:
    """Return a file of a dataset, or a part of it, to an actor who may take it, counted as one use of this version.

    Fetched again, for the same purpose and under the same agreement, it is the same use, in any number of parts; every
    opening is logged. ``asked_for`` returns the requested part once the file's length and the name of its bytes are
    known.

    Raises:
        NotFoundError: no such dataset is seen, or no such file is kept.
        RefusedError: the terms do not permit it, with every reason; while iterating: they no longer do. Or an owner
            requests closed data from a hub; those are opened at the base's machine only.
    """
    listing = require_listing(view, dataset)
    asked = _request(view, dataset, (Action.USE, Channel.DOWNLOAD), purpose)
    require_permitted(view, asked)
    kept = next((one for one in _kept(base, listing) if one.name == name), None)
    if kept is None:
        raise NotFoundError("dataset.file_not_kept", dataset=dataset, found=name)
    _require_open_here(view, listing)
    in_parts = kept.piece_size is not None and kept.marks is None
    part = asked_for(kept.size, kept.tag) if in_parts else None
    leave = _permitted(view, asked.model_copy(update={"rows": kept.rows}), kept)
    if kept.marks is not None and Action.WATERMARK in leave.duties:
        copy = open_copy(base.lab.vault, kept, leave, asked.by)
        return File(kept.name, copy.size, copy.pieces, None, digest_json([kept.tag, asked.by]), in_parts)
    return File(kept.name, kept.size, open_file(base.lab.vault, kept, leave, part), part, kept.tag, in_parts)


def preview_of(base: Base, view: View, dataset: Subject, purpose: str = Purpose.VERIFICATION) -> Preview:
    """Return the first rows of a dataset's first kept table, to an actor who may see them, counted as in `take_file`.

    Raises:
        NotFoundError: no such dataset is seen, or no table of it is kept.
        RefusedError: the terms do not permit it, with every reason.
    """
    listing = require_listing(view, dataset)
    asked = _request(view, dataset, (Action.DISPLAY, Channel.PREVIEW), purpose)
    require_permitted(view, asked)
    kept = next((one for one in _kept(base, listing) if one.preview is not None), None)
    if kept is None:
        raise NotFoundError("dataset.no_preview", dataset=dataset)
    _require_open_here(view, listing)
    leave = _permitted(view, asked.model_copy(update={"rows": min(MOST_ROWS, kept.rows or 0)}), kept)
    opened = open_preview(base.lab.vault, kept, leave)
    assert opened is not None
    rows = PreviewRows.model_validate_json(opened)
    return Preview(dataset=dataset, file=kept.name, rows_in_all=kept.rows or 0, **rows.model_dump())


def _require_open_here(view: View, listing: Listing) -> None:
    """Return unless a person requests their own closed data from a hub: the process that serves pages opens none."""
    closed = view.load(listing.digest, Dataset).opening is Opening.COMPUTE_TO_DATA
    if closed and view.actor.person is not None:
        raise RefusedError("dataset.closed_on_hub", dataset=listing.subject)


def _request(view: View, dataset: Subject, way: tuple[Action, Channel], purpose: str) -> Request:
    by = view.actor.organisation
    if not by:
        raise RefusedError("workspace.not_yours", organisation="–", owner=name_of(dataset))
    return Request(target=dataset, action=way[0], by=by, purpose=purpose, recipient=by, channel=way[1], rows=0)


def _permitted(view: View, asked: Request, kept: KeptFile) -> AccessGrant:
    named = [asked.by, asked.action, asked.purpose or "", kept.version, kept.name, asked.rows]
    return permit(view, asked, digest_bytes(canonical_json(named)))


def why_no_previews(base: Base, view: View, dataset: Subject) -> dict[str, FileRefusal]:
    """Return file → why it has no first rows, for the actor's own dataset; raises `RefusedError` for others'."""
    bare = [kept for kept in find_all_kept(base.lab.vault, dataset) if kept.preview is None]
    found = {kept.name: why_none(base, view, kept) for kept in bare}
    return {name: refusal for name, refusal in found.items() if refusal is not None}


def _keep_set(base: Base, listing: Listing, folder: Path) -> KeptFile:
    files = set_in(base.lab.view, listing, folder)
    with tempfile.TemporaryDirectory() as scratch:
        packed = pack_set(folder, files, Path(scratch))
        found = first_rows(unpack_set(packed, Path(scratch, folder.resolve().name))) if holds_images(files) else None
        return _keep(base, listing, packed, found)


def _keep(base: Base, listing: Listing, path: Path, packed: FirstRows | None = None) -> KeptFile:
    found = packed or first_rows(path)
    kept = KeptFile(
        dataset=listing.subject,
        version=listing.digest,
        name=path.name,
        size=path.stat().st_size,
        rows=found.rows if found is not None else None,
        pieces=(),
    )
    preview = None if found is None else found.shown.model_dump_json().encode()
    marks = draw_marks(path) if asks_for_marks(base.lab.view.load(listing.digest, Dataset)) else None
    sealed = None if marks is None else marks.model_dump_json().encode()
    return seal_file(base.lab.vault, kept, _read(path), preview, sealed)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _kept(base: Base, listing: Listing) -> list[KeptFile]:
    return find_kept(base.lab.vault, listing.subject, listing.digest)


def _owned(view: View, dataset: Subject) -> Listing:
    listing = require_listing(view, dataset)
    view.actor.require_writes_for(listing.owner)
    return listing


def _require_named(view: View, listing: Listing, name: str) -> None:
    """Return if the description names such a file; raises `InputError`."""
    named = files_of(view.load(listing.digest, Dataset))
    if name not in named:
        raise InputError("dataset.no_such_file", dataset=listing.subject, found=name, allowed=offer(name, named))


def _told(kept: KeptFile) -> KeptTold:
    told = {"previewed": kept.preview is not None, "marked": kept.marks is not None}
    return KeptTold(name=kept.name, size=kept.size, rows=kept.rows, **told)
