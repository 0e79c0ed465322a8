"""``pilotbase standard labels | keywords | spot-check``: checks of files and answers, each with a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import EXIT_REJECTED, command, print_json, say
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.documents.standards import CheckedFile, StandardCheck

Out = Annotated[Path | None, typer.Option("--out", help="File to write the record to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the record.")]


@command
def labels(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders: text, image, audio, video.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write the records to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for labels of generated content, in metadata and in texts. Exit 3 where a file lacks what can be measured.

    What would need eyes or ears is not measured: the label on a picture, in a sound, in a video.
    """
    from pilotbase.worker.intake.standard_checks import check_labels, write_record

    files, records = check_labels(paths)
    if out is not None:
        for record in records:
            write_record(out / f"{record.kind}.json", record)
    if as_json:
        print_json([record.to_json_value() for record in records])
    else:
        for one in files:
            _print_file(one)
        for record in records:
            _print_record(record)
    named = [record for record in records if record.kind != "label-fields-check"]
    raise typer.Exit(0 if named and all(record.passed == record.sample for record in named) else EXIT_REJECTED)


@command
def keywords(
    answers: Annotated[Path, typer.Argument(help="Answers: CSV, or JSON lines (.jsonl).")],
    words: Annotated[Path, typer.Option("--list", help="Keywords, one a line.")],
    column: Annotated[str, typer.Option(help="Where the answers stand.")] = "answer",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Count the answers that hold none of the keywords of a list."""
    from pilotbase.worker.intake.standard_checks import check_answers_for_keywords

    _tell(check_answers_for_keywords(answers, words, column), out, as_json)


@command
def spot_check(
    reviews: Annotated[Path, typer.Argument(help="CSV with a column case and a column for each of two reviewers.")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Count the answers that two reviewers, each alone, found in order; on what they differ counts as not."""
    from pilotbase.worker.intake.standard_checks import check_two_reviewers

    _tell(check_two_reviewers(reviews), out, as_json)


def _tell(record: StandardCheck, out: Path | None, as_json: bool) -> None:
    from pilotbase.worker.intake.standard_checks import write_record

    if out is not None:
        write_record(out, record)
    if as_json:
        print_json(record.to_json_value())
    else:
        _print_record(record)


def _print_file(one: CheckedFile) -> None:
    states = {"explicit": _state(one.explicit), "implicit": _state(one.implicit)}
    say(text("standard.line.file", name=one.name, medium=Text(code=f"standard.medium.{one.medium}"), **states))
    if one.lacking:
        say(text("standard.line.lacking", fields=one.lacking))
    for why in one.why:
        say(text("standard.line.why", why=why))


def _print_record(record: StandardCheck) -> None:
    say(text("standard.line.record", kind=record.kind, passed=record.passed, sample=record.sample))
    if record.agreement is not None:
        say(text("standard.line.agreement", kappa=f"{record.agreement:.3f}"))


def _state(state: str) -> Text:
    return Text(code=f"standard.label.{state}")
