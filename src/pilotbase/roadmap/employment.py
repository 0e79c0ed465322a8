"""Exposure of occupations, likeness of tasks, hours and posts, and activity by sector: pure functions over tables.

Exposure by Eloundou et al. (2023): α counts tasks that a model alone speeds up (E1), β half of those that need further
software (E2), γ all of these. An occupation's interval is the hull over raters and measures: how far they disagree.
Activity by Leontief (1936): x = (I - A)⁻¹ f.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy  # loads each of its parts when it is first used

from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.files import table_lines
from pilotbase.documents.texts import Text, text
from pilotbase.documents.workforce import (
    Assumption,
    ExposureShare,
    Label,
    Occupation,
    OccupationsTold,
    OccupationTable,
    OccupationTask,
    RetrainingPath,
    SectorActivity,
    SectorTable,
    SharedTask,
    StatedRange,
    WorkAssumptions,
)

Measure = Literal["alpha", "beta", "gamma"]
Values = npt.NDArray[np.float64]
MEASURES: Mapping[Measure, Mapping[Label, float]] = {
    "alpha": {"E0": 0.0, "E1": 1.0, "E2": 0.0},
    "beta": {"E0": 0.0, "E1": 1.0, "E2": 0.5},
    "gamma": {"E0": 0.0, "E1": 1.0, "E2": 1.0},
}
SUPPLEMENTAL = 0.5
"""Weight of a task that is not known to be a core task."""
LIKE = 0.35
"""Cosine of two tasks' words from which they count as alike."""
LEAST_OVERLAP, MOST_PATHS, MOST_SHARED = 0.2, 5, 5
_SAME = 1e-6
_MOST_ISSUES = 20
_WORD = re.compile(r"[a-z]{3,}|[\u3400-\u9fff]{2}")
_SOC = re.compile(r"\d\d-\d{4}(\.\d\d)?")
_COLUMNS = ("O*NET-SOC Code", "Title", "Task ID", "Task", "Task Type")
_RATERS = {"human_labels": "human", "gpt4_exposure": "gpt-4"}
_PUBLISHED = {"human_rating": "human", "dv_rating": "gpt-4"}


def exposure(occupation: Occupation, rater: int, measure: Measure) -> float:
    """Return the weighted share of an occupation's tasks that are exposed, by one rater and measure."""
    found = sum(_weight(task) * _score(task.labels[rater], measure) for task in occupation.tasks)
    return found / sum(map(_weight, occupation.tasks))


def exposures(occupation: Occupation, raters: Sequence[str]) -> dict[str, float]:
    """Return ``rater.measure`` → exposure."""
    return {
        f"{name}.{measure}": exposure(occupation, place, measure)
        for (place, name), measure in product(enumerate(raters), MEASURES)
    }


def hull(occupation: Occupation, raters: Sequence[str]) -> StatedRange:
    """Return the least and the most of all raters and measures."""
    found = exposures(occupation, raters).values()
    return StatedRange(low=min(found), high=max(found))


def require_reproduced(table: OccupationTable) -> int:
    """Return how many values the source publishes; raises `InputError` where the same formula gives another one."""
    count = 0
    for occupation in table.occupations:
        found = exposures(occupation, table.raters)
        for name, value in occupation.published.items():
            if name not in found:
                raise InputError("workforce.no_measure", found=name, allowed=offer(name, found))
            if abs(found[name] - value) > _SAME:
                raise InputError(
                    "workforce.not_reproduced",
                    occupation=occupation.code,
                    measure=name,
                    published=f"{value:.6f}",
                    computed=f"{found[name]:.6f}",
                )
            count += 1
    return count


def tell_occupations(table: OccupationTable) -> OccupationsTold:
    """Return the table's published shares, computed anew."""
    tasks = [task for one in table.occupations for task in one.tasks]
    shares = []
    for (place, rater), measure in product(enumerate(table.raters), MEASURES):
        values = [exposure(one, place, measure) for one in table.occupations]
        shares.append(
            ExposureShare(
                rater=rater,
                measure=measure,
                occupations=_mean(values),
                tasks=_mean([_score(task.labels[place], measure) for task in tasks]),
                tenth=_mean([float(value >= 0.1 - _SAME) for value in values]),
                half=_mean([float(value >= 0.5 - _SAME) for value in values]),
            )
        )
    agree, kappa = _agreement(tasks) if len(table.raters) > 1 else (None, None)
    return OccupationsTold(
        source=table.source,
        licence=table.licence,
        language_models=table.language_models,
        occupations=len(table.occupations),
        tasks=len(tasks),
        reproduced=require_reproduced(table),
        shares=shares,
        agree=agree,
        kappa=kappa,
    )


def _agreement(tasks: Sequence[OccupationTask]) -> tuple[float, float]:
    """Return how often the first two raters agree, and Cohen's kappa."""
    pairs = Counter((str(task.labels[0]), str(task.labels[1])) for task in tasks)
    agree = sum(count for (one, other), count in pairs.items() if one == other) / len(tasks)
    first, second = Counter(str(task.labels[0]) for task in tasks), Counter(str(task.labels[1]) for task in tasks)
    chance = sum(first[label] * second[label] for label in first) / len(tasks) ** 2
    return agree, 1.0 if chance == 1 else (agree - chance) / (1 - chance)


def _score(label: Label, measure: Measure) -> float:
    return MEASURES[measure][label] if isinstance(label, str) else label


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


class TaskWords:
    """The tasks of a table by their words, weighed by how rare these are (TF-IDF): unit rows, one a task."""

    def __init__(self, table: OccupationTable) -> None:
        self.table = table
        self.by_code = {one.code: one for one in table.occupations}
        self._tasks = [(one.code, task) for one in table.occupations for task in one.tasks]

    @property
    def schemes(self) -> set[str]:
        """Return the classifications that its codes are of."""
        return {code.partition(":")[0] for code in self.by_code}

    def find(self, code: str) -> Occupation:
        """Return the occupation of ``code``; raises `InputError` with the nearest codes."""
        if code not in self.by_code:
            raise InputError("workforce.no_occupation", found=code, allowed=offer(code, self.by_code))
        return self.by_code[code]

    @cached_property
    def _words(self) -> Any:
        counted = [Counter(_WORD.findall(task.title.casefold())) for _, task in self._tasks]
        numbers = {word: place for place, word in enumerate(sorted({word for words in counted for word in words}))}
        cells = [(row, numbers[word], times) for row, words in enumerate(counted) for word, times in words.items()]
        rows, columns, times = np.array(cells, int).reshape(-1, 3).T
        rarity = np.log((1 + len(counted)) / (1 + np.bincount(columns, minlength=len(numbers)))) + 1
        values = times * rarity[columns]
        lengths = np.sqrt(np.bincount(rows, values**2, minlength=len(counted)))
        return scipy.sparse.csr_matrix((values / lengths[rows], (rows, columns)), (len(counted), len(numbers) or 1))

    def paths(self, occupation: Occupation) -> list[RetrainingPath]:
        """Return less exposed occupations with like tasks, the nearest first; of like preparation where it is known."""
        raters, shared = self.table.raters, self._shared(occupation)
        here, whole = hull(occupation, raters), sum(map(_weight, occupation.tasks))
        found = []
        for place, pairs in shared.items():
            other, there = self.table.occupations[place], hull(self.table.occupations[place], raters)
            overlap = sum(weight for weight, _ in pairs) / whole
            is_near = None in (occupation.zone, other.zone) or abs((occupation.zone or 0) - (other.zone or 0)) <= 1
            is_less = there.low < here.low and there.high < here.high
            if is_near and is_less and overlap >= LEAST_OVERLAP:
                nearest = sorted((one for _, one in pairs), key=lambda one: (-one.likeness, one.here))[:MOST_SHARED]
                told = {"code": other.code, "title": other.title, "overlap": overlap, "exposure": there}
                found.append(RetrainingPath(**told, shared=nearest))
        return sorted(found, key=lambda one: (-one.overlap, one.code))[:MOST_PATHS]

    def _shared(self, occupation: Occupation) -> dict[int, list[tuple[float, SharedTask]]]:
        """Return place of another occupation → each task here that is like one there: its weight, and the nearest."""
        numbers = [row for row, (one, _) in enumerate(self._tasks) if one == occupation.code]
        cosines = (self._words[numbers] @ self._words.T).toarray()
        place_of = {one.code: place for place, one in enumerate(self.table.occupations)}
        nearest: dict[tuple[int, int], int] = {}
        for here, row in np.argwhere(cosines >= LIKE).tolist():
            there = place_of[self._tasks[row][0]]
            before = nearest.setdefault((there, here), row)
            if cosines[here, row] > cosines[here, before]:
                nearest[there, here] = row
        found: defaultdict[int, list[tuple[float, SharedTask]]] = defaultdict(list)
        for (there, here), row in nearest.items():
            task, likeness = occupation.tasks[here], round(float(cosines[here, row]), 4)
            if there != place_of[occupation.code]:
                shared = SharedTask(here=task.title, there=self._tasks[row][1].title, likeness=likeness)
                found[there].append((_weight(task), shared))
        return found


def _weight(task: OccupationTask) -> float:
    return 1.0 if task.core else SUPPLEMENTAL


@dataclass(frozen=True)
class FreedWork:
    """What follows from the assumptions of a statement; None: unknown."""

    hours: StatedRange | None
    posts: StatedRange | None
    displaced_at_most: float | None
    unknown: tuple[Text, ...]


def freed_work(stated: WorkAssumptions) -> FreedWork:
    """Return hours and posts per year, from what has a source."""
    known = {name: _sourced(getattr(stated, name)) for name in WorkAssumptions.model_fields}
    minutes, cases, year, redeployed = known.values()
    hours = _times(minutes, cases, 1 / 60) if minutes and cases else None
    posts = StatedRange(low=hours.low / year.high, high=hours.high / year.low) if hours and year and year.low else None
    most = posts.high * (1 - redeployed.low) if posts and redeployed else None
    unknown = (
        text(f"workforce.{'no_source' if getattr(stated, name) else 'not_stated'}", of=text(f"workforce.of.{name}"))
        for name, value in known.items()
        if value is None
    )
    return FreedWork(hours, posts, most, tuple(unknown))


def added(found: Iterable[StatedRange | None]) -> StatedRange | None:
    """Return the sum of what is known; None: nothing is."""
    known = [one for one in found if one is not None]
    return StatedRange(low=sum(one.low for one in known), high=sum(one.high for one in known)) if known else None


def expected_people(
    people: int | None, displaced: StatedRange | None, created: StatedRange | None
) -> StatedRange | None:
    """Return the headcount that a statement leads to, from the people in place, displaced and created."""
    if people is None or displaced is None or created is None:
        return None
    low = people - displaced.high + created.low
    return StatedRange(low=max(0.0, low), high=max(0.0, people - displaced.low + created.high))


def departs(outside: Sequence[bool | None]) -> bool:
    """Return whether two reports in a row are outside: one may be a matter of the day on which people were counted."""
    return any(one and other for one, other in pairwise(outside))


def _sourced(found: Assumption | None) -> StatedRange | None:
    return found if found is not None and found.source.strip() else None


def _times(one: StatedRange, other: StatedRange, by: float) -> StatedRange:
    return StatedRange(low=one.low * other.low * by, high=one.high * other.high * by)


def activity(table: SectorTable, spent: Mapping[str, StatedRange]) -> list[SectorActivity]:
    """Return the activity of each sector that spending is linked to upstream, the largest first.

    Raises:
        InputError: a sector is not in the table, or the table is no economy that produces more than it uses.
    """
    place_of = {one.code: place for place, one in enumerate(table.sectors)}
    demand = np.zeros((len(table.sectors), 2))
    for code, amount in spent.items():
        if code not in place_of:
            raise InputError("workforce.no_sector", found=code, allowed=offer(code, place_of))
        demand[place_of[code]] += (amount.low, amount.high)
    output = np.clip(leontief(table) @ demand, 0, None)
    found = []
    for sector, (low, high) in zip(table.sectors, output.tolist(), strict=True):
        per_output = None if sector.people is None else sector.people / sector.output
        people = None if per_output is None else StatedRange(low=low * per_output, high=high * per_output)
        if high > 0:
            bounds = StatedRange(low=low, high=high)
            found.append(SectorActivity(code=sector.code, title=sector.title, output=bounds, people=people))
    return sorted(found, key=lambda one: (-one.output.high, one.code))


def leontief(table: SectorTable) -> Values:
    """Return (I - A)⁻¹; raises `InputError` where a table's sectors use up more than they produce."""
    outputs = np.array([one.output for one in table.sectors])
    shares = np.array(table.flows) / outputs
    if np.abs(np.linalg.eigvals(shares)).max() >= 1 - _SAME:
        raise InputError("workforce.not_productive")
    inverse: Values = np.linalg.inv(np.eye(len(outputs)) - shares)
    return inverse


def read_labels(path: Path, published: Path | None, source: str, licence: str) -> OccupationTable:
    """Return the table of a labelled task file as Eloundou et al. publish it (tab-separated), and their own results.

    Raises:
        InputError: a file is missing, lacks a column, or has lines that cannot be read: each with its number.
    """
    rows = list(table_lines(path, "\t", (*_COLUMNS, *_RATERS)))
    values = {} if published is None else _published(published)
    issues = [issue for line, row in rows for issue in _faults(path, line, row)]
    if not rows:
        issues = [Issue(file=path.name, path="", problem=text("workforce.no_rows"))]
    if issues:
        raise InputError.from_issues(path.name, issues[:_MOST_ISSUES])
    tasks: defaultdict[str, list[OccupationTask]] = defaultdict(list)
    titles: dict[str, str] = {}
    for _, row in rows:
        code, labels = f"soc:{row['O*NET-SOC Code']}", tuple(row[name] for name in _RATERS)
        titles[code] = row["Title"]
        number, core = row["Task ID"].removesuffix(".0"), row["Task Type"] == "Core"
        tasks[code].append(
            OccupationTask.model_validate({"number": number, "title": row["Task"], "core": core, "labels": labels})
        )
    return OccupationTable(
        source=source,
        licence=licence,
        raters=tuple(_RATERS.values()),
        occupations=tuple(
            Occupation(code=code, title=titles[code], tasks=tuple(found), published=values.get(code, {}))
            for code, found in tasks.items()
        ),
    )


def _faults(path: Path, line: int, row: Mapping[str, str]) -> Iterator[Issue]:
    problems = {
        name: text("workforce.no_label", found=row[name]) for name in _RATERS if row[name] not in MEASURES["beta"]
    }
    problems |= {name: text("workforce.empty") for name in _COLUMNS[:4] if not row[name]}
    if row["O*NET-SOC Code"] and not _SOC.fullmatch(row["O*NET-SOC Code"]):
        problems["O*NET-SOC Code"] = text("workforce.no_code", found=row["O*NET-SOC Code"])
    yield from (Issue(file=path.name, path=name, problem=said, line=line) for name, said in problems.items())


def _published(path: Path) -> dict[str, dict[str, float]]:
    columns = {f"{name}_{measure}": f"{rater}.{measure}" for name, rater in _PUBLISHED.items() for measure in MEASURES}
    found: dict[str, dict[str, float]] = {}
    for line, row in table_lines(path, ",", ("O*NET-SOC Code", *columns)):
        try:
            found[f"soc:{row['O*NET-SOC Code']}"] = {name: float(row[column]) for column, name in columns.items()}
        except ValueError:
            raise InputError.at(path.name, "", text("workforce.no_numbers"), line) from None
    return found
