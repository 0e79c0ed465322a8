"""Tables described for their owner: a `Dataset` in which every guess has a ground, and errors are named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pilotbase.data.column_types import BOOLEANS, TYPES, type_words, typed_expression
from pilotbase.data.date_forms import NUMBER_FORMS
from pilotbase.data.describing.meanings import Guess, Sure, guess_sensitivity, guess_ucum
from pilotbase.data.describing.observing import DATE_NAME, SHOWN, Column, Misfits, missing_to_null, observe
from pilotbase.data.describing.roles import FoundReference, ObservedTable, find_references, guess_roles
from pilotbase.data.sources.source import OpenedSource, SourceTable, refuse
from pilotbase.data.splits import guess_split
from pilotbase.data.suspects.missing import is_placeholder, sentinel
from pilotbase.data.suspects.texts import is_mojibake, spelled_alike
from pilotbase.documents.base import Step, missing_for, slug
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet, Resource, Source
from pilotbase.documents.described import NONE, Answers
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.scenario import Contact
from pilotbase.documents.scenario_data import Split
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Sensitivity

UNNAMED_OWNER = "owner"
"""Placeholder for an owner without a short name."""
ANSWERED: Mapping[str, str] = {
    "title": "title",
    "description": "description",
    "sector": "sector",
    "license": "license",
    "url": "url",
    "creator": "creator",
    "publisher": "publisher",
    "published": "date_published",
    "language": "in_language",
    "opening": "opening",
    "purpose": "purpose",
    "collection": "responsible.collection",
    "personal": "responsible.personal_sensitive_information",
    "limitations": "responsible.limitations",
    "use_cases": "responsible.use_cases",
    "annotation": "responsible.annotation_protocol",
    "annotations": "responsible.annotations_per_item",
}
"""Answer → the field of a dataset, or of its responsible use, that it fills."""
MOST_VALUES = 20
FEWEST_OF_VALUE = 10
"""A value that fewer records have is never written: it might reveal who they are."""
_CODES = 10
_OF_LABELS = ("annotation_protocol", "annotations_per_item")
_CJK = re.compile(r"[一-鿿]")
_WORD = re.compile(r"[A-Za-z]{3,}")
_SHARE = 0.1
_FEWEST_TO_SPLIT = 20
_MANY_ALIKE = 50
_DAY_NUMBERS = (20_000.0, 60_000.0)
"""Days since 1899-12-30, as spreadsheets count them: from 1954 to 2064."""


@dataclass(frozen=True)
class DescribedField:
    """A field, why it is described so, and what was seen of it without being promised."""

    field: DataField
    guesses: tuple[Guess, ...] = ()
    observed: tuple[Text, ...] = ()


@dataclass(frozen=True)
class DescribedTable:
    """A record set, why it is described so, and its fields."""

    record_set: RecordSet
    fields: tuple[DescribedField, ...]
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class Description:
    """A described dataset, and everything that its owner should know about it."""

    dataset: Dataset
    tables: tuple[DescribedTable, ...]
    guesses: tuple[Guess, ...] = ()
    """About the dataset itself."""
    taken: tuple[Text, ...] = ()
    """What the files did not say themselves: encoding, separator, sheets."""
    findings: tuple[Issue, ...] = ()
    """Errors in the values, each with its place and what to do."""
    changed: tuple[Text, ...] = field(default=())
    """Since an earlier description."""
    unchanged: bool = False
    """An earlier description already says all of it."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What publishing still lacks; for data with labels also how these came about."""
        responsible = self.dataset.responsible
        labelled = any(one.labels for one in self.dataset.record_sets)
        of_labels = [f"responsible.{part}" for part in _OF_LABELS if labelled and getattr(responsible, part) is None]
        return (*missing_for(self.dataset, Step.PUBLISH), *of_labels)


def observe_all(sources: Sequence[OpenedSource], on_progress: OnProgress) -> tuple[ObservedTable, ...]:
    """Return what all rows of all tables show, and what their columns seem to be for."""
    tables = [table for source in sources for table in source.tables]
    return tuple(_observed(table, on_progress) for table in tables)


def describe(
    sources: Sequence[OpenedSource], seen: Sequence[ObservedTable], answers: Answers, modified: float | None = None
) -> Description:
    """Return a description of ``seen``, all tables of ``sources``; ``modified``: time of the newest file (POSIX).

    Raises:
        InputError: answers name columns that do not exist, all at once; two tables or files share a name.
    """
    _check_answers(answers, seen)
    observed = [_as_answered(one, answers) for one in seen]
    references = find_references(observed)
    described = tuple(_table(one, references, answers) for one in observed)
    language = _guess_language(observed)
    dataset = _dataset(sources, described, answers, language[0] if language else (), modified)
    findings = [issue for one in observed for issue in _findings(one)]
    findings += [_orphans(found) for found in references if found.orphans]
    return Description(
        dataset=dataset,
        tables=described,
        guesses=(language[1],) if language and not answers.language else (),
        taken=tuple(taken for source in sources for taken in source.taken),
        findings=tuple(findings),
    )


def _observed(table: SourceTable, on_progress: OnProgress) -> ObservedTable:
    try:
        columns = observe(table, on_progress=on_progress)
        return ObservedTable(table, columns, guess_roles(table, columns))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # damage that only some ways of reading meet
        raise refuse(table.resource, text("source.broken_rows", first=1, last=table.rows)) from None


def _table(one: ObservedTable, references: Sequence[FoundReference], answers: Answers) -> DescribedTable:
    mine = {found.column: found for found in references if found.table == one.table.name}
    fields = tuple(_field(one, column, mine.get(column.name), answers) for column in one.columns)
    split = _guess_table_split(one)
    record_set = RecordSet(
        name=one.table.name,
        fields=tuple(described.field for described in fields),
        key=one.roles.key,
        time=one.roles.time,
        group=one.roles.group,
        split=split[0] if split else None,
        rows=one.table.rows,
    )
    guesses = [guess for guess in one.roles.guesses if guess.part != "label"]
    return DescribedTable(record_set, fields, (*guesses, *([split[1]] if split else [])))


def _field(one: ObservedTable, column: Column, reference: FoundReference | None, answers: Answers) -> DescribedField:
    roles, full = one.roles, f"{one.table.name}.{column.name}"
    unit = guess_ucum(column.name) if column.is_number else None
    told = guess_sensitivity(column.name, column.sample)
    is_label, is_key = column.name == roles.label, column.name in roles.key
    sensitivity = told[0] if told else Sensitivity.NONE
    values = _values(column, is_label, sensitivity)
    placeholders = tuple(one for one in column.categories if _stands_for_missing(one, column))
    given = answers.units.get(full) or answers.units.get(column.name)
    named = column.data_type is FieldType.INTEGER and told is not None and told[1].sure is Sure.CERTAIN
    described = DataField(
        name=column.name,
        data_type=FieldType.TEXT if named else column.data_type,  # a telephone number is no quantity
        semantic=("cr:Label",) if is_label else (),
        description=answers.descriptions.get(full) or answers.descriptions.get(column.name),
        unit=given or (unit[0] if unit else None),
        required=is_key or is_label or column.name in (roles.time, roles.group, *one.table.required),
        unique=roles.key == (column.name,),
        values=values,
        missing=("", *dict.fromkeys((*column.spellings, *placeholders))),
        references=reference.to if reference else None,
        sensitivity=sensitivity,
        source=one.table.origins.get(column.name) or Source(resource=one.table.resource, column=column.name),
        repeated=column.repeated,
    )
    guesses = [guess for guess in roles.guesses if guess.part == "label" and is_label]
    guesses += [unit[1]] if unit and not given else []
    guesses += [told[1]] if told else []
    guesses += [reference.guess] if reference else []
    if column.codes and column.data_type is FieldType.TEXT:
        guesses.append(Guess("dataType", text("describe.ground.codes"), Sure.LIKELY))
    if values:
        guesses.append(Guess("values", text("describe.ground.values", rows=column.filled), Sure.UNSURE))
    return DescribedField(described, tuple(guesses), tuple(_seen(column, described)))


def _values(column: Column, is_label: bool, sensitivity: Sensitivity) -> tuple[str, ...]:
    """Return the values of a small category, without rare ones and those that reveal who somebody is."""
    if column.data_type is FieldType.BOOLEAN:
        return _spelled_otherwise(column)
    coded = column.data_type is FieldType.INTEGER and len(column.categories) <= _CODES and is_label
    if sensitivity is Sensitivity.IDENTIFIER or not (column.data_type is FieldType.TEXT or coded):
        return ()
    promised = {one: count for one, count in column.categories.items() if not _is_suspect(one, column)}
    few = 0 < len(promised) <= MOST_VALUES
    return tuple(sorted(promised)) if few and min(promised.values()) >= FEWEST_OF_VALUE else ()


def _is_suspect(value: str, column: Column) -> bool:
    """Return whether a value of a small category seems to be a fault: it is never promised."""
    counted = pl.Series([one for one, count in column.categories.items() for _ in range(min(count, 100))])
    rarer = {spelled for same in spelled_alike(counted) for spelled in same[1:]}
    return value in rarer or is_mojibake(value) or _stands_for_missing(value, column)


def _stands_for_missing(value: str, column: Column) -> bool:
    """Return whether a value of a small category seems to say that nothing is known: a word, or a number far off."""
    if column.data_type is FieldType.TEXT:
        return is_placeholder(value, len(column.categories))
    if not column.is_number or column.data_type is not FieldType.INTEGER:
        return False
    counted = [one for one, count in column.categories.items() for _ in range(min(count, 100))]
    found = sentinel(pl.Series(counted).cast(pl.Float64, strict=False).drop_nulls().to_numpy())
    return found is not None and value == f"{found[0]:.15g}"


def _spelled_otherwise(column: Column) -> tuple[str, ...]:
    """Return the spellings of yes and no other than true and false: made-up records spell them alike."""
    spelled = {value.strip() for value in column.categories}
    known = {value for value in spelled if value.lower() in BOOLEANS}
    both = {BOOLEANS[value.lower()] for value in known} == {True, False}
    return tuple(sorted(known)) if both and not known <= {"true", "false"} else ()


def _seen(column: Column, described: DataField) -> Iterator[Text]:
    """Yield what was seen in the column and is not promised."""
    if column.missing:
        share = column.missing / (column.filled + column.missing)
        yield text("describe.seen.missing", count=column.missing, share=percent(share, ".3g"))
    if described.sensitivity is not Sensitivity.NONE:
        return
    if column.distinct == 1 and not column.missing:
        yield text("describe.seen.constant")
    elif column.minimum is not None and column.is_number:
        yield text("describe.seen.range", minimum=column.minimum, maximum=column.maximum)
    elif column.minimum is not None:
        yield text("describe.seen.period", minimum=column.minimum, maximum=column.maximum)
    if column.data_type is FieldType.TEXT and not described.values and not described.unique and column.distinct > 1:
        yield text("describe.seen.distinct", count=column.distinct if column.exact else f"≈ {column.distinct}")


def _dataset(
    sources: Sequence[OpenedSource],
    described: Sequence[DescribedTable],
    answers: Answers,
    language: tuple[str, ...],
    modified: float | None,
) -> Dataset:
    resources = _resources(sources)
    stem = answers.name or slug(Path(resources[0].id).name.partition(".")[0]) or "dataset"
    changed = datetime.fromtimestamp(modified, UTC).date().isoformat() if modified is not None else None
    said = {path: value for answer, path in ANSWERED.items() if (value := getattr(answers, answer)) is not None}
    responsible = {path.rpartition(".")[2]: value for path, value in said.items() if "." in path}
    return Dataset.model_validate(
        {
            **{path: value for path, value in said.items() if "." not in path},
            "name": stem,
            "title": answers.title or stem,
            "owner": Contact(organisation=answers.organisation or UNNAMED_OWNER, contact=answers.contact or ""),
            "date_modified": changed,
            "in_language": answers.language or language,
            "live": any(source.live for source in sources),
            "distribution": resources,
            "record_sets": tuple(table.record_set for table in described),
            "responsible": responsible,
        }
    )


def _resources(sources: Sequence[OpenedSource]) -> tuple[Resource, ...]:
    found: dict[str, Resource] = {}
    for source in sources:
        for resource in source.resources:
            if resource.id in found and found[resource.id] != resource:
                raise InputError("describe.double_file", name=resource.id)
            found[resource.id] = resource
    return tuple(found.values())


def _orphans(found: FoundReference) -> Issue:
    to = f"{found.to.record_set}.{found.to.field}"
    problem = text("describe.orphans", count=found.orphans, to=to)
    return Issue(file=found.table, path=found.column, problem=problem, hint=text("describe.orphans.hint", to=to))


def _check_answers(answers: Answers, observed: Sequence[ObservedTable]) -> None:
    """Raise `InputError` with every answer that names no column, and every name that two tables share."""
    problems = [*_unknown_columns(answers, observed), *_double_tables(observed)]
    if problems:
        file = observed[0].table.name
        raise InputError.from_issues(file, [Issue(file=file, path=path, problem=problem) for path, problem in problems])


def _as_answered(one: ObservedTable, answers: Answers) -> ObservedTable:
    """Return a table with the owner's roles, and guessed ones elsewhere."""
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
    """Return the column of this table that ``name`` names; None if it names one of another table."""
    if name is None or name == NONE:
        return name
    plain = name.removeprefix(f"{one.table.name}.")
    return plain if plain in one.table.columns else None


def _guess_language(observed: Sequence[ObservedTable]) -> tuple[tuple[str, ...], Guess] | None:
    """Return the languages of names and texts, and why; None if neither has words."""
    columns = [column for one in observed for column in one.columns]
    said = [column.name for column in columns]
    said += [value for column in columns if column.data_type is FieldType.TEXT for value in column.sample]
    chinese = sum(_CJK.search(value) is not None for value in said)
    english = sum(_WORD.search(value) is not None and _CJK.search(value) is None for value in said)
    fewest = max(1.0, _SHARE * (chinese + english))
    ordered = sorted((("zh", chinese), ("en", english)), key=lambda one: -one[1])
    languages = tuple(tag for tag, count in ordered if count >= fewest)
    if not languages:
        return None
    ground = text("describe.ground.language", chinese=chinese, english=english)
    return languages, Guess("inLanguage", ground, Sure.LIKELY)


def _guess_table_split(one: ObservedTable) -> tuple[Split, Guess] | None:
    """Return a split and why this one; None for a table without a label, from which nothing is learnt, and if the time
    column holds texts: a split by their hashes would show the future.
    """
    roles = one.roles
    if roles.label is None or one.table.rows < _FEWEST_TO_SPLIT:
        return None
    column = next((known for known in one.columns if known.name == (roles.group or roles.time)), None)
    if column is None:
        found = guess_split(None, None)
        return found.split, Guess("split", found.why, Sure.UNSURE)
    data_type = TYPES.get(column.data_type, DataType.TEXT)
    if column.name == roles.time != roles.group and not (column.is_time or column.is_number):
        return None
    values = _typed_values(one, column, data_type)
    if values.n_unique() < 2:
        return None
    found = guess_split(values, data_type, column.name == roles.time != roles.group)
    return found.split, Guess("split", found.why, Sure.UNSURE)


def _typed_values(one: ObservedTable, column: Column, data_type: DataType) -> pl.Series:
    dtype = one.table.frame.collect_schema()[column.name]
    source = pl.col(column.name)
    value = missing_to_null(source, column.spellings) if dtype == pl.String else source
    typed = typed_expression(value, dtype, data_type).alias(column.name)
    return one.table.frame.select(typed).collect(engine="streaming").to_series().drop_nulls()


def _findings(one: ObservedTable) -> Iterator[Issue]:
    """Yield what the owner should correct; values are shown unless their column reveals who somebody is."""
    yield from _wide(one)
    for column in one.columns:
        told = guess_sensitivity(column.name, column.sample)
        hidden = told is not None and told[0] in (Sensitivity.IDENTIFIER, Sensitivity.SENSITIVE)
        for misfits in column.misfits:
            yield _misfit(one, column, misfits, hidden)
        if column.undecided:
            yield _issue(one, column, text("describe.date_order", **vars(column.undecided)))
        if len(column.forms) > 1:
            forms = ", ".join(f"{form} ({count})" for form, count in column.forms.items())
            yield _issue(one, column, text("describe.mixed_dates", forms=forms, count=len(column.forms)))
        if _seems_day_numbers(column):
            seen = text("describe.day_numbers", minimum=column.minimum, maximum=column.maximum)
            yield _issue(one, column, seen)


def _wide(one: ObservedTable) -> Iterator[Issue]:
    """Yield that columns of one type differ in name only by a number: a long table would say what the number is."""
    stems = Counter((re.sub(r"\d+", "0", column.name), column.data_type) for column in one.columns)
    for (stem, _), count in stems.items():
        if count >= _MANY_ALIKE and "0" in stem:
            alike = [column.name for column in one.columns if re.sub(r"\d+", "0", column.name) == stem]
            problem = text("describe.wide", count=count, names=", ".join(alike[:3]))
            yield Issue(file=one.table.resource, path="", problem=problem, hint=problem.hint)


def _misfit(one: ObservedTable, column: Column, misfits: Misfits, hidden: bool) -> Issue:
    values = "…" if hidden else ", ".join(repr(value[:40]) for value in misfits.values)
    places = [one.table.line_of(row) if one.table.line_of else row + 1 for row in misfits.rows]
    more = ", …" if misfits.count > SHOWN else ""
    other = "date" if column.is_time else "other"
    problem = text(
        f"describe.misfit.{misfits.form if misfits.form in NUMBER_FORMS else other}",
        values=values + more,
        lines=", ".join(map(str, places)) + more,
        allowed=type_words(TYPES.get(column.data_type, DataType.TEXT)),
        count=misfits.count,
    )
    return _issue(one, column, problem, places[0] if one.table.line_of else None)


def _issue(one: ObservedTable, column: Column, problem: Text, line: int | None = None) -> Issue:
    path = column.name if one.table.selector is None else f"{one.table.selector}.{column.name}"
    return Issue(file=one.table.resource, path=path, line=line, problem=problem, hint=problem.hint)


def _seems_day_numbers(column: Column) -> bool:
    if not column.is_number or not DATE_NAME.search(column.name) or column.minimum is None or column.maximum is None:
        return False
    return _DAY_NUMBERS[0] <= float(column.minimum) and float(column.maximum) <= _DAY_NUMBERS[1]
