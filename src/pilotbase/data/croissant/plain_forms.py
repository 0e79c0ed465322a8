"""Forms of JSON-LD that every part of a description is written in."""

from __future__ import annotations

from pilotbase.documents.base import Localized, localized
from pilotbase.documents.yaml_reader import Plain


def without_nothing(properties: dict[str, Plain]) -> dict[str, Plain]:
    """Return properties but for those that say nothing; a list of one is written as that one."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 and name not in _LISTS else value
        for name, value in properties.items()
        if value is not None and value != []
    }


_LISTS = ("conformsTo", "distribution", "recordSet", "field", "subField", "data")


def spoken(name: str, sentence: Localized | str | None) -> dict[str, Plain]:
    """Return a sentence for every reader, and in both languages under a name of ours where there are two."""
    if not isinstance(sentence, Localized):
        return {name: sentence} if sentence is not None else {}
    ours = "title" if name == "name" else name
    return {name: localized(sentence), f"pb:{ours}": literal(sentence.to_json_value())}


def literal(value: Plain) -> dict[str, Plain]:
    """Return a value that keeps order and form, whatever a tool makes of the rest."""
    return {"@type": "@json", "@value": value}
