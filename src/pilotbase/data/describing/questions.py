"""Questions that only the owner can answer, each with the answer that it fills and the first step that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pydantic

from pilotbase.data.describing.drafting import UNNAMED_OWNER, Description
from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.steps import Step
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import read_yaml

_ROLES = {
    "label": text("describe.ask.label"),
    "key": text("describe.ask.key"),
    "time": text("describe.ask.time"),
    "group": text("describe.ask.group"),
}


class OwnerQuestion(NamedTuple):
    """``answer``: its name in `Answers`; ``guessed``: the value if nobody answers."""

    answer: str
    asked: Text
    step: Step
    guessed: str = ""
    several: bool = False
    """Several answers, separated by semicolons."""


class MissingField(NamedTuple):
    """A field that a dataset may lack, the answer that fills it, and the question."""

    path: str
    answer: str
    asked: Text
    several: bool = False


def open_questions(description: Description) -> tuple[OwnerQuestion, ...]:
    """Return the questions for the owner: roles of columns first, then what is missing for a step."""
    dataset = description.dataset
    found = []
    if dataset.owner.organisation == UNNAMED_OWNER:
        found.append(OwnerQuestion("organisation", text("describe.ask.organisation"), Step.DRAFT))
    if not dataset.owner.contact:
        found.append(OwnerQuestion("contact", text("describe.ask.contact"), Step.PUBLISH))
    if dataset.title == dataset.name:
        found.append(OwnerQuestion("title", text("describe.ask.title"), Step.PUBLISH, dataset.name))
    found += _roles(description)
    lacking = set(description.missing)
    found += [
        OwnerQuestion(one.answer, one.asked, Step.PUBLISH, "", one.several) for one in MISSING if one.path in lacking
    ]
    return tuple(found)


def units_to_ask(description: Description) -> tuple[str, ...]:
    """Return the measurements whose unit nobody has stated."""
    return tuple(
        f"{table.record_set.name}.{described.field.name}"
        for table in description.tables
        for described in table.fields
        if described.field.data_type == "sc:Float" and described.field.unit is None and not described.field.is_label
    )


def _roles(description: Description) -> list[OwnerQuestion]:
    found: list[OwnerQuestion] = []
    if len(description.tables) != 1:
        return found
    record_set = description.tables[0].record_set
    label = ", ".join(field.name for field in record_set.labels)
    for answer, guessed in (
        ("label", label),
        ("key", ", ".join(record_set.key)),
        ("time", record_set.time or ""),
        ("group", record_set.group or ""),
    ):
        found.append(OwnerQuestion(answer, _ROLES[answer], Step.DRAFT, guessed))
    return found


MISSING = (
    MissingField("description", "description", text("describe.ask.description")),
    MissingField("license", "license", text("describe.ask.license")),
    MissingField("url", "url", text("describe.ask.url")),
    MissingField("creator", "creator", text("describe.ask.creator"), several=True),
    MissingField("publisher", "publisher", text("describe.ask.publisher")),
    MissingField("date_published", "published", text("describe.ask.published")),
    MissingField("in_language", "language", text("describe.ask.language"), several=True),
    MissingField("responsible.collection", "collection", text("describe.ask.collection")),
    MissingField("responsible.personal_sensitive_information", "personal", text("describe.ask.personal"), several=True),
    MissingField("responsible.limitations", "limitations", text("describe.ask.limitations"), several=True),
    MissingField("responsible.use_cases", "use_cases", text("describe.ask.use_cases"), several=True),
    MissingField("responsible.annotation_protocol", "annotation", text("describe.ask.annotation")),
    MissingField("responsible.annotations_per_item", "annotations", text("describe.ask.annotations")),
)
"""What a dataset may lack that the owner can supply."""


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
