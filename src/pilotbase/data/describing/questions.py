"""Questions that only the owner can answer, each with the answer that it fills."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic

from pilotbase.data.describing.drafting import ANSWERED, UNNAMED_OWNER, DescribedField, DescribedTable, Description
from pilotbase.data.describing.meanings import Guess
from pilotbase.data.scenario_yaml import WIDTH, Flow, FlowList, dump_plain, join_lines
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers, OpenQuestion
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.texts import Language, Text, text
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


def write_dataset_yaml(description: Description, language: Language = "en") -> str:
    """Return YAML that `load_document` reads back to the same document; comments are in ``language``."""
    dataset = description.dataset
    lines = [*_wrapped(text("describe.comment.head").render(language), ""), ""]
    by_part = {guess.part: guess for guess in description.guesses}
    for name, value in dataset.to_json_value().items():
        if _readable(value) in ([], {}) or (name in _DEFAULTS and value == _DEFAULTS[name]):
            continue
        guess = [_said(by_part[name], language)] if name in by_part else []
        note = [text(f"describe.comment.{name}").render(language)] if name in _COMMENTED else []
        lines += ["", *_wrapped(" ".join(note + guess), "")] if note or guess else []
        if name == "recordSet":
            lines.append("recordSet:")
            for table in description.tables:
                lines += _record_set(table, language)
        else:
            lines += dump_plain(name, _readable(value), "")
    if description.missing:
        lines += ["", *_wrapped(text("describe.comment.missing").render(language), "")]
        lines += [line for path in description.missing for line in _missing(path, language)]
    return join_lines(lines)


def _record_set(table: DescribedTable, language: Language) -> Iterator[str]:
    value = table.record_set.to_json_value()
    value.pop("field", None)
    indent = "    "
    first = True
    by_part = {guess.part: guess for guess in table.guesses}
    for name, inner in value.items():
        if inner == []:
            continue
        if name in by_part:
            yield from _wrapped(_said(by_part[name], language), indent)
        dumped = dump_plain(name, _readable(inner), indent)
        if first:
            dumped[0] = "  - " + dumped[0].lstrip()
            first = False
        yield from dumped
    yield f"{indent}field:"
    for described in table.fields:
        yield from _field(described, language)


def _field(described: DescribedField, language: Language) -> Iterator[str]:
    indent = " " * 6
    said = [_said(guess, language, with_part=True) for guess in described.guesses]
    said += [seen.render(language) for seen in described.observed]
    if said:
        yield from _wrapped("; ".join(said), indent)
    value = described.field.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    yield from dump_plain("field", [_readable(value)], " " * 4)[1:]


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {name: _readable(content) for name, content in value.items() if content != []}
        flat = all(not isinstance(content, dict) or isinstance(content, Flow) for content in inner.values())
        return Flow(inner) if flat and len(str(inner).replace("'", "")) < WIDTH - 10 else inner
    if isinstance(value, list):
        plain = all(not isinstance(item, dict | list) for item in value)
        return FlowList(value) if plain else [_readable(item) for item in value]
    return value


def _said(guess: Guess, language: Language, with_part: bool = False) -> str:
    ground = text("describe.guess", ground=guess.ground, sure=guess.sure.said).render(language)
    return f"{guess.part}: {ground}" if with_part else ground


def _wrapped(said: str, indent: str) -> list[str]:
    lines = [line for part in said.splitlines() for line in textwrap.wrap(part, WIDTH - len(indent) - 2) or [""]]
    return [f"{indent}# {line}" for line in lines]


def _missing(path: str, language: Language) -> list[str]:
    known = {**ASKED, "usage": text("describe.ask.usage")}
    asked, field = known[path].render(language) if path in known else "", Dataset.model_fields.get(path)
    return _wrapped(f"{(field and field.alias) or path}: … {asked}".rstrip(), "")


_DEFAULTS: Mapping[str, Any] = {"isLiveDataset": False, "synthetic": False}
_COMMENTED = frozenset({"name", "owner", "sector", "version", "distribution", "recordSet", "opening", "purpose"})
