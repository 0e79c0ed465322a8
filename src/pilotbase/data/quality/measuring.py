"""A dataset measured: contract and measures compiled into one pass, further passes if needed, then graded."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pilotbase import __version__
from pilotbase.data.describing.observing import Column
from pilotbase.data.quality.checks import (
    CheckCount,
    GroupCheck,
    RowCheck,
    Unchecked,
    first_rows,
    group_checks,
    row_checks,
)
from pilotbase.data.quality.columns import ROW, RecordTable, open_record_table, record_table
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityMeasure,
    QualityRequest,
    QualityResults,
    UnmeasuredError,
    not_measured,
    parts_of,
)
from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.data.quality.profiling import MOST_DRAWN, ends_of, grade, profile, profile_counts, required_of
from pilotbase.data.quality.tally import HELD, SHOWN, WORDS, KeyedRows, tally_all
from pilotbase.data.sources.opening import read_table, scanning
from pilotbase.data.sources.source import digest_watched
from pilotbase.data.suspects import suspects_of
from pilotbase.data.suspects.sample import sampled
from pilotbase.documents.dataset import DataField, Dataset, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_json, hex_of
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.quality import (
    QualityMeasurement,
    QualityReference,
    QualityReport,
    RecordSetProfile,
    RuleResult,
    Suspect,
)
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening

_MOST_NAMED = 50
"""Failing rules whose first rows are sought: each takes a look into the table."""
_MEBIBYTE = 1 << 20
_LAST = 10
"""Columns at the end of a wide table that are drawn."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class ReferenceData:
    """The reference for a dataset. ``folder``: the folder of the files that the reference names.

    ``beside``: tables of further record sets, to which references lead and which are not measured themselves.
    ``quick``: one pass alone; measures that need equal rows together are skipped, no distribution is counted, and no
    fault is sought that nobody declared.
    """

    reference: QualityReference = field(default_factory=QualityReference)
    folder: Path = Path()
    beside: Mapping[str, Path] = field(default_factory=dict)
    quick: bool = False
    inferred: bool = False
    """Nobody declared anything: words that the file seems to use for a missing value are suspects too."""


def measure_quality(
    dataset: Dataset,
    files: Mapping[str, Path],
    held: ReferenceData | None = None,
    on_progress: OnProgress = ignore_progress,
) -> QualityReport:
    """Return the full report of ``dataset``; ``files``: record set → its file. Nothing is loaded as a whole.

    Memory: what a streaming pass takes, and a million rows of 24 bytes for all keys, duplicates and references.

    Raises:
        InputError: a file that cannot be read (`open_source`), ``quality.unknown_measure``; ``quality.no_room`` if
            the folder for temporary files has less room than 24 bytes a row for each of these.
    """
    held = held or ReferenceData()
    required_of(dataset)
    digests = {name: digest_watched(path, on_progress) for name, path in files.items()}
    measured: list[tuple[RecordSetProfile, list[QualityMeasurement], list[RuleResult]]] = []
    suspects: list[Suspect] = []
    with tempfile.TemporaryDirectory(prefix="pilotbase-quality-") as scratch:
        given = {**held.beside, **files}
        tables = {
            name: open_record_table(dataset.record_set(name), path, Path(scratch), on_progress)
            for name, path in given.items()
        }
        for name, path in files.items():
            with scanning(path):
                told = () if held.quick else _suspects(tables[name], path, held.inferred, on_progress)
                situation = _situation(dataset, tables, name, held, digests, Path(scratch), told)
                measured.append(_measure(situation, held.quick, on_progress))
                suspects += told
    measurements = tuple(one for _, found, _ in measured for one in found)
    rules = tuple(one for _, _, found in measured for one in found)
    return QualityReport(
        dataset=dataset.subject,
        title=dataset.title,
        version=dataset.version,
        data=digest_json(digests) if len(digests) != 1 else next(iter(digests.values())),
        engine=f"pilotbase {__version__}, polars {pl.__version__}",
        opening=dataset.opening,
        files=tuple(path.name for path in files.values()),
        profiles=tuple(found for found, _, _ in measured),
        measurements=measurements,
        rules=rules,
        suspects=tuple(suspects),
        checks_declared=len(rules),
        checks_run=sum(rule.state == "measured" for rule in rules),
        grade=grade(dataset, measurements),
    )


def profile_rows(record_set: RecordSet, rows: pl.LazyFrame) -> RecordSetProfile:
    """Return the profile of ``rows``, which hold the fields of ``record_set``; nothing is measured or graded.

    Of a wide table only the first `MOST_DRAWN` columns are looked at, with the last few among them.
    """
    fields = record_set.fields
    if len(fields) > MOST_DRAWN:  # the answer often stands at the end
        fields = (*fields[: MOST_DRAWN - _LAST], *fields[-_LAST:])
    drawn = record_set.model_copy(update={"fields": fields})
    table = record_table(drawn, rows.with_row_index(ROW, 1))
    return profile(table, count_all(table, profile_counts(table)), None)


def inferred_fields(columns: Iterable[Column]) -> tuple[DataField, ...]:
    """Return fields of the types that ``columns`` have, without any promise."""
    return tuple(
        DataField(name=one.name, data_type=one.data_type, missing=("", *one.spellings), repeated=one.repeated)
        for one in columns
    )


def _situation(  # noqa: PLR0913 - what a measure may ask for
    dataset: Dataset,
    tables: Mapping[str, RecordTable],
    name: str,
    held: ReferenceData,
    digests: Mapping[str, str],
    scratch: Path,
    suspects: Sequence[Suspect],
) -> QualityContext:
    table = tables[name]
    audited, learned_from = held.reference.audited, held.reference.learned_from
    return QualityContext(
        dataset=dataset,
        table=table,
        checks=tuple(row_checks(table)),
        group_checks=tuple(group_checks(table, dict(tables))),
        reference=held.reference,
        parts=parts_of(table),
        audited=read_table(held.folder / audited).cast(pl.String) if audited else None,
        learned_from=open_record_table(table.record_set, held.folder / learned_from, scratch) if learned_from else None,
        digests=_by_file(dataset, digests),
        placeholders={
            name: tuple(value for one in suspects if one.fields == (name,) for value in one.values)
            for name in table.columns
            if any(one.values for one in suspects if one.fields == (name,))
        },
    )


def _suspects(table: RecordTable, path: Path, inferred: bool, on_progress: OnProgress) -> tuple[Suspect, ...]:
    """Return what a sample of the file shows of faults that nobody declared."""
    record_set = table.record_set
    if inferred:
        bare = tuple(one.model_copy(update={"missing": ("",)}) for one in record_set.fields)
        record_set = record_set.model_copy(update={"fields": bare})
    on_progress(Progress(text("quality.progress.suspects", name=record_set.name)))
    rows = int(table.stored.select(pl.len()).collect(engine="streaming").item())
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return suspects_of(sampled(record_set, table.stored, rows, ROW, written), record_set.name)


def _by_file(dataset: Dataset, digests: Mapping[str, str]) -> dict[str, str]:
    """Return file's id → hex digest, for the files from which record sets were read."""
    return {
        field.source.resource: hex_of(digests[record_set.name])
        for record_set in dataset.record_sets
        if record_set.name in digests
        for field in record_set.fields
        if field.source is not None
    }


def _measure(
    situation: QualityContext, quick: bool, on_progress: OnProgress
) -> tuple[RecordSetProfile, list[QualityMeasurement], list[RuleResult]]:
    table = situation.table
    asked = {measure: _ask(measure, situation, quick) for measure in QUALITY_MEASURES}
    asking = [one for one in asked.values() if isinstance(one, QualityRequest)]
    checks = [check for check in situation.checks if isinstance(check, RowCheck)]
    groups = {name: streams for one in asking for name, streams in one.groups.items()}
    if not quick:
        groups |= {f"rule {one.name}": one.streams for one in situation.group_checks if isinstance(one, GroupCheck)}
    on_progress(Progress(text("quality.progress.first", name=table.record_set.name)))
    needed = [
        *profile_counts(table),
        *(count for check in checks for count in (check.evaluated, check.failed)),
        *(count for one in asking for count in one.counts),
    ]
    counts = count_all(table, needed, [column for one in asking for column in one.columns])
    mebibytes = _room_needed(groups, table.frame, int(counts["rows"]))
    on_progress(Progress(_second(table.record_set.name, mebibytes)))
    with room(mebibytes):
        # each from a pass of its own: together they share a reading, and the library keeps what two of them read
        tables = {name: frame.collect(engine="streaming") for one in asking for name, frame in one.tables.items()}
        answers = QualityResults(counts, tables, tally_all(groups))
    if not quick:
        on_progress(Progress(text("quality.progress.profile", name=table.record_set.name)))
    parts = situation.parts or parts_of(table, ends_of(counts, table.record_set.time))
    drawn = 0 if quick else MOST_DRAWN
    closed = situation.dataset.opening is Opening.COMPUTE_TO_DATA
    return (
        profile(table, counts, parts, drawn, closed),
        [_measurement(measure, one, situation, answers) for measure, one in asked.items()],
        list(_rule_results(situation, answers, quick)),
    )


def _second(name: str, needed: int) -> Text:
    if not needed:
        return text("quality.progress.second", name=name)
    return text("quality.progress.second_on_disk", name=name, needed=needed, folder=tempfile.gettempdir())


def _ask(measure: QualityMeasure, situation: QualityContext, quick: bool) -> QualityRequest | UnmeasuredError:
    try:
        asked = measure.ask(situation)
    except UnmeasuredError as error:
        return error
    return not_measured("quality.reason.quick") if quick and measure.costly else asked


def _measurement(
    measure: QualityMeasure, asked: QualityRequest | UnmeasuredError, situation: QualityContext, answers: QualityResults
) -> QualityMeasurement:
    told = QualityMeasurement(
        measure=measure.name,
        record_set=situation.table.record_set.name,
        codes=measure.codes,
        state="measured",
        direction=measure.direction,
        formula=measure.formula,
    )
    if isinstance(asked, UnmeasuredError):
        return told.model_copy(update={"state": asked.state, "reason": asked.reason})
    found = asked.conclude(answers)
    if found.value is None:
        return told.model_copy(
            update={"state": "not_measured", "reason": found.reason or text("quality.reason.nothing")}
        )
    return told.model_copy(update={name: getattr(found, name) for name in found.__dataclass_fields__})


def _rule_results(situation: QualityContext, answers: QualityResults, quick: bool) -> Iterator[RuleResult]:
    record_set = situation.table.record_set.name
    named = 0
    for check in situation.checks:
        if isinstance(check, Unchecked):
            yield _unchecked(check, record_set, check.reason)
            continue
        failed = answers.count(check.failed)
        named += failed > 0
        rows = first_rows(situation.table, check, SHOWN) if failed and named <= _MOST_NAMED else ()
        evaluated = answers.count(check.evaluated)
        yield _result(check, record_set, evaluated, failed, rows)
    for group in situation.group_checks:
        if isinstance(group, Unchecked):
            yield _unchecked(group, record_set, group.reason)
        elif quick:
            yield _unchecked(group, record_set, text("quality.reason.quick"))
        else:
            yield _group_result(group, record_set, answers)


def _group_result(check: GroupCheck, record_set: str, answers: QualityResults) -> RuleResult:
    tally = answers.tallies[f"rule {check.name}"]
    refers = check.kind == "reference"
    evaluated, failed = (tally.marked, tally.marked - tally.met) if refers else (tally.rows, tally.repeated)
    rows = tuple(tally.unmet_rows if refers else tally.repeated_rows)
    return _result(check, record_set, evaluated, failed, rows)


def _unchecked(check: Unchecked | GroupCheck, record_set: str, reason: Text) -> RuleResult:
    return _result(check, record_set, 0, 0).model_copy(update={"state": "not_measured", "reason": reason})


def _result(
    check: RowCheck | GroupCheck | Unchecked, record_set: str, evaluated: int, failed: int, rows: tuple[int, ...] = ()
) -> RuleResult:
    return RuleResult(rule=check.name, kind=check.kind, record_set=record_set, fields=check.fields,
                      evaluated=evaluated, passed=evaluated - failed, failed=failed, rows=rows)  # fmt: skip


def count_all(table: RecordTable, counts: Iterable[CheckCount], columns: Iterable[pl.Expr] = ()) -> dict[str, float]:
    """Return every count by its name, all from one pass; a figure without any values is left out.

    ``columns`` are computed once a row, beside those of the table.
    """
    distinct = {count.name: count.expression for count in counts}
    found = (
        table.frame.with_columns(*columns)
        .select(one.alias(name) for name, one in distinct.items())
        .collect(engine="streaming")
    )
    row = found.row(0)
    return {name: value for name, value in zip(found.columns, row, strict=True) if value is not None}


def _room_needed(asked: Mapping[str, Sequence[KeyedRows]], frame: pl.LazyFrame, rows: int) -> int:
    """Return the MiB that `tally_all` writes at most; ``frame`` has as many ``rows``, those of others are counted."""
    counted = {id(frame): rows}
    for stream in (one for streams in asked.values() for one in streams):
        if id(stream.frame) not in counted:
            counted[id(stream.frame)] = int(stream.frame.select(pl.len()).collect(engine="streaming").item())
    found = (sum(counted[id(one.frame)] for one in streams) for streams in asked.values())
    return -(-sum(number for number in found if number > HELD // len(asked)) * 8 * WORDS // _MEBIBYTE)


@contextmanager
def room(needed: int) -> Iterator[None]:
    """Keep what is written within to the ``needed`` MiB of the folder for temporary files.

    Raises:
        InputError: ``quality.no_room``, before anything is written; or while it is, if somebody else fills the disk.
    """
    if needed and _free_room() < needed:
        raise _refusal(needed)
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _refusal(needed) from None


def _free_room() -> int:
    """Return the free MiB in the folder for temporary files."""
    return shutil.disk_usage(tempfile.gettempdir()).free // _MEBIBYTE


def _refusal(needed: int) -> InputError:
    return InputError("quality.no_room", folder=tempfile.gettempdir(), needed=needed, free=_free_room())
