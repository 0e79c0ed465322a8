"""``pilotbase data describe``: a dataset's description, written for its owner from the files themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotbase.cli.edge.terminal import command, language, print_json, say, shown, warn
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.data.describing.drafting import Description
    from pilotbase.data.describing.questions import OwnerQuestion
    from pilotbase.documents.answers import Answers


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
    from pilotbase.documents.answers import Answers

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


def _write(found: Description, out: Path) -> None:
    from pilotbase.data.describing.dataset_yaml import write_dataset_yaml
    from pilotbase.data.describing.questions import MISSING, units_to_ask
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
    known = {one.path: one.asked for one in MISSING}
    for path in found.missing:
        if path in known:
            say(text("describe.needed", step=publish, path=path, asked=known[path]))
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


def _ask(question: OwnerQuestion) -> str:
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
