"""``pilotbase data describe | check | export``: a dataset's description, from its files, in the formats of others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotbase.cli.edge.terminal import EXIT_REJECTED, command, language, print_json, say, shown, warn
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilotbase.data.bridges.reading import BridgedFile
    from pilotbase.data.croissant.measurements import Measured
    from pilotbase.data.describing.drafting import Description
    from pilotbase.documents.dataset import Dataset
    from pilotbase.documents.described import Answers, OpenQuestion
    from pilotbase.documents.errors import Issue


def _column(what: str) -> Any:
    return typer.Option(help=f"{what}; - for none, table.column where several tables have it.")


Places = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Tables (.csv, .tsv, .txt, .parquet, .xlsx, .jsonl, .json, .sqlite, also .gz and .zip), folders of "
        "images, postgresql://… addresses (#schema); several at once make one dataset.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="The description; there already: it is refreshed.")]
AnswerFile = Annotated[Path | None, typer.Option(help="Answers in a YAML file; options win over it.")]
Name = Annotated[str | None, typer.Option(help="Short name, for addresses.")]
Title = Annotated[str | None, typer.Option(help="Title that people read.")]
Organisation = Annotated[str | None, typer.Option(help="Short name of the organisation that owns the data.")]
Contact = Annotated[str | None, typer.Option(help="How to reach it.")]
Summary = Annotated[str | None, typer.Option("--description", help="What the data are.")]
Licence = Annotated[str | None, typer.Option("--license", help="SPDX name or address.")]
Label = Annotated[str | None, _column("Column that applications learn to answer")]
Key = Annotated[str | None, typer.Option(help="Columns that name a record, divided by commas; - for none.")]
Time = Annotated[str | None, _column("Column that says when a record is of")]
Group = Annotated[str | None, _column("Column whose equal values belong together")]
Columns = Annotated[str | None, typer.Option(help="Names of the columns of a table without a header: a,b,c")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Sheet or table to read; repeat it. Default: all.")]
Labels = Annotated[Path | None, typer.Option(help="Of an image folder: a table of path and label.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of text files, such as cp1252; default: found.")]
Separator = Annotated[str | None, typer.Option(help="What divides cells of text files; default: found.")]
Asking = Annotated[bool | None, typer.Option("--ask/--no-ask", help="Ask what is open; default: on a terminal.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document; write nothing.")]
_EXIT_FAULT = 2
_OWN = "dataset"
"""The format of the owner's own document."""


@command
def describe(  # noqa: PLR0913 - each answer is an option
    places: Places,
    out: Out = Path("dataset.yaml"),
    answers: AnswerFile = None,
    name: Name = None,
    title: Title = None,
    organisation: Organisation = None,
    contact: Contact = None,
    description: Summary = None,
    license: Licence = None,
    label: Label = None,
    key: Key = None,
    time: Time = None,
    group: Group = None,
    columns: Columns = None,
    table: Tables = None,
    labels: Labels = None,
    encoding: Encoding = None,
    separator: Separator = None,
    asking: Asking = None,
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
    names = tuple(one.strip() for one in columns.split(",")) if columns else None
    asked = ReadOptions(encoding, _separator(separator), names, tuple(table or ()), labels)
    interactive = sys.stdin.isatty() and not as_json if asking is None else asking
    with describing(places, out, asked) as open_places:
        found = open_places.describe(said)
        if interactive:
            found = open_places.describe(_asked_for(found, said))
    if as_json:
        print_json(found.dataset.to_json_value())
    else:
        _write(found, out)


@command
def check(
    file: Annotated[
        Path,
        typer.Argument(help="dataset.yaml, Croissant, a Frictionless package, an Open Data Contract, DCAT, TC609."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was read and everything that was found.")] = False,
) -> None:
    """Check a description: all faults, all that it lacks, all that is not kept. Exit 0 complete, 2 faulty, 3 lacking"""
    from pilotbase.data.bridges.reading import load_description

    loaded = load_description(file)
    if as_json:
        print_json(_plain(loaded))
    else:
        _print_read(loaded)
    found = loaded.description
    raise typer.Exit(_EXIT_FAULT if found.faults else EXIT_REJECTED if found.lacking else 0)


@command
def export(
    source: Annotated[str, typer.Argument(help="A description's file, or OWNER/NAME of a dataset of this base.")],
    to: Annotated[
        str, typer.Option("--as", help="croissant, schema-org, frictionless, odcs, dcat, tc609 or dataset.")
    ] = "croissant",
    quality: Annotated[
        Path | None,
        typer.Option("--quality", help="The quality.json to be said (croissant, dcat); default: see above."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it; default: standard output.")] = None,
) -> None:
    """Write a dataset as others describe theirs; what their format has no place for is said on standard error.

    What was measured of this very version goes with it: as published at the base, or in quality.json beside the file.
    """
    from pilotbase.data.bridges.writing import measured_in, require_measurements, write_dataset
    from pilotbase.worker.whole_files import write_whole

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
    from pilotbase.data.describing.dataset_yaml import write_dataset_yaml
    from pilotbase.data.describing.questions import ASKED, units_to_ask
    from pilotbase.documents.steps import Step
    from pilotbase.worker.whole_files import write_whole

    for line in (*found.taken, *found.changed):
        say(line)
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
    import pydantic

    from pilotbase.documents.errors import InputError
    from pilotbase.documents.loading import issues_of

    try:
        return type(said).model_validate(said.model_dump(exclude_unset=True) | more)
    except pydantic.ValidationError as error:
        raise InputError.from_issues("--", issues_of("--", error, type(said))) from None


def _separator(written: str | None) -> str | None:
    return {"tab": "\t", "\\t": "\t", "blank": " "}.get(written, written) if written else None


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
    from pilotbase.data.quality.files import REPORT

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
    from pilotbase.data.croissant.measurements import NOTHING
    from pilotbase.documents.dataset import Dataset
    from pilotbase.worker.base import open_base
    from pilotbase.worker.datasets.measuring import published_report

    view = open_base().lab.view
    record, _ = load_record(view, subject_written("dataset", name))
    dataset, report = view.load(record.documents["dataset"], Dataset), published_report(view, record.subject)
    is_of_it = report is not None and report.version == dataset.version
    return dataset, measured_of(report, dataset, record.subject) if report is not None and is_of_it else NOTHING
