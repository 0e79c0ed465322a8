"""``pilotbase data describe | check | export``: a dataset's description, from its files, in the formats of others."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import build_request, open_base
from pilotbase.cli.framework.terminal import (
    EXIT_REJECTED,
    AsJson,
    answer,
    command,
    language,
    listed,
    progress_shown,
    say,
    say_all,
    separator_written,
    shown,
    warn,
)
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import format_for_terminal, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilotbase.data.bridges.reading import BridgedFile
    from pilotbase.data.croissant.findings import Measured
    from pilotbase.data.describing.drafting import Description
    from pilotbase.documents.dataset import Dataset
    from pilotbase.documents.described import Answers, OpenQuestion
    from pilotbase.documents.errors import Issue


_EXIT_FAULT = 2
_OWN = "dataset"
"""The format of the owner's own document."""


@command
def describe(  # noqa: PLR0913 - each answer is an option
    places: Annotated[list[str], typer.Argument(metavar="PATH...")],
    out: Path = Path("dataset.yaml"),
    answers: Path | None = None,
    name: str | None = None,
    title: str | None = None,
    organisation: str | None = None,
    contact: str | None = None,
    description: str | None = None,
    license: str | None = None,
    label: str | None = None,
    key: str | None = None,
    time: str | None = None,
    group: str | None = None,
    columns: str | None = None,
    table: list[str] | None = None,
    labels: Path | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    asking: Annotated[bool | None, typer.Option("--ask/--no-ask")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset's description from its files: guesses with their grounds, what was seen, what is missing.

    Again on changed files: what you wrote stays, the version is raised, and what changed is said.
    """
    from pilotbase.data.describing.describing import describing
    from pilotbase.data.describing.questions import read_answers
    from pilotbase.data.sources.source import ReadOptions
    from pilotbase.documents.described import Answers

    given = {"name": name, "title": title, "organisation": organisation, "contact": contact, "license": license}
    given |= {"description": description, "label": label, "key": key, "time": time, "group": group}
    said = read_answers(answers) if answers is not None else Answers()
    said = _with(said, {part: value for part, value in given.items() if value is not None})
    asked = ReadOptions(encoding, separator_written(separator), listed(columns), tuple(table or ()), labels)
    interactive = sys.stdin.isatty() and not as_json if asking is None else asking
    with ExitStack() as held:
        with progress_shown(as_json) as on_progress:
            open_places = held.enter_context(describing(places, out, replace(asked, on_progress=on_progress)))
        found = open_places.describe(said)
        if interactive:
            found = open_places.describe(_asked_for(found, said))
    answer(found.dataset, as_json, lambda _: _write(found, out))


@command
def check(file: Path, as_json: AsJson = False) -> None:
    """Check a description for faults, gaps and claims that the data fail. Exit 0 complete, 2 faulty, 3 incomplete"""
    from pilotbase.data.bridges.reading import load_description

    loaded = load_description(file)
    answer(_plain(loaded), as_json, lambda _: _print_read(loaded))
    found = loaded.description
    raise typer.Exit(_EXIT_FAULT if found.faults else EXIT_REJECTED if found.lacking else 0)


@command
def export(
    source: str,
    to: Annotated[str, typer.Option("--as")] = "croissant",
    quality: Path | None = None,
    out: Path | None = None,
) -> None:
    """Write a dataset as others describe theirs; what their format has no place for is said on standard error.

    What was measured of this very version goes with it: as published at the base, or in quality.json beside the file.
    """
    from pilotbase.data.bridges.writing import measured_in, require_measurements, write_dataset
    from pilotbase.documents.files import write_whole

    if quality is not None:
        require_measurements(to)
    folder = Path(source).parent if Path(source).is_file() else None
    dataset, found = _given(source, to == _OWN, is_asked=quality is None)
    written = write_dataset(dataset, to, folder, found if quality is None else measured_in(quality, dataset))
    if out is None:
        typer.echo(written.content, nl=False)
    else:
        write_whole(out, written.content)
        say(text("bridge.written", file=out), err=True)
    if written.left_out:
        say(text("bridge.left_out", paths=written.left_out), err=True)


def _write(found: Description, out: Path) -> None:
    from pilotbase.data.describing.questions import ASKED, units_to_ask, write_dataset_yaml
    from pilotbase.documents.base import Step
    from pilotbase.documents.files import write_whole

    say_all((*found.taken, *found.changed))
    for issue in found.findings:
        warn(text("describe.problem", problem=issue.render(language())))
    if found.unchanged:
        say(text("describe.unchanged", path=out))
    else:
        write_whole(out, write_dataset_yaml(found, language()).encode())
        fields = sum(len(table.fields) for table in found.tables)
        counts = {"tables": len(found.tables), "fields": fields, "version": found.dataset.version}
        say(text("describe.written", path=out, **counts))
    units = units_to_ask(found)
    if units:
        say(text("describe.units_asked", count=len(units), names=", ".join(units[:8]) + (", …" if units[8:] else "")))
    publish = text(f"step.{Step.PUBLISH.name.lower()}")
    for path in found.missing:
        if path in ASKED:
            say(text("describe.needed", step=publish, path=path, asked=ASKED[path]))
        else:
            say(text("describe.needed_terms", step=publish))


def _asked_for(found: Description, said: Answers) -> Answers:
    """Ask on the terminal whatever nobody has said; an empty line leaves it as it is."""
    from pilotbase.data.describing.questions import open_questions

    given = said.model_fields_set
    answered: dict[str, object] = {}
    for question in open_questions(found):
        if question.answer not in given:
            answer = _ask(question)
            if answer:
                parts = tuple(part.strip() for part in answer.split(";") if part.strip())
                answered[question.answer] = parts if question.several else answer
    return _with(said, answered)


def _ask(question: OpenQuestion) -> str:
    answer: str = typer.prompt(shown(question.asked), default=question.guessed, show_default=bool(question.guessed))
    return "" if answer == question.guessed else answer.strip()


def _with(said: Answers, more: dict[str, object]) -> Answers:
    return build_request(type(said), **(said.model_dump(exclude_unset=True) | more))


def _plain(loaded: BridgedFile) -> dict[str, object]:
    from pilotbase.data.croissant.findings import as_plain

    found = loaded.description
    return {
        "file": found.file,
        "format": loaded.bridge.name,
        "version": found.version,
        "faults": as_plain(found.faults),
        "lacking": as_plain(found.lacking),
        "notHeld": as_plain(found.not_held),
        "dataset": found.dataset.to_json_value() if found.dataset is not None else None,
    }


def _print_read(loaded: BridgedFile) -> None:
    found, dataset = loaded.description, loaded.description.dataset
    say(text("bridge.read", file=found.file, format=loaded.bridge.title, version=found.version))
    if dataset is not None:
        fields = sum(len(one.fields) for one in dataset.record_sets)
        counts = {"files": len(dataset.distribution), "sets": len(dataset.record_sets), "fields": fields}
        say(text("bridge.described", name=dataset.name, opening=text(f"opening.{dataset.opening.value}"), **counts))
    _print_kind("fault", found.faults)
    _print_kind("lacking", found.lacking)
    _print_not_held(found.not_held)
    if not found.faults and not found.lacking:
        say(text("bridge.complete"))


def _print_kind(kind: str, issues: Sequence[Issue]) -> None:
    if issues:
        say(text("bridge.kind", kind=text(f"croissant.kind.{kind}"), count=len(issues)))
    for issue in issues:
        typer.echo(f"  {issue.render(language(), format_for_terminal)}")


def _print_not_held(issues: Sequence[Issue]) -> None:
    """Print what is not kept, each thing once with how often it stands there: a warning a line hides the next."""
    if issues:
        say(text("bridge.kind", kind=text("croissant.kind.not_held"), count=len(issues)))
    alike: dict[str, list[Issue]] = {}
    for issue in issues:
        alike.setdefault(issue.problem.render(), []).append(issue)
    for same in alike.values():
        place = format_for_terminal(same[0].path)
        if len(same) > 1:
            say(text("bridge.not_held_often", problem=same[0].problem, place=place, count=len(same) - 1))
        else:
            say(text("bridge.not_held_once", problem=same[0].problem, place=place))


def _given(source: str, for_owner: bool, is_asked: bool) -> tuple[Dataset, Measured]:
    """Return what is to be written, with what was measured of this very version, where that ``is_asked``.

    Of closed files whoever is not their owner gets commitments in place of hashes.
    """
    from pilotbase.data.bridges.reading import load_description
    from pilotbase.data.commitments import publishable
    from pilotbase.data.quality.release import REPORT

    path = Path(source)
    if not path.is_file() and not path.suffix:
        return _published(source)
    description = load_description(path).description
    read = description.require()
    dataset = read if for_owner else publishable(read, path)
    beside = path.parent / REPORT
    if not is_asked or not beside.is_file():
        return dataset, description.measured
    return dataset, _beside(beside, dataset, description.measured)


def _beside(report: Path, dataset: Dataset, said: Measured) -> Measured:
    """Return what the report beside a description measured; ``said`` where it is of something else, which is told."""
    from pilotbase.data.bridges.writing import measured_in
    from pilotbase.documents.errors import InputError

    try:
        found = measured_in(report, dataset)
    except InputError as error:
        say(text("bridge.quality_left_out", file=report, reason=error.text), err=True)
        return said
    say(text("bridge.quality_said", file=report), err=True)
    return found


def _published(name: str) -> tuple[Dataset, Measured]:
    from pilotbase.catalogue.records import load_record
    from pilotbase.data.bridges.writing import measured_of
    from pilotbase.data.croissant.findings import NOTHING
    from pilotbase.documents.dataset import Dataset
    from pilotbase.worker.datasets.measuring import published_report

    view = open_base().lab.view
    record, _ = load_record(view, subject_written("dataset", name))
    dataset, report = view.load(record.documents["dataset"], Dataset), published_report(view, record.subject)
    is_of_it = report is not None and report.version == dataset.version
    return dataset, measured_of(report, dataset, record.subject) if report is not None and is_of_it else NOTHING
