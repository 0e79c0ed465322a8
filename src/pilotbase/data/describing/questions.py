"""What only the owner can say: every question with the answer that it fills and the step that first needs it."""

from __future__ import annotations

from typing import NamedTuple

from pilotbase.data.describing.drafting import UNNAMED_OWNER, Description
from pilotbase.documents.steps import Step
from pilotbase.documents.texts import Text, text


class Question(NamedTuple):
    """``answer``: the name under which `Answers` takes it; ``guessed``: what stands there if nobody answers."""

    answer: str
    asked: Text
    step: Step
    guessed: str = ""
    several: bool = False
    """Several answers, divided by semicolons."""


class Missing(NamedTuple):
    """A field that a dataset may lack, the answer that gives it, and how it is asked."""

    path: str
    answer: str
    asked: Text
    several: bool = False


def open_questions(description: Description) -> tuple[Question, ...]:
    """Return what the owner is asked: roles of columns first, then what is missing for a step."""
    dataset = description.dataset
    found = []
    if dataset.owner.organisation == UNNAMED_OWNER:
        found.append(Question("organisation", text("describe.ask.organisation"), Step.DRAFT))
    if not dataset.owner.contact:
        found.append(Question("contact", text("describe.ask.contact"), Step.PUBLISH))
    if dataset.title == dataset.name:
        found.append(Question("title", text("describe.ask.title"), Step.PUBLISH, dataset.name))
    found += _roles(description)
    lacking = set(description.missing)
    found += [Question(one.answer, one.asked, Step.PUBLISH, "", one.several) for one in MISSING if one.path in lacking]
    return tuple(found)


def units_to_ask(description: Description) -> tuple[str, ...]:
    """Return the measured numbers whose unit nobody has said."""
    return tuple(
        f"{table.record_set.name}.{described.field.name}"
        for table in description.tables
        for described in table.fields
        if described.field.data_type == "sc:Float" and described.field.unit is None and not described.field.is_label
    )


def _roles(description: Description) -> list[Question]:
    found: list[Question] = []
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
        found.append(Question(answer, _ROLES[answer], Step.DRAFT, guessed))
    return found


_ROLES = {
    "label": text("describe.ask.label"),
    "key": text("describe.ask.key"),
    "time": text("describe.ask.time"),
    "group": text("describe.ask.group"),
}
MISSING = (
    Missing("description", "description", text("describe.ask.description")),
    Missing("license", "license", text("describe.ask.license")),
    Missing("url", "url", text("describe.ask.url")),
    Missing("creator", "creator", text("describe.ask.creator"), several=True),
    Missing("publisher", "publisher", text("describe.ask.publisher")),
    Missing("date_published", "published", text("describe.ask.published")),
    Missing("in_language", "language", text("describe.ask.language"), several=True),
    Missing("responsible.collection", "collection", text("describe.ask.collection")),
    Missing("responsible.personal_sensitive_information", "personal", text("describe.ask.personal"), several=True),
    Missing("responsible.limitations", "limitations", text("describe.ask.limitations"), several=True),
    Missing("responsible.use_cases", "use_cases", text("describe.ask.use_cases"), several=True),
    Missing("responsible.annotation_protocol", "annotation", text("describe.ask.annotation")),
    Missing("responsible.annotations_per_item", "annotations", text("describe.ask.annotations")),
)
"""What a dataset may lack that the owner can be asked for."""
