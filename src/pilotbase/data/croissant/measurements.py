"""Measurements of a dataset: its quality in DQV, statistics of fields as annotations (Croissant 1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
