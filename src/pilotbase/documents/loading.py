"""A document from a YAML or JSON file, or every problem of it at once: file, field path, found, allowed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import pydantic
from pydantic_core import ErrorDetails

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.reasons import reason_of
from pilotbase.documents.steps import Step, missing_for
from pilotbase.documents.texts import Text, text
from pilotbase.documents.upgrades import current_version, upgrade
from pilotbase.documents.yaml_reader import Source, read_yaml

AnyDocument = TypeVar("AnyDocument", bound=Document)


def load_document(
    model: type[AnyDocument], path: Path, step: Step = Step.DRAFT, shown_as: str | None = None
) -> AnyDocument:
    """Return the document in ``path``, upgraded to today's version and complete enough for ``step``.

    Raises:
        InputError: carries every problem as an `Issue` with its line.
    """
    return build_document(model, read_yaml(path, shown_as), step)


def build_document(model: type[AnyDocument], source: Source, step: Step = Step.DRAFT) -> AnyDocument:
    """Return the document that ``source`` spells; raises as `load_document`."""
    expected = current_version(model)
    found = source.value.get("document")
    value = upgrade(source.value)
    if value.get("document") != expected:
        problem = text("input.wrong_kind", found=found, allowed=expected)
        raise InputError.from_issues(source.file, [_issue(source, "document", problem)])
    try:
        document = model.model_validate(value)
    except pydantic.ValidationError as error:
        raise InputError.from_issues(source.file, _issues(source, error.errors(include_url=False))) from None
    lacking = missing_for(document, step)
    if lacking:
        raise InputError.from_issues(source.file, [_missing(source, path, step) for path in lacking])
    return document


def issues_of(file: str, error: pydantic.ValidationError) -> list[Issue]:
    """Return every problem of ``error``, in our sentences, for what was sent and not read from a file."""
    found = [
        Issue(file=file, path=path, problem=problem)
        for one in error.errors(include_url=False)
        for path, problem in _problems(one, _joined(one["loc"]))
    ]
    return sorted(found, key=lambda issue: issue.path)


def _missing(source: Source, path: str, step: Step) -> Issue:
    return _issue(source, path, text("input.missing_for_step", step=text(f"step.{step.name.lower()}")))


def _issues(source: Source, errors: Iterable[ErrorDetails]) -> list[Issue]:
    found: dict[tuple[str, str], Issue] = {}
    for error in errors:
        for path, problem in _problems(error, _path(error["loc"], source)):
            found.setdefault((path, problem.code), _issue(source, path, problem))
    return sorted(found.values(), key=lambda issue: (issue.line or 0, issue.path))


def _issue(source: Source, path: str, problem: Text) -> Issue:
    inner = path
    while inner and inner not in source.lines:
        inner = inner.rpartition(".")[0] if "." in inner else ""
    return Issue(file=source.file, path=path, problem=problem, line=source.lines.get(inner))


def _path(location: tuple[int | str, ...], source: Source) -> str:
    """Spell pydantic's location as a field path, leaving out the tags of unions, which no file shows."""
    path = ""
    for position, step in enumerate(location):
        longer = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}" if path else str(step)
        last = position == len(location) - 1
        if last or longer in source.lines or isinstance(step, int):
            path = longer
    return path


def _joined(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def _problems(error: ErrorDetails, path: str) -> list[tuple[str, Text]]:
    inner = error.get("ctx", {}).get("error")
    if isinstance(inner, InputError):
        return [(issue.path, issue.problem) for issue in inner.issues] or [(path, inner.text)]
    return [(path, _problem(error))]


def _problem(error: ErrorDetails) -> Text:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return text("input.missing_field")
    if kind == "extra_forbidden":
        return text("input.unknown_field")
    if kind in ("enum", "literal_error", "union_tag_invalid", "union_tag_not_found"):
        allowed = context.get("expected") or context.get("expected_tags") or context.get("discriminator")
        return text("input.not_allowed", found=_found(error), allowed=allowed)
    return text("input.invalid_value", found=_found(error), reason=_reason(error, context.get("error")))


def _reason(error: ErrorDetails, inner: Any) -> Text | str:
    return str(inner) if isinstance(inner, ValueError) else reason_of(error)


def _found(error: ErrorDetails) -> str:
    found = error["input"]
    return "" if isinstance(found, dict | list | pydantic.BaseModel) else str(found)[:80]
