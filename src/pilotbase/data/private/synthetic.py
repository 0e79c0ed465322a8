"""A synthetic sample as a dataset of its own: the contract of its source, labelled as made up wherever it is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.bridges.writing import write_dataset
from pilotbase.data.private.grids import FieldGrid
from pilotbase.data.private.profiling import TableRecords, Units, plan
from pilotbase.data.private.synthesis import synthesise
from pilotbase.data.quality.columns import ROW, RecordTable, record_table
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.base import LONGEST_NAME, Localized, localized
from pilotbase.documents.dataset import (
    DataField,
    Dataset,
    FieldType,
    FileObject,
    Provenance,
    RecordSet,
    ResponsibleUse,
    Source,
)
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.private import NearShare, PrivacyTest, PrivateProfile
from pilotbase.documents.terms import Purpose
from pilotbase.documents.texts import LANGUAGES, Language, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.evidence.distributions import normal_upper_quantile, wilson

SUFFIX = "-synthetic"
ORIGIN = "generated_data_indicator"
"""Marks every record (TC609-5-2025-02): 1, it was generated."""
LEAST_ROWS, MOST_ROWS = 200, 1_000_000
"""Fewer could not be compared with the records."""
_Matrix = npt.NDArray[np.float64]
_LEAST_COMPARED = 50
"""Records needed on either side to compare anything."""
_MOST_COMPARED, _CHUNK, _SEED = 4000, 64, 5
_HALF_OF_5_PERCENT = 0.025
_NOTHING = NearShare(compared=0, share=0.5, lower=0.0, upper=1.0)


@dataclass(frozen=True)
class Sample:
    """A synthetic sample. ``test`` is for the owner of the source alone, and decides nothing."""

    dataset: Dataset
    table: pl.DataFrame
    test: PrivacyTest

    @property
    def file(self) -> str:
        return f"{self.dataset.name}.csv"


def make_sample(dataset: Dataset, profile: PrivateProfile, table: RecordTable, rows: int) -> Sample:
    """Return ``rows`` records made from ``profile``, which was drawn from ``table`` without its holdout.

    The sample and whether there is one depend on ``profile`` alone, so ε covers them; ``table`` is only compared with.

    Raises:
        InputError: too few or too many rows, a profile without a holdout, or as `synthesise`.
    """
    require_rows(rows)
    if not profile.question.holdout:
        raise InputError("private.no_holdout")
    record_set = dataset.record_set(profile.question.record_set)
    made = synthesise(profile, record_set, rows)
    stored = record_table(record_set, made.lazy().with_row_index(ROW, offset=1))
    units, grids = Units(table, profile.unit), plan(record_set, profile.question).grids
    sample, training = TableRecords(stored.columns, stored.frame), units.training(holdout=True)
    test = _privacy_test(profile, grids, sample, training, units.holdout())
    return Sample(_described(dataset, profile, record_set, made), made, test)


def require_rows(rows: int) -> None:
    """Raise `InputError` for a number of records of which no sample is made."""
    if not LEAST_ROWS <= rows <= MOST_ROWS:
        raise InputError("private.rows", found=rows, least=LEAST_ROWS, most=MOST_ROWS)


def format_table(table: pl.DataFrame) -> bytes:
    """Return the records as CSV (UTF-8)."""
    return table.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z").encode()


def write_sample(sample: Sample, folder: Path) -> tuple[Path, ...]:
    """Write the table, its description (Croissant) and its records in the format of TC609 into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / sample.file
    table.write_bytes(format_table(sample.table))
    described, records = table.with_suffix(".croissant.json"), table.with_suffix(".tc609.jsonl")
    described.write_text(write_dataset(sample.dataset, "croissant").content, "utf-8")
    records.write_text(write_dataset(sample.dataset, "tc609", folder).content, "utf-8")
    return table, described, records


def _described(dataset: Dataset, profile: PrivateProfile, record_set: RecordSet, made: pl.DataFrame) -> Dataset:
    name = dataset.name[: LONGEST_NAME - len(SUFFIX)] + SUFFIX
    content = format_table(made)
    file = FileObject(
        id=f"{name}.csv",
        content_url=f"{name}.csv",
        encoding_format=("text/csv",),
        content_size=len(content),
        sha256=hex_of(digest_bytes(content)),
    )
    described = dataset.model_copy(
        update={
            "name": name,
            "title": _both("private.title", title=dataset.title),
            "description": _both("private.description", dataset=dataset.subject, rows=made.height),
            "synthetic": True,
            "live": False,
            "nature": "simulated",
            "keywords": tuple(dict.fromkeys([*dataset.keywords, "synthetic"])),
            "distribution": (file,),
            "record_sets": (_record_set(record_set, file.id, made.height),),
            "opening": Opening.ON_TERMS,
            "kept_terms": (),
            "required": (),
            "responsible": _responsible(dataset.subject),
            "purpose": "training",
            "provenance": Provenance(
                derived_from=(dataset.subject,),
                generated_by=(f"pilotbase:private-profile/{hex_of(profile.digest())}",),
                attributed_to=dataset.provenance.attributed_to,
            ),
        }
    )
    limits = OfferLimits(purposes=(Purpose.TRAINING, Purpose.VERIFICATION))
    usage = offer_for(Opening.ON_TERMS, dataset.owner.organisation, described.subject, limits)
    return Dataset.model_validate(described.model_copy(update={"usage": usage}).model_dump(by_alias=True))


def _responsible(source: str) -> ResponsibleUse:
    """Return what readers should know about made-up records, in both languages in one text."""
    said = {
        part: "\n".join(text(f"private.responsible.{part}", dataset=source).render(language) for language in LANGUAGES)
        for part in ("collection", "personal", "limitation", "use", "labels", "per_item")
    }
    return ResponsibleUse(
        collection=said["collection"],
        personal_sensitive_information=(said["personal"],),
        limitations=(said["limitation"],),
        use_cases=(said["use"],),
        annotation_protocol=said["labels"],
        annotations_per_item=said["per_item"],
    )


def _record_set(record_set: RecordSet, file: str, rows: int) -> RecordSet:
    fields = [_field(one, file) for one in record_set.fields]
    if all(one.name != ORIGIN for one in fields):
        fields.append(DataField(name=ORIGIN, data_type=FieldType.INTEGER, value="1"))
    return record_set.model_copy(
        update={"fields": tuple(fields), "rows": rows, "split": None, "kept_rules": (), "inline": None}
    )


def _field(field: DataField, file: str) -> DataField:
    column = field.source.column if field.source and field.source.column else field.name
    source = Source(resource=file, column=column) if field.value is None else None
    return field.model_copy(update={"source": source, "references": None, "joins": None})


def _both(code: str, **params: Localized | str | int | None) -> Localized:
    """Return a sentence in both languages, since readers of the description may know only one."""
    en, zh = (_said(code, language, params) for language in LANGUAGES)
    return Localized(en=en, zh=zh)


def _said(code: str, language: Language, params: Mapping[str, Localized | str | int | None]) -> str:
    given = {name: one if isinstance(one, int) else localized(one, language) for name, one in params.items()}
    return text(code, **given).render(language)


def _privacy_test(
    profile: PrivateProfile,
    grids: Sequence[FieldGrid],
    sample: TableRecords,
    training: TableRecords,
    holdout: TableRecords,
) -> PrivacyTest:
    """Return how the records of ``sample`` lie between those of ``training`` and as many of ``holdout``.

    A generator that has learnt a distribution comes as near to records that it never saw as to those that it saw; one
    that has learnt records does not. Distance to the closest record after Gower, "A general coefficient of similarity
    and some of its properties", Biometrics 27 (1971): the mean over fields of |difference| / range, or of being another
    category.

    With fewer than `_LEAST_COMPARED` records on one side nothing is compared.
    """
    made, seen, unseen = (_rows(grids, records) for records in (sample, training, holdout))
    size = min(seen.height, unseen.height, _MOST_COMPARED)
    if size < _LEAST_COMPARED:
        return PrivacyTest(
            profile=profile.digest(),
            rows=made.height,
            training=0,
            holdout=0,
            nearest=_NOTHING,
            copies=_NOTHING,
            copies_in_all=0,
        )
    compared = made.sample(min(made.height, _MOST_COMPARED), seed=_SEED)
    near, far = (part.sample(size, seed=_SEED) for part in (seen, unseen))
    return PrivacyTest(
        profile=profile.digest(),
        rows=made.height,
        training=size,
        holdout=size,
        nearest=_nearest(grids, _scaled(grids, compared), _scaled(grids, near), _scaled(grids, far)),
        copies=_copies(made, near, far),
        copies_in_all=made.join(_alone(seen), on=made.columns, how="semi", nulls_equal=True).height,
    )


def _rows(grids: Sequence[FieldGrid], records: TableRecords) -> pl.DataFrame:
    """Return the fields that are profiled: categories by their number, numbers as they are; none is null."""
    chosen = [_value(grid, records) for grid in grids]
    return records.frame.select(chosen).collect()


def _value(grid: FieldGrid, records: TableRecords) -> pl.Expr:
    column = records.columns[grid.field.name]
    if not grid.values:
        return column.value.cast(pl.Float64).alias(grid.field.name)
    cell = grid.cell(column)
    return pl.when(cell != grid.missing).then(cell.cast(pl.Float64)).alias(grid.field.name)


def _scaled(grids: Sequence[FieldGrid], rows: pl.DataFrame) -> _Matrix:
    """Return numbers in units of their declared range; shape (rows, fields), NaN if there is no value."""
    columns = []
    for grid in grids:
        values = rows[grid.field.name].to_numpy().astype(np.float64)
        span = (grid.field.maximum or 0) - (grid.field.minimum or 0)
        columns.append(values if grid.values or not span else values / span)
    return np.column_stack(columns)


def _nearest(grids: Sequence[FieldGrid], made: _Matrix, near: _Matrix, far: _Matrix) -> NearShare:
    """Return the share of ``made`` whose closest record is in ``near``; ties count half.

    Records with the same closest one are no independent witnesses: the interval is computed from sums over these.
    """
    both, categorical = np.vstack([near, far]), [bool(grid.values) for grid in grids]
    gains, closest = np.empty(len(made)), np.empty(len(made), np.int64)
    for start in range(0, len(made), _CHUNK):
        apart = _distances(made[start : start + _CHUNK], both, categorical)
        of_near, of_far = apart[:, : len(near)].min(axis=1), apart[:, len(near) :].min(axis=1)
        here = slice(start, start + len(apart))
        gains[here] = np.where(of_near < of_far, 1.0, np.where(of_near > of_far, 0.0, 0.5))
        closest[here] = apart.argmin(axis=1)
    share = float(gains.mean())
    spread = np.bincount(closest, weights=gains - share)
    half = normal_upper_quantile(_HALF_OF_5_PERCENT) * float(np.sqrt((spread**2).sum())) / len(made)
    return NearShare(compared=len(made), share=share, lower=max(share - half, 0.0), upper=min(share + half, 1.0))


def _distances(made: _Matrix, others: _Matrix, categorical: Sequence[bool]) -> _Matrix:
    """Return sums over fields, shape (made, others); a value and a missing one are 1 apart, two missing ones 0."""
    apart: _Matrix = np.zeros((len(made), len(others)))
    for place, of_categories in enumerate(categorical):
        one, other = made[:, place, None], others[None, :, place]
        found = (one != other).astype(np.float64) if of_categories else np.minimum(np.abs(one - other), 1.0)
        lacking, lacking_there = np.isnan(one), np.isnan(other)
        found = np.where(lacking | lacking_there, (lacking != lacking_there).astype(np.float64), found)
        apart += found
    return apart


def _copies(made: pl.DataFrame, near: pl.DataFrame, far: pl.DataFrame) -> NearShare:
    """Return, of records that are unique in their part and equal to one of ``made``, the share on the near side.

    Each counts once, however often it was copied.
    """
    of_near, of_far = (_alone(part).join(made, on=made.columns, how="semi", nulls_equal=True) for part in (near, far))
    compared = of_near.height + of_far.height
    if compared == 0:
        return _NOTHING
    share = wilson(of_near.height, compared)
    return NearShare(compared=compared, share=share.value, lower=share.lower, upper=share.upper)


def _alone(part: pl.DataFrame) -> pl.DataFrame:
    """Return the records that occur only once."""
    return part.group_by(part.columns).len().filter(pl.col("len") == 1).drop("len")
