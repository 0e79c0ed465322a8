"""What the owner answered held against the tables: columns that are there, and roles that win over guessed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pilotbase.data.describing.references import ObservedTable
from pilotbase.documents.described import NONE, Answers
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import Text, text


def check_answers(answers: Answers, observed: Sequence[ObservedTable]) -> None:
    """Raise `InputError` with every answer that names no column, and every name that two tables share."""
    problems = [*_unknown_columns(answers, observed), *_double_tables(observed)]
    if problems:
        file = observed[0].table.name
        raise InputError.from_issues(file, [Issue(file=file, path=path, problem=problem) for path, problem in problems])


def as_answered(one: ObservedTable, answers: Answers) -> ObservedTable:
    """Return a table with the roles that the owner says, guessed ones elsewhere."""
    roles = one.roles
    keys = [name for name in (_own(one, name) for name in _names(answers.key)) if name is not None]
    said = {part: _own(one, getattr(answers, part)) for part in ("label", "time", "group")}
    given = {part for part, name in said.items() if name is not None} | ({"key"} if keys else set())
    return replace(
        one,
        roles=replace(
            roles,
            key=tuple(name for name in keys if name != NONE) if keys else roles.key,
            label=_said_or(said["label"], roles.label),
            time=_said_or(said["time"], roles.time),
            group=_said_or(said["group"], roles.group),
            guesses=tuple(guess for guess in roles.guesses if guess.part not in given),
        ),
    )


def _said_or(said: str | None, guessed: str | None) -> str | None:
    return guessed if said is None else None if said == NONE else said


def _unknown_columns(answers: Answers, observed: Sequence[ObservedTable]) -> Iterator[tuple[str, Text]]:
    plain = {name for one in observed for name in one.table.columns}
    known = plain | {f"{one.table.name}.{name}" for one in observed for name in one.table.columns}
    asked = [("label", answers.label), ("time", answers.time), ("group", answers.group)]
    asked += [("key", name) for name in _names(answers.key)]
    asked += [(f"units.{name}", name) for name in answers.units]
    asked += [(f"descriptions.{name}", name) for name in answers.descriptions]
    allowed = sorted(plain if len(observed) == 1 else known)
    for path, name in asked:
        if name is not None and name != NONE and name not in known:
            yield path, text("describe.unknown_column", found=name, allowed=offer(name, allowed))


def _double_tables(observed: Sequence[ObservedTable]) -> Iterator[tuple[str, Text]]:
    names = [one.table.name for one in observed]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield name, text("describe.double_table", name=name)


def _names(written: str | None) -> list[str]:
    return [name.strip() for name in (written or "").split(",") if name.strip()]


def _own(one: ObservedTable, name: str | None) -> str | None:
    """Return the column of this table that ``name`` names; None where it names one of another."""
    if name is None or name == NONE:
        return name
    plain = name.removeprefix(f"{one.table.name}.")
    return plain if plain in one.table.columns else None
