"""A clean table, its description, and for every measure a fault that is planted in a known number of its rows.

The faults stand in rows that are drawn from all of the table, so that they lie on both sides of every border.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np
import polars as pl

from pilotbase.documents.dataset import (
    DataField,
    Dataset,
    FieldType,
    RecordSet,
    Reference,
    RowRule,
)
from pilotbase.documents.quality import Currency, Delay, QualityReference
from pilotbase.documents.scenario import Contact
from pilotbase.documents.scenario_data import GroupSplit
from pilotbase.documents.vocabularies import Opening, Sensitivity

ROWS, FAULTS = 600, 37
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SITES = ("north", "south")
STAMP = "%Y-%m-%dT%H:%M:%S"


def clean_table(rows: int) -> dict[str, list[str | None]]:
    """Return a table in which no measure finds anything: texts, as a CSV holds them."""
    draw = np.random.default_rng(rows)
    moments = [BEGIN + timedelta(minutes=number) for number in range(rows)]
    kinds = ["ok" if number % 2 else "bad" for number in range(rows)]
    return {
        "id": [f"r{number}" for number in range(rows)],
        "site": [SITES[number % 2] for number in range(rows)],
        "device": [f"d{number % 5}" for number in range(rows)],
        "temperature": [f"{20 + value:.6f}" for value in draw.random(rows)],
        "pressure": [f"{number * 3 + (kind == 'ok'):d}" for number, kind in enumerate(kinds)],
        "note": [f"{number:06d}-{draw.integers(10**9):09d}" for number in range(rows)],
        "started": [moment.strftime(STAMP) for moment in moments],
        "ended": [(moment + timedelta(minutes=5)).strftime(STAMP) for moment in moments],
        "age": [f"{30 + number // 2 % 3}" for number in range(rows)],
        "label": kinds,
    }


def description(**changes: object) -> Dataset:
    """Return the description of the table, and of the devices that it refers to."""
    return Dataset(
        **{
            "name": "readings",
            "title": "Readings",
            "owner": Contact(organisation="plant"),
            "opening": Opening.OPEN,
            "record_sets": (records(), devices()),
            **changes,
        }
    )


def records(**changes: object) -> RecordSet:
    fields = (
        DataField(name="id", data_type=FieldType.TEXT, required=True, unique=True),
        DataField(name="site", data_type=FieldType.TEXT, values=SITES),
        DataField(name="device", data_type=FieldType.TEXT, references=Reference(record_set="devices", field="name")),
        DataField(name="temperature", data_type=FieldType.FLOAT, required=True, minimum=-40, maximum=125, unit="Cel"),
        DataField(name="pressure", data_type=FieldType.INTEGER),
        DataField(name="note", data_type=FieldType.TEXT, pattern=r"\d{6}-\d{9}"),
        DataField(name="started", data_type=FieldType.DATETIME),
        DataField(name="ended", data_type=FieldType.DATETIME),
        DataField(name="age", data_type=FieldType.INTEGER, sensitivity=Sensitivity.QUASI_IDENTIFIER),
        DataField(name="label", data_type=FieldType.TEXT, values=("bad", "ok"), semantic=("cr:Label",)),
    )
    return RecordSet(
        **{
            "name": "records",
            "fields": fields,
            "key": ("id",),
            "time": "started",
            "rules": (RowRule(name="in-order", rule="started <= ended"),),
            **changes,
        }
    )


def devices() -> RecordSet:
    return RecordSet(name="devices", fields=(DataField(name="name", data_type=FieldType.TEXT),), key=("name",))


def device_table() -> pl.DataFrame:
    return pl.DataFrame({"name": [f"d{number}" for number in range(5)]})


@dataclass(frozen=True)
class Planted:
    """A fault in ``rows`` of a table, and what its measure says then."""

    plant: Callable[[dict[str, list[str | None]], list[int]], None]
    figure: Callable[[int, int], tuple[float, float]]
    """Rows of the table and number of faults → numerator and denominator."""
    rule: str | None = None
    """The rule that fails in these rows."""
    dataset: Callable[[], Dataset] = description
    reference: QualityReference = field(default_factory=QualityReference)


def put(column: str, content: str | None) -> Callable[[dict[str, list[str | None]], list[int]], None]:
    """Return the fault of a column that says ``content`` in the rows."""

    def plant(table: dict[str, list[str | None]], rows: list[int]) -> None:
        for row in rows:
            table[column][row] = content

    return plant


def copy_first(columns: tuple[str, ...] = (), **other: str) -> Callable[[dict[str, list[str | None]], list[int]], None]:
    """Return the fault of rows that are copies of row 0 (of the columns given), but for what is said."""

    def plant(table: dict[str, list[str | None]], rows: list[int]) -> None:
        for row in rows:
            for column in columns or table:
                table[column][row] = table[column][0]
            for column, content in other.items():
                table[column][row] = content

    return plant


def shift(column: str, minutes: int) -> Callable[[dict[str, list[str | None]], list[int]], None]:
    """Return the fault of times that are so much later."""

    def plant(table: dict[str, list[str | None]], rows: list[int]) -> None:
        for row in rows:
            moment = datetime.strptime(table[column][row] or "", STAMP).replace(tzinfo=UTC)
            table[column][row] = (moment + timedelta(minutes=minutes)).strftime(STAMP)

    return plant


def less(n: int, k: int) -> tuple[float, float]:
    """Of all rows those without the fault."""
    return n - k, n


def only(n: int, k: int) -> tuple[float, float]:
    """Of all rows those with it."""
    return k, n


def entropy(n: int, k: int) -> tuple[float, float]:
    """Of two classes of which one has taken k records from the other."""
    shares = [(n / 2 - k) / n, (n / 2 + k) / n]
    return -sum(share * log(share) for share in shares), log(2)


def stability(n: int, k: int) -> tuple[float, float]:
    """Of the same two against halves."""
    shares = [(n / 2 - k) / n, (n / 2 + k) / n]
    return sum((share - 0.5) * log(share / 0.5) for share in shares), 1


def with_class(name: str) -> Dataset:
    """Return the description with a further class."""
    fields = [
        one.model_copy(update={"values": ("bad", "ok", name)}) if one.name == "label" else one
        for one in records().fields
    ]
    return description(record_sets=(records(fields=tuple(fields)), devices()))


def split_by_site() -> Dataset:
    return description(record_sets=(records(split=GroupSplit(column="site", hidden=("south",))), devices()))


def one_in_ten(n: int, k: int) -> tuple[float, float]:
    """Of all cells (ten fields) those without the fault."""
    return 10 * n - k, 10 * n


HALVES = QualityReference(target={"site": {"north": 0.5, "south": 0.5}})
PLANTED: dict[str, list[Planted]] = {
    "value_completeness": [Planted(put("temperature", None), lambda n, k: (2 * n - k, 2 * n), "required temperature")],
    "feature_completeness": [Planted(put("pressure", "  "), less)],
    "value_occurrence": [
        Planted(
            put("site", "north"),
            lambda n, k: (n // 2 - k, n),
            dataset=description,
            reference=QualityReference(expected={"site": {"south": ROWS}}),
        )
    ],
    "record_completeness": [Planted(put("temperature", ""), less, "required temperature")],
    "label_completeness": [Planted(put("label", None), less)],
    "syntactic_accuracy": [
        Planted(put("temperature", "warm"), one_in_ten, "type temperature"),
        Planted(put("temperature", "125.5"), one_in_ten, "range temperature"),
        Planted(put("temperature", "70 [degF]"), one_in_ten, "unit temperature"),
        Planted(put("temperature", "21.5 Cel"), lambda n, k: (10 * n, 10 * n)),
        Planted(put("temperature", "125"), lambda n, k: (10 * n, 10 * n)),
        Planted(put("temperature", "-40.0"), lambda n, k: (10 * n, 10 * n)),
        Planted(put("note", "none"), one_in_ten, "pattern note"),
        Planted(put("label", "maybe"), one_in_ten, "values label"),
        Planted(put("started", "2026-02-30"), one_in_ten, "type started"),
    ],
    "uniqueness": [Planted(copy_first(), less, "key")],
    "key_uniqueness": [Planted(copy_first(("id",)), less, "unique id")],
    "label_consistency": [
        Planted(copy_first(id="other", label="ok"), lambda n, k: (0, k + 1)),
        Planted(copy_first(id="other", label="bad"), lambda n, k: (k + 1, k + 1)),
    ],
    "format_consistency": [Planted(put("started", "2026/1/1 00:00"), one_in_ten)],
    "semantic_consistency": [Planted(shift("started", 60), less, "in-order")],
    "referential_consistency": [Planted(put("device", "d9"), less, "reference device")],
    "currentness": [
        Planted(
            put("started", "2020-01-01 00:00"),
            less,
            reference=QualityReference(currency=Currency(as_of=datetime(2026, 2, 1, tzinfo=UTC), days=31)),
        )
    ],
    "timeliness": [
        Planted(
            shift("ended", 56),
            less,
            reference=QualityReference(delay=Delay(event="started", available="ended", hours=1)),
        ),
        Planted(
            shift("ended", 55),
            lambda n, k: (n, n),
            reference=QualityReference(delay=Delay(event="started", available="ended", hours=1)),
        ),
    ],
    "order": [
        Planted(shift("started", 6), less, reference=QualityReference(order=("started", "ended"))),
        Planted(shift("started", 5), lambda n, k: (n, n), reference=QualityReference(order=("started", "ended"))),
    ],
    "category_balance": [Planted(put("label", "bad"), lambda n, k: (n / 2, n / 2 + k))],
    "label_distribution_balance": [Planted(put("label", "bad"), entropy)],
    "label_proportion_gap": [
        Planted(put("label", "bad"), lambda n, k: (n / 2 - k, n / 2), reference=QualityReference(group="site"))
    ],
    "label_richness": [Planted(put("label", "rare"), lambda n, k: (3, 3), dataset=lambda: with_class("rare"))],
    "relative_abundance": [Planted(put("label", "bad"), lambda n, k: (n / 2 + k, n))],
    "small_category_share": [
        Planted(
            put("label", "rare"),
            lambda n, k: (2, 3),
            dataset=lambda: with_class("rare"),
            reference=QualityReference(small=100),
        )
    ],
    "representativeness": [
        Planted(
            put("site", "east"),
            lambda n, k: (3, 4),
            reference=QualityReference(target={"site": {"north": 1, "south": 1, "east": 1, "west": 1}}),
        )
    ],
    "representativeness_overlap": [Planted(put("site", "north"), less, reference=HALVES)],
    "population_stability_index": [Planted(put("site", "north"), stability, reference=HALVES)],
    "sample_similarity": [Planted(copy_first(id="other", note="000000-000000001"), less)],
    "identifiability": [
        Planted(put("note", "call 13812345678"), only),
        Planted(put("note", "11010519491231002X"), only),
        Planted(put("device", "who@example.org"), only),
        Planted(put("pressure", "13812345678"), only),
    ],
    "smallest_cell": [Planted(put("age", "99"), lambda n, k: (k, 1))],
    "split_leakage": [
        Planted(
            copy_first(("device", "temperature", "pressure", "note", "started", "ended", "age")),
            lambda n, k: (k, n / 2),
            dataset=split_by_site,
        )
    ],
}
"""Measure → faults that it has to count."""
ELSEWHERE = {
    "semantic_accuracy": "against an audited sample",
    "label_accuracy": "against an audited sample",
    "audited_records": "against an audited sample",
    "traceability": "of files, not of rows",
    "documentation": "of the description, not of rows",
    "model_fitness": "of all rows together",
}
"""Measures whose faults are no rows; they have tests of their own."""
