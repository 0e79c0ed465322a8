"""``pilotbase data``: files of a dataset kept at the base by its owner, fetched and shown through the gate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.data_catalogue import AsJson, datasets_at
from pilotbase.cli.data_terms import terms_at
from pilotbase.cli.edge.driving import remote
from pilotbase.cli.edge.terminal import print_json, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.documents.api.datasets import KeptTold

Named = Annotated[str, typer.Argument(help="The dataset, such as plant/milling.")]
For = Annotated[str, typer.Option("--purpose", help="For what it is used, such as pb:verification.")]
Organisation = Annotated[str, typer.Option(help="In a home: the organisation that asks; on a hub the token says who.")]


@remote
def keep(
    dataset: Named,
    files: Annotated[
        list[Path], typer.Argument(help="Files that the dataset's description names, or the folder of a set.")
    ],
    salt: Annotated[
        Path | None,
        typer.Option(help="The secret beside the description of closed data: their commitments are held against it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep files of a dataset at the base, encrypted for its owner, to be fetched on its terms."""
    for path in files:
        if not path.exists():
            raise InputError("data.no_file", file=str(path))
    if salt is not None:
        _require_committed(subject_written("dataset", dataset), files, salt)
    _print(datasets_at().keep(subject_written("dataset", dataset), files), as_json)


@remote
def fetch(
    dataset: Named,
    file: Annotated[str, typer.Argument(help="The file; default: all that are kept.")] = "",
    out: Annotated[Path, typer.Option(help="The folder that they are written to.")] = Path(),
    purpose: For = "pb:verification",
    organisation: Organisation = "",
) -> None:
    """Fetch files of a dataset that your organisation may take; it is counted as a use."""
    from pilotbase.cli.edge.fetching import write_parts

    datasets, subject = datasets_at(organisation), subject_written("dataset", dataset)
    names = [file] if file else [one.name for one in datasets.files(subject)]
    if not names:
        raise InputError("dataset.no_files", dataset=subject)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = out / Path(name).name
        write_parts(target, partial(datasets.take, subject, name, purpose))
        say(text("preview.fetched", file=target))


@remote
def erase(
    dataset: Named,
    file: Annotated[str, typer.Argument(help="The file; default: all that are kept.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it, only say what that means.")] = False,
) -> None:
    """Erase files of your dataset that the base keeps, of every version; versions and uses stand."""
    subject = subject_written("dataset", dataset)
    if yes:
        say(text("preview.erased_of", dataset=subject, count=datasets_at().erase(subject, file)))
    else:
        say(text("preview.erase_warning"))
        say(text("preview.erase_unconfirmed"))


@remote
def preview(
    dataset: Named, purpose: For = "pb:verification", organisation: Organisation = "", as_json: AsJson = False
) -> None:
    """Show the first rows of a dataset that your organisation may see: a part of it, and no sample."""
    found = datasets_at(organisation).preview(subject_written("dataset", dataset), purpose)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    widths = {"columns": len(found.columns), "columns_in_all": found.columns_in_all}
    say(text("preview.partial", shown=len(found.cells), rows=found.rows_in_all, **widths))
    for row in (found.columns, *found.cells):
        typer.echo(" | ".join(cell.replace("\n", " ").replace("\t", " ") for cell in row))


def _require_committed(subject: str, files: list[Path], salt: Path) -> None:
    """Return if the files are those to which the newest description commits; their secret goes nowhere."""
    from pilotbase.data.commitments import read_secret
    from pilotbase.data.same_bytes import require_same_bytes
    from pilotbase.documents.hashes import digest_file

    secret, described = read_secret(salt), terms_at().dataset(subject)
    for path in files:
        if path.is_file():
            require_same_bytes(described, path.name, digest_file(path), secret)


def _print(kept: list[KeptTold], as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json") for one in kept])
    for one in [] if as_json else kept:
        rows = "–" if one.rows is None else str(one.rows)
        say(text("preview.kept", file=one.name, size=one.size, rows=rows))
        if one.marked:
            say(text("canary.marked", file=one.name))
