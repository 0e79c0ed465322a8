"""Findings in anyone's description: three kinds, all at once, each with its place and what to do.

A fault refuses the description. Something lacking keeps it from being published on a base. Something not held is
understood but has no place in our dataset: it is reported, so that nothing disappears silently. The rest is a draft.

Also read and written here: measurements of a dataset, its quality in DQV and statistics of fields (Croissant 1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import pydantic

from pilotbase.data.croissant.vocabulary import short_name
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.loading import issues_of
from pilotbase.documents.publication import missing
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain


class Measurement(NamedTuple):
    """One measure of a dataset, a record set or a field of one, with its basis."""

    measure: str
    value: float
    record_set: str | None = None
    """None: for the whole dataset."""
    field: str | None = None
    numerator: float | None = None
    denominator: float | None = None
    lower: float | None = None
    """Bounds of its interval at 95 %, if a sample represents the whole."""
    upper: float | None = None
    method: str | None = None
    """Version of the formulae."""
    engine: str | None = None
    data: str | None = None
    """Commitment to, or digest of, the measured data."""
    at: str | None = None
    """RFC 3339."""


class FieldStatistics(NamedTuple):
    """Statistics of a field's values."""

    record_set: str
    field: str
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None


class Measured(NamedTuple):
    """All measurements of a dataset that may be shown."""

    measurements: Sequence[Measurement] = ()
    statistics: Sequence[FieldStatistics] = ()


NOTHING = Measured()
MEASURE = "urn:pilotbase:measure:"
"""The prefix of each of our measures' names."""
FIGURES = {part: f"pb:{part}" for part in ("numerator", "denominator", "lower", "upper")}
WORDS = {"method": "pb:method", "engine": "pb:engine", "data": "pb:data", "at": "prov:generatedAtTime"}
"""Part of a `Measurement` → the property that holds it."""
_DDI = "http://rdf-vocabulary.ddialliance.org/cv/SummaryStatisticType/2.1.2/"
KINDS = {"mean": _DDI + "7975ed0", "maximum": _DDI + "8321e79", "minimum": "sc:Float"}
"""Name of a statistic → its data type."""
_EQUIVALENT = {"maximum": "sc:maxValue", "minimum": "sc:minValue"}
"""The equivalents in schema.org; Croissant names no DDI term for the least value."""


def statistics_of(found: Measured, record_set: str, field: str, identity: str) -> list[Plain]:
    """Return the statistics of the field with this id as its annotations."""
    told = (one for one in found.statistics if (one.record_set, one.field) == (record_set, field))
    return [
        {
            "@type": "cr:Field",
            "@id": f"{identity}/%40{name}",
            "name": name,
            "value": value,
            "dataType": kind,
            **({"equivalentProperty": _EQUIVALENT[name]} if name in _EQUIVALENT else {}),
        }
        for one in told
        for name, kind in KINDS.items()
        if (value := getattr(one, name)) is not None
    ]


def measured(found: Measured, record_set: str | None, field: str | None = None) -> list[Plain]:
    """Return the measurements of one target as ``dqv:QualityMeasurement``.

    A measurement is inside its target and does not name it by ``@id``: mlcroissant would copy the target into it.
    """
    return [_spelled(one) for one in found.measurements if (one.record_set, one.field) == (record_set, field)]


def _spelled(one: Measurement) -> dict[str, Plain]:
    return {
        "@type": "dqv:QualityMeasurement",
        "dqv:isMeasurementOf": f"{MEASURE}{one.measure}",
        "dqv:value": one.value,
        **{name: said for part, name in (FIGURES | WORDS).items() if (said := getattr(one, part)) is not None},
    }


MOST = 1000
"""Findings of one kind that are reported; of the others, only their number."""
_MOST_ASKED = 100
"""Unknown words for which a suggestion is sought: that would take too long for thousands."""
STAND_IN = "unknown"
"""The name to use if one is needed and none is given."""


class FindingKind(StrEnum):
    """What a finding means; names: text ``croissant.kind.<value>``."""

    FAULT = "fault"
    LACKING = "lacking"
    NOT_HELD = "not_held"


class PlainFile(Protocol):
    """A file that was read as plain data, and where its parts are."""

    @property
    def file(self) -> str:
        """Return the name to show for it."""
        ...

    @property
    def value(self) -> Mapping[str, Plain]:
        """Return its content."""
        ...

    def line(self, pointer: str) -> int | None:
        """Return the line where the target of a JSON pointer begins."""
        ...


@dataclass(frozen=True)
class CroissantDescription:
    """What anyone's description says about a dataset."""

    file: str
    version: str
    """The version of its format."""
    dataset: Dataset | None
    """A draft; None if there is a fault."""
    faults: tuple[Issue, ...]
    lacking: tuple[Issue, ...]
    """What keeps it from being published on a base."""
    not_held: tuple[Issue, ...]
    """The parts that have no place in our dataset."""
    measured: Measured = NOTHING
    """What it says was measured about the data."""

    def require(self) -> Dataset:
        """Return the draft; raises `InputError` with every fault."""
        if self.dataset is None:
            raise InputError.from_issues(self.file, self.faults)
        return self.dataset


@dataclass
class CroissantFindings:
    """The findings in one file so far."""

    source: PlainFile
    _found: dict[FindingKind, dict[tuple[str, str], Issue]] = field(
        default_factory=lambda: {kind: {} for kind in FindingKind}
    )
    _beyond: dict[FindingKind, int] = field(default_factory=lambda: dict.fromkeys(FindingKind, 0))
    _told: set[str] = field(default_factory=set)
    """Pointers with a finding at or below them."""
    _asked: int = 0

    def fault(self, pointer: str, problem: Text) -> None:
        self._add(FindingKind.FAULT, pointer, problem)

    def lacking(self, pointer: str, problem: Text) -> None:
        self._add(FindingKind.LACKING, pointer, problem)

    def not_held(self, pointer: str, problem: Text) -> None:
        self._add(FindingKind.NOT_HELD, pointer, problem)

    def offer(self, found: str, known: Iterable[str]) -> Text:
        """Return what is allowed instead of ``found``, as `nearest.offer`, for as many words as can be compared."""
        self._asked += 1
        return offer(found, known if self._asked <= _MOST_ASKED else ())

    def _add(self, kind: FindingKind, pointer: str, problem: Text) -> None:
        if len(self._found[kind]) >= MOST:
            self._beyond[kind] += 1
            return
        file, line = self.source.file, self.source.line(pointer)
        issue = Issue(file=file, path=pointer, problem=problem, line=line, hint=problem.hint)
        self._found[kind].setdefault((pointer, problem.code), issue)
        while pointer and pointer not in self._told:
            self._told.add(pointer)
            pointer = pointer.rpartition("/")[0]

    def told_at(self, pointer: str) -> bool:
        """Return whether something was already found at or below ``pointer``."""
        return pointer in self._told

    def of(self, kind: FindingKind) -> tuple[Issue, ...]:
        """Return the findings of a kind in the order in which a reader of the file meets them."""
        found = sorted(self._found[kind].values(), key=lambda issue: (issue.line or 0, issue.path))
        if self._beyond[kind]:
            more = text("croissant.more", count=self._beyond[kind])
            found.append(Issue(file=self.source.file, path="", problem=more))
        return tuple(found)

    def describing(
        self,
        version: str,
        dataset: Dataset | None,
        measured: Measured = NOTHING,
        unread: Iterable[tuple[str, str]] = (),
    ) -> CroissantDescription:
        """Return what was read with all findings; if there is a fault, without a dataset.

        ``unread``: name and pointer of each property that nothing was read from.
        """
        for name, pointer in unread:
            if not self.told_at(pointer):
                self.not_held(pointer, text("croissant.not_held", name=name))
        faults, lacking, not_held = (self.of(kind) for kind in FindingKind)
        return CroissantDescription(
            self.source.file, version, None if faults else dataset, faults, lacking, not_held, measured
        )

    def move(self, kind: FindingKind, to: FindingKind) -> None:
        """Turn every finding of ``kind`` into one of the kind ``to``."""
        self._found[to] |= self._found[kind]
        self._found[kind] = {}


def as_plain(issues: Iterable[Issue]) -> list[dict[str, object]]:
    """Return issues as JSON: place, line, code, and the message in both languages."""
    return [
        {
            "path": issue.path,
            "line": issue.line,
            "code": issue.problem.code,
            "en": issue.say("en"),
            "zh": issue.say("zh"),
        }
        for issue in issues
    ]


def draft_dataset(
    spelled: Mapping[str, Plain], places: Mapping[str, str], findings: CroissantFindings, names: Mapping[str, str]
) -> Dataset | None:
    """Return the draft; what does not fit a dataset's form is a fault, what the profile lacks is reported.

    ``places``: path in the dataset → pointer in the file, for its parts. ``names``: path → name in the file, if that
    differs.
    """
    if findings.of(FindingKind.FAULT):
        return None
    try:
        dataset = Dataset.model_validate({name: value for name, value in spelled.items() if value is not None})
    except pydantic.ValidationError as error:
        for issue in issues_of("", error):
            findings.fault(_pointer(issue.path, places, names), text("croissant.no_fit", reason=issue.problem))
        return None
    if "opening" not in dataset.model_fields_set:
        findings.lacking("/pb:opening", text("croissant.no_opening"))
    for path, problem in missing(_as_published(dataset)):
        pointer = _pointer(path, places, names)
        if not findings.told_at(pointer):
            findings.lacking(pointer, problem)
    return dataset


def stand_in_owner(findings: CroissantFindings, pointer: str, candidates: Iterable[str]) -> Plain:
    """Return a short name derived from the data's creator or publisher, reported as lacking."""
    name = next(filter(None, map(short_name, candidates)), STAND_IN)
    findings.lacking(pointer, text("croissant.no_owner", name=name))
    return {"organisation": name}


def _as_published(dataset: Dataset) -> Dataset:
    """Return a foreign dataset as published: open, if it does not say how far it is opened."""
    return dataset if "opening" in dataset.model_fields_set else dataset.model_copy(update={"opening": Opening.OPEN})


def _pointer(path: str, places: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return the pointer in the file for a path in the dataset."""
    if path in names:
        return join_pointer("", names[path])
    above = path
    while above and above not in places:
        above = above[: max(above.rfind("."), above.rfind("["), 0)]
    pointer = places.get(above, "")
    for step in filter(None, re.split(r"[.\[\]]", path[len(above) :])):
        pointer = join_pointer(pointer, step)
    return pointer
