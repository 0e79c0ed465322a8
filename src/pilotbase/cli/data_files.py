"""``pilotbase data``: files of a dataset, kept at the base, fetched through the gate, known again where they leak."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.data_terms import description_of
from pilotbase.cli.framework.declared import call, calls
from pilotbase.cli.framework.driving import build_request, hub, is_remote, named, open_base, remote
from pilotbase.cli.framework.terminal import AsJson, answer, command, each, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import text
from pilotbase.operations import datasets
from pilotbase.protocols.guarded_http import NoAnswerError
from pilotbase.protocols.hub_requests import FilePart, PartialDownload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilotbase.documents.api.datasets import KeptTold, Preview
    from pilotbase.vault.canaries import Sighting


@remote
def keep(dataset: str, files: list[Path], salt: Path | None = None, as_json: AsJson = False) -> None:
    """Store files of a dataset at the base, encrypted for its owner, so that others can fetch them on its terms."""
    for path in files:
        if not path.exists():
            raise InputError("data.no_file", file=str(path))
    if salt is not None:
        _require_committed(subject_written("dataset", dataset), files, salt)
    answer(_sent(dataset, files) if is_remote() else _kept_here(dataset, files), as_json, each(_print))


@remote
def fetch(
    dataset: str,
    file: Annotated[str, typer.Argument()] = "",
    out: Path = Path(),
    purpose: str = "pb:verification",
    organisation: str = "",
) -> None:
    """Fetch files of a dataset that your organisation may download; this counts as a use."""
    from pilotbase.cli.data_files import write_parts

    which = named(dataset)
    kept = calls(organisation).call(datasets.FILES, build_request(datasets.OfDataset, **which)) if not file else []
    names = [file] if file else [one.name for one in kept]
    if not names:
        raise InputError("dataset.no_files", dataset=subject_written("dataset", dataset))
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = out / Path(name).name
        write_parts(target, _parts(build_request(datasets.FileFor, **which, file=name, purpose=purpose), organisation))
        say(text("preview.fetched", file=target))


@remote
def erase(dataset: str, file: Annotated[str, typer.Argument()] = "", yes: bool = False) -> None:
    """Erase the stored files of all versions of your dataset. The versions and their uses stay on record."""
    if yes:
        which = named(dataset)
        found = call(datasets.ERASE_FILE, **which, file=file) if file else call(datasets.ERASE_FILES, **which)
        say(text("preview.erased_of", dataset=subject_written("dataset", dataset), count=found.erased))
    else:
        say(text("preview.erase_warning"))
        say(text("preview.erase_unconfirmed"))


@remote
def preview(dataset: str, purpose: str = "pb:verification", organisation: str = "", as_json: AsJson = False) -> None:
    """Show the first rows of a dataset that your organisation may see; they are not a random sample."""
    wanted = build_request(datasets.DatasetFor, **named(dataset), purpose=purpose)
    answer(calls(organisation).call(datasets.PREVIEW, wanted), as_json, _print_preview)


def _print_preview(found: Preview) -> None:
    widths = {"columns": len(found.columns), "columns_in_all": found.columns_in_all}
    say(text("preview.partial", shown=len(found.cells), rows=found.rows_in_all, **widths))
    for row in (found.columns, *found.cells):
        typer.echo(" | ".join(cell.replace("\n", " ").replace("\t", " ") for cell in row))


@command
def canaries(suspected: Path, dataset: str, as_json: AsJson = False) -> None:
    """Search a suspicious file for the made-up rows of your dataset's copies, and show whose copy it is."""
    from pilotbase.worker.datasets.marking import look_for_canaries

    if not suspected.is_file():
        raise InputError("data.no_file", file=str(suspected))
    base, subject = open_base(create=True), subject_written("dataset", dataset)
    found = look_for_canaries(base, base.lab.view, subject, suspected)
    answer([asdict(one) for one in found], as_json, lambda _: each(_print_sighting)(found))


def _kept_here(dataset: str, files: list[Path]) -> list[KeptTold]:
    from pilotbase.worker.datasets.keeping import keep_files

    base = open_base(create=True)
    return keep_files(base, base.lab.view, subject_written("dataset", dataset), files)


def _sent(dataset: str, files: list[Path]) -> list[KeptTold]:
    """Send files to store; a worker prepares the first rows of tables in a box."""
    kept = []
    for path in files:
        if not path.is_file():
            raise InputError("dataset.folder_of_hub", folder=path)
        with path.open("rb") as content:
            upload = hub().upload(path.name, content)
        kept.append(call(datasets.KEEP, **named(dataset), upload=upload.identity))
    return kept


def _parts(wanted: datasets.FileFor, organisation: str) -> Callable[[PartialDownload | None], Iterator[FilePart]]:
    """Return what yields a file: from a hub in parts, here from its beginning."""
    from pilotbase.protocols.hub_requests import FilePart, parts_of

    if is_remote():
        return partial(parts_of, hub().requests, wanted)

    def pieces(begun: PartialDownload | None) -> Iterator[FilePart]:
        at = 0
        for piece in calls(organisation).call(datasets.TAKE, wanted).pieces:
            yield FilePart(at, "", piece)
            at += len(piece)

    return pieces


def _require_committed(subject: str, files: list[Path], salt: Path) -> None:
    """Return if the files are those to which the newest description commits; their secret goes nowhere."""
    from pilotbase.data.commitments import read_secret, require_same_bytes
    from pilotbase.documents.hashes import digest_file

    secret, dataset = read_secret(salt), description_of(subject)
    for path in files:
        if path.is_file():
            require_same_bytes(dataset, path.name, digest_file(path), secret)


def _print(one: KeptTold) -> None:
    rows = "–" if one.rows is None else str(one.rows)
    say(text("preview.kept", file=one.name, size=one.size, rows=rows))
    if one.marked:
        say(text("canary.marked", file=one.name))


def _print_sighting(one: Sighting) -> None:
    counted = {"found": one.found, "canaries": one.canaries, "rows": one.rows, "chance": f"{one.chance:.1g}"}
    say(text("canary.sighting", file=one.file, version=hex_of(one.version)[:12], **counted))
    for copy in one.copies:
        said = {"organisation": copy.organisation, "found": copy.found, "given": copy.given}
        say(text("canary.copy", chance=f"{copy.chance:.1g}", **said))
    if not one.copies:
        say(text("canary.nobody"))


def write_parts(target: Path, parts: Callable[[PartialDownload | None], Iterable[FilePart]]) -> None:
    """Write a file whole; what an outage cuts off is gone on with, what a refusal does leaves nothing behind."""
    draft, named = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.tag")
    begun = PartialDownload(draft.stat().st_size, named.read_text()) if draft.is_file() and named.is_file() else None
    try:
        with draft.open("r+b" if begun is not None else "wb") as stream:
            for part in parts(begun):
                stream.seek(part.start)
                stream.truncate()
                stream.write(part.content)
                stream.flush()
                if part.tag:
                    named.write_text(part.tag)
        draft.replace(target)
    except (NoAnswerError, KeyboardInterrupt):
        if not named.is_file():
            draft.unlink(missing_ok=True)
        raise
    except BaseException:
        draft.unlink(missing_ok=True)
        named.unlink(missing_ok=True)
        raise
    named.unlink(missing_ok=True)
