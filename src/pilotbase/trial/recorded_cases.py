"""Recorded answers from a file: ``case,truth,prediction`` and the columns for groups, clusters and comparisons.

Or recorded scores: what one or more scorers gave each run, from 0 to 1.

Recorded runs from an Inspect AI log become the same table as recorded answers. Columns: ``case`` (sample and epoch),
``truth`` (the sample's target), ``prediction`` (the final answer), ``score:<scorer>``, ``group:<name>`` for its
metadata, and ``unit``, the sample, if samples were run several times. A run that ended with an error or at a limit, or
that is missing from the log, counts as having no answer and no score.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.answer_texts import ANSWERS, TRUTHS, AnswerTextError, classes_in
from pilotbase.documents.contract import STRUCTURED, TARGETS, AnswerKind
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.plan import DecisionPlan
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.measures import Cases, coded, is_resource, may_lack_truth
from pilotbase.measures.rules import given_columns
from pilotbase.protocols.inspect_logs import SUFFIXES, InspectLog, SampleRun, read_inspect_log
from pilotbase.trial.records import ARM, GIVEN, GROUP, RUN, SCORE, how_unscored_stand
from pilotbase.trial.scoring import unit_problems

NEEDED = ("case", "truth", "prediction")
SEPARATOR = "|"
"""Between the labels of a ranking, and between the ends of an interval."""
SHOWN = 20
"""So many problems of one kind are named; the rest are counted."""
_STAND_IN_ALIKE = frozenset({"label", "probability", "labels"})
"""Kinds whose unscored truths are shuffled only among equal answers: any order may score them."""
Column = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RecordedCases:
    """Cases as measures read them, and which column is the unit; ``scores``: a judge's, in [0, 1]; NaN unlabelled."""

    cases: Cases
    unit: str | None = None
    scores: NDArray[np.float64] | None = None
    labelled: NDArray[np.bool_] | None = None
    """For which cases the truth is known; None if for all."""
    told: Text | None = None
    """A description of the file, if it is another program's log."""


def read_recorded_cases(path: Path, plan: DecisionPlan) -> RecordedCases:
    """Return the cases in ``path`` (CSV with a header, UTF-8; or a log of Inspect AI) for the criteria of ``plan``.

    Columns: ``case`` (unique; with ``run``, a case that was asked several times is one unit), ``truth``,
    ``prediction`` (empty: abstained). If a criterion needs them: ``group``, ``unit``, ``baseline``, ``score`` (by a
    judge: 1 for a right answer, 0 for a wrong one), ``prediction@noise(0.1)`` (answers under a perturbation), and any
    column by its own name; `records` spell the last two differently, which is accepted too. A column ``unit`` is
    always used: dependent cases that are counted one by one prove nothing. If a
    criterion is about refusals, an empty truth marks a case to refuse. Texts are read as they are, including leading
    and trailing spaces. Recorded scores need only ``case`` and, for ``score(grader)``, a column of that name or
    ``score:grader``.

    Raises:
        InputError: every problem at once: missing columns, labels that aren't among the classes, invalid numbers,
            duplicate cases.
    """
    frame, told = _read_recorded_log(path) if path.suffix.lower() in SUFFIXES else (read_table(path), None)
    frame.columns = [name.strip() for name in frame.columns]
    as_it_stands = [name for name in frame.columns if plan.prediction.kind == "text" and _is_text(name)]
    frame = frame.with_columns(pl.all().cast(pl.String)).with_columns(
        pl.all().exclude(as_it_stands).str.strip_chars() if as_it_stands else pl.all().str.strip_chars()
    )
    _require_columns(frame, path.name, NEEDED[:1] if plan.prediction.kind == "scores" else NEEDED)
    if RUN in frame.columns and "unit" not in frame.columns and not frame["case"].is_unique().all():
        frame = frame.with_columns(pl.col("case").alias("unit"))
    if plan.prediction.kind not in _STAND_IN_ALIKE and how_unscored_stand(path) == "shuffled":
        unscored = frame.filter(pl.col("position") == "-1").height
        raise InputError("trial.stand_ins", file=path.name, count=unscored, kind=plan.prediction.kind)
    if plan.prediction.kind in ("labels", "boxes") and "position" not in frame.columns:
        frame = frame.with_columns(pl.col("truth").fill_null("[]"))  # nothing to name or to find
    return replace(_Reader(frame, path.name, plan, is_log=told is not None).read(), told=told)


def _units_of(criteria: tuple[Criterion, ...], columns: frozenset[str]) -> set[str]:
    """Return the columns that contain the units of ``criteria``; none if each case is its own unit."""
    on_cases = [criterion for criterion in criteria if not is_resource(criterion.parsed())]
    named = {criterion.unit for criterion in on_cases} - {"case"}
    if "unit" in columns:
        return {name if name in columns else "unit" for name in named} or {"unit"}
    return named


class _Reader:
    """Reads columns one after the other and collects their problems."""

    def __init__(self, frame: pl.DataFrame, file: str, plan: DecisionPlan, is_log: bool) -> None:
        self._frame, self._file, self._plan, self._is_log = frame, file, plan, is_log
        self._issues: list[Issue] = []
        self._rules = [criterion.parsed() for criterion in plan.criteria]
        found = self._scorers if plan.prediction.kind == "scores" else lambda: _classes_of(frame, plan)
        self._classes = plan.prediction.classes or found()

    def read(self) -> RecordedCases:
        columns = frozenset(self._frame.columns)
        few = self._plan.labels == "score"
        self._check_names()
        # Labels are bought case by case, and the claim covers only the pool: dependence within it changes nothing.
        units = set() if few else _units_of(self._plan.criteria, columns)
        prediction = self._plan.prediction
        one_scorer = prediction.kind == "scores" and len(self._classes) == 1
        cases = Cases(
            truth=self._truth(few),
            answers=self._answers("prediction"),
            groups=self._groups(),
            units=self._units(units, columns),
            baseline=self._answers("baseline") if "baseline" in columns else None,
            classes=self._classes,
            positive=self._classes[0] if one_scorer else prediction.positive,
            kind=prediction.kind,
            perturbed=self._perturbed(),
            given=self._given(),
        )
        scores = self._scores(columns) if few else None
        if self._issues:
            raise InputError.from_issues(self._file, self._issues)
        if cases.kind != "ranking":  # its codes have been read here
            cases = coded(cases)
        labelled = self._frame["truth"].is_not_null().to_numpy() if few else None
        return RecordedCases(cases, next(iter(units), None), scores, labelled)

    def _scorers(self) -> tuple[str, ...]:
        """Return the scorers: those that rules name or, if a rule names none, all that have a column."""
        named = [rule.label for rule in self._rules if not is_resource(rule)]
        told = [name.removeprefix(SCORE) for name in self._frame.columns if name.startswith(SCORE)]
        by_name = tuple(dict.fromkeys(filter(None, named)))
        return by_name if by_name and None not in named else tuple(told or ["score"])

    def _check_names(self) -> None:
        names = self._frame["case"]
        self._report("case", names.is_null(), lambda _: text("trial.cell_missing"))
        apart = self._frame.select("case", RUN).to_struct() if RUN in self._frame.columns else names
        double = ~apart.is_first_distinct() & names.is_not_null()
        self._report("case", double, lambda row: text("trial.double_case", found=names[row]))

    def _truth(self, few: bool) -> Column:
        kind = self._plan.prediction.kind
        if kind == "scores":
            return np.ones((self._frame.height, len(self._classes)))
        column = self._frame["truth"]
        if not few and not may_lack_truth(self._rules):
            unscored = self._unscored()
            if unscored.any():
                problem = text("trial.unscored_cases", count=int(unscored.sum()))
                self._issues.append(Issue(file=self._file, path="truth", problem=problem))
            self._report("truth", column.is_null() & ~unscored, lambda _: text("trial.cell_missing"))
        if kind in ("value", "interval"):
            return self._numbers("truth", None)
        if kind == "text":
            return self._texts("truth")
        if TARGETS[kind] == "labels":
            return self._codes("truth")
        return self._rankings("truth") if kind == "ranking" else self._structures("truth", TRUTHS[kind])

    def _unscored(self) -> pl.Series:
        """Return for which cases a trial shows no truth, because it didn't score them."""
        nowhere = pl.col("position") == "-1" if "position" in self._frame.columns else pl.lit(value=False)
        return self._frame.select(pl.col("truth").is_null() & nowhere.fill_null(value=False)).to_series()

    def _answers(self, name: str) -> Column:
        kind = self._plan.prediction.kind
        if kind == "scores":
            return np.column_stack([self._scores_of(scorer) for scorer in self._classes])
        if kind in ("value", "probability"):
            return self._numbers(name, (0.0, 1.0) if kind == "probability" else None)
        read = {"label": self._codes, "text": self._texts, "ranking": self._rankings, "interval": self._intervals}
        return read[kind](name) if kind in read else self._structures(name, ANSWERS[kind])

    def _scores_of(self, scorer: str) -> NDArray[np.float64]:
        place = next((name for name in (scorer, f"{SCORE}{scorer}") if name in self._frame.columns), None)
        if place is None:
            self._issues.append(_missing_column(self._file, scorer, self._frame.columns))
            return np.full(self._frame.height, np.nan)
        return self._numbers(place, (0.0, 1.0))

    def _structures(self, name: str, read: Callable[[str, Sequence[str]], object]) -> Column:
        """Return texts that encode labels, boxes or masks, None where the cell is empty."""

        def is_wrong(spelled: str) -> bool:
            try:
                read(spelled, self._classes)
            except AnswerTextError:
                return True
            return False

        column, kind = self._frame[name], self._plan.prediction.kind
        wrong = pl.Series([one is not None and is_wrong(one) for one in column.to_list()], dtype=pl.Boolean)
        self._report(name, wrong, lambda row: text("trial.no_structure", found=_cut(column[row]), kind=kind))
        return self._texts(name)

    def _texts(self, name: str) -> Column:
        """Return texts, None where the cell is empty."""
        return np.array(self._frame[name].to_list(), dtype=object)

    def _rankings(self, name: str) -> Column:
        """Return codes of the classes, best first, shape (cases, longest): −1 after the last."""
        codes = [self._codes(name, column) for column in _split(self._frame[name])]
        return np.stack(codes, axis=1) if codes else np.full((self._frame.height, 1), -1, np.int32)

    def _intervals(self, name: str) -> Column:
        """Return lower and upper ends, shape (cases, 2), NaN where the cell is empty."""
        column = self._frame[name]
        places = _split(column)[:3]
        ends = [place.cast(pl.Float64, strict=False) for place in places]
        missing = pl.Series([None] * self._frame.height, dtype=pl.Float64)
        lower, upper = [*ends, missing, missing][:2]
        good = (lower.is_finite() & upper.is_finite() & (lower <= upper)).fill_null(value=False)
        if len(places) > 2:
            good &= places[2].is_null()
        wrong = column.is_not_null() & ~good
        self._report(name, wrong, lambda row: text("trial.no_interval", found=_cut(column[row])))
        return np.column_stack([np.array(end.fill_null(float("nan")).to_numpy(), float) for end in (lower, upper)])

    def _codes(self, name: str, column: pl.Series | None = None) -> NDArray[np.int32]:
        """Return codes of the classes, −1 where the cell is empty; ``column``: a part of each cell."""
        column = self._frame[name] if column is None else column
        classes = list(self._classes)
        codes = column.replace_strict(classes, list(range(len(classes))), default=None, return_dtype=pl.Int32)
        self._report(name, codes.is_null() & column.is_not_null(), lambda row: self._unknown_label(column[row]))
        return np.asarray(codes.fill_null(-1).to_numpy(), dtype=np.int32)

    def _unknown_label(self, label: str) -> Text:
        return text("trial.unknown_label", found=_cut(label), allowed=offer(label, self._classes))

    def _numbers(self, name: str, limits: tuple[float, float] | None) -> NDArray[np.float64]:
        """Return numbers, NaN where the cell is empty."""
        column = self._frame[name]
        numbers = column.cast(pl.Float64, strict=False)
        wrong = column.is_not_null() & (numbers.is_null() | ~numbers.fill_null(0.0).is_finite())
        self._report(name, wrong, lambda row: text("trial.no_number", found=_cut(column[row])))
        if limits is not None:
            low, high = limits
            outside = ~wrong & ~numbers.fill_null(low).is_between(low, high)
            self._report(
                name, outside, lambda row: text("trial.number_outside", found=_cut(column[row]), low=low, high=high)
            )
        return np.array(numbers.fill_null(float("nan")).to_numpy(), dtype=np.float64)

    def _groups(self) -> dict[str, Column]:
        """Return the columns that rules group by; ``group`` is used if there is none of that name."""
        named = {rule.by for rule in self._rules if rule.by is not None}
        return self._named(named, GROUP, "group", dtype=str)

    def _perturbed(self) -> dict[str, Column]:
        """Return the answers under each perturbation that a rule names, from a column ``prediction@noise(0.1)``."""
        columns = {_arm_of(name): name for name in self._frame.columns if _arm_of(name)}
        named = {str(rule.under) for rule in self._rules if rule.under is not None}
        for under in sorted(named - columns.keys()):
            self._issues.append(_missing_column(self._file, f"prediction@{under}", self._frame.columns))
        return {under: self._answers(columns[under]) for under in sorted(named & columns.keys())}

    def _given(self) -> dict[str, Column]:
        """Return the columns that measures read, such as the context that must support an answer."""
        return self._named({name for rule in self._rules for name in given_columns(rule)}, GIVEN, "", dtype=object)

    def _named(self, names: set[str], prefix: str, other: str, dtype: type) -> dict[str, Column]:
        """Return the columns of these names, with or without ``prefix``; ``other`` is used if there is neither."""
        spelled = {name: [name, f"{prefix}{name}", *filter(None, [other])] for name in names}
        places = {name: [each for each in all_ if each in self._frame.columns] for name, all_ in spelled.items()}
        for name in sorted(name for name, found in places.items() if not found):
            self._issues.append(_missing_column(self._file, name, self._frame.columns, other))
        return {
            name: np.array(self._frame[found[0]].fill_null("").to_list(), dtype=dtype)
            for name, found in places.items()
            if found
        }

    def _units(self, units: set[str], columns: frozenset[str]) -> NDArray[np.int64] | None:
        if not units:
            return None
        first = min(units)
        self._issues += [
            Issue(file=self._file, path="unit", problem=problem, line=1)
            for _, problem in unit_problems(self._plan.criteria)
        ]
        if first not in columns:
            self._issues.append(_missing_column(self._file, first, self._frame.columns, "unit"))
            return None
        column = self._frame[first]
        self._report(first, column.is_null(), lambda _: text("trial.cell_missing"))
        return np.unique(np.array(column.fill_null("").to_list()), return_inverse=True)[1].astype(np.int64)

    def _scores(self, columns: frozenset[str]) -> NDArray[np.float64] | None:
        if "score" not in columns:
            self._issues.append(_missing_column(self._file, "score", self._frame.columns))
            return None
        self._report("score", self._frame["score"].is_null(), lambda _: text("trial.cell_missing"))
        return self._numbers("score", (0.0, 1.0))

    def _report(self, path: str, wrong: pl.Series, problem: Callable[[int], Text]) -> None:
        """Record a problem for each row where ``wrong`` is true; for many, only the first and how many."""
        rows = wrong.arg_true().to_list()
        for row in rows[:SHOWN]:
            place = f"{self._frame['case'][row]}/{path}" if self._is_log else path
            line = None if self._is_log else self._line(row)
            self._issues.append(Issue(file=self._file, path=place, problem=problem(row), line=line))
        if len(rows) > SHOWN:
            rest = text("trial.more_problems", count=len(rows) - SHOWN)
            self._issues.append(Issue(file=self._file, path=path, problem=rest))

    def _line(self, row: int) -> int:
        """Return the line on which a row begins: cells may hold line breaks."""
        before = self._frame.head(row)
        breaks = before.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).sum()))
        return row + 2 + int(breaks.item() or 0) if row else 2


def _read_recorded_log(path: Path) -> tuple[pl.DataFrame, Text]:
    """Return the table of a log, all texts, and a sentence describing it; raises as `read_inspect_log`."""
    log = read_inspect_log(path)
    return _table(log), _told(log, path.name)


def _require_columns(frame: pl.DataFrame, file: str, needed: Sequence[str]) -> None:
    missing = [_missing_column(file, name, frame.columns) for name in needed if name not in frame.columns]
    if missing:
        raise InputError.from_issues(file, missing)


def _missing_column(file: str, name: str, columns: Iterable[str], other: str = "") -> Issue:
    """Return the issue that the column ``name`` is missing, and so is its alternative."""
    looked_for = f"{name}, {other}" if other else name
    problem = text("trial.column_missing", found=looked_for, allowed=offer(name, columns))
    return Issue(file=file, path=name, problem=problem, line=1)


def _classes_of(frame: pl.DataFrame, plan: DecisionPlan) -> tuple[str, ...]:
    """Return the labels found, sorted: in truth, and where labels are answered in these too."""
    prediction = plan.prediction
    if prediction.kind in ("value", "text", "interval"):
        return ()
    answered = [frame[name] for name in ("prediction", "baseline") if name in frame.columns]
    columns = [frame["truth"]]
    if prediction.kind == "label":
        columns += answered
    elif prediction.kind == "ranking":
        columns = [place for column in (*columns, *answered) for place in _split(column)]
    elif prediction.kind in STRUCTURED:
        return _classes_of_structures(frame["truth"], prediction.kind)
    found = {label for column in columns for label in column.drop_nulls().unique()}
    return tuple(sorted(found | ({prediction.positive} if prediction.positive is not None else set())))


def _classes_of_structures(truths: pl.Series, kind: AnswerKind) -> tuple[str, ...]:
    """Return the classes in the true answers; unreadable answers are reported where they are read."""
    found: set[str] = set()
    for spelled in truths.drop_nulls().to_list():
        with contextlib.suppress(AnswerTextError):
            found |= classes_in(spelled, kind)
    return tuple(map(str, range(max(map(int, found), default=0) + 1))) if kind == "mask" else tuple(sorted(found))


def _split(column: pl.Series) -> list[pl.Series]:
    """Return the first, second, … part of each cell, without surrounding spaces; null after the last."""
    parts = column.str.split(SEPARATOR)
    longest = parts.list.len().max()
    stripped = [parts.list.get(place, null_on_oob=True).str.strip_chars() for place in range(int(str(longest or 0)))]
    return [part.replace("", None) for part in stripped]


def _is_text(column: str) -> bool:
    return column in ("truth", "prediction", "baseline") or column.startswith("prediction@")


def _arm_of(column: str) -> str:
    """Return the perturbation that a column's name spells, as rules spell it; empty for other columns."""
    for prefix in ("prediction@", ARM):
        if column.startswith(prefix):
            return str(parse_rule(f"drop(accuracy under {column.removeprefix(prefix)}) <= 0").under)
    return ""


def _cut(cell: Any) -> str:
    return str(cell)[:80]


def _table(log: InspectLog) -> pl.DataFrame:
    runs = log.runs
    columns: dict[str, list[str | None]] = {
        "case": [f"{run.sample}#{run.epoch}" for run in runs],
        "truth": [run.target for run in runs],
        "prediction": [run.answer if run.end == "scored" else None for run in runs],
    }
    if len({run.sample for run in runs}) < len(runs):
        columns["unit"] = [run.sample for run in runs]
    for scorer in log.scorers:
        columns[f"{SCORE}{scorer}"] = [_score(run, scorer) for run in runs]
    for name in sorted({name for run in runs for name in run.metadata or {}}):
        columns[f"{GROUP}{name}"] = [(run.metadata or {}).get(name) for run in runs]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _score(run: SampleRun, scorer: str) -> str | None:
    score = run.scores.get(scorer) if run.end == "scored" else None
    return None if score is None else repr(score)


def _told(log: InspectLog, file: str) -> Text:
    ends = Counter(run.end for run in log.runs)
    return text(
        "inspect.read",
        file=file,
        task=log.task,
        model=log.model,
        runs=len(log.runs),
        samples=len({run.sample for run in log.runs}),
        errors=ends["error"],
        limits=ends["limit"],
        missing=ends["missing"],
    )
