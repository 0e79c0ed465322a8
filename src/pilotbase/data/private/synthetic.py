"""A synthetic sample as a dataset of its own: the contract of its source, labelled as made up wherever it is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.bridges.writing import write_dataset
from pilotbase.data.private.nearness import privacy_test
from pilotbase.data.private.profiling import plan
from pilotbase.data.private.synthesis import synthesise
from pilotbase.data.private.units import TableRecords, Units
from pilotbase.data.quality.columns import ROW, RecordTable, record_table
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.base import Localized, localized
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
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.private import PrivacyTest, PrivateProfile
from pilotbase.documents.terms import Purpose
from pilotbase.documents.texts import LANGUAGES, Language, text
from pilotbase.documents.vocabularies import Opening

SUFFIX = "-synthetic"
ORIGIN = "generated_data_indicator"
"""What every record says of itself (TC609-5-2025-02): 1, it was generated."""
LEAST_ROWS, MOST_ROWS = 200, 1_000_000
"""Fewer could not be tested for privacy."""
_LONGEST_NAME = 63


@dataclass(frozen=True)
class Sample:
    """A sample that has passed its privacy test. ``test`` is for the owner of the source alone."""

    dataset: Dataset
    table: pl.DataFrame
    test: PrivacyTest

    @property
    def file(self) -> str:
        return f"{self.dataset.name}.csv"


def make_sample(dataset: Dataset, profile: PrivateProfile, table: RecordTable, rows: int) -> Sample:
    """Return ``rows`` records after ``profile``, which was drawn of ``table`` without its holdout.

    Raises:
        InputError: too few or too many rows, a profile without a holdout, whatever `synthesise` and `privacy_test` say.
        RefusedError: the records come nearer to those of the source than to others: nothing is released.
    """
    require_rows(rows)
    if not profile.question.holdout:
        raise InputError("private.no_holdout")
    record_set = dataset.record_set(profile.question.record_set)
    made = synthesise(profile, record_set, rows)
    stored = record_table(record_set, made.lazy().with_row_index(ROW, offset=1))
    units, grids = Units(table, profile.unit), plan(record_set, profile.question).grids
    sample, training = TableRecords(stored.columns, stored.frame), units.training(holdout=True)
    test = privacy_test(profile, grids, sample, training, units.holdout())
    if not test.passed:
        raise RefusedError("private.too_near")  # without a figure: they are computed without noise
    return Sample(_described(dataset, profile, record_set, made), made, test)


def require_rows(rows: int) -> None:
    """Raise `InputError` for so many records that no sample is made of them."""
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
    name = dataset.name[: _LONGEST_NAME - len(SUFFIX)] + SUFFIX
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
    """Return what is to be known of made-up records, in both languages in one text."""
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
    """Return a sentence in both languages: the description goes to whoever reads either."""
    en, zh = (_said(code, language, params) for language in LANGUAGES)
    return Localized(en=en, zh=zh)


def _said(code: str, language: Language, params: Mapping[str, Localized | str | int | None]) -> str:
    given = {name: one if isinstance(one, int) else localized(one, language) for name, one in params.items()}
    return text(code, **given).render(language)
