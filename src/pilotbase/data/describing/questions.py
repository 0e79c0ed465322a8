"""Questions that only the owner can answer, each with the answer that it fills."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pydantic

from pilotbase.data.describing.drafting import ANSWERED, UNNAMED_OWNER, Description
from pilotbase.documents.described import Answers, OpenQuestion
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import read_yaml

ASKED: Mapping[str, Text] = {
    path: text(f"describe.ask.{answer}")
    for answer, path in ANSWERED.items()
    if answer not in ("title", "sector", "opening", "purpose")
}
"""Field that a dataset may lack → the question to its owner."""


def open_questions(description: Description) -> tuple[OpenQuestion, ...]:
    """Return the questions for the owner: roles of columns first, then what is missing for publishing."""
    dataset, lacking = description.dataset, set(description.missing)
    found = []
    if dataset.owner.organisation == UNNAMED_OWNER:
        found.append(_question("organisation"))
    if not dataset.owner.contact:
        found.append(_question("contact"))
    if dataset.title == dataset.name:
        found.append(_question("title", dataset.name))
    found += _roles(description)
    found += [_question(answer) for answer, path in ANSWERED.items() if path in ASKED and path in lacking]
    return tuple(found)


def _question(answer: str, guessed: str = "") -> OpenQuestion:
    several = Answers.model_fields[answer].default == ()
    return OpenQuestion(answer=answer, asked=text(f"describe.ask.{answer}"), guessed=guessed, several=several)


def units_to_ask(description: Description) -> tuple[str, ...]:
    """Return the measurements whose unit nobody has stated."""
    return tuple(
        f"{table.record_set.name}.{described.field.name}"
        for table in description.tables
        for described in table.fields
        if described.field.data_type == "sc:Float" and described.field.unit is None and not described.field.is_label
    )


def _roles(description: Description) -> list[OpenQuestion]:
    if len(description.tables) != 1:
        return []
    record_set = description.tables[0].record_set
    return [
        _question("label", ", ".join(field.name for field in record_set.labels)),
        _question("key", ", ".join(record_set.key)),
        _question("time", record_set.time or ""),
        _question("group", record_set.group or ""),
    ]


def read_answers(path: Path) -> Answers:
    """Return the answers in a YAML file.

    Raises:
        InputError: it is no YAML, or has names and values that do not fit `Answers`, all at once.
    """
    source = read_yaml(path)
    try:
        return Answers.model_validate(source.value)
    except pydantic.ValidationError as error:
        issues = issues_of(source.file, error, Answers)
        placed = [issue.model_copy(update={"line": source.lines.get(issue.path)}) for issue in issues]
        raise InputError.from_issues(source.file, placed) from None
