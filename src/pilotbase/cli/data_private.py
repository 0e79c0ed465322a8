"""``pilotbase data profile`` and ``synthesise``: what is told of a closed dataset, and a made-up sample of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pilotbase.cli.framework.driving import open_base
from pilotbase.cli.framework.terminal import AsJson, answer, command, print_json, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import holder_of, subject_written
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.data.quality.columns import RecordTable
    from pilotbase.documents.dataset import Dataset
    from pilotbase.documents.private import PrivateField, PrivateProfile, PrivateQuestion
    from pilotbase.documents.quality import Cell
    from pilotbase.workspace.store import View

_MOST_EPSILON, _SHOWN = 100, 12


class _Asked(NamedTuple):
    """What was given on the command line."""

    dataset: str
    file: Path
    epsilon: str
    organisation: str | None
    record_set: str | None
    cell_size: int | None
    at_most: int
    again: str
    dates: list[str]


@command
def profile(  # noqa: PLR0913 - each is an option
    dataset: str,
    file: Path,
    epsilon: Annotated[str, typer.Option()],
    organisation: Annotated[str | None, typer.Option("--for")] = None,
    record_set: str | None = None,
    cell_size: Annotated[int | None, typer.Option(min=1)] = None,
    at_most: Annotated[int, typer.Option(min=1, max=1000)] = 1,
    dates: list[str] | None = None,
    again: str = "",
    as_json: AsJson = False,
) -> None:
    """Query a closed dataset under differential privacy. A repeated query returns the same answer, free of charge."""
    asked = _Asked(dataset, file, epsilon, organisation, record_set, cell_size, at_most, again, dates or [])
    with _released(asked, holdout=False) as (_, _, released):
        answer(released, as_json, _print)


@command
def synthesise(  # noqa: PLR0913 - each is an option
    dataset: str,
    file: Path,
    epsilon: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
    rows: Annotated[int, typer.Option(min=1)] = 1000,
    dates: list[str] | None = None,
    organisation: Annotated[str | None, typer.Option("--for")] = None,
    record_set: str | None = None,
    cell_size: Annotated[int | None, typer.Option(min=1)] = None,
    at_most: Annotated[int, typer.Option(min=1, max=1000)] = 1,
    again: str = "",
    as_json: AsJson = False,
) -> None:
    """Write a synthetic sample with the contract of a closed dataset, made from its private profile alone."""
    from pilotbase.data.private.synthetic import make_sample, require_rows, write_sample

    require_rows(rows)
    asked = _Asked(dataset, file, epsilon, organisation, record_set, cell_size, at_most, again, dates or [])
    with _released(asked, holdout=True) as (described, table, released):
        sample = make_sample(described, released, table, rows)
    written = write_sample(sample, out)
    if as_json:
        documents = {"dataset": sample.dataset, "profile": released, "privacyTest": sample.test}
        print_json({name: one.to_json_value() for name, one in documents.items()})
        return
    say(text("private.line.sample", rows=rows, file=written[0], epsilon=_decimal(released.question.epsilon)))
    near = sample.test.nearest
    bounds = {"share": f"{near.share:.3f}", "lower": f"{near.lower:.3f}", "upper": f"{near.upper:.3f}"}
    say(text("private.line.test", copies=sample.test.copies_in_all, **bounds), err=True)


@contextmanager
def _released(asked: _Asked, holdout: bool) -> Iterator[tuple[Dataset, RecordTable, PrivateProfile]]:
    """Return the released profile of the table, with its description and the table itself."""
    from pilotbase.data.private.releasing import release
    from pilotbase.data.quality.columns import open_record_table
    from pilotbase.data.quality.release import record_set_of
    from pilotbase.data.sources.opening import scanning

    spent = _millionths(asked.epsilon)
    view, described = _of_base(asked)
    with tempfile.TemporaryDirectory(prefix="pilotbase-private-") as scratch, scanning(asked.file):
        name = asked.record_set or record_set_of(described, asked.file).name
        question = _question(asked, described, name, spent).model_copy(update={"holdout": holdout})
        table = open_record_table(described.record_set(name), asked.file, Path(scratch))
        yield described, table, release(view, described, question, table)


def _of_base(asked: _Asked) -> tuple[View, Dataset]:
    """Return the base as the organisation that asks sees it, and the newest description of the dataset."""
    from pilotbase.catalogue.records import load_record
    from pilotbase.documents.dataset import Dataset
    from pilotbase.documents.vocabularies import Role
    from pilotbase.workspace.actors import Actor

    subject = subject_written("dataset", asked.dataset)
    view, owner = open_base().lab.view, holder_of(subject)
    described = view.load(load_record(view, subject)[0].documents["dataset"], Dataset)
    by = asked.organisation or owner
    role = Role.DEMAND_OWNER if by == owner else Role.SUPPLIER
    return view.as_actor(Actor(by, frozenset({role}))), described


def _question(asked: _Asked, described: Dataset, record_set: str, epsilon: int) -> PrivateQuestion:
    from pilotbase.data.private.grids import read_date_range
    from pilotbase.data.quality.release import least_cell
    from pilotbase.documents.errors import offer
    from pilotbase.documents.private import PrivateQuestion

    names = [one.name for one in described.record_sets]
    if record_set not in names:
        raise InputError("private.no_record_set", found=record_set, allowed=offer(record_set, names))
    grouped = described.record_set(record_set).group is not None
    return PrivateQuestion(
        dataset=described.subject,
        version=described.digest(),
        record_set=record_set,
        by=asked.organisation or described.owner.organisation,
        epsilon=epsilon,
        cell_size=asked.cell_size or least_cell(described),
        at_most=asked.at_most if grouped else 1,
        dates=tuple(map(read_date_range, asked.dates)) or None,
        name=asked.again,
    )


def _millionths(spelled: str) -> int:
    from pilotbase.documents.terms import MILLIONTHS

    try:
        found = Decimal(spelled) * MILLIONTHS
    except InvalidOperation:
        raise InputError("private.epsilon", found=spelled) from None
    if not found.is_finite() or found != found.to_integral_value() or not 1 <= found <= _MOST_EPSILON * MILLIONTHS:
        raise InputError("private.epsilon", found=spelled)
    return int(found)


def _decimal(millionths: int) -> str:
    from pilotbase.documents.terms import MILLIONTHS

    return f"{Decimal(millionths) / MILLIONTHS:f}"


def _print(found: PrivateProfile) -> None:
    question, unit = found.question, found.unit
    shown = text(f"private.unit.{unit.kind}", column=unit.column, at_most=unit.at_most)
    head = {"dataset": question.dataset, "record_set": question.record_set, "epsilon": _decimal(question.epsilon)}
    say(text("private.line.head", **head, unit=shown, mechanism=found.mechanism))
    say(text("private.line.rows", rows=_spelled(found.rows, question.cell_size), error=found.rows_noise.error))
    for one in found.fields:
        say(_field_line(one, question.cell_size))
    for left_out in found.left_out:
        say(text("private.line.left_out", field=left_out.field, reason=left_out.reason))
    say(text("private.line.suppressed", count=found.suppressed, least=question.cell_size))
    say(text("private.line.error"))


def _field_line(one: PrivateField, least: int) -> Text:
    if one.mean is not None and one.mean.value is not None and one.mean.error is not None:
        quartiles = ", ".join(f"{found.value:.3g}" for found in one.quantiles if found.share in (0.25, 0.5, 0.75))
        mean = {"mean": f"{one.mean.value:.4g}", "error": f"{one.mean.error:.2g}"}
        return text("private.line.mean", field=one.field, quartiles=quartiles, **mean)
    cells = [f"{cell.value or f'{cell.low:g}…'} {_spelled(cell.count, least)}" for cell in one.cells[:_SHOWN]]
    told = ", ".join(cells) + (", …" if len(one.cells) > _SHOWN else "")
    return text("private.line.field", field=one.field, told=told, error=one.noise.error)


def _spelled(count: Cell, least: int) -> str:
    return f"<{least}" if count is None else str(count)
