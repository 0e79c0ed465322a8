"""What was measured of a dataset's quality, as DQV says it beside a description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pilotbase.documents.yaml_reader import Plain


class Measurement(NamedTuple):
    """One measure of a dataset, a record set or a field of one, with what it rests on."""

    measure: str
    value: float
    record_set: str | None = None
    """None: of the whole dataset."""
    field: str | None = None
    numerator: float | None = None
    denominator: float | None = None
    method: str | None = None
    data: str | None = None
    """Commitment to, or digest of, the data that were measured."""
    at: str | None = None
    """RFC 3339."""


def measured(measurements: Sequence[Measurement], record_set: str | None, field: str | None = None) -> list[Plain]:
    """Return the measurements of one target as ``dqv:QualityMeasurement``.

    A measurement stands inside its target and names it by no ``@id``: mlcroissant would copy the target into it.
    """
    return [_spelled(one) for one in measurements if (one.record_set, one.field) == (record_set, field)]


def _spelled(one: Measurement) -> Plain:
    beside: dict[str, Plain] = {
        "pb:numerator": one.numerator,
        "pb:denominator": one.denominator,
        "pb:method": one.method,
        "pb:data": one.data,
        "prov:generatedAtTime": one.at,
    }
    return {
        "@type": "dqv:QualityMeasurement",
        "dqv:isMeasurementOf": f"urn:pilotbase:measure:{one.measure}",
        "dqv:value": one.value,
        **{name: value for name, value in beside.items() if value is not None},
    }
