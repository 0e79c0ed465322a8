"""Croissant: read 0.8, 1.0 and 1.1; written as 1.1."""

from __future__ import annotations

from pilotbase.data.bridges.definition import EVERYTHING, Bridge
from pilotbase.data.croissant.reading import read_croissant
from pilotbase.data.croissant.writing import write_croissant

BRIDGE = Bridge(
    "croissant",
    "Croissant",
    "json",
    write_croissant,
    EVERYTHING,
    recognises=lambda value: (
        ("@context" in value or "@type" in value) and "dcat" not in str(value.get("@type")).lower()
    ),
    read=read_croissant,
    measures=True,
    both_languages=True,
)
