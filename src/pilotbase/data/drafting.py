"""Six answers and a file make a scenario: everything else is guessed or has a default, and each guess is stated."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pilotbase.data.array_files import with_arrays
from pilotbase.data.batches import numbers
from pilotbase.data.column_guesses import (
    called_key,
    guess_array,
    guess_key,
    guess_row_numbers,
    guess_structure,
    naming_each_row,
    possible_keys,
)
from pilotbase.data.column_types import classes_of, first_of_alike, format_labels, read_cells, type_column
from pilotbase.data.conform import conform
from pilotbase.data.date_forms import check_time, rising_time, said_of_dates
from pilotbase.data.describing.meanings import Sure, guess_sensitivity
from pilotbase.data.fixes import NO_FIXES, Fixes
from pilotbase.data.giveaway import gives_away, strongest_feature
from pilotbase.data.source_cases import CaseSource, SourceCases, WantedCases, place_of_arrays, reading_cases
from pilotbase.data.sources.sampling import is_large
from pilotbase.data.sources.source import ReadOptions, missing_as_null
from pilotbase.data.splits import Split, TermsGuess, guess_floor, guess_split, guess_terms, split_cases
from pilotbase.data.thresholds import (
    FEWEST_OF_CLASS,
    ClassCounts,
    Proposal,
    check_mistakes,
    in_both_languages,
    propose_classes,
    propose_regression,
    propose_structured,
    propose_texts,
)
from pilotbase.documents.base import NAME_PATTERN, Localized, Step, missing_for, slug
from pilotbase.documents.contract import ARRAYS, STRUCTURED, DataType, Field, Task
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.progress import Progress
from pilotbase.documents.scenario import Conditions, Contact, Costs, Scenario, read_mistakes
from pilotbase.documents.scenario_data import OWNER_ONLY, ScenarioData
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Action, Sector, Sensitivity

MOST_CLASSES = 50
FEWEST_VALUES = 20
"""A number with more different values than this, or than half the cases, is answered with a number, not a class."""
FEWEST_CASES = 20
_FEW_VALUES = 200
"""So many values show whether a column names people."""
UNNAMED_OWNER = "owner"
"""Placeholder for an organisation without a short name in Latin letters."""


@dataclass(frozen=True)
class DraftAnswers:
    """The six answers. Costs are of one miss and one false alarm; in a regression, of one unit of error, and 0.

    Of three classes or more, ``mistakes`` may say instead what each mistake costs: ``severe as none=500, * as *=5``.
    """

    problem: str
    target: str
    group_or_time: str | None
    cost_of_miss: float
    cost_of_false_alarm: float
    contact: str
    """Organisation and how to reach it, such as ``Riverside Power, dispatch@riverside.example``."""
    name: str = ""
    """The scenario's short name; empty: taken from the file's name, or derived."""
    dataset: str = ""
    """Subject of the dataset that contains the cases; empty: none."""
    is_time: bool = False
    """The column of ``group_or_time`` holds times: if it cannot be read as such, there is no draft."""
    dates: DateOrder | None = None
    """Which comes first in dates such as 03/04/2024; None: the values themselves decide."""
    table: str | None = None
    """The sheet or table that holds the cases, if the file has several."""
    encoding: str | None = None
    """Of a text file; None, as for the next two: it is found out."""
    separator: str | None = None
    fixes: tuple[str, ...] | None = None
    """Remedies of the data doctor to carry out, as `chosen_fixes` takes them; None: nobody was asked."""
    columns: tuple[str, ...] | None = None
    """Names for the columns of a text file without a line of names."""
    sample: int | None = None
    """Rows of a sample that is enough, to look at a large table; None: all rows that fit in memory."""
    sector: Sector | None = None
    action: Action | None = None
    data_may_leave: bool | None = None
    """Like the two before from the demand in words, where there is one; None: not said."""
    demand: str = ""
    """Subject of the registered demand in words that the scenario is made of; empty: none."""
    title: Localized | str | None = None
    """That demand's title, which the scenario takes; None: it is called after its target."""
    mistakes: str = ""

    @property
    def costs(self) -> Costs:
        """Return what errors cost; raises `InputError` if that cannot be read."""
        if self.mistakes:
            return Costs(mistakes=self.mistakes)
        return Costs(miss=self.cost_of_miss, false_alarm=self.cost_of_false_alarm)

    @property
    def reading(self) -> ReadOptions:
        """Return how the file is to be read."""
        columns, tables = self.columns and tuple(self.columns), (self.table,) if self.table else ()
        return ReadOptions(self.encoding, self.separator, columns, tables, quick=True)


@dataclass(frozen=True)
class ScenarioDraft:
    """A scenario, the decisions that the owner must confirm, and the fields that a trial still lacks."""

    scenario: Scenario
    decided: tuple[Text, ...]
    missing: tuple[str, ...] = ()
    cases: bytes | None = None
    """The file that the scenario names; None: the given file, unchanged."""


Sizing = Callable[[Scenario, Split], TermsGuess | None]
"""Plans attempts and their cases for a drafted scenario; None where it cannot."""


def draft_scenario(path: Path, answers: DraftAnswers, scratch: Path | None = None) -> ScenarioDraft:
    """Return a draft from the cases in ``path``; ``scratch`` as in `reading_cases`. Raises as `draft_from`."""
    with reading_cases(path, scratch) as source:
        return draft_from(source, answers)


def draft_from(
    source: CaseSource, answers: DraftAnswers, size: Sizing | None = None, fixes: Fixes = NO_FIXES
) -> ScenarioDraft:
    """Return a draft from the cases in ``source``. Thresholds are computed on the public sample alone.

    ``size``: plans the size of an attempt. ``fixes``: remedies of the data doctor, which the draft declares.

    Raises:
        InputError: the file is no table (see `source_cases`); answers and table do not fit, all problems at once; the
            time column cannot be read as times; the split leaves one class on a side.
    """
    answers = replace(answers, group_or_time=answers.group_or_time or fixes.group)
    how = (answers.is_time, answers.dates, answers.reading, fixes.left_out, answers.sample)
    cases = source.cases(WantedCases(answers.target, answers.group_or_time, *how))
    if is_large(source.place):
        source.on_progress(Progress(text("source.progress.draft", rows=cases.table.height)))
    draft = _drafted(source.place, cases, answers, fixes, size)
    if cases.file == source.place:
        return draft
    data = draft.scenario.data.model_copy(update={"copied_from": cases.copied_from})
    scenario = draft.scenario.model_copy(update={"data": data})
    return replace(draft, scenario=scenario, cases=cases.file.read_bytes())


def _drafted(path: Path, cases: SourceCases, answers: DraftAnswers, fixes: Fixes, size: Sizing | None) -> ScenarioDraft:
    fitting = {
        name: one.as_field(name == answers.target, name == answers.group_or_time) for name, one in cases.columns.items()
    }
    typed = [name for name, one in fitting.items() if name in fixes.units or one.data_type is not DataType.TEXT]
    missing = ("", *sorted({word for name in typed for word in cases.columns[name].spellings}))
    found = missing_as_null(cases.table, missing)
    found = found.filter(~pl.all_horizontal(pl.all().is_null()))
    table = found.with_columns(read_cells(column, fixes.readers) for column in found)
    fitting |= {name: _measured(table[name], unit) for name, unit in fixes.units.items()}
    fitting |= {name: _holding(table[name], fitting[name]) for name in fixes.filled}
    table = table.drop_nulls(fixes.needed)
    if fixes.once:
        table = table.filter(first_of_alike(table, None))
    named = (answers.target, answers.group_or_time)
    arrays = {column.name: guess_array(column, place_of_arrays(path)) for column in table if column.name not in named}
    table, before = _describable(table, arrays), table.columns
    structure = _guess_structure(table, answers.target)
    _check_answers(table, answers, path.name, structure)
    fields = tuple(arrays.get(name) or fitting[name] for name in table.columns)
    check_time(table, fields, answers.group_or_time, answers.is_time, cases.undecided)
    table = with_arrays(table, fields, place_of_arrays(path))
    task = structure or _guess_task(table[answers.target], fields, answers)
    setting = _declared(_settle(table, fields, task, missing, cases.file, answers), fixes)
    if answers.mistakes:
        labels = setting.scenario.target_form == "labels"
        check_mistakes(answers.costs, classes_of(conform(table, setting.scenario), setting.scenario) if labels else ())
    if cases.sampled:
        setting = _with_classes(table, setting)
    left_out = [text("source.taken.left_out", file=path.name, column=one) for one in before if one not in table.columns]
    said = (*cases.told, *left_out, *said_of_dates(table, fields, cases.undecided))
    setting = replace(setting, decided=(*said, *setting.decided))
    try:
        return _judged(table, setting, answers, size)
    except InputError as error:
        if error.code != "data.class_only_hidden":
            raise
        return _judged(table, _with_classes(table, setting), answers, size)


def _judged(table: pl.DataFrame, setting: ScenarioDraft, answers: DraftAnswers, size: Sizing | None) -> ScenarioDraft:
    return _with_criteria(table, _withhold_giveaways(table, setting), answers, size)


def _measured(column: pl.Series, unit: str) -> Field:
    """Return the field of a column whose cells have lost their unit."""
    whole = not type_column(column, DataType.INTEGER).wrong.any()
    return Field(name=column.name, data_type=DataType.INTEGER if whole else DataType.FLOAT, unit=unit)


def _holding(column: pl.Series, field: Field) -> Field:
    """Return the field as one of texts where what empty cells mean is of another type."""
    fits = not type_column(column, field.data_type).wrong.any()
    return field if fits else Field(name=field.name, data_type=DataType.TEXT)


def _with_classes(table: pl.DataFrame, setting: ScenarioDraft) -> ScenarioDraft:
    """Return the draft with its classes declared: of a rare one all rows may be hidden, drawn by chance."""
    scenario = setting.scenario
    if scenario.target_form != "labels":
        return setting
    labels = classes_of(conform(table, scenario), scenario)
    data = scenario.data.model_copy(update={"classes": labels})
    return replace(setting, scenario=scenario.model_copy(update={"data": data}))


def _declared(setting: ScenarioDraft, fixes: Fixes) -> ScenarioDraft:
    """Return the draft with the fixes that are not yet in it, each told."""
    data = setting.scenario.data
    withheld = tuple(name for name in fixes.withheld if name not in (*data.withheld, data.target))
    update: dict[str, object] = {"withheld": (*data.withheld, *withheld), "readers": fixes.readers or None}
    update |= {"repeated_rows": "first" if fixes.once else None, "cases_need": fixes.needed or None}
    scenario = setting.scenario.model_copy(update={"data": data.model_copy(update=update)})
    return ScenarioDraft(
        scenario, (*setting.decided, *(text("doctor.fix.done", done=one.words) for one in fixes.every))
    )


def _describable(table: pl.DataFrame, arrays: Mapping[str, Field | None]) -> pl.DataFrame:
    """Leave out lists, structures and bytes, which no field can describe, except images and sounds."""
    return table.select(
        name
        for name, dtype in table.schema.items()
        if arrays.get(name) or not (dtype.is_nested() or dtype in (pl.Binary, pl.Object))
    )


def _guess_structure(table: pl.DataFrame, target: str) -> Task | None:
    if target not in table.columns or table[target].dtype != pl.String:
        return None
    return guess_structure(table[target].to_list(), MOST_CLASSES)


def _check_answers(table: pl.DataFrame, answers: DraftAnswers, file: str, structure: Task | None) -> None:
    found: list[tuple[str, Text]] = []
    if not answers.problem.strip():
        found.append(("problem", text("draft.empty_answer")))
    if not answers.contact.strip():
        found.append(("contact", text("draft.empty_answer")))
    if answers.name and not re.fullmatch(NAME_PATTERN, answers.name):
        found.append(("name", text("draft.no_short_name", found=answers.name)))
    for name, column in (("target", answers.target), ("group_or_time", answers.group_or_time)):
        if column is not None and column not in table.columns:
            found.append((name, text("draft.unknown_column", found=column, allowed=offer(column, table.columns))))
        elif (
            column is not None and table[column].null_count() and not (name == "target" and structure in _MAY_BE_EMPTY)
        ):
            found.append((name, text("draft.missing_values", column=column, count=table[column].null_count())))
    if answers.target == answers.group_or_time:
        found.append(("group_or_time", text("draft.target_as_group")))
    for name, cost in (("cost_of_miss", answers.cost_of_miss), ("cost_of_false_alarm", answers.cost_of_false_alarm)):
        if not math.isfinite(cost) or cost < 0:
            found.append((name, text("draft.negative_cost", found=cost)))
    found += [("mistakes", problem) for problem in unread_mistakes(answers.mistakes)]
    if table.height < FEWEST_CASES:
        found.append(("", text("draft.few_cases", found=table.height, allowed=FEWEST_CASES)))
    if found:
        raise InputError.from_issues(file, [Issue(file=file, path=name, problem=problem) for name, problem in found])


def unread_mistakes(mistakes: str) -> Iterator[Text]:
    """Yield why it cannot be read what mistakes cost."""
    try:
        _ = read_mistakes(mistakes) if mistakes else None
    except InputError as error:
        yield error.text


def _guess_task(column: pl.Series, fields: tuple[Field, ...], answers: DraftAnswers) -> Task:
    data_type = next(field.data_type for field in fields if field.name == answers.target)
    values = column.n_unique()
    if values < 2:
        raise InputError("draft.constant_target", found=str(column[0]))
    if data_type in (DataType.FLOAT, DataType.INTEGER) and values > min(FEWEST_VALUES, len(column) / 2):
        return "regression"
    if values > MOST_CLASSES and data_type is DataType.TEXT:
        return "transcription" if any(field.data_type in ARRAYS for field in fields) else "answering"
    if values > MOST_CLASSES or data_type in (DataType.DATE, DataType.DATETIME):
        raise InputError("draft.no_classes", target=answers.target, found=values, allowed=MOST_CLASSES)
    if answers.mistakes:
        return "classification"
    if answers.cost_of_miss <= 0 or answers.cost_of_false_alarm <= 0:
        raise InputError("draft.no_cost", miss=answers.cost_of_miss, false_alarm=answers.cost_of_false_alarm)
    return "classification"


def _settle(
    table: pl.DataFrame,
    fields: tuple[Field, ...],
    task: Task,
    missing: tuple[str, ...],
    path: Path,
    answers: DraftAnswers,
) -> ScenarioDraft:
    column = answers.group_or_time
    arrays = {field.name for field in fields if field.data_type in ARRAYS}
    types = {field.name: field.data_type for field in fields}
    people = _naming_people(table, {answers.target, column or "", *arrays})
    key = guess_key(table, {answers.target, column or "", *arrays, *people}, types)
    data_type = types.get(column or "")
    typed = type_column(table[column], data_type).values if column and data_type else None
    split = guess_split(typed, data_type, answers.is_time)
    constant = [name for name in table.columns if table[name].n_unique() < 2 and name not in (answers.target, column)]
    counters = guess_row_numbers(table, {answers.target, column or "", key or ""})
    withheld = ([column] if column and split.split.method != "time" else []) + constant + counters
    data = ScenarioData(
        file=path.name,
        dataset=answers.dataset or None,
        licence=OWNER_ONLY,
        fields=fields,
        target=answers.target,
        key=key,
        withheld=tuple(withheld),
        split=split.split,
        missing=missing,
    )
    scenario = Scenario(
        name=answers.name or slug(path.stem, "") or _derived_name(path.stem, answers),
        title=answers.title or in_both_languages(text("draft.title", target=answers.target)),
        owner=_owner(answers.contact),
        sector=answers.sector or Sector.OTHER,
        action=answers.action or Action.INDUSTRY,
        problem=_in_its_language(answers.problem.strip()),
        intended_use=in_both_languages(text("draft.intended_use", target=answers.target)),
        data=data,
        task=task,
        costs=answers.costs,
        demand=answers.demand or None,
        conditions=None if answers.data_may_leave is None else Conditions(data_may_leave=answers.data_may_leave),
    )
    said = text(f"draft.task.{'answering' if task == 'transcription' else task}")
    decided = [*_said_of_names(scenario, path, answers), text("draft.decided.task", task=said), split.why]
    maybe = possible_keys(table, {answers.target, *withheld, *people}, types) if key is None else []
    rising = None if column else rising_time(table, fields)
    decided += [text("draft.decided.rising_time", column=rising)] if rising else []
    decided += [text("draft.decided.key", column=key)] if key else []
    decided += [text("draft.decided.maybe_key", columns=", ".join(maybe))] if maybe else []
    decided += [text("draft.decided.withheld", columns=", ".join(withheld))] if withheld else []
    return ScenarioDraft(scenario, tuple(decided))


def _naming_people(table: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that name each row by a person: a key would stand in every record."""
    found = []
    for column in naming_each_row(table, taken):
        told = guess_sensitivity(column.name, [str(one) for one in column.head(_FEW_VALUES)])
        if told is None or told[0] is not Sensitivity.IDENTIFIER:
            continue
        if told[1].sure is Sure.CERTAIN or not called_key(column.name):  # patient_id names records, not people
            found.append(column.name)
    return found


def _said_of_names(scenario: Scenario, path: Path, answers: DraftAnswers) -> list[Text]:
    """Return what replaces names that could not be spelled."""
    found = []
    if scenario.name not in (answers.name, slug(path.stem, "")):
        found.append(text("draft.decided.name", name=scenario.name))
    if scenario.owner.organisation == UNNAMED_OWNER:
        found.append(text("draft.decided.organisation", placeholder=UNNAMED_OWNER))
    return found


def _withhold_giveaways(table: pl.DataFrame, setting: ScenarioDraft) -> ScenarioDraft:
    """Withhold every feature that alone gives the answer away, as long as another feature is left."""
    scenario, decided = setting.scenario, list(setting.decided)
    split = split_cases(conform(table, scenario), scenario)
    while len(scenario.feature_fields) > 1 and scenario.target_form != "texts":
        # An application does not get the name of an image's file.
        names = [field.name for field in scenario.feature_fields if field.data_type not in ARRAYS]
        found = strongest_feature(split.public, split.hidden, names, scenario)
        if found is None or not gives_away(found, scenario):
            break
        data = scenario.data.model_copy(update={"withheld": (*scenario.data.withheld, found.feature)})
        scenario = scenario.model_copy(update={"data": data})
        decided.append(text("draft.decided.giveaway", column=found.feature))
    return ScenarioDraft(scenario, tuple(decided))


def _with_criteria(
    table: pl.DataFrame, setting: ScenarioDraft, answers: DraftAnswers, size: Sizing | None
) -> ScenarioDraft:
    split = split_cases(conform(table, setting.scenario), setting.scenario)
    proposal, positive = _propose(split.public, setting.scenario, answers)
    hidden, positives = split.hidden.height, _hidden_positives(split, proposal, positive, setting.scenario)
    terms = guess_terms(hidden, positives)
    added = {"positive": positive, "baseline": proposal.baseline, "criteria": proposal.criteria, "trial": terms.terms}
    scenario = Scenario.model_validate(dict(setting.scenario) | added)
    if size is not None and (planned := size(scenario, split)) is not None:
        update = {"trial": planned.terms, "criteria": planned.criteria or scenario.criteria}
        scenario, terms = scenario.model_copy(update=update), planned
    cases = scenario.trial.cases_per_attempt or hidden
    floor = guess_floor(cases, positives and positives * cases / hidden)
    scenario = scenario.model_copy(update={"trial": scenario.trial.model_copy(update={"accept_from": floor})})
    classes = _said_of_classes(table[answers.target], classes_of(split.public, scenario), scenario)
    return ScenarioDraft(
        scenario, (*setting.decided, *classes, proposal.measured, terms.why), missing_for(scenario, Step.FREEZE)
    )


def _hidden_positives(split: Split, proposal: Proposal, positive: str | None, scenario: Scenario) -> int | None:
    """Return how many hidden cases are positive; None if no criterion is about them."""
    if not any(one.parsed().measure == "precision" for one in proposal.criteria):
        return None
    return int((split.hidden[scenario.data.target] == positive).sum())


def _said_of_classes(target: pl.Series, classes: tuple[str, ...], scenario: Scenario) -> list[Text]:
    """Return which labels the classes have, and whether costs count."""
    found = []
    if classes and scenario.positive is None:
        found.append(text("draft.decided.named_classes", classes=", ".join(classes)))
    elif classes:
        found.append(text("draft.decided.classes", classes=", ".join(classes), positive=scenario.positive))
        if scenario.field(target.name).data_type is DataType.BOOLEAN and set(format_labels(target, DataType.TEXT)) <= {
            "0",
            "1",
        }:
            found.append(text("draft.decided.zero_one", target=target.name))
    if not any(one.parsed().measure in ("precision", "cost") for one in scenario.criteria):
        found.append(text("draft.decided.costs_unused", fewest=FEWEST_OF_CLASS))
    return found


def _propose(public: pl.DataFrame, scenario: Scenario, answers: DraftAnswers) -> tuple[Proposal, str | None]:
    target = scenario.data.target
    if scenario.answer in STRUCTURED:
        truths = public[target].fill_null("").to_list()
        return propose_structured(truths, scenario.answer, classes_of(public, scenario)), None
    if scenario.target_form == "texts":
        return propose_texts(public[target].to_list()), None
    if scenario.target_form == "numbers":
        return propose_regression(numbers(public[target]), scenario.field(target).unit), None
    classes = counted_classes(public[target])
    return propose_classes(classes, answers.costs), classes.positive


def counted_classes(target: pl.Series) -> ClassCounts:
    """Return the classes of a column: the rarest is positive, of more than two the rarest that has enough cases."""
    counts = {str(label): int(count) for label, count in target.alias("value").value_counts().rows()}
    decidable = {label: count for label, count in counts.items() if count >= FEWEST_OF_CLASS}
    among = counts if len(counts) == 2 or not decidable else decidable
    positive = min(among, key=lambda label: (counts[label], _OF_EQUALS.get(label, 1), label))
    return ClassCounts(counts, positive)


def _owner(contact: str) -> Contact:
    address = re.search(r"[\w.+-]+@([\w-]+)", contact)
    named = contact.partition(",")[0].partition("，")[0].partition("<")[0]
    organisation = slug("" if "@" in named else named, slug(address[1] if address else "", UNNAMED_OWNER))
    return Contact(organisation=organisation, contact=contact.strip()[:200])


def _derived_name(stem: str, answers: DraftAnswers) -> str:
    """Return a name made of the target and a number that differs for other files and other problems."""
    told = "\0".join((stem, answers.problem, answers.target)).encode()
    number = int.from_bytes(hashlib.sha256(told).digest()[:4]) % 9000 + 1000
    return f"{slug(answers.target, 'case')[:50].rstrip('-')}-{number}"


def _in_its_language(sentence: str) -> Localized:
    chinese = re.search(r"[一-鿿]", sentence)
    return Localized(zh=sentence) if chinese else Localized(en=sentence)


_OF_EQUALS = {"true": 0, "1": 0, "yes": 0, "是": 0}
"""If both classes are equally frequent, the positive one."""
_MAY_BE_EMPTY = ("multilabel", "detection")
"""Tasks in which an empty answer counts as an answer: no label, no box."""
